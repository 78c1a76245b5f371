#!/usr/bin/python3
"""Where a forwarded connection goes: names with several addresses (RFC 8305),
a name server that never answers, the user's own limits, and root."""
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from forward import Client, Service, check_echo, dial, echo, local_forward, quiet_port
from server import Place, listening
from wait import PATIENCE, holds

LOOKUP_SECONDS = 30  # the most that a resolver takes
LOOKUPS = 40  # more than look up at the same time
place = Place()
user = place.account()
key = place.key()
user.authorize(key)


class Deaf:
    """An address whose backlog is full: who connects gets no answer."""

    def __init__(self, host, port):
        self.sock = socket.socket()
        self.sock.bind((host, port))
        self.sock.listen(0)
        self.waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex((host, port))
            self.waiting.append(one)


def file_for(name, text):
    path = place.path(name)
    with open(path, "w", encoding="ascii") as out:
        out.write(text)
    os.chmod(path, 0o644)
    return path


def server_with_hosts(*lines):
    """A server that finds these names, and no others."""
    return place.server(binds={
        "/etc/hosts": file_for("hosts", "".join(
            line + "\n" for line in ("127.0.0.1 localhost", *lines))),
        "/etc/nsswitch.conf": file_for(
            "nsswitch", "passwd: files\ngroup: files\nshadow: files\n"
            "hosts: files\n")})


def several_addresses():
    service = Service(echo, host="127.0.0.3")
    server = server_with_hosts(
        "127.0.0.2 first-refuses", "127.0.0.3 first-refuses",
        "127.0.0.4 first-is-deaf", "127.0.0.3 first-is-deaf",
        "::1 six-first", "127.0.0.3 six-first")
    deaf = Deaf("127.0.0.4", service.port)
    for name in ("first-refuses", "first-is-deaf", "six-first"):
        client, port = local_forward(server, user, key,
                                     "%s:%d" % (name, service.port))
        began = time.monotonic()
        tap.ok(check_echo(port, 10000, 1), name + ": the next one is taken")
        tap.ok(time.monotonic() - began < PATIENCE, "soon enough",
               time.monotonic() - began)
        client.exit()
    deaf.sock.close()
    server.stop()


def silent_name_server():
    """Look-ups hang; what needs none, and what is there, goes on."""
    server = place.server(binds={
        "/etc/resolv.conf": file_for(
            "resolv", "nameserver 192.0.2.53\noptions timeout:%d\n"
            % LOOKUP_SECONDS),
        "/etc/nsswitch.conf": file_for(
            "nsswitch-dns", "passwd: files\ngroup: files\nshadow: files\n"
            "hosts: dns\n")})
    service = Service(echo)
    client = Client(server, user, key)
    near, slow = quiet_port(), quiet_port()
    client.control("forward", "-L", "%d:127.0.0.1:%d" % (near, service.port))
    client.control("forward", "-L", "%d:no.such.name:80" % slow)
    held = [dial(slow) for _ in range(LOOKUPS)]
    tap.ok(check_echo(near, 1 << 20, 2), "others are forwarded meanwhile")
    tap.equal(client.run("echo in").stdout, b"in\n", "and sessions begin")
    for sock in held:
        sock.close()
    began = time.monotonic()
    client.exit()
    tap.ok(holds(lambda: not user.processes(), LOOKUP_SECONDS)
           and time.monotonic() - began < LOOKUP_SECONDS,
           "the end waits for no look-up", *user.processes())
    server.stop()


def limits_of_the_user():
    """pam_limits(8) holds for the helper as for a shell."""
    pam = file_for("pam", "auth required pam_permit.so\n"
                   "account required pam_permit.so\n"
                   "session required pam_limits.so conf=%s\n" % file_for(
                       "limits", "%s hard nofile 77\n%s soft nofile 77\n"
                       % (user.name, user.name)))
    before = "cp %s /etc/pam.d/oetfwd" % pam
    overlay = place.overlay_etc(before)
    if not overlay:
        tap.skip("limits of the user", "/etc cannot be overlaid here")
        return
    server = place.server({"PAMServiceName": "oetfwd"}, before=overlay)
    service = Service(echo)
    client, port = local_forward(server, user, key,
                                 "127.0.0.1:%d" % service.port)
    tap.ok(check_echo(port, 100, 3), "it forwards")
    helper = [pid for pid in user.processes() if os.path.basename(
        os.readlink("/proc/%d/exe" % pid)) == "sshd-forward"]
    with open("/proc/%d/limits" % helper[0], encoding="ascii") as limits:
        tap.like(limits.read(), r"^Max open files +77 +77\b",
                 "sshd-forward has the limits of PAM's session")
    client.exit()
    server.stop()


def root_binds_low_ports():
    """What is root's right, root keeps: a port below 1024."""
    home = place.path("root-keys")
    with open(key + ".pub", "rb") as public:
        file_for("root-keys", public.read().decode())
    server = place.server({"PermitRootLogin": "yes", "StrictModes": "no",
                           "AuthorizedKeysFile": home})
    service = Service(echo)
    client = Client(server, "root", key)
    for port in range(600, 1023):
        if not listening(port):
            done = client.control("forward", "-R", "%d:127.0.0.1:%d"
                                  % (port, service.port))
            break
    tap.equal(done.returncode, 0, "root listens on port %d" % port,
              done.stderr)
    tap.ok(check_echo(port, 1000, 4), "and it works")
    helper = [pid for pid in server.children() if os.path.basename(
        os.readlink("/proc/%d/exe" % pid)) == "sshd-forward"]
    with open("/proc/%d/status" % helper[0], encoding="ascii") as status:
        caps = re.search(r"^CapPrm:\s+(\w+)", status.read(), re.M)[1]
    tap.equal(int(caps, 16) & ~(1 << 10), 0,
              "with no capability but CAP_NET_BIND_SERVICE", caps)
    client.exit()
    server.stop()


tap.main(several_addresses, silent_name_server, limits_of_the_user,
         root_binds_low_ports)

#!/usr/bin/python3
"""tcpip-forward (RFC 4254, 7.1): -R of the stock client, with port 0, cancel,
GatewayPorts in its three values, who the listener belongs to, and ports that
are not the user's to bind."""
import os
import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from forward import (Client, Service, check_digest, check_echo, dial,
                     digest_then_noise, echo, quiet_port, read_all, refused,
                     socks5)
from server import Place, listening
from wait import holds, wait_for

MANY = 100
LISTENERS_MAX = 128

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()


def listeners(port):
    """(address, uid) of each socket that listens on the port, in hex."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[3] == "0A" and \
                        int(fields[1].rsplit(":", 1)[1], 16) == port:
                    found.add((fields[1].rsplit(":", 1)[0], int(fields[7])))
    return found


V4, V4_ANY = "0100007F", "00000000"
V6, V6_ANY = "0" * 24 + "01000000", "0" * 32
HAS_V6 = os.path.exists("/proc/net/if_inet6") and any(
    line.startswith("0" * 31 + "1") for line in open("/proc/net/if_inet6"))


def addresses(*wanted):
    return {address for address in wanted if HAS_V6 or len(address) == 8}


def remote(client, spec):
    """ssh -O forward -R; the port that the server chose or was told."""
    done = client.control("forward", "-R", spec)
    if done.returncode != 0:
        return None
    text = done.stdout.decode().strip()
    return int(text or re.search(r"(\d+)(?::[\d.]+:\d+)?$", spec)[1])


def bytes_both_ways():
    service = Service(digest_then_noise)
    port = quiet_port()
    client = Client(server, user, key, "-R", "%d:127.0.0.1:%d"
                    % (port, service.port))
    wait_for(lambda: listening(port), what="the server to listen")
    for size in (0, 1, 65537, 5 << 20):
        tap.ok(check_digest(port, size, size),
               "%d bytes, a half-close, and the answer after it" % size)
    found = listeners(port)
    tap.equal({uid for _, uid in found}, {user.uid}, "who listens is the user")
    tap.equal({address for address, _ in found}, addresses(V4, V6),
              "on the loopback addresses only")
    with ThreadPoolExecutor(MANY) as pool:
        good = list(pool.map(lambda seed: check_digest(port, 5000, seed),
                             range(MANY)))
    tap.equal(good.count(True), MANY, "%d connections at once" % MANY)
    client.exit()
    tap.ok(holds(lambda: not listening(port)), "the listener goes with it")


def port_zero_and_cancel():
    service = Service(echo)
    client = Client(server, user, key)
    port = remote(client, "0:127.0.0.1:%d" % service.port)
    tap.ok(port and check_echo(port, 100000, 1), "port 0 gives a free one")
    other = remote(client, "0:localhost:%d" % service.port)
    tap.ok(other and other != port, "and another one the next time")
    done = client.control("cancel", "-R", "0:127.0.0.1:%d" % service.port)
    tap.ok(holds(lambda: not listening(port)) and listening(other),
           "-O cancel ends the one that was meant", done.stderr)
    fixed = quiet_port()
    remote(client, "%d:127.0.0.1:%d" % (fixed, service.port))
    tap.ok(check_echo(fixed, 1000, 2), "a port of the client's choice")
    with dial(fixed) as held:
        held.sendall(b"x")
        held.recv(1)
        done = client.control("cancel", "-R", "%d:127.0.0.1:%d"
                              % (fixed, service.port))
        tap.equal(done.returncode, 0, "is cancelled", done.stderr)
        tap.ok(holds(lambda: not listening(fixed)), "and nobody listens")
        held.sendall(b"on")
        tap.equal(held.recv(1), b"o", "but who is connected stays so")
    client.exit()


def dynamic():
    """-R with a port alone: the client is a SOCKS proxy for our side."""
    service = Service(echo)
    client = Client(server, user, key)
    port = remote(client, "0")
    with socks5(port, "127.0.0.1", service.port) as sock:
        sock.sendall(b"round")
        sock.shutdown(socket.SHUT_WR)
        tap.equal(read_all(sock), b"round", "SOCKS by -R")
    client.exit()


def taken_or_privileged():
    held = Service(echo)
    client = Client(server, user, key)
    mark = server.mark()
    with socket.socket(socket.AF_INET6 if HAS_V6 else socket.AF_INET) as six:
        six.bind(("::1" if HAS_V6 else "127.0.0.2", held.port))
        six.listen()
        tap.equal(remote(client, "%d:127.0.0.1:9" % held.port), None,
                  "a port that is taken is refused")
    tap.ok(server.logged("cannot listen on localhost port %d for %s: address "
                         "in use" % (held.port, user.name), mark),
           "and logged")
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start",
              encoding="ascii") as limit:
        least = int(limit.read())
    if least <= 81:
        tap.skip("a privileged port", "every port is everybody's here")
    else:
        mark = server.mark()
        tap.equal(remote(client, "81:127.0.0.1:9"), None,
                  "a privileged port is not the user's")
        tap.ok(server.logged("port 81 for %s: the user has no right to it"
                             % user.name, mark), "and the kernel says so")
    tap.equal(client.run("echo alive").stdout, b"alive\n",
              "the connection lives on")
    client.exit()


def gateway_ports():
    v4, v6, any4, any6 = V4, V6, V4_ANY, V6_ANY
    for value, expected in (
            ("no", {"": (v4, v6), "*": (v4, v6), "localhost": (v4, v6),
                    "127.0.0.1": (v4,), "0.0.0.0": (v4, v6)}),
            ("yes", {"": (any4, any6), "*": (any4, any6),
                     "localhost": (any4, any6), "127.0.0.1": (any4, any6)}),
            ("clientspecified", {
                "": (any4, any6), "*": (any4, any6), "localhost": (v4, v6),
                "127.0.0.1": (v4,), "0.0.0.0": (any4,)})):
        gateway = place.server({"GatewayPorts": value})
        service = Service(echo)
        client = Client(gateway, user, key)
        for host, wanted in expected.items():
            spec = "%s:%d:127.0.0.1:%d" % (host, quiet_port(), service.port)
            port = remote(client, spec)
            tap.equal({address for address, _ in listeners(port or 0)},
                      addresses(*wanted), "GatewayPorts %s: -R %s:..." % (
                          value, host))
            tap.ok(port and check_echo(port, 1000, 3), "and it works")
        client.exit()
        gateway.stop()


def loop():
    """A forwarding that leads to itself is bounded, and ends."""
    port = quiet_port()
    mark = server.mark()
    client = Client(server, user, key, "-R", "%d:127.0.0.1:%d" % (port, port))
    wait_for(lambda: listening(port), what="the server to listen")
    sock = dial(port)
    tap.ok(server.logged("FORWARD_CHANNELS_MAX", mark, 60),
           "a loop meets the limit of channels, which is logged")
    tap.ok(server.alive(), "sshd serves on")
    sock.close()
    client.process.kill()
    client.process.wait()
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "and so does a new connection")


def too_many_listeners():
    client = Client(server, user, key)
    mark = server.mark()
    ports = [remote(client, "127.0.0.1:0:127.0.0.1:%d" % target)
             for target in range(1, LISTENERS_MAX + 2)]
    tap.equal([bool(port) for port in ports].count(True), LISTENERS_MAX,
              "one connection has so many listeners, and no more")
    tap.ok(server.logged("FORWARD_LISTENERS_MAX", mark), "which is logged")
    client.exit()
    tap.ok(refused(ports[0]), "and all are closed with it")


tap.main(bytes_both_ways, port_zero_and_cancel, dynamic, taken_or_privileged,
         gateway_ports, loop, too_many_listeners, server.stop)

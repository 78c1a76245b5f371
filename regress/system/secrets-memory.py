#!/usr/bin/python3
"""Secrets stay where they belong: no private host key is ever in the memory of
a network process, and a password is in no process's memory once it has been
judged. All readable memory is searched, as root; that the search finds things
is shown with what must be there. No log level ever shows a password."""
import base64
import os
import re
import signal
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import paramiko

import tap
from server import HOST_KEYS, Place, built, flavour
from wait import PATIENCE, wait_for
import peer

if flavour() == "openssh":
    tap.skip_all("the processes are this suite's own")
tap.need_root()
PASSWORD = "Tr0ub4dor+Wachtelkoenig+Quittenmus"
WRONG = "Pr4esident+Schnurrhaar+Zwetschge"
LONG = "".join("%s%03d" % (WRONG, number) for number in range(25))
PART = 12  # bytes of a secret that are already too much
CHUNK = 1 << 24

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
user.set_password(PASSWORD)
LOUD = {"LogLevel": "DEBUG3", "MaxAuthTries": "10",
        "KbdInteractiveAuthentication": "yes"}
server = place.server(LOUD)
shadow = place.server(dict(LOUD, UsePAM="no"))


def sanitized():
    """Does the build keep what is freed, for its reports?"""
    with open(built("sshd-net"), "rb") as program:
        return b"__asan_init" in program.read()


# --- secrets, in each form that they might have


def variants(name, number, size):
    """A number as bytes, either end first, as libcrypto's words are too."""
    raw = number.to_bytes(size, "big")
    return {name: raw, name + ", backwards": raw[::-1]}


def in_base64(raw):
    """The text that these bytes give, at each of the three alignments."""
    forms = []
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + raw).rstrip(b"=")
        forms.append(text[4 if shift else 0:-2])
    return forms


def private_parts(kind):
    """name -> bytes of what is secret in a host key."""
    with open(place.host_key(kind), "rb") as private:
        made = serialization.load_ssh_private_key(private.read(), None)
    if isinstance(made, ed25519.Ed25519PrivateKey):
        parts = {"seed": made.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
            serialization.NoEncryption())}
    elif isinstance(made, ec.EllipticCurvePrivateKey):
        parts = variants("scalar", made.private_numbers().private_value,
                         made.key_size // 8)
    else:
        numbers, parts = made.private_numbers(), {}
        for name in "pqd":
            number = getattr(numbers, name)
            parts.update(variants(name, number,
                                  (number.bit_length() + 7) // 8))
    for name in [name for name in parts if "backwards" not in name]:
        for shift, text in enumerate(in_base64(parts[name])):
            parts["%s in base64, %d" % (name, shift)] = text
    return {"%s %s" % (kind, name): raw for name, raw in parts.items()}


SECRETS = {}
for each in HOST_KEYS:
    SECRETS.update(private_parts(each))
with open(place.host_key("ed25519") + ".pub", encoding="ascii") as public:
    PUBLIC = base64.b64decode(public.read().split()[1])[-32:]


# --- memory


def regions(pid):
    """(start, end, name) of what can be read (proc(5), maps)."""
    with open("/proc/%d/maps" % pid, encoding="utf-8") as maps:
        for line in maps:
            found = re.match(r"(\w+)-(\w+) (r)\S+ \S+ \S+ \S+\s*(.*)", line)
            if found and found.group(4) not in ("[vvar]", "[vsyscall]",
                                                "[vvar_vclock]"):
                yield (int(found.group(1), 16), int(found.group(2), 16),
                       found.group(4))


def memory(pid):
    """(region's name, its bytes), for all of it."""
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as mem:
        for start, end, name in regions(pid):
            data = bytearray()
            while start < end:
                mem.seek(start)
                try:
                    part = mem.read(min(CHUNK, end - start))
                except OSError:
                    break
                if not part:
                    break
                data += part
                start += len(part)
            yield name, bytes(data)


def find(pid, secrets):
    """Where each secret is: ["name in region at offset"]."""
    found = []
    for region, data in memory(pid):
        for name, raw in secrets.items():
            at = data.find(raw)
            while at >= 0:
                found.append("%s in %s+%#x: %r" % (
                    name, region or "anonymous", at, data[max(0, at - 32):at]))
                at = data.find(raw, at + 1)
    return found


def pieces(text):
    """A password whole and its parts: half of one is found out soon."""
    raw = text.encode()
    return {"bytes %d to %d" % (at, at + PART): raw[at:at + PART]
            for at in range(0, len(raw) - PART + 1, PART // 2)}


def program(pid):
    try:
        return os.path.basename(os.readlink("/proc/%d/exe" % pid))
    except OSError:
        return ""


def parent(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


class Connection:
    """The two processes of the connection that what() makes."""

    def __init__(self, what, to=server):
        self.server = to
        before = to.children()
        self.made = what()
        found = wait_for(lambda: self._found(before), what="the processes")
        self.monitor, self.net = found["sshd-monitor"], found["sshd-net"]

    def _found(self, before):
        # A child of the monitor is of its program too, until it runs another.
        found = {program(pid): pid for pid in self.server.children()
                 if pid not in before
                 and program(parent(pid)) != "sshd-monitor"}
        return found if {"sshd-monitor", "sshd-net"} <= set(found) else None


# --- the checks


def nothing_of_the_keys(connection, when):
    tap.ok(find(connection.net, {"public": PUBLIC}),
           when + ": the search finds the public key in sshd-net")
    tap.equal(find(connection.net, SECRETS), [],
              when + ": nothing of a private host key in sshd-net")


def host_keys():
    """In the monitor, which signs, and nowhere else."""
    sock = [None]

    def connect():
        sock[0] = peer.connect(server)
        peer.read_line(sock[0])
    nothing_of_the_keys(Connection(connect), "before the key exchange")
    sock[0].close()
    for kind, name in (("ed25519", "ssh-ed25519"),
                       ("ecdsa", "ecdsa-sha2-nistp256"),
                       ("rsa", "rsa-sha2-512")):
        def login(name=name):
            client = place.popen(server.ssh_argv(
                user, "cat", key=key, HostKeyAlgorithms=name))
            wait_for(lambda: user.processes(), what="the session")
            return client
        connection = Connection(login)
        nothing_of_the_keys(connection, "signed with " + kind)
        tap.ok(find(connection.monitor, private_parts(kind)),
               "%s: the search finds the private one in sshd-monitor" % kind)
        connection.made.communicate(b"", PATIENCE)
        wait_for(lambda: not user.processes(), what="the session's end")


def running_rc():
    found = {program(pid): pid for pid in user.processes()}
    return found if {"sshd-monitor", "tail"} <= set(found) else None


def users_own():
    """While ~/.ssh/rc runs, the process that will run the user's program waits
    for it as the user: what it holds, the user might get at."""
    user.write(".ssh/rc", "exec tail -f /dev/null\n")
    for kind, name in (("ed25519", "ssh-ed25519"),
                       ("ecdsa", "ecdsa-sha2-nistp256"),
                       ("rsa", "rsa-sha2-512")):
        client = place.popen(server.ssh_argv(user, "true", key=key,
                                             HostKeyAlgorithms=name))
        found = wait_for(running_rc, what="~/.ssh/rc")
        pid = found["sshd-monitor"]
        tap.ok(find(pid, {"name": user.name.encode()}),
               "%s: the search finds the name in the user's process" % name)
        tap.equal(find(pid, SECRETS), [],
                  "%s: nothing of a private host key in it" % name)
        # Of a process that is not dumpable, /proc/PID is root's.
        tap.equal(os.stat("/proc/%d/mem" % pid).st_uid, 0,
                  "%s: it is not dumpable" % name)
        os.kill(found["tail"], signal.SIGTERM)
        client.communicate(b"", PATIENCE)
        wait_for(lambda: not user.processes(), what="the session's end")
    os.unlink(user.path(".ssh/rc"))


def no_password(connection, text, when):
    """Not in any process of the server."""
    for name, pid in {"sshd-net": connection.net,
                      "sshd-monitor": connection.monitor,
                      "sshd": connection.server.process.pid}.items():
        tap.equal(find(pid, pieces(text)), [],
                  "%s: no password in %s" % (when, name))


def password_login():
    tap.ok(find(os.getpid(), pieces(PASSWORD)),
           "the search finds the password where it must be")
    for to, how in ((server, "logged in by PAM"),
                    (shadow, "logged in by shadow(5)")):
        def login(to=to):
            made = peer.transport(to)
            made.auth_password(user.name, PASSWORD, fallback=False)
            return made
        connection = Connection(login, to)
        no_password(connection, PASSWORD, how)
        channel = connection.made.open_session()
        channel.exec_command("cat")
        channel.sendall(b"Hagebutte und Mehlbeere")
        wait_for(channel.recv_ready, what="an echo")
        no_password(connection, PASSWORD, how + ", with a session")
        nothing_of_the_keys(connection, how)
        connection.made.close()


def failed_password():
    """And the client stays, unauthenticated."""
    for to, how in ((server, "refused by PAM"),
                    (shadow, "refused by shadow(5)")):
        def attempt(to=to):
            made = peer.transport(to)
            for text in (WRONG, LONG, WRONG):
                tap.equal(peer.verdict(made.auth_password, user.name, text,
                                       None, False), "failure",
                          "a wrong password of %d bytes" % len(text))
            return made
        connection = Connection(attempt, to)
        no_password(connection, WRONG, how)
        connection.made.close()


def answers():
    """Of keyboard-interactive: they take other ways through the processes."""
    for text, how in ((PASSWORD, "answered"), (WRONG, "answered wrong")):
        def attempt(text=text):
            made = peer.transport(server)
            try:
                made.auth_interactive(user.name, lambda title, said, prompts:
                                      [text] * len(prompts))
            except paramiko.AuthenticationException:
                pass
            tap.equal(made.is_authenticated(), text == PASSWORD,
                      "a login: %s" % how)
            return made
        connection = Connection(attempt)
        no_password(connection, text, how)
        connection.made.close()


def unknown_user():
    def attempt():
        made = peer.transport(server)
        peer.verdict(made.auth_password, "nobody-there", WRONG, None, False)
        return made
    connection = Connection(attempt)
    no_password(connection, WRONG, "of nobody")
    connection.made.close()


def logs():
    text = server.log() + shadow.log()
    tap.like(text, r"^debug3: ", "the log is at DEBUG3")
    tap.like(text, r"AUTH_PASSWORD password=<\d+ bytes hidden>",
             "and shows that there was a password")
    tap.like(text, r"AUTH_ANSWERS answers=<\d+ bytes hidden>",
             "and that there were answers")
    for password in (PASSWORD, WRONG):
        found = [piece for piece in pieces(password).values()
                 if piece.decode() in text]
        tap.equal(found, [], "but nothing of it")
    server.stop()
    shadow.stop()


if sanitized():
    tap.skip_all("a sanitizer's allocator keeps what was freed")
tap.main(host_keys, users_own, password_login, failed_password, answers,
         unknown_user, logs)

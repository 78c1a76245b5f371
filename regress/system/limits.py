#!/usr/bin/python3
"""MaxStartups and LoginGraceTime: what the unauthenticated may use up."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import PATIENCE, holds
import peer

# A login has to be done in it, on whatever machine.
GRACE = 6

place = Place()
user = place.account()
key = place.key()
user.authorize(key)


def max_startups():
    server = place.server({"MaxStartups": "3", "LoginGraceTime": "60"})
    held = []
    for _ in range(3):
        sock = peer.connect(server)
        held.append(sock)
        tap.like(peer.read_line(sock), r"^SSH-2\.0-", "a place is free")
    mark = server.mark()
    extra = peer.connect(server)
    extra.settimeout(PATIENCE)
    try:
        said = extra.recv(200)
    except ConnectionResetError:
        said = b""
    tap.ok(not said.startswith(b"SSH-"), "the fourth gets no banner", said)
    tap.ok(peer.closed(extra), "and is closed at once")
    tap.ok(server.logged(r"drop connection #3 from \[127\.0\.0\.1\]:\d+ on "
                         r"\[127\.0\.0\.1\]:%d (past MaxStartups|Maxstartups)"
                         % server.port, mark), "is logged")
    held.pop().close()
    tap.ok(holds(lambda: server.ssh(user, "echo in", key=key).stdout
                 == b"in\n"), "one gone: a login works")
    client = place.popen(server.ssh_argv(user, "read x; echo $x", key=key))
    tap.ok(holds(lambda: user.processes()), "a session is up")
    tap.ok(holds(lambda: server.ssh(user, "echo in", key=key).stdout
                 == b"in\n"), "who is in does not count")
    client.communicate(b"bye\n", PATIENCE)
    for sock in held:
        sock.close()
    server.stop()


def random_early_drop():
    """start:rate:full; with a rate of 100 it is as hard as full."""
    server = place.server({"MaxStartups": "1:100:10"})
    first = peer.connect(server)
    peer.read_line(first)
    refused = 0
    for _ in range(5):
        sock = peer.connect(server)
        try:
            refused += not peer.read_line(sock).startswith(b"SSH-")
        except ConnectionResetError:
            refused += 1
        sock.close()
    tap.equal(refused, 5, "past start, a rate of 100 refuses all")
    first.close()
    server.stop()


def timeout_logged(server):
    if flavour() == "openssh":
        tap.skip("the timeout is logged",
                 "Debian 12's OpenSSH lost the line with CVE-2024-6387")
        return
    tap.ok(server.logged("Timeout before authentication for connection from "
                         r"127\.0\.0\.1 to 127\.0\.0\.1, pid = \d+"),
           "the timeout is logged")


def grace(name, speak):
    """The time from connect to the server's close, after speak(socket)."""
    server = place.server({"LoginGraceTime": "1"})
    started = time.monotonic()
    sock = peer.connect(server)
    speak(sock)
    tap.ok(peer.closed(sock, 1 + PATIENCE), name + ": is closed")
    took = time.monotonic() - started
    tap.ok(0.9 < took < 1 + PATIENCE, name + ": after the grace time",
           "%.1f s" % took)
    timeout_logged(server)
    sock.close()
    tap.ok(holds(lambda: not server.children()), "no process waits for it")
    server.stop()


def login_grace_time():
    def banner_only(sock):
        peer.read_line(sock)
        sock.sendall(b"SSH-2.0-quiet\r\n")

    def half_a_banner(sock):
        sock.sendall(b"SSH-2.0-quie")
    grace("a silent client", lambda sock: None)
    grace("half a banner", half_a_banner)
    grace("a banner and no more", banner_only)


def grace_in_authentication():
    """Key exchange done, then nothing; failures do not prolong it."""
    server = place.server({"LoginGraceTime": str(GRACE)})
    session = peer.transport(server)
    peer.verdict(session.auth_none, user.name)
    tap.ok(holds(lambda: not session.is_active(), GRACE + PATIENCE),
           "a client that stops in authentication is dropped")
    timeout_logged(server)
    session.close()
    client = place.popen(server.ssh_argv(user, "read x; echo $x", key=key))
    tap.ok(not holds(lambda: client.poll() is not None, GRACE + 2),
           "who is in stays longer than that")
    tap.equal(client.communicate(b"bye\n", PATIENCE)[0], b"bye\n",
              "and goes on")
    server.stop()


def grace_zero():
    server = place.server({"LoginGraceTime": "0"})
    sock = peer.connect(server)
    peer.read_line(sock)
    tap.ok(not peer.closed(sock, 3), "LoginGraceTime 0 is no limit")
    sock.close()
    server.stop()


def nonsense():
    """Whoever does not speak the protocol is let go, soon."""
    server = place.server()
    for data in (b"GET / HTTP/1.0\r\n\r\n", b"SSH-1.5-old\r\n",
                 b"\0" * 300, b"SSH-2.0-" + b"x" * 9000,
                 b"SSH-2.0-x\r\n" + b"\xff" * 4096,
                 b"SSH-2.0-x\r\n\0\0\0\x0c\x0a\x14" + b"\0" * 20):
        sock = peer.connect(server)
        sock.sendall(data)
        tap.ok(peer.closed(sock), "%r: is closed" % data[:24])
        sock.close()
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "and the server serves on")
    server.stop()


tap.main(max_startups, random_early_drop, login_grace_time,
         grace_in_authentication, grace_zero, nonsense)

#!/usr/bin/python3
"""Who may connect to omniedge ssh-server, how often and how long, and how it
ends: addresses other than loopback's are in network namespaces."""
import os
import re
import secrets
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import peer
import tap
from lab import Lab
from server import Place, free_port
from wait import PATIENCE, holds, wait_for

place = Place()
alice = place.account()
WRONG = "not-the-password"
QUICK = ("--localhost-only",)


def refused(server, host="127.0.0.1"):
    """What a client that may not connect is told, in SSH's own form."""
    with peer.connect(server, host) as sock:
        sock.settimeout(PATIENCE)
        line = peer.read_line(sock)
        if not line.startswith(b"SSH-2.0-"):
            return ""
        try:
            payload = peer.read_packet(sock)
        except (EOFError, ConnectionError, TimeoutError):
            return ""
    size = int.from_bytes(payload[5:9], "big")
    return payload[9:9 + size].decode() if payload[0] == 1 else ""


def rate():
    server = Lab(place, *QUICK, "--rate-limit", "3", account=alice,
                 password="pw", rate=True)
    told = []
    for _ in range(3):
        with peer.connect(server) as sock:
            told.append(peer.read_line(sock))
    tap.ok(all(line.startswith(b"SSH-2.0-") for line in told),
           "three in a minute are let in", told)
    tap.like(refused(server), r"^Not accepted from 127\.0\.0\.1: rate "
             r"limited, retry after \d+ seconds$", "the fourth is told why")
    tap.ok(server.logged(r"^RateLimitExceeded src=127\.0\.0\.1 count=3$"),
           "an event says so")
    tap.ok(server.logged(r"^ConnectionRejected src=127\.0\.0\.1 .*reason="
                         r'"rate limited, retry'), "and another")
    mark = server.mark()
    done = server.password_ssh(alice, "pw", "true",
                               options={"LogLevel": "INFO"})
    tap.like(done.stderr, "Received disconnect from .*: Not accepted from",
             "a stock client shows it to its user")
    tap.unlike(server.log(mark), "RateLimitExceeded|ConnectionRejected",
               "and the log has one of a kind a minute")
    server.stop()


def ban():
    server = Lab(place, *QUICK, "--max-failures", "3", account=alice,
                 password="pw")
    tap.equal(server.may_login(alice, WRONG), None, "a wrong password")
    tap.equal(server.may_login(alice, WRONG), None, "and another")
    tap.equal(server.may_login(alice, "pw"), alice.name, "then the right one")
    for _ in range(2):
        server.may_login(alice, WRONG)
    tap.equal(server.may_login(alice, "pw"), alice.name,
              "a login makes failures forgotten")
    done = server.password_ssh(alice, WRONG, "true", prompts=3)
    tap.ok(done.returncode != 0, "three failures in one connection")
    tap.ok(server.logged("^127.0.0.1 is banned for 900 seconds: 3 failed"),
           "ban, and say so")
    tap.like(refused(server), r"banned for failed logins, \d+ seconds rem",
             "who is banned is told")
    tap.equal(server.may_login(alice, "pw"), None, "the right one is too late")
    server.stop()
    server = Lab(place, *QUICK, "--max-failures", "1", "--ban-time", "1",
                 account=alice, password="pw")
    held = peer.connect(server)
    peer.read_line(held)
    server.may_login(alice, WRONG)
    tap.ok(peer.closed(held), "other connections of the banned are cut")
    tap.ok(holds(lambda: server.may_login(alice, "pw") == alice.name),
           "a ban ends")
    server.stop()


def strangers_count():
    """Names that lead nowhere, and keys that are not listed, count too."""
    server = Lab(place, *QUICK, "--max-failures", "2", account=alice,
                 password="pw")
    for name in ("x", "y"):
        server.ssh(name, "true", key=place.key())
    tap.ok(server.logged("is banned for 900 seconds: 2 failed"),
           "two connections with keys of nobody")
    server.stop()


def many():
    server = Lab(place, *QUICK, "--max-connections", "2", account=alice,
                 password="pw")
    held = [peer.connect(server) for _ in range(2)]
    for sock in held:
        peer.read_line(sock)
    tap.like(refused(server), "too many concurrent connections$",
             "the third of two")
    held.pop().close()
    tap.ok(holds(lambda: server.may_login(alice, "pw") == alice.name),
           "one gone: another may come")
    held.pop().close()
    server.stop()


def deadlines():
    server = Lab(place, *QUICK, "--handshake-timeout", "1", "--auth-timeout",
                 "3", "--max-failures", "0", account=alice, password="pw")
    silent = peer.connect(server)
    peer.read_line(silent)
    tap.ok(peer.closed(silent), "a client that exchanges no keys is cut")
    tap.ok(server.logged("^ConnectionRejected .*reason=\"SSH handshake "
                         "timeout\""), "with the event")
    client = place.popen(server.ssh_argv(
        alice, BatchMode="no", PreferredAuthentications="password"),
        env=place.environment(SSH_ASKPASS=slow_askpass(),
                              SSH_ASKPASS_REQUIRE="force", DISPLAY=":none"))
    tap.ok(server.logged("^ConnectionRejected .*reason=\"authentication "
                         "timeout\"", timeout=PATIENCE),
           "one that does not log in, too")
    client.kill()
    client.wait()
    server.stop()


def slow_askpass():
    """A program that never answers."""
    path = place.path("never")
    with open(path, "w", encoding="ascii") as script:
        script.write("#!/bin/sh\nexec tail -f /dev/null\n")
    os.chmod(path, 0o700)
    return path


def session(server, command="echo ready; cat"):
    """A client in a session, whose command has begun."""
    client = place.popen(server.ssh_argv(
        alice, command, BatchMode="no", LogLevel="INFO",
        PreferredAuthentications="password"), env=place.askpass("pw"))
    line = client.stdout.readline()
    tap.equal(line, b"ready\n", "a session is up")
    return client


def polite():
    """Ctrl-C: told, hung up, gone."""
    marker = alice.home + "/hung-up"
    for account in (alice, None):
        server = Lab(place, *QUICK, account=account, password="pw")
        client = session(server, "trap 'echo x > %s; exit' HUP; echo ready; "
                         "while :; do read x; done" % marker)
        tap.equal(server.ends(signal.SIGINT), 0, "SIGINT: status 0")
        _, said = client.communicate(timeout=PATIENCE)
        tap.like(said, "onnection ended by the server|closed by remote", "the client is told")
        tap.ok(holds(lambda: os.path.exists(marker)),
               "its process got SIGHUP")
        tap.ok(holds(lambda: not alice.processes()), "and nothing stays")
        os.unlink(marker)
        server.stop()


def at_once():
    for numbers, name in (((signal.SIGTERM,), "SIGTERM"),
                          ((signal.SIGINT, signal.SIGINT), "two SIGINT")):
        server = Lab(place, *QUICK, account=alice, password="pw")
        client = session(server)
        for number in numbers:
            server.signal(number)
        tap.equal(server.ends(), 0, name + ": status 0")
        client.communicate(timeout=PATIENCE)
        tap.ok(client.returncode != 0, "the session is cut")
        tap.ok(holds(lambda: not alice.processes()), "and nothing stays")
        server.stop()


def once():
    server = Lab(place, *QUICK, "--once", account=alice, password="pw")
    tap.equal(server.may_login(alice, WRONG), None, "--once: a failure")
    held = peer.connect(server)
    peer.read_line(held)
    client = session(server)
    tap.ok(peer.closed(held), "with the login, strangers are cut")
    tap.ok(holds(lambda: not listens(server)), "nobody else can connect")
    client.communicate(b"", timeout=PATIENCE)
    tap.equal(server.ends(), 0, "with its connection the server ends")
    server.stop()


def listens(server):
    try:
        peer.connect(server).close()
    except ConnectionRefusedError:
        return False
    return True


def idle():
    server = Lab(place, *QUICK, "--idle-timeout", "1", account=alice,
                 password="pw")
    client = session(server)
    tap.ok(holds(lambda: client.poll() is not None),
           "a session in which nothing moves ends")
    tap.ok(server.logged("^SessionEnded ", timeout=PATIENCE), "with its event")
    client.communicate(timeout=PATIENCE)
    server.stop()


def time_limit():
    server = Lab(place, *QUICK, "--time-limit", "4", account=alice,
                 password="pw")
    began = time.monotonic()
    client = session(server)
    tap.equal(server.ends(timeout=PATIENCE), 0, "--time-limit ends the server")
    _, said = client.communicate(timeout=PATIENCE)
    tap.ok(time.monotonic() - began > 1, "but not before")
    tap.like(said, "onnection ended by the server|closed by remote", "and tells the session's client")
    tap.ok(server.logged("the time limit is over"), "the log says why")
    server.stop()


# --- addresses ---------------------------------------------------------------

# what a server of each kind says to a client of each network
ADDRESSES = ("10.99.1.2", "192.0.2.2", "fd99::2", "2001:db8::2")


class Wire:
    """Two network namespaces with a cable: the server's and the client's."""

    def __init__(self):
        tag = secrets.token_hex(3)
        self.server, self.client = "labs" + tag, "labc" + tag
        self.made = []

    def ip(self, *argv, netns=None):
        inside = ["-n", netns] if netns else []
        done = subprocess.run(["ip", *inside, *argv], capture_output=True,
                              text=True)
        return done.returncode == 0

    def up(self):
        for name in (self.server, self.client):
            if not self.ip("netns", "add", name):
                return False
            self.made.append(name)
            # An address that is still being looked for is not used.
            subprocess.run(["ip", "netns", "exec", name, "sh", "-c",
                            "echo 0 > /proc/sys/net/ipv6/conf/default/"
                            "accept_dad"], check=False)
        if not self.ip("link", "add", "v0", "netns", self.server, "type",
                       "veth", "peer", "name", "v0", "netns", self.client):
            return False
        for netns, last in ((self.server, "1"), (self.client, "2")):
            self.ip("link", "set", "lo", "up", netns=netns)
            self.ip("link", "set", "v0", "up", netns=netns)
            for address in ADDRESSES:
                bits = "/64" if ":" in address else "/24"
                nodad = ["nodad"] if ":" in address else []
                self.ip("addr", "add", address[:-1] + last + bits, "dev",
                        "v0", *nodad, netns=netns)
        return True

    def down(self):
        for name in self.made:
            self.ip("netns", "del", name)

    def link_local(self):
        shown = subprocess.run(["ip", "-n", self.server, "-6", "addr", "show",
                                "dev", "v0", "scope", "link"],
                               capture_output=True, text=True).stdout
        found = re.search(r"inet6 (fe80::\S+)/", shown)
        return found and found.group(1) + "%v0"

    def said(self, server, host):
        """What the server says to a client there: its first bytes, and
        whether it went on to keys."""
        script = ("import socket, sys\n"
                  "s = socket.create_connection((%r, %d), 15)\n"
                  "s.settimeout(60)\n"
                  "s.sendall(b'SSH-2.0-x\\r\\n')\n"
                  "d = b''\n"
                  "try:\n"
                  "  while len(d) < 64:\n"
                  "    p = s.recv(4096)\n"
                  "    if not p: break\n"
                  "    d += p\n"
                  "except OSError: pass\n"
                  "sys.stdout.buffer.write(d)\n" % (host, server.port))
        return subprocess.run(
            ["ip", "netns", "exec", self.client, sys.executable, "-c",
             script], capture_output=True, timeout=PATIENCE).stdout


def networks():
    wire = Wire()
    try:
        if not wire.up():
            tap.skip("addresses other than loopback's",
                     "no network namespaces here")
            return
        walk(wire)
    finally:
        wire.down()


def walk(wire):
    v4, public4, v6, public6 = [address[:-1] + "1" for address in ADDRESSES]
    local = wire_local(wire)
    rows = (
        (["-b", "::"], {v4: 1, public4: 0, v6: 1, public6: 0, local: 1}),
        (["-b", "::", "--permissive"],
         {v4: 1, public4: 1, v6: 1, public6: 1, local: 1}),
        (["-b", "::", "--localhost-only"],
         {v4: 0, public4: 0, v6: 0, public6: 0, local: 0}),
        (["-b", "::", "--allow-network", "192.0.2.0/24", "--allow-network",
          "2001:db8::/32"], {v4: 0, public4: 1, v6: 0, public6: 1}),
        (["-b", v4], {v4: 1}),
        (["-b", v6], {v6: 1}),
    )
    for argv, answers in rows:
        server = Lab(place, *argv, account=alice, password="pw",
                     netns=wire.server, port=free_port())
        for host, good in answers.items():
            if host is None:
                continue
            said = wire.said(server, host)
            told = b"connection not from an allowed network" in said
            tap.ok(said.startswith(b"SSH-2.0-") and told != bool(good),
                   "%s: %s is %s" % (" ".join(argv), host,
                                     "let in" if good else "told"), said)
        if "--permissive" in argv:
            permissive(server, wire)
        server.stop()


def wire_local(wire):
    return wait_for(wire.link_local, what="a link-local address")


def permissive(server, wire):
    """What is reachable from where is said, and it opens no more than that."""
    out = server.out()
    tap.like(out, "WARNING: --permissive", "--permissive is loud")
    for pattern in (r"10\.99\.1\.1 port \d+ \(v0\), from a private network",
                    r"192\.0\.2\.1 port \d+ \(v0\), from the Internet",
                    r"2001:db8::1 port \d+ \(v0\), from the Internet",
                    r"fd99::1 port \d+ \(v0\), from a private network",
                    r"fe80::\S+ port \d+ \(v0\), from its own link"):
        tap.like(out, pattern, "it names " + pattern.split(" ")[0])
    argv = server.ssh_argv(alice, "id -un", host="192.0.2.1", BatchMode="no",
                           PreferredAuthentications="password",
                           StrictHostKeyChecking="no",
                           NumberOfPasswordPrompts="1")
    inside = ["ip", "netns", "exec", wire.client]
    done = place.run(inside + argv, env=place.askpass(WRONG))
    tap.ok(done.returncode != 0 and not done.stdout,
           "nobody gets in without the password")
    done = place.run(inside + argv, env=place.askpass("pw"))
    tap.equal(done.stdout.decode().strip(), alice.name, "with it, one does")


def default_greeting():
    """The address in the line to type is one that works."""
    wire = Wire()
    try:
        if not wire.up():
            tap.skip("the line to type", "no network namespaces here")
            return
        server = Lab(place, account=alice, password="pw", netns=wire.server,
                     port=free_port())
        tap.like(server.out(), r"^  ssh -p %d %s@10\.99\.1\.1$"
                 % (server.port, alice.name), "the line to type has an "
                 "address of the network that may connect")
        server.stop()
    finally:
        wire.down()


tap.main(rate, ban, strangers_count, many, deadlines, polite, at_once, once,
         idle, time_limit, networks, default_greeting)

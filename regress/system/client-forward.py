#!/usr/bin/python3
"""omniedge ssh: -L, -R, -D, -W; half-close, many connections, errors."""
import os
import re
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import Omniedge
from server import ADDRESS, Place, flavour, free_port, listening
from terminal import Terminal
from wait import PATIENCE, holds, wait_for

BIG = 8 << 20
MANY = 300
AT_ONCE = 20

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"AllowTcpForwarding": "yes", "GatewayPorts": "no",
                       "MaxSessions": "1000"}
                      if flavour() == "openssh" else {})
client = Omniedge(place, server)


class Echo(threading.Thread):
    """Sends back what it got once the other side has finished sending."""

    def __init__(self, address=ADDRESS):
        super().__init__(daemon=True)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.bind((address, 0))
        self.socket.listen(1024)
        self.port = self.socket.getsockname()[1]
        self.accepted = 0
        self.start()

    def run(self):
        while True:
            peer, _ = self.socket.accept()
            self.accepted += 1
            threading.Thread(target=self.serve, args=(peer,),
                             daemon=True).start()

    def serve(self, peer):
        got = bytearray()
        while True:
            part = peer.recv(65536)
            if not part:
                break
            got += part
        try:
            peer.sendall(bytes(got[::-1]) if len(got) < 100 else bytes(got))
        except OSError:
            pass  # the client was ended
        peer.close()


def start(*flags, command=(), **options):
    """A client with forwardings and no session."""
    flags = [*flags] + ([] if command else ["-N"])
    return place.popen(client.argv(user, *command, key=key, flags=flags,
                                   **options))


def exchange(sock, data):
    """Send all, say that it is all, read to the end."""
    def send():
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    got = bytearray()
    sock.settimeout(PATIENCE)
    while True:
        part = sock.recv(65536)
        if not part:
            break
        got += part
    sender.join(60)
    return bytes(got)


def connect(port, address=ADDRESS):
    return socket.create_connection((address, port), 30)


def permitted():
    """Does this server forward at all?"""
    process = start("-W", "%s:%d" % (ADDRESS, server.port))
    got = process.stdout.read(4)
    process.kill()
    process.wait()
    if got != b"SSH-":
        tap.skip_all("this server does not forward")


def local():
    echo, port = Echo(), free_port()
    process = start("-L", "%d:%s:%d" % (port, ADDRESS, echo.port))
    wait_for(lambda: listening(port), what="-L to listen")
    tap.equal(exchange(connect(port), b"abc"), b"cba",
              "-L: an answer after our end of file")
    data = os.urandom(BIG)
    tap.ok(exchange(connect(port), data) == data, "-L: %d bytes" % BIG)
    tap.ok(exchange(connect(port, "localhost"), b"xy") == b"yx",
           "-L listens on the loopback")
    process.terminate()
    process.wait(PATIENCE)
    tap.ok(holds(lambda: not listening(port)), "and no longer at its end")


def unix_sockets():
    echo = Echo()
    path = place.path("forward.sock")
    process = start("-L", "%s:%s:%d" % (path, ADDRESS, echo.port))
    wait_for(lambda: os.path.exists(path), what="-L to listen")
    tap.equal(os.stat(path).st_mode & 0o777, 0o600, "-L PATH: its mode")
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    tap.equal(exchange(sock, b"abc"), b"cba", "-L PATH:host:port")
    process.terminate()
    process.wait(PATIENCE)
    tap.ok(not os.path.exists(path), "the socket is removed")


def remote():
    echo = Echo()
    process = start("-R", "0:%s:%d" % (ADDRESS, echo.port))
    line = process.stderr.readline().decode()
    found = re.search(r"Allocated port (\d+) for remote forward", line)
    if not tap.ok(found, "-R 0: the port is said", line):
        process.kill()
        return
    port = int(found.group(1))
    tap.equal(exchange(connect(port), b"abc"), b"cba", "-R: there and back")
    data = os.urandom(BIG)
    tap.ok(exchange(connect(port), data) == data, "-R: %d bytes" % BIG)
    process.terminate()
    process.wait(PATIENCE)
    # Taken, so that the server's port 0 is not just this one, and deaf.
    deaf = socket.socket()
    deaf.bind((ADDRESS, 0))
    closed = deaf.getsockname()[1]
    process = start("-R", "0:localhost:%d" % closed)
    port = int(re.search(r"(\d+) for", process.stderr.readline().decode()
                         ).group(1))
    tap.equal(connect(port).recv(10), b"", "-R to a closed port: an end")
    tap.like(process.stderr.readline(), "port %d: " % closed,
             "and the port is named")
    process.terminate()
    process.wait(PATIENCE)


def socks5(port, request):
    sock = connect(port)
    sock.sendall(b"\5\1\0")
    if sock.recv(2) != b"\5\0":
        return None, b""
    sock.sendall(request)
    return sock, sock.recv(10)


def speaks_socks(port, process, what):
    """A port of -D, or one of -R without a place, does as RFC 1928 says."""
    echo, echo6 = Echo(), None
    try:
        echo6 = Echo("::1")
    except OSError:
        pass
    tail = struct.pack(">H", echo.port)
    address = socket.inet_aton(ADDRESS)
    sock = connect(port)
    sock.sendall(b"\4\1" + tail + address + b"me\0")
    tap.equal(sock.recv(8)[:2], b"\0\x5a", what + ": SOCKS 4")
    tap.equal(exchange(sock, b"abc"), b"cba", "and the connection")
    sock = connect(port)
    sock.sendall(b"\4\1" + tail + b"\0\0\0\1me\0localhost\0early")
    tap.equal(sock.recv(8)[:2], b"\0\x5a", "SOCKS 4a")
    tap.equal(exchange(sock, b"!"), b"!ylrae", "data behind the request")
    sock, got = socks5(port, b"\5\1\0\1" + address + tail)
    tap.equal(got[:2], b"\5\0", "SOCKS 5, IPv4")
    data = os.urandom(BIG)
    tap.ok(exchange(sock, data) == data, "and %d bytes" % BIG)
    sock, got = socks5(port, b"\5\1\0\3\x09localhost" + tail)
    tap.equal(got[:2], b"\5\0", "SOCKS 5, a name")
    sock.close()
    if echo6:
        sock, got = socks5(port, b"\5\1\0\4" + socket.inet_pton(
            socket.AF_INET6, "::1") + struct.pack(">H", echo6.port))
        tap.equal(got[:2], b"\5\0", "SOCKS 5, IPv6")
        tap.equal(exchange(sock, b"abc"), b"cba", "and the connection")
    closed = struct.pack(">H", free_port())
    sock, got = socks5(port, b"\5\1\0\1" + address + closed)
    tap.equal(got[:2], b"\5\1", "a closed port: refused")
    tap.equal(socks5(port, b"\5\2\0\1" + address + tail)[1][:2], b"\5\7",
              "BIND: refused")
    for name, bad in (("garbage", b"GET / HTTP/1.0\r\n\r\n"),
                      ("no method", b"\5\1\2"),
                      ("endless", b"\4\1" + tail + address + b"x" * 2000)):
        sock = connect(port)
        sock.sendall(bad)
        tap.ok(hung_up(sock), "SOCKS, %s: hung up" % name)
    tap.equal(process.poll(), None, "the client lives")


def hung_up(sock):
    sock.settimeout(PATIENCE)
    try:
        while sock.recv(100):
            pass
    except ConnectionResetError:
        pass
    except socket.timeout:
        return False
    return True


def dynamic():
    port = free_port()
    process = start("-D", str(port))
    wait_for(lambda: listening(port), what="-D to listen")
    speaks_socks(port, process, "-D")
    process.terminate()
    process.wait(PATIENCE)


def allocated(process):
    """The port that the server chose."""
    line = process.stderr.readline().decode()
    return int(re.search(r"Allocated port (\d+) for remote forward to socks",
                         line).group(1))


def remote_dynamic():
    process = start("-R", "0")
    speaks_socks(allocated(process), process, "-R 0")
    process.terminate()
    process.wait(PATIENCE)
    port = free_port()
    process = start("-R", "%s:%d" % (ADDRESS, port))
    wait_for(lambda: listening(port), what="-R to listen")
    echo = Echo()
    sock, got = socks5(port, b"\5\1\0\3\x09localhost" +
                       struct.pack(">H", echo.port))
    tap.equal((got[:2], exchange(sock, b"abc")), (b"\5\0", b"cba"),
              "-R bind:port, too")
    process.terminate()
    process.wait(PATIENCE)


def permit_remote_open():
    echo = Echo()
    tail = struct.pack(">H", echo.port)
    for places, reaches in (("any", b"\0\0"), ("none", b"\1\1"),
                            ("localhost:%d" % echo.port, b"\0\1"),
                            ("localhost:1 *:%d" % echo.port, b"\0\0"),
                            ("*:1 %s:*" % ADDRESS, b"\1\0")):
        process = start("-R", "0", PermitRemoteOpen=places)
        port = allocated(process)
        got = b""
        for request in (b"\3\x09localhost", b"\1" + socket.inet_aton(ADDRESS)):
            sock, reply = socks5(port, b"\5\1\0" + request + tail)
            got += reply[1:2]
            sock.close()
        tap.equal(got, reaches, "PermitRemoteOpen " + places)
        if b"\1" in reaches:
            tap.like(process.stderr.readline(), "connect to host .* denied",
                     "is said")
        process.terminate()
        process.wait(PATIENCE)


def many():
    """Hundreds at once; none waits for another."""
    echo, port = Echo(), free_port()
    process = start("-L", "%d:%s:%d" % (port, ADDRESS, echo.port))
    wait_for(lambda: listening(port), what="-L to listen")
    socks = []
    for i in range(MANY):
        socks.append(connect(port))
        socks[i].sendall(b"%05d" % i)
        # A server may limit how many are being opened at the same time.
        wait_for(lambda: echo.accepted > i - AT_ONCE, what="the server")
    good = sum(exchange(sock, b"") == (b"%05d" % i)[::-1]
               for i, sock in enumerate(socks))
    tap.equal(good, MANY, "%d connections at once" % MANY)
    process.terminate()
    process.wait(PATIENCE)


def slow_reader():
    """One that does not read does not stop another, nor fill our memory."""
    echo, port = Echo(), free_port()
    process = start("-L", "%d:%s:%d" % (port, ADDRESS, echo.port))
    wait_for(lambda: listening(port), what="-L to listen")
    idle = connect(port)
    idle.sendall(bytes(4 << 20))
    idle.shutdown(socket.SHUT_WR)
    tap.equal(exchange(connect(port), b"abc"), b"cba",
              "beside one that does not read")
    process.terminate()
    process.wait(PATIENCE)


def through():
    process = start("-W", "%s:%d" % (ADDRESS, server.port))
    tap.equal(process.stdout.read(4), b"SSH-", "-W host:port")
    process.kill()
    process.wait()
    done = client.run(user, key=key, flags=["-W", "%s:%d" % (
        ADDRESS, free_port())])
    tap.equal(done.returncode, 255, "-W to a closed port: 255")
    tap.ok(done.stderr, "with a reason")


def errors():
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        spec = "%s:%d:localhost:1" % (ADDRESS, port)
        done = client.run(user, "echo in", key=key, flags=["-L", spec])
        tap.like(done.stderr, "cannot listen to port: ?%d|listen to port %d"
                 % (port, port), "a taken port is named")
        tap.equal(done.stdout, b"in\n", "and the session goes on")
        done = client.run(user, "echo in", key=key, flags=["-L", spec],
                          options={"ExitOnForwardFailure": "yes"})
        tap.equal((done.returncode, done.stdout), (255, b""),
                  "but not with ExitOnForwardFailure")
    for flag, spec in (("-L", "nonsense"), ("-L", "1:2"), ("-D", "a:b:c"),
                       ("-R", "/tmp/x:localhost:1")):
        done = client.run(user, "true", key=key, flags=[flag, spec],
                          options={"ExitOnForwardFailure": "yes"})
        tap.equal(done.returncode, 255, "%s %s" % (flag, spec))
        tap.like(done.stderr, "Bad .* forwarding specification", "says "
                 "what is wrong, before it connects")


def command_line():
    """~C adds and ends; ~# counts."""
    echo, port = Echo(), free_port()
    term = Terminal(place, client.argv(user, key=key, BatchMode="no"))
    term.send("PS1='[p''rompt]'\r")
    term.expect(r"\[prompt\]")
    term.send("\r~C")
    term.expect("omniedge> ")
    term.send("-L %d:%s:%d\r" % (port, ADDRESS, echo.port))
    tap.ok(holds(lambda: listening(port)), "~C -L listens")
    tap.equal(exchange(connect(port), b"abc"), b"cba", "and forwards")
    term.send("\r~#")
    tap.ok(term.expect(r"local +\[localhost\]:%d -> %s:%d, 1 conn"
                       % (port, ADDRESS, echo.port)), "~# shows it")
    term.send("\r~C")
    term.expect("omniedge> ")
    term.send("-KL %d\r" % port)
    tap.ok(holds(lambda: not listening(port)), "~C -KL ends it")
    term.send("\r~.")
    term.finish()


def stop():
    server.stop()


permitted()
tap.main(local, unix_sockets, remote, dynamic, remote_dynamic,
         permit_remote_open, many, slow_reader, through, errors,
         command_line, stop)

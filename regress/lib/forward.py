"""What is at the ends of forwarded connections: TCP services that know who
connected, clients that check every byte by hash, and SOCKS.
"""
import hashlib
import os
import random
import socket
import struct
import threading

from server import ADDRESS, listening
from wait import wait_for

SECONDS = 60
BLOCK = 1 << 16


def read_all(sock):
    data = []
    while True:
        part = sock.recv(BLOCK)
        if not part:
            return b"".join(data)
        data.append(part)


def noise(size, seed):
    """Bytes that differ from place to place, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def echo(sock):
    """Send back what comes, until it ends."""
    while True:
        part = sock.recv(BLOCK)
        if not part:
            return
        sock.sendall(part)


def digest_then_noise(sock):
    """Read to the end; only then say its hash, and 1 MiB more: an answer that
    needs the other direction to be closed first, and its own to stay open."""
    got = read_all(sock)
    sock.sendall(hashlib.sha256(got).hexdigest().encode() +
                 noise(1 << 20, len(got)))


def owner_of(near, far):
    """The uid of the socket with these addresses, as the kernel has it."""
    def hexed(address):
        host = struct.unpack("<I", socket.inet_aton(address[0]))[0]
        return "%08X:%04X" % (host, address[1])
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if fields[1:3] == [hexed(near), hexed(far)]:
                return int(fields[7])
    return None


def quiet_port():
    """A port that is free on every address, and that the kernel gives to no
    connection meanwhile: it is below the range of those."""
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as limits:
        first = int(limits.read().split()[0])
    while True:
        port = random.SystemRandom().randrange(max(1024, first - 20000), first)
        if not listening(port):
            return port


class Service:
    """Accepts on a free port and hands each connection to a thread."""

    def __init__(self, handler=echo, host=ADDRESS, family=socket.AF_INET):
        self.sock = socket.socket(family)
        self.sock.bind((host, 0))
        self.sock.listen(1024)
        self.host, self.handler = host, handler
        self.port = self.sock.getsockname()[1]
        self.owners, self.accepted = [], 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                conn, peer = self.sock.accept()
            except OSError:
                return
            self.accepted += 1
            if conn.family == socket.AF_INET:
                self.owners.append(owner_of(peer, conn.getsockname()))
            threading.Thread(target=self._serve, args=(conn,),
                             daemon=True).start()

    def _serve(self, conn):
        with conn:
            try:
                self.handler(conn)
            except OSError:
                pass

    def close(self):
        self.sock.close()


def dial(port, host=ADDRESS, timeout=SECONDS):
    return socket.create_connection((host, port), timeout)


def refused(port, host=ADDRESS):
    """Is a connection through there closed without a byte?"""
    try:
        with dial(port, host) as sock:
            return sock.recv(1) == b""
    except OSError:
        return True


def check_digest(port, size, seed, host=ADDRESS):
    """Send so much to digest_then_noise(), half-close, and compare both."""
    data = noise(size, seed)
    with dial(port, host) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)
    return answer == hashlib.sha256(data).hexdigest().encode() + \
        noise(1 << 20, size)


def check_echo(port, size, seed, host=ADDRESS):
    """Send and receive at the same time, and compare."""
    data = noise(size, seed)

    def send(sock):
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the answer then shows it
    with dial(port, host) as sock:
        sender = threading.Thread(target=send, args=(sock,))
        sender.start()
        answer = read_all(sock)
        sender.join()
    return answer == data


def socks5(proxy_port, host, port):
    """A connection through a SOCKS5 proxy, which resolves the name."""
    sock = dial(proxy_port)
    sock.sendall(b"\5\1\0")
    if sock.recv(2) != b"\5\0":
        raise OSError("no SOCKS5 proxy")
    name = host.encode()
    sock.sendall(b"\5\1\0\3" + bytes([len(name)]) + name +
                 struct.pack(">H", port))
    answer = sock.recv(10)
    if answer[:2] != b"\5\0":
        sock.close()
        raise ConnectionRefusedError(answer)
    return sock


class Client:
    """Stock ssh with -N that forwards something, and its control socket."""

    def __init__(self, server, user, key, *flags, **options):
        place = server.place
        self.server = server
        self.path = place.path("ctl%d" % len(place.clients))
        self.process = place.popen(server.ssh_argv(
            user, key=key, flags=["-N", "-M", "-S", self.path, *flags],
            **options))
        wait_for(lambda: os.path.exists(self.path)
                 or self.process.poll() is not None, what="ssh -N")

    def control(self, command, *flags):
        """ssh -O: forward, cancel, check, exit."""
        return self.server.place.run(
            ["ssh", "-F", "/dev/null", "-S", self.path, "-O", command,
             *flags, "any"])

    def run(self, *command, flags=()):
        """A session through the same connection."""
        return self.server.place.run(
            ["ssh", "-F", "/dev/null", "-S", self.path, *flags, "any",
             *command])

    def exit(self):
        self.control("exit")
        self.process.wait(SECONDS)


def local_forward(server, user, key, target, *flags, **options):
    """(client, port): ssh -N -L to "host:port" through the server."""
    port = quiet_port()
    client = Client(server, user, key, "-L", "%d:%s" % (port, target), *flags,
                    **options)
    wait_for(lambda: listening(port), what="ssh -L")
    return client, port

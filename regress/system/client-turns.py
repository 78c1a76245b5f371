#!/usr/bin/python3
"""How often omniedge scp waits for the other side: counted by a relay that
hands on a server's answers only when both sides are silent, and by an SFTP
server that counts open handles. And what small files are to be when a server
does not do what makes them fast: whole."""
import os
import shutil
import select
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import Omniedge, program
from server import ADDRESS, Place

# Round trips of a login by key and a copy of a small directory, beginning with
# the two first lines: three for the exchange of keys and the service, two for
# key and channel. Down: INIT with STAT and OPENDIR, READDIR, OPEN, READ, the
# end. Up: INIT with STAT, MKDIR, OPEN, WRITE, the end.
TURNS = {"down": 10, "up": 10}
# On a busy machine an answer may come in two parts, and counts twice.
SILENCES = (0.1, 0.2, 0.4, 0.8, 1.6)
FILES = 300
HANDLES = 40
SELF = os.path.realpath(__file__)

INIT, VERSION, OPEN, CLOSE, READ, WRITE, OPENDIR, READDIR, MKDIR, STAT = \
    1, 2, 3, 4, 5, 6, 11, 12, 14, 17
STATUS, HANDLE, DATA, NAME, ATTRS, EXTENDED, REPLY = \
    101, 102, 103, 104, 105, 200, 201
OK, EOF, NO_SUCH_FILE, FAILURE = 0, 1, 2, 4


def text(data):
    return struct.pack(">I", len(data)) + data


class Sftp:
    """A server of the files below the current directory, with one quirk."""

    def __init__(self, quirk):
        self.quirk = quirk
        self.held = {}
        self.made = 0

    def attrs(self, path):
        st = os.stat(path)
        size = st.st_size + {"shrunk": 7, "grown": -7}.get(self.quirk, 0)
        return struct.pack(">IQI", 1 | 4, size, st.st_mode)

    def hold(self, thing):
        if len(self.held) >= HANDLES:
            return self.status(FAILURE)
        self.made += 1
        self.held[b"%d" % self.made] = thing
        return HANDLE, text(b"%d" % self.made)

    def names(self, handle):
        found = self.held[handle]
        if not found:
            return self.status(EOF)
        body = struct.pack(">I", len(found))
        for path in found:
            name = os.path.basename(path).encode()
            body += text(name) + text(name) + self.attrs(path)
        self.held[handle] = []
        return NAME, body

    @staticmethod
    def status(code):
        return STATUS, struct.pack(">I", code) + text(b"") + text(b"")

    def answer(self, kind, body):
        length = struct.unpack(">I", body[:4])[0]
        first, rest = body[4:4 + length], body[4 + length:]
        if kind == EXTENDED:
            return REPLY, struct.pack(">QQQQ", 262144, 261120, 261120, HANDLES)
        if kind == STAT:
            if not os.path.exists(first):
                return self.status(NO_SUCH_FILE)
            return ATTRS, self.attrs(first)
        if kind == OPENDIR:
            return self.hold([os.path.join(first.decode(), name)
                              for name in os.listdir(first.decode())])
        if kind == MKDIR:
            os.mkdir(first)
            return self.status(OK)
        if kind == OPEN:
            writes = struct.unpack(">I", rest[:4])[0] & 2
            return self.hold(open(first, "wb" if writes else "rb"))
        if first not in self.held:
            return self.status(FAILURE)
        if kind == READDIR:
            return self.names(first)
        if kind == CLOSE:
            thing = self.held.pop(first)
            if not isinstance(thing, list):
                thing.close()
            return self.status(OK)
        thing = self.held[first]
        at = struct.unpack(">Q", rest[:8])[0]
        thing.seek(at)
        if kind == WRITE:
            thing.write(rest[12:])
            return self.status(OK)
        data = thing.read(struct.unpack(">I", rest[8:12])[0])
        return (DATA, text(data)) if data else self.status(EOF)

    def send(self, kind, body):
        sys.stdout.buffer.write(struct.pack(">IB", len(body) + 1, kind) + body)

    def take(self, packets):
        if self.quirk == "closes-first":
            packets.sort(key=lambda packet: packet[0] != CLOSE)
        for packet in packets:
            if packet[0] == INIT:
                self.send(VERSION, struct.pack(">I", 3)
                          + text(b"limits@openssh.com") + text(b"1"))
                continue
            kind, body = self.answer(packet[0], packet[5:])
            self.send(kind, packet[1:5] + body)
        sys.stdout.buffer.flush()

    def run(self):
        held = b""
        while more := os.read(0, 1 << 20):
            held += more
            packets = []
            while len(held) >= 4:
                length = struct.unpack(">I", held[:4])[0]
                if len(held) < 4 + length:
                    break
                packets.append(held[4:4 + length])
                held = held[4 + length:]
            self.take(packets)


class Relay:
    """Counts how often a client gets an answer without which it, and the
    server, would have nothing to do."""

    def __init__(self, port, silence):
        self.port, self.silence, self.turns = port, silence, 0
        self.listener = socket.create_server((ADDRESS, 0))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with self.listener, self.listener.accept()[0] as client, \
                socket.create_connection((ADDRESS, self.port)) as server:
            self.relay(client, server)

    def relay(self, client, server):
        held, alive = b"", True
        while alive:
            ready = select.select([client, server], [], [],
                                  self.silence if held else None)[0]
            if client in ready:
                data = client.recv(1 << 16)
                alive = bool(data)
                server.sendall(data)
            if server in ready:
                data = server.recv(1 << 16)
                alive = alive and bool(data)
                held += data
            if held and (not ready or not alive):
                self.turns += 1
                client.sendall(held)
                held = b""


def make(folder, files):
    os.makedirs(folder)
    for number in range(files):
        with open("%s/f%d" % (folder, number), "wb") as out:
            out.write(b"%d" % number * 300)


def same(one, two):
    return subprocess.run(["diff", "-r", one, two], check=False,
                          capture_output=True).returncode == 0


def known_hosts(server, port):
    """The server's keys, as those of the relay's port."""
    path = place.path("known")
    with open(server.known_hosts, encoding="ascii") as lines, \
            open(path, "w", encoding="ascii") as out:
        out.write(lines.read().replace(":%d " % server.port, ":%d " % port))
    return path


def counted(server, key, silence, names, made):
    """Round trips of a copy; None: it failed, which was said."""
    relay = Relay(server.port, silence)
    port = relay.listener.getsockname()[1]
    options = Omniedge(place, server).options(
        key, UserKnownHostsFile=known_hosts(server, port))
    shutil.rmtree(made, ignore_errors=True)
    done = place.run([program(), "scp", *options, "-r", "-P", str(port),
                      *names])
    relay.thread.join()
    if done.returncode == 0 and same(place.path("few"), made):
        return relay.turns
    tap.ok(False, "the copy through a relay", done.stderr)
    return None


def turns():
    """Each way, until it was counted on a silent machine."""
    user, key = place.account(), place.key()
    user.authorize(key)
    server = place.server({"LogLevel": "ERROR"})
    at = "%s@%s:" % (user.name, ADDRESS)
    few = place.path("few")
    make(few, 3)
    shutil.copytree(few, os.path.join(user.home, "few"))
    subprocess.run(["chown", "-R", user.name, user.home], check=True)
    for way, names, made in (
            ("down", (at + "few", place.path("down")), place.path("down")),
            ("up", (few, at + "up"), os.path.join(user.home, "up"))):
        seen = []
        for silence in SILENCES:
            count = counted(server, key, silence, names, made)
            if count is None:
                return
            seen.append(count)
            if count <= TURNS[way]:
                break
        tap.ok(min(seen) <= TURNS[way], "%s: %d round trips from the first "
               "line to the last" % (way, TURNS[way]), seen)
    server.stop()


def quirks():
    argv = [program(), "scp", "-D"]
    for quirk in ("none", "grown", "shrunk", "closes-first"):
        serve = "%s %s --serve %s" % (sys.executable, SELF, quirk)
        made = place.path("made-" + quirk)
        done = place.run([*argv, serve, "-r", "h:here", made], cwd=place.dir)
        tap.ok(done.returncode == 0 and same(place.path("here"), made),
               "down, a server's quirk being %s: all files are whole" % quirk,
               done.returncode, done.stderr[-2000:])
    serve = "%s %s --serve none" % (sys.executable, SELF)
    done = place.run([*argv, serve, "-r", "here", "h:up"], cwd=place.dir)
    tap.ok(done.returncode == 0 and same(place.path("here"),
                                         place.path("up")),
           "up: no more handles than the server has", done.returncode,
           done.stderr[-2000:])


if sys.argv[1:2] == ["--serve"]:
    Sftp(sys.argv[2]).run()
    sys.exit(0)
place = Place()
make(place.path("here"), FILES)
tap.main(quirks, turns)

"""A raw SFTP client on the pipes of a server: for what no stock client sends.

SFTP_SERVER in the environment names the program under test.
"""
import atexit
import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile

from wait import PATIENCE

SERVER = os.environ.get("SFTP_SERVER", "./sftp-server")
(INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT,
 OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, READLINK,
 SYMLINK) = range(1, 21)
STATUS, HANDLE, DATA, NAME, ATTRS = range(101, 106)
EXTENDED, EXTENDED_REPLY = 200, 201
OK, EOF, NO_FILE, DENIED, FAILURE, BAD, _, _, UNSUPPORTED = range(9)
F_READ, F_WRITE, F_APPEND, F_CREAT, F_TRUNC, F_EXCL = 1, 2, 4, 8, 16, 32
A_SIZE, A_OWNER, A_MODE, A_TIME, A_EXTENDED = 1, 2, 4, 8, 0x80000000
PACKET_MAX = 256 * 1024
EXTENSIONS = {
    b"posix-rename@openssh.com": b"1", b"statvfs@openssh.com": b"2",
    b"fstatvfs@openssh.com": b"2", b"hardlink@openssh.com": b"1",
    b"fsync@openssh.com": b"1", b"lsetstat@openssh.com": b"1",
    b"limits@openssh.com": b"1", b"expand-path@openssh.com": b"1",
    b"copy-data": b"1", b"home-directory": b"1",
    b"users-groups-by-id@openssh.com": b"1"}

place = os.path.realpath(tempfile.mkdtemp(prefix="sftp-server."))
running = []


def u32(*values):
    return struct.pack(">%dI" % len(values), *values)


def u64(value):
    return struct.pack(">Q", value)


def string(value):
    value = value.encode() if isinstance(value, str) else value
    return u32(len(value)) + value


def attrs(size=None, owner=None, mode=None, times=None):
    flags, body = 0, b""
    if size is not None:
        flags, body = flags | A_SIZE, body + u64(size)
    if owner is not None:
        flags, body = flags | A_OWNER, body + u32(*owner)
    if mode is not None:
        flags, body = flags | A_MODE, body + u32(mode)
    if times is not None:
        flags, body = flags | A_TIME, body + u32(*times)
    return u32(flags) + body


def frame(kind, body):
    return u32(len(body) + 1) + bytes([kind]) + body


class Body:
    """What is left of a reply."""
    def __init__(self, data):
        self.data = data

    def take(self, count):
        taken, self.data = self.data[:count], self.data[count:]
        assert len(taken) == count, "short reply"
        return taken

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def u64(self):
        return struct.unpack(">Q", self.take(8))[0]

    def string(self):
        return self.take(self.u32())

    def attrs(self):
        found, flags = {}, self.u32()
        if flags & A_SIZE:
            found["size"] = self.u64()
        if flags & A_OWNER:
            found["owner"] = (self.u32(), self.u32())
        if flags & A_MODE:
            found["mode"] = self.u32()
        if flags & A_TIME:
            found["times"] = (self.u32(), self.u32())
        return found


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__("status %d: %s" % (status, text))
        self.status, self.text = status, text


class Client:
    def __init__(self, *flags, init=True, cwd=None, env=None, wrap=(),
                 server=SERVER, sockets=False, **popen):
        """Start server with flags and -e, behind wrap's command if given; its
        standard input and output are one socket, if wanted, not two pipes."""
        self.cwd = cwd or tempfile.mkdtemp(dir=place)
        self.log = tempfile.TemporaryFile()
        near, far = socket.socketpair() if sockets else (None, subprocess.PIPE)
        self.process = subprocess.Popen(
            [*wrap, server, "-e", *flags], stdin=far, bufsize=0,
            stdout=far, stderr=self.log, cwd=self.cwd,
            env=dict(os.environ, SSH_CONNECTION="192.0.2.7 1 192.0.2.1 22",
                     **(env or {})), **popen)
        running.append(self.process)
        if sockets:
            far.close()
            self.process.stdin = self.process.stdout = near
        self.id = 0
        if init:
            self.send(INIT, u32(3))
            kind, body = self.receive()
            assert kind == VERSION and body.u32() == 3
            self.extensions = {}
            while body.data:
                name = body.string()
                self.extensions[name] = body.string()

    def path(self, name):
        return os.path.join(os.fsencode(self.cwd), os.fsencode(name))

    def raw(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.process.stdin.fileno(), view):]

    def send(self, kind, body):
        self.raw(frame(kind, body))

    def read_exactly(self, count):
        got = b""
        while len(got) < count:
            if not select.select([self.process.stdout], [], [],
                                 PATIENCE)[0]:
                raise TimeoutError("no reply")
            more = os.read(self.process.stdout.fileno(), count - len(got))
            if not more:
                raise EOFError("server closed")
            got += more
        return got

    def receive(self):
        length = struct.unpack(">I", self.read_exactly(4))[0]
        assert length <= PACKET_MAX, "reply too long"
        packet = self.read_exactly(length)
        return packet[0], Body(packet[1:])

    def request(self, kind, body):
        self.id += 1
        self.send(kind, u32(self.id) + body)
        return self.id

    def reply(self, want_id):
        kind, body = self.receive()
        got_id = body.u32()
        assert got_id == want_id, "reply to %d, not %d" % (got_id, want_id)
        if kind == STATUS:
            status, text = body.u32(), body.string()
            if status != OK:
                raise Refused(status, text)
        return kind, body

    def call(self, kind, *parts):
        return self.reply(self.request(kind, b"".join(parts)))

    def extended(self, name, *parts):
        return self.call(EXTENDED, string(name), *parts)

    def status(self, kind, *parts):
        """The status of a request, OK for any other reply."""
        try:
            self.call(kind, *parts)
        except Refused as refused:
            return refused.status
        return OK

    def open(self, name, flags=F_READ, **given):
        body = self.call(OPEN, string(name), u32(flags), attrs(**given))[1]
        return body.string()

    def write(self, handle, at, data):
        self.call(WRITE, string(handle), u64(at), string(data))

    def read(self, handle, at, count):
        return self.call(READ, string(handle), u64(at), u32(count))[1].string()

    def close(self, handle):
        self.call(CLOSE, string(handle))

    def stat(self, name, kind=LSTAT):
        return self.call(kind, string(name))[1].attrs()

    def one_name(self, kind, *parts):
        body = self.call(kind, *parts)[1]
        assert body.u32() == 1
        return body.string()

    def put(self, name, data):
        with open(self.path(name), "wb") as out:
            out.write(data)

    def list(self, name):
        handle = self.call(OPENDIR, string(name))[1].string()
        found, replies = {}, 0
        while True:
            try:
                body = self.call(READDIR, string(handle))[1]
            except Refused as refused:
                assert refused.status == EOF
                break
            replies += 1
            for _each in range(body.u32()):
                entry = body.string()
                found[entry] = (body.string(), body.attrs())
        self.close(handle)
        return found, replies

    def end(self):
        """Close our end; the exit status and the log."""
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code, self.logged()

    def logged(self):
        self.log.seek(0)
        text = self.log.read().decode("utf-8", "backslashreplace")
        self.jailed = "jail: seccomp no" not in text
        if not self.jailed:  # as in a build with a sanitizer
            text = "".join(line for line in text.splitlines(True)
                           if not line.startswith("jail:"))
        return text

    def fact(self, name):
        """A line of /proc/PID/status."""
        with open("/proc/%d/status" % self.process.pid,
                  encoding="ascii") as facts:
            for line in facts:
                if line.startswith(name + ":"):
                    return line.split()[1]
        return None


def _clean_up():
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()
    shutil.rmtree(place, ignore_errors=True)


atexit.register(_clean_up)

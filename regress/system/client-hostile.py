#!/usr/bin/python3
"""omniedge ssh against servers that lie: greetings, banners, names, questions,
statuses, windows. No byte of theirs reaches the terminal raw, no lie makes us
hang, crash or eat memory without end."""
import asyncio
import os
import re
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
try:
    import asyncssh
    from asyncssh.packet import String
except ImportError:
    tap.skip_all("python3-asyncssh is not installed")
from omniedge import program
from terminal import Terminal
from wait import PATIENCE

EVIL = "\x1b]0;evil\x07\x1b[2J"
FLOOD = 60 << 20
RSS_MAX_KIB = 120 << 10
HOST = "127.0.0.1"
PACKET = 32768
MSG_CHANNEL_DATA = 94  # RFC 4254 section 9


class Bench:
    """What Terminal and the tests need of a Place, without root."""

    def __init__(self):
        import atexit
        import shutil
        import tempfile
        self.dir = tempfile.mkdtemp(prefix="oet-")
        atexit.register(shutil.rmtree, self.dir, True)
        self.clients = []
        atexit.register(lambda: [c.kill() for c in self.clients
                                 if c.poll() is None])

    def environment(self, **more):
        env = {"PATH": os.environ["PATH"], "HOME": self.dir, "USER": "me",
               "SHELL": "/bin/sh", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        env.update(more)
        return env

    def popen(self, argv, env=None, **options):
        for stream in ("stdin", "stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        client = subprocess.Popen(argv, env=env or self.environment(),
                                  **options)
        self.clients.append(client)
        return client


bench = Bench()


def argv(port, *command, flags=(), **options):
    chosen = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "none",
              "GlobalKnownHostsFile": "none", "IdentityFile": "none",
              "IdentityAgent": "none", "BatchMode": "yes"}
    chosen.update(options)
    words = [program(), "ssh", "-F", "none"]
    for keyword, value in chosen.items():
        words += ["-o", "%s=%s" % (keyword, value)]
    return [*words, "-p", str(port), *flags, "me@" + HOST, *command]


def run(port, *command, timeout=PATIENCE, env=None, **more):
    return subprocess.run(argv(port, *command, **more), capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=timeout,
                          env=env or bench.environment())


def clean(text, name):
    """No control character but the ends of lines."""
    bad = re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    tap.ok(not bad, "%s: encoded" % name, repr(text[:500]))


# --- servers that do not get far ---------------------------------------------
class Raw:
    """Sends these bytes to whoever connects, then waits or hangs up."""

    def __init__(self, data, hold=False):
        self.data, self.hold = data, hold
        self.socket = socket.create_server((HOST, 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.socket.accept()
            threading.Thread(target=self.one, args=(peer,),
                             daemon=True).start()

    def one(self, peer):
        try:
            peer.sendall(self.data)
            while self.hold and peer.recv(65536):
                pass
            peer.close()
        except OSError:
            pass


def greetings():
    banner = b"SSH-2.0-x\r\n"
    for name, data, hold in (
            ("nothing", b"", False),
            ("a web server", b"HTTP/1.0 400 Bad\r\n\r\n", False),
            ("escapes", b"\x1b[2Jhello\r\n" + banner, False),
            ("an endless line", b"x" * 300000, False),
            ("endless lines", b"x\r\n" * 100000, False),
            ("protocol 1", b"SSH-1.5-old\r\n", False),
            ("a name with escapes", b"SSH-2.0-\x1b[2J\r\n", False),
            ("a packet of 4 GiB", banner + b"\xff\xff\xff\xff" * 4, True),
            ("an empty packet", banner + b"\0\0\0\0\0\0\0\0", True),
            ("a packet of padding", banner + b"\0\0\0\x0c\xff\x14" + bytes(10),
             True),
            ("noise", banner + os.urandom(4096), True)):
        server = Raw(data, hold)
        done = run(server.port, "true", ConnectTimeout="3", LogLevel="debug3")
        tap.equal((done.returncode, done.stdout), (255, b""),
                  "%s: 255" % name, done.stderr[-300:])
        clean(done.stderr, name)


# --- servers that do ---------------------------------------------------------
class Liar(asyncssh.SSHServer):
    """One connection; what it does is in its class."""
    kbdint = None

    def connection_made(self, conn):
        self.conn = conn

    def begin_auth(self, username):
        self.conn.send_auth_banner("hello " + EVIL + "\nbye\n")
        return self.kbdint is not None

    def kbdint_auth_supported(self):
        return self.kbdint is not None

    def get_kbdint_challenge(self, username, lang, submethods):
        return self.kbdint

    def validate_kbdint_response(self, username, responses):
        return responses == ["yes"]


class Service:
    """A liar with a process handler, in a thread of its own."""

    def __init__(self, handler, liar=Liar):
        self.loop = asyncio.new_event_loop()
        key = asyncssh.generate_private_key("ssh-ed25519")

        async def start():
            server = await asyncssh.create_server(
                liar, HOST, 0, server_host_keys=[key],
                process_factory=handler, encoding=None)
            return server.sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.port = asyncio.run_coroutine_threadsafe(
            start(), self.loop).result(30)


def banner():
    async def handler(process):
        process.stdout.write(b"out\n")
        process.exit(3)
    service = Service(handler)
    done = run(service.port, "x")
    tap.equal((done.returncode, done.stdout), (3, b"out\n"), "a login")
    tap.like(done.stderr, "^hello ", "the banner is shown")
    clean(done.stderr, "the banner")
    done = run(service.port, "x", flags=["-q"])
    tap.equal(done.stderr, b"", "-q: not")


def statuses():
    def exits(status):
        async def handler(process):
            process.channel.exit(status)
        return handler
    for status, want in ((256, 0), (257, 1), (0xffffffff, 255)):
        done = run(Service(exits(status)).port, "x")
        tap.equal(done.returncode, want, "status %d" % status)

    async def signalled(process):
        process.channel.exit_with_signal("KILL" + EVIL, True, "by " + EVIL)
    done = run(Service(signalled).port, "x")
    tap.equal(done.returncode, 255, "a signal that there is none of: 255")
    clean(done.stderr, "its name")

    async def silent(process):
        process.channel.close()
    tap.equal(run(Service(silent).port, "x").returncode, 255,
              "no status at all: 255")

    async def gone(process):
        process.channel.get_connection().abort()
    done = run(Service(gone).port, "x")
    tap.equal(done.returncode, 255, "a connection that is cut: 255")
    tap.ok(done.stderr, "and said")


def questions():
    class Asker(Liar):
        kbdint = ("name" + EVIL, "do" + EVIL, "", [("who" + EVIL + "? ",
                                                    True)])

    async def handler(process):
        process.stdout.write(b"in\n")
        process.exit(0)
    service = Service(handler, Asker)
    term = Terminal(bench, argv(service.port, "x", BatchMode="no"))
    shown = term.expect(r"(?s)(.*)\(me@127.0.0.1\) who.*\? ")
    tap.ok(shown, "the question, and who asks", term.seen)
    clean(shown.group(0).replace(b"\r\n", b"\n") if shown else b"",
          "name, instruction and question")
    term.send("yes\r")
    tap.ok(term.expect("in\r\n"), "the answer reaches the server")
    term.finish()

    class Endless(Liar):
        kbdint = ("", "", "", [])

        def validate_kbdint_response(self, username, responses):
            return self.kbdint
    done = run(Service(handler, Endless).port, "x", BatchMode="no",
               env=bench.environment())
    tap.equal(done.returncode, 255, "questions without end: an end")


def memory_of(process):
    with open("/proc/%d/status" % process.pid, encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def window():
    """A server that ignores our window, while nobody reads what we print."""
    async def handler(process):
        channel, data = process.channel, String(bytes(PACKET))
        try:
            for _ in range(FLOOD // PACKET):
                channel.send_packet(MSG_CHANNEL_DATA, data)
                await asyncio.get_running_loop().run_in_executor(None, int)
        except (OSError, asyncssh.Error):
            pass
    process = bench.popen(argv(Service(handler).port, "x"))
    try:
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        status = None
    tap.equal(status, 255, "data past the window: the connection is ended")
    tap.like(process.stderr.read(), "more than its window permits",
             "with a reason")


def slow_output():
    """An honest server, and nobody reads: we hold a window, no more."""
    async def handler(process):
        process.stdout.write(bytes(FLOOD))
        await process.stdout.drain()
        process.exit(0)
    process = bench.popen(argv(Service(handler).port, "x"))
    process.stdout.read(1 << 20)
    tap.ok(memory_of(process) < RSS_MAX_KIB, "memory stays small")
    total = (1 << 20) + sum(len(part) for part in iter(
        lambda: process.stdout.read(1 << 20), b""))
    tap.equal(total, FLOOD, "and all of it comes")
    tap.equal(process.wait(PATIENCE), 0, "with its status")


def channels():
    """Channels that nobody asked for are refused."""
    got = []

    async def handler(process):
        conn = process.channel.get_connection()
        for name, how in (
                ("forwarded-tcpip", lambda: conn.create_connection(
                    asyncssh.SSHTCPSession, HOST, 22)),
                ("x11", lambda: conn.create_x11_connection(
                    asyncssh.SSHTCPSession, HOST, 6000)),
                ("agent", lambda: conn.create_agent_connection(
                    asyncssh.SSHUNIXSession))):
            try:
                await asyncio.wait_for(how(), PATIENCE)
                got.append(name + " opened")
            except Exception as error:
                got.append("%s %s" % (name, type(error).__name__))
        process.exit(0)
    done = run(Service(handler).port, "x", flags=["-A"])
    tap.equal(done.returncode, 0, "the session goes on", done.stderr)
    tap.equal([line for line in got if "opened" in line], [],
              "no channel of the server's is accepted", got)


tap.main(greetings, banner, statuses, questions, window, slow_output, channels)

#!/usr/bin/python3
"""omniedge ssh -X and -Y: who has the cookie that the server was told gets to
the display, with the display's own in its place; nobody else does, and nothing
is told of the real one."""
import os
import re
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from forward import Service
from omniedge import Omniedge
from server import ADDRESS, Place
from wait import PATIENCE, holds

tap.need_program("xauth")
X11_PORT = 6000
NAME = b"MIT-MAGIC-COOKIE-1"
COOKIE = "00112233445566778899aabbccddeeff"
UNTRUSTED = "ffeeddccbbaa99887766554433221100"

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"X11Forwarding": "yes"})
client = Omniedge(place, server)


def packet(cookie, order="<", name=NAME):
    """The first that a program sends; X Window System Protocol, section 8."""
    return ((b"l\0" if order == "<" else b"B\0") + struct.pack(
        order + "HHHHH", 11, 0, len(name), len(cookie), 0) +
        name + b"\0" * (-len(name) % 4) + cookie)


class Display(Service):
    """Keeps what each connection began with, and welcomes who sent it."""

    def __init__(self):
        self.seen = []
        super().__init__(self.serve_x11)
        self.name = "%s:%d" % (ADDRESS, self.port - X11_PORT)

    def serve_x11(self, sock):
        begun = sock.recv(len(packet(bytes(16))), socket.MSG_WAITALL)
        self.seen.append(begun)
        sock.sendall(b"welcome ")
        while True:
            part = sock.recv(65536)
            if not part:
                return
            sock.sendall(part[::-1])


def environment(display, cookie=COOKIE, **more):
    env = place.environment(DISPLAY=display, XAUTHORITY=place.path("Xauth"),
                            **more)
    if cookie:
        place.run(["xauth", "-q", "add", display, NAME.decode(), cookie],
                  env=env)
    return env


class Session:
    """One that shows its display and its cookie, and stays."""

    def __init__(self, env, *flags, **options):
        self.process = place.popen(client.argv(
            user, "echo $DISPLAY; xauth list $DISPLAY; echo; read x", key=key,
            flags=flags, **options), env=env)
        first = self.process.stdout.readline().decode()
        line = self.process.stdout.readline().split()
        found = re.search(r":(\d+)\.0$", first.strip())
        self.port = X11_PORT + int(found[1]) if found else None
        self.cookie = bytes.fromhex(line[2].decode()) if len(line) > 2 else b""

    def connect(self, data):
        """What comes back, until the end."""
        got = b""
        with socket.create_connection((ADDRESS, self.port), PATIENCE) as sock:
            try:
                for part in data if isinstance(data, list) else [data]:
                    sock.sendall(part)
                sock.shutdown(socket.SHUT_WR)
                while part := sock.recv(65536):
                    got += part
            except TimeoutError:
                raise
            except OSError:
                pass  # hung up on while it was being sent
        return got

    def end(self):
        self.process.communicate(b"\n", PATIENCE)
        return self.process.returncode


def trusted():
    display = Display()
    session = Session(environment(display.name), "-Y")
    tap.equal(len(session.cookie), 16, "-Y: the server has a display")
    tap.ok(session.cookie.hex() != COOKIE, "and not our cookie")
    for order in "<>":
        tap.equal(session.connect(packet(session.cookie, order) + b"cba"),
                  b"welcome abc", "a program gets to it, " + order)
        tap.equal(display.seen.pop(), packet(bytes.fromhex(COOKIE), order),
                  "and the display sees its own cookie")
    whole = packet(session.cookie) + b"cba"
    tap.equal(session.connect([whole[i:i + 1] for i in range(len(whole))])[:8],
              b"welcome ", "byte by byte, too")
    display.seen.clear()
    for name, bad in (
            ("a wrong cookie", packet(bytes(16))),
            ("the real cookie", packet(bytes.fromhex(COOKIE))),
            ("no cookie", packet(b"", name=b"")),
            ("half a cookie", packet(session.cookie[:8])),
            ("more than the cookie", packet(session.cookie + bytes(4))),
            ("another protocol", packet(session.cookie,
                                        name=b"XDM-AUTHORIZATION-")),
            ("a third order of bytes", b"x" + packet(session.cookie)[1:]),
            ("lengths in the other order", packet(session.cookie)[:6] +
             packet(session.cookie, ">")[6:]),
            ("nothing", b""), ("a part", packet(session.cookie)[:-1]),
            ("garbage", os.urandom(1000))):
        tap.equal((session.connect(bad), display.seen), (b"", []),
                  name + ": never reaches the display")
    tap.equal(session.end(), 0, "and the session ends as ever")


def many():
    """At once, each with all that it sends."""
    display = Display()
    session = Session(environment(display.name), "-Y")
    got = []
    data = os.urandom(1 << 20)
    threads = [threading.Thread(target=lambda: got.append(session.connect(
        packet(session.cookie) + data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    tap.equal(sorted(len(text) for text in got), [8 + len(data)] * 8,
              "eight programs at once")
    session.end()


def xauth(text):
    """An xauth of our own; what it is called with goes to a file."""
    path = place.path("xauth")
    with open(path, "w", encoding="ascii") as script:
        script.write("#!/bin/sh\necho \"$@\" >> %s.log\n%s\n" % (path, text))
    os.chmod(path, 0o755)
    if os.path.exists(path + ".log"):
        os.unlink(path + ".log")
    return path


# As a display would answer `generate`: it has none of that extension.
GENERATE = ("case $3 in generate) exec xauth -q -f $2 add $4 . %s;; esac\n"
            "exec xauth -q \"$@\"" % UNTRUSTED)


def untrusted():
    display = Display()
    path = xauth(GENERATE)
    session = Session(environment(display.name), "-X", XAuthLocation=path,
                      ForwardX11Timeout="2m")
    tap.equal(session.connect(packet(session.cookie))[:8], b"welcome ",
              "-X: a program gets to the display")
    tap.equal(display.seen, [packet(bytes.fromhex(UNTRUSTED))],
              "by a cookie for who is not trusted")
    with open(path + ".log", encoding="ascii") as log:
        words = log.read()
    tap.like(words, r"^-f (\S+) generate %s MIT-MAGIC-COOKIE-1 untrusted "
             r"timeout 180\n-f \1 list " % display.name, "as xauth was asked")
    tap.ok(not os.path.exists(os.path.dirname(words.split()[1])),
           "whose file is gone")
    session.end()
    session = Session(environment(display.name), "-X", XAuthLocation=path,
                      ForwardX11Timeout="1")
    tap.ok(holds(lambda: session.connect(packet(session.cookie)) == b""),
           "after ForwardX11Timeout nobody gets in")
    tap.like(session.process.stderr.readline(),
             "Rejected X11 connection after ForwardX11Timeout expired",
             "which is said")
    session.end()
    session = Session(environment(display.name), "-X", XAuthLocation=path,
                      ForwardX11Timeout="0")
    tap.equal(session.connect(packet(session.cookie))[:8], b"welcome ",
              "but for 0")
    session.end()
    session = Session(environment(display.name), "-X", XAuthLocation=path,
                      ForwardX11Trusted="yes")
    session.connect(packet(session.cookie))
    tap.equal(display.seen[-1], packet(bytes.fromhex(COOKIE)),
              "ForwardX11Trusted yes: -X is as -Y")
    session.end()


def run(env, *flags, **options):
    return client.run(user, "echo in$DISPLAY", key=key, flags=flags, env=env,
                      options=options)


def without():
    """What has no display goes on without one, and says why."""
    display = Display()
    env = environment(display.name)
    for name, where, flags, options, said in (
            ("xauth fails", env, ["-X"], {"XAuthLocation": "/bin/false"},
             b"untrusted X11 forwarding setup failed"),
            ("no xauth", env, ["-X"], {"XAuthLocation": "/nonexistent"},
             b"untrusted X11 forwarding setup failed"),
            ("a malformed DISPLAY", environment("x;y:0", None), ["-Y"], {},
             b"DISPLAY \"x;y:0\" is none"),
            ("an option as DISPLAY", environment("-f:0", None), ["-Y"], {},
             b"DISPLAY \"-f:0\" is none"),
            ("no DISPLAY", place.environment(), ["-Y"], {}, b""),
            ("-x", env, ["-x", "-o", "ForwardX11=yes"], {}, b""),
            ("nobody asked", env, [], {}, b"")):
        done = run(where, *flags, **options)
        tap.equal((done.returncode, done.stdout), (0, b"in\n"),
                  name + ": no display", done.stderr)
        tap.ok(said in done.stderr and bool(said) == bool(done.stderr),
               "and what is said", done.stderr)
    done = run(env, "-Y", XAuthLocation="/bin/false")
    tap.like(done.stdout, r"^inlocalhost:\d+", "-Y without a cookie: a display")
    tap.like(done.stderr, "No xauth data; using fake", "and a warning")
    done = run(env, "-Y", "-M", "-S", place.path("control"))
    tap.like(done.stdout, r"^inlocalhost:\d+", "-M: a display")
    tap.ok(not os.path.exists(place.path("control")),
           "by a connection that is not shared")
    where = place.server({"X11Forwarding": "no"})
    done = Omniedge(place, where).run(user, "echo in$DISPLAY", key=key,
                                      flags=["-Y"], env=env)
    tap.equal((done.returncode, done.stdout), (0, b"in\n"),
              "a server that says no: the session goes on")
    tap.like(done.stderr, "X11 forwarding request failed", "and is said")
    where.stop()
    tap.equal(display.seen, [], "no display was reached")


def secrets():
    """The real cookie is in no argument, and in no log."""
    display = Display()
    path = xauth("exec xauth \"$@\"")
    done = run(environment(display.name), "-Y", "-v", "-v", "-v",
               XAuthLocation=path)
    with open(path + ".log", encoding="ascii") as log:
        tap.ok(COOKIE not in log.read(), "xauth's arguments have no cookie")
    tap.ok(COOKIE.encode() not in done.stderr, "nor has -vvv")


tap.main(trusted, many, untrusted, without, secrets, server.stop)

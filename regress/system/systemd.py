#!/usr/bin/python3
"""What systemd and sshd say to each other: READY, RELOADING, STOPPING on
NOTIFY_SOCKET, and the sockets of a socket unit."""
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, Server, flavour, listening, sshd_path
from wait import PATIENCE

if flavour() == "openssh":
    tap.skip_all("Debian 12's OpenSSH has a patch of its own for it")

place = Place()
user = place.account()
key = place.key()
user.authorize(key)


class Unit(Server):
    """A server that is started as a service manager does it: with variables
    in its environment, and perhaps sockets from descriptor 3 on."""

    def __init__(self, conf=None, env=None, sockets=(), **more):
        super().__init__(place, conf, **more)
        self.env, self.sockets = env or {}, list(sockets)
        place.servers.append(self)

    def _spawn(self):
        script = ""
        for number, sock in enumerate(self.sockets, 3):
            script += "exec %d<&%d\n" % (number, sock.fileno())
        if self.sockets:
            script += "export LISTEN_PID=$$ LISTEN_FDS=%d\n" % len(
                self.sockets)
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                      | os.O_APPEND, 0o600)
        self.process = subprocess.Popen(
            ["sh", "-c", script + "exec \"$@\"", "sh", *self.argv()],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            env=dict({"PATH": os.environ["PATH"]}, **self.env),
            pass_fds=[sock.fileno() for sock in self.sockets],
            start_new_session=True)
        os.close(log)


def notify_socket(name):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(name)
    sock.settimeout(PATIENCE)
    return sock


def heard(sock):
    """The next note, as a dictionary."""
    text = sock.recv(4096).decode()
    return dict(line.split("=", 1) for line in text.splitlines())


def notes(kind, name, variable):
    manager = notify_socket(name)
    server = Unit(env={"NOTIFY_SOCKET": variable})
    server.start()
    note = heard(manager)
    tap.equal(note, {"READY": "1", "MAINPID": str(server.process.pid),
                     "STATUS": "Listening on 127.0.0.1 port %d" % server.port},
              kind + ": READY, once it listens")
    before = time.monotonic_ns() // 1000
    server.signal(signal.SIGHUP)
    note = heard(manager)
    tap.equal(note.get("RELOADING"), "1", kind + ": SIGHUP: RELOADING")
    tap.ok(before <= int(note.get("MONOTONIC_USEC", 0)) <=
           time.monotonic_ns() // 1000, kind + ": with its time", note)
    tap.equal(heard(manager).get("READY"), "1", kind + ": and READY again")
    server.write_conf("NoSuchKeyword\n")
    server.signal(signal.SIGHUP)
    tap.equal(heard(manager).get("RELOADING"), "1", kind + ": a bad file")
    tap.equal(heard(manager).get("READY"), "1",
              kind + ": READY too, with the old configuration")
    tap.equal(server.ssh(user, "printenv NOTIFY_SOCKET LISTEN_FDS",
                         key=key).stdout, b"", kind + ": no session knows")
    server.signal(signal.SIGTERM)
    tap.equal(heard(manager), {"STOPPING": "1"}, kind + ": SIGTERM: STOPPING")
    server.stop()
    manager.close()


def notify_by_path():
    path = place.path("notify")
    notes("a path", path, path)


def notify_abstract():
    name = "oet-%d" % os.getpid()
    notes("an abstract name", "\0" + name, "@" + name)


def notify_nobody():
    for name in ("", "x", "@", "/nonexistent/x", "/" + "x" * 200):
        server = Unit(env={"NOTIFY_SOCKET": name})
        server.start()
        tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
                  "NOTIFY_SOCKET=%.20s: served all the same" % name)
        server.stop()


def listener(family=socket.AF_INET, address="127.0.0.1"):
    sock = socket.socket(family)
    sock.bind((address, 0))
    sock.listen(5)
    return sock


def activated():
    one, two = listener(), listener()
    ports = [sock.getsockname()[1] for sock in (one, two)]
    server = Unit({"ListenAddress": None}, sockets=[one, two],
                  elsewhere=ports[0])
    server.start()
    tap.ok(server.logged(r"^Port has no effect: systemd's socket unit does "
                         r"not listen on port %s; write "
                         "ListenStream= there" % server.conf["Port"]),
           "Port would be ignored: a warning says so")
    for port in ports:
        server.port = port
        server.write_known_hosts()
        tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
                  "a socket of the unit is served")
    tap.ok(not listening(int(server.conf["Port"])),
           "nothing else is listened on")
    mark = server.mark()
    server.conf["Port"] = [str(ports[0])]
    server.write_conf()
    server.signal(signal.SIGHUP)
    tap.ok(server.logged("Received SIGHUP", mark), "a reload")
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "keeps the unit's sockets")
    tap.unlike(server.log(mark), "has no effect",
               "what a socket covers brings no warning")
    mark = server.mark()
    server.conf["ListenAddress"] = "127.0.0.2"
    server.write_conf()
    server.signal(signal.SIGHUP)
    tap.ok(server.logged(r"^ListenAddress has no effect: .* on 127\.0\.0\.2 "
                         "port %d" % ports[0], mark), "ListenAddress likewise")
    server.stop()
    for sock in (one, two):
        sock.close()


def of_another_process():
    """LISTEN_PID names somebody else: the sockets are not for us."""
    server = Unit(env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
    server.start()
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "LISTEN_PID of another process: Port and ListenAddress count")
    server.stop()


def no_listener():
    """A connection, as Accept=yes gives it, is not to be accepted from."""
    ends = socket.socketpair()
    server = Unit(sockets=[ends[0]])
    server.conf["Port"] = "2022"
    server.write_conf()
    server._spawn()
    tap.equal(server.process.wait(PATIENCE), 255,
              "a socket that does not listen")
    tap.like(server.log(), "socket activation: descriptor 3 is no listening "
             "socket; .* Accept=yes a service that runs sshd -i",
             "is refused, with what to do")
    for end in ends:
        end.close()


tap.main(notify_by_path, notify_abstract, notify_nobody, activated,
         of_another_process, no_listener)

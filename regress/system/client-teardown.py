#!/usr/bin/python3
"""omniedge ssh: however a connection ends, with channels of -L, -R and -D
open in every state, nothing is touched that is gone. Says most in a build with
--enable-sanitizers."""
import glob
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import Omniedge
from server import ADDRESS, Place, free_port, listening
from wait import PATIENCE, command_line, holds, kill_quietly, wait_for

EACH = 8
FULL = 1 << 16  # bytes that wait
MUCH = 8 << 20  # more than waits anywhere

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"AllowTcpForwarding": "yes"})
client = Omniedge(place, server)
# What a sanitizer says goes here, also of the process behind -M.
REPORTS = place.path("report")
ENV = place.environment(ASAN_OPTIONS="log_path=%s" % REPORTS,
                        UBSAN_OPTIONS="log_path=%s" % REPORTS)


class Live:
    """A client with open channels: carrying bytes both ways, half closed,
    not answered yet, and SOCKS requests that are not whole."""

    def __init__(self, *flags, **options):
        self.far = socket.create_server((ADDRESS, 0), backlog=1024)
        self.deaf = socket.socket()  # bound, so that connecting is refused
        self.deaf.bind((ADDRESS, 0))
        self.local, self.socks = free_port(), free_port()
        to = "%s:%d" % self.far.getsockname()
        self.process = place.popen(client.argv(user, key=key, flags=[
            "-N", "-L", "%d:%s" % (self.local, to), "-D", str(self.socks),
            "-R", "0:%s" % to, "-R", "0", *flags], **options), env=ENV)
        self.remote, self.remote_socks = self.chosen(), self.chosen()
        wait_for(lambda: listening(self.local) and listening(self.socks), 30,
                 "the forwardings")
        self.near, self.taken = [], []
        self.open_all()

    def chosen(self):
        """The port that the server has chosen."""
        line = self.process.stderr.readline().decode()
        return int(re.search(r"port (\d+) for", line).group(1))

    def open_all(self):
        host, port = self.far.getsockname()
        request = b"\5\1\0\5\1\0\1" + socket.inet_aton(host) + \
            struct.pack(">H", port)
        for _ in range(EACH):
            for where, first in ((self.local, b""), (self.remote, b""),
                                 (self.socks, request),
                                 (self.remote_socks, request)):
                sock = socket.create_connection((ADDRESS, where), 30)
                sock.sendall(first + b"some")
                self.near.append(sock)
                self.taken.append(self.far.accept()[0])
        for sock in self.near[::2]:
            sock.shutdown(socket.SHUT_WR)
        for sock in self.taken[::3]:
            sock.setblocking(False)
            try:  # as much as there is room for, which nobody reads
                while sock.send(bytes(65536)):
                    pass
            except BlockingIOError:
                pass
        for part in (b"", b"\5", b"\5\1\0\5\1\0\3\x20name"):
            for where in (self.socks, self.remote_socks):
                sock = socket.create_connection((ADDRESS, where), 30)
                sock.sendall(part)
                self.near.append(sock)

    def ends(self, name, status):
        code = self.process.wait(PATIENCE)
        said = self.process.stderr.read()
        tap.equal(code, status, name, said)
        tap.equal(glob.glob(REPORTS + "*"), [], "and nothing is amiss")
        for port in (self.local, self.socks):
            tap.ok(holds(lambda: not listening(port)),
                   "port %d is free again" % port)
        for sock in [*self.near, *self.taken, self.far, self.deaf]:
            sock.close()


def kill_sessions():
    for pid in server.children():
        if "sshd-net" in command_line(pid):
            kill_quietly(pid)


def by_signal():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        live = Live()
        live.process.send_signal(number)
        live.ends("ended by %s" % number.name, -number)


def by_server():
    live = Live()
    kill_sessions()
    live.ends("the server is gone", 255)


def deafen():
    """The server reads no more."""
    for pid in server.children():
        if "sshd-net" in command_line(pid):
            os.kill(pid, signal.SIGSTOP)


def feed(process):
    try:
        process.stdin.write(bytes(MUCH))
    except BrokenPipeError:
        pass  # what it was for


def is_full():
    """Do bytes for the server wait in a client's socket? proc(5), net/tcp"""
    with open("/proc/net/tcp", encoding="ascii") as lines:
        for line in lines:
            fields = line.split()
            if fields[2].endswith(":%04X" % server.port) and \
                    int(fields[4].split(":")[0], 16) > FULL:
                return True
    return False


def deaf():
    """A server that reads nothing, and a socket that is full: no goodbye is
    waited for."""
    control = ["-S", place.path("deaf")]
    for name, flags in (("alone", []), ("shared", ["-M", *control])):
        process = place.popen(client.argv(user, "cat", key=key, flags=flags),
                              env=ENV, bufsize=0)
        process.stdin.write(b"x")
        tap.equal(process.stdout.read(1), b"x", name + ": a session")
        deafen()
        threading.Thread(target=feed, args=(process,), daemon=True).start()
        wait_for(is_full, what="the client's socket to be full")
        if flags:
            done = client.run(user, key=key, flags=[*control, "-O", "check"])
            master = int(re.search(rb"pid=(\d+)", done.stderr).group(1))
            client.run(user, key=key, flags=[*control, "-O", "exit"])
            tap.ok(holds(lambda: command_line(master) == ""),
                   "its master ends")
        else:
            process.terminate()
        tap.equal(process.wait(PATIENCE), 255 if flags else -signal.SIGTERM,
                  "a client ends beside a deaf server")
        tap.equal(glob.glob(REPORTS + "*"), [], "and nothing is amiss")
        kill_sessions()


def by_deadline():
    live = Live("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1")
    deafen()
    try:
        live.ends("the server does not answer", 255)
    finally:
        kill_sessions()


def by_others():
    """The far ends go first, all at once, and then the client."""
    live = Live()
    for sock in [*live.taken, *live.near]:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        sock.close()
    live.process.terminate()
    live.ends("all ends are reset, and then it is ended", -signal.SIGTERM)


def shared():
    path = place.path("control")
    for command in ("exit", "stop"):
        live = Live("-M", "-S", path)
        done = client.run(user, key=key, flags=["-S", path, "-O", "check"])
        pid = int(re.search(rb"pid=(\d+)", done.stderr).group(1))
        client.run(user, key=key, flags=["-S", path, "-O", command])
        if command == "stop":
            live.process.terminate()
        live.ends("-O %s" % command,
                  255 if command == "exit" else -signal.SIGTERM)
        tap.ok(holds(lambda: not os.path.exists("/proc/%d" % pid)
                     or command_line(pid) == "", 30), "the master ends")


def stop():
    server.stop()


tap.main(by_signal, by_server, deaf, by_deadline, by_others, shared, stop)

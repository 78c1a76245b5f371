#!/usr/bin/python3
"""sshd -i: one connection from inetd, from a program with two pipes, from a
socket of another kind; and its end."""
import os
import re
import shlex
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, Server, flavour, sshd_path
from wait import PATIENCE, command_line, descendants, holds, uid_of

PORT = 2022  # never bound: only what known_hosts is asked about
BIG = 3 << 20

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = Server(place, {"Port": str(PORT)})
server.port = PORT
server.write_conf()
server.write_known_hosts()
log = place.path("inetd.log")
ARGV = [sshd_path(), "-i", "-e", "-f", server.conf_path]


def logged(pattern):
    with open(log, encoding="utf-8") as text:
        return re.search(pattern, text.read(), re.M)


def proxied(*command, **options):
    """ssh whose ProxyCommand, at the end of two pipes, is sshd -i."""
    proxy = "%s 2>>%s" % (shlex.join(ARGV), log)
    return server.ssh_argv(user, *command, key=key, ProxyCommand=proxy,
                           **options)


def nothing_stays(name):
    tap.ok(holds(lambda: not family()), name + ": nothing stays",
           *[command_line(pid) for pid in family()])


def family():
    return [pid for pid in descendants(os.getpid())
            if command_line(pid).startswith("sshd")]


def two_pipes():
    done = place.run(proxied("echo in; exit 7"))
    tap.equal((done.stdout, done.returncode), (b"in\n", 7),
              "two pipes: a command and its status", done.stderr)
    tap.ok(logged(r"^Accepted publickey for %s from UNKNOWN port (0|65535) "
                  "ssh2: " % user.name), "its address is UNKNOWN")
    data = os.urandom(BIG)
    done = place.run(proxied("cat"), input=data)
    tap.ok(done.stdout == data, "much data, both ways",
           len(done.stdout), done.stderr)
    done = place.run(proxied("printenv SSH_CONNECTION"))
    tap.like(done.stdout, r"^UNKNOWN \d+ UNKNOWN \d+$", "SSH_CONNECTION")
    nothing_stays("two pipes")


def mover():
    """The process between the pipes and the socket has no right left."""
    if flavour() == "openssh":
        tap.skip("the mover", "OpenSSH has none")
        return
    client = place.popen(proxied("echo up; read x"))
    client.stdout.readline()
    movers = [pid for pid in family()
              if command_line(pid).startswith("sshd: [inetd]")
              and uid_of(pid) != 0]
    tap.equal(len(movers), 1, "one process moves the bytes",
              *[command_line(pid) for pid in family()])
    with open("/proc/%d/status" % movers[0], encoding="ascii") as text:
        status = text.read()
    for line in (r"NoNewPrivs:\s1", r"CapPrm:\s0+$", r"CapEff:\s0+$",
                 r"Groups:\s*$"):
        tap.like(status, line, "the mover: " + line)
    fds = os.listdir("/proc/%d/fd" % movers[0])
    tap.equal(sorted(int(fd) for fd in fds), [0, 1, 2, 3, 4, 5],
              "it holds its three descriptors and standard ones")
    client.communicate(b"\n", PATIENCE)
    nothing_stays("the mover")


def accepted():
    """What inetd does: accept, and give the socket as 0, 1 and 2."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server.port = port
    server.write_known_hosts()
    client = place.popen(server.ssh_argv(user, "echo in; echo $SSH_CONNECTION",
                                         key=key))
    conn, peer = listener.accept()
    argv = [word for word in ARGV if word != "-e"]
    daemon = subprocess.Popen(argv, stdin=conn, stdout=conn, stderr=conn)
    conn.close()
    out, err = client.communicate(timeout=PATIENCE)
    tap.equal(out.decode(), "in\n127.0.0.1 %d 127.0.0.1 %d\n" % (
        peer[1], port), "a socket of inetd's, with its addresses", err)
    tap.equal(client.returncode, 0, "the client ends well")
    tap.equal(daemon.wait(PATIENCE), 0, "sshd -i too")
    listener.close()
    server.port = PORT
    server.write_known_hosts()
    nothing_stays("inetd")


def unix_socket():
    ours, theirs = socket.socketpair()
    daemon = subprocess.Popen(ARGV, stdin=theirs, stdout=theirs,
                              stderr=subprocess.DEVNULL)
    theirs.close()
    ours.settimeout(PATIENCE)
    tap.like(ours.recv(100), "^SSH-2.0-", "a Unix socket: the banner")
    ours.close()
    tap.ok(holds(lambda: daemon.poll() is not None), "closed: it ends")
    nothing_stays("a Unix socket")


def ended():
    """SIGTERM means the one connection, as a unit's stop does."""
    if flavour() == "openssh":
        tap.skip("SIGTERM", "OpenSSH's -i becomes the session's process")
        return
    client = place.popen(proxied("echo up; read x"))
    client.stdout.readline()
    top = [pid for pid in family() if uid_of(pid) == 0 and
           command_line(pid).startswith("sshd: [inetd]")]
    tap.equal(len(top), 1, "sshd -i")
    os.kill(top[0], signal.SIGTERM)
    tap.ok(holds(lambda: client.poll() is not None), "SIGTERM ends it")
    nothing_stays("SIGTERM")


def client_goes():
    client = place.popen(proxied("echo up; read x"))
    client.stdout.readline()
    client.kill()
    client.wait()
    tap.ok(holds(lambda: not user.processes()), "a client that is killed: "
           "the session ends")
    nothing_stays("a client that is killed")


def bad_configuration():
    """Nothing of ours is said to the client but by SSH."""
    bad = place.path("bad.conf")
    with open(bad, "w", encoding="ascii") as conf:
        conf.write("NoSuchKeyword\n")
    done = place.run([sshd_path(), "-i", "-f", bad], input=b"")
    tap.equal((done.returncode, done.stdout), (255, b""),
              "a bad configuration: status 255, and silence", done.stdout)


tap.main(two_pipes, mover, accepted, unix_socket, ended, client_goes,
         bad_configuration)

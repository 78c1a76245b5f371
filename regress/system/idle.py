#!/usr/bin/python3
"""ChannelTimeout and UnusedConnectionTimeout."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import PATIENCE, holds, wait_for

# Far enough above the second that a busy one waits: machines stand still.
LIMIT = 4
NAP = "sleep"  # lint-ok: users' commands, which are to be idle

if flavour() == "openssh":
    tap.skip_all("Debian 12's OpenSSH lacks some of the types")

place = Place()
user = place.account()
other = place.account()
key = place.key()
for who in (user, other):
    who.authorize(key)


def timed(server, *command, who=user, flags=(), **more):
    started = time.monotonic()
    done = server.ssh(who, *command, key=key, flags=flags, **more)
    return done, time.monotonic() - started


def idle_types():
    """The type decides; the first that matches counts."""
    server = place.server({"ChannelTimeout": "session:subsystem:sftp=1h "
                           "session:command=%d session:*=1h" % LIMIT})
    mark = server.mark()
    done, took = timed(server, "echo on; tail -f /dev/null")
    tap.ok(done.stdout == b"on\n" and done.returncode == 255 and
           LIMIT - 1 < took < LIMIT + 20, "a silent command is closed",
           done, took)
    tap.ok(server.logged("closing a channel after %d seconds of inactivity"
                         % LIMIT, mark), "and the log says so")
    tap.ok(holds(lambda: not user.processes()), "its process is hung up")
    done, took = timed(server, "for i in 1 2 3 4 5 6; do echo $i; "
                       "%s 1; done" % NAP)
    tap.equal(done.stdout, b"1\n2\n3\n4\n5\n6\n", "one that writes is not")
    slow = place.popen(server.ssh_argv(user, "cat >/dev/null; echo all",
                                       key=key))
    for _ in range(10):
        slow.stdin.write(b"x")
        slow.stdin.flush()
        holds(lambda: False, 0.6)
    tap.equal(slow.communicate(timeout=PATIENCE)[0], b"all\n",
              "nor one that is written to")
    shell = place.popen(server.ssh_argv(user, key=key))
    tap.ok(not holds(lambda: shell.poll() is not None, LIMIT + 2),
           "a shell has another limit")
    shell.stdin.close()
    shell.wait()
    server.stop()


def idle_global():
    """All channels together: one that is busy keeps the others."""
    server = place.server({"ChannelTimeout": "global=%d" % LIMIT})
    path = place.path("mux")
    master = place.popen(server.ssh_argv(
        user, "for i in 1 2 3 4 5 6; do echo $i; %s 1; done" % NAP, key=key,
        flags=["-M", "-S", path]))
    wait_for(lambda: os.path.exists(path), what="the control socket")
    quiet = place.popen(server.ssh_argv(
        user, "tail -f /dev/null",
        flags=["-S", path, "-o", "ControlMaster=no"]))
    tap.equal(master.stdout.read(), b"1\n2\n3\n4\n5\n6\n",
              "a busy channel stays")
    tap.equal(quiet.poll(), None, "and so does a quiet one beside it")
    tap.ok(holds(lambda: quiet.poll() is not None, LIMIT + 20),
           "until all are quiet")
    master.wait(PATIENCE)
    server.stop()


def idle_in_match():
    """Match gives one user a limit, with the type that only it has."""
    server = place.server(tail="Match User %s\n\tChannelTimeout session:"
                          "shell=%d\n" % (other.name, LIMIT))
    shells = {who.name: place.popen(server.ssh_argv(who, key=key))
              for who in (user, other)}
    tap.ok(holds(lambda: shells[other.name].poll() is not None, LIMIT + 20),
           "the user of the Match block is logged out")
    tap.equal(shells[user.name].poll(), None, "the other one is not")
    shells[user.name].communicate(timeout=PATIENCE)
    server.stop()


def unused_connection():
    server = place.server({"UnusedConnectionTimeout": str(LIMIT)})
    done, took = timed(server, flags=["-N"])
    tap.ok(done.returncode == 255 and LIMIT - 1 < took < LIMIT + 20,
           "a connection without a channel is closed", done, took)
    tap.ok(server.logged("terminating inactive connection"),
           "and the log says so")
    done, took = timed(server, "%s %d; echo out" % (NAP, LIMIT + 2))
    tap.equal(done.stdout, b"out\n", "one with a session stays")
    path = place.path("mux2")
    master = place.popen(server.ssh_argv(user, key=key, flags=[
        "-M", "-N", "-S", path, "-o", "ControlPersist=no"]))
    wait_for(lambda: os.path.exists(path), what="the control socket")
    started = time.monotonic()
    done = server.ssh(user, "%s %d; echo out" % (NAP, LIMIT + 1),
                      flags=["-S", path, "-o", "ControlMaster=no"])
    tap.equal(done.stdout, b"out\n", "time begins anew with each channel")
    tap.ok(holds(lambda: master.poll() is not None, LIMIT + 20) and
           time.monotonic() - started > 2 * LIMIT,
           "and ends the connection after the last")
    server.stop()


tap.main(idle_types, idle_global, idle_in_match, unused_connection)

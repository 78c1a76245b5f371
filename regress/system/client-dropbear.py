#!/usr/bin/python3
"""omniedge ssh against dropbear's server, on a private port."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import program
from server import ADDRESS, Place, free_port, listening
from terminal import Terminal
from wait import wait_for

SIZE = 5 << 20

tap.need_program("dropbear")
tap.need_program("dropbearkey")
place = Place()
user = place.account()
key = place.key()
user.authorize(key)


def start():
    host_key = place.path("dropbear_key")
    subprocess.run(["dropbearkey", "-t", "ed25519", "-f", host_key],
                   check=True, capture_output=True)
    port = free_port()
    place.popen(["dropbear", "-F", "-E", "-r", host_key, "-p",
                 "%s:%d" % (ADDRESS, port), "-P", place.path("pid")],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
    wait_for(lambda: listening(port), what="dropbear to listen")
    return port


port = start()


def argv(*command, flags=()):
    return [program(), "ssh", "-F", "none", "-o",
            "StrictHostKeyChecking=accept-new", "-o",
            "UserKnownHostsFile=" + place.path("hosts"), "-o",
            "IdentityAgent=none", "-i", key, "-p", str(port), *flags,
            "%s@%s" % (user.name, ADDRESS), *command]


def commands():
    done = place.run(argv("echo out; echo err >&2; exit 7"))
    tap.equal((done.returncode, done.stdout), (7, b"out\n"), "a command",
              done.stderr)
    data = os.urandom(SIZE)
    tap.ok(place.run(argv("cat"), input=data).stdout == data,
           "%d bytes both ways" % SIZE)
    tap.equal(place.run(argv("kill -9 $$")).returncode, 255,
              "a command that a signal ended: 255")


def terminal():
    term = Terminal(place, argv())
    term.send("PS1='[p''rompt]'\r")
    tap.ok(term.expect(r"\[prompt\]"), "a shell")
    tap.equal(term.ask("stty size"), "24 80\n", "with a terminal")
    term.send("exit 4\r")
    tap.equal(term.finish(), 4, "and a status")


def forward():
    process = place.popen(argv(flags=["-W", "%s:%d" % (ADDRESS, port)]))
    tap.equal(process.stdout.read(4), b"SSH-", "-W")
    process.kill()
    process.wait()


def shared():
    flags = ["-S", place.path("control"), "-o", "ControlMaster=auto", "-o",
             "ControlPersist=30"]
    for number in (3, 4):
        tap.equal(place.run(argv("exit %d" % number, flags=flags)).returncode,
                  number, "a shared connection, %d" % number)
    place.run(argv(flags=[*flags, "-O", "exit"]))


tap.main(commands, terminal, forward, shared)

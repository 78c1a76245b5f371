#!/usr/bin/python3
"""Signals: asked for by the client, and what a lost client leaves behind."""
import asyncio
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from terminal import Terminal
from wait import PATIENCE, holds, running
import aio

FOREVER = "tail -f /dev/null"
STAYS_SECONDS = 3  # who is to go on, and does not, is gone by then

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()


async def signalled(name, command, where=server, within=PATIENCE):
    """Send a signal to a command that said ready; its end, if it comes."""
    async with aio.connect(where, user, key) as session:
        process = await session.create_process(command)
        await process.stdout.readline()
        process.send_signal(name)
        try:
            done = await asyncio.wait_for(process.wait(), within)
        except asyncio.TimeoutError:
            return "goes on"
        return (done.exit_status, done.exit_signal and done.exit_signal[0],
                done.stdout)


CATCHER = """
import os, signal
def caught(number, frame):
    os.write(1, b"got\\n")
    os._exit(number)
signal.signal(signal.SIG%s, caught)
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""


def by_request():
    """RFC 4254, 6.9."""
    for name in ("TERM", "INT", "HUP", "USR1", "USR2", "QUIT"):
        user.write("catch.py", CATCHER % name)
        number = int(getattr(signal, "SIG" + name))
        tap.equal(aio.run(signalled(name, "/usr/bin/python3 catch.py")),
                  (number, None, "got\n"),
                  "signal %s reaches the command" % name)
    done = aio.run(signalled("KILL", "echo ready; exec " + FOREVER))
    tap.equal(done[1], "KILL", "signal KILL ends it")
    done = aio.run(signalled("TERM", "%s & echo ready; wait" % FOREVER))
    tap.equal(done[1], "TERM", "signal TERM ends a shell")
    tap.ok(holds(lambda: not user.processes()),
           "and the whole process group with it", user.processes())
    done = aio.run(signalled("OETUNKNOWN", "echo ready; exec " + FOREVER,
                             within=STAYS_SECONDS))
    tap.equal(done, "goes on", "an unknown signal does nothing")


def by_request_to_forced():
    """Not to a command that the user did not choose."""
    user.authorize(key, options='command="echo ready; exec %s"' % FOREVER)
    tap.equal(aio.run(signalled("TERM", "x", within=STAYS_SECONDS)), "goes on",
              "a forced command is not signalled")
    user.authorize(key)
    for pid in user.processes():
        os.kill(pid, signal.SIGKILL)


def client_lost():
    """A killed client: SIGHUP for a terminal's processes, an end of input
    for the others."""
    ready = user.path("ready")
    command = ("trap 'echo hup >hup; exit' HUP; echo $$ >ready; "
               "while :; do read x; done")
    screen = Terminal(place, server.ssh_argv(user, command, key=key,
                                             flags=["-tt"]))
    tap.ok(holds(lambda: os.path.exists(ready) and os.path.getsize(ready)),
           "a command runs on a terminal")
    screen.process.send_signal(signal.SIGKILL)
    tap.ok(holds(lambda: os.path.exists(user.path("hup"))),
           "it gets SIGHUP when the client dies")
    screen = Terminal(place, server.ssh_argv(user, key=key, flags=["-tt"]))
    screen.send("echo pid $((1 + 1))\r")
    screen.expect("pid 2")
    screen.send("%s\r" % FOREVER)
    # OpenSSH has a process of its own that becomes the user; we do not.
    own = 1 if flavour() == "openssh" else 0
    tap.ok(holds(lambda: len(user.processes()) > 1 + own),
           "a shell with a job")
    screen.process.send_signal(signal.SIGKILL)
    tap.ok(holds(lambda: not user.processes()), "both die with the client",
           user.processes())
    client = place.popen(server.ssh_argv(user, "echo $$; exec cat", key=key))
    pid = int(client.stdout.readline())
    client.kill()
    tap.ok(holds(lambda: not running(pid)), "a reader gets its end of input")
    client = place.popen(server.ssh_argv(user, "echo $$; exec yes", key=key))
    pid = int(client.stdout.readline())
    client.kill()
    tap.ok(holds(lambda: not running(pid)), "a writer gets SIGPIPE")


def client_silent():
    """ClientAliveInterval: a client that no longer answers is dropped."""
    strict = place.server({"ClientAliveInterval": "1",
                           "ClientAliveCountMax": "2"})
    client = place.popen(strict.ssh_argv(user, "echo $$; exec cat", key=key))
    pid = int(client.stdout.readline())
    client.send_signal(signal.SIGSTOP)
    tap.ok(strict.logged("Timeout, client not responding from user %s "
                         r"127\.0\.0\.1 port \d+" % user.name),
           "the log says so")
    tap.ok(holds(lambda: not running(pid)), "and the command ends")
    client.kill()
    client = place.popen(strict.ssh_argv(user, "echo on; read x; echo $x",
                                         key=key))
    client.stdout.readline()
    tap.ok(not holds(lambda: client.poll() is not None, 4),
           "a quiet client that answers stays")
    tap.equal(client.communicate(b"still\n", PATIENCE)[0], b"still\n",
              "and goes on")
    strict.stop()


def signals_in_session():
    """No signal is blocked or ignored in a session but what sshd(8)'s own
    parent left so; shells rely on it."""
    done = server.ssh(user, "grep -E '^Sig(Blk|Ign)' /proc/self/status",
                      key=key)
    # 32 and 33 are the C library's own, and nobody can reset them.
    masks = [int(line.split()[1], 16) & ~(3 << 31)
             for line in done.stdout.splitlines()]
    tap.equal(masks, [0, 0], "no signal is blocked or ignored")


def the_end():
    server.stop()


tap.main(by_request, by_request_to_forced, client_lost, client_silent,
         signals_in_session, the_end)

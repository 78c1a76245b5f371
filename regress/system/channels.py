#!/usr/bin/python3
"""Many channels on one connection, MaxSessions, and many connections."""
import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import PATIENCE, holds, wait_for
import aio

import asyncssh

SESSIONS = 10
LOGINS = 50
BULK = 1 << 20
TRIES = 50

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"MaxSessions": str(SESSIONS)})


def control_master():
    """Ten sessions at the same time through a ControlMaster."""
    path = place.path("mux")
    master = place.popen(server.ssh_argv(
        user, key=key, flags=["-M", "-N", "-S", path]))
    wait_for(lambda: os.path.exists(path), what="the control socket")
    through = ["-S", path, "-o", "ControlMaster=no"]
    # With no key at hand, a session outside the master would be refused.
    clients = [place.popen(server.ssh_argv(
        user, "read x; echo $x; exit %d" % number, flags=through))
        for number in range(SESSIONS)]
    wait_for(lambda: len(user.processes()) >= SESSIONS,
             what="ten commands at once")
    for number, client in enumerate(clients):
        out, err = client.communicate(b"%d\n" % number, PATIENCE)
        tap.equal((out, client.returncode), (b"%d\n" % number, number),
                  "session %d through the master" % number, err)
    done = place.run(["ssh", "-F", "/dev/null", "-S", path, "-O", "exit",
                      "any"])
    tap.equal(done.returncode, 0, "the master is told to end", done.stderr)
    tap.ok(holds(lambda: master.poll() is not None), "and ends")


async def open_many(where, wanted):
    """(sessions open at the same time, why the next one failed, and whether
    there is room again when one ends)."""
    async with aio.connect(where, user, key) as session:
        held, reason, again = [], None, None
        try:
            while len(held) < wanted:
                held.append(await session.create_process("cat"))
        except asyncssh.ChannelOpenError as error:
            reason = error.code
        count = len(held)
        if held and reason:
            held[0].stdin.write_eof()
            await held[0].wait()
            again = await once_more(session)
        return count, reason, again


async def once_more(session):
    """The place of an ended session is free soon after its end is told."""
    for _ in range(TRIES):
        try:
            return (await session.run("echo again")).stdout
        except asyncssh.ChannelOpenError:
            await asyncio.wait({asyncio.get_running_loop().run_in_executor(
                None, holds, lambda: False, 0.1)})
    return None


# libssh refuses a channel with this code, whatever the reason is.
REFUSED = (asyncssh.OPEN_CONNECT_FAILED if flavour() == "openssh"
           else asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED)


def max_sessions():
    tap.equal(aio.run(open_many(server, SESSIONS + 5)),
              (SESSIONS, REFUSED, "again\n"),
              "MaxSessions 10: the eleventh fails, one ends, one more fits")
    single = place.server({"MaxSessions": "1"})
    tap.equal(aio.run(open_many(single, 3))[0], 1, "MaxSessions 1")
    tap.equal(single.ssh(user, "echo in", key=key).stdout, b"in\n",
              "one is enough for ssh")
    single.stop()
    none = place.server({"MaxSessions": "0"})
    tap.equal(aio.run(open_many(none, 3))[0], 0, "MaxSessions 0")
    tap.equal(none.ssh(user, "echo in", key=key).stdout, b"",
              "and no session for ssh")
    none.stop()


def independent():
    """One channel that nobody reads does not hold up the others."""
    async def each():
        async with aio.connect(server, user, key) as session:
            stuck = await session.create_process("yes", encoding=None)
            stuck.stdout.channel.pause_reading()
            answers = [(await session.run("head -c %d /dev/zero | wc -c"
                                          % BULK)).stdout.strip()
                       for _ in range(3)]
            bulk = await asyncio.gather(*[
                session.run("head -c %d /dev/zero" % BULK, encoding=None)
                for _ in range(5)])
            stuck.stdout.channel.resume_reading()
            stuck.kill()
            return answers, [len(one.stdout) for one in bulk]
    tap.equal(aio.run(each()), ([str(BULK)] * 3, [BULK] * 5),
              "a stuck channel beside working ones")


def reuse():
    """A connection may open very many sessions, one after the other."""
    async def each():
        async with aio.connect(server, user, key) as session:
            return [(await session.run("echo %d" % number)).stdout
                    for number in range(300)]
    tap.equal(aio.run(each()), ["%d\n" % number for number in range(300)],
              "300 sessions, one after the other")


def many_logins():
    def login(number):
        return server.ssh(user, "echo %d" % number, key=key,
                          options={"ConnectTimeout": "50"}, timeout=120)
    with ThreadPoolExecutor(LOGINS) as pool:
        done = list(pool.map(login, range(LOGINS)))
    tap.equal([each.stdout for each in done],
              [b"%d\n" % number for number in range(LOGINS)],
              "50 logins at the same time",
              *[each.stderr for each in done if each.stderr][:5])


def the_end():
    server.stop()


tap.main(control_master, max_sessions, independent, reuse, many_logins,
         the_end)

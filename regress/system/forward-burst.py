#!/usr/bin/python3
"""A thousand forwarded connections asked for in one burst, each checked by
hash; and forwardings that nobody uses, for which no process is woken up."""
import asyncio
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from forward import Service, echo, noise
from server import Place, flavour
from wait import command_line, wait_for
import aio

import asyncssh

BURST = 1000
BYTES = 4000
SECONDS = 300
IDLE = 200
MEANWHILE = 20 # commands on another connection

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()


async def one(session, service, host, seed):
    """Open, send, half-close, compare; what was wrong, or None."""
    data = noise(BYTES, seed)
    try:
        reader, writer = await session.open_connection(
            host, service.port, encoding=None)
        writer.write(data)
        writer.write_eof()
        got = await reader.read()
    except (OSError, asyncssh.Error) as error:
        return repr(error)
    if hashlib.sha256(got).digest() != hashlib.sha256(data).digest():
        return "%d of %d bytes came back" % (len(got), len(data))
    return None


def burst_to(host, name):
    service = Service(echo)

    async def all_at_once():
        async with aio.connect(server, user, key) as session:
            return await asyncio.gather(*[
                one(session, service, host, seed) for seed in range(BURST)])
    wrong = [each for each in aio.run(all_at_once(), SECONDS) if each]
    tap.equal(len(wrong), 0, "%d at once to %s" % (BURST, name),
              *sorted(set(wrong))[:5])
    tap.ok(service.accepted >= BURST, "each of them arrived",
           service.accepted)
    service.close()


def bursts():
    burst_to("127.0.0.1", "an address")
    burst_to("localhost", "a name")


def switches(pids):
    """How often each has waited, and so been woken up (proc(5))."""
    found = {}
    for pid in pids:
        with open("/proc/%d/status" % pid, encoding="ascii",
                  errors="replace") as text:
            fields = dict(line.split(":", 1) for line in text if ":" in line)
        found[command_line(pid).strip()] = \
            int(fields["voluntary_ctxt_switches"])
    return found


async def hold(session, service):
    """Open, and wait until it works; the two ends of it."""
    ends = await session.open_connection("127.0.0.1", service.port,
                                         encoding=None)
    ends[1].write(b"x")
    await ends[0].readexactly(1)
    return ends


def nobody_wakes_up():
    """The measure is what another connection's processes do meanwhile."""
    service = Service(echo)
    other = place.server()

    def settled():
        """Both counts, once they are the same twice."""
        first = switches(server.children())
        return first if other.ssh(user, "true", key=key).returncode == 0 \
            and switches(server.children()) == first else None

    async def idle():
        async with aio.connect(server, user, key) as session:
            held = await asyncio.gather(*[hold(session, service)
                                          for _ in range(IDLE)])
            before = await asyncio.get_running_loop().run_in_executor(
                None, wait_for, settled, 60)
            for _ in range(MEANWHILE):
                done = await asyncio.create_subprocess_exec(
                    *other.ssh_argv(user, "true", key=key),
                    stdin=asyncio.subprocess.DEVNULL,
                    env=place.environment())
                await done.wait()
            after = switches(server.children())
            held[0][1].write(b"y")
            return before, after, await held[0][0].readexactly(1)
    before, after, alive = aio.run(idle(), SECONDS)
    tap.equal(sorted(name.split(":")[0] for name in before),
              ["sshd-forward", "sshd-monitor", "sshd-net"],
              "%d forwardings are held by three processes" % IDLE)
    tap.equal(after, before, "none of which wakes up while nothing comes")
    tap.equal(alive, b"y", "and they go on")
    other.stop()
    service.close()


if flavour() == "openssh":
    tap.main(bursts, server.stop)
else:
    tap.main(bursts, nobody_wakes_up, server.stop)

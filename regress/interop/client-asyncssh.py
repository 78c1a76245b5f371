#!/usr/bin/python3
"""asyncssh: exec, sftp, many channels at once, each key exchange it has."""
import asyncio
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
try:
    import aio
except ImportError:
    tap.skip_all("asyncssh is not installed")
from server import Place
import asyncssh
import peer

SIZE = 5 << 20
CHANNELS = 50
FILES = 200

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"MaxSessions": str(CHANNELS)})


async def one(options):
    async with aio.connect(server, user, key, **options) as session:
        return (await session.run("echo in")).stdout


async def by_password(password):
    async with aio.connect(server, user, password=password) as session:
        return (await session.run("echo in")).stdout


def logins():
    for kind, bits in (("ed25519", None), ("ecdsa", 521), ("rsa", 2048)):
        path = place.key(kind, bits)
        user.authorize(path)

        async def login():
            async with aio.connect(server, user, path) as session:
                return (await session.run("echo in")).stdout
        tap.equal(aio.run(login()), "in\n", "login with " + kind)
    user.authorize(key)
    tap.equal(aio.run(by_password(user.password)), "in\n", "by password")
    try:
        aio.run(by_password("wrong"))
        tap.ok(False, "a wrong password is refused")
    except asyncssh.PermissionDenied:
        tap.ok(True, "a wrong password is refused")


def algorithms():
    """What both have: key exchanges, ciphers and MACs."""
    offered = peer.offers(server)
    for kind, option in (("kex", "kex_algs"), ("cipher_in",
                                               "encryption_algs"),
                         ("mac_in", "mac_algs")):
        for name in offered[kind]:
            if re.match("ext-info|kex-strict", name):
                continue
            options = {option: [name]}
            if kind == "mac_in":
                options["encryption_algs"] = ["aes128-ctr"]
            try:
                out = aio.run(one(options))
            except ValueError:
                tap.skip("%s %s" % (kind, name), "asyncssh has it not")
                continue
            tap.equal(out, "in\n", "%s %s" % (kind, name))


def many_channels():
    async def each():
        async with aio.connect(server, user, key) as session:
            runs = [session.run("read x; echo $x; exit %d" % number,
                                input="%d\n" % number)
                    for number in range(CHANNELS)]
            return [(done.stdout, done.exit_status)
                    for done in await asyncio.gather(*runs)]
    tap.equal(aio.run(each()), [("%d\n" % number, number)
                                for number in range(CHANNELS)],
              "%d channels at once" % CHANNELS)


def streams():
    data = os.urandom(SIZE)

    async def each():
        async with aio.connect(server, user, key) as session:
            done = await session.run("cat; echo err >&2; exit 4", input=data,
                                     encoding=None)
            return done.stdout == data, done.stderr, done.exit_status
    tap.equal(aio.run(each()), (True, b"err\n", 4), "5 MiB and back")


def sftp():
    data = os.urandom(SIZE)
    with open(place.path("up"), "wb") as out:
        out.write(data)

    async def each():
        async with aio.connect(server, user, key) as session:
            async with session.start_sftp_client() as files:
                await files.put(place.path("up"), "f")
                await files.get("f", place.path("down"))
                await files.mkdir("d")
                await asyncio.gather(*[write(files, number)
                                       for number in range(FILES)])
                names = await files.listdir("d")
                space = await files.statvfs(".")
                await files.rmtree("d")
                return len(names), space.bsize > 0, await files.exists("d")

    async def write(files, number):
        async with files.open("d/%d" % number, "wb") as out:
            await out.write(b"%d" % number)
    tap.equal(aio.run(each()), (FILES + 2, True, False),
              "put, get, %d files at once, statvfs, rmtree" % FILES)
    with open(place.path("down"), "rb") as back:
        tap.ok(back.read() == data, "5 MiB and back")


def terminal():
    async def each():
        async with aio.connect(server, user, key) as session:
            shell = await session.create_process(
                term_type="vt100", term_size=(91, 37))
            shell.stdin.write("stty -echo; stty size; tty; exit 2\n")
            out = await shell.stdout.read()
            return out, (await shell.wait()).exit_status
    out, status = aio.run(each())
    tap.like(out, r"37 91\s+/dev/pts/\d+", "a shell with a terminal")
    tap.equal(status, 2, "and its status")


def the_end():
    server.stop()


tap.main(logins, algorithms, many_channels, streams, sftp, terminal, the_end)

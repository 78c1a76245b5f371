#!/usr/bin/python3
"""Stock scp, over SFTP and with -O over the old protocol, both ways."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place

HUGE = (4 << 30) + 4096
FILES = 500

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
local = place.path("local")
os.mkdir(local)


def scp(*paths, flags=(), **more):
    """Paths that begin with a colon are the server's."""
    argv = ["scp", *server.options(key), "-P", str(server.port), *flags]
    argv += ["%s@%s%s" % (user.name, ADDRESS, path) if path[0] == ":"
             else path for path in paths]
    return place.run(argv, cwd=local, **more)


def fill(name, size=10000):
    data = os.urandom(size)
    with open(os.path.join(local, name), "wb") as out:
        out.write(data)
    return data


def read(path):
    try:
        with open(path, "rb") as data:
            return data.read()
    except OSError as error:
        return error


def passes(done, name):
    return tap.equal((done.returncode, done.stderr), (0, b""), name)


def each_protocol(test):
    def both():
        for flags in ((), ("-O",)):
            test(list(flags), "scp %s" % (" ".join(flags) or "(sftp)"))
    both.__name__ = test.__name__
    return both


@each_protocol
def there_and_back(flags, title):
    for size in (0, 1, 65536, (3 << 20) + 1):
        data = fill("f", size)
        passes(scp("f", ":up", flags=flags), "%s: %d bytes up" % (title, size))
        tap.ok(read(user.path("up")) == data, title + ": are there")
        passes(scp(":up", "down", flags=flags), title + ": and down")
        tap.ok(read(os.path.join(local, "down")) == data,
               title + ": are equal")
    os.unlink(user.path("up"))


@each_protocol
def names_and_folders(flags, title):
    data = fill("plain")
    passes(scp("plain", ":", flags=flags), title + ": to the home directory")
    tap.ok(read(user.path("plain")) == data, title + ": under its own name")
    user.make_dir("into")
    passes(scp("plain", ":into", flags=flags), title + ": into a directory")
    tap.ok(read(user.path("into", "plain")) == data, title + ": is in it")
    passes(scp("plain", ":~/tilde", flags=flags), title + ": ~/ is the home")
    tap.ok(read(user.path("tilde")) == data, title + ": is there")
    passes(scp(":into/*", "globbed", flags=flags), title + ": a pattern")
    tap.ok(read(os.path.join(local, "globbed")) == data, title + ": matches")
    name = "d\u00fcr fen"
    data = fill(name)
    passes(scp(name, ":into/" + (name if not flags else "'%s'" % name),
               flags=flags), title + ": a name with a blank")
    tap.ok(read(user.path("into", name)) == data, title + ": is there")
    place.run(["rm", "-r", user.path("into")])


@each_protocol
def attributes(flags, title):
    fill("attr")
    path = os.path.join(local, "attr")
    os.chmod(path, 0o741)
    os.utime(path, (1000000000, 1111111111))
    passes(scp("attr", ":attr", flags=[*flags, "-p"]), title + " -p")
    stat = os.stat(user.path("attr"))
    tap.equal((stat.st_mode & 0o7777, int(stat.st_mtime), stat.st_uid),
              (0o741, 1111111111, user.uid), title + " -p: mode, time, owner")
    os.unlink(user.path("attr"))


@each_protocol
def recursive(flags, title):
    tree = os.path.join(local, "tree")
    os.makedirs(os.path.join(tree, "a", "b"), exist_ok=True)
    os.makedirs(os.path.join(tree, "many"), exist_ok=True)
    for name in ("tree/one", "tree/a/two", "tree/a/b/three"):
        fill(name)
    for number in range(FILES):
        fill("tree/many/%d" % number, number)
    passes(scp("tree", ":up", flags=[*flags, "-r"]), title + " -r up")
    passes(scp(":up", "back", flags=[*flags, "-r"]), title + " -r down")
    for other in (user.path("up"), os.path.join(local, "back")):
        done = place.run(["diff", "-r", tree, other])
        tap.equal((done.returncode, done.stdout), (0, b""),
                  title + " -r: equal trees")
        place.run(["rm", "-r", other])


@each_protocol
def failures(flags, title):
    done = scp(":nowhere", "x", flags=flags)
    tap.equal(done.returncode, 1, title + ": no such file")
    tap.like(done.stderr, "No such file", title + ": says so")
    fill("f")
    done = scp("f", ":/etc/oet", flags=flags)
    tap.equal(done.returncode, 1, title + ": not allowed")
    tap.like(done.stderr, "ermission denied", title + ": says so")
    done = scp("f", ":no/such/dir/f", flags=flags)
    tap.equal(done.returncode, 1, title + ": no such directory")
    done = scp(":.ssh", "x", flags=flags)
    tap.equal(done.returncode, 1, title + ": a directory without -r")


@each_protocol
def huge_file(flags, title):
    """Only where the time is taken for it: all of 4 GiB goes over."""
    if not os.environ.get("OET_LONG"):
        tap.skip(title + ": more than 4 GiB", "OET_LONG is not set")
        return
    path = os.path.join(local, "huge")
    with open(path, "wb") as out:
        out.truncate(HUGE)
        out.seek(HUGE - 100)
        out.write(os.urandom(100))
    passes(scp("huge", ":huge", flags=flags, timeout=900), title + ": 4 GiB")
    done = place.run(["cmp", path, user.path("huge")], timeout=600)
    tap.equal(done.returncode, 0, title + ": equal")
    os.unlink(user.path("huge"))


def remote_to_remote():
    data = fill("f")
    user.write("from", data)
    passes(scp(":from", ":to", flags=["-3"]), "scp -3 between two servers")
    tap.ok(read(user.path("to")) == data, "is there")


def the_end():
    server.stop()


tap.main(there_and_back, names_and_folders, attributes, recursive, failures,
         huge_file, remote_to_remote, the_end)

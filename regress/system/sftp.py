#!/usr/bin/python3
"""Stock sftp: put, get, recursion, odd names, resuming, many and big files."""
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place

FILES = 5000
HUGE = (4 << 30) + 12345
ODD_NAMES = ("with blank", " lead", "quote'd", 'dou"ble', "star*", "que?",
             "br[ack]et", "back\\slash", "d\u00fcrfen", "-dash", "x" * 200,
             "semi;colon", "$HOME", "tab\tbed")
UNSAFE = ' \\\'"*?[]\t'

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
local = place.path("local")
os.mkdir(local)


def sftp(*commands, flags=(), **more):
    """Run a batch; a command that fails ends it with status 1."""
    argv = ["sftp", *server.options(key), "-P", str(server.port), *flags,
            "-b", "-", "%s@%s" % (user.name, ADDRESS)]
    text = "".join(line + "\n" for line in commands)
    return place.run(argv, input=text.encode(), cwd=local, **more)


def quoted(name):
    """A name as sftp(1) reads it: each special letter after a backslash."""
    return "".join("\\" + c if c in UNSAFE else c for c in name)


def fill(path, size):
    data = os.urandom(size)
    with open(path, "wb") as out:
        out.write(data)
    return data


def read(path):
    with open(path, "rb") as data:
        return data.read()


def passes(done, name):
    return tap.equal(done.returncode, 0, name, done.stdout[-500:],
                     done.stderr[-500:])


def put_and_get():
    for size in (0, 1, 32767, 32768, 32769, 262144, 5 << 20):
        path = os.path.join(local, "f")
        data = fill(path, size)
        passes(sftp("put f", "get f back"), "put and get %d bytes" % size)
        tap.ok(read(user.path("f")) == data, "the server has them")
        tap.ok(read(os.path.join(local, "back")) == data, "and gives them")
    stat = os.stat(user.path("f"))
    tap.equal((stat.st_uid, stat.st_gid), (user.uid, user.gid),
              "the file is the user's")
    os.chmod(path, 0o640)
    os.utime(path, (1000000000, 1111111111))
    passes(sftp("put -p f kept", "get -p kept kept"), "put -p and get -p")
    for where in (user.path("kept"), os.path.join(local, "kept")):
        stat = os.stat(where)
        tap.equal((stat.st_mode & 0o7777, int(stat.st_mtime)),
                  (0o640, 1111111111), "mode and time are kept")


def odd_names():
    for name in ODD_NAMES:
        data = fill(os.path.join(local, "odd"), 1000)
        done = sftp("put odd %s" % ("./" + quoted(name)),
                    "get %s odd2" % ("./" + quoted(name)),
                    "rm %s" % ("./" + quoted(name)))
        tap.ok(done.returncode == 0 and data ==
               read(os.path.join(local, "odd2")), "a file named %r" % name,
               done.stderr)
        tap.ok(not os.path.exists(user.path(name)), "and it can be removed")


def commands():
    fill(os.path.join(local, "c"), 100)
    done = sftp("pwd", "mkdir dir", "put c dir/c", "chmod 600 dir/c",
                "ln dir/c dir/hard", "ln -s c dir/soft", "ls -l dir",
                "rename dir/c dir/d", "cd dir", "pwd", "ls", "df", "rm d",
                "rm hard", "rm soft", "cd ..", "rmdir dir")
    passes(done, "a session with most commands")
    text = done.stdout.decode()
    tap.like(text, "Remote working directory: %s$" % user.home, "pwd")
    tap.like(text, r"^-rw------- +[2?] %s +%s +100 \w+ +\d+ [\d:]+ dir/c" % (
        user.name, user.name), "ls -l in long form")
    tap.like(text, r"^lrwx.* dir/soft", "ls -l shows a link")
    tap.ok(not os.path.exists(user.path("dir")), "and all is gone")
    for line in ("get nowhere", "rmdir .ssh", "cd nowhere", "mkdir .ssh",
                 "put c /etc/oet", "rm /etc/passwd", "ls nowhere"):
        done = sftp(line)
        tap.equal(done.returncode, 1, "%s fails" % line, done.stderr)
    done = sftp("get nowhere")
    tap.like(done.stderr, "not found|No such file", "with a reason")
    done = sftp("rm /etc/hosts")
    tap.like(done.stderr, "Permission denied", "as the user, not as root")


def recursive():
    tree = os.path.join(local, "tree")
    os.makedirs(os.path.join(tree, "a", "b", "c"))
    os.makedirs(os.path.join(tree, "empty"))
    for name in ("one", "a/two", "a/b/three", "a/b/c/four"):
        fill(os.path.join(tree, name), 5000)
    passes(sftp("put -r tree", "get -r tree again"), "put -r and get -r")
    done = place.run(["diff", "-r", tree, os.path.join(local, "again")])
    tap.equal((done.returncode, done.stdout), (0, b""), "the trees are equal")
    done = place.run(["diff", "-r", tree, user.path("tree")])
    tap.equal(done.returncode, 0, "on the server, too")


def resume():
    whole = fill(os.path.join(local, "big"), 3 << 20)
    user.write("big", whole[:1 << 20])
    passes(sftp("reput big"), "reput goes on with a part")
    tap.ok(read(user.path("big")) == whole, "the server has the whole")
    with open(os.path.join(local, "part"), "wb") as out:
        out.write(whole[:2000001])
    passes(sftp("reget big part"), "reget goes on with a part")
    tap.ok(read(os.path.join(local, "part")) == whole, "and so has the client")


def many_files():
    source = os.path.join(local, "many")
    os.mkdir(source)
    for number in range(FILES):
        with open(os.path.join(source, "f%d" % number), "w",
                  encoding="ascii") as out:
            out.write("%d\n" % number)
    passes(sftp("put -r many", timeout=180), "put %d files" % FILES)
    tap.equal(len(os.listdir(user.path("many"))), FILES, "all are there")
    done = sftp("ls -1 many")
    tap.equal(len(done.stdout.splitlines()), FILES + 1, "ls shows them all")
    passes(sftp("get -r many back-many", timeout=180), "get them back")
    done = place.run(["diff", "-r", source, os.path.join(local, "back-many")])
    tap.equal(done.returncode, 0, "all are equal")


def digest(path):
    made = hashlib.sha256()
    with open(path, "rb") as data:
        data.seek(HUGE - (1 << 20))
        made.update(data.read())
    return made.hexdigest()


def huge_file():
    """Past 4 GiB an offset of 32 bits would show: a sparse file, of which
    the beginning and the end are written, is read from both ends."""
    disk = os.statvfs(place.dir)
    if disk.f_bavail * disk.f_frsize < 3 * HUGE:
        tap.skip("a file of more than 4 GiB", "not enough room")
        return
    path = user.path("huge")
    with open(path, "wb") as out:
        out.write(b"start")
        out.truncate(HUGE)
        out.seek(HUGE - 300000)
        out.write(os.urandom(300000))
    os.chown(path, user.uid, user.gid)
    done = sftp("ls -l huge")
    tap.like(done.stdout, r" %d " % HUGE, "its size in ls -l")
    part = os.path.join(local, "huge")
    with open(part, "wb") as out:
        out.truncate(HUGE - (8 << 20))
    passes(sftp("reget huge", timeout=120), "reget from beyond 4 GiB")
    tap.equal((os.path.getsize(part), digest(part)), (HUGE, digest(path)),
              "its end came over")
    os.truncate(path, HUGE - (8 << 20))
    passes(sftp("reput huge", timeout=120), "reput from beyond 4 GiB")
    tap.equal(digest(path), digest(part), "and went back")
    if os.environ.get("OET_LONG"):
        passes(sftp("get huge huge2", timeout=600), "get all of it")
        tap.equal(digest(os.path.join(local, "huge2")), digest(path), "equal")
    os.unlink(part)
    os.unlink(path)


def the_end():
    server.stop()


tap.main(put_and_get, odd_names, commands, recursive, resume, many_files,
         huge_file, the_end)

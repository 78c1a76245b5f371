#!/usr/bin/python3
"""sftp-server over pipes: a raw client, friendly and hostile, and stock sftp.

SFTP_SERVER names the program under test.
"""
import os
import pwd
import resource
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from rawsftp import *  # its names are the protocol's
from wait import holds

# What a session may take, its libraries and the buffers of server.h included.
RSS_MAX_KIB = 8 * 1024


# --- the base operations -----------------------------------------------------
def greeting():
    c = Client()
    tap.equal(c.extensions, EXTENSIONS, "extensions and their versions")
    tap.equal(c.end(), (0, ""), "EOF ends it quietly")


def files():
    c = Client("-u", "022")
    h = c.open("f", F_READ | F_WRITE | F_CREAT | F_EXCL, mode=0o666)
    c.write(h, 0, b"hello world")
    c.write(h, 6, b"there")
    tap.equal(c.read(h, 0, 100), b"hello there", "written, read back")
    tap.equal(c.read(h, 6, 2), b"th", "read from an offset")
    tap.equal(c.status(READ, string(h), u64(11), u32(1)), EOF, "end of file")
    tap.equal(c.read(h, 11, 0), b"", "nothing asked, nothing read")
    tap.equal(c.call(FSTAT, string(h))[1].attrs()["size"], 11, "fstat")
    c.close(h)
    tap.equal(c.status(CLOSE, string(h)), NO_FILE, "closed once only")
    tap.equal(c.stat("f")["mode"], 0o100644, "the umask counts")
    tap.equal(c.status(OPEN, string("f"), u32(F_WRITE | F_CREAT | F_EXCL),
                       attrs()), FAILURE, "EXCL: it is there")
    h = c.open("f", F_WRITE | F_APPEND)
    c.write(h, 0, b"!")
    c.close(h)
    h = c.open("f", F_WRITE | F_CREAT | F_TRUNC)
    tap.equal(c.status(READ, string(h), u64(0), u32(1)), NO_FILE,
              "no read on a handle for writing")
    c.close(h)
    with open(c.path("f"), "rb") as f:
        tap.equal(f.read(), b"", "TRUNC")
    tap.equal(c.status(OPEN, string("none"), u32(F_READ), attrs()), NO_FILE,
              "no such file")
    c.put("app", b"ab")
    h = c.open("app", F_WRITE | F_APPEND)
    c.write(h, 0, b"cd")
    with open(c.path("app"), "rb") as f:
        tap.equal(f.read(), b"abcd", "APPEND ignores the offset")


def handles():
    c = Client()
    c.put("f", b"x")
    old = c.open("f")
    c.close(old)
    new = c.open("f")
    tap.ok(old != new, "a handle is never used again")
    for name, bad in (("stale", old), ("forged", b"\0" * 8), ("short", b"\0"),
                      ("none", b""), ("long", new + b"\0"),
                      ("far", b"\xff" * 8), ("vast", b"x" * 1000)):
        tap.equal(c.status(READ, string(bad), u64(0), u32(1)), FAILURE,
                  "%s handle" % name)
    tap.equal(c.status(READDIR, string(new)), FAILURE, "a file is no directory")
    d = c.call(OPENDIR, string("."))[1].string()
    tap.equal(c.status(READ, string(d), u64(0), u32(1)), FAILURE,
              "a directory is no file")
    tap.equal(c.status(WRITE, string(d), u64(0), string("x")), FAILURE,
              "nor to be written")
    tap.equal(c.read(new, 0, 1), b"x", "the good one still is")


def handle_limit():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (26, 26))
    c = Client(preexec_fn=few)
    c.put("f", b"x")
    limits = c.extended("limits@openssh.com")[1]
    told = [limits.u64() for _each in range(4)]
    tap.equal(told, [PACKET_MAX, PACKET_MAX - 1024, PACKET_MAX - 1024, 16],
              "limits@openssh.com")
    kept = [c.open("f") for _each in range(told[3])]
    tap.equal(c.status(OPEN, string("f"), u32(F_READ), attrs()), FAILURE,
              "one handle more than there are")
    tap.equal(c.status(OPENDIR, string(".")), FAILURE, "nor a directory")
    c.close(kept[3])
    kept[3] = c.open("f")
    tap.equal({c.read(h, 0, 1) for h in kept}, {b"x"}, "all of them work")


def attributes():
    c = Client()
    c.put("f", b"12345")
    os.symlink("f", c.path("link"))
    tap.equal(c.stat("link", STAT)["size"], 5, "STAT follows")
    tap.ok(stat.S_ISLNK(c.stat("link")["mode"]), "LSTAT does not")
    c.call(SETSTAT, string("f"), attrs(size=3, mode=0o600, times=(10, 20)))
    got = c.stat("f")
    tap.equal((got["size"], got["mode"], got["times"]),
              (3, 0o100600, (10, 20)), "size, mode and times at once")
    c.call(SETSTAT, string("link"), attrs(mode=0o640))
    tap.equal(c.stat("f")["mode"], 0o100640, "SETSTAT follows a link")
    c.extended("lsetstat@openssh.com", string("link"), attrs(times=(1, 2)))
    tap.equal((c.stat("link")["times"], c.stat("f")["times"]),
              ((1, 2), (10, 20)), "lsetstat does not")
    c.extended("lsetstat@openssh.com", string("f"), attrs(mode=0o604))
    tap.equal(c.stat("f")["mode"], 0o100604, "lsetstat of a file's mode")
    h = c.open("f", F_WRITE)
    c.call(FSETSTAT, string(h), attrs(size=9, mode=0o4711, times=(5, 6)))
    got = c.stat("f")
    tap.equal((got["size"], got["mode"], got["times"]),
              (9, 0o104711, (5, 6)), "FSETSTAT keeps the mode asked for")
    me = (os.getuid(), os.getgid())
    c.call(SETSTAT, string("f"), attrs(owner=me, mode=0o4755))
    tap.equal(c.stat("f")["mode"], 0o100755,
              "owner and set-id mode at once: chown clears it, as OpenSSH's")
    c.call(FSETSTAT, string(h), attrs(mode=0o100644))
    tap.equal(c.stat("f")["mode"], 0o100644, "file type bits do no harm")
    tap.equal(c.status(SETSTAT, string("f"), u32(A_EXTENDED, 1),
                       string("a@b"), string("c")), OK,
              "unknown attributes are skipped")
    tap.equal(c.status(SETSTAT, string("none"), attrs(mode=0)), NO_FILE,
              "of a file that is not there")
    tap.equal(c.status(EXTENDED, string("lsetstat@openssh.com"),
                       string("link"), attrs(size=0)), BAD,
              "a link has no size to set")


def directories():
    c = Client("-u", "027")
    c.call(MKDIR, string("d"), attrs(mode=0o777))
    tap.equal(c.stat("d")["mode"], 0o40750, "MKDIR under the umask")
    tap.equal(c.status(MKDIR, string("d"), attrs()), FAILURE, "is there")
    c.put("d/f", b"x")
    tap.equal(c.status(RMDIR, string("d")), FAILURE, "not empty")
    tap.equal(c.status(REMOVE, string("d/f")), OK, "REMOVE")
    tap.equal(c.status(REMOVE, string("d/f")), NO_FILE, "REMOVE again")
    tap.equal(c.status(RMDIR, string("d")), OK, "RMDIR")
    tap.equal(c.status(OPENDIR, string("d")), NO_FILE, "OPENDIR")
    c.put("f", b"")
    tap.equal(c.status(OPENDIR, string("f")), NO_FILE, "OPENDIR of a file")


def listing():
    c = Client()
    os.mkdir(c.path("many"))
    names = {b"f%04d" % i for i in range(5000)}
    for name in names:
        c.put(b"many/" + name, b"x" * 7)
    found, replies = c.list("many")
    tap.equal(set(found), names | {b".", b".."}, "5,000 files, each once")
    tap.ok(replies < 5000 / 100, "more than 100 entries a reply",
           "%d replies" % replies)
    longname, got = found[b"f0000"]
    tap.equal(got["size"], 7, "with attributes")
    tap.like(longname, r"^-rw-r--r--    1 \S+ +\S+ +       7 "
             r"[A-Z][a-z][a-z] [ 123]\d \d\d:\d\d f0000$",
             "longname is a line of ls -l")
    os.utime(c.path("many/f0001"), (0, 86400))
    os.chown(c.path("many/f0001"), os.getuid(), os.getgid())
    os.chmod(c.path("many/f0001"), 0o4755)
    tap.like(c.list("many")[0][b"f0001"][0],
             r"^-rwsr-xr-x .* Jan  [12]  1970 f0001$", "old ones with the year")
    os.mkdir(c.path("long"))
    names = {b"%03d" % i + b"n" * 252 for i in range(300)}
    for name in names:
        c.put(b"long/" + name, b"")
    tap.equal(set(c.list("long")[0]) - {b".", b".."}, names, "longest names")
    os.mkdir(c.path("moved"))
    c.put("moved/inside", b"12")
    handle = c.call(OPENDIR, string("moved"))[1].string()
    os.rename(c.path("moved"), c.path("away"))
    os.mkdir(c.path("moved"))
    c.put("moved/other", b"")
    body = c.call(READDIR, string(handle))[1]
    listed = {}
    for _each in range(body.u32()):
        name = body.string()
        listed[name] = body.string(), body.attrs()
    tap.equal((set(listed), listed[b"inside"][1]["size"]),
              ({b".", b"..", b"inside"}, 2),
              "a listing stays with the directory it was opened on")


def renames():
    c = Client()
    c.put("a", b"a")
    c.put("b", b"b")
    tap.equal(c.status(RENAME, string("a"), string("b")), FAILURE,
              "RENAME replaces nothing")
    os.symlink("nowhere", c.path("dangling"))
    tap.equal(c.status(RENAME, string("a"), string("dangling")), FAILURE,
              "not even a dangling link")
    tap.equal(c.status(RENAME, string("a"), string("c")), OK, "RENAME")
    os.mkdir(c.path("d"))
    os.mkdir(c.path("e"))
    tap.equal(c.status(RENAME, string("d"), string("e")), FAILURE,
              "nor an empty directory")
    tap.equal(c.status(RENAME, string("c"), string("d/c")), OK,
              "from one directory to another")
    tap.equal(c.status(RENAME, string("none"), string("x")), NO_FILE, "none")
    c.extended("posix-rename@openssh.com", string("d/c"), string("b"))
    with open(c.path("b"), "rb") as f:
        tap.equal(f.read(), b"a", "posix-rename replaces")
    c.extended("hardlink@openssh.com", string("b"), string("hard"))
    tap.equal(os.stat(c.path("hard")).st_nlink, 2, "hardlink")


def links():
    c = Client()
    c.call(SYMLINK, string("the target"), string("link"))
    tap.equal(os.readlink(c.path("link")), b"the target",
              "SYMLINK: target first, as OpenSSH has it")
    tap.equal(c.one_name(READLINK, string("link")), b"the target", "READLINK")
    c.put("f", b"")
    tap.equal(c.status(READLINK, string("f")), BAD, "of a file")
    tap.equal(c.status(SYMLINK, string("x"), string("f")), FAILURE, "is there")


def realpaths():
    c = Client()
    here = c.path("")[:-1]
    os.makedirs(c.path("d/e"))
    os.symlink("d/e", c.path("to-e"))
    os.symlink(here + b"/d", c.path("to-d"))
    os.symlink("loop", c.path("loop"))
    c.put("f", b"")
    for name, want in ((".", here), ("", here), ("to-e/..", here + b"/d"),
                       ("to-d/e//./", here + b"/d/e"),
                       ("missing", here + b"/missing"), ("/", b"/"),
                       ("/../..//", b"/"), ("f", here + b"/f"),
                       (here + b"/d/../f", here + b"/f")):
        tap.equal(c.one_name(REALPATH, string(name)), want,
                  "REALPATH of %r" % (name,))
    for name, want in (("missing/x", NO_FILE), ("loop", NO_FILE),
                       ("f/x", NO_FILE), ("missing/", NO_FILE)):
        tap.equal(c.status(REALPATH, string(name)), want,
                  "REALPATH of %r" % name)


def odd_names():
    c = Client()
    for name in (b"new\nline", b"\xc3\xbc\xff", b"-rf", b" sp ace ", b"'q\"\\",
                 b"\x1b[2J\x01\x7f", b"*?[", b"a" * 255):
        h = c.open(name, F_WRITE | F_CREAT)
        c.write(h, 0, name)
        c.close(h)
        tap.ok(os.path.exists(c.path(name))
               and c.list(".")[0].get(name) is not None
               and c.status(RENAME, string(name), string(b"to" + name[:9]))
               == OK and c.status(REMOVE, string(b"to" + name[:9])) == OK,
               "a file named %r" % name[:20])


def large_files():
    c = Client()
    far = 5 << 30
    h = c.open("sparse", F_READ | F_WRITE | F_CREAT)
    c.write(h, far, b"end")
    tap.equal(c.stat("sparse")["size"], far + 3, "size past 4 GiB")
    tap.equal(c.read(h, far, 10), b"end", "data past 4 GiB")
    c.call(FSETSTAT, string(h), attrs(size=far + 1))
    tap.equal(c.stat("sparse")["size"], far + 1, "cut past 4 GiB")
    tap.equal(c.status(READ, string(h), u64(1 << 63), u32(1)), BAD,
              "an offset that no file has")
    tap.ok(c.status(WRITE, string(h), u64((1 << 64) - 1), string("x"))
           not in (OK, EOF), "nor to be written at")
    data = os.urandom(PACKET_MAX - 1024)
    c.write(h, 0, data)
    tap.equal(c.read(h, 0, len(data)), data, "the largest write and read")
    tap.equal(len(c.read(h, 0, 0xffffffff)), PACKET_MAX - 1024,
              "a read that is too long is shortened")


def file_size_limit():
    limit = 100000
    c = Client(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                     (limit, limit)))
    h = c.open("f", F_WRITE | F_CREAT)
    c.write(h, 0, b"x" * 1000)
    for kind, body in ((WRITE, string(h) + u64(limit) + string("x")),
                       (FSETSTAT, string(h) + attrs(size=limit + 1)),
                       (SETSTAT, string("f") + attrs(size=limit + 1))):
        try:
            c.call(kind, body)
            tap.ok(False, "over RLIMIT_FSIZE: type %d" % kind)
        except Refused as refused:
            tap.equal(refused.text, b"File too large",
                      "over RLIMIT_FSIZE: type %d" % kind)
    tap.equal(c.stat("f")["size"], 1000, "and the session goes on")


# --- extensions --------------------------------------------------------------
def extensions():
    c = Client()
    c.put("f", b"12345")
    vfs = os.statvfs(c.path("f"))
    body = c.extended("statvfs@openssh.com", string("f"))[1]
    got = [body.u64() for _each in range(11)]
    tap.equal((got[0], got[1], got[2], got[10]),
              (vfs.f_bsize, vfs.f_frsize, vfs.f_blocks, vfs.f_namemax),
              "statvfs")
    h = c.open("f", F_READ | F_WRITE)
    body = c.extended("fstatvfs@openssh.com", string(h))[1]
    tap.equal([body.u64() for _each in range(3)][2], vfs.f_blocks, "fstatvfs")
    tap.equal(c.status(EXTENDED, string("fsync@openssh.com"), string(h)), OK,
              "fsync")
    tap.equal(c.status(EXTENDED, string("fsync@openssh.com"), string("no")),
              NO_FILE, "fsync of nothing")
    tap.equal(c.status(EXTENDED, string("what@example.com")), UNSUPPORTED,
              "an extension that is none")
    body = c.extended("users-groups-by-id@openssh.com",
                      string(u32(0, 0xfffffff0)), string(u32(0)))[1]
    users, groups = Body(body.string()), Body(body.string())
    tap.equal((users.string(), users.string(), groups.string()),
              (b"root", b"", b"root"), "users-groups-by-id")
    tap.equal(c.status(EXTENDED, string("users-groups-by-id@openssh.com"),
                       string(u32(0) * 50000), string("")), FAILURE,
              "more names than a reply holds")
    tap.equal(c.status(EXTENDED, string("users-groups-by-id@openssh.com"),
                       string("abc"), string("")), BAD, "half an id")


def homes():
    c = Client()
    here = c.path("")[:-1]
    daemon_home = os.path.expanduser(b"~daemon")

    def expand(path):
        return c.one_name(EXTENDED, string("expand-path@openssh.com"),
                          string(path))
    for path, want in (("~", here), ("~/x", here + b"/x"), ("", here),
                       ("x", here + b"/x"), ("/tmp/..", b"/"),
                       ("~daemon/", os.path.realpath(daemon_home))):
        tap.equal(expand(path), want, "expand-path of %r" % path)
    try:
        expand("~no-such-user")
    except Refused as refused:
        tap.equal((refused.status, refused.text), (NO_FILE, b"no such user"),
                  "expand-path of nobody's home")
    home = os.fsencode(os.path.expanduser("~%s" % user_name()))
    for user in ("", user_name()):
        tap.equal(c.one_name(EXTENDED, string("home-directory"),
                             string(user)), home,
                  "home-directory of %r" % user)
    tap.equal(c.status(EXTENDED, string("home-directory"), string("nobody?")),
              FAILURE, "home-directory of nobody")


def user_name():
    return pwd.getpwuid(os.getuid()).pw_name


def copy_data():
    c = Client()
    data = os.urandom(300000)
    c.put("from", data)
    source = c.open("from")

    def copy(to, *numbers):
        at, count, to_at = numbers
        return c.status(EXTENDED, string("copy-data"), string(source),
                        u64(at), u64(count), string(to), u64(to_at))

    def content(name):
        with open(c.path(name), "rb") as f:
            return f.read()
    to = c.open("to", F_WRITE | F_CREAT)
    tap.equal((copy(to, 0, 0, 0), content("to")), (OK, data), "a whole file")
    to = c.open("part", F_WRITE | F_CREAT)
    tap.equal((copy(to, 10, 5, 2), content("part")),
              (OK, b"\0\0" + data[10:15]), "a part")
    to = c.open("short", F_WRITE | F_CREAT)
    tap.equal((copy(to, 299999, 5, 0), content("short")),
              (EOF, data[-1:]), "more than there is")
    to = c.open("part", F_WRITE | F_APPEND)
    tap.equal((copy(to, 0, 0, 0), content("part")[7:]), (OK, data),
              "to a handle that appends")
    tap.equal(copy(c.open("from", F_WRITE), 0, 0, 0), FAILURE, "to itself")
    tap.equal(copy(b"none", 0, 0, 0), FAILURE, "to no handle")


def holes():
    c = Client()
    size, at = 1 << 30, 300 << 20
    with open(c.path("from"), "wb") as out:
        out.seek(at)
        out.write(b"data" * 1000)
        out.truncate(size)
    c.put("old", b"x" * 10000)
    source = c.open("from")

    def copy(to, flags, *numbers):
        target = c.open(to, flags)
        return c.status(EXTENDED, string("copy-data"), string(source),
                        u64(numbers[0]), u64(numbers[1]), string(target),
                        u64(numbers[2]))

    def same(name, start, count, there):
        with open(c.path("from"), "rb") as one, \
                open(c.path(name), "rb") as other:
            one.seek(start)
            other.seek(there)
            return one.read(count) == other.read(count)
    tap.equal((copy("whole", F_WRITE | F_CREAT, 0, 0, 0),
               os.path.getsize(c.path("whole")),
               same("whole", 0, size, 0)), (OK, size, True),
              "a file with holes, one of them at its end")
    tap.ok(os.stat(c.path("whole")).st_blocks * 512 < 1 << 20,
           "has them as a copy, too", os.stat(c.path("whole")))
    tap.equal((copy("old", F_WRITE, at - 5000, 9000, 500),
               same("old", at - 5000, 9000, 500)), (OK, True),
              "what a hole is copied over is zero")
    with open(c.path("old"), "rb") as f:
        data = f.read()
    tap.ok(len(data) == 10000 and data.startswith(b"x" * 500)
           and data.endswith(b"x" * 500), "and nothing else is")
    tap.equal((copy("part", F_WRITE | F_CREAT, at - 5000, 5001, 70000),
               os.path.getsize(c.path("part")),
               same("part", at - 5000, 5001, 70000)), (OK, 75001, True),
              "a part that begins with a hole")
    tap.equal((copy("end", F_WRITE | F_CREAT, size - 100, 200, 0),
               os.path.getsize(c.path("end"))), (EOF, 100),
              "more than there is, of a hole")
    c.put("app", b"12")
    tap.equal((copy("app", F_WRITE | F_APPEND, 0, 3, 0),
               os.path.getsize(c.path("app"))), (OK, 5), "appended")


# --- many at a time ----------------------------------------------------------
def pipelining():
    c = Client()
    c.put("f", b"0123456789")
    h = c.open("f")
    out = b"".join(
        frame(READ, u32(i) + string(h) + u64(i % 10) + u32(1))
        for i in range(20000))
    child = os.fork()
    if child == 0:
        c.raw(out)
        os._exit(0)
    good = 0
    for i in range(20000):
        kind, body = c.receive()
        good += (kind == DATA and body.u32() == i
                 and body.string() == b"%d" % (i % 10))
    os.waitpid(child, 0)
    tap.equal(good, 20000, "20,000 requests at once, answered in order")
    for step in (1, 3, 7):
        data = frame(READ, u32(1) + string(h) + u64(0) + u32(4))
        for i in range(0, len(data), step):
            c.raw(data[i:i + step])
        tap.equal(c.receive()[1].data[8:], b"0123",
                  "a request in pieces of %d bytes" % step)


def writes_of_all_sizes():
    """Packets come to lie anywhere in the server's buffer."""
    c = Client()
    h = c.open("f", F_READ | F_WRITE | F_CREAT)
    sizes = [1, PACKET_MAX - 1024, 7, 32768, 0, 131072, 250000, 3, 100000,
             PACKET_MAX - 1024, 65536, 5] * 4
    data = os.urandom(sum(sizes))
    out, at = b"", 0
    for i, size in enumerate(sizes):
        out += frame(WRITE, u32(i) + string(h) + u64(at)
                     + string(data[at:at + size]))
        at += size
    child = os.fork()
    if child == 0:
        c.raw(out)
        os._exit(0)
    good = 0
    for i in range(len(sizes)):
        body = c.receive()[1]
        good += body.u32() == i and body.u32() == OK
    os.waitpid(child, 0)
    tap.equal(good, len(sizes), "writes of all sizes in one stream")
    with open(c.path("f"), "rb") as f:
        tap.ok(f.read() == data, "land where they belong")


def client_that_never_reads():
    c = Client()
    c.put("big", b"x" * PACKET_MAX)
    h = c.open("big")
    os.set_blocking(c.process.stdin.fileno(), False)
    request = frame(READ, u32(1) + string(h) + u64(0) + u32(PACKET_MAX)) * 500

    def stuck():
        try:
            for _each in range(100):
                os.write(c.process.stdin.fileno(), request)
        except BlockingIOError:
            return True
        return False
    tap.ok(holds(stuck), "it stops to read what it cannot answer")
    tap.ok(holds(lambda: c.fact("State") == "S"), "and sleeps")
    sanitized = int(c.fact("VmSize")) > 1 << 30
    tap.ok(sanitized or int(c.fact("VmRSS")) < RSS_MAX_KIB,
           "in less than %d KiB" % RSS_MAX_KIB, c.fact("VmRSS"))
    c.process.stdout.close()
    tap.equal(c.process.wait(PATIENCE), 0, "and ends when it goes away")


# --- hostile -----------------------------------------------------------------
def ends(c, data, name):
    """What breaks the framing ends the session, and nothing else happens."""
    c.raw(data)
    tap.equal(c.process.wait(PATIENCE), 11, "%s: it ends" % name)
    tap.like(c.logged(), r"bad message from 192\.0\.2\.7 local user \S+",
             "%s: logged" % name)


def broken_framing():
    for init in (False, True):
        when = "after INIT" if init else "before INIT"
        ends(Client(init=init), u32(0), "a packet of no length, " + when)
        ends(Client(init=init), u32(PACKET_MAX + 1) + b"x",
             "a packet too long, " + when)
        ends(Client(init=init), u32(0xffffffff), "a length of -1, " + when)
        ends(Client(init=init), frame(STAT, b"\0\0"), "half an id, " + when)
    ends(Client(init=False), frame(STAT, u32(1) + string(".")),
         "a request before INIT")
    c = Client()
    c.raw(frame(STAT, u32(1) + string("."))[:-1])
    tap.equal(c.end()[0], 0, "half a request and EOF: it just ends")


def broken_requests():
    c = Client()
    c.put("f", b"x")
    h = c.open("f", F_READ | F_WRITE)
    for kind, body, name in (
            (STAT, b"", "no path"), (STAT, u32(5) + b"ab", "a short path"),
            (STAT, u32(0xffffffff) + b"ab", "a path of -1 bytes"),
            (STAT, string(b"f\0"), "a path with a NUL"),
            (RENAME, string("f"), "one path of two"),
            (RENAME, string("f") + string(b"g\0h"), "a second path with NUL"),
            (OPEN, string("f") + u32(1), "OPEN without attributes"),
            (OPEN, string("f") + u32(1, 0xf) + b"abc", "short attributes"),
            (SETSTAT, string("f") + u32(A_EXTENDED, 0xffffffff),
             "4 billion attributes"),
            (READ, string(h) + u64(0), "READ without a length"),
            (WRITE, string(h) + u64(0) + u32(100) + b"short", "short data"),
            (EXTENDED, u32(100) + b"limits", "a short extension name"),
            (STAT, string(b"x" * 100000), "a path of 100 kB"),
            (STAT, string(b"x" * 4096), "a path one byte too long")):
        want = UNSUPPORTED if kind == EXTENDED else BAD
        tap.equal(c.status(kind, body), want, name)
    tap.equal(c.status(STAT, string(b"./" * 2047 + b"f")), OK,
              "the longest path")
    for kind in (0, 21, 99, STATUS, DATA, 255, VERSION):
        tap.equal(c.status(kind, string("f")), UNSUPPORTED, "type %d" % kind)
    tap.equal(c.status(STAT, string("f"), b"trailing"), OK,
              "bytes behind a request are ignored, as OpenSSH's server does")
    with open(c.path("f"), "rb") as f:
        tap.equal(f.read(), b"x", "nothing was written by any of these")


def special_files():
    c = Client()
    os.mkfifo(c.path("fifo"))
    h = c.open("fifo")
    tap.equal(c.status(READ, string(h), u64(0), u32(1)), FAILURE,
              "a FIFO does not stop the server")
    tap.equal(c.status(OPEN, string("fifo/x"), u32(1), attrs()), NO_FILE,
              "and is no directory")
    h = c.open("/dev/zero")
    tap.equal(c.read(h, 0, 4), b"\0" * 4, "a device that can be read can")
    os.mkdir(c.path("d"))
    h = c.open("d")
    tap.equal(c.status(READ, string(h), u64(0), u32(1)), FAILURE,
              "a directory opened as a file")
    if os.path.exists("/dev/full"):
        h = c.open("/dev/full", F_WRITE)
        try:
            c.write(h, 0, b"x")
            tap.ok(False, "a full device")
        except Refused as refused:
            tap.equal((refused.status, refused.text),
                      (FAILURE, b"No space left on device"), "a full device")


def the_end():
    c = Client("-l", "INFO")
    c.put("f", b"abc")
    c.read(c.open("f"), 0, 3)
    c.call(OPENDIR, string("."))
    c.process.send_signal(signal.SIGTERM)
    tap.equal(c.process.wait(PATIENCE), 1, "SIGTERM ends it")
    tap.like(c.logged(), r'(?s)^forced close "f" bytes read 3 written 0\r$.*'
             r'^forced closedir "\."\r$.*^session closed for local user \S+ '
             r'from \[192\.0\.2\.7\]\r$', "and is logged as a close")
    c = Client()
    c.process.stdout.close()
    c.send(STAT, u32(1) + string("."))
    tap.equal(c.process.wait(PATIENCE), 0, "a reader gone: it ends")


# --- options, log, jail ------------------------------------------------------
def log():
    c = Client("-l", "VERBOSE")
    evil = 'x" bytes read 0\nsession closed for local user root'
    h = c.open(evil, F_WRITE | F_CREAT | F_TRUNC, mode=0o640)
    c.write(h, 0, b"1234")
    c.close(h)
    c.call(SETSTAT, string(evil), attrs(mode=0o600, times=(0, 86400 * 365)))
    c.call(RENAME, string(evil), string("b"))
    c.call(REMOVE, string("b"))
    c.call(MKDIR, string("d"), attrs(mode=0o755))
    c.call(SYMLINK, string("t"), string("l"))
    c.status(STAT, string("none"))
    code, text = c.end()
    name = r'"x\\" bytes read 0\\012session closed for local user root"'
    user = r"local user %s from \[192\.0\.2\.7\]" % user_name()
    for line in ("session opened for " + user, "received client version 3",
                 "open %s flags WRITE,CREATE,TRUNCATE mode 0640" % name,
                 "close %s bytes read 0 written 4" % name,
                 "set %s mode 0600" % name,
                 r"set %s modtime 1970\d{4}-\d\d:\d\d:\d\d|"
                 r"set %s modtime 1971\d{4}-\d\d:\d\d:\d\d" % (name, name),
                 'rename old %s new "b"' % name, 'remove name "b"',
                 'mkdir name "d" mode 0755', 'symlink old "t" new "l"',
                 'stat name "none"', "sent status No such file",
                 "session closed for " + user):
        tap.like(text, "^(%s)\r$" % line, "logged: " + line[:40])
    tap.equal(text.count("\nsession closed"), 1, "no line was forged")
    tap.equal(code, 0, "exit status")
    tap.equal(Client("-l", "QUIET").end(), (0, ""), "-l QUIET")
    c = Client("-l", "DEBUG")
    c.call(MKDIR, string("d"), attrs())
    tap.like(c.end()[1], "^sent status Success\r$", "-l DEBUG: each status")


def read_only():
    c = Client("-R")
    c.put("f", b"data")
    tap.equal(set(EXTENSIONS) - set(c.extensions),
              {b"posix-rename@openssh.com", b"hardlink@openssh.com",
               b"fsync@openssh.com", b"lsetstat@openssh.com", b"copy-data"},
              "-R: extensions that write are not offered")
    h = c.open("f")
    tap.equal(c.read(h, 0, 9), b"data", "-R: reading")
    tap.equal(len(c.list(".")[0]), 3, "-R: listing")
    for flags in (F_WRITE, F_READ | F_WRITE, F_READ | F_CREAT,
                  F_READ | F_TRUNC):
        tap.equal(c.status(OPEN, string("f"), u32(flags), attrs()), DENIED,
                  "-R: open with flags %d" % flags)
    for kind, body in ((WRITE, string(h) + u64(0) + string("x")),
                       (SETSTAT, string("f") + attrs(mode=0)),
                       (FSETSTAT, string(h) + attrs(size=0)),
                       (REMOVE, string("f")), (MKDIR, string("d") + attrs()),
                       (RMDIR, string(".")),
                       (RENAME, string("f") + string("g")),
                       (SYMLINK, string("f") + string("g")),
                       (EXTENDED, string("posix-rename@openssh.com")
                        + string("f") + string("g"))):
        tap.equal(c.status(kind, body), DENIED, "-R: type %d" % kind)
    c.list("/")
    body = c.extended("users-groups-by-id@openssh.com", string(u32(0)),
                      string(u32(0)))[1]
    tap.equal(Body(body.string()).string(), b"root", "-R: names")
    tap.equal(c.end(), (0, ""), "-R: to its end")


def request_lists():
    done = subprocess.run([SERVER, "-Q", "requests"], stdout=subprocess.PIPE,
                          check=True)
    names = done.stdout.decode().split()
    tap.equal((len(names), names[0], names[-1]),
              (29, "open", "users-groups-by-id"), "-Q requests")
    c = Client("-P", "stat,statvfs", "-l", "VERBOSE")
    tap.equal(c.status(STAT, string(".")), DENIED, "-P: denied")
    tap.equal(c.status(LSTAT, string(".")), OK, "-P: the others are not")
    tap.ok(b"statvfs@openssh.com" not in c.extensions, "-P: nor offered")
    tap.like(c.end()[1], "^Refusing denylisted stat request\r$", "-P: logged")
    c = Client("-p", "realpath,lstat,rename", "-P", "rename")
    tap.equal((c.status(LSTAT, string(".")), c.status(STAT, string(".")),
               c.status(RENAME, string("a"), string("b"))),
              (OK, DENIED, DENIED), "-p, and -P before it")
    tap.equal(c.extensions, {}, "-p: nothing else is offered")
    for flags in (["-P", "statt"], ["-p", "open,"  "clos"], ["-u", "999"],
                  ["-l", "LOUD"], ["-f", "KERN"], ["-Q", "x"], ["-h"]):
        done = subprocess.run([SERVER, *flags], stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, check=False)
        tap.ok(done.returncode == 1 and b"usage:" in done.stderr,
               "%s is refused with a word" % " ".join(flags))
    done = subprocess.run([SERVER, "-c", "command", "--what"], check=False,
                          stdin=subprocess.DEVNULL)
    tap.equal(done.returncode, 0, "-c: what follows is ignored")


def start_directory():
    there = tempfile.mkdtemp(dir=place)
    os.mkdir(os.path.join(there, user_name()))
    c = Client("-d", there + "/%u")
    tap.equal(c.one_name(REALPATH, string(".")),
              os.fsencode(os.path.join(there, user_name())), "-d with %u")
    c = Client("-d", there + "/%u/none")
    tap.equal(c.one_name(REALPATH, string(".")), os.fsencode(c.cwd),
              "-d that is not there: stay")
    tap.like(c.end()[1], "chdir to .*/none.* failed", "and say so")


def jail():
    for flags in ((), ("-R",)):
        c = Client("-l", "VERBOSE", *flags)
        c.logged()
        if not c.jailed:
            tap.skip("the jail", "no seccomp here, or a sanitizer")
            continue
        tap.equal((c.fact("Seccomp"), c.fact("NoNewPrivs"),
                   int(c.fact("CapEff"), 16) & ~0x1f), ("2", "1", 0),
                  "filter, no new privileges, only capabilities over files")
        tap.ok(int(c.fact("CapPrm"), 16) & ~0x1f == 0
               and int(c.fact("CapInh"), 16) == 0
               and int(c.fact("CapAmb"), 16) == 0, "nor to be had again")
        tap.equal(os.sched_getscheduler(c.process.pid), os.SCHED_BATCH,
                  "it takes the processor from nobody that feeds it")
        with open("/proc/%d/limits" % c.process.pid, encoding="ascii") as f:
            tap.like(f.read(), r"Max core file size +0 +0 ", "no core dump")
        if os.getuid() == 0:
            fds = sorted(os.listdir("/proc/%d/fd" % c.process.pid))
            tap.equal(fds, ["0", "1", "2", "5", "6"],
                      "no descriptor but its three and the stage")
    done = subprocess.run([SERVER, "-Q", "jail"], stdout=subprocess.PIPE,
                          check=True)
    rows = done.stdout.decode().splitlines()
    tap.ok(len(rows) > 50 and all(len(row.split(None, 2)) == 3
                                  for row in rows), "-Q jail: rows, reasons")
    tap.ok(not any(row.startswith(("execve ", "ptrace ", "fork ", "clone "))
                   for row in rows), "nothing that starts or traces")


def inherited_descriptors():
    reading, writing = os.pipe()
    c = Client(pass_fds=(reading, writing))
    os.close(writing)
    closed = select.select([reading], [], [], PATIENCE)[0]
    tap.ok(closed and os.read(reading, 1) == b"",
           "an inherited descriptor is closed")
    tap.equal(c.status(LSTAT, string(".")), OK, "and it serves")


def empty_root():
    if os.getuid() != 0:
        tap.skip("-C", "needs root")
        return
    root = tempfile.mkdtemp(dir=place)
    # A leak checker, if there is one, needs a /proc.
    c = Client("-C", root, env={"ASAN_OPTIONS": "detect_leaks=0"})
    tap.equal(c.one_name(REALPATH, string(".")), b"/", "-C: at its root")
    tap.equal(set(c.list("/")[0]), {b".", b".."}, "-C: which is empty")
    h = c.open("f", F_WRITE | F_CREAT, mode=0o600)
    c.close(h)
    tap.ok(os.path.exists(os.path.join(root, "f")), "-C: files land inside")
    tap.like(c.list("/")[0][b"f"][0], r"^-rw-------    1 root     ",
             "-C: the user's own name is known without any file")
    c.extended("lsetstat@openssh.com", string("f"), attrs(mode=0o640))
    tap.equal(c.stat("/../../f")["mode"], 0o100640, "-C: modes without /proc")
    body = c.extended("users-groups-by-id@openssh.com", string(u32(1)),
                      string(u32(1)))[1]
    tap.equal(Body(body.string()).string(), b"", "-C: others' are not")
    tap.equal(c.end()[0], 0, "-C: to its end")
    os.chmod(place, 0o711)
    os.chmod(root, 0o711)

    def nobody():
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    c = Client(cwd=root, preexec_fn=nobody)
    tap.equal(c.status(OPEN, string("f"), u32(F_READ), attrs()), DENIED,
              "another user's file")
    tap.equal(c.status(OPENDIR, string(".")), DENIED, "and directory")
    tap.equal(c.fact("CapPrm"), "0000000000000000", "no capability at all")


def users_root():
    """As sshd starts it for ChrootDirectory: a user, and one capability."""
    if os.getuid() != 0:
        tap.skip("-C for a user", "needs root")
        return
    root = tempfile.mkdtemp(dir=place)
    os.chmod(place, 0o711)
    os.chmod(root, 0o711)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    more = ["--inh-caps=+sys_chroot", "--ambient-caps=+sys_chroot"]
    c = Client("-C", root, "-l", "INFO", cwd=root, wrap=user + more,
               env={"ASAN_OPTIONS": "detect_leaks=0"})
    tap.equal(c.one_name(REALPATH, string(".")), b"/", "-C as a user")
    tap.equal(os.readlink("/proc/%d/root" % c.process.pid), root,
              "the kernel says so, too")
    tap.equal({c.fact(name) for name in
               ("CapPrm", "CapEff", "CapInh", "CapAmb")}, {"0" * 16},
              "the capability is spent before the first request is answered")
    tap.equal(c.status(MKDIR, string("d"), attrs()), DENIED,
              "and its root is root's")
    tap.equal(c.status(STAT, string("/proc")), NO_FILE, "and empty")
    tap.like(c.end()[1], "^session closed", "its log comes out of it")
    c = Client("-C", root, cwd=root, init=False, wrap=user)
    tap.equal(c.process.wait(PATIENCE), 1, "-C without the capability")
    tap.like(c.logged(), "^cannot enter the root directory: "
             "Operation not permitted", "is refused, and it does not serve")
    c = Client("-C", root + "/none", cwd=root, init=False, wrap=user + more)
    tap.equal(c.process.wait(PATIENCE), 1, "nor a root that is none")


# --- stock sftp --------------------------------------------------------------
def stock(c, commands):
    return subprocess.run(
        ["sftp", "-q", "-b", "-", "-D", SERVER], input=commands.encode(),
        cwd=c, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def stock_sftp():
    if not shutil.which("sftp"):
        tap.skip("stock sftp", "sftp is not installed")
        return
    here = tempfile.mkdtemp(dir=place)
    tree = os.path.join(here, "tree")
    os.makedirs(os.path.join(tree, "sub", "deeper"))
    for name in ("plain", "-dash", "new\nline", "ü ö", "'\"", "sub/x",
                 "sub/deeper/y"):
        with open(os.path.join(tree, name), "wb") as out:
            out.write(os.urandom(70000))
    done = stock(here, "put -r tree there\nget -r there back\n")
    tap.equal(done.returncode, 0, "put -r and get -r", done.stdout)
    done = subprocess.run(["diff", "-r", tree, os.path.join(here, "back")],
                          check=False)
    tap.equal(done.returncode, 0, "come back the same")
    data = os.urandom(3000000)
    for name, size in (("whole", None), ("half", 1000000), ("got", 2000001)):
        with open(os.path.join(here, name), "wb") as out:
            out.write(data[:size])
    done = stock(here, "reput whole half\nreget whole got\n")
    tap.equal(done.returncode, 0, "reput and reget", done.stdout)
    for name in ("half", "got"):
        with open(os.path.join(here, name), "rb") as f:
            tap.ok(f.read() == data, "%s is whole" % name)
    done = stock(here, "ls -la tree\ncp whole copy\nrename copy moved\n"
                 "ln -s moved sym\nln moved hard\nchmod 600 moved\ndf\n"
                 "mkdir m\nrmdir m\nrm hard\n")
    tap.equal(done.returncode, 0, "and the rest of its commands", done.stdout)
    with open(os.path.join(here, "moved"), "rb") as f:
        tap.ok(f.read() == data, "cp by copy-data")


tap.main(greeting, files, handles, handle_limit, attributes, directories,
         listing, renames, links, realpaths, odd_names, large_files,
         file_size_limit, extensions, homes, copy_data, holes, pipelining, writes_of_all_sizes,
         client_that_never_reads, broken_framing, broken_requests,
         special_files, the_end, log, read_only, request_lists,
         start_directory, jail, inherited_descriptors, empty_root,
         users_root, stock_sftp)

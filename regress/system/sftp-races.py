#!/usr/bin/python3
"""Paths that are swapped while sftp-server walks them, and ways out of -C.

A process beside the server moves things as fast as it can; what the server did
must be about one thing, and never about one outside of its root.
"""
import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from rawsftp import *  # its names are the protocol's

ROUNDS = 3000
RENAME_EXCHANGE = 2
AT_FDCWD = -100
libc = ctypes.CDLL(None, use_errno=True)


def exchange(one, other):
    libc.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)


@contextlib.contextmanager
def racing(move):
    """Run move() again and again in a process of its own."""
    pid = os.fork()
    if pid == 0:
        try:
            while True:
                move()
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def file_at(path, mode=0o600):
    with open(path, "wb") as out:
        out.write(b"inside")
    os.chmod(path, mode)
    os.utime(path, (5, 5))
    return path


def one_target():
    """Several attributes at once: all of one file, and none of another."""
    c = Client()
    files = [file_at(c.path(name)) for name in ("a", "b")]
    for name, target in ((b"x", b"a"), (b"y", b"b")):
        os.symlink(target, c.path(name))
    both = hits = 0
    x, y = c.path("x"), c.path("y")
    with racing(lambda: exchange(x, y)):
        for _each in range(ROUNDS):
            c.status(SETSTAT, string("x"),
                     attrs(size=3, mode=0o640, times=(7, 1000)))
            changed = [path for path in files if os.stat(path)[6] != 6
                       or os.stat(path).st_mode & 0o777 != 0o600
                       or os.stat(path).st_mtime != 5]
            both += len(changed) == 2
            hits += len(changed) == 1
            for path in changed:
                file_at(path)
    tap.equal((both, hits), (0, ROUNDS), "each request changed one file")


def link_itself():
    """lsetstat changes no mode through a link that comes in between."""
    c = Client()
    victim = file_at(c.path("victim"))
    file_at(c.path("x"))
    os.symlink("victim", c.path("y"))
    x, y = c.path("x"), c.path("y")
    wrong = 0
    with racing(lambda: exchange(x, y)):
        for _each in range(ROUNDS):
            c.status(EXTENDED, string("lsetstat@openssh.com"), string("x"),
                     attrs(mode=0o666, times=(9, 9)))
            st = os.stat(victim)
            wrong += (st.st_mode & 0o777, st.st_mtime) != (0o600, 5)
    tap.equal(wrong, 0, "lsetstat never followed a link")


def reached(c, path):
    """What a path gives: the kinds of success that must not be."""
    found = []
    for kind in (STAT, LSTAT, OPENDIR):
        if c.status(kind, string(path)) == OK:
            found.append(kind)
    try:
        h = c.open(path)
        found.append(c.read(h, 0, 100))
        c.close(h)
    except Refused:
        pass
    return found


def moved_out():
    """A directory that leaves the root while ".." is taken from below it."""
    top = tempfile.mkdtemp(dir=place)
    root = os.path.join(top, "root")
    os.makedirs(os.path.join(root, "a", "b", "c", "d"))
    os.makedirs(os.path.join(top, "x", "y", "z"))
    with open(os.path.join(top, "secret"), "wb") as out:
        out.write(b"outside")
    inside = os.path.join(root, "a", "b")
    outside = os.path.join(top, "x", "y", "z", "b")

    def move():
        with contextlib.suppress(FileNotFoundError):
            os.rename(inside, outside)
        os.rename(outside, inside)

    for flags in ((), ("-R",)):
        c = Client("-C", root, "-d", "/a/b/c", *flags,
                   env={"ASAN_OPTIONS": "detect_leaks=0"})
        tap.equal(c.one_name(REALPATH, string(".")), b"/a/b/c", "-C and -d")
        os.rename(inside, outside)
        found = [reached(c, "../" * ups + "secret") for ups in range(9)]
        os.rename(outside, inside)
        tap.equal(found, [[]] * 9, "-C %s: not by a start directory that is "
                  "moved out" % " ".join(flags))
        c = Client("-C", root, *flags, env={"ASAN_OPTIONS": "detect_leaks=0"})
        found = []
        with racing(move):
            for _each in range(ROUNDS // 3):
                for path in ("a/b/c/d/../../../../../../secret",
                             "/a/b/c/../../../../../secret"):
                    found += reached(c, path)
                # Clients open by what REALPATH has told them.
                c.status(REALPATH, string("a/b/c/../../../../../secret"))
        with contextlib.suppress(FileNotFoundError):
            os.rename(outside, inside)
        tap.equal(found, [], "-C %s: nothing is found outside of it"
                  % " ".join(flags))


def by_proc():
    """The links of a /proc inside the root lead nowhere, even to a process
    that the user may look into."""
    root = tempfile.mkdtemp(dir=place)
    os.chmod(place, 0o711)
    os.chmod(root, 0o755)
    os.mkdir(os.path.join(root, "proc"))
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    other = subprocess.Popen(user + ["cat"], stdin=subprocess.PIPE, cwd="/")
    running.append(other)
    os.symlink("proc/%d/root" % other.pid, os.path.join(root, "way"))
    mount = ["unshare", "-m", "sh", "-c",
             "mount -t proc proc \"$0\" && exec \"$@\"",
             os.path.join(root, "proc"), *user, "--inh-caps=+sys_chroot",
             "--ambient-caps=+sys_chroot"]
    for flags in ((), ("-R",)):
        c = Client("-C", root, *flags, wrap=mount, cwd=root,
                   env={"ASAN_OPTIONS": "detect_leaks=0"})
        tap.equal(c.status(STAT, string("/proc/%d/stat" % other.pid)), OK,
                  "-C %s: there is a /proc" % " ".join(flags))
        found = []
        for way in ("/proc/%d/root" % other.pid, "/way",
                    "/proc/%d/cwd" % other.pid):
            for path in ("", "/", "/.", "/etc", "/etc/passwd"):
                got = reached(c, way + path)
                # The link itself may be looked at.
                if path == "" and LSTAT in got:
                    got.remove(LSTAT)
                found += got
            if not flags:
                for kind, body in ((MKDIR, attrs()), (REMOVE, b""),
                                   (RMDIR, b""), (SETSTAT, attrs(mode=0))):
                    if c.status(kind, string(way + "/tmp/oe"), body) == OK:
                        found.append((way, kind))
        tap.equal(found, [], "-C %s: but no way out by it" % " ".join(flags))
    other.stdin.close()
    other.wait()


def own_memory():
    c = Client()
    for name in ("/proc/self/mem", "/proc/self/comm",
                 "/proc/%d/mem" % c.process.pid):
        tap.equal(c.status(OPEN, string(name), u32(F_READ | F_WRITE), attrs()),
                  DENIED, "%s is not written to, not even by root" % name)


def confined_paths():
    """-C: each operation, by relative and absolute paths, and at the edges."""
    root = tempfile.mkdtemp(dir=place)
    for flags in ((), ("-R",)):
        c = Client("-C", root, *flags, env={"ASAN_OPTIONS": "detect_leaks=0"})
        c.cwd = root
        for name in ("", "d", "d/e"):
            os.makedirs(os.path.join(root, name), exist_ok=True)
        c.put("d/e/f", b"data")
        for target, name in (("d/e", "rel"), ("/d/e", "abs"), ("loop", "loop"),
                             ("../../../d/e", "up"), ("f", "d/e/l")):
            if not os.path.lexists(os.path.join(root, name)):
                os.symlink(target, os.path.join(root, name))
        for way in ("d/e", "/d/e", "rel", "abs", "up", "./d/../d//e",
                    "/../../d/e"):
            tap.equal((c.read(c.open(way + "/f"), 0, 9),
                       c.read(c.open(way + "/l"), 0, 9),
                       c.stat(way + "/f", STAT)["size"],
                       c.status(READLINK, string(way + "/l")),
                       c.status(READLINK, string(way + "/f")),
                       set(c.list(way)[0])),
                      (b"data", b"data", 4, OK, BAD,
                       {b".", b"..", b"f", b"l"}), "-C: by way of %s" % way)
        for name in ("/", ".", "..", "/..", "d/", "d/.", "d/..", "rel/"):
            tap.equal((c.stat(name)["mode"] & 0o170000,
                       c.stat(name, STAT)["mode"] & 0o170000,
                       c.status(OPENDIR, string(name))),
                      (0o40000, 0o40000, OK), "-C: %s" % name)
        for name, want in (("none", NO_FILE), ("none/x", NO_FILE),
                           ("loop", NO_FILE), ("d/e/f/x", NO_FILE),
                           ("", NO_FILE), ("n" * 256, BAD)):
            tap.equal((c.status(STAT, string(name)),
                       c.status(OPEN, string(name), u32(1), attrs())),
                      (want, want), "-C: %.9s" % name)
    c = Client("-C", root, env={"ASAN_OPTIONS": "detect_leaks=0"})
    c.cwd = root
    for kind, parts, want in (
            (MKDIR, (string("new/"), attrs()), OK),
            (MKDIR, (string("rel/sub"), attrs()), OK),
            (MKDIR, (string("/"), attrs()), FAILURE),
            (SETSTAT, (string("rel"), attrs(mode=0o711, times=(3, 4))), OK),
            (SETSTAT, (string("d/e/l"), attrs(size=2, mode=0)), OK),
            (SETSTAT, (string("d/e/f"), attrs(mode=0o604)), OK),
            (RENAME, (string("d/e/f"), string("abs/g")), OK),
            (RENAME, (string("d/e/g"), string("abs/l")), FAILURE),
            (RENAME, (string("d"), string("d/e/x")), BAD),
            (SYMLINK, (string("g"), string("up/m")), OK),
            (REMOVE, (string("rel/m"),), OK),
            (REMOVE, (string("d"),), FAILURE),
            (RMDIR, (string("new/"),), OK),
            (RMDIR, (string("."),), FAILURE),
            (RMDIR, (string("rel"),), NO_FILE),
            (EXTENDED, (string("hardlink@openssh.com"), string("d/e/g"),
                        string("rel/h")), OK),
            (EXTENDED, (string("posix-rename@openssh.com"), string("abs/h"),
                        string("f")), OK),
            (EXTENDED, (string("statvfs@openssh.com"), string("rel")), OK),
            (EXTENDED, (string("lsetstat@openssh.com"), string("rel"),
                        attrs(times=(1, 2))), OK)):
        tap.equal(c.status(kind, *parts), want, "-C: request %d %r"
                  % (kind, parts[0][4:20]))
    tap.equal((os.stat(root + "/d/e").st_mtime, os.stat(root + "/f").st_mode,
               os.stat(root + "/f").st_size, os.lstat(root + "/rel").st_mtime),
              (os.stat(root + "/d/e").st_mtime, 0o100604, 2, 2),
              "-C: and they did it")


def main():
    tap.need_root()
    tap.main(one_target, link_itself, moved_out, by_proc, own_memory,
             confined_paths)


main()

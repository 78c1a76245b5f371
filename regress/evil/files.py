#!/usr/bin/python3
"""Servers that lie to omniedge scp and sftp: about names, lengths, ids, types,
ends. Each lie ends in an error that says something, or does no harm; nothing
is ever written outside of the target, and nothing crashes."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import tap
from server import built

LIAR = os.path.join(HERE, "sftp_liar.py")
SECONDS = 45
CUT = b"only the beginning"
omniedge = built("omniedge")
top = tempfile.mkdtemp(prefix="oet-liar-")


def clean():
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top + "/in/target")
    os.makedirs(top + "/out")
    with open(top + "/out/file", "wb") as out:
        out.write(b"mine")


def outside():
    """All that is not below the target, and what is in the bait."""
    seen = []
    for folder, folders, files in os.walk(top):
        if folder == top + "/in":
            folders.remove("target")
        seen += [os.path.join(folder, name) for name in files + folders]
    with open(top + "/out/file", "rb") as data:
        return sorted(seen), data.read()


def run(argv, **more):
    return subprocess.run(argv, capture_output=True, timeout=SECONDS,
                          cwd=top + "/in",
                          env=dict(os.environ, HOME=top, LC_ALL="C.UTF-8"),
                          **more)


def copy(lie, *argv):
    return run([omniedge, "scp", "-D", "%s %s %s" % (
        sys.executable, LIAR, lie), *(argv or ("-r", "h:/dir", "target"))])


def harmless(done, name):
    """It ended by itself, touched nothing else, and printed no escape."""
    tap.ok(done.returncode >= 0 and b"Sanitizer" not in done.stderr
           and b"Traceback" not in done.stderr,
           name + ": it ends by itself", done.returncode, done.stderr)
    tap.ok(b"\x1b" not in done.stdout + done.stderr,
           name + ": no escape is printed")


def lies_of_names():
    for lie in ("dotdot", "slash", "inside", "folder-dotdot", "empty", "nul",
                "long", "count", "no-names"):
        clean()
        before = outside()
        done = copy(lie)
        harmless(done, lie)
        tap.ok(done.returncode == 1 and done.stderr, lie + ": an error",
               done.returncode, done.stderr)
        tap.equal(outside(), before, lie + ": nothing outside is touched")
        tap.ok(not os.path.exists("/tmp/escaped"), lie + ": nor far away")
        if lie != "dotdot":
            found = [f for _, _, f in os.walk(top + "/in/target") if f]
            tap.equal(found, [], lie + ": and nothing is made")


def traps():
    clean()
    os.makedirs(top + "/in/target/dir")
    os.symlink("../../../out/file", top + "/in/target/dir/trap")
    os.symlink("../../../out", top + "/in/target/dir/trapdir")
    before = outside()
    done = copy("trap")
    tap.equal(done.returncode, 1, "links that lie in the way: an error")
    tap.like(done.stderr, "symbolic link", "it says why")
    tap.equal(outside(), before, "and what they lead to is left alone")
    clean()
    os.symlink("../../out/file", top + "/in/target/wanted1")
    before = outside()
    done = copy("others", "h:/dir/want*", "target")
    tap.equal((done.returncode, outside()), (1, before),
              "nor by a pattern", done.stderr)


def pipes():
    """A FIFO in the way of a name that the server chose holds nobody."""
    clean()
    os.makedirs(top + "/in/target/dir")
    os.mkfifo(top + "/in/target/dir/one")
    done = copy("none")
    tap.equal((done.returncode, os.path.exists(top + "/in/target/dir/two")),
              (1, True), "a FIFO in a tree", done.stderr)
    tap.like(done.stderr, "is not a file", "it says why")
    os.mkfifo(top + "/in/target/wanted1")
    done = copy("others", "h:/dir/want*", "target")
    tap.equal(done.returncode, 1, "a FIFO where a pattern leads", done.stderr)
    os.mkfifo(top + "/in/target/wanted")
    done = old(b"C0644 4 wanted\ndata\0")
    shutil.rmtree(top + "/bin")
    tap.equal(done.returncode, 1, "-O: a FIFO in the way", done.stderr)
    for words in (("h:/dir/want*",), ("h:/dir/wanted1",)):
        done = copy("others", "-q", *words, "/dev/stdout")
        tap.equal((done.returncode, len(done.stdout)), (0, 1 << 20),
                  "%s to /dev/stdout" % words, done.stderr)


def lies_to_patterns():
    clean()
    done = copy("others", "h:/dir/want*", "target")
    tap.equal((done.returncode, os.listdir(top + "/in/target")),
              (0, ["wanted1"]), "only what matches is taken", done.stderr)
    done = run([omniedge, "sftp", "-D", "%s %s others" % (
        sys.executable, LIAR), "-b", "-"], input=b"get /dir/want* target\n"
        b"ls /dir\n")
    tap.equal((done.returncode, os.listdir(top + "/in/target")),
              (0, ["wanted1"]), "by sftp too", done.stderr)
    for lie in ("twice", "both", "escapes"):
        clean()
        before = outside()
        harmless(copy(lie), lie)
        tap.equal(outside(), before, lie + ": nothing outside is touched")


def lies_of_answers():
    for lie in ("wrong-id", "wrong-type", "handle", "more-data", "no-data",
                "hole", "cut", "status-ok", "status-huge", "answers-twice",
                "banner", "length", "zero", "no-greeting", "version",
                "extension", "silent-end", "size"):
        clean()
        before = outside()
        done = copy(lie, "h:/file", "target")
        harmless(done, lie)
        if lie not in ("answers-twice", "size"):
            tap.ok(done.returncode in (1, 255) and done.stderr,
                   lie + ": an error", done.returncode, done.stderr)
        tap.equal(outside(), before, lie + ": nothing outside is touched")
    done = copy("banner", "h:/file", "target")
    tap.like(done.stderr, "Welcome to", "a login message is shown as such")
    done = run([omniedge, "sftp", "-D", "%s %s two-paths" % (
        sys.executable, LIAR), "-b", "-"], input=b"pwd\n")
    tap.equal(done.returncode, 255, "two answers for one path", done.stderr)


def odd_but_true():
    """What is unusual and no lie still gives the whole file."""
    content = bytes(range(256)) * 4096
    for lie in ("none", "short-data", "limits-small", "limits-zero",
                "limits-huge", "no-attrs"):
        clean()
        done = copy(lie, "h:/file", "target")
        with open(top + "/in/target/file", "rb") as data:
            tap.equal((done.returncode, data.read() == content), (0, True),
                      lie + ": the file is whole", done.stderr)
        done = copy(lie, os.path.realpath(__file__), "h:/file")
        harmless(done, lie + ", up")


def old(said, *argv, flags=(), answers=3):
    """scp -O, the other side being a script that says this, and then takes
    so many bytes of answers, unless it was cut off."""
    os.makedirs(top + "/bin", exist_ok=True)
    with open(top + "/bin/said", "wb") as out:
        out.write(said)
    with open(top + "/bin/scp", "w", encoding="ascii") as out:
        out.write("#!/bin/sh\ncat %s/bin/said\nhead -c %d > /dev/null\n" % (
            top, 0 if said.endswith(CUT) else answers))
    os.chmod(top + "/bin/scp", 0o755)
    return subprocess.run(
        [omniedge, "scp", "-O", "-D", "x", *flags,
         *(argv or ("h:wanted", "target"))], capture_output=True,
        timeout=SECONDS, cwd=top + "/in", env=dict(
            os.environ, HOME=top, PATH=top + "/bin:" + os.environ["PATH"]))


def lies_of_the_old_protocol():
    for name, said, flags in (
            ("up and out", b"C0644 4 ../escaped\ndata\0", ()),
            ("far away", b"C0644 4 /tmp/escaped\ndata\0", ()),
            ("..", b"D0755 0 ..\nC0644 4 escaped\ndata\0E\n", ("-r",)),
            ("another name", b"C0644 4 other\ndata\0", ()),
            ("another directory", b"D0755 0 other\nE\n", ("-r",)),
            ("a directory without -r", b"D0755 0 wanted\nE\n", ()),
            ("an end of nothing", b"E\n", ("-r",)),
            ("no size", b"C0644 -4 wanted\n", ()),
            ("a size too large", b"C0644 99999999999999999999 wanted\n", ()),
            ("no mode", b"C9999 4 wanted\ndata\0", ()),
            ("no times", b"Tmorning\n", ("-p",)),
            ("no name", b"C0644 4 \ndata\0", ()),
            ("a line without end", b"C" * 100000, ()),
            ("half a file", b"C0644 400 wanted\n" + CUT, ()),
            ("what is no protocol", b"Welcome!\n", ()),
            ("escapes", b"\2\033]0;owned\007\n", ())):
        clean()
        before = outside()
        done = old(said, flags=flags)
        shutil.rmtree(top + "/bin")
        harmless(done, "-O, " + name)
        tap.equal(done.returncode, 1, "-O, %s: an error" % name, done.stderr)
        tap.ok(done.stderr, "-O, %s: that says something" % name)
        tap.equal(outside(), before, "-O, %s: nothing outside" % name)
    clean()
    done = old(b"D0755 0 wanted\n" * 100, flags=["-r"], answers=200)
    shutil.rmtree(top + "/bin")
    tap.equal(done.returncode, 1, "-O: too deep")
    tap.like(done.stderr, "depth exceeded", "-O: and it says so")
    clean()
    os.symlink("../../out/file", top + "/in/target/wanted")
    before = outside()
    done = old(b"C0644 4 wanted\ndata\0")
    shutil.rmtree(top + "/bin")
    tap.equal((done.returncode, outside()), (1, before),
              "-O: a link in the way is not followed", done.stderr)
    clean()
    done = old(b"C4755 4 wanted1\ndata\0", "h:want{ed1,s}", "target")
    tap.equal((done.returncode, oct(os.stat(
        top + "/in/target/wanted1").st_mode & 0o7777)), (0, "0o755"),
        "-O: braces match, and a set-id bit is not taken", done.stderr)


def lies_of_owners():
    for lie in ("owners", "owners-few", "owners-cut", "owners-long"):
        clean()
        done = run([omniedge, "sftp", "-D", "%s %s %s" % (
            sys.executable, LIAR, lie), "-b", "-"], input=b"ls -lh /dir\n")
        harmless(done, lie)
        tap.equal((done.returncode, done.stdout.count(b"\n")), (0, 3),
                  lie + ": the lines are there", done.stdout, done.stderr)


def without_end():
    clean()
    for what, argv in (("ls", b"ls /dir\n"), ("get", b"get /dir/* target\n")):
        done = run([omniedge, "sftp", "-D", "%s %s endless" % (
            sys.executable, LIAR), "-b", "-"], input=argv)
        tap.equal((done.returncode, done.stdout.count(b"\n")), (1, 1),
                  what + " of an endless directory is an error")
        tap.like(done.stderr, "too many names", "that says so")
    done = copy("loop")
    harmless(done, "directories in directories without end")
    tap.equal(done.returncode, 1, "are an error")
    tap.like(done.stderr, "depth", "that says so")


def write_fails():
    clean()
    done = copy("write-fails", "../out/file", "h:/file")
    tap.equal(done.returncode, 1, "a write that fails is an error")
    tap.like(done.stderr, "write remote", "that says so")


try:
    tap.main(lies_of_names, traps, pipes, lies_to_patterns, lies_of_answers,
             lies_of_the_old_protocol, odd_but_true, lies_of_owners, without_end,
             write_fails)
finally:
    shutil.rmtree(top, ignore_errors=True)

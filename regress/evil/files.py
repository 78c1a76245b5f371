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
SECONDS = 120
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
    tap.main(lies_of_names, traps, lies_to_patterns, lies_of_answers,
             odd_but_true, without_end, write_fails)
finally:
    shutil.rmtree(top, ignore_errors=True)

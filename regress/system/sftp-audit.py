#!/usr/bin/python3
"""The audit record of sftp-server: what it says, and that nobody forges it."""
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from rawsftp import *  # its names are the protocol's

ALWAYS = {"time", "pid", "seq", "user", "uid", "from", "op", "result", "usec"}
AGAIN_MAX = 256 << 20


def auditor(*flags, **more):
    return Client("-j", "LOCAL0", "-l", "QUIET", *flags, **more)


def records(c):
    """Each line of the log, which has to be a record and nothing else."""
    return [json.loads(line) for line in c.logged().splitlines()]


def one(found, **wanted):
    """The only record that has these members."""
    hits = [r for r in found if wanted.items() <= r.items()]
    if not tap.ok(len(hits) == 1, "one record has %s" % wanted, found):
        return {}
    return hits[0]


def sha(data):
    return hashlib.sha256(data).hexdigest()


def what_is_told():
    c = auditor(cwd=None)
    here = os.path.join(c.cwd, "")
    h = c.open("f", F_WRITE | F_CREAT | F_TRUNC, mode=0o640)
    c.write(h, 0, b"12345")
    c.close(h)
    h = c.open("f")
    c.read(h, 1, 3)
    c.close(h)
    c.call(SETSTAT, string("f"), attrs(size=4, mode=0o600, times=(5, 6),
                                       owner=(os.getuid(), os.getgid())))
    c.call(MKDIR, string("d"), attrs(mode=0o700))
    c.call(RENAME, string("f"), string("d/g"))
    c.call(SYMLINK, string("../t"), string("d/l"))
    c.extended("hardlink@openssh.com", string("d/g"), string(here + "h"))
    c.extended("posix-rename@openssh.com", string("h"), string("d/g2"))
    c.extended("lsetstat@openssh.com", string("d/l"), attrs(times=(1, 2)))
    a, b = c.open("d/g"), c.open("copy", F_WRITE | F_CREAT)
    c.extended("copy-data", string(a), u64(0), u64(0), string(b), u64(0))
    c.call(FSETSTAT, string(b), attrs(mode=0o400))
    c.close(a)
    c.close(b)
    c.list("d")
    c.call(REMOVE, string("d/g"))
    c.status(REMOVE, string("d/g"))
    c.status(RMDIR, string("d"))
    c.stat("copy")
    code = c.end()[0]
    found = records(c)
    tap.ok(all(ALWAYS <= set(r) for r in found), "who, what, when, how long")
    tap.equal([r["seq"] for r in found], list(range(len(found))), "numbered")
    tap.equal({(r["pid"], r["uid"], r["from"]) for r in found},
              {(c.process.pid, os.getuid(), "192.0.2.7")}, "of this session")
    tap.ok(all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
                            r["time"]) for r in found), "times in UTC")
    tap.equal((found[0]["op"], found[0]["path"], found[-1]["op"], code),
              ("session-open", c.cwd, "session-close", 0), "first and last")
    tap.equal((found[-1]["read"], found[-1]["written"]), (3 + 4, 5 + 4),
              "bytes of the whole session")
    opened = one(found, op="open", path=here + "f", flags="WRITE,CREATE,"
                 "TRUNCATE", mode="0640", result="Success")
    one(found, op="close", path=here + "f", file=opened["file"], read=0,
        written=5, result="Success")
    one(found, op="close", path=here + "f", read=3, written=0)
    one(found, op="setstat", path=here + "f", size=4, mode="0600", atime=5,
        mtime=6, owner=os.getuid(), group=os.getgid())
    one(found, op="mkdir", path=here + "d", mode="0700")
    one(found, op="rename", path=here + "f", to=here + "d/g")
    one(found, op="symlink", path=here + "d/l", target="../t")
    one(found, op="hardlink", path=here + "d/g", to=here + "h")
    one(found, op="posix-rename", path=here + "h", to=here + "d/g2")
    one(found, op="lsetstat", path=here + "d/l", mtime=2)
    one(found, op="copy-data", path=here + "d/g", to=here + "copy", bytes=4)
    one(found, op="fsetstat", path=here + "copy", mode="0400")
    one(found, op="opendir", path=here + "d")
    one(found, op="closedir", path=here + "d")
    one(found, op="remove", result="Success")
    one(found, op="remove", result="No such file",
        error="No such file or directory")
    one(found, op="rmdir", result="Failure", error="Directory not empty")
    tap.ok(not any(r["op"] in ("stat", "lstat", "read", "write")
                   for r in found), "looking is not recorded")


def refused():
    c = auditor("-P", "remove,rename")
    c.put("f", b"x")
    tap.equal(c.status(REMOVE, string("f")), DENIED, "denied")
    tap.equal(c.status(REMOVE, u32(99)), DENIED, "denied, and broken")
    c.status(MKDIR, string(b"x\0y"), attrs())
    c.end()
    found = records(c)
    one(found, op="remove", result="Permission denied",
        path=os.path.join(c.cwd, "f"))
    hits = [r for r in found if r["op"] in ("remove", "mkdir")
            and "path" not in r]
    tap.equal(len(hits), 2, "a broken request has no path, not another's")
    c = auditor("-R")
    c.status(OPEN, string("new"), u32(F_WRITE | F_CREAT), attrs())
    c.end()
    found = records(c)
    tap.equal(found[0].get("readonly"), True, "-R is told")
    one(found, op="open", result="Permission denied",
        path=os.path.join(c.cwd, "new"))


def forging():
    c = auditor()
    names = [b'x","op":"session-close","result":"Success"}\r\n{"op":"x',
             b"\x1b[2J", b"\xff\xfe", b"\xc0\xafetc", "\u00fc\u20ac\U0001f600"
             .encode(), b"\xe2\x80\xa8", b"q\"\\", b"\n"]
    for name in names:
        c.call(MKDIR, string(name), attrs())
    c.status(MKDIR, string(b"n" * 4095), attrs())
    c.status(RENAME, string(b"\xff" * 4095), string(b"\n" * 4095))
    c.end()
    text = c.logged()
    tap.ok(re.fullmatch(r"([ -~]+\n)+", text.replace("\r\n", "\n")),
           "nothing but printable ASCII")
    found = records(c)
    made = [r for r in found if r["op"] == "mkdir"]
    tap.equal(len(found), len(names) + 4, "one line a record, none forged")
    for name, record in zip(names, made):
        path = os.fsencode(c.cwd) + b"/" + name
        if "path_hex" in record:
            tap.equal(bytes.fromhex(record["path_hex"]), path,
                      "%r: its bytes" % name)
        else:
            tap.equal(record["path"].encode(), path, "%r: as text" % name)
    long = one(found, op="mkdir", path_cut=len(c.cwd) + 1 + 4095)
    tap.ok(long["path"].startswith(c.cwd + "/nnn"), "a long one is cut")
    long = one(found, op="rename")
    tap.ok(long["path_cut"] == long["to_cut"] == len(c.cwd) + 1 + 4095
           and long["result"] == "Bad message", "and two of the worst")


def digests():
    c = auditor("-J", "sha256")
    data = os.urandom(300000)

    def write(name, order, flags=F_WRITE | F_CREAT | F_TRUNC, close=True):
        h = c.open(name, flags)
        for at, size in order:
            c.write(h, at, data[at:at + size])
        if close:
            c.close(h)
        return h

    write("whole", [(0, 100000), (100000, 100000), (200000, 100000)])
    write("backwards", [(200000, 100000), (0, 200000)])
    c.put("part", data[:50000] + b"?" * 100 + data[50100:])
    write("part", [(50000, 100)], F_WRITE)
    c.put("append", data[:10])
    write("append", [(10, 20)], F_WRITE | F_APPEND)
    h = write("cut", [(0, 1000)], close=False)
    c.call(FSETSTAT, string(h), attrs(size=10))
    c.call(FSETSTAT, string(h), attrs(size=1000))
    c.close(h)
    c.put("source", data)
    h = c.open("source")
    for at in range(0, len(data), 32768):
        c.read(h, at, 32768)
    tap.equal(c.status(READ, string(h), u64(len(data)), u32(1)), EOF, "at end")
    c.close(h)
    h = c.open("source")
    c.read(h, 1000, 5)
    c.close(h)
    h = c.open("source")
    to = c.open("copied", F_WRITE | F_CREAT)
    c.extended("copy-data", string(h), u64(0), u64(0), string(to), u64(0))
    tap.equal(c.status(READ, string(to), u64(0), u32(1)), NO_FILE,
              "a handle for writing still cannot be read")
    c.close(to)
    c.close(h)
    os.truncate(c.path("source"), AGAIN_MAX + 1)
    h = c.open("source")
    c.read(h, 5, 5)
    c.close(h)
    c.close(c.open("whole"))
    if os.getuid() != 0:
        os.chmod(c.path("whole"), 0o200)
    c.end()
    found = [r for r in records(c) if r["op"] == "close"]
    for number, (name, content, how) in enumerate((
            ("whole", data, "stream"), ("backwards", data, "file"),
            ("part", data, "file"), ("append", data[:30], "file"),
            ("cut", data[:10] + bytes(990), "file"),
            ("source", data, "stream"), ("source", data, "file"),
            ("copied", data, "file"), ("source", data, "file"))):
        tap.equal((found[number]["path"], found[number].get("sha256"),
                   found[number].get("sha256_of")),
                  (os.path.join(c.cwd, name), sha(content), how),
                  "the digest of %s, of the %s" % (name, how))
    tap.equal((found[9].get("sha256"), found[9].get("sha256_error")),
              (None, "File too large"), "of a file that is too large: none")
    tap.ok("sha256" not in found[10] and "sha256_error" not in found[10],
           "nor when nothing was moved")


def the_end():
    c = auditor("-J", "sha256")
    c.write(c.open("f", F_WRITE | F_CREAT), 0, b"abc")
    c.call(OPENDIR, string("."))
    c.process.send_signal(signal.SIGTERM)
    c.process.wait(PATIENCE)
    found = records(c)
    one(found, op="close", forced=True, written=3, sha256=sha(b"abc"))
    one(found, op="closedir", forced=True)
    tap.equal((found[-1]["op"], found[-1]["result"] != "Success"),
              ("session-close", True), "a session that was ended says so")


def in_a_root():
    if os.getuid() != 0:
        tap.skip("-C", "needs root")
        return
    root = tempfile.mkdtemp(dir=place)
    c = auditor("-C", root, env={"ASAN_OPTIONS": "detect_leaks=0"})
    c.call(MKDIR, string("d"), attrs())
    c.end()
    found = records(c)
    tap.equal((found[0]["root"], found[0]["path"], found[1]["path"]),
              (root, "/", "/d"), "-C: the root, and paths inside of it")


def flags():
    for given in (["-j", "KERN"], ["-J", "md5", "-j", "AUTH"],
                  ["-J", "sha256"]):
        done = subprocess.run([SERVER, *given], stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, check=False)
        tap.ok(done.returncode == 1 and b"usage:" in done.stderr,
               "%s is refused with a word" % " ".join(given), done.stderr)
    c = Client("-l", "VERBOSE")
    c.call(MKDIR, string("d"), attrs())
    tap.unlike(c.end()[1], "{", "without -j there is none")


tap.main(what_is_told, refused, forging, digests, the_end, in_a_root, flags)

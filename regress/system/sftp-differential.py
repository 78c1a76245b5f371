#!/usr/bin/python3
"""Our sftp-server beside OpenSSH's: the same requests, the same replies.

Each script is played to both, one after the other, in a tree that is made anew
at the same place. Replies, the log's lines and the tree that is left behind
must be equal; each difference is a row of EXPLAINED, with its reason, and man/
sftp-server.8 tells users of those that they can see.
"""
import difflib
import os
import re
import shutil
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from rawsftp import *  # its names are the protocol's

THEIRS = "/usr/lib/openssh/sftp-server"
USER = 65534
OLD = 1000000000
LONG_LINE = 1000
STATUS_NAMES = ("OK EOF NO_SUCH_FILE PERMISSION_DENIED FAILURE BAD_MESSAGE "
                "NO_CONNECTION CONNECTION_LOST OP_UNSUPPORTED").split()
TREE = os.path.join(place, "tree")
POSIX_RENAME, STATVFS, FSTATVFS, HARDLINK, FSYNC, LSETSTAT, LIMITS, EXPAND, \
    COPY, HOME, NAMES = EXTENSIONS


# --- the tree that each script finds -----------------------------------------
def make_tree(owner):
    shutil.rmtree(TREE, ignore_errors=True)
    os.umask(0o022)
    for path, mode in (("", 0o755), ("d", 0o755), ("d/sub", 0o755),
                       ("noexec", 0o644), ("noread", 0o311),
                       ("closed", 0), ("roots", 0o755), ("void", 0o755)):
        os.mkdir(os.path.join(TREE, path))
        if path not in ("", "d/sub", "void"):
            put(path + "/in", b"inside")
    put("f", b"hello world\n")
    put("empty", b"")
    put("big", bytes(range(256)) * 3000)
    put("readonly", b"r", 0o444)
    put("modeless", b"m", 0)
    put("suid", b"s", 0o6755)
    put("root-file", b"x", 0o600)
    put("new\nline", b"n")
    put("\u00fc", b"u")
    os.link(os.path.join(TREE, "f"), os.path.join(TREE, "hard"))
    os.mkfifo(os.path.join(TREE, "fifo"), 0o644)
    for target, name in (("f", "to-f"), ("d", "to-d"), ("nowhere", "dangling"),
                         ("loop", "loop"), ("/", "to-root"),
                         ("closed/in", "to-closed"), ("fifo", "to-fifo")):
        os.symlink(target, os.path.join(TREE, name))
    for path, mode in (("noexec", 0o644), ("noread", 0o311), ("closed", 0)):
        os.chmod(os.path.join(TREE, path), mode)
    for folder, folders, files in os.walk(TREE):
        for name in folders + files:
            path = os.path.join(folder, name)
            mine = "root" in path.replace(TREE, "")
            os.utime(path, (OLD, OLD + 7), follow_symlinks=False)
            if not mine:
                mode = os.lstat(path).st_mode
                os.chown(path, owner, owner, follow_symlinks=False)
                if not stat.S_ISLNK(mode):
                    os.chmod(path, stat.S_IMODE(mode))
    os.chown(TREE, owner, owner)


def put(path, data, mode=0o644):
    with open(os.path.join(TREE, path), "wb") as out:
        out.write(data)
    os.chmod(os.path.join(TREE, path), mode)


def tree_facts():
    """What is left behind: kind, mode, owner, size, content or target."""
    facts = {}
    for folder, folders, files in os.walk(os.fsencode(TREE)):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            what = ()
            if stat.S_ISREG(st.st_mode):
                with open(path, "rb") as data:
                    what = data.read()
            elif stat.S_ISLNK(st.st_mode):
                what = os.readlink(path)
            facts[os.path.relpath(path, os.fsencode(TREE))] = (
                oct(st.st_mode), st.st_uid, st.st_gid, st.st_nlink,
                st.st_mtime if st.st_mtime < OLD * 1.5 else "now", what)
    return facts


# --- one script on one server ------------------------------------------------
class Player:
    """Plays requests and keeps what came of each, by its label."""
    def __init__(self, server, user, flags):
        wrap = [] if user == 0 else [
            "setpriv", "--reuid=%d" % user, "--regid=%d" % user,
            "--clear-groups"]
        self.began = time.time()
        self.client = Client("-l", "VERBOSE", *flags, cwd=TREE, wrap=wrap,
                             server=server)
        self.seen = {"extensions": list(self.client.extensions.items())}
        self.dead = False

    def do(self, label, kind, *parts):
        """One request. A handle, or what else the reply brought."""
        assert label not in self.seen, label
        if self.dead:
            self.seen[label] = "not asked"
            return b"\0\0\0\0"
        try:
            self.client.send(kind, u32(7) + b"".join(parts))
            got, body = self.client.receive()
        except (EOFError, OSError):
            self.dead = True
            self.seen[label] = "ended the session"
            return b"\0\0\0\0"
        assert body.u32() == 7
        handle = body.data[4:] if got == HANDLE else b"\0\0\0\0"
        self.seen[label] = self.shown(kind, parts, got, body)
        assert not body.data, "bytes behind a reply"
        return handle

    def ext(self, label, name, *parts):
        return self.do(label, EXTENDED, string(name), *parts)

    def shown(self, kind, parts, got, body):
        if got == STATUS:
            return STATUS_NAMES[body.u32()], body.string(), body.string()
        if got == HANDLE:
            body.string()
            return "a handle"
        if got == DATA:
            return body.string()
        if got == ATTRS:
            return self.clock(body.attrs())
        if got == NAME:
            return [self.named(body) for _each in range(body.u32())]
        if kind == EXTENDED and parts[0] in (string(STATVFS),
                                             string(FSTATVFS)):
            fields = [body.u64() for _each in range(11)]
            return fields[:3] + fields[8:]  # without what is free
        data, body.data = body.data, b""
        return data

    def named(self, body):
        name, longname, found = body.string(), body.string(), body.attrs()
        if self.clock(found).get("times") != found.get("times"):
            longname = re.sub(rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d", b"now",
                              longname)
        return name, longname, self.clock(found)

    def clock(self, found):
        if "times" in found:
            found = dict(found, times=tuple(
                "now" if t > self.began - 10 else t for t in found["times"]))
        return found

    def end(self):
        if not self.dead:
            self.client.process.stdin.close()
        code = self.client.process.wait(PATIENCE)
        log = [line for line in self.client.logged().splitlines()
               if not line.startswith("jail:")]
        return code, log


# --- the scripts -------------------------------------------------------------
PATHS = ("f", "d", "to-f", "to-d", "dangling", "loop", "none", "none/x", "f/x",
         "f/", "d/", "d/..", "", ".", "/", "noexec/in", "noread/in",
         "closed/in", "closed", "to-closed", "new\nline", "\u00fc", "n" * 255,
         "n" * 256, "d/" * 2047, "fifo", "to-root", "root-file", "roots/in",
         "modeless", "readonly")


def looking(p):
    for path in PATHS:
        shown = path[:12]
        p.do("STAT %r %d" % (shown, len(path)), STAT, string(path))
        p.do("LSTAT %r %d" % (shown, len(path)), LSTAT, string(path))
        p.do("READLINK %r %d" % (shown, len(path)), READLINK, string(path))
        p.do("REALPATH %r %d" % (shown, len(path)), REALPATH, string(path))
        p.ext("statvfs %r %d" % (shown, len(path)), STATVFS, string(path))
        p.ext("expand %r %d" % (shown, len(path)), EXPAND, string(path))
    for path in ("~", "~/", "~/d", "~/none", "~/none/x", "~root", "~root/x",
                 "~no-such-user", "~no-such-user/x", "~daemon/../..", "/../x",
                 "d/../../tree/./d//sub", "to-d/sub/../..", "//", "/.",
                 "to-root/etc/hosts", "to-d/none", "dangling/x", "loop/x"):
        p.ext("expand " + path, EXPAND, string(path))
        p.do("REALPATH " + path, REALPATH, string(path))
    for user in ("", "root", "daemon", "no-such-user"):
        p.ext("home of %r" % user, HOME, string(user))
    p.ext("names", NAMES, string(u32(0, 1, 2, 99999)), string(u32(0, 5, 9999)))
    p.ext("no names", NAMES, string(b""), string(b""))
    p.ext("unknown", b"what@example.com", string("x"))


def opening(p):
    flags = {"": 0, "r": F_READ, "w": F_WRITE, "rw": 3, "ra": 5, "wa": 6,
             "rc": 9, "wc": 10, "wct": 26, "rt": 17, "wcx": 42, "rcx": 41,
             "x": 32, "wx": 34, "c": 8, "wac": 14, "all": 63}
    for path in ("f", "d", "to-f", "dangling", "loop", "none/x", "readonly",
                 "root-file", "roots/new", "closed/in", ""):
        for name, bits in flags.items():
            h = p.do("OPEN %r %s" % (path, name), OPEN, string(path),
                     u32(bits), attrs())
            p.do("FSTAT of %r %s" % (path, name), FSTAT, string(h))
            p.do("CLOSE of %r %s" % (path, name), CLOSE, string(h))
    for mode in (0o600, 0o777, 0o6755, 0o100644, 0o40755):
        h = p.do("OPEN mode %o" % mode, OPEN, string("m%o" % mode),
                 u32(F_WRITE | F_CREAT), attrs(mode=mode))
        p.do("FSTAT mode %o" % mode, FSTAT, string(h))
        p.do("CLOSE mode %o" % mode, CLOSE, string(h))
    p.do("OPEN with size", OPEN, string("sized"), u32(F_WRITE | F_CREAT),
         attrs(size=100, mode=0o640, times=(1, 2)))


def moving_bytes(p):
    r = p.do("open r", OPEN, string("f"), u32(F_READ), attrs())
    w = p.do("open w", OPEN, string("w"), u32(F_WRITE | F_CREAT), attrs())
    b = p.do("open rw", OPEN, string("big"), u32(3), attrs())
    a = p.do("open a", OPEN, string("empty"), u32(F_WRITE | F_APPEND), attrs())
    ra = p.do("open ra", OPEN, string("hard"), u32(F_READ | F_APPEND), attrs())
    d = p.do("opendir", OPENDIR, string("d"))
    far = (1 << 63) - 1
    for name, h in (("r", r), ("w", w), ("rw", b), ("a", a), ("d", d),
                    ("stale", b"\0\0\0\x63"), ("short", b"\0"), ("no", b""),
                    ("long", b"x" * 255), ("longest", b"x" * 256)):
        for at, count in ((0, 5), (6, 100), (12, 1), (12, 0), (99, 1),
                          (far, 1), (1 << 63, 1), ((1 << 64) - 1, 1),
                          (0, 0), (0, 0xffffffff)):
            p.do("READ %s %d+%d" % (name, at, count), READ, string(h), u64(at),
                 u32(count))
        p.do("FSTAT " + name, FSTAT, string(h))
        p.ext("fstatvfs " + name, FSTATVFS, string(h))
        p.ext("fsync " + name, FSYNC, string(h))
        for at in (0, 3, far, 1 << 63, (1 << 64) - 1):
            p.do("WRITE %s %d" % (name, at), WRITE, string(h), u64(at),
                 string("XY"))
        p.do("WRITE nothing " + name, WRITE, string(h), u64(0), string(""))
        p.do("FSETSTAT nothing " + name, FSETSTAT, string(h), attrs())
    p.do("READ ra", READ, string(ra), u64(0), u32(4))
    for name, h in (("r", r), ("w", w), ("d", d)):
        p.do("CLOSE " + name, CLOSE, string(h))
        p.do("CLOSE again " + name, CLOSE, string(h))
    p.do("READ closed", READ, string(r), u64(0), u32(4))


def copying(p):
    r = p.do("open r", OPEN, string("big"), u32(F_READ), attrs())
    r2 = p.do("open r2", OPEN, string("big"), u32(3), attrs())
    hard = p.do("open hard", OPEN, string("hard"), u32(F_READ), attrs())
    same = p.do("open same", OPEN, string("f"), u32(F_WRITE), attrs())
    a = p.do("open a", OPEN, string("empty"), u32(F_WRITE | F_APPEND), attrs())
    d = p.do("opendir", OPENDIR, string("d"))
    n = 0
    for name, source, numbers in (
            ("whole", r, (0, 0, 0)), ("part", r, (10, 70000, 5)),
            ("to the end", r, (767000, 1000, 0)), ("from the end", r,
                                                   (768000, 0, 0)),
            ("beyond", r, (999999, 0, 3)), ("beyond by count", r,
                                            (999999, 5, 3)),
            ("more than there is", r, (767990, 100, 0)),
            ("much more than there is", r, (0, 1 << 40, 0)),
            ("from far", r, (1 << 63, 1, 0)), ("to far", r, (0, 1, 1 << 63)),
            ("from a directory", d, (0, 0, 0)),
            ("from nothing", b"\0\0\0\x63", (0, 0, 0))):
        n += 1
        to = p.do("open for " + name, OPEN, string("to%d" % n),
                  u32(F_WRITE | F_CREAT), attrs())
        p.ext("copy " + name, COPY, string(source), u64(numbers[0]),
              u64(numbers[1]), string(to), u64(numbers[2]))
    for name, source, to in (("to itself", r2, r2), ("same name", r, r2),
                             ("same file", hard, same), ("to a reader", r, r),
                             ("append", r, a), ("to a directory", r, d),
                             ("to nothing", r, b"\0\0\0\x63")):
        p.ext("copy " + name, COPY, string(source), u64(0), u64(0),
              string(to), u64(0))
    s = p.do("open set-id", OPEN, string("suid"), u32(F_WRITE), attrs())
    p.ext("copy to set-id", COPY, string(hard), u64(0), u64(0), string(s),
          u64(0))
    p.do("FSTAT set-id", FSTAT, string(s))


def setting(p):
    every = (("size", attrs(size=3)), ("mode", attrs(mode=0o4640)),
             ("mode with type", attrs(mode=0o40711)),
             ("times", attrs(times=(5, 6))), ("owner", attrs(owner=(99, 99))),
             ("own", attrs(owner=(USER, USER))), ("nothing", attrs()),
             ("size and mode", attrs(size=1 << 63, mode=0o600)),
             ("all", attrs(size=5, mode=0o6755, owner=(USER, USER),
                           times=(77, 78))),
             ("late times", attrs(times=(0xffffffff, 0xffffffff))),
             ("unknown", u32(A_EXTENDED, 1) + string("a") + string("b")))
    for path in ("f", "d", "to-f", "to-d", "dangling", "none", "root-file",
                 "closed/in", "readonly", "fifo", "suid", "", "f/x", "loop"):
        for name, a in every:
            p.do("SETSTAT %r %s" % (path, name), SETSTAT, string(path), a)
            p.do("then %r %s" % (path, name), LSTAT, string(path))
            p.ext("lsetstat %r %s" % (path, name), LSETSTAT, string(path), a)
            p.do("and %r %s" % (path, name), LSTAT, string(path))
    h = p.do("open", OPEN, string("big"), u32(F_WRITE), attrs())
    r = p.do("open r", OPEN, string("big"), u32(F_READ), attrs())
    for kind, handle in (("w", h), ("r", r), ("none", b"")):
        for name, a in every:
            p.do("FSETSTAT %s %s" % (kind, name), FSETSTAT, string(handle), a)
            p.do("FSTAT %s %s" % (kind, name), FSTAT, string(handle))


def making(p):
    for path in ("new", "new/sub", "f", "to-f", "dangling", "none/x", "",
                 ".", "d/", "newer/", "roots/x", "closed/x", "n" * 256):
        shown = path[:12]
        p.do("MKDIR %r" % shown, MKDIR, string(path), attrs())
        p.do("SYMLINK %r" % shown, SYMLINK, string("tar/get"), string(path))
        p.ext("hardlink %r" % shown, HARDLINK, string("f"), string(path))
    for mode in (0o700, 0o1777, 0o40777, 0o2755):
        p.do("MKDIR %o" % mode, MKDIR, string("m%o" % mode), attrs(mode=mode))
        p.do("LSTAT %o" % mode, LSTAT, string("m%o" % mode))
    p.do("SYMLINK of nothing", SYMLINK, string(""), string("l0"))
    p.do("SYMLINK of much", SYMLINK, string("t" * 4095), string("l1"))
    p.do("READLINK of much", READLINK, string("l1"))
    for path in ("d", "none", "to-f", "dangling", "loop", "closed/in", "",
                 "f/x", "roots/in", "void", "fifo", ".", "..", "d/"):
        p.do("REMOVE %r" % path, REMOVE, string(path))
        p.do("RMDIR %r" % path, RMDIR, string(path))
    for old, new in (("f", "none/x"), ("d", "e/x"), ("loop", "x"),
                     ("hard", "h2")):
        p.ext("hardlink from %r" % old, HARDLINK, string(old), string(new))


def renaming(p):
    pairs = (("f", "g"), ("g", "f"), ("f", "f"), ("f", "hard"), ("f", "d"),
             ("f", "void"), ("f", "to-d"), ("f", "dangling"),
             ("f", "none/x"), ("none", "x"), ("f/x", "y"), ("f", "g/"),
             ("g", "f"), ("d", "void"), ("d", "dd"), ("dd", "d"),
             ("d", "d/sub/x"), ("d", "f"), ("d", "dangling"),
             ("to-f", "void"), ("to-f", "l"), ("l", "to-f"), ("to-f", "to-d"),
             ("to-f", "dangling"), ("dangling", "dang"), ("dang", "f"),
             ("fifo", "pipe"), ("pipe", "fifo"), ("fifo", "f"),
             ("closed/in", "x"), ("f", "closed/x"), ("f", "roots/x"),
             ("roots/in", "x"), ("", "x"), ("f", ""), (".", "x"), ("d", "."),
             ("f", "n" * 256), ("loop", "loop2"), ("f", "loop2/x"),
             ("f", "d/f"), ("d/f", "f"))
    for i, (old, new) in enumerate(pairs):
        p.do("RENAME %d %r %r" % (i, old, new[:12]), RENAME, string(old),
             string(new))
    for i, (old, new) in enumerate(pairs):
        p.ext("posix-rename %d %r %r" % (i, old, new[:12]), POSIX_RENAME,
              string(old), string(new))


def listing(p):
    for path in ("d", "to-d", ".", "f", "none", "closed", "noexec", "noread",
                 "", "dangling", "loop", "d/", "fifo"):
        h = p.do("OPENDIR %r" % path, OPENDIR, string(path))
        p.do("READDIR %r" % path, READDIR, string(h))
        p.do("READDIR on %r" % path, READDIR, string(h))
        p.do("READ on %r" % path, READ, string(h), u64(0), u32(1))
        p.do("FSTAT on %r" % path, FSTAT, string(h))
        p.do("CLOSE on %r" % path, CLOSE, string(h))
    h = p.do("open", OPEN, string("f"), u32(F_READ), attrs())
    p.do("READDIR on a file", READDIR, string(h))
    p.do("OPEN of a directory", OPEN, string("d"), u32(F_READ), attrs())


def read_only(p):
    h = p.do("open", OPEN, string("f"), u32(F_READ), attrs())
    for bits in (0, 1, 2, 3, 5, 8, 9, 17, 33):
        p.do("OPEN %d" % bits, OPEN, string("f"), u32(bits), attrs())
    for name, kind, parts in (
            ("READ", READ, (string(h), u64(0), u32(3))),
            ("WRITE", WRITE, (string(h), u64(0), string("x"))),
            ("SETSTAT", SETSTAT, (string("f"), attrs(mode=0o600))),
            ("FSETSTAT", FSETSTAT, (string(h), attrs(mode=0o600))),
            ("REMOVE", REMOVE, (string("f"),)),
            ("MKDIR", MKDIR, (string("x"), attrs())),
            ("RMDIR", RMDIR, (string("void"),)),
            ("RENAME", RENAME, (string("f"), string("g"))),
            ("SYMLINK", SYMLINK, (string("f"), string("g"))),
            ("STAT", STAT, (string("f"),)),
            ("OPENDIR", OPENDIR, (string("."),))):
        p.do(name, kind, *parts)
    p.ext("posix-rename", POSIX_RENAME, string("f"), string("g"))
    p.ext("hardlink", HARDLINK, string("f"), string("g"))
    p.ext("fsync", FSYNC, string(h))
    p.ext("lsetstat", LSETSTAT, string("f"), attrs(mode=0o600))
    p.ext("copy-data", COPY, string(h), u64(0), u64(0), string(h), u64(0))
    p.ext("statvfs", STATVFS, string("f"))


def restricted(p):
    h = p.do("OPEN", OPEN, string("f"), u32(F_READ), attrs())
    p.do("READ", READ, string(h), u64(0), u32(3))
    p.do("STAT", STAT, string("f"))
    p.do("LSTAT", LSTAT, string("f"))
    p.do("REMOVE", REMOVE, string("f"))
    p.ext("limits", LIMITS)
    p.ext("statvfs", STATVFS, string("f"))


def limits(p):
    p.ext("limits", LIMITS)


def one(label, kind, *parts):
    def broken(p):
        p.do(label, kind, *parts)
        p.do("then STAT", STAT, string("f"))
    broken.__name__ = label.replace(" ", "_")
    return broken


BROKEN = (
    one("a path with NUL", STAT, string(b"f\0")),
    one("no path", STAT),
    one("a short path", STAT, u32(9), b"f"),
    one("a path of 100 kB", STAT, string("x" * 100000)),
    one("a handle of 257 bytes", FSTAT, string("x" * 257)),
    one("short data", WRITE, string(b"\0\0\0\0"), u64(0), u32(9), b"x"),
    one("short attributes", OPEN, string("f"), u32(1), u32(0xf)),
    one("bytes behind", STAT, string("f"), b"behind"),
)
SCRIPTS = tuple((script, flags) for script, flags in (
    (looking, ()), (opening, ()), (moving_bytes, ()),
    (copying, ()), (setting, ()), (making, ()), (renaming, ()),
    (listing, ()), (making, ("-u", "027")), (read_only, ("-R",)),
    (restricted, ("-P", "read,statvfs")),
    (restricted, ("-p", "open,stat,limits,statvfs", "-P", "stat")),
    (limits, ())) + tuple((script, ()) for script in BROKEN))



# --- the verdict -------------------------------------------------------------
# What differs and why: the script, a pattern of labels, patterns of what
# theirs and ours answer. FAILURE's words are ours everywhere: those of errno
# say more than "Failure".
EXPLAINED = (
    ("looking", r"home of ''", "FAILURE", "^\\[",
     "no name means the user of the session"),
    ("looking", "home of '(root|daemon)'", "^\\[", "^\\[",
     "9.2 tells the session's own home whatever it is asked"),
    (".*", "FSTAT (of |on )?'?(d|to-d|[.]|d/|noexec|noread|closed)'?.*",
     "FAILURE", "^{", "a directory's handle has attributes, too"),
    ("moving_bytes", "fstatvfs d", "FAILURE", r"^\[", "likewise"),
    ("moving_bytes", "FSETSTAT nothing d", "FAILURE", "OK", "likewise"),
    ("copying", "copy (more than there is|beyond by count)", "OK", "EOF",
     "9.2 tells of an early end only at a multiple of its buffer"),
    ("copying", "copy same file", "OK", "Same file",
     "9.2 compares names, and copies a file onto itself by another name"),
    ("renaming", "RENAME .* 'dangling'", "OK|NO_SUCH_FILE", "FAILURE",
     "RENAME replaces nothing, not even a dangling link"),
    ("renaming", "posix-rename (19|20|21|22) .*", "", "",
     "that link is still there, as it was not replaced"),
    ("listing", "READDIR (on )?'noexec'", "EOF", "d[?]{9}|EOF",
     "names can be read where attributes cannot"),
    (".*", "limits", "", "", "fewer handles, and never more than 16384"),
    ("a_path_with_NUL", "a path with NUL", "^{", "BAD_MESSAGE",
     "9.2 overlooks a NUL at the end"),
    ("no_path|a_short_path|short_.*", ".*", "ended the session|not asked",
     "BAD_MESSAGE|^{", "9.2 ends the session at a broken request"),
)
# Lines of the log that only one has.
LOG_EXPLAINED = (
    ("theirs", r'closedir "\(null\)"', "of a handle that is none"),
    ("theirs", r'fsync "\(null\)"|fsync "d"', "likewise"),
    ("theirs", "tilde_expand: No such user.*", "the reply says so"),
    ("theirs", "process_(read|write): .*|process_extended_copy_data: .*",
     "ours are told once a handle, and of copy-data in the reply"),
    ("ours", "process_(read|write): .*", "likewise"),
    ("both", 'home-directory ".*"', "see EXPLAINED"),
    ("both", "users-groups-by-id: .*", "9.2 counts groups as users"),
    ("theirs", "process_.*: parse: incomplete message", "see EXPLAINED"),
    ("both", "sent status .*", "where a status differs, so does this"),
    ("both", "forced close .*", "so does this, after copying"),
)


def play(server, script, flags, user):
    make_tree(user)
    player = Player(server, user, flags)
    script(player)
    code, log = player.end()
    return player.seen, log, code, tree_facts()


def is_failure_in_other_words(theirs, ours):
    return (theirs == ("FAILURE", b"Failure", b"")
            and isinstance(ours, tuple) and ours[0] == "FAILURE")


used = set()


def explanation(script, label, theirs, ours):
    for row in EXPLAINED:
        if re.fullmatch(row[0], script) and re.fullmatch(row[1], label) \
                and re.search(row[2], shown(theirs)) \
                and re.search(row[3], shown(ours)):
            used.add(row)
            return row[4]
    return None


def shown(value):
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def replies_agree(name, script, theirs, ours):
    for label, want in theirs.items():
        got = ours.get(label, "nothing")
        if got == want or is_failure_in_other_words(want, got):
            continue
        if explanation(script, label, want, got) is None:
            tap.ok(False, "%s: %s" % (name, label), "theirs: %.500r" % (want,),
                   "ours:   %.500r" % (got,))


def told(log, side):
    """A log without what is explained, and names as ours writes them. Long
    lines are cut by both, at different places."""
    text = "\n".join(log).replace("new\nline", "new\\012line")
    rows = [row[1] for row in LOG_EXPLAINED if row[0] in (side, "both")]
    return [re.sub('(expand ".+)/"$', '\\1"', line)
            for line in text.split("\n") if len(line) < LONG_LINE
            and not any(re.fullmatch(row, line) for row in rows)]


def trees_agree(name, theirs, ours):
    """But for the links that RENAME leaves alone and the copy onto itself."""
    for path in sorted(set(theirs) | set(ours)):
        got, want = ours.get(path), theirs.get(path)
        if got != want and path not in (b"to-d", b"hard", b"f"):
            tap.ok(False, "%s: %s is left" % (name, path), theirs.get(path),
                   ours.get(path))


def compare():
    for script, flags in SCRIPTS:
        users = (USER,) if script in BROKEN or flags else (USER, 0)
        for user in users:
            theirs = play(THEIRS, script, flags, user)
            ours = play(SERVER, script, flags, user)
            name = " ".join((script.__name__,) + flags) + \
                (" as root" if user == 0 else "")
            replies_agree(name, script.__name__, theirs[0], ours[0])
            trees_agree(name, theirs[3], ours[3])
            if script in BROKEN:
                tap.equal(ours[2], 0, "%s: it goes on" % name)
                continue
            lines = difflib.unified_diff(told(theirs[1], "theirs"),
                                         told(ours[1], "ours"),
                                         "theirs", "ours", "", "", 0, "")
            tap.equal((list(lines), ours[2]), ([], theirs[2]),
                      "%s: %d requests, the log, the exit status"
                      % (name, len(theirs[0])))


def explanations():
    tap.equal([row for row in EXPLAINED if row not in used], [],
              "each explained difference is there")


tap.need_root()
tap.need_program(THEIRS)
os.chmod(place, 0o711)
version = subprocess.run(["ssh", "-V"], stderr=subprocess.PIPE,
                         check=False).stderr.decode()
if "OpenSSH_9.2" not in version:
    tap.skip_all("EXPLAINED is about OpenSSH 9.2, and this is " + version)
tap.main(compare, explanations)

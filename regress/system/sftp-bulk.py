#!/usr/bin/python3
"""sftp-server's short ways for large files: pages that are lent to the client,
and writes that are done together. What the client sees is as without them.

SFTP_SERVER names the program under test.
"""
import fcntl
import os
import re
import resource
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from rawsftp import *  # its names are the protocol's
from wait import holds

BLOCK = 32768
MANY = 200
SETPIPE_SZ = 1031


def read_of(number, handle, at, count=BLOCK):
    return frame(READ, u32(number) + string(handle) + u64(at) + u32(count))


def write_of(number, handle, at, data):
    return frame(WRITE, u32(number) + string(handle) + u64(at) + string(data))


def warm(c, name, **given):
    """A handle that has been read from in full: the next blocks are lent."""
    handle = c.open(name, **given)
    c.read(handle, 0, BLOCK)
    return handle


def asleep(c):
    """The server has done all that it can, and waits."""
    return holds(lambda: c.fact("State") == "S")


def readable(c):
    return select.select([c.process.stdout], [], [], PATIENCE)[0] != []


def feed(c, data):
    """Send from a process of its own, so that this one may read meanwhile."""
    child = os.fork()
    if child == 0:
        c.raw(data)
        os._exit(0)
    return child


def copied(c):
    """Bytes that the server has had copied to it by read(2) and the like."""
    with open("/proc/%d/io" % c.process.pid, encoding="ascii") as facts:
        return int(re.search(r"rchar: (\d+)", facts.read())[1])


# --- reading -----------------------------------------------------------------
def lent():
    data = os.urandom(4 << 20)
    for sockets in (False, True):
        how = "a socket" if sockets else "a pipe"
        c = Client(sockets=sockets)
        c.put("f", data)
        h = warm(c, "f")
        before = copied(c)
        good = sum(c.read(h, at, BLOCK) == data[at:at + BLOCK]
                   for at in range(0, len(data), BLOCK))
        tap.equal(good, len(data) // BLOCK, "%s: each block is right" % how)
        taken = copied(c) - before
        tap.equal(taken < len(data) // 2, not sockets,
                  "%s: %s" % (how, "not copied by the server" if not sockets
                              else "copied by the server"), taken)
        tap.equal(c.end(), (0, ""), "%s: to its end" % how)


def all_sizes():
    """Blocks of any size from any offset, in one stream, read in pieces."""
    c = Client()
    data = os.urandom(3000001)
    c.put("f", data)
    h = warm(c, "f")
    wanted, out = [], b""
    sizes = (BLOCK, 16384, PACKET_MAX - 1024, 1, 65536, 16383, 4096, 100000)
    for i in range(MANY):
        size, at = sizes[i % len(sizes)], (i * 123457) % len(data)
        wanted.append(data[at:at + size])
        out += read_of(i, h, at, size)
    # One page: what is moved at a time ends anywhere.
    fcntl.fcntl(c.process.stdout.fileno(), SETPIPE_SZ, 4096)
    child = feed(c, out)
    good = 0
    for i in range(MANY):
        kind, body = c.receive()
        good += (kind, body.u32(), body.string()) == (DATA, i, wanted[i])
    os.waitpid(child, 0)
    tap.equal(good, MANY, "blocks of all sizes are right, and in order")


def others_between():
    """Replies of other kinds stay in their place among those that are lent,
    whether the client takes them at once or not."""
    c = Client()
    data = os.urandom(10 * BLOCK + 5)
    c.put("f", data)
    h = warm(c, "f")
    out = b""
    for i in range(0, 5 * MANY, 5):
        at = i // 5 % 10 * BLOCK
        out += (read_of(i, h, at) + frame(LSTAT, u32(i + 1) + string("f"))
                + read_of(i + 2, h, 1) + read_of(i + 3, h, 10 * BLOCK)
                + read_of(i + 4, h, len(data)))
    child = feed(c, out)
    tap.ok(readable(c) and asleep(c), "the server waits for its reader")
    good = 0
    for i in range(0, 5 * MANY, 5):
        at = i // 5 % 10 * BLOCK
        got = [c.receive() for _each in range(5)]
        good += ([(kind, body.u32()) for kind, body in got]
                 == [(DATA, i), (ATTRS, i + 1), (DATA, i + 2), (DATA, i + 3),
                     (STATUS, i + 4)]
                 and got[0][1].string() == data[at:at + BLOCK]
                 and got[2][1].string() == data[1:1 + BLOCK]
                 and got[3][1].string() == data[10 * BLOCK:]
                 and got[4][1].u32() == EOF)
    os.waitpid(child, 0)
    tap.equal(good, MANY, "replies of all kinds, in order")


def later_write():
    """A READ that the client has asked for before a WRITE, or before the file
    was cut, shows what was there then."""
    old, new = b"o" * BLOCK, b"n" * BLOCK
    c = Client()
    c.put("f", old)
    both = c.open("f", F_READ | F_WRITE)
    c.read(both, 0, BLOCK)
    reader = warm(c, "f")
    for handle, name in ((both, "the same handle"), (reader, "another")):
        c.raw(read_of(1, handle, 0) + write_of(2, both, 0, new))
        tap.ok(readable(c) and asleep(c), "%s: both are done" % name)
        tap.equal(c.receive()[1].data[8:] == old, True,
                  "%s: a later WRITE does not show" % name)
        tap.equal(c.receive()[1].u32(), 2, "%s: and it is done" % name)
        tap.equal(c.read(handle, 0, BLOCK) == new, True,
                  "%s: in the file, too" % name)
        c.write(both, 0, old)
    c.close(both)
    c.read(reader, 0, BLOCK)
    c.raw(read_of(3, reader, 0)
          + frame(SETSTAT, u32(4) + string("f") + attrs(size=100)))
    tap.ok(readable(c) and asleep(c), "a file that is cut: all is done")
    tap.equal(c.receive()[1].data[8:] == old, True,
              "a file that is cut later is seen whole")
    kind, body = c.receive()
    tap.equal((kind, body.u32(), body.u32(), c.stat("f")["size"]),
              (STATUS, 4, OK, 100), "and is cut then")
    c.put("f", old)
    reader = warm(c, "f")
    c.raw(read_of(5, reader, 0)
          + frame(OPEN, u32(6) + string("f") + u32(F_WRITE | F_TRUNC)
                  + attrs()))
    tap.ok(readable(c) and asleep(c), "a file that is emptied: all is done")
    tap.equal((c.receive()[1].data[8:] == old, c.receive()[0],
               c.stat("f")["size"]), (True, HANDLE, 0),
              "a file that is emptied later is seen whole")


def cut_and_grown():
    """Another process changes the size all the time: each reply has as much
    as it says."""
    c = Client()
    size = 8 * BLOCK
    c.put("f", b"x" * size)
    h = warm(c, "f")
    racer = os.fork()
    if racer == 0:
        fd = os.open(c.path("f"), os.O_WRONLY)
        while True:
            os.ftruncate(fd, BLOCK + 1000)
            os.pwrite(fd, b"x" * (size - BLOCK), BLOCK)
    try:
        good = short = 0
        for i in range(10 * MANY):
            c.raw(read_of(i, h, 0) + read_of(i, h, i % 7 * BLOCK)
                  + read_of(i, h, 0, PACKET_MAX - 1024))
            for want in (BLOCK, BLOCK, PACKET_MAX - 1024):
                kind, body = c.receive()
                good += body.u32() == i
                if kind == DATA:
                    got = body.string()
                    good += (body.data == b"" and len(got) <= want
                             and set(got) <= {0, ord("x")})
                    short += len(got) < want
                else:
                    good += body.u32() == EOF
    finally:
        os.kill(racer, 9)
        os.waitpid(racer, 0)
    tap.equal(good, 2 * 3 * 10 * MANY, "a file that is cut and grown")
    tap.ok(short > 0, "some reads found it cut", short)
    c.put("f", b"x" * BLOCK)
    h = warm(c, "f")
    tap.equal(c.status(READ, string(h), u64(BLOCK), u32(BLOCK)), EOF,
              "at its end")
    with open(c.path("f"), "ab") as out:
        out.write(b"y" * 20000)
    tap.equal((c.read(h, BLOCK, BLOCK) == b"y" * 20000,
               c.read(h, 0, BLOCK) == b"x" * BLOCK), (True, True),
              "it has grown, and is read on")


def odd_files():
    """What the kernel does not lend is copied."""
    c = Client()
    h = warm(c, "/dev/zero")
    tap.equal(c.read(h, 0, BLOCK) == bytes(BLOCK), True, "a device")
    h = c.open("/proc/self/status")
    tap.ok(b"sftp-server" in c.read(h, 0, BLOCK), "a file of /proc")
    c.put("f", b"x" * (2 * BLOCK))
    h = warm(c, "f")
    tap.equal(c.status(READ, string(h), u64(1 << 62), u32(BLOCK)), EOF,
              "far behind the end")
    tap.equal(c.read(h, BLOCK, BLOCK) == b"x" * BLOCK, True, "and then not")


def slow_reader():
    """Lent pages wait for a client that does not read; the server sleeps."""
    c = Client()
    c.put("big", b"x" * (64 * BLOCK))
    h = warm(c, "big")
    out = b"".join(read_of(i, h, i % 64 * BLOCK) for i in range(MANY))
    child = feed(c, out)
    tap.ok(readable(c) and asleep(c), "it sleeps")
    spent = [c.fact("voluntary_ctxt_switches") for _each in range(MANY)]
    tap.equal(spent[0], spent[-1], "and is not woken")
    good = sum(len(c.receive()[1].data) == 8 + BLOCK for _each in range(MANY))
    os.waitpid(child, 0)
    tap.equal(good, MANY, "all is there when it reads")
    child = feed(c, out)
    tap.ok(readable(c) and asleep(c), "it sleeps again")
    c.process.stdout.close()
    tap.equal(c.process.wait(PATIENCE), 0, "and ends with its reader")
    os.waitpid(child, 0)


# --- writing -----------------------------------------------------------------
def statuses(c, count):
    found = []
    for i in range(count):
        kind, body = c.receive()
        assert (kind, body.u32()) == (STATUS, i)
        found.append(body.u32())
    return found


def fills_up(c, limit, name):
    """Many WRITEs at once, of which some find no room."""
    data = os.urandom(64 * BLOCK)
    h = c.open("f", F_WRITE | F_CREAT)
    # Twice: the second time over what the first has written.
    for again in ("", ", again"):
        child = feed(c, b"".join(write_of(i, h, i * BLOCK,
                                          data[i * BLOCK:(i + 1) * BLOCK])
                                 for i in range(64)))
        found = statuses(c, 64)
        os.waitpid(child, 0)
        done = found.index(FAILURE)
        with open(c.path("f"), "rb") as out:
            there = out.read()
        tap.ok(done * BLOCK <= limit and set(found[done:]) == {FAILURE}
               and there == data[:len(there)]
               and done * BLOCK <= len(there) <= limit,
               "%s: what was said to be written is%s" % (name, again),
               (done, len(there), limit))
    c.close(h)


def no_room():
    limit = 20 * BLOCK + 12345
    fills_up(Client(preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (limit, limit))), limit, "RLIMIT_FSIZE")


def in_their_turn():
    """Only WRITEs that follow one another on a handle are done together."""
    c = Client()
    h = c.open("f", F_READ | F_WRITE | F_CREAT)
    other = c.open("g", F_WRITE | F_CREAT)
    a, b, d = (bytes([i]) * 5000 for i in b"abd")
    parts = [write_of(0, h, 0, a), write_of(1, h, 5000, b),
             write_of(2, h, 0, d), write_of(3, h, 5000, a),
             write_of(4, other, 10000, b), write_of(5, h, 10000, b),
             write_of(6, h, 15000, b""), write_of(7, h, 15000, d),
             read_of(8, h, 0), write_of(9, h, 0, b), write_of(10, h, 5000, d),
             write_of(11, h, 2500, a)]
    c.raw(b"".join(parts))
    good = 0
    for i in range(len(parts)):
        kind, body = c.receive()
        good += body.u32() == i
        if i == 8:
            tap.equal(body.string() == d + a + b + d, True,
                      "a READ sees the WRITEs before it, and none behind it")
        else:
            good += body.u32() == OK
    tap.equal(good, 2 * len(parts) - 1, "each has its reply, in order")
    with open(c.path("f"), "rb") as f, open(c.path("g"), "rb") as g:
        tap.equal((f.read() == b[:2500] + a + d[2500:] + b + d,
                   g.read() == bytes(10000) + b), (True, True),
                  "and its bytes, the later ones over the earlier")
    h = c.open("h", F_WRITE | F_CREAT | F_APPEND)
    c.raw(write_of(0, h, 0, a) + write_of(1, h, 5000, b)
          + write_of(2, h, 0, d))
    tap.equal(statuses(c, 3), [OK] * 3, "appended")
    with open(c.path("h"), "rb") as f:
        tap.equal(f.read() == a + b + d, True, "in order, wherever")
    c.put("k", b"")
    h = c.open("k")
    c.raw(write_of(0, h, 0, a) + write_of(1, h, 5000, b))
    tap.ok(OK not in statuses(c, 2), "not on a handle to read from")
    far = (1 << 63) - 5000
    h = c.open("l", F_WRITE | F_CREAT)
    c.raw(write_of(0, h, far - 5000, a) + write_of(1, h, far, b)
          + write_of(2, h, far + 5000, d))
    tap.ok(OK not in statuses(c, 3), "nor over the end of all offsets")
    tap.equal(c.stat("l")["size"], 0, "and nothing is there")


def full_disk():
    if os.getuid() != 0:
        tap.skip("a disk that fills up", "needs root")
        return
    where = tempfile.mkdtemp(dir=place)
    limit = 30 * BLOCK
    c = Client(cwd=where, wrap=[
        "unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=%d none \"$0\" "
        "&& cd \"$0\" && exec \"$@\"" % limit, where])
    # Seen from outside its mount namespace, the directory is another.
    c.cwd = "/proc/%d/cwd" % c.process.pid
    fills_up(c, limit, "a disk that fills up")


tap.main(lent, all_sizes, others_between, later_write, cut_and_grown,
         odd_files, slow_reader, no_room, in_their_turn, full_disk)

#!/usr/bin/python3
"""sftp_liar.py LIE: an SFTP server on standard input and output that serves
two files of memory honestly, except for one lie. Run by files.py."""
import os
import struct
import sys

INIT, VERSION, OPEN, CLOSE, READ, WRITE, LSTAT = 1, 2, 3, 4, 5, 6, 7
OPENDIR, READDIR, REALPATH, STAT = 11, 12, 16, 17
STATUS, HANDLE, DATA, NAME, ATTRS, EXTENDED, EXTENDED_REPLY = \
    101, 102, 103, 104, 105, 200, 201
OK, EOF, NONE, FAILURE, UNSUPPORTED = 0, 1, 2, 4, 8
FILE, FOLDER = 0o100644, 0o40755
CONTENT = bytes(range(256)) * 4096

lie = sys.argv[1]
listed = {}
opened = []


def text(data):
    return struct.pack(">I", len(data)) + data


def attrs(mode, size=len(CONTENT)):
    if lie == "no-attrs":
        return struct.pack(">I", 0)
    return struct.pack(">IQIII", 1 | 4 | 8, size, mode, 5, 5)


def send(kind, body):
    packet = struct.pack(">IB", len(body) + 1, kind) + body
    try:
        while packet:
            packet = packet[os.write(1, packet):]
    except OSError:
        sys.exit(0)


def status(ident, code):
    send(STATUS, struct.pack(">II", ident, code) + text(b"no") + text(b""))


def names(ident, *entries):
    body = struct.pack(">II", ident, len(entries))
    for name, mode in entries:
        body += text(name) + text(b"-rw-r--r-- " + name) + attrs(mode)
    send(NAME, body)


LISTS = {
    "dotdot": [(b"good", FILE), (b"..", FILE), (b"../escaped", FILE)],
    "slash": [(b"/tmp/escaped", FILE)],
    "inside": [(b"sub/escaped", FILE)],
    "folder-dotdot": [(b"../escaped", FOLDER)],
    "empty": [(b"", FILE)],
    "nul": [(b"a\0b", FILE)],
    "long": [(b"n" * 5000, FILE)],
    "trap": [(b"trap", FILE), (b"trapdir", FOLDER)],
    "others": [(b"wanted1", FILE), (b".profile", FILE), (b"other", FILE)],
    "twice": [(b"same", FILE)] * 20,
    "both": [(b"same", FOLDER), (b"same", FILE)],
    "escapes": [(b"\x1b]0;owned\x07", 0o120777)],
}
ENDLESS = b"".join(text(b"%d-" % n + b"x" * 900) + text(b"y" * 900)
                   + attrs(FILE) for n in range(130))
HONEST = [(b"one", FILE), (b"two", FILE)]


def read_dir(ident, handle):
    if lie == "no-names":
        names(ident)
    elif lie == "endless":
        send(NAME, struct.pack(">II", ident, 130) + ENDLESS)
    elif lie == "count":
        send(NAME, struct.pack(">II", ident, 0xffffffff) + text(b"x"))
    elif lie == "loop" and handle not in listed:
        listed[handle] = True
        names(ident, (b"deeper", FOLDER))
    elif handle in listed:
        status(ident, EOF)
    else:
        listed[handle] = True
        names(ident, *LISTS.get(lie, HONEST))


def read(ident, at, size):
    data = CONTENT[at:at + size]
    if lie == "more-data":
        data += b"x" * 100
    elif lie == "no-data":
        data = b""
    elif lie == "short-data":
        data = data[:max(1, len(data) // 3)]
    elif lie == "hole" and at == 0:
        return status(ident, EOF)
    elif lie == "cut" and at > 0:
        os.write(1, b"\0\0\4\0\x67")
        sys.exit(0)
    elif lie == "status-ok":
        return status(ident, OK)
    elif lie == "status-huge":
        return status(ident, 0xffffffff)
    if not data and lie != "no-data":
        return status(ident, EOF)
    send(DATA, struct.pack(">I", ident) + text(data))


OWNERS = {
    "owners": (text(b"\x1b]0;owned\x07"), text(b"a\0b")),
    "owners-few": (b"", b""),
    "owners-cut": (struct.pack(">I", 999) + b"x", text(b"y")),
    "owners-long": (text(b"n" * 5000), text(b"m" * 5000)),
}


def extended(ident, name):
    if name == b"users-groups-by-id@openssh.com":
        users, groups = OWNERS[lie]
        return send(EXTENDED_REPLY, struct.pack(">I", ident) + text(users)
                    + text(groups))
    if name != b"limits@openssh.com":
        return status(ident, UNSUPPORTED)
    values = {"limits-small": (1, 1, 1, 1), "limits-zero": (0, 0, 0, 0),
              "limits-huge": (2 ** 64 - 1,) * 4}.get(
                  lie, (262144, 261120, 261120, 1000))
    send(EXTENDED_REPLY, struct.pack(">IQQQQ", ident, *values))


def is_folder(path):
    return path.endswith((b"dir", b"deeper", b".", b"/")) or \
        path == b"/" or lie == "all-folders"


def answer(kind, ident, body):
    first = body[4:4 + struct.unpack(">I", body[:4])[0]]
    if lie == "wrong-id":
        ident += 1
    if kind in (STAT, LSTAT):
        if lie == "size":
            return send(ATTRS, struct.pack(">I", ident) +
                        attrs(FILE, 2 ** 64 - 1))
        send(ATTRS, struct.pack(">I", ident)
             + attrs(FOLDER if is_folder(first) else FILE))
    elif kind == REALPATH:
        if lie == "two-paths":
            return names(ident, (b"/", FOLDER), (b"/x", FOLDER))
        names(ident, (b"/" if first == b"." else first, FOLDER))
    elif kind in (OPEN, OPENDIR):
        if lie == "wrong-type":
            return send(DATA, struct.pack(">I", ident) + text(b"data"))
        if lie == "handle":
            return send(HANDLE, struct.pack(">I", ident) + text(b"h" * 9000))
        opened.append(first)
        send(HANDLE, struct.pack(">I", ident) + text(b"%d" % len(opened)))
    elif kind == READDIR:
        read_dir(ident, first)
    elif kind == READ:
        read(ident, *struct.unpack(">QI", body[4 + len(first):]))
    elif kind == EXTENDED:
        extended(ident, first)
    elif kind == CLOSE and lie == "answers-twice":
        status(ident, OK)
        status(ident, OK)
    elif kind == CLOSE or kind == WRITE and lie != "write-fails":
        status(ident, OK)
    else:
        status(ident, FAILURE)


def greet():
    if lie == "banner":
        os.write(1, b"Welcome to this machine!\n")
    elif lie == "length":
        os.write(1, b"\x7f\xff\xff\xff\2\0\0\0\3")
    elif lie == "zero":
        os.write(1, b"\0\0\0\0")
    elif lie == "no-greeting":
        status(1, OK)
    elif lie == "version":
        send(VERSION, struct.pack(">I", 0))
    elif lie == "extension":
        send(VERSION, struct.pack(">I", 3) + b"\0\0\xff\xff" + b"short")
    elif lie != "silent-end":
        more = text(b"users-groups-by-id@openssh.com") + text(b"1") \
            if lie in OWNERS else b""
        send(VERSION, struct.pack(">I", 3) + text(b"limits@openssh.com")
             + text(b"1") + more)


def get(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            sys.exit(0)
        data += part
    return data


def main():
    get(struct.unpack(">I", get(4))[0])
    greet()
    if lie == "silent-end":
        sys.exit(0)
    while True:
        packet = get(struct.unpack(">I", get(4))[0])
        answer(packet[0], struct.unpack(">I", packet[1:5])[0], packet[5:])


try:
    main()
except ConnectionError:
    pass  # The client has seen enough and left; what it says is the test.

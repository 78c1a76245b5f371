"""Messages of common/msg.def in python, made from the table itself, and a
connection whose network process (hostile.c) passes on whatever it is given."""
import os
import re
import socket
import struct

LINGER, DEAF = 254, 255
SECONDS = 20


class Gone(Exception):
    """The monitor has ended the connection."""


class Row:
    """One row: its id, name, and fields as (kind, name, least, most)."""

    def __init__(self, number, name, sender, receiver, reply):
        self.number, self.name = number, name
        self.sender, self.receiver, self.reply = sender, receiver, reply
        self.fields = []


def version(source):
    """MSG_VERSION, which each message begins with."""
    with open(os.path.join(source, "common", "msg.h"),
              encoding="ascii") as header:
        return int(re.search(r"^#define MSG_VERSION (\d+)$", header.read(),
                             re.MULTILINE).group(1))


def load(source):
    """Every row of msg.def, by name."""
    with open(os.path.join(source, "common", "msg.def"),
              encoding="ascii") as table:
        text = re.sub(r"/\*.*?\*/", "", table.read(), flags=re.DOTALL)
    rows, row = {}, None
    for line in re.finditer(
            r"^(MSG|\t(?:INT|STR|BYTES|SECRET))\((.*?)\n?.*?\)$"
            r"|^END", text, re.MULTILINE | re.DOTALL):
        kind = (line.group(1) or "").strip()
        words = [word.strip() for word in
                 text[line.start():line.end()].split("(", 1)[-1].split(",")]
        if kind == "MSG":
            row = Row(len(rows) + 1, words[0], words[2], words[3], words[6])
            rows[row.name] = row
        elif kind:
            row.fields.append((kind, words[0]))
    return rows


SOURCE = os.environ.get("SRCDIR") or os.path.join(
    os.path.dirname(os.path.realpath(__file__)), "..", "..")
VERSION, ROWS = version(SOURCE), load(SOURCE)
NAMES = {row.number: row for row in ROWS.values()}


def encode(name, **values):
    """The wire form; what is not given is zero or empty."""
    row = ROWS[name]
    data = struct.pack(">BB", VERSION, row.number)
    for kind, field in row.fields:
        value = values.pop(field, 0 if kind == "INT" else b"")
        if kind == "INT":
            data += struct.pack(">Q", value)
        else:
            value = value if isinstance(value, bytes) else value.encode()
            data += struct.pack(">I", len(value)) + value
    if values:
        raise ValueError("%s has no field %s" % (name, ", ".join(values)))
    return data


def decode(data):
    """(name, fields) of a message."""
    row, at, values = NAMES[data[1]], 2, {}
    for kind, field in row.fields:
        if kind == "INT":
            values[field], = struct.unpack_from(">Q", data, at)
            at += 8
        else:
            size, = struct.unpack_from(">I", data, at)
            values[field] = data[at + 4:at + 4 + size]
            at += 4 + size
    if at != len(data):
        raise ValueError("%s with %d bytes more" % (row.name, len(data) - at))
    return row.name, values


class Hostile:
    """A connection to an sshd whose sshd-net is hostile.c."""

    def __init__(self, server):
        self.sock = socket.create_connection(("127.0.0.1", server.port),
                                             SECONDS)
        self.sock.sendall(b"EVIL")
        self.seen, self.descriptors = [], 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def push(self, data, descriptors=0):
        """Any bytes, as one datagram."""
        try:
            self.sock.sendall(struct.pack(">IB", len(data), descriptors)
                              + data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone() from error

    def order(self, number):
        self.push(b"", number)

    def tell(self, name, **values):
        self.push(encode(name, **values))

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                part = self.sock.recv(count - len(data))
            except ConnectionResetError as error:
                raise Gone() from error
            if not part:
                raise Gone()
            data += part
        return data

    def hear(self):
        """The next message of the monitor's."""
        size, descriptors = struct.unpack(">IB", self._exactly(5))
        self.descriptors += descriptors
        self.seen.append(decode(self._exactly(size)))
        return self.seen[-1]

    def ask(self, name, **values):
        """Tell, and hear until the answer; its fields."""
        self.tell(name, **values)
        while True:
            got, fields = self.hear()
            if got == ROWS[name].reply:
                return fields

    def to_the_end(self):
        """Hear until the monitor is gone."""
        try:
            while True:
                self.hear()
        except Gone:
            return

#!/usr/bin/python3
"""Secrets in the memory of the network process: no private half of a host
key, no password once it has been answered. What must be there is looked for
as well, so that the search is known to find."""
import base64
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, built, flavour
from wait import descendants, holds
import paramiko

if flavour() == "openssh":
    tap.skip_all("the network process is this suite's own")
tap.need_root()
with open(built("sshd-net"), "rb") as program:
    if b"__asan_init" in program.read():
        tap.skip_all("the sanitizers keep what was freed")
PASSWORD = "Zq9-nowhere-else-71x"
SECONDS = 15
place = Place()
user = place.account()
user.set_password(PASSWORD)
server = place.server({"LogLevel": "DEBUG3"})


def memory(pid):
    """All of a process's memory that can be read."""
    parts = []
    with open("/proc/%d/maps" % pid, encoding="utf-8") as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not found or "[v" in line:
                continue
            start, end = (int(word, 16) for word in found.groups())
            try:
                mem.seek(start)
                parts.append(mem.read(end - start))
            except OSError:
                continue
    return b"".join(parts)


def called(name):
    """The processes of our server that run this program."""
    pids = []
    for pid in descendants(server.process.pid):
        try:
            if os.path.basename(os.readlink("/proc/%d/exe" % pid)) == name:
                pids.append(pid)
        except OSError:
            continue
    return pids


def connect():
    transport = paramiko.Transport(("127.0.0.1", server.port))
    transport.start_client(timeout=SECONDS)
    tap.ok(holds(lambda: len(called("sshd-net")) == 1),
           "one network process")
    return transport


def pieces(path):
    """What a private key file holds that its public one does not, in runs that
    no other bytes have: raw, and as the text of the file."""
    with open(path, encoding="ascii") as text:
        lines = text.read().splitlines()[1:-1]
    raw = base64.b64decode("".join(lines))
    with open(path + ".pub", encoding="ascii") as text:
        public = base64.b64decode(text.read().split()[1])
    # The private section begins behind the public blob of the header.
    start = raw.index(public) + len(public) + 4 + 8
    private = raw[start:]
    found = [private[i:i + 24] for i in range(0, len(private) - 24, 24)]
    known = public + b"\x00" * 64
    found = [piece for piece in found
             if piece not in known and not any(
                 piece[i:i + 12] in known for i in range(0, 13, 6))
             and len(set(piece)) > 8]
    return found, public, lines[-2].encode()


def host_keys():
    transport = connect()
    pid = called("sshd-net")[0]
    image = memory(pid)
    for kind in ("ed25519", "ecdsa", "rsa"):
        path = place.host_key(kind)
        private, public, text = pieces(path)
        tap.ok(private, "%s: there is something to look for" % kind)
        tap.ok(public[-32:] in image, "%s: the public half is found" % kind)
        tap.ok(not any(piece in image for piece in private),
               "%s: no part of the private half is" % kind)
        monitor = memory(called("sshd-monitor")[0])
        # It keeps each key as its file's text until it signs with it.
        tap.ok(text in monitor, "%s: which the monitor has" % kind)
    transport.close()


def passwords():
    tap.ok(holds(lambda: not called("sshd-net")), "the last one is gone")
    transport = connect()
    pid = called("sshd-net")[0]
    wrong = PASSWORD + "-wrong"
    try:
        transport.auth_password(user.name, wrong)
        tap.ok(False, "a wrong password is refused")
    except paramiko.AuthenticationException:
        tap.ok(True, "a wrong password is refused")
    tap.ok(user.name.encode() in memory(pid), "the user's name is found")
    tap.ok(holds(lambda: wrong.encode() not in memory(pid)),
           "a refused password is not")
    transport.auth_password(user.name, PASSWORD)
    # libssh frees, and wipes, the request just after it has answered.
    tap.ok(holds(lambda: PASSWORD.encode() not in memory(pid)),
           "nor one that was right, after the login")
    tap.ok(PASSWORD.encode() not in memory(called("sshd-monitor")[0]),
           "nor has the monitor it")
    tap.ok(PASSWORD not in server.log(), "nor the log, at DEBUG3")
    transport.close()


def the_end():
    server.stop()


tap.main(host_keys, passwords, the_end)

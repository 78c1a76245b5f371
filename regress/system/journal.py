#!/usr/bin/python3
"""journald's fields: what stands in for journald here gets them beside the
same line; without journald, /dev/log gets what any daemon sends."""
import os
import re
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour, sshd_path
from wait import PATIENCE
import peer
import server as server_module

if flavour() == "openssh":
    tap.skip_all("OpenSSH has no fields")

NOBODY = "oet-nobody\n=x"

place = Place()
user = place.account()
key = place.key()
wrong = place.key(name="wrong")
user.authorize(key)
journal, syslog = place.path("journal"), place.path("log")


def overlay_dev(link):
    """Shell commands that give /dev/log another meaning, in a namespace."""
    upper, work = place.path("dev-upper"), place.path("dev-work")
    for folder in (upper, work):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    made = ("mount -t overlay overlay -o lowerdir=/dev,upperdir=%s,workdir=%s "
            "/dev\nmount --rbind \"$pts\" /dev/pts\nrm -f /dev/log\n"
            % (upper, work))
    made = "pts=$(mktemp -d)\nmount --rbind /dev/pts $pts\n" + made + link
    probe = subprocess.run(["unshare", "-m", "sh", "-ec",
                            made + "\n: >/dev/null"], capture_output=True)
    return made if probe.returncode == 0 else None


def receiver(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(path)
    os.chmod(path, 0o666)
    sock.settimeout(PATIENCE)
    return sock


class Logged(server_module.Server):
    """A server that logs as a daemon does, not to a file of the test's."""

    def argv(self):
        argv = super().argv()
        argv.remove("-e")
        return argv


def start(before):
    made = Logged(place, before=before)
    place.servers.append(made)
    made.start()
    return made


def datagrams(sock, pattern):
    """What comes, up to one that matches."""
    found = []
    while not found or not re.search(pattern, found[-1]):
        found.append(sock.recv(65536).decode("utf-8", "backslashreplace"))
    return found


def fields(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def with_journald():
    os.mkdir(journal)
    native = receiver(os.path.join(journal, "socket"))
    before = overlay_dev("ln -s /run/systemd/journal/dev-log /dev/log")
    if not before:
        tap.skip("journald's fields", "no overlay over /dev is possible")
        return
    before += ("\nmount -t tmpfs tmpfs /run/systemd 2>/dev/null || "
               "{ mkdir -p /run/systemd; mount -t tmpfs tmpfs /run/systemd; }"
               "\nmkdir /run/systemd/journal\n"
               "mount --bind %s /run/systemd/journal\n" % journal)
    server = start(before)
    place.run(server.ssh_argv(user, "true", key=wrong))
    last = fields(datagrams(native, "OMNIEDGE_EVENT=closed")[-1])
    tap.equal(last.get("OMNIEDGE_USER"), user.name, "closed: the user")
    tap.like(last["MESSAGE"], r"^Connection closed by authenticating user %s "
             r"127\.0\.0\.1 port \d+ \[preauth\]$" % user.name,
             "and the line as it always is")
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n", "a login")
    line = fields(datagrams(native, "OMNIEDGE_EVENT=accepted")[-1])
    tap.equal((line["OMNIEDGE_USER"], line["OMNIEDGE_METHOD"],
               line["OMNIEDGE_ADDR"], line["SYSLOG_IDENTIFIER"],
               line["SYSLOG_FACILITY"], line["PRIORITY"]),
              (user.name, "publickey", "127.0.0.1", "sshd", "4", "6"),
              "accepted: all fields")
    tap.like(line["MESSAGE"], r"^Accepted publickey for %s from 127\.0\.0\.1 "
             r"port %s ssh2: ED25519 SHA256:" % (user.name,
                                                 line["OMNIEDGE_PORT"]),
             "and the line")
    tap.ok(line["SYSLOG_PID"].isdigit(), "with the process's number")
    session = peer.transport(server)
    peer.verdict(session.auth_none, NOBODY)
    session.close()
    text = datagrams(native, "OMNIEDGE_EVENT=invalid-user")[-1]
    tap.equal(fields(text).get("OMNIEDGE_USER"), r"oet-nobody\012=x",
              "a name cannot make a field of its own", text)
    server.stop()
    native.close()


def without_journald():
    """/dev/log is another daemon's: it gets every line, and no field."""
    plain = receiver(syslog)
    before = overlay_dev(": >/dev/log")
    if not before:
        tap.skip("/dev/log", "no overlay over /dev is possible")
        return
    server = start(before + "\nmount --bind %s /dev/log" % syslog)
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n", "a login")
    line = datagrams(plain, "Accepted publickey")[-1]
    tap.like(line, r"^<38>\w{3} [ \d]\d [\d:]{8} sshd\[\d+\]: Accepted "
             r"publickey for %s from 127\.0\.0\.1 port \d+ ssh2: ED25519 "
             r"SHA256:\S+\s*\Z" % user.name, "syslog(3)'s line, and no more")
    server.stop()
    plain.close()


tap.main(with_journald, without_journald)

#!/usr/bin/python3
"""USER_LOGIN records of the kernel's audit trail, as strace(1) sees them go:
one for a login, one for a connection that tried and failed, none for one that
did not try. Whether the kernel keeps them is its own affair."""
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, Server, built, flavour, sshd_path
from wait import PATIENCE

USER_LOGIN = "0x458"  # 1112, linux/audit.h

if flavour() == "openssh":
    tap.skip_all("what Debian's OpenSSH writes is Debian's")
tap.need_root()
tap.need_program("strace", "objdump")
if b"libaudit" not in subprocess.run(["objdump", "-p", built("sshd-monitor")],
                                     capture_output=True, check=False).stdout:
    tap.skip_all("this build is without --with-audit")

place = Place()
user = place.account()
key, wrong = place.key(), place.key(name="wrong")
user.authorize(key)
server = Server(place, {"Port": "2022"})
server.write_conf()
server.port = 2022
server.write_known_hosts()


def traced(talk):
    """sshd -i under strace for what talk(port) does; its USER_LOGINs."""
    out = place.path("strace")
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    server.write_known_hosts()
    client = talk()
    conn, _ = listener.accept()
    daemon = subprocess.Popen(
        ["strace", "-f", "-s", "2000", "-xx", "-e", "trace=sendto", "-o", out,
         sshd_path(), "-i", "-f", server.conf_path],
        stdin=conn, stdout=conn, stderr=subprocess.DEVNULL)
    conn.close()
    listener.close()
    said = client()
    daemon.wait(PATIENCE)
    with open(out, encoding="utf-8") as text:
        sent = re.findall(r"nlmsg_type=%s[^}]*\}, \"((?:\\x[0-9a-f]{2})*)\""
                          % USER_LOGIN, text.read())
    return said, [bytes.fromhex(part.replace("\\x", "")).rstrip(b"\0").decode()
                  for part in sent]


def ssh(identity):
    client = place.popen(server.ssh_argv(user, "echo in", key=identity))
    return lambda: client.communicate(timeout=PATIENCE)[0]


def success():
    said, records = traced(lambda: ssh(key))
    tap.equal((said, len(records)), (b"in\n", 1), "a login: one record",
              *records)
    tap.like(records[0], r"^op=login id=%d .*addr=127\.0\.0\.1 terminal=ssh "
             r"res=success$" % user.uid, "success, with who and where")


def failure():
    said, records = traced(lambda: ssh(wrong))
    tap.equal((said, len(records)), (b"", 1), "a failure: one record",
              *records)
    tap.like(records[0], r"^op=login acct=\"%s\" .*addr=127\.0\.0\.1 "
             r"terminal=ssh res=failed$" % user.name, "failed, with the name")


def silence():
    def talk():
        sock = socket.create_connection(("127.0.0.1", server.port), 60)

        def hang_up():
            said = sock.recv(100)
            sock.close()
            return said
        return hang_up
    said, records = traced(talk)
    tap.like(said, "^SSH-2.0-", "a client that only looks")
    tap.equal(records, [], "is no login")


tap.main(success, failure, silence)

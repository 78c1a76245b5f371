#!/usr/bin/python3
"""Stock clients at an omniedge ssh-server of a plain user: OpenSSH's ssh, sftp
and scp, PuTTY's, dropbear's, paramiko; each with the lab's password or a key.
"""
import os
import shutil
import sys

import paramiko

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from lab import Lab
from server import ADDRESS, Place
from wait import PATIENCE

PASSWORD = "of the lab"
SIZE = 3 << 20

place = Place()
alice = place.account()
key = place.key()
alice.authorize(key)
server = Lab(place, "-b", "::", account=alice, password=PASSWORD)
data = os.urandom(SIZE)
local = place.path("local")
with open(local, "wb") as out:
    out.write(data)


def arrived(name):
    with open(alice.path(name), "rb") as copy:
        return copy.read() == data


def openssh():
    done = server.ssh(alice, "echo $SSH_CONNECTION; exit 5", key=key)
    tap.equal(done.returncode, 5, "ssh: a command and its status")
    for host in (ADDRESS, "::1"):
        done = server.ssh(alice, "cat", key=key, options={"host": host},
                          input=data)
        tap.ok(done.stdout == data, "ssh: 3 MiB through cat at " + host)
    done = server.ssh(alice, "tty", key=key, flags=["-tt"])
    tap.like(done.stdout, "^/dev/pts/", "ssh -tt: a terminal")
    for flags in ([], ["-O"]):
        done = place.run(["scp", *server.options(key), *flags, "-P",
                          str(server.port), local,
                          "%s@%s:scp%s" % (alice.name, ADDRESS,
                                           "".join(flags))])
        tap.ok(done.returncode == 0 and arrived("scp" + "".join(flags)),
               "scp " + " ".join(flags), done.stderr)
    done = place.run(["sftp", *server.options(key), "-P", str(server.port),
                      "-b", "-", "%s@%s" % (alice.name, ADDRESS)],
                     input=b"put %s there\nget there %s\n"
                     % (local.encode(), place.path("back").encode()))
    tap.ok(done.returncode == 0 and arrived("there"), "sftp", done.stderr)


def putty():
    if not shutil.which("plink"):
        tap.skip("plink", "not installed")
        return
    fingerprint = place.run(["ssh-keygen", "-lf", server.host_keys()[0]])
    done = place.run(["plink", "-ssh", "-batch", "-no-antispoof", "-P",
                      str(server.port), "-hostkey",
                      fingerprint.stdout.split()[1].decode(), "-pw", PASSWORD,
                      "-l", alice.name, ADDRESS, "echo in; exit 4"])
    tap.equal((done.returncode, done.stdout), (4, b"in\n"), "plink",
              done.stderr)


def dropbear():
    if not shutil.which("dbclient"):
        tap.skip("dbclient", "not installed")
        return
    done = place.run(["dbclient", "-y", "-y", "-p", str(server.port),
                      "%s@%s" % (alice.name, ADDRESS), "echo in; exit 6"],
                     env=place.environment(DROPBEAR_PASSWORD=PASSWORD))
    tap.equal((done.returncode, done.stdout), (6, b"in\n"), "dbclient",
              done.stderr)


def by_paramiko():
    client = paramiko.SSHClient()
    client.load_host_keys(server.known_hosts)
    client.connect(ADDRESS, server.port, alice.name, PASSWORD,
                   look_for_keys=False, allow_agent=False, timeout=PATIENCE)
    _, said, _ = client.exec_command("id -un; exit 3", timeout=PATIENCE)
    tap.equal(said.read().decode().strip(), alice.name, "paramiko: a command")
    tap.equal(said.channel.recv_exit_status(), 3, "and its status")
    sftp = client.open_sftp()
    sftp.put(local, "by-paramiko")
    tap.ok(arrived("by-paramiko"), "paramiko: a file")
    client.close()


def forwarding():
    """The user's own, as in sshd."""
    done = server.ssh(alice, key=key,
                      flags=["-W", "%s:%d" % (ADDRESS, server.port)],
                      input=b"SSH-2.0-x\r\n")
    tap.like(done.stdout, "^SSH-2.0-", "ssh -W leads to the server itself")


def ends():
    server.stop()


tap.main(openssh, putty, dropbear, by_paramiko, forwarding, ends)

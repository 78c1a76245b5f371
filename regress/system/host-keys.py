#!/usr/bin/python3
"""Host keys: each algorithm, and files that are not fit to be used."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, Server, free_port, sshd_path
from wait import PATIENCE

ALGORITHMS = (("ssh-ed25519", "ed25519"), ("ecdsa-sha2-nistp256", "ecdsa"),
              ("rsa-sha2-256", "rsa"), ("rsa-sha2-512", "rsa"))

place = Place()
user = place.account()
key = place.key()
user.authorize(key)


def each_algorithm():
    server = place.server()
    for algorithm, kind in ALGORITHMS:
        done = server.ssh(user, "echo in", key=key, flags=["-v"],
                          options={"HostKeyAlgorithms": algorithm})
        tap.equal(done.stdout, b"in\n", "login with host key " + algorithm,
                  done.stderr)
        tap.like(done.stderr, "kex: host key algorithm: %s" % algorithm,
                 "it was used")
        mine = place.run(["ssh-keygen", "-lf", place.host_key(kind) + ".pub"])
        tap.ok(mine.stdout.split()[1] in done.stderr, "and it is our key")
    done = server.ssh(user, "echo in", key=key,
                      options={"HostKeyAlgorithms": "ssh-rsa"})
    tap.equal(done.returncode, 255, "ssh-rsa with SHA-1 is not offered")
    server.stop()


def one_key_only():
    for _, kind in ALGORITHMS[:3]:
        server = place.server({"HostKey": place.host_key(kind)})
        done = server.ssh(user, "echo in", key=key)
        tap.equal(done.stdout, b"in\n", "with the %s key alone" % kind,
                  done.stderr)
        server.stop()


def larger_ecdsa():
    for bits in ("384", "521"):
        path = place.path("ecdsa" + bits)
        place.run(["ssh-keygen", "-q", "-t", "ecdsa", "-b", bits, "-N", "",
                   "-f", path])
        server = place.server({"HostKey": path})
        tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
                  "an ECDSA host key of %s bits" % bits)
        server.stop()


def pem_format():
    path = place.path("pem")
    place.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-m", "PEM",
               "-N", "", "-f", path])
    server = place.server({"HostKey": path})
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "a host key in PEM form")
    server.stop()


def start(path):
    """Try to start with this host key alone; (status, what it said)."""
    made = Server(place, {"HostKey": path, "Port": str(free_port())})
    made.write_conf()
    done = place.run([sshd_path(), "-D", "-e", "-f", made.conf_path],
                     timeout=PATIENCE)
    return done.returncode, done.stderr.decode()


def unfit():
    path = place.path("open")
    place.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path])
    for mode in (0o644, 0o640, 0o660):
        os.chmod(path, mode)
        code, said = start(path)
        tap.ok(code != 0, "mode %04o: refused at start" % mode)
        tap.like(said, r"Permissions %04o for '%s' are too open" % (
            mode, path), "and says why")
    tap.like(said, "sshd: no hostkeys available -- exiting", "and ends")
    os.chmod(path, 0o600)
    place.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-P", "", "-f",
               path])
    for name, text in (("an encrypted key", None), ("an empty file", ""),
                       ("rubbish", "-----BEGIN OPENSSH PRIVATE KEY-----\n"
                        "AAAA\n-----END OPENSSH PRIVATE KEY-----\n")):
        if text is not None:
            with open(path, "w", encoding="ascii") as out:
                out.write(text)
        code, said = start(path)
        tap.ok(code != 0 and path in said, "%s: refused, by name" % name,
               said)
    code, said = start(place.path("nowhere"))
    tap.ok(code != 0 and "nowhere" in said, "no file: refused, by name", said)


def one_bad_among_good():
    """What can be loaded is served; what cannot is named."""
    path = place.path("shown")
    place.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-f",
               path])
    os.chmod(path, 0o644)
    server = place.server({"HostKey": [path, place.host_key("ed25519")]})
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "one bad key beside a good one: it serves")
    tap.ok(server.logged("nable to load host key.*%s" % path),
           "and names the bad one")
    server.stop()


tap.main(each_algorithm, one_key_only, larger_ecdsa, pem_format, unfit,
         one_bad_among_good)

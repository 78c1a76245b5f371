#!/usr/bin/python3
"""PuTTY's plink and psftp, with keys and with a password."""
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place

SIZE = 5 << 20

tap.need_program("plink")
tap.need_program("puttygen")
place = Place()
user = place.account()
server = place.server()


def ppk(kind, bits=None):
    """A key made by ssh-keygen, in PuTTY's own format."""
    path = place.key(kind, bits)
    made = path + ".ppk"
    if not os.path.exists(made):
        done = place.run(["puttygen", path, "-O", "private", "-o", made])
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
    return path, made


def host_key():
    """The fingerprints PuTTY may meet, so that it does not ask."""
    argv = []
    for kind in ("ed25519", "ecdsa", "rsa"):
        done = place.run(["ssh-keygen", "-lf", place.host_key(kind) + ".pub"])
        argv += ["-hostkey", done.stdout.split()[1].decode()]
    return argv


def plink(*words, auth, **more):
    argv = ["plink", "-ssh", "-batch", "-no-antispoof", "-P",
            str(server.port), *host_key(), *auth, "-l", user.name, ADDRESS,
            *words]
    return place.run(argv, **more)


def each_key():
    for kind, bits in (("ed25519", None), ("ecdsa", 256), ("ecdsa", 521),
                       ("rsa", 3072)):
        path, made = ppk(kind, bits)
        user.authorize(path)
        done = plink("echo in; exit 7", auth=["-i", made])
        tap.equal((done.returncode, done.stdout), (7, b"in\n"),
                  "plink with %s %s" % (kind, bits or ""), done.stderr)


def password():
    done = plink("echo in", auth=["-pw", user.password])
    tap.equal((done.returncode, done.stdout), (0, b"in\n"),
              "plink with a password", done.stderr)
    done = plink("echo in", auth=["-pw", "wrong"])
    tap.ok(done.returncode != 0 and not done.stdout,
           "plink with a wrong password", done)


def data():
    path, made = ppk("ed25519")
    user.authorize(path)
    text = os.urandom(SIZE)
    done = plink("cat", auth=["-i", made], input=text)
    tap.equal(hashlib.sha256(done.stdout).hexdigest(),
              hashlib.sha256(text).hexdigest(), "plink: 5 MiB and back")
    done = plink("echo out; echo err >&2", auth=["-i", made])
    tap.equal((done.stdout, done.stderr), (b"out\n", b"err\n"),
              "plink: streams apart")
    done = plink(auth=["-i", made, "-t"], input=b"tty; exit 3\n")
    tap.like(done.stdout, "/dev/pts/", "plink: a shell with a terminal")


def psftp():
    tap.need_program("psftp")
    path, made = ppk("ed25519")
    user.authorize(path)
    text = os.urandom(SIZE)
    with open(place.path("up"), "wb") as out:
        out.write(text)
    batch = place.path("batch")
    with open(batch, "w", encoding="ascii") as out:
        out.write("pwd\nput %s up\nmkdir d\nmv up d/there\nls d\n"
                  "get d/there %s\nrm d/there\nrmdir d\nquit\n"
                  % (place.path("up"), place.path("down")))
    done = place.run(["psftp", "-batch", "-b", batch, "-P", str(server.port),
                      *host_key(), "-i", made, "-l", user.name, ADDRESS])
    tap.equal(done.returncode, 0, "psftp: a batch", done.stdout, done.stderr)
    with open(place.path("down"), "rb") as back:
        tap.ok(back.read() == text, "psftp: 5 MiB and back")
    tap.like(done.stdout, "Remote (working )?directory is %s" % user.home,
             "psftp: starts at home")


def pscp():
    path, made = ppk("ed25519")
    user.authorize(path)
    for flag in ("-sftp", "-scp"):
        done = place.run(["pscp", "-batch", "-q", flag, "-P",
                          str(server.port), *host_key(), "-i", made,
                          place.path("up"),
                          "%s@%s:up" % (user.name, ADDRESS)])
        tap.equal(done.returncode, 0, "pscp " + flag, done.stderr)
        tap.ok(os.path.getsize(user.path("up")) == SIZE, "is there")
        os.unlink(user.path("up"))


def the_end():
    server.stop()


tap.main(each_key, password, data, psftp, pscp, the_end)

#!/usr/bin/python3
"""Dropbear's dbclient, with keys and with a password."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place
from terminal import Terminal
from wait import PATIENCE

SIZE = 2 << 20

tap.need_program("dbclient")
tap.need_program("dropbearconvert")
place = Place()
user = place.account()
# dropbear has no MAC that is computed after encryption, for its CTR ciphers.
server = place.server({"MACs": "+hmac-sha2-256"})


def known_hosts():
    """dbclient looks below HOME and knows of no port."""
    folder = os.path.join(place.home, ".ssh")
    os.makedirs(folder, 0o700, exist_ok=True)
    with open(os.path.join(folder, "known_hosts"), "w",
              encoding="ascii") as out:
        for kind in ("ed25519", "ecdsa", "rsa"):
            with open(place.host_key(kind) + ".pub",
                      encoding="ascii") as public:
                out.write("%s %s\n" % (ADDRESS,
                                       " ".join(public.read().split()[:2])))


def converted(kind, bits=None):
    path = place.key(kind, bits)
    made = path + ".db"
    if not os.path.exists(made):
        done = place.run(["dropbearconvert", "openssh", "dropbear", path,
                          made])
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
    return path, made


def argv(*words, auth=()):
    return ["dbclient", *auth, "-p", str(server.port), "-l", user.name,
            ADDRESS, *words]


def dbclient(*words, auth=(), env=None):
    return place.run(argv(*words, auth=auth), env=env)


def each_key():
    for kind, bits in (("ed25519", None), ("ecdsa", 256), ("rsa", 2048)):
        path, made = converted(kind, bits)
        user.authorize(path)
        done = dbclient("echo in; exit 7", auth=["-i", made])
        tap.equal((done.returncode, done.stdout), (7, b"in\n"),
                  "dbclient with %s %s" % (kind, bits or ""), done.stderr)


def wrong_key():
    _, made = converted("ed25519")
    user.authorize(place.key("ed25519", name="other"))
    done = dbclient("echo in", auth=["-i", made],
                    env=place.environment(DROPBEAR_PASSWORD="wrong"))
    # It ends with 0 when it is disconnected: only what ran can tell.
    tap.equal(done.stdout, b"", "dbclient with a wrong key and password",
              done.stderr)


def password():
    done = dbclient("echo in", env=place.environment(
        DROPBEAR_PASSWORD=user.password))
    tap.equal((done.returncode, done.stdout), (0, b"in\n"),
              "dbclient with a password", done.stderr)


def data():
    path, made = converted("ed25519")
    user.authorize(path)
    text = os.urandom(SIZE)
    # Into a file: dbclient 2022.83 that had to wait for its reader may miss
    # the channel's end, whoever serves it.
    with open(place.path("in"), "w+b") as there, \
            open(place.path("out"), "w+b") as back:
        there.write(text)
        there.seek(0)
        client = place.popen(argv("cat", auth=["-i", made]), stdin=there,
                             stdout=back)
        client.wait(PATIENCE)
        back.seek(0)
        tap.ok(back.read() == text, "dbclient: 2 MiB and back")
    done = dbclient("echo out; echo err >&2", auth=["-i", made])
    tap.equal((done.stdout, done.stderr), (b"out\n", b"err\n"),
              "dbclient: streams apart")
    screen = Terminal(place, ["dbclient", "-i", made, "-p",
                              str(server.port), "-l", user.name, ADDRESS,
                              "-t", "tty; stty size; exit 3"],
                      rows=33, cols=99)
    tap.equal(screen.finish(), 3, "dbclient: a terminal")
    tap.like(screen.seen, r"/dev/pts/\d+\r\n33 99", "dbclient: its size")


def each_cipher():
    path, made = converted("ed25519")
    user.authorize(path)
    for cipher in ("chacha20-poly1305@openssh.com", "aes128-ctr",
                   "aes256-ctr"):
        done = dbclient("echo in", auth=["-i", made, "-c", cipher])
        tap.equal(done.stdout, b"in\n", "dbclient with " + cipher,
                  done.stderr)


def the_end():
    server.stop()


known_hosts()
tap.main(each_key, wrong_key, password, data, each_cipher, the_end)

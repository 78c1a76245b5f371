#!/usr/bin/python3
"""Key re-exchange, asked for by either side, while data flows both ways."""
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place

SIZE = 20 << 20
CIPHERS = ("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com",
           "aes128-ctr")

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
data = os.urandom(SIZE)
digest = hashlib.sha256(data).hexdigest()


def echo(where, name, least, options):
    """Send all, get all back; count the key exchanges."""
    done = where.ssh(user, "cat", key=key, flags=["-v"], input=data,
                     options=options, timeout=120)
    tap.equal(hashlib.sha256(done.stdout).hexdigest(), digest,
              name + ": 20 MiB there and back")
    rounds = done.stderr.count(b"SSH2_MSG_NEWKEYS received")
    tap.ok(rounds > least, "%s: more than %d key exchanges" % (name, least),
           "there were %d" % rounds)


def by_client():
    for cipher in CIPHERS:
        echo(server, "client's limit, " + cipher, 10,
             {"RekeyLimit": "1M", "Ciphers": cipher})


def by_server():
    strict = place.server({"RekeyLimit": "1M"})
    for cipher in CIPHERS[:2]:
        echo(strict, "server's limit, " + cipher, 5, {"Ciphers": cipher})
    echo(strict, "both limits", 10, {"RekeyLimit": "1M"})
    strict.stop()


def by_time():
    """A limit of one second, on a connection that says little."""
    strict = place.server({"RekeyLimit": "default 1"})
    done = strict.ssh(user, "for i in 1 2 3 4 5 6; do echo $i; "
                      "timeout 0.6 tail -f /dev/null; done", key=key,
                      flags=["-v"])
    tap.equal(done.stdout.split(), [b"1", b"2", b"3", b"4", b"5", b"6"],
              "the output is whole")
    rounds = done.stderr.count(b"SSH2_MSG_NEWKEYS received")
    tap.ok(rounds > 1, "a key exchange after a time",
           "there were %d" % rounds)
    strict.stop()


def by_hand():
    """~R, the client's escape for a re-exchange."""
    from terminal import Terminal
    screen = Terminal(place, server.ssh_argv(user, key=key,
                                             flags=["-tt", "-v"]))
    screen.send("PS1=; stty -echo\r")
    for turn in (1, 2, 3):
        screen.send("\r~R")
        tap.ok(screen.expect("SSH2_MSG_NEWKEYS received"),
               "~R re-exchanges (%d)" % turn)
    screen.send("\recho a''live\r")
    tap.ok(screen.expect("alive"), "and the shell goes on")
    screen.send("exit\r")
    screen.finish()


def the_end():
    server.stop()


tap.main(by_client, by_server, by_time, by_hand, the_end)

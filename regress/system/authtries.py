#!/usr/bin/python3
"""MaxAuthTries: how many failures a connection has, over all methods."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import holds
import peer

TOO_MANY = "Too many authentication failures"

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"MaxAuthTries": "3"})


def strangers(count):
    flags = []
    for number in range(count):
        flags += ["-i", place.key("ed25519", name="stranger%d" % number)]
    return flags


def by_keys():
    mark = server.mark()
    done = server.ssh(user, "true", flags=strangers(3))
    tap.equal(done.returncode, 255, "three wrong keys: refused")
    tap.like(done.stderr, "Received disconnect from 127.0.0.1 port %d:%d: %s"
             # libssh has no other code than 11, "by application".
             % (server.port, 2 if flavour() == "openssh" else 11, TOO_MANY),
             "OpenSSH's text")
    tap.ok(server.logged(
        r"^(error: )?maximum authentication attempts exceeded for %s from "
        r"127\.0\.0\.1 port \d+ ssh2" % user.name, mark), "the log counts")
    tap.ok(server.logged(
        r"^Disconnecting authenticating user %s 127\.0\.0\.1 port \d+: %s"
        % (user.name, TOO_MANY), mark), "and tells the end")
    done = server.ssh(user, "echo in", flags=strangers(2), key=None)
    tap.like(done.stderr, "Permission denied", "two wrong keys: no disconnect")
    done = server.ssh(user, "echo in", flags=[*strangers(2), "-i", key])
    tap.equal(done.stdout, b"in\n", "a right key after two wrong ones")


def by_password():
    done = server.password_ssh(user, "wrong", "true", prompts=5)
    tap.like(done.stderr, TOO_MANY, "wrong passwords end the same way")
    tap.equal(done.stderr.count(b"Permission denied, please try again."), 2,
              "after two more chances", done.stderr)


def both_count():
    done = server.password_ssh(
        user, "wrong", "true", prompts=5, flags=strangers(2), options={
            "PubkeyAuthentication": "yes",
            "PreferredAuthentications": "publickey,password"})
    tap.like(done.stderr, TOO_MANY, "keys and passwords count together")
    tap.unlike(done.stderr, "please try again", "two keys leave one password")


def unknown_user():
    mark = server.mark()
    done = server.ssh("oetnobody", "true", flags=strangers(3))
    tap.like(done.stderr, TOO_MANY, "the same for an unknown user")
    tap.ok(server.logged("maximum authentication attempts exceeded for "
                         "invalid user oetnobody from", mark), "is logged")


def none_is_free():
    """The first request, method none, is not counted (RFC 4252, 5.2)."""
    session = peer.transport(server)
    answer = peer.verdict(session.auth_none, user.name)
    tap.like(answer, r"not offered \((publickey,password|password,publickey)",
             "method none is answered with the methods")
    wrong = peer.BadSigner(peer.load_key(key))
    for turn in (1, 2):
        tap.equal(peer.verdict(session.auth_publickey, user.name, wrong),
                  "failure", "then failure %d is told" % turn)
    tap.equal(peer.verdict(session.auth_publickey, user.name,
                           peer.load_key(key)), "success",
              "and the third try may succeed")
    session.close()


def none_at_all():
    """MaxAuthTries 0, as OpenSSH has it: the first request or none."""
    strict = place.server({"MaxAuthTries": "0"})
    since = strict.mark()
    done = strict.ssh(user, "true", key=key)
    tap.like(done.stderr, TOO_MANY, "with 0, to ask is one too many")
    tap.ok(strict.logged("maximum authentication attempts exceeded", since),
           "which is logged")
    session = peer.transport(strict)
    tap.equal(peer.verdict(session.auth_publickey, user.name,
                           peer.load_key(key)), "success",
              "and who begins with the right key is in")
    session.close()
    session = peer.transport(strict)
    peer.verdict(session.auth_publickey, user.name,
                 peer.BadSigner(peer.load_key(key)))
    tap.ok(strict.logged("Failed publickey", since) and
           holds(lambda: not session.is_active()),
           "a failure ends the connection")
    strict.stop()


def the_end():
    server.stop()


tap.main(by_keys, by_password, both_count, unknown_user, none_is_free,
         none_at_all, the_end)

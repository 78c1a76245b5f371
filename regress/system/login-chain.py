#!/usr/bin/python3
"""AuthenticationMethods: which methods are offered at each step, what counts
as one, and what is logged. ExposeAuthInfo shows what was used."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from authority import Authority
from server import Place, flavour, sshd_path
from wait import PATIENCE, holds

place = Place()
user = place.account()
key, second = place.key(), place.key(name="id_second")
user.authorize(key, second)
BOTH = {"PubkeyAuthentication": "yes", "BatchMode": "no"}


def login(server, methods, keys=(key,), password=user.password,
          command="echo in", **more):
    """The stock client with these methods, in this order."""
    argv = [word for name in keys[1:] for word in ("-i", name)]
    options = dict(BOTH, PreferredAuthentications=methods,
                   NumberOfPasswordPrompts="1")
    return server.ssh(user, command, key=keys[0] if keys else None,
                      flags=[*argv, "-v"], options=options,
                      env=place.askpass(password), **more)


def accepted(done, name):
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), name, done.stderr)


def refused(done, name):
    tap.ok(done.returncode == 255 and done.stdout == b"", name,
           done.returncode, done.stdout, done.stderr)


def offered(done):
    """What the server said can continue, in order."""
    return [line.split(": ", 2)[2].strip() for line in
            done.stderr.decode().splitlines()
            if "Authentications that can continue" in line]


def key_and_password():
    server = place.server({"AuthenticationMethods": "publickey,password"})
    mark = server.mark()
    done = login(server, "publickey,password")
    accepted(done, "key, then password")
    tap.equal(offered(done), ["publickey", "password"],
              "one is offered after the other")
    tap.like(done.stderr, "Authenticated using \"publickey\" with partial "
             "success", "the client is told of the first success")
    tap.ok(server.logged(r"^Partial publickey for %s from 127\.0\.0\.1 port "
                         r"\d+ ssh2: ED25519 SHA256:" % user.name, mark),
           "a partial success is logged")
    tap.ok(server.logged("^Accepted password for %s from" % user.name, mark),
           "and the last one")
    refused(login(server, "publickey"), "the key alone")
    refused(login(server, "password", keys=()), "the password alone")
    refused(login(server, "password,publickey", keys=()), "no key at all")
    refused(login(server, "publickey,password", password="wrong"),
            "a wrong password after the key")
    server.stop()


def key_options_last():
    """What the key's line says holds at the end of the chain."""
    server = place.server({"AuthenticationMethods": "publickey,password"})
    user.authorize(key, options='command="echo forced",no-pty')
    done = login(server, "publickey,password")
    tap.equal(done.stdout, b"forced\n", "command= of the key's line",
              done.stderr)
    user.authorize(key, second)
    server.stop()


def two_keys():
    server = place.server({"AuthenticationMethods": "publickey,publickey"})
    accepted(login(server, "publickey", keys=(key, second)), "two keys")
    mark = server.mark()
    refused(login(server, "publickey", keys=(key,)), "one key twice")
    ca = Authority(place, "chain")
    user.write(".ssh/authorized_keys", "cert-authority %s%s" % (
        ca.public_text(), open(key + ".pub", encoding="ascii").read()))
    cert = ca.certify(key, user.name)
    mark = server.mark()
    refused(login(server, "publickey", keys=(cert,)),
            "a key, and a certificate of the same key")
    tap.ok(server.logged("refusing previously-used ED25519", mark),
           "the log says why")
    user.authorize(key, second)
    server.stop()


def alternatives():
    server = place.server({
        "AuthenticationMethods":
        "publickey,password publickey,keyboard-interactive:pam",
        "KbdInteractiveAuthentication": "yes"})
    for name in ("password", "keyboard-interactive"):
        done = login(server, "publickey," + name)
        accepted(done, "publickey, then " + name)
        tap.equal(sorted(offered(done)[1].split(",")),
                  ["keyboard-interactive", "password"],
                  "both are offered behind the key")
    refused(login(server, "keyboard-interactive,password", keys=()),
            "neither is offered without the key")
    server.stop()
    server = place.server({
        "AuthenticationMethods": "keyboard-interactive:pam,publickey",
        "KbdInteractiveAuthentication": "yes"})
    done = login(server, "publickey,keyboard-interactive,publickey")
    accepted(done, "keyboard-interactive first")
    tap.equal(offered(done), ["keyboard-interactive", "publickey"],
              "the key is offered behind it")
    server.stop()


def disabled():
    """A chain with a method that is not offered does not count."""
    server = place.server({
        "AuthenticationMethods": "publickey,password publickey",
        "PasswordAuthentication": "no"})
    accepted(login(server, "publickey"), "the other chain is taken")
    tap.ok(server.logged('Authentication methods list "publickey,password" '
                         "contains disabled method, skipping"), "is logged")
    server.stop()
    for value, conf, reason in (
            ("publickey,password", {"PasswordAuthentication": "no"},
             "cannot be satisfied by enabled authentication methods"),
            ("hostbased", {},
             "cannot be satisfied by enabled authentication methods"),
            ("keyboard-interactive", {"UsePAM": "no"},
             "cannot be satisfied by enabled authentication methods"),
            ("publickey,passwort", {}, "passwort"),
            ("any publickey", {}, "any")):
        conf = dict(conf, AuthenticationMethods=value,
                    HostKey=place.host_key("ed25519"))
        path = place.path("checked.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write("".join("%s %s\n" % pair for pair in conf.items()))
        done = place.run([sshd_path(), "-t", "-f", path])
        if (flavour() == "openssh" and "UsePAM" in conf):
            continue  # offers it all the same, and lets nobody in
        tap.ok(done.returncode != 0, "sshd -t refuses " + value, done.stderr)
        tap.like(done.stderr, reason, "and says why")


def matched():
    """Match sets chains for some users only."""
    server = place.server({}, tail="Match User %s\n"
                          "\tAuthenticationMethods publickey,password\n"
                          % user.name)
    refused(login(server, "publickey"), "Match asks for more")
    accepted(login(server, "publickey,password"), "which is enough")
    other = place.account()
    other.authorize(key)
    done = server.ssh(other, "echo in", key=key)
    accepted(done, "others need one method")
    server.stop()


def expose():
    server = place.server({"ExposeAuthInfo": "yes", "AuthenticationMethods":
                           "publickey,password"})
    with open(key + ".pub", encoding="ascii") as text:
        kind, blob = text.read().split()[:2]
    done = login(server, "publickey,password",
                 command="stat -c '%U %a' $SSH_USER_AUTH; cat $SSH_USER_AUTH;"
                         " echo $SSH_USER_AUTH; env | grep -c SSH_AUTH_INFO")
    lines = done.stdout.decode().splitlines()
    tap.equal(lines[:3], [user.name + " 600",
                          "publickey %s %s" % (kind, blob), "password"],
              "SSH_USER_AUTH names what was used", done.stderr)
    tap.ok(len(lines) > 3 and holds(lambda: not os.path.exists(lines[3])),
           "the file goes with the connection", lines)
    tap.equal(lines[-1], "0", "PAM's copy is not in the session")
    server.stop()
    server = place.server({"ExposeAuthInfo": "no"})
    done = server.ssh(user, "env", key=key)
    tap.unlike(done.stdout, "SSH_USER_AUTH", "ExposeAuthInfo no")
    server.stop()


tap.main(key_and_password, key_options_last, two_keys, alternatives, disabled,
         matched, expose)

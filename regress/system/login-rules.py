#!/usr/bin/python3
"""Who may log in from where: RefuseConnection, the Allow and Deny lists with
hosts and networks, and lines of authorized_keys that are refused, once."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour

place = Place()
user, other = place.account(), place.account()
key = place.key()
user.authorize(key)
other.authorize(key)


def login(server, who=user, command="echo in", **more):
    return server.ssh(who, command, key=key, **more)


def accepted(done, name):
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), name, done.stderr)


def refused(done, name):
    tap.ok(done.returncode == 255 and done.stdout == b"", name,
           done.returncode, done.stdout, done.stderr)


def refuse_connection():
    if flavour() != "ours":
        tap.skip("RefuseConnection", "OpenSSH has it since 9.9 only")
        return
    server = place.server({}, tail="Match User %s\n\tRefuseConnection yes\n"
                          % other.name)
    accepted(login(server), "Match does not name this user")
    mark = server.mark()
    done = login(server, other)
    refused(done, "Match names this one")
    tap.unlike(done.stderr, "Permission denied", "the connection is closed")
    tap.ok(server.logged("administratively prohibited connection for %s from "
                         r"127\.0\.0\.1 port \d+" % other.name, mark),
           "the log says so")
    server.stop()


def lists():
    """The order is DenyUsers, AllowUsers, DenyGroups, AllowGroups."""
    here, away = "127.0.0.0/8", "192.0.2.0/24"
    one, two = user.name, other.name
    for conf, first, second in (
            ({"AllowUsers": "%s@%s" % (one, here)}, True, False),
            ({"AllowUsers": "%s@%s" % (one, away)}, False, False),
            ({"AllowUsers": "*@%s %s" % (away, two)}, False, True),
            ({"AllowUsers": "%s@%s,%s" % (one, away, here)}, True, False),
            ({"AllowUsers": "%s@!127.0.0.1,*" % one}, False, False),
            ({"DenyUsers": "%s@%s" % (one, here)}, False, True),
            ({"DenyUsers": "%s@%s" % (one, away)}, True, True),
            ({"DenyUsers": one, "AllowUsers": "%s %s" % (one, two)},
             False, True),
            ({"AllowUsers": one, "DenyGroups": one}, False, False),
            ({"AllowUsers": "*", "DenyGroups": one}, False, True),
            ({"DenyGroups": two, "AllowGroups": "%s %s" % (one, two)},
             True, False),
            ({"AllowGroups": one[:-1] + "?"}, True, False)):
        server = place.server(conf)
        for who, may in ((user, first), (other, second)):
            (accepted if may else refused)(
                login(server, who), "%s: the %s" % (
                    conf, "one" if who is user else "other"))
        server.stop()


def bad_lines():
    """A line that is not understood admits nobody, and the next one may."""
    server = place.server()
    with open(key + ".pub", encoding="ascii") as text:
        public = text.read()
    for name, line in (("an unknown option", "no-such-option " + public),
                       ("an option without its value", "command " + public),
                       ("a quote that does not end", 'command="x ' + public),
                       ("an option twice", 'command="a",command="b" '
                        + public),
                       ("too long", 'command="%s" %s' % ("x" * 20000,
                                                         public))):
        if name == "too long" and flavour() != "ours":
            continue  # OpenSSH's limit is another
        user.write(".ssh/authorized_keys", line)
        mark = server.mark()
        refused(login(server), name)
        if flavour() == "ours":
            tap.equal(server.log(mark).count("line refused"), 1,
                      name + ": is logged once", server.log(mark))
        user.write(".ssh/authorized_keys", line + public)
        accepted(login(server), name + ": the next line counts")
    user.authorize(key)
    server.stop()


def key_options():
    server = place.server({"PermitUserEnvironment": "yes"})
    for options, command, want in (
            ('command="echo forced"', "echo in", b"forced\n"),
            ('restrict,command="echo $SSH_ORIGINAL_COMMAND"', "a b",
             b"a b\n"),
            ('environment="OET=by key"', "echo $OET", b"by key\n"),
            ('environment="OET=1",environment="OET=2"', "echo $OET", b"1\n"),
            ('from="127.0.0.1"', "echo in", b"in\n"),
            ('from="!127.0.0.1,*"', "echo in", b""),
            ('from="192.0.2.0/24,127.0.0.0/8"', "echo in", b"in\n"),
            ('from="192.0.2.0/24"', "echo in", b""),
            ('expiry-time="20991231"', "echo in", b"in\n"),
            ('expiry-time="20200101"', "echo in", b""),
            ('cert-authority', "echo in", b""),
            ('principals="x"', "echo in", b"")):
        user.authorize(key, options=options)
        tap.equal(login(server, command=command).stdout, want, options)
    for options, has in (("", True), ("no-pty", False), ("restrict", False),
                         ("restrict,pty", True), ("no-pty,pty", True),
                         ("pty,no-pty", False), ("pty,restrict", False)):
        user.authorize(key, options=options)
        done = login(server, command="tty; true", flags=["-tt"])
        tap.equal(b"/dev/pts/" in done.stdout, has,
                  "a terminal: %s" % (options or "no option"))
    user.authorize(key)
    server.stop()


tap.main(refuse_connection, lists, bad_lines, key_options)

#!/usr/bin/python3
"""AuthorizedKeysCommand: its tokens, who runs it, with what, and what happens
when it misbehaves. The program lies below /opt of the server's own namespace,
where root alone can write."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour, sshd_path

place = Place()
user = place.account()
key, second = place.key(), place.key(name="id_second")
os.chmod(place.dir, 0o755)
NOTE = place.path("note")
PROGRAM = "/opt/keys"


def public(name):
    with open(name + ".pub", encoding="ascii") as text:
        return text.read().strip()


def serve(script, arguments="%u", who="nobody", mode="755", **conf):
    """A server that runs this shell script as AuthorizedKeysCommand."""
    with open(NOTE, "w", encoding="ascii"):
        os.chmod(NOTE, 0o666)
    path = place.path("script")
    with open(path, "w", encoding="ascii") as out:
        out.write("#!/bin/sh\n" + script)
    return place.server(
        dict({"AuthorizedKeysFile": "none",
              "AuthorizedKeysCommand": (PROGRAM + " " + arguments).strip(),
              "AuthorizedKeysCommandUser": who}, **conf),
        before="mkdir -p /opt; mount -t tmpfs -o mode=755 none /opt; "
        "cp %s %s; chmod %s %s" % (path, PROGRAM, mode, PROGRAM))


def note():
    with open(NOTE, encoding="utf-8") as text:
        return text.read()


def login(server, name=key, command="echo in"):
    return server.ssh(user, command, key=name)


def accepted(done, name):
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), name, done.stderr)


def refused(done, name):
    tap.ok(done.returncode == 255 and done.stdout == b"", name,
           done.returncode, done.stdout, done.stderr)


def ends_before_its_output():
    """It has ended, and what it left running has not said all yet."""
    server = serve("(until grep -q ') Z ' /proc/$$/stat; do :; done\n"
                   "echo '%s') &\n" % public(key))
    accepted(login(server), "what a child of the program prints counts")
    server.stop()


def prints_keys():
    server = serve("echo '%s'\n" % public(key))
    accepted(login(server), "a key that it prints")
    refused(login(server, second), "one that it does not")
    server.stop()
    server = serve("echo 'restrict,command=\"echo line\" %s'\n" % public(key))
    tap.equal(login(server).stdout, b"line\n", "its options hold")
    server.stop()
    server = serve("echo '%s'\n" % public(second),
                   AuthorizedKeysFile=".ssh/authorized_keys")
    user.authorize(key)
    accepted(login(server), "a key of the file")
    accepted(login(server, second), "and of the program")
    server.stop()


def tokens():
    blob = public(key).split()[1]
    server = serve("printf '%%s\\n' \"$#\" \"$@\" >%s\necho '%s'\n"
                   % (NOTE, public(key)),
                   '%u %U %h %t %k "a b" %% x%fx')
    accepted(login(server), "with arguments")
    lines = note().splitlines()
    tap.equal(lines[:8], ["8", user.name, str(user.uid), user.home,
                          "ssh-ed25519", blob, "a b", "%"],
              "%u %U %h %t %k, quotes and %%")
    tap.like(lines[8], r"^xSHA256:[A-Za-z0-9+/]{43}x$", "%f within a word")
    server.stop()
    server = serve("echo \"$# $1\" >%s\necho '%s'\n" % (NOTE, public(key)), "")
    accepted(login(server), "without arguments")
    tap.equal(note(), "1 %s\n" % user.name, "it gets the user's name")
    server.stop()


def surroundings():
    server = serve(
        "id -un >%s; env | cut -d= -f1 | sort | tr '\\n' ' ' >>%s\n"
        "ls /proc/self/fd | wc -w >>%s; id -Gn >>%s\necho '%s'\n"
        % (NOTE, NOTE, NOTE, NOTE, public(key)))
    accepted(login(server), "as another user")
    lines = note().splitlines()
    tap.equal(lines[0], "nobody", "AuthorizedKeysCommandUser runs it")
    for name in ("HOME", "LOGNAME", "PATH", "USER"):
        tap.like(lines[1], r"\b%s\b" % name, "%s is set" % name)
    tap.unlike(lines[1], "SSH|LD_", "nothing of the connection is")
    tap.equal(lines[1].split()[-1].isdigit(), True, "descriptors counted")
    tap.equal(lines[1].split()[-1], "4", "three, and ls's own")
    tap.equal(lines[2], "nogroup", "its groups")
    server.stop()
    server = serve("id -un >%s\necho '%s'\n" % (NOTE, public(key)), who="%u")
    if flavour() == "ours":
        accepted(login(server), "%u as AuthorizedKeysCommandUser")
        tap.equal(note(), user.name + "\n", "is the user who logs in")
    server.stop()


def misbehaves():
    good = "echo '%s'\n" % public(key)
    for name, script, more, reason in (
            ("fails", good + "exit 3\n", {}, "it failed"),
            ("ends by a signal", good + "kill -9 $$\n", {}, "it failed"),
            ("prints without end", "yes '%s'\n" % public(second), {},
             "more than 1 MiB"),
            ("can be written by others", good, {"mode": "777"},
             "root's alone to write"),
            ("is run by nobody we know", good, {"who": "oetnobody"},
             "User \"oetnobody\" not found"),
            ("is not there", good, {"arguments": "%u",
                                    "AuthorizedKeysCommand": "/opt/no %u"},
             "No such file")):
        if flavour() == "openssh" and "without end" in name:
            continue
        server = serve(script, **more)
        refused(login(server), "a program that " + name)
        if flavour() == "ours":
            tap.ok(server.logged(reason), "that it %s is logged" % name,
                   server.log())
        done = server.password_ssh(user, user.password, "echo in")
        accepted(done, "a program that %s keeps no password out" % name)
        server.stop()


def checked():
    """sshd -t: a program without somebody to run it."""
    for keyword in ("AuthorizedKeysCommand", "AuthorizedPrincipalsCommand"):
        path = place.path("checked.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write("HostKey %s\n%s /usr/bin/true\n"
                      % (place.host_key("ed25519"), keyword))
        done = place.run([sshd_path(), "-t", "-f", path])
        tap.ok(done.returncode != 0, "%s without its user" % keyword)
        tap.like(done.stderr, "%s set without %sUser" % (keyword, keyword),
                 "sshd -t says what is missing")


tap.main(prints_keys, ends_before_its_output, tokens, surroundings,
         misbehaves, checked)

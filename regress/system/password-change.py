#!/usr/bin/python3
"""A password that has expired opens the account for one thing: changing it.
The session runs passwd(1), with PAM and with shadow(5) alone."""
import os
import secrets
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from account import account_tool, accounts_still
from server import Place
from terminal import Terminal

place = Place()
key = place.key()


def expired():
    """A user whose password has to be changed."""
    other = place.account()
    other.authorize(key)
    account_tool("chage", "-d", "0", other.name)
    return other


def terminal(server, other, **options):
    """The stock client with a terminal, and no way in but the password."""
    chosen = {"BatchMode": "no", "PubkeyAuthentication": "no",
              "PreferredAuthentications": "password"}
    chosen.update(options)
    return Terminal(place, server.ssh_argv(other, flags=["-t"], **chosen))


def change(server, other, session, name):
    """Go through passwd(1); nobody else may touch the accounts meanwhile."""
    new = secrets.token_hex(12)
    with accounts_still():
        tap.ok(session.expect("Your password has expired") and session.expect(
            "change your password now and login again"), name + ": is told")
        for prompt, answer in (("(?i)current.*password:", other.password),
                               ("(?i)new.*password:", new),
                               ("(?i)retype.*password:", new)):
            tap.ok(session.expect(prompt), name + ": asks, " + prompt,
                   session.seen)
            session.send(answer + "\r")
        tap.equal(session.finish(), 0, name + ": it ends well", session.seen)
    done = server.password_ssh(other, other.password, "echo in")
    tap.equal(done.returncode, 255, name + ": the old one is gone")
    done = server.password_ssh(other, new, "echo in")
    tap.equal(done.stdout, b"in\n", name + ": the new one is good",
              done.stderr)


def by_password(server, name):
    other = expired()
    session = terminal(server, other)
    session.expect("password: ")
    session.send(other.password + "\r")
    change(server, other, session, name)


def with_pam():
    server = place.server()
    by_password(server, "PAM, password")
    other = expired()
    session = Terminal(place, server.ssh_argv(other, key=key, flags=["-t"]))
    change(server, other, session, "PAM, key")
    server.stop()


def without_pam():
    server = place.server({"UsePAM": "no"})
    by_password(server, "shadow, password")
    other = expired()
    done = server.ssh(other, "echo in", key=key)
    tap.equal(done.stdout, b"in\n", "shadow: a key asks for no password",
              done.stderr)
    server.stop()


def nothing_else():
    """Neither a command nor a subsystem runs, with or without a terminal."""
    server = place.server()
    other = expired()
    done = server.ssh(other, "echo", "in", key=key)
    tap.equal((done.returncode, done.stdout), (1, b""),
              "a command does not run", done.stderr)
    tap.like(done.stderr, "Password change required but no TTY available",
             "the user is told by us")
    tap.like(done.stderr, "You are required to change your password "
             "immediately", "and by PAM")
    done = server.ssh(other, "sftp", flags=["-s"], key=key)
    tap.equal((done.returncode, done.stdout), (1, b""),
              "a subsystem does not run", done.stderr)
    session = Terminal(place, server.ssh_argv(
        other, "echo", "in$((40+2))", key=key, flags=["-tt"]))
    tap.ok(session.expect("(?i)current.*password:"),
           "a command with a terminal is passwd", session.seen)
    session.send("wrong\r")
    tap.ok(session.finish() not in (0, None), "which fails by itself")
    tap.ok(b"in42" not in session.seen, "and no command follows")
    server.stop()


tap.main(with_pam, without_pam, nothing_else)

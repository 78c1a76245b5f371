#!/usr/bin/python3
"""Login by password through PAM, and the accounts that may not log in."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from account import account_tool
from server import Place, flavour

ODD_PASSWORD = "p\u00e4ss w\u00f6rd $HOME'\"\\`" + "x" * 100

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"PermitEmptyPasswords": "no"})


def by_password(password, who=user, where=server, **more):
    return where.password_ssh(who, password, "echo in", **more)


def accepted(done, name):
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), name,
              done.stderr)


def refused(done, name):
    tap.ok(done.returncode == 255 and done.stdout == b"", name,
           done.returncode, done.stdout, done.stderr)


def good_and_bad():
    mark = server.mark()
    accepted(by_password(user.password), "the right password")
    tap.ok(server.logged("^Accepted password for %s from 127.0.0.1 port "
                         r"\d+ ssh2$" % user.name, mark), "is logged")
    mark = server.mark()
    done = by_password("wrong" + user.password)
    refused(done, "a wrong password")
    tap.like(done.stderr, r"Permission denied \(publickey,password\)\.",
             "the client is told")
    tap.ok(server.logged("^Failed password for %s from 127.0.0.1 port "
                         r"\d+ ssh2$" % user.name, mark), "is logged")
    refused(by_password(""), "no password")
    refused(by_password(user.password[:-1]), "a shortened password")
    refused(by_password(user.password + "x"), "a longer password")
    mark = server.mark()
    refused(by_password("any", who="oetnobody"), "an unknown user")
    tap.ok(server.logged("^Failed password for invalid user oetnobody from ",
                         mark), "is logged as invalid")


def never_logged():
    """No password, good or bad, is in the log, at the most verbose level."""
    loud = place.server({"LogLevel": "DEBUG3"})
    accepted(by_password(user.password, where=loud), "login at DEBUG3")
    refused(by_password("oetSecretWrong", where=loud), "refusal at DEBUG3")
    text = loud.log()
    tap.ok(user.password not in text and "oetSecretWrong" not in text,
           "no password in the log")
    loud.stop()


def odd_password():
    other = place.account()
    other.set_password(ODD_PASSWORD)
    accepted(by_password(ODD_PASSWORD, who=other), "an odd, long password")
    refused(by_password(ODD_PASSWORD[:-1] + "y", who=other),
            "its last letter counts")
    refused(by_password("x" * 5000, who=other), "a password of 5000 letters")
    accepted(by_password(ODD_PASSWORD, who=other), "and it still works")


def empty_password():
    other = place.account()
    account_tool("passwd", "-d", other.name)
    refused(by_password("", who=other), "PermitEmptyPasswords no")
    lax = place.server({"PermitEmptyPasswords": "yes"})
    done = lax.ssh(other, "echo in", options={
        "PreferredAuthentications": "none,password"})
    accepted(done, "PermitEmptyPasswords yes: no question is asked")
    refused(by_password("", where=lax), "but a user who has one needs it")
    lax.stop()


def locked_account():
    other = place.account()
    other.authorize(key)
    account_tool("usermod", "-L", other.name)
    refused(by_password(other.password, who=other), "a locked password")
    done = server.ssh(other, "echo in", key=key)
    accepted(done, "a key still works under PAM")
    plain = place.server({"UsePAM": "no"})
    mark = plain.mark()
    refused(plain.ssh(other, "echo in", key=key),
            "without PAM a locked account is closed")
    tap.ok(plain.logged("User %s not allowed because account is locked"
                        % other.name, mark), "the log says so")
    account_tool("usermod", "-U", other.name)
    accepted(plain.ssh(other, "echo in", key=key), "unlocked: open again")
    accepted(by_password(other.password, who=other, where=plain),
             "a password without PAM")
    refused(by_password("wrong", who=other, where=plain),
            "a wrong one without PAM")
    plain.stop()


def expired_account():
    other = place.account()
    other.authorize(key)
    account_tool("chage", "-E", "0", other.name)
    mark = server.mark()
    refused(by_password(other.password, who=other),
            "an expired account, by password")
    refused(server.ssh(other, "echo in", key=key),
            "an expired account, by key")
    tap.ok(server.logged("Access denied for user %s by PAM account "
                         "configuration" % other.name, mark),
           "the log says why")


def shell_missing():
    """A shell that is not there or cannot run closes the account."""
    other = place.account(shell="/nonexistent/shell")
    other.authorize(key)
    mark = server.mark()
    refused(server.ssh(other, "echo in", key=key), "no such shell")
    tap.ok(server.logged("User %s not allowed because shell "
                         "/nonexistent/shell does not exist" % other.name,
                         mark), "the log says so")
    closed = place.account(shell="/usr/sbin/nologin")
    closed.authorize(key)
    done = server.ssh(closed, "echo in", key=key)
    tap.equal(done.returncode, 1, "nologin as shell ends with 1")
    tap.like(done.stdout, "This account is currently not available",
             "and says so")


def keyboard_interactive():
    if flavour() != "openssh":
        tap.skip("keyboard-interactive", "not offered by this release")
        return
    asks = place.server({"KbdInteractiveAuthentication": "yes",
                         "PasswordAuthentication": "no"})
    only = {"PreferredAuthentications": "keyboard-interactive"}
    accepted(by_password(user.password, where=asks, options=only),
             "keyboard-interactive, right password")
    tap.ok(asks.logged("^Accepted keyboard-interactive/pam for %s from"
                       % user.name), "is logged")
    refused(by_password("wrong", where=asks, options=only),
            "keyboard-interactive, wrong password")
    refused(by_password(user.password, where=asks),
            "PasswordAuthentication no")
    asks.stop()


def chained_methods():
    if flavour() != "openssh":
        tap.skip("AuthenticationMethods", "refused by this release")
        return
    both = place.server({"AuthenticationMethods": "publickey,password"})
    chain = {"PubkeyAuthentication": "yes",
             "PreferredAuthentications": "publickey,password"}
    accepted(by_password(user.password, where=both, options=chain, key=key),
             "publickey and then password")
    tap.ok(both.logged("^Partial publickey for %s from" % user.name),
           "the first step is logged")
    refused(both.ssh(user, "echo in", key=key), "the key alone")
    refused(by_password(user.password, where=both), "the password alone")
    both.stop()


def allow_and_deny():
    other = place.account()
    other.authorize(key)
    for conf, reason in (
            ({"DenyUsers": other.name}, "listed in DenyUsers"),
            ({"AllowUsers": user.name}, "not listed in AllowUsers"),
            ({"DenyGroups": other.name},
             "a group is listed in DenyGroups"),
            ({"AllowGroups": user.name},
             "none of user's groups are listed in AllowGroups")):
        strict = place.server(conf)
        name = " ".join(*conf.items())
        refused(strict.ssh(other, "echo in", key=key), name)
        tap.ok(strict.logged("User %s from 127.0.0.1 not allowed because .*%s"
                             % (other.name, reason)), "the log says why")
        accepted(strict.ssh(user, "echo in", key=key), name + ": another")
        strict.stop()


def the_end():
    server.stop()


tap.main(good_and_bad, never_logged, odd_password, empty_password,
         locked_account, expired_account, shell_missing,
         keyboard_interactive, chained_methods, allow_and_deny, the_end)

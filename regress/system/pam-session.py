#!/usr/bin/python3
"""What PAM is told and what its modules do to a session.

A pam_exec(8) line in the server's own /etc/pam.d/sshd writes down the items;
the machine's file stays as it is.
"""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, build_dir, flavour
from terminal import Terminal
from wait import PATIENCE, holds
import aio

NOFILE = 321
UNSET_LOGINUID = "4294967295"

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
items = place.path("pam-items")
script = place.path("pam-script")
with open(script, "w", encoding="ascii") as out:
    out.write("#!/bin/sh\necho \"$PAM_TYPE|$PAM_SERVICE|$PAM_USER|$PAM_RHOST|"
              "$PAM_TTY|$(id -u)\" >>%s\n" % items)
os.chmod(script, 0o755)
overlay = place.overlay_etc("""
cat >>/etc/pam.d/sshd <<END
account optional pam_exec.so %s
session optional pam_exec.so %s
session optional pam_env.so conffile=/etc/security/oet.conf
END
echo 'OET_PAM DEFAULT=by-pam' >/etc/security/oet.conf
echo '%s - nofile %d' >/etc/security/limits.d/oet.conf
""" % (script, script, user.name, NOFILE))
if not overlay:
    tap.skip_all("no overlay over /etc can be mounted here")
server = place.server(before=overlay)


def run(*command, **more):
    return server.ssh(user, *command, key=key, **more)


def notes():
    if not os.path.exists(items):
        return []
    with open(items, encoding="utf-8") as text:
        return [line.split("|") for line in text.read().splitlines()]


def pam_items():
    done = run("echo in")
    tap.equal(done.stdout, b"in\n", "a login with the script", done.stderr)
    tap.ok(holds(lambda: len(notes()) >= 3),
           "account, open_session and close_session run", notes())
    tap.equal([note[0] for note in notes()],
              ["account", "open_session", "close_session"], "in this order")
    for note in notes():
        tap.equal(note[1:4], ["sshd", user.name, "127.0.0.1"],
                  "%s: PAM_SERVICE, PAM_USER, PAM_RHOST" % note[0])
        tap.equal(note[4], "ssh", "%s: PAM_TTY without a terminal" % note[0])
        tap.equal(note[5], "0", "%s: as root" % note[0])


def pam_tty():
    os.unlink(items)
    screen = Terminal(place, server.ssh_argv(user, "tty; read x", key=key,
                                             flags=["-tt"]))
    found = screen.expect(r"(/dev/pts/\d+)\r\n")
    tap.ok(found, "a session with a terminal", screen.seen)
    screen.send("\r")
    screen.finish()
    holds(lambda: len(notes()) >= 3)
    opened = [note[4] for note in notes() if note[0] == "open_session"]
    tap.ok(opened and opened[0] in ("ssh", found.group(1).decode()),
           "open_session: PAM_TTY is ssh or the terminal", notes())


def password_login():
    os.unlink(items)
    done = server.password_ssh(user, user.password, "echo in")
    tap.equal(done.stdout, b"in\n", "by password")
    tap.ok(holds(lambda: [note[0] for note in notes()] ==
                 ["account", "open_session", "close_session"]),
           "the same steps after a password", notes())


def loginuid():
    """pam_loginuid(8): the audit id is the user's, and stays in sudo."""
    try:
        with open("/proc/self/loginuid", encoding="ascii") as text:
            own = text.read()
    except OSError:
        tap.skip("loginuid", "the kernel has no audit")
        return
    seen = run("cat /proc/self/loginuid").stdout.decode()
    if own != UNSET_LOGINUID and seen == own:
        tap.skip("loginuid", "it is set already and may not be changed")
        return
    tap.equal(seen, str(user.uid), "/proc/self/loginuid is the user's")
    first = run("cat /proc/self/sessionid").stdout
    tap.ok(first != run("cat /proc/self/sessionid").stdout,
           "each login has an audit session of its own")
    with open("/proc/%d/loginuid" % server.process.pid,
              encoding="ascii") as text:
        tap.equal(text.read(), own, "the server's own is as before")


def limits_and_environment():
    out = run("ulimit -n; ulimit -Hn; echo $OET_PAM").stdout.decode().split()
    tap.equal(out[:2], [str(NOFILE)] * 2, "limits.conf(5) is in force")
    tap.equal(out[2:], ["by-pam"], "pam_env(8) sets a variable")


def inheritable_capabilities():
    """pam_cap(8) gives the user a capability to inherit; to hand on one that
    it does not have itself, the monitor needs CAP_SETPCAP."""
    overlay = place.overlay_etc("""
echo 'cap_net_raw %s' >/etc/security/capability.conf
sed -i '1i auth optional pam_cap.so' /etc/pam.d/sshd""" % user.name)
    capable = place.server(before=overlay)
    seen = capable.ssh(user, "grep CapInh /proc/self/status", key=key).stdout
    if not glob.glob("/lib/*/security/pam_cap.so"):
        tap.skip("pam_cap", "libpam-cap is not installed")
    else:
        tap.like(seen, r"CapInh:\s*0*2000$", "pam_cap: a user's cap_net_raw")
    capable.stop()


def refused_by_account():
    """An account module that fails closes the door, with its message."""
    strict = place.overlay_etc(
        "sed -i '1i account requisite pam_deny.so' /etc/pam.d/sshd")
    closed = place.server(before=strict)
    done = closed.ssh(user, "echo in", key=key)
    tap.ok(done.returncode == 255 and not done.stdout,
           "account: pam_deny refuses a good key", done)
    tap.ok(closed.logged("Access denied for user %s by PAM account "
                         "configuration" % user.name), "the log says so")
    closed.stop()


def session_failure():
    """A required session module that fails: no session."""
    if flavour() == "openssh":
        tap.skip("session: pam_deny", "OpenSSH logs it and goes on")
        return
    strict = place.overlay_etc(
        "echo 'session required pam_deny.so' >>/etc/pam.d/sshd")
    closed = place.server(before=strict)
    done = closed.ssh(user, "echo in", key=key)
    tap.ok(done.returncode != 0 and not done.stdout,
           "session: pam_deny keeps a command from running", done)
    closed.stop()


async def commands(where, count):
    """What each of so many commands printed, one after the other in one
    connection; None: refused."""
    printed = []
    async with aio.connect(where, user, key) as session:
        for _ in range(count):
            try:
                done = await session.run("echo in", timeout=PATIENCE)
                printed.append(done.stdout or None)
            except aio.asyncssh.Error:
                printed.append(None)
    return printed


def renamed_in_session():
    """A session module that changes the user: no session, however often the
    client asks."""
    module = os.path.join(build_dir(), "regress", "lib", "pam_ask.so")
    if flavour() == "openssh":
        tap.skip("session: another user", "OpenSSH does not look")
        return
    for name, printed in ((user.name, "in\n"), ("root", None)):
        overlay = place.overlay_etc(
            "echo 'session required %s %s' >>/etc/pam.d/sshd"
            % (module, name))
        renamed = place.server(before=overlay)
        tap.equal(aio.run(commands(renamed, 3)), [printed] * 3,
                  "session: a module that says it is %s" % name,
                  renamed.log())
        renamed.stop()


def the_end():
    server.stop()


tap.main(pam_items, pam_tty, password_login, loginuid,
         limits_and_environment, inheritable_capabilities, refused_by_account,
         session_failure, renamed_in_session, the_end)

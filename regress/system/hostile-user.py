#!/usr/bin/python3
"""What a user can make root's processes do: run a program in place of the
sftp-server that they are held to, fill the log, end their own monitor, tell
strangers who exists."""
import errno
import fcntl
import logging
import os
import re
import subprocess
import sys
import time

import paramiko

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place
from wait import wait_for

JUNK_LINES = 20000
REQUESTS = 600
BURST, RATE = 100, 5  # LOG_BOUNDED_BURST, LOG_BOUNDED_RATE
GUESSES = 10
# A refusal without a hash costs a twentieth.
ALIKE = 4
LIBC_WAITS = 15  # seconds; twice 10 at least
TICKS = os.sysconf("SC_CLK_TCK")

logging.getLogger("paramiko").setLevel(logging.CRITICAL)
place = Place()
user = place.account()
key = place.key()
user.authorize(key)

PRELOAD = """
#include <fcntl.h>
#include <stdlib.h>
static void __attribute__((constructor)) run(void)
{
	unsetenv("LD_PRELOAD");
	(void)open("%s", O_CREAT | O_WRONLY, 0600);
}
"""


def sftp(server, commands):
    argv = ["sftp", *server.options(key), "-P", str(server.port), "-b", "-",
            "%s@%s" % (user.name, ADDRESS)]
    return place.run(argv, input=commands)


def preload():
    source, library = place.path("run.c"), user.path("run.so")
    with open(source, "w", encoding="ascii") as out:
        out.write(PRELOAD % user.path("ran"))
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source],
                   check=True)
    user.write(".pam_environment", "LD_PRELOAD=%s\nTRIED=yes\n" % library)
    user.write(".ssh/environment", "LD_PRELOAD=%s\n" % library)
    return place.server(
        {"Subsystem": "sftp internal-sftp", "PermitUserEnvironment": "yes"},
        tail="Match User %s\n ForceCommand internal-sftp\n"
        % user.name)


def only_sftp():
    plain = preload()
    done = sftp(plain, b"pwd\n")
    tap.like(done.stdout.decode(), re.escape(user.home),
             "who is held to internal-sftp has it", done.stderr)
    tap.ok(not os.path.exists(user.path("ran")),
           "and runs no program of their own with it")
    shell = place.server({"PermitUserEnvironment": "yes"})
    done = shell.ssh(user, "true", key=key)
    tap.ok(done.returncode == 0 and os.path.exists(user.path("ran")),
           "which they could in a shell", done.stderr)
    for name in (".pam_environment", ".ssh/environment"):
        os.unlink(user.path(name))


def other_processes():
    """What /proc has of a process that the same user runs."""
    server = place.server({"Subsystem": "sftp internal-sftp"})
    other = place.popen(["setpriv", "--reuid", str(user.uid), "--regid",
                         str(user.gid), "--clear-groups", "cat"])
    knob = "/proc/%d/oom_score_adj" % other.pid
    wait_for(lambda: os.stat(knob).st_uid == user.uid, what=knob)
    transport = paramiko.Transport((ADDRESS, server.port))
    transport.connect(username=user.name,
                      pkey=paramiko.Ed25519Key(filename=key))
    client = transport.open_sftp_client()
    client.open(knob, "r").close()
    try:
        client.open(knob, "r+")
        tap.ok(False, "nothing of another process is written to")
    except OSError as error:
        tap.equal(error.errno, errno.EACCES,
                  "nothing of another process is written to")
    transport.close()


def within_bounds(server, pattern, since, began, name):
    """No more such lines than so many at once and so many a second."""
    lines = re.findall(pattern, server.log(since), re.M)
    most = BURST + RATE * (time.monotonic() - began) + 1
    tap.ok(0 < len(lines) <= most, name, len(lines), most)


def junk_in_key_files():
    server = place.server()
    with open(key + ".pub", encoding="ascii") as public:
        line = public.read()
    user.write(".ssh/authorized_keys", "x\n" * JUNK_LINES +
               ('from="192.0.2.1" ' + line) * JUNK_LINES + line)
    began, since = time.monotonic(), server.mark()
    done = server.ssh(user, "echo in", key=key)
    tap.equal(done.stdout, b"in\n", "a key below much junk counts",
              done.stderr)
    within_bounds(server, "line refused|key not used", since, began,
                  "the junk does not fill the log")
    tap.like(server.log(since), "some are left out", "which says so")
    tap.like(server.log(since), "Accepted publickey for " + user.name,
             "and leaves no login out")
    user.authorize(key)


def refused_forwardings():
    server = place.server({"PermitOpen": "none"})
    began, since = time.monotonic(), server.mark()
    transport = paramiko.Transport((ADDRESS, server.port))
    transport.start_client()
    transport.auth_publickey(user.name, paramiko.Ed25519Key(filename=key))
    refused = 0
    for _ in range(REQUESTS):
        try:
            transport.open_channel("direct-tcpip", (ADDRESS, 1), (ADDRESS, 2))
        except paramiko.ChannelException:
            refused += 1
    transport.close()
    tap.equal(refused, REQUESTS, "each of many forwardings is refused")
    within_bounds(server, "request was denied", since, began,
                  "without filling the log")


def size_limit():
    """pam_limits sets it for the monitor, which keeps larger files."""
    overlay = place.overlay_etc(
        "mkdir -p /etc/security\n"
        "echo '%s hard fsize 1' >/etc/security/limits.conf" % user.name)
    if overlay is None:
        return tap.skip("a limit of files' sizes", "no overlay here")
    server = place.server(before=overlay + """
mount -t tmpfs none /var/log
truncate -s 65536 /var/log/wtmp /var/log/lastlog
""")
    done = server.ssh(user, "ulimit -f", key=key, flags=["-tt"])
    tap.equal((done.returncode, done.stdout.strip()), (0, b"1"),
              "a small limit of files' sizes ends no session", done.stderr)


def worked(server):
    """Seconds of processor time of a server's connections (proc(5))."""
    total = 0
    for pid in server.children():
        with open("/proc/%d/stat" % pid, "rb") as stat:
            fields = stat.read().rsplit(b")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def seconds_on_terminal(server):
    began = time.monotonic()
    done = server.ssh(user, "echo in", key=key, flags=["-tt"])
    tap.equal(done.stdout, b"in\r\n", "a session with a terminal",
              done.stderr)
    return time.monotonic() - began


def locked_records():
    """Who may read the files of logins may lock them (fcntl(2))."""
    wtmp = place.path("wtmp")
    with open(wtmp, "wb"):
        os.chmod(wtmp, 0o664)
    server = place.server(before="mount -t tmpfs none /var/log\n"
                          "touch /var/log/wtmp\n"
                          "mount --bind %s /var/log/wtmp" % wtmp)
    free = seconds_on_terminal(server)
    tap.ok(os.path.getsize(wtmp) > 0, "is recorded")
    with open(wtmp, "rb") as lock:
        fcntl.lockf(lock, fcntl.LOCK_SH)
        held = seconds_on_terminal(server)
    tap.ok(held < free + LIBC_WAITS, "and waits for nobody's lock", free, held)


def work_of(server, name, attempt):
    """What refusals cost: what strangers can measure, but for the noise."""
    wait_for(lambda: not server.children(), what="the last one to be gone")
    transport = paramiko.Transport((ADDRESS, server.port))
    transport.start_client()
    for _ in range(GUESSES):
        try:
            attempt(transport, name)
        except paramiko.AuthenticationException:
            pass
    work = worked(server)
    transport.close()
    return work


def by_password(transport, name):
    transport.auth_password(name, "wrong", fallback=False)


def by_answers(transport, name):
    transport.auth_interactive(name, lambda *asked: ["wrong"] * len(asked[2]))


def who_exists():
    for how, attempt, conf in (
            ("password of PAM's", by_password, {}),
            ("password of shadow(5)", by_password, {"UsePAM": "no"}),
            ("answer to PAM", by_answers,
             {"KbdInteractiveAuthentication": "yes"})):
        server = place.server(dict({"MaxAuthTries": "20"}, **conf))
        known = work_of(server, user.name, attempt)
        for name in ("oet-nobody-has-it", "daemon"):
            other = work_of(server, name, attempt)
            tap.ok(max(known, other) < ALIKE * min(known, other),
                   "a wrong %s costs as much for %s" % (how, name),
                   known, other)


tap.main(only_sftp, other_processes, junk_in_key_files, refused_forwardings, size_limit,
         locked_records, who_exists)

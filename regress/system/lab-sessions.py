#!/usr/bin/python3
"""What a login at omniedge ssh-server may do, and what is reported of it."""
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import lab
import tap
from lab import Lab
from server import Place, free_port
from wait import holds, kill_quietly

place = Place()
alice = place.account()
EVENT = re.compile(r"^[A-Z][A-Za-z]+ ")


def sftp(server, *lines):
    """Run these in sftp: (status, all of what it says)."""
    argv = ["sftp", *server.options(None, BatchMode="no",
                                    PreferredAuthentications="password"),
            "-P", str(server.port), alice.name + "@127.0.0.1"]
    done = place.run(argv, env=place.askpass("pw"),
                     input="\n".join(lines).encode() + b"\nquit\n")
    return done.returncode, (done.stdout + done.stderr).decode()


def run(server, command, **options):
    done = server.login(alice, command, password="pw", **options)
    return done.returncode, (done.stdout + done.stderr).decode()


# What a session could try; each must fail, and leave things as they were.
CHANGES = (
    "echo x > new", "echo x >> kept", "truncate -s 0 kept", "rm kept",
    "mv kept other", "cp kept other", "ln kept other", "ln -s kept other",
    "mkdir folder", "rmdir empty", "mkfifo pipe", "chmod 777 kept",
    "chgrp `id -g` kept && chmod 700 kept", "touch -d 2001-01-01 kept",
    "touch kept", "dd if=/dev/zero of=kept count=1",
    "echo x > /tmp/lab-readonly-$$",
    "python3 -c 'import os; os.truncate(\"kept\", 0)'",
    "python3 -c 'import os; os.setxattr(\"kept\", \"user.x\", b\"1\")'",
    "python3 -c 'import os; os.open(\"kept\", os.O_RDWR)'",
    "python3 -c 'import socket; socket.socket(socket.AF_UNIX)'",
    "sh -c 'exec sh -c \"rm kept\"'", "setsid rm kept",
    "sudo -n rm kept", "su -c 'rm kept'",
)
ALLOWED = (
    "cat kept", "ls -la", "echo x > /dev/null", "cp kept /dev/null",
    "exec 3< kept", "python3 -c 'import socket; socket.socketpair()'",
    "python3 -c 'import socket; socket.socket()'", "echo a | cat | cat",
    "test -r kept", "cd / && ls",
)


def snapshot():
    listed = subprocess.run(
        ["find", alice.home, "-printf", "%P %m %s %T@ %u %n\n"],
        capture_output=True, text=True, check=True).stdout
    return sorted(line for line in listed.splitlines()
                  if not line.startswith(".omniedge"))


def read_only():
    alice.write("kept", "content\n", 0o644)
    alice.make_dir("empty")
    for account in (None, alice):
        server = Lab(place, "--read-only", account=account, password="pw")
        before = snapshot()
        code, said = run(server, "\n".join(
            "(%s) && echo CHANGED: '%s'" % (
                change, change.replace("'", "")) for change in CHANGES))
        tap.unlike(said, r"^CHANGED", "no change succeeds", said)
        tap.equal(snapshot(), before, "and everything is as it was")
        for command in ALLOWED:
            code, said = run(server, command)
            tap.equal(code, 0, "allowed: " + command, said)
        done = server.login(alice, "echo t > `tty`; echo t > /dev/tty",
                            password="pw", flags=["-tt"])
        tap.equal(done.stdout.count(b"t\r\n"), 2, "the terminal is written to",
                  done.stdout)
        code, said = sftp(server, "get kept /dev/null", "put /etc/hostname f",
                          "rm kept", "mkdir d", "chmod 777 kept",
                          "rename kept k")
        tap.like(said, "Fetching", "SFTP reads")
        tap.equal(snapshot(), before, "and changes nothing", said)
        forwards_nothing(server, "--read-only")
        server.stop()


def sftp_only():
    server = Lab(place, "--sftp-only", account=alice, password="pw")
    code, said = sftp(server, "put /etc/hostname put-there", "rm put-there")
    tap.equal(code, 0, "--sftp-only: SFTP works", said)
    code, said = run(server, "id")
    tap.equal((code, said), (1, "This service allows sftp connections only.\n"),
              "a command is refused, and why")
    tap.ok(server.logged(r'^CommandBlocked .*reason="only SFTP is allowed" '
                         r'command=id$'), "with the event")
    done = server.login(alice, password="pw", flags=["-tt"])
    tap.like(done.stdout + done.stderr, "PTY allocation request failed",
             "no terminal")
    done = place.run(["scp", *server.options(
        None, BatchMode="no", PreferredAuthentications="password"),
        "-P", str(server.port), "/etc/hostname",
        alice.name + "@127.0.0.1:scp-there"], env=place.askpass("pw"))
    tap.equal(done.returncode, 0, "scp in its new form works", done.stderr)
    server.stop()
    server = Lab(place, "--sftp-only", "--read-only", account=alice,
                 password="pw")
    code, said = sftp(server, "ls", "rm scp-there")
    tap.ok(os.path.exists(alice.path("scp-there")), "with --read-only: reads",
           said)
    server.stop()


def command():
    server = Lab(place, "--command", "echo forced: $SSH_ORIGINAL_COMMAND",
                 account=alice, password="pw")
    tap.equal(run(server, "id -un"), (0, "forced: id -un\n"), "--command")
    tap.ok(server.logged(r'^CommandBlocked .*reason="a command is forced" '
                         r'command="id -un"$'), "with the event")
    tap.equal(server.login(alice, password="pw").stdout, b"forced:\n",
              "a shell is that command, too")
    server.stop()


def forwards_nothing(server, why):
    done = server.login(alice, password="pw",
                        flags=["-W", "127.0.0.1:%d" % server.port])
    tap.ok(done.returncode != 0 and not done.stdout.startswith(b"SSH-"),
           why + ": nothing is forwarded", done.stdout)


def no_forwarding():
    """Whether or not it is offered otherwise, it is not with the option."""
    server = Lab(place, "--no-forwarding", account=alice, password="pw")
    forwards_nothing(server, "--no-forwarding")
    server.stop()


def events():
    """As readable lines, and as JSON with the same."""
    evil = "echo 'a\"b\\c' \u00e9\t=x #\nexit 3"
    server = Lab(place, account=alice, password="pw")
    json_server = Lab(place, "--log-json", "--device-id", "bench 7",
                      account=alice, password="pw")
    for each in (server, json_server):
        run(each, evil)
        sftp(each, "ls")
        each.login("no\u00f6 ne\"", "id", password="wrong")
        tap.ok(holds(lambda: each.log().count("ConnectionClosed") == 2),
               "two connections and what became of them")
        each.stop()
    lines = [line for line in server.log().splitlines() if EVENT.match(line)
             and "=" in line]
    names = [line.split(" ")[0] for line in lines]
    objects = json_server.events()
    tap.equal(names, [each["event"] for each in objects
                      if each["event"] != "Log"], "the same events", lines)
    for name in ("ConnectionAttempt", "ConnectionAuthenticated",
                 "SessionStarted", "SessionEnded", "ConnectionClosed"):
        tap.ok(name in names, "an event " + name)
    ended = [each for each in objects if each["event"] == "SessionEnded"]
    tap.equal((ended[0]["exit"], ended[0]["bytes_out"]), (3, 12),
              "exit status and bytes", ended)
    tap.ok(ended[1]["bytes_in"] > 20 and ended[1]["bytes_out"] > 20,
           "bytes of SFTP both ways", ended[1])
    started = [each for each in objects if each["event"] == "SessionStarted"]
    tap.equal(started[0]["command"].encode("latin-1").decode(), evil,
              "a command comes back byte by byte")
    tap.ok(all(each["device"] == "bench 7" and re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["time"])
        for each in objects), "each has the device and the time")
    tap.equal(len({each["conn"] for each in objects if "conn" in each}), 2,
              "a name for each connection")
    tap.like("\n".join(lines), r'a\\"b\\\\c', "quotes are quoted")


def forged():
    """Nothing that a client says makes a line of its own."""
    name = "x\nConnectionAuthenticated ssh_user=root"
    server = Lab(place, account=alice, password="pw")
    run(server, "true\nSessionEnded conn=0 exit=0\nAccepted password for root")
    server.ssh(name, "id")
    server.stop()
    tap.unlike(server.log(), r"^(Accepted password for root|SessionEnded conn"
               r"=0 |ConnectionAuthenticated ssh_user=root)", "no forged line")


def quiet():
    server = Lab(place, "--quiet", account=alice)
    tap.ok(server.once(), "--quiet: the password is printed all the same")
    tap.equal(server.may_login(alice, server.once()), alice.name, "a login")
    tap.equal(server.log(), "", "and no line in the log")
    server.stop()


def daemon():
    for account in (None, alice):
        log = (place.path if account is None else alice.path)("daemon.log")
        pid_file = (place.path if account is None else alice.path)("pid")
        port = str(free_port())
        argv = ["-p", port, "-d", "--pid-file", pid_file, "--log-file", log,
                "--auth", "none", "--localhost-only", "--host-key-path",
                (place.path if account is None else alice.path)("dkeys/")]
        done = lab.run(*argv, account=account)
        tap.equal(done.returncode, 0, "--daemon returns", done.stderr)
        tap.like(done.stdout, "^Log in with:", "once it serves")
        with open(pid_file, encoding="ascii") as text:
            pid = int(text.read())
        with open(log, encoding="utf-8") as text:
            tap.like(text.read(), "Server listening on", "--log-file")
        again = lab.run(*argv, account=account)
        tap.equal(again.returncode, 1, "a second one does not start")
        with open(log, encoding="utf-8") as text:
            tap.like(text.read(), "a server runs already, process %d" % pid,
                     "and says which is there")
        os.kill(pid, signal.SIGTERM)
        tap.ok(holds(lambda: not os.path.exists("/proc/%d" % pid) or
                     reap(pid)), "SIGTERM ends it")
        tap.ok(holds(lambda: not os.path.exists(pid_file)),
               "its pid file is gone")
        kill_quietly(pid)


def reap(pid):
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def dispatcher():
    """omniedge finds it beside itself, and passes its status on."""
    done = subprocess.run([lab.program(), "ssh-server", "--nonsense"],
                          capture_output=True, text=True)
    tap.equal(done.returncode, 2, "omniedge ssh-server runs it")
    listed = subprocess.run([lab.program(), "--help"], capture_output=True,
                            text=True).stdout
    tap.like(listed, "^  ssh-server ", "and lists it")


tap.main(read_only, sftp_only, command, no_forwarding, events, forged, quiet,
         daemon, dispatcher)

#!/usr/bin/python3
"""Commands without a terminal: status, streams, environment, length."""
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import PATIENCE
import aio

BIG = 10 << 20
LONG_COMMAND = 30000

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"AcceptEnv": "LANG LC_* OET_*", "PermitTTY": "yes"})


def run(*command, **more):
    return server.ssh(user, *command, key=key, **more)


def exit_status():
    """Every status a process can have, over one connection."""
    wanted = list(range(256))

    async def each():
        async with aio.connect(server, user, key) as session:
            return [(await session.run("exit %d" % status)).exit_status
                    for status in wanted]
    tap.equal(aio.run(each()), wanted, "exit status 0 to 255")
    for status in (0, 1, 42, 254, 255):
        tap.equal(run("exit %d" % status).returncode, status,
                  "stock client: status %d" % status)
    tap.equal(run("oet-no-such-command").returncode, 127,
              "no such command: 127")


def exit_signal():
    async def each():
        ends = []
        async with aio.connect(server, user, key) as session:
            for name in ("TERM", "KILL", "SEGV", "USR1", "INT", "HUP"):
                done = await session.run("ulimit -c 0; kill -%s $$" % name)
                ends.append((name, done.exit_signal and done.exit_signal[0]))
        return ends
    for wanted, got in aio.run(each()):
        tap.equal(got, wanted, "exit-signal %s (RFC 4254, 6.10)" % wanted)
    tap.equal(run("kill -9 $$").returncode, 255,
              "stock client: 255 for a killed command")


def streams_apart():
    done = run("echo out; echo err >&2; echo out2; echo err2 >&2")
    tap.equal(done.stdout, b"out\nout2\n", "stdout alone")
    tap.equal(done.stderr, b"err\nerr2\n", "stderr alone")
    done = run("tty; test -t 0 || echo none")
    tap.equal(done.stdout, b"not a tty\nnone\n", "no terminal")


def binary_clean():
    data = os.urandom(BIG)
    done = run("cat", input=data)
    tap.equal(hashlib.sha256(done.stdout).hexdigest(),
              hashlib.sha256(data).hexdigest(), "10 MiB there and back")
    done = run("tee /dev/stderr", input=data)
    tap.ok(done.stdout == data and done.stderr == data,
           "and on stderr at the same time")
    slow = "while [ $(head -c 65536 | wc -c) -gt 0 ]; do :; done; echo all"
    tap.equal(run(slow, input=data * 3).stdout, b"all\n",
              "a slow reader is waited for")
    done = run("sha256sum", input=data)
    tap.equal(done.stdout.split()[:1],
              [hashlib.sha256(data).hexdigest().encode()],
              "the command saw each byte")
    every = bytes(range(256)) * 4
    tap.equal(run("cat", input=every).stdout, every, "each byte value")


def end_of_input():
    tap.equal(run("cat; echo seen", input=b"tail").stdout, b"tailseen\n",
              "EOF reaches the command, its output comes after")
    tap.equal(run("exec 0<&-; echo on", input=b"x" * 300000).stdout,
              b"on\n", "input that nobody reads does no harm")
    done = run("exec 1>&- 2>&-; cat >got; exit 9", input=b"kept")
    tap.equal(done.returncode, 9, "a command that closed its output")
    with open(user.path("got"), "rb") as got:
        tap.equal(got.read(), b"kept", "still gets its input")
    done = run("true", flags=["-n"])
    tap.equal(done.returncode, 0, "no input at all")


def late_output():
    """What a command wrote last is not lost at its exit."""
    size = 300000
    counts = [len(run("head -c %d /dev/zero" % size).stdout)
              for _ in range(10)]
    tap.equal(counts, [size] * 10, "output up to the exit, ten times")
    done = run("(tail -f /dev/null --pid $$; echo late) & echo first; exit 3",
               timeout=PATIENCE)
    tap.equal(done.returncode, 3, "status with a background writer")
    tap.like(done.stdout, r"\Afirst\n(late\n)?\Z", "and its output")


def time_zone():
    """The server's TZ, and nothing else that it was started with."""
    zoned = place.server(before="export TZ=Europe/Vienna OET_LEAK=1")
    done = zoned.ssh(user, "echo $TZ $OET_LEAK", key=key)
    tap.equal(done.stdout, b"Europe/Vienna\n", "TZ of the server")
    zoned.stop()


def too_long_command():
    """As long as a program can be given: what one message carries is less."""
    done = run("echo", "x" * 65000, "y" * 65000)
    tap.equal(done.stdout, b"x" * 65000 + b" " + b"y" * 65000 + b"\n",
              "a command of 130 kB", done.stderr)
    mark = server.mark()
    done = run("true", "x" * 66000, "y" * 66000)
    tap.ok(done.returncode != 0, "one that no shell takes is refused",
           done.returncode)
    if flavour() == "openssh":
        return
    tap.ok(server.logged("refused a command of 132006 bytes: 131071 are the "
                         "most", mark), "and the log says why")


def often():
    """What is logged for a connection has an end; it does not end it."""
    async def each():
        async with aio.connect(server, user, key) as session:
            refused = 0
            for _ in range(120):
                try:
                    await session.run("true " + "x" * 132000)
                except aio.asyncssh.ChannelOpenError:
                    refused += 1
            return refused, (await session.run("echo on")).stdout
    if flavour() != "openssh":
        tap.equal(aio.run(each()), (120, "on\n"),
                  "a connection in which 120 lines were logged goes on")


def long_command():
    text = "x" * LONG_COMMAND
    done = run("echo %s" % text)
    tap.equal(len(done.stdout), LONG_COMMAND + 1, "a command of 30 kB",
              done.stderr)
    tap.equal(run("printf '%s|' 'a  b' \"c\nd\" e'f'").stdout,
              b"a  b|c\nd|ef|", "quotes, blanks and a newline arrive")
    tap.equal(run("exit", "5").returncode, 5, "words joined by a blank")


def variables(**more):
    out = run("env", **more).stdout.decode()
    return dict(line.split("=", 1) for line in out.splitlines()
                if "=" in line)


def accept_env():
    env = place.environment(OET_A="one two", LC_OET="l", OTHER="no",
                            OET_E="")
    options = {"SendEnv": "OET_* LC_OET OTHER"}
    seen = variables(env=env, options=options)
    tap.equal(seen.get("OET_A"), "one two", "AcceptEnv lets it pass")
    tap.equal(seen.get("LC_OET"), "l", "by a pattern")
    tap.equal(seen.get("OET_E"), "", "an empty value")
    tap.ok("OTHER" not in seen, "another name is refused")
    seen = variables(options={"SetEnv": "LD_PRELOAD=/x PATH=/evil"})
    tap.ok("LD_PRELOAD" not in seen and "/evil" not in seen["PATH"],
           "LD_PRELOAD and PATH are refused")


def environment():
    """The variables of sshd(8), LOGIN PROCESS and FILES."""
    seen = variables()
    for name, wanted in (("USER", user.name), ("LOGNAME", user.name),
                         ("HOME", user.home), ("SHELL", user.shell)):
        tap.equal(seen.get(name), wanted, name)
    tap.like(seen.get("PATH", ""), r"^(/usr/local/bin:)?/usr/bin:/bin\b",
             "PATH is the default one")
    four = r"^127\.0\.0\.1 (\d+) 127\.0\.0\.1 %d$" % server.port
    tap.like(seen.get("SSH_CONNECTION", ""), four, "SSH_CONNECTION")
    tap.like(seen.get("SSH_CLIENT", ""),
             r"^127\.0\.0\.1 \d+ %d$" % server.port, "SSH_CLIENT")
    both = (seen["SSH_CONNECTION"].split() + seen["SSH_CLIENT"].split())
    tap.equal(both[1], both[5], "both name the client's port")
    tap.ok("SSH_TTY" not in seen, "no SSH_TTY without a terminal")
    known = set("USER LOGNAME HOME SHELL MAIL PATH PWD OLDPWD SHLVL _ LANG "
                "SSH_CONNECTION SSH_CLIENT XDG_SESSION_ID MOTD_SHOWN "
                "XDG_RUNTIME_DIR XDG_SESSION_CLASS XDG_SESSION_TYPE "
                "DBUS_SESSION_BUS_ADDRESS TZ".split())
    tap.equal(sorted(set(seen) - known), [],
              "nothing of the server's own environment")
    done = run("pwd; umask; id -Gn; ls /proc/self/fd | wc -l")
    lines = done.stdout.decode().split("\n")
    tap.equal(lines[0], user.home, "starts in the home directory")
    tap.equal(lines[1:3], ["0022", user.name], "umask and groups")
    tap.equal(lines[3], "4", "no other descriptor is open (ls has its own)")


def force_command():
    with_force = place.server(
        {"ForceCommand": "echo \"$SSH_ORIGINAL_COMMAND|$0\"",
         "SetEnv": "OET_SET=by-server"})
    done = with_force.ssh(user, "what 'I' wanted", key=key)
    tap.like(done.stdout, r"^what 'I' wanted\|.*bash$",
             "ForceCommand runs, SSH_ORIGINAL_COMMAND tells the wish")
    done = with_force.ssh(user, key=key)
    tap.like(done.stdout, r"^\|", "no command: the variable is empty")
    with_force.stop()
    user.authorize(key, options='command="echo key $SSH_ORIGINAL_COMMAND"')
    tap.equal(run("id").stdout, b"key id\n", "command= of authorized_keys")
    user.authorize(key, options='environment="OET_X=1"')
    tap.ok("OET_X" not in variables(),
           "environment= needs PermitUserEnvironment")
    user.authorize(key)


def shells():
    """The command goes through the user's shell, as `shell -c command`."""
    script = user.write("shell.sh", "#!/bin/sh\nfor a; do echo \"[$a]\"; "
                        "done\n", 0o755)
    odd = place.account(shell=script)
    odd.authorize(key)
    os.chmod(user.home, 0o755)
    tap.equal(server.ssh(odd, "some  thing", key=key).stdout,
              b"[-c]\n[some  thing]\n", "shell -c 'command'")
    tap.unlike(server.ssh(odd, key=key).stdout, r"^\[",
               "a login shell gets no argument")


def without_pam():
    """MAIL is PAM's business where PAM is used, else sshd's."""
    plain = place.server({"UsePAM": "no"})
    out = plain.ssh(user, "echo $MAIL; echo $PATH", key=key).stdout.decode()
    mail, path = out.splitlines()[:2]
    tap.equal(mail, "/var/mail/" + user.name, "MAIL without PAM")
    tap.like(path, r"/usr/bin:/bin", "PATH without PAM")
    plain.stop()


def subsystem_unknown():
    done = run("oet", flags=["-s"])
    tap.ok(done.returncode != 0, "an unknown subsystem fails")
    tap.like(done.stderr, r"subsystem request failed on channel 0",
             "and the client is told")


def the_end():
    server.stop()


tap.main(exit_status, exit_signal, streams_apart, binary_clean, end_of_input,
         late_output, long_command,
         too_long_command, often, time_zone, accept_env, environment, force_command,
         shells, without_pam, subsystem_unknown, the_end)

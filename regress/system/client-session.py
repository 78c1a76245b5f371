#!/usr/bin/python3
"""omniedge ssh: commands, streams, exit status, terminals, escapes."""
import hashlib
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import Omniedge
from server import ADDRESS, Place
from terminal import Terminal
from wait import PATIENCE, holds, wait_for

BIG = 20 << 20

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"AcceptEnv": "LANG OET_*"})
client = Omniedge(place, server)


def run(*command, **more):
    return client.run(user, *command, key=key, **more)


def terminal(*command, flags=(), **more):
    return Terminal(place, client.argv(user, *command, key=key, flags=flags,
                                       BatchMode="no", **more))


def exit_status():
    for status in (0, 1, 7, 127, 254, 255):
        tap.equal(run("exit %d" % status).returncode, status,
                  "exit status %d" % status)
    done = run("kill -TERM $$")
    tap.equal(done.returncode, 255, "a command that a signal ended: 255")
    tap.like(done.stderr, "SIGTERM", "and its signal is named")
    tap.equal(place.run([client.path, "ssh", *client.options(key), "-p", "1",
                         ADDRESS, "true"]).returncode, 255,
              "our own failure: 255")
    done = place.run([client.path, "ssh"])
    tap.equal(done.returncode, 2, "bad usage: 2")
    tap.like(done.stderr, "^usage: omniedge ssh", "and how it is used")
    done = place.run([client.path, "ssh", "-Z", ADDRESS])
    tap.equal(done.returncode, 2, "a flag that there is not: 2")
    tap.like(done.stderr, "invalid option -- 'Z'\nusage: (.*\n){2}See ",
             "is named, and the rest is short")


def streams():
    done = run("echo out; echo err >&2; echo out2")
    tap.equal((done.stdout, done.stderr), (b"out\nout2\n", b"err\n"),
              "stdout and stderr stay apart, nothing of ours on either")
    data = os.urandom(BIG)
    done = run("cat", input=data)
    tap.ok(done.stdout == data, "%d bytes through cat, in order" % BIG)
    done = run("sha256sum", input=data)
    tap.equal(done.stdout.split()[0].decode(),
              hashlib.sha256(data).hexdigest(), "stdin to its end")
    tap.equal(run("cat", input=b"x", flags=["-n"]).stdout, b"",
              "-n: nothing is read from stdin")
    words = " ".join("'%s'" % word for word in client.argv(
        user, "yes", key=key))
    done = place.run(["sh", "-c", words + " | head -n 1"])
    tap.equal(done.stdout, b"y\n", "it ends when nobody reads its stdout")
    done = run("head -c 5", input=b"y" * 3000000)
    tap.equal((done.returncode, done.stdout), (0, b"yyyyy"),
              "a command that does not read to the end")


def shared_descriptors():
    """What we share with a shell is not changed under its feet."""
    script = "%s; python3 -c 'import fcntl,os; print(*[fcntl.fcntl(f, " \
        "fcntl.F_GETFL) & os.O_NONBLOCK for f in (0, 1, 2)])'" % " ".join(
            "'%s'" % word for word in client.argv(user, "true", key=key))
    done = place.run(["sh", "-c", script + " | cat"])
    tap.like(done.stdout, "^0 0 0$", "no descriptor is left non-blocking",
             done.stderr)


def environment():
    env = place.environment(OET_A="one", OET_B="two", LANG="C.UTF-8")
    done = run("echo $OET_A $OET_B $LANG", env=env,
               options={"SendEnv": "OET_* LANG"})
    tap.equal(done.stdout, b"one two C.UTF-8\n", "SendEnv")
    done = run("echo $OET_C", options={"SetEnv": "OET_C=three"})
    tap.equal(done.stdout, b"three\n", "SetEnv")


def command_line():
    uri = "ssh://%s@%s:%d" % (user.name, ADDRESS, server.port)
    argv = [client.path, "ssh", *client.options(key)]
    tap.equal(place.run([*argv, uri, "echo", "a  b"]).stdout, b"a b\n",
              "ssh:// with user and port; words are joined by blanks")
    where = "%s@%s:%d" % (user.name, ADDRESS, server.port)
    tap.equal(place.run([*argv, where, "echo in"]).stdout, b"in\n",
              "user@host:port")
    done = place.run([*argv, where, "-T", "-v", "echo in"])
    tap.equal(done.stdout, b"in\n", "flags behind the host")
    tap.like(done.stderr, "Authenticated to", "-v says what happens")
    done = place.run([*argv, "-l", user.name, "-G", "-p", "7", "Some.Host"])
    tap.like(done.stdout, r"^user %s$" % user.name, "-G prints the user")
    tap.like(done.stdout, r"^hostname some\.host$", "-G prints the host")
    tap.like(done.stdout, r"^port 7$", "-G prints the port")
    tap.like(place.run([client.path, "ssh", "-V"]).stderr, "^omniedge [0-9]",
             "-V")
    done = run("true", options={"ForwardAgent": "maybe"})
    tap.equal(done.returncode, 255, "ForwardAgent: no path")
    tap.like(done.stderr, "ForwardAgent: it is yes, no", "says what it is")
    done = run("true", options={"StreamLocalBindMask": "0188"})
    tap.equal(done.returncode, 255, "StreamLocalBindMask: not octal")
    done = run("echo in", options={"ProxyCommand": "false"},
               flags=["-J", "none"])
    tap.equal(done.stdout, b"", "ProxyCommand, then -J: the first one counts")
    conf = place.path("proxy.conf")
    with open(conf, "w", encoding="utf-8") as out:
        out.write("ProxyCommand false\n")
    for words in (["-o", "ProxyCommand=none"], ["-J", "none", "-o",
                                                "ProxyCommand=none"]):
        done = place.run([*argv, *words, "-F", conf, where, "echo in"])
        tap.equal(done.stdout, b"in\n", "%s beats the file's ProxyCommand"
                  % " ".join(words), done.stderr)
    done = place.run([*argv, "-J", "none", "-F", conf, where, "echo in"])
    tap.equal(done.stdout, b"", "-J none does not, as with ssh")
    with open(conf, "w", encoding="utf-8") as out:
        out.write("ProxyCommand none\nProxyJump nowhere.invalid\n")
    done = place.run([*argv, "-F", conf, where, "echo in"])
    tap.equal(done.stdout, b"in\n", "in a file, too, the first one counts",
              done.stderr)
    done = place.run([*argv, where, "-V"])
    tap.equal((done.returncode, done.stderr[:9]), (0, b"omniedge "),
              "-V behind the host")
    done = place.run([*argv, uri + "/abc", "true"])
    tap.equal(done.returncode, 2, "ssh:// with a path")
    done = place.run([*argv, where + ":22", "true"])
    tap.equal(done.returncode, 2, "two ports")
    done = place.run([*argv, "-W", "h:1", "-G", where])
    for name in (b"clearallforwardings", b"exitonforwardfailure"):
        tap.ok(name + b" yes" in done.stdout, "-W implies %s" % name.decode())
    done = place.run([*argv, "-o", "ClearAllForwardings=no", "-W", "h:1",
                      "-G", where])
    tap.ok(b"clearallforwardings no" in done.stdout, "unless it is set")
    done = place.run([client.path, "ssh", "--help"])
    tap.equal(done.stdout.count(b"\n  -S "), 1, "--help has each flag once")
    for name in ("scp", "sftp"):
        done = place.run([client.path, name, "--help"])
        tap.ok(b"\n  -A " not in done.stdout, "%s forwards no agent" % name)
    for words in (["-p", "0"], ["-o", "SetEnv=FOO"], ["-L", "1"],
                  ["-R", "/a:h:1"], ["-e", "ab"], ["-c", "none"]):
        done = place.run([*argv, *words, where, "true"])
        tap.equal(done.returncode, 255, "%s: a bad value" % " ".join(words))
        tap.ok(done.stderr.count(b"\n") == 1, "in one line", done.stderr)
    for flag in ("-K", "-w", "-I"):
        words = [flag, "0:0"] if flag in ("-w", "-I") else [flag]
        done = place.run([*argv, *words, where, "true"])
        tap.equal(done.returncode, 2, "%s is refused" % flag)
        tap.like(done.stderr, "error: %s: " % flag, "with a reason")
    log = place.path("client.log")
    run("true", flags=["-v", "-E", log])
    with open(log, encoding="utf-8") as lines:
        tap.like(lines.read(), "Authenticated", "-E: messages go to a file")


def subsystem():
    process = place.popen(client.argv(user, "sftp", key=key, flags=["-s"]))
    process.stdin.write(b"\0\0\0\5\1\0\0\0\3")
    process.stdin.flush()
    tap.equal(process.stdout.read(9)[4:], b"\2\0\0\0\3",
              "-s sftp: SFTP's greeting")
    process.stdin.close()
    process.wait(PATIENCE)


def with_terminal():
    term = terminal()
    term.send("PS1='[p''rompt]'\r")
    term.expect(r"\[prompt\]")
    tap.equal(term.ask("stty size"), "24 80\n", "the window's size")
    term.size(40, 100)
    wait_for(lambda: term.ask("stty size") == "40 100\n", what="a new size")
    tap.ok(True, "and a new one")
    tap.equal(term.ask("echo $TERM"), "xterm\n", "TERM")
    term.start("cat")
    term.send("\x03")
    tap.ok(term.expect(r"\^C") and term.expect(r"\[prompt\]"),
           "^C goes to the other side")
    term.send("exit 5\r")
    tap.ok(term.expect("Connection to .* closed"), "the end is said")
    tap.equal(term.finish(), 5, "exit status of a shell")


def escapes():
    term = terminal()
    term.send("PS1='[p''rompt]'\r")
    term.expect(r"\[prompt\]")
    term.send("\r~?")
    tap.ok(term.expect("Supported escape sequences"), "~?")
    term.send("\r~#")
    tap.ok(term.expect(r"#0 session \(shell\)"), "~#")
    tap.equal(term.ask("echo '~.' a~.b"), "~. a~.b\n",
              "only at the start of a line")
    term.send("\r~C")
    term.expect("omniedge> ")
    term.send("nonsense\r")
    tap.ok(term.expect("Commands: -L"), "~C says what there is")
    term.send("\r~V")
    tap.ok(term.expect("log level 2"), "~V: less")
    term.send("\r~B")
    tap.ok(term.expect("B"), "~B")
    term.send("\r~.")
    tap.equal(term.finish(), 255, "~. ends it, with 255")


def escape_option():
    term = terminal(flags=["-e", "%"])
    term.send("PS1='[p''rompt]'\r")
    term.expect(r"\[prompt\]")
    term.send("\r~?\r%?")
    tap.ok(term.expect(r"%\.   - end the connection"), "-e: another one")
    term.send("\r%.")
    tap.equal(term.finish(), 255, "which works")
    term = terminal(flags=["-e", "none"], EnableEscapeCommandline="no")
    term.send("PS1='[p''rompt]'\r")
    term.expect(r"\[prompt\]")
    term.send("\r~.\r")
    tap.ok(term.expect(r"~\.: (command )?not found|~\.: No such"),
           "-e none: nothing is an escape", term.seen)
    term.send("exit 0\r")
    tap.equal(term.finish(), 0, "and the shell goes on to its end")


def suspend():
    """~^Z, under a shell with job control."""
    term = Terminal(place, ["bash", "--norc", "-i"])
    term.send("PS1='[lo''cal]'\r")
    term.expect(r"\[local\]")
    term.send(" ".join("'%s'" % word for word in
                       client.argv(user, key=key)) + "\r")
    term.send("PS1='[re''mote]'\r")
    term.expect(r"\[remote\]")
    term.send("\r~\x1a")
    tap.ok(term.expect(r"Stopped") and term.expect(r"\[local\]"),
           "~^Z gives the local shell back")
    tap.like(term.ask("stty -a"), r" icanon .*", "with its terminal as it was")
    term.send("fg\r")
    term.send("\r")
    tap.ok(term.expect(r"\[remote\]"), "fg goes on")
    term.send("exit\r")
    term.expect(r"\[local\]")
    term.send("exit\r")
    term.finish()


def restored():
    """However it ends, the terminal is as it was."""
    for name, end in (("the shell's end", lambda t, pid: t.send("exit\r")),
                      ("~.", lambda t, pid: t.send("\r~.")),
                      ("SIGTERM", lambda t, pid: os.kill(
                          pid, signal.SIGTERM)),
                      ("SIGSEGV", lambda t, pid: os.kill(
                          pid, signal.SIGSEGV)),
                      ("a lost server", lambda t, pid: kill_sessions())):
        term = Terminal(place, ["bash", "--norc", "-i"])
        term.send("PS1='[lo''cal]'\r")
        term.expect(r"\[local\]")
        term.send("stty -a > %s\r" % place.path("before"))
        term.expect(r"\[local\]")
        term.send(" ".join("'%s'" % word for word in
                           client.argv(user, key=key)) + "\r")
        term.send("PS1='[re''mote]'\r")
        term.expect(r"\[remote\]")
        pid = wait_for(lambda: our_client(term.process.pid), what="a client")
        end(term, pid)
        term.expect(r"\[local\]")
        term.send("stty -a > %s; echo do''ne\r" % place.path("after"))
        term.expect("done")
        with open(place.path("before"), encoding="ascii") as before, \
                open(place.path("after"), encoding="ascii") as after:
            tap.equal(after.read(), before.read(),
                      "the terminal after %s" % name)
        term.send("exit\r")
        term.finish()


def our_client(shell):
    from wait import children_of
    kids = [pid for pid, state in children_of().get(shell, ())]
    return kids[0] if kids else None


def kill_sessions():
    from wait import command_line, kill_quietly
    for pid in server.children():
        if "[net]" in command_line(pid) or "sshd-net" in command_line(pid) \
                or "sshd:" in command_line(pid):
            kill_quietly(pid)


def tty_choice():
    done = run("tty", flags=["-t"])
    tap.like(done.stderr, "stdin is not a terminal", "-t without one here")
    done = run("tty; exit 3", flags=["-tt"])
    tap.like(done.stdout, "/dev/pts/", "-tt forces it")
    tap.equal(done.returncode, 3, "and keeps the status")
    term = terminal("tty", flags=["-T"])
    tap.ok(term.expect("not a tty"), "-T: none")
    term.finish()


def background():
    argv = client.argv(user, "sleep_file=%s; while [ ! -e $sleep_file ]; do "
                       "read -t 1 _ < /dev/zero; done; touch %s"
                       % (place.path("go"), place.path("went")), key=key,
                       flags=["-f"])
    os.chmod(place.dir, 0o777)
    process = place.popen(argv, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tap.equal(process.wait(PATIENCE), 0, "-f comes back once logged in")
    with open(place.path("go"), "w", encoding="ascii"):
        pass
    tap.ok(holds(lambda: os.path.exists(place.path("went"))),
           "and the command goes on")


def no_core():
    """Secrets pass through: no core, nothing for a debugger."""
    process = place.popen(client.argv(user, "cat", key=key))
    process.stdin.write(b"x")
    process.stdin.flush()
    process.stdout.read(1)
    with open("/proc/%d/limits" % process.pid, encoding="ascii") as limits:
        tap.like(limits.read(), r"Max core file size +0 +0 ", "no core file")
    tap.equal(os.stat("/proc/%d/maps" % process.pid).st_uid, 0,
              "undumpable")
    process.stdin.close()
    tap.equal(process.wait(PATIENCE), 0, "and it ends")


def stop():
    server.stop()


tap.main(exit_status, streams, shared_descriptors, environment, command_line,
         subsystem, with_terminal, escapes, escape_option, suspend, restored,
         tty_choice, background, no_core, stop)

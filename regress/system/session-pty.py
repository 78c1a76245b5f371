#!/usr/bin/python3
"""Sessions with a terminal: shell, size, signals from keys, login records."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, user_name
from terminal import Terminal
from wait import holds, running

ROWS, COLS = 31, 103
BIG_OUTPUT = 300000
MOTD = "oet message of the day"
# struct utmpx of glibc on Linux (utmp(5)): 384 bytes.
UTMP = struct.Struct("hxxi32s4s32s256shhiii16s20x")
USER_PROCESS, DEAD_PROCESS = 7, 8

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
user.write(".bashrc", "PS1='prompt> '\nunset PROMPT_COMMAND\n")
user.write(".inputrc", "set enable-bracketed-paste off\n")
user.write(".bash_profile", ". ~/.bashrc\n")
with open(place.path("motd"), "w", encoding="ascii") as motd:
    motd.write(MOTD + "\n")
for record in ("utmp", "wtmp", "lastlog"):
    with open(place.path(record), "wb"):
        os.chmod(place.path(record), 0o664)
server = place.server({"PrintLastLog": "yes"}, binds={
    "/var/log/wtmp": place.path("wtmp"), "/etc/motd": place.path("motd"),
    "/var/log/lastlog": place.path("lastlog")},
    before="mount -t tmpfs tmpfs /run\nmkdir /run/sshd\n: >/run/utmp\n"
    "mount --bind %s /run/utmp" % place.path("utmp"))


def terminal(*command, where=server, flags=("-tt",), who=user, **more):
    argv = where.ssh_argv(user_name(who), *command, key=key, flags=flags)
    return Terminal(place, argv, rows=ROWS, cols=COLS, **more)


def shell(**more):
    screen = terminal(**more)
    if not screen.expect("prompt> "):
        raise RuntimeError("no prompt: %r" % screen.seen)
    return screen


def the_terminal():
    screen = shell(term="vt220")
    name = screen.ask("tty").strip()
    tap.like(name, r"^/dev/pts/\d+$", "a pseudo-terminal")
    tap.equal(screen.ask("echo $SSH_TTY").strip(), name, "SSH_TTY names it")
    tap.equal(screen.ask("stat -c '%U %G %a' $SSH_TTY").strip(),
              "%s tty 620" % user.name, "owner, group and mode")
    tap.equal(screen.ask("echo $TERM").strip(), "vt220", "TERM")
    tap.equal(screen.ask("echo $0").strip(), "-bash", "a login shell")
    tap.equal(screen.ask("ps -o stat= -p $$ | cut -c1-2; ps -o tty= -p $$"
                         ).split(), ["Ss", name[len("/dev/"):]],
              "it leads a session on that terminal")
    tap.equal(screen.ask("ls -l /proc/$$/fd | grep -c -v -e %s -e total -e 255"
                         % name).strip(), "0", "no other descriptor is open")
    screen.send("exit 7\r")
    tap.equal(screen.finish(), 7, "exit status of the shell")


def window_size():
    screen = shell()
    tap.equal(screen.ask("stty size").strip(), "%d %d" % (ROWS, COLS),
              "the size it starts with")
    screen.ask("trap 'stty size >size' WINCH")
    screen.size(44, 132)
    # The signal goes to who is in the foreground, so that the shell must not
    # run a program meanwhile; its trap runs between two commands: give it one.
    tap.ok(holds(lambda: screen.ask("true") is not None
                 and os.path.exists(user.path("size"))
                 and b"44 132" in open(user.path("size"), "rb").read()),
           "a new size arrives with SIGWINCH")
    tap.equal(screen.ask("stty size").strip(), "44 132", "and is kept")
    screen.send("exit\r")
    tap.equal(screen.finish(), 0, "the shell ends")


def keys():
    screen = shell()
    screen.start("tail -f /dev/null")
    screen.send("\x03")
    tap.ok(screen.expect("prompt> "), "^C ends a command", screen.seen)
    screen.send("echo st$?\r")
    tap.ok(screen.expect("\r\nst130\r\nprompt> "), "by SIGINT",
           screen.seen)
    screen.start("cat")
    screen.send("line\r\x04")
    tap.ok(screen.expect("line\r\nline\r\nprompt> "),
           "^D ends the input", screen.seen)
    screen.start("tail -f /dev/null")
    screen.send("\x1a")
    tap.ok(screen.expect("Stopped"), "^Z stops a command", screen.seen)
    # A shell does not wait for a job that is stopped, nor exits before it
    # knows that it is gone.
    screen.ask("kill -9 %1")
    tap.ok(holds(lambda: "Stopped" not in screen.ask("jobs -s")),
           "and the shell knows its end")
    screen.send("exit 5\r")
    tap.equal(screen.finish(), 5, "and the shell goes on")
    for number in (2, 15):
        done = terminal("kill -%d $$" % number)
        tap.equal(done.finish(), 255, "a command ended by signal %d" % number)


def commands():
    done = terminal("echo $0; tty; echo err >&2; exit 3")
    tap.equal(done.finish(), 3, "a command with a terminal: its status")
    tap.like(done.seen, r"bash\r\n/dev/pts/\d+\r\nerr\r\n",
             "its output, all on the terminal")
    tap.unlike(done.seen, "-bash", "it is not a login shell")
    done = terminal("tty", flags=("-T",))
    done.finish()
    tap.like(done.seen, "not a tty", "none when not asked for")


def all_output():
    sizes = []
    for _ in range(5):
        done = terminal("head -c %d /dev/zero | tr '\\0' x" % BIG_OUTPUT)
        done.finish()
        sizes.append(done.seen.count(b"x"))
    tap.equal(sizes, [BIG_OUTPUT] * 5, "output up to the exit, five times")


def background():
    """The session ends with its shell, whatever still runs (sshd(8))."""
    screen = shell()
    pid = int(screen.ask("nohup tail -f /dev/null >/dev/null 2>&1 & echo $!")
              .split()[-1])
    screen.send("exit\r")
    tap.equal(screen.finish(), 0, "the client ends with the shell")
    tap.ok(running(pid), "a nohup'd process goes on")
    os.kill(pid, 9)


def permit_tty_no():
    bare = place.server({"PermitTTY": "no"})
    screen = terminal(where=bare, flags=())
    tap.ok(screen.expect("PTY allocation request failed on channel 0"),
           "PermitTTY no: the client is told", screen.seen)
    # The client may still have its own terminal raw, or no longer.
    screen.send("tty; exit 4 #\r\n")
    tap.equal(screen.finish(), 4, "a shell runs all the same")
    tap.like(screen.seen, "not a tty", "without a terminal")
    bare.stop()
    user.authorize(key, options="no-pty")
    done = terminal("tty", flags=("-t",))
    tap.equal(done.finish(), 255, "no-pty in authorized_keys")
    tap.like(done.seen, "PTY allocation request failed", "is told, too")
    user.authorize(key)


def greetings():
    screen = terminal()
    tap.ok(screen.expect(MOTD), "the message of the day")
    tap.ok(screen.expect(r"Last login: \w+ \w+ +\d+ [\d:]+ (\S+ )?(\d+ )?"
                         r"from 127\.0\.0\.1"), "the last login",
           screen.seen)
    screen.send("exit\r")
    screen.finish()
    done = terminal("true")
    done.finish()
    tap.unlike(done.seen, MOTD, "no message for a command")
    user.write(".hushlogin", "")
    screen = shell()
    screen.send("exit\r")
    screen.finish()
    tap.unlike(screen.seen, MOTD + "|Last login", "none with ~/.hushlogin")
    os.unlink(user.path(".hushlogin"))


def entries(name):
    """The user's records of a utmp or wtmp file."""
    with open(place.path(name), "rb") as records:
        data = records.read()
    out = []
    for at in range(0, len(data) - len(data) % 384, 384):
        kind, pid, line, _, who, host = UTMP.unpack_from(data, at)[:6]
        out.append(dict(kind=kind, pid=pid, line=line.rstrip(b"\0").decode(),
                        user=who.rstrip(b"\0").decode(),
                        host=host.rstrip(b"\0").decode()))
    return out


def login_records():
    screen = shell()
    line = screen.ask("tty").strip()[len("/dev/"):]
    here = [each for each in entries("utmp")
            if each["line"] == line and each["kind"] == USER_PROCESS]
    tap.equal([(each["user"], each["host"]) for each in here],
              [(user.name, "127.0.0.1")], "utmp: user, line and host")
    tap.ok(here and running(here[0]["pid"]), "utmp: a live process")
    done = place.run(["who", place.path("utmp")])
    tap.like(done.stdout, r"^%s\s+%s\s.*\(127\.0\.0\.1\)" % (user.name, line),
             "who(1) shows the session")
    screen.send("exit\r")
    screen.finish()
    tap.ok(holds(lambda: not [each for each in entries("utmp")
                              if each["line"] == line
                              and each["kind"] == USER_PROCESS]),
           "utmp: gone after logout")
    kinds = [each["kind"] for each in entries("wtmp") if each["line"] == line]
    tap.equal(kinds[-2:], [USER_PROCESS, DEAD_PROCESS],
              "wtmp: login and logout")
    done = place.run(["last", "-f", place.path("wtmp")])
    tap.like(done.stdout, r"^%s\s+%s\s+127\.0\.0\.1 "
             % (user.name[:8], line), "last(1) shows it")
    with open(place.path("lastlog"), "rb") as lastlog:
        lastlog.seek(user.uid * 292)
        entry = lastlog.read(292)
    tap.equal(entry[36:].rstrip(b"\0"), b"127.0.0.1", "lastlog: the host")


def released():
    """The terminal is given back when the client goes away."""
    screen = shell()
    name = screen.ask("tty").strip()
    pid = int(screen.ask("echo $$"))
    screen.process.kill()
    tap.ok(holds(lambda: not running(pid)), "the shell ends with the client")
    tap.ok(holds(lambda: not [each for each in entries("utmp") if each["line"]
                              == name[5:] and each["kind"] == USER_PROCESS]),
           "and its record with it")


def the_end():
    server.stop()


tap.main(the_terminal, window_size, keys, commands, all_output, background,
         permit_tty_no, greetings, login_records, released, the_end)

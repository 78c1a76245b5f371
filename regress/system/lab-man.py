#!/usr/bin/python3
"""The examples of omniedge-ssh-server(1), run as they stand there, as root and
as a user; only ports, the accounts' names and a file's place are the test's."""
import os
import pty
import re
import shlex
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import lab
import tap
from server import Place, free_port
from wait import PATIENCE, holds, kill_quietly, wait_for

PAGE = os.path.join(os.environ.get("SRCDIR", os.path.join(
    os.path.dirname(os.path.realpath(__file__)), "..", "..")),
    "man", "omniedge-ssh-server.1")
EXAMPLE = re.compile(r"^\.Dl ([$#]) omniedge (ssh-server.*)$", re.M)
PASSWORD = "what is typed"

place = Place()
admin = place.account()
guest = place.account()


def examples():
    with open(PAGE, encoding="utf-8") as page:
        return EXAMPLE.findall(page.read())


def arguments(line):
    """The words, with what the test has to have of its own."""
    own = {"git:admin": "git:" + admin.name, "guest": guest.name,
           "/etc/omniedge/host_key": place.path("host_key")}
    words = [own.get(word, word) for word in shlex.split(line)]
    port = str(free_port())
    if "-p" in words:
        words[words.index("-p") + 1] = port
    elif "--print-config" not in words:
        words += ["-p", port]
    return words, port


class Example:
    """One that runs, on a terminal of its own, as a reader has it."""

    def __init__(self, words, account):
        self.master, slave = pty.openpty()
        self.said = b""
        cwd = account.home if account else place.dir
        self.process = subprocess.Popen(
            [*lab.as_account(account), lab.program(), *words], stdin=slave,
            stdout=slave, stderr=slave, cwd=cwd, start_new_session=True,
            env=dict(lab.environment(account), TERM="xterm"),
            preexec_fn=lambda: take_terminal(slave))
        os.close(slave)
        os.set_blocking(self.master, False)

    def read(self):
        try:
            while part := os.read(self.master, 65536):
                self.said += part
        except OSError:
            pass
        return self.said.decode("utf-8", "replace").replace("\r\n", "\n")

    def until(self, pattern):
        wait_for(lambda: re.search(pattern, self.read(), re.M) or
                 self.process.poll() is not None, 30, pattern)
        return re.search(pattern, self.read(), re.M)

    def type(self, text):
        os.write(self.master, text.encode() + b"\n")

    def end(self):
        """Ctrl-C, as it is typed."""
        os.write(self.master, b"\x03")
        ended = holds(lambda: self.read() and
                      self.process.poll() is not None, 20)
        if not ended:
            kill_quietly(self.process.pid)
        self.process.wait()
        os.close(self.master)
        return self.process.returncode if ended else None


def take_terminal(slave):
    import fcntl
    import termios
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def login(words, port, said, account):
    """A login as the printed line has it; what `id -un` says."""
    name, host = re.search(r"^  ssh -p %s (\S+)@(\S+)$" % port, said,
                           re.M).groups()
    once = re.search(r"^One-time password: (\S+)$", said, re.M)
    password = once.group(1) if once else PASSWORD
    if account is None and not once and "--password" not in words:
        password = {"git": admin}.get(name, guest).password
    argv = ["-F", "/dev/null", "-o", "UserKnownHostsFile=/dev/null", "-o",
            "StrictHostKeyChecking=no", "-o", "NumberOfPasswordPrompts=1",
            "-o", "PreferredAuthentications=password,none"]
    if "--sftp-only" in words:
        done = place.run(["sftp", *argv, "-P", port, "%s@%s" % (name, host)],
                         env=place.askpass(password), input=b"pwd\nquit\n")
        return admin.name if b"directory:" in done.stdout else done.stderr
    if name == "USER":
        name = guest.name
    done = place.run(["ssh", *argv, "-p", port, "%s@%s" % (name, host),
                      "id -un"], env=place.askpass(password))
    return done.stdout.decode().strip() or done.stderr.decode()


def print_config(words, account):
    done = lab.run(*words[1:], account=account)
    tap.equal(done.returncode, 0, " ".join(words))
    tap.like(done.stdout, "^Port 2222$", "prints a configuration")


def daemon(words, port, account):
    argv = [*lab.as_account(account), lab.program(), *words]
    done = subprocess.run(argv, capture_output=True, text=True,
                          timeout=PATIENCE, cwd=account.home,
                          env=lab.environment(account))
    tap.equal(done.returncode, 0, " ".join(words))
    tap.equal(login(words, port, done.stdout, account), account.name,
              "a login")
    with open(account.path(".omniedge", "ssh-server.pid"),
              encoding="ascii") as pid:
        os.kill(int(pid.read()), signal.SIGTERM)
    with open(account.path("events.json"), encoding="utf-8") as events:
        tap.like(events.read(), '"event":"ConnectionAuthenticated"',
                 "and its event")


def one(mark, line):
    words, port = arguments(line)
    account = None if mark == "#" else admin
    if "--print-config" in words:
        print_config(words, account)
        return
    if "--daemon" in words:
        daemon(words, port, account)
        return
    example = Example(words, account)
    if "--password" in words:
        for prompt in ("Password for this server: ", "Again: "):
            example.until(prompt)
            example.type(PASSWORD)
    ready = example.until(r"^Log in with:\n  ssh -p \S+ \S+$")
    if not tap.ok(ready, mark + " omniedge " + " ".join(words),
                  example.read()):
        example.end()
        return
    whose = login(words, port, example.read(), account)
    if "192.168.1.0/24" in words:
        tap.like(whose, "connection not from an allowed network",
                 "this host is not of those networks, and is told")
    else:
        tap.ok(whose in (admin.name, guest.name), "a login", whose)
    if "HAVE_QRENCODE" in config():
        tap.like(example.read(), "\u2588|\033\\[4[07]m", "a QR code is drawn")
    if "--once" in words:
        tap.ok(holds(lambda: example.process.poll() == 0), "ends by itself")
    tap.equal(example.end(), 0, "Ctrl-C ends it")


def config():
    path = os.path.join(os.path.dirname(os.path.dirname(lab.program())),
                        "config.h")
    with open(path, encoding="utf-8") as text:
        return re.sub(r"/\*.*?\*/", "", text.read(), flags=re.S)


def all_examples():
    found = examples()
    tap.ok(len(found) >= 9, "the page has examples", found)
    for mark, line in found:
        one(mark, line)


tap.main(all_examples)

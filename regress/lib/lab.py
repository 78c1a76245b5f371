"""omniedge ssh-server as a user starts it: as root or as an account of the
test's, on a free port, with clients that know its host key."""
import json
import os
import re
import signal
import subprocess

import tap
from server import (ADDRESS, CLIENT_SECONDS, Server, built, free_port,
                    user_name)
from wait import PATIENCE, holds, kill_quietly, wait_for


def program():
    path = built("omniedge")
    if not path or not built("omniedge-ssh-server"):
        tap.bail("omniedge and omniedge-ssh-server are not built")
    return path


def as_account(account):
    """Arguments in front of a command that make it the account's."""
    if account is None:
        return []
    return ["setpriv", "--reuid", str(account.uid), "--regid",
            str(account.gid), "--init-groups", "--"]


def environment(account):
    env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    if account is not None:
        env.update(HOME=account.home, USER=account.name)
    return env


def run(*argv, account=None, **options):
    """Run omniedge ssh-server to its end: its CompletedProcess, as text."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    return subprocess.run(
        [*as_account(account), program(), "ssh-server", *argv],
        capture_output=True, text=True, timeout=PATIENCE, cwd="/",
        env=environment(account), **options)


class Lab(Server):
    """One running server. account: who starts it, or root; netns: the network
    namespace that it runs in; password: handed to --password-fd; wrap: words
    in front of the program."""

    def __init__(self, place, *argv, account=None, password=None, netns=None,
                 port=None, rate=False, wrap=()):
        # pylint: disable=super-init-not-called
        self.place, self.account, self.netns = place, account, netns
        self.name = "lab%d" % len(place.servers)
        self.extra, self.password = list(argv), password
        self.wrap = list(wrap)
        # Tests connect more often than people.
        if not rate:
            self.extra += ["--rate-limit", "0"]
        self.port, self.fixed_port = port, port
        self.log_path = place.path(self.name + ".log")
        self.out_path = place.path(self.name + ".out")
        self.known_hosts = place.path(self.name + ".known_hosts")
        if account is not None:
            self.key_dir = os.path.join(account.home, ".omniedge")
        else:
            self.key_dir = place.path(self.name + ".keys")
        self.process, self.shown, self.binds, self.before = None, 0, {}, ""
        place.servers.append(self)
        tap.on_failure(self.show_log)
        self.start()

    def argv(self):
        argv = [program(), "ssh-server", "-p", str(self.port), *self.extra]
        if self.account is None and "--host-key-path" not in self.extra:
            argv += ["--host-key-path", self.key_dir + "/"]
        argv = as_account(self.account) + self.wrap + argv
        if self.netns:
            argv = ["ip", "netns", "exec", self.netns, *argv]
        return argv

    def start(self):
        for _ in range(8):
            self.port = self.fixed_port or free_port()
            self._spawn()
            if self._comes_up():
                self.write_known_hosts()
                return
            if "in use" not in self.log():
                break
        raise RuntimeError("ssh-server did not start:\n" + self.log())

    def _spawn(self):
        argv, fds = self.argv(), ()
        if self.password is not None:
            reader, writer = os.pipe()
            os.write(writer, self.password.encode() + b"\n")
            os.close(writer)
            argv += ["--password-fd", str(reader)]
            fds = (reader,)
        with open(self.log_path, "wb") as log, \
                open(self.out_path, "wb") as out:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                cwd="/", env=environment(self.account), pass_fds=fds,
                start_new_session=True)
        for number in fds:
            os.close(number)

    def _comes_up(self):
        wait_for(lambda: "Log in with" in self.out()
                 or self.process.poll() is not None, PATIENCE,
                 "ssh-server to be ready")
        return "Log in with" in self.out()

    def out(self):
        """What it has told the user who started it."""
        with open(self.out_path, encoding="utf-8") as out:
            return out.read()

    def once(self):
        """The one-time password, or None."""
        found = re.search(r"^One-time password: (\S+)$", self.out(), re.M)
        return found and found.group(1)

    def host_keys(self):
        if "--host-key-path" in self.extra:
            path = self.extra[self.extra.index("--host-key-path") + 1]
            return [os.path.join(path, "ssh_host_ed25519_key")
                    if os.path.isdir(path) else path]
        return [os.path.join(self.key_dir, "ssh_host_ed25519_key")]

    def events(self):
        """The log as JSON objects; a line that is none is an error."""
        return [json.loads(line) for line in self.log().splitlines()]

    def login(self, user, *command, password=None, **options):
        """ssh with a password if there is one; the CompletedProcess."""
        if password is None:
            return self.ssh(user, *command, **options)
        return self.password_ssh(user, password, *command, **options)

    def may_login(self, user, password=None, **options):
        """What `id -un` says of who is in; None if nobody is."""
        done = self.login(user, "id -un", password=password, **options)
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def ends(self, number=None, timeout=PATIENCE):
        """Its exit status, after a signal if one is given; None: it stays."""
        if number is not None:
            self.signal(number)
        if not holds(lambda: self.process.poll() is not None, timeout):
            return None
        return self.process.returncode

    def stop(self, name="the server ends, and nothing of it stays"):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        self.ends()
        super().stop(name)

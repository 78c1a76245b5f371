"""Throw-away accounts: made with useradd(8), removed whatever happens.

The password is known, the home is below the test's own directory, and the
processes of the account are ended before it goes.
"""
import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import subprocess

from wait import kill_quietly, pids_of_uid, wait_for

NAME_PREFIX = "oet"
LOCK_SECONDS = 60
LOCK_FILE = "/run/lock/omniedge-regress"
_still = {"held": False}


@contextlib.contextmanager
def accounts_still():
    """No test changes an account meanwhile: a file that is mounted over
    /etc/shadow goes when the real one is replaced."""
    if _still["held"]:
        yield
        return
    with open(LOCK_FILE, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _still["held"] = True
        try:
            yield
        finally:
            _still["held"] = False


def account_tool(*argv, text=None):
    """Run a shadow-utils program, when no other test does."""
    with accounts_still():
        return _account_tool(argv, text)


def _account_tool(argv, text):
    def attempt():
        done = subprocess.run(argv, input=text, capture_output=True, text=True)
        if done.returncode == 0:
            return done
        if "lock" in done.stderr or "try again" in done.stderr:
            return None
        raise RuntimeError("%s: %s" % (" ".join(argv), done.stderr))
    return wait_for(attempt, LOCK_SECONDS, argv[0])


class Account:
    """One user. home/.ssh exists and is as StrictModes wants it."""

    def __init__(self, base, shell="/bin/bash", groups=()):
        self.name = NAME_PREFIX + secrets.token_hex(5)
        self.home = os.path.join(base, self.name)
        self.password = secrets.token_hex(12)
        extra = ["-G", ",".join(groups)] if groups else []
        account_tool("useradd", "-l", "-M", "-d", self.home, "-s", shell,
                     *extra, self.name)
        self.gone = False
        entry = pwd.getpwnam(self.name)
        self.uid, self.gid, self.shell = entry.pw_uid, entry.pw_gid, shell
        self.set_password(self.password)
        os.mkdir(self.home, 0o755)
        os.chown(self.home, self.uid, self.gid)
        self.make_dir(".ssh", 0o700)

    def set_password(self, password):
        account_tool("chpasswd", text="%s:%s\n" % (self.name, password))
        self.password = password

    def path(self, *names):
        return os.path.join(self.home, *names)

    def make_dir(self, name, mode=0o755):
        os.mkdir(self.path(name), mode)
        os.chown(self.path(name), self.uid, self.gid)
        return self.path(name)

    def write(self, name, text, mode=0o600):
        """A file of the user's, below the home."""
        data = text if isinstance(text, bytes) else text.encode()
        with open(self.path(name), "wb") as out:
            out.write(data)
        os.chmod(self.path(name), mode)
        os.chown(self.path(name), self.uid, self.gid)
        return self.path(name)

    def authorize(self, *keys, options=""):
        """authorized_keys holds exactly these keys (paths of private keys)."""
        lines = []
        for key in keys:
            with open(key + ".pub", encoding="ascii") as public:
                lines.append((options + " " + public.read()).strip() + "\n")
        self.write(".ssh/authorized_keys", "".join(lines))

    def processes(self):
        return pids_of_uid(self.uid)

    def remove(self):
        if self.gone:
            return
        self.gone = True
        for _ in range(5):
            for pid in self.processes():
                kill_quietly(pid)
        try:
            wait_for(lambda: not self.processes(), 5, "processes of the user")
        finally:
            account_tool("userdel", "-f", self.name)
            shutil.rmtree(self.home, ignore_errors=True)

# Runs as root in the benchmark: the table of the servers under test, their
# private files, the throw-away user, and one server's life from start to stop.
# Trusts the programs that the caller named; touches nobody's real ~/.ssh.
"""Servers under test."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time

import meter
from meter import Failure

USER_PREFIX = "sshbench"
USER_GECOS = "sshd benchmark, throw-away"
START_SECONDS = 10
DRAIN_SECONDS = 10
START_TRIES = 3
SETTLE_SECONDS = 0.05

SSHD_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {hostkey}
PidFile none
UsePAM yes
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
AuthorizedKeysFile .ssh/authorized_keys
PrintMotd no
MaxStartups 100:30:200
Subsystem sftp {sftp}
"""

# Taken only where the server's own -t accepts the line.
SSHD_OPTIONAL = ("PerSourcePenalties no",)

OPENSSH_KEYGEN = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench",
                  "-f", "{hostkey}")

# programs: name -> where it may be, relative to the server's directory.
# may_lack: words of the client or in the server's log which say that a thing
# is not offered, rather than broken.
SERVERS = {
    "ours": {
        "programs": {"sshd": None, "sshd-monitor": None, "sshd-net": None,
                     "sftp-server": None},
        "argv": ("{sshd}", "-D", "-e", "-f", "{config}"),
        "config": SSHD_CONFIG + "SshdSessionPath {sshd-monitor}\n"
                                "SshdAuthPath {sshd-net}\n",
        "keygen": OPENSSH_KEYGEN,
        "may_lack": (),
    },
    "openssh": {
        "programs": {"sshd": "/usr/sbin/sshd",
                     "sftp-server": "/usr/lib/openssh/sftp-server"},
        "argv": ("{sshd}", "-D", "-e", "-f", "{config}"),
        "config": SSHD_CONFIG,
        "keygen": OPENSSH_KEYGEN,
        "may_lack": (),
    },
    "dropbear": {
        "programs": {"dropbear": "/usr/sbin/dropbear"},
        "argv": ("{dropbear}", "-F", "-E", "-s", "-m", "-r", "{hostkey}",
                 "-P", "{dir}/pid", "-p", "127.0.0.1:{port}"),
        "config": None,
        "keygen": ("dropbearkey", "-t", "ed25519", "-f", "{hostkey}"),
        "may_lack": ("No matching algo", "subsystem request failed"),
    },
}

# Client settings that make runs alike, whatever ssh_config says here.
CLIENT_OPTIONS = (
    "IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes",
    "PreferredAuthentications=publickey", "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null", "HostKeyAlgorithms=ssh-ed25519",
    "ControlPath=none", "LogLevel=ERROR", "ConnectTimeout=20",
    "UpdateHostKeys=no", "Compression=no",
    "IgnoreUnknown=ObscureKeystrokeTiming", "ObscureKeystrokeTiming=no",
)


def _run(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{argv[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def find_program(top, name):
    """The executable NAME nearest to TOP, which may be a tree or an install."""
    for depth in range(4):
        for where in _folders(top, depth):
            path = os.path.join(where, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    raise Failure(f"no program {name} in {top}")


def _folders(top, depth):
    if depth == 0:
        return [top]
    found = []
    for where in _folders(top, depth - 1):
        for entry in sorted(os.scandir(where), key=lambda e: e.name):
            if entry.is_dir(follow_symlinks=False):
                found.append(entry.path)
    return found


def _remove_stale_users():
    """Users of runs that were killed before they could tidy up."""
    for user in pwd.getpwall():
        found = re.fullmatch(USER_PREFIX + r"(\d+)", user.pw_name)
        if found and user.pw_gecos == USER_GECOS and \
                not os.path.exists(f"/proc/{found.group(1)}"):
            _run(["userdel", user.pw_name])
            left = os.path.dirname(user.pw_dir)
            if os.path.basename(left).startswith(USER_PREFIX + "."):
                shutil.rmtree(left, ignore_errors=True)


class World:
    """The temp dir, the user and the client's key of one run."""

    def __init__(self, base):
        self.dir = tempfile.mkdtemp(prefix=USER_PREFIX + ".", dir=base)
        os.chmod(self.dir, 0o755)
        self.home = f"{self.dir}/home"
        self.key = f"{self.dir}/id"
        self.user = f"{USER_PREFIX}{os.getpid()}"
        self._made_run = False

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        _remove_stale_users()
        if not os.path.isdir("/run/sshd"):
            os.mkdir("/run/sshd", 0o755)
            self._made_run = True
        _run(["useradd", "--system", "-M", "-d", self.home, "-s", "/bin/sh",
              "-p", "*", "-c", USER_GECOS, self.user])
        _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench",
              "-f", self.key])
        os.makedirs(f"{self.home}/.ssh", 0o700)
        shutil.copy(f"{self.key}.pub", f"{self.home}/.ssh/authorized_keys")
        os.chmod(f"{self.home}/.ssh/authorized_keys", 0o600)
        self.own(self.home)

    def own(self, top):
        """Give a tree below the temp dir to the user."""
        user = pwd.getpwnam(self.user)
        os.chown(top, user.pw_uid, user.pw_gid)
        for where, folders, files in os.walk(top):
            for name in folders + files:
                os.lchown(f"{where}/{name}", user.pw_uid, user.pw_gid)

    def __exit__(self, *_):
        if any(u.pw_name == self.user for u in pwd.getpwall()):
            for _ in range(50):
                if subprocess.run(["userdel", self.user], check=False,
                                  capture_output=True).returncode == 0:
                    break
                time.sleep(0.1)
        shutil.rmtree(self.dir, ignore_errors=True)
        if self._made_run:
            try:
                os.rmdir("/run/sshd")
            except OSError:
                pass


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _listens(port):
    """Is anybody listening? Asked of the kernel: no connection is spent."""
    wanted = f"0100007F:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(line.split()[1] == wanted and line.split()[3] == "0A"
                   for line in f)


class Server:
    """A row of SERVERS, made ready: programs found, host key generated."""

    def __init__(self, name, world, directory=None, extra=(), kind=None):
        """NAME is what it is called in the result, KIND its row of SERVERS."""
        self.name = name
        self.spec = SERVERS[kind or name]
        self.world = world
        self.dir = tempfile.mkdtemp(prefix=f"{name}.", dir=world.dir)
        self.log = f"{self.dir}/log"
        self.banner = None
        self._own = None
        self._extra = tuple(extra)
        os.chmod(self.dir, 0o755)
        self.names = {"dir": self.dir, "hostkey": f"{self.dir}/hostkey",
                      "config": f"{self.dir}/config"}
        for program, path in self.spec["programs"].items():
            if directory is not None:
                path = find_program(directory, program)
            if not path or not os.access(path, os.X_OK):
                raise Failure(f"{name}: no program {path or program}")
            self.names[program] = os.path.realpath(path)
        self.names["sftp"] = self.names.get("sftp-server", "")
        self._make_hostkey()
        self._optional = self._accepted()

    def _make_hostkey(self):
        argv = [a.format(**self.names) for a in self.spec["keygen"]]
        told = _run(argv)
        public = self.names["hostkey"] + ".pub"
        if os.path.exists(public):
            with open(public, encoding="ascii") as f:
                told = f.read()
        key = re.search(r"^ssh-ed25519 \S+", told, re.M).group(0)
        with open(f"{self.dir}/known_hosts", "w", encoding="ascii") as f:
            f.write(f"{self.name} {key}\n")

    def _write_config(self, port, lines):
        if self.spec["config"] is None:
            return
        text = self.spec["config"].format(port=port, **self.names)
        with open(self.names["config"], "w", encoding="utf-8") as f:
            f.write(text + "".join(line + "\n" for line in lines))

    def _accepted(self):
        if self.spec["config"] is None:
            return []
        taken = []
        for line in SSHD_OPTIONAL:
            self._write_config(1, [line])
            if subprocess.run([self.names["sshd"], "-t", "-f",
                               self.names["config"]], check=False,
                              capture_output=True).returncode == 0:
                taken.append(line)
        return taken

    def use_sftp(self, program, sftpload):
        """Serve with this sftp-server, whose own CPU sftpload notes."""
        self.names["sftp-server"] = program
        self._own = f"{self.dir}/own"
        with open(self._own, "wb"):
            pass
        os.chmod(self._own, 0o666)
        self.names["sftp"] = \
            f"{sftpload} meter {self._own} {self.names['sftp-server']}"

    def forget_own(self):
        os.truncate(self._own, 0)

    def own_seconds(self):
        """CPU of all sftp-servers that have ended since forget_own()."""
        with open(self._own, encoding="ascii") as f:
            return sum(float(line) for line in f)

    def extra_config(self):
        """Lines of its config that not every server of its kind gets."""
        return self._optional + list(self._extra)

    def start(self, method):
        """A Running server; Failure with the log's end if it does not."""
        for _ in range(START_TRIES):
            port = _free_port()
            self._write_config(port, self.extra_config())
            argv = [a.format(port=port, **self.names)
                    for a in self.spec["argv"]]
            running = Running(self, argv, port, method)
            ready = False
            try:
                ready = running.wait_ready()
            finally:
                if not ready:
                    running.keeper.stop()
            if ready:
                return running
        raise Failure(f"{self.name} does not start: {self.log_tail()}")

    def log_size(self):
        return os.path.getsize(self.log) if os.path.exists(self.log) else 0

    def log_lines(self, since=0):
        try:
            with open(self.log, "rb") as f:
                f.seek(since)
                return f.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []

    def log_tail(self):
        return " / ".join(self.log_lines()[-3:]) or "empty"


class Running:
    """One start of one server, and the CPU it used since mark()."""

    def __init__(self, server, argv, port, method):
        self.server = server
        self.port = port
        self._log_start = server.log_size()
        self.keeper = meter.Keeper(argv, server.log, meter.make_group(method))
        self.logins_before_mark = 0
        self.used_ns = None
        self._base = 1
        self._mark_ns = 0

    def wait_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while not _listens(self.port):
            if not self.keeper.alive() or time.monotonic() > deadline:
                return False
            time.sleep(meter.LEAST_SECONDS)
        self._base = self._settled(deadline)
        return self.keeper.alive()

    def _settled(self, deadline):
        """How many processes an idle server is, once that stands still."""
        count, since = -1, 0.0
        while time.monotonic() < deadline:
            now = len(self.keeper.processes())
            if now != count:
                count, since = now, time.monotonic()
            elif time.monotonic() - since > SETTLE_SECONDS:
                return count
            time.sleep(meter.LEAST_SECONDS)
        raise Failure("the server's processes never settle")

    def client(self, *options, command=None, program="ssh"):
        """argv of a stock client for this server."""
        world = self.server.world
        argv = [program, "-F", "none", "-i", world.key]
        for option in CLIENT_OPTIONS + (
                f"User={world.user}", f"Port={self.port}",
                f"HostKeyAlias={self.server.name}",
                f"UserKnownHostsFile={self.server.dir}/known_hosts"):
            argv += ["-o", option]
        argv += list(options) + ["127.0.0.1"]
        return argv + ([command] if command is not None else [])

    def lacks(self, told):
        """The line that says the server does not offer it, if one does."""
        if not self.server.spec["may_lack"]:
            return None
        try:
            self.drain()
        except Failure:
            return None
        lines = told.splitlines() + self.server.log_lines(self._log_start)
        for line in lines:
            for words in self.server.spec["may_lack"]:
                if words in line:
                    return line[line.index(words):]
        return None

    def read_banner(self):
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.settimeout(10)
            told = s.recv(255).split(b"\n")[0].strip()
        return told.decode("ascii", "replace")

    def processes(self):
        return self.keeper.processes()

    def drain(self):
        """Wait until every session's processes are gone."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while len(self.keeper.processes()) > self._base:
            if time.monotonic() > deadline:
                raise Failure("a session's processes stay after its end")
            time.sleep(meter.LEAST_SECONDS)
        if not self.keeper.alive():
            raise Failure("the server died")

    def mark(self, logins):
        """CPU is counted from here; LOGINS were made since the start."""
        self.logins_before_mark = logins
        if self.keeper.group is not None:
            self._mark_ns = self.keeper.group.usage_ns()

    def note_cpu(self):
        if self.keeper.group is not None:
            self.used_ns = self.keeper.group.usage_ns() - self._mark_ns

    def stop(self):
        """End it; Failure if it had died, or had to be killed."""
        seen = self.keeper.stop()
        if self.keeper.group is None:
            self.used_ns = seen["cpu_ns"]
        if seen["died"]:
            raise Failure("the server died")
        if seen["killed"]:
            raise Failure(f"{seen['killed']} processes had to be killed "
                          "after the server's end")

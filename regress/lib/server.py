"""A private sshd on a free port of 127.0.0.1, its keys, users and clients.

Which server is data: SSHD (path) and BUILDDIR name ours, and
SSHD_FLAVOUR=openssh runs the same tests against the system's own sshd, whose
behaviour is the yardstick. Everything lives in one temporary directory that
root owns, and everything is undone at exit, also after a failure.
"""
import atexit
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import tap
from account import Account
from wait import (PATIENCE, become_subreaper, command_line, descendants,
                  holds, kill_quietly, running, wait_for)

ADDRESS = "127.0.0.1"
CLIENT_SECONDS = 2 * PATIENCE
PORT_ATTEMPTS = 8
LOG_LINES_SHOWN = 25
PRIVSEP_DIR = "/run/sshd"
HOST_KEYS = {"ed25519": ["-t", "ed25519"], "ecdsa": ["-t", "ecdsa"],
             "rsa": ["-t", "rsa", "-b", "3072"]}
BASE_CONF = {
    "ListenAddress": ADDRESS,
    "UsePAM": "yes",
    "LogLevel": "VERBOSE",
    "StrictModes": "yes",
    "PasswordAuthentication": "yes",
    "KbdInteractiveAuthentication": "no",
    "AuthorizedKeysFile": ".ssh/authorized_keys",
    "MaxStartups": "200",
    "PrintMotd": "no",
    "UseDNS": "no",
}
CLIENT_OPTIONS = {
    "GlobalKnownHostsFile": "/dev/null",
    "StrictHostKeyChecking": "yes",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "BatchMode": "yes",
}
BUILD_FOLDERS = ("bin", "")


def flavour():
    return os.environ.get("SSHD_FLAVOUR", "ours")


def build_dir():
    here = os.path.dirname(os.path.realpath(__file__))
    return os.path.realpath(os.environ.get(
        "BUILDDIR", os.path.join(here, "..", "..")))


def built(name):
    """Path of a program of the build tree, or None."""
    for folder in BUILD_FOLDERS:
        path = os.path.join(build_dir(), folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def sshd_path():
    """The server under test; the file bails out when there is none."""
    if flavour() == "openssh":
        return os.environ.get("SSHD", "/usr/sbin/sshd")
    path = os.environ.get("SSHD") or built("sshd")
    if not path:
        tap.bail("no sshd below %s: build it, or set BUILDDIR or SSHD"
                 % build_dir())
    return os.path.realpath(path)


def flavour_conf():
    """What only this flavour's configuration needs."""
    if flavour() == "openssh":
        return {"Subsystem": "sftp /usr/lib/openssh/sftp-server"}
    # Tests fail to log in on purpose, and more than once.
    conf = {"PerSourcePenalties": "no"}
    for keyword, name in (("SshdSessionPath", "sshd-monitor"),
                          ("SshdAuthPath", "sshd-net")):
        if built(name):
            conf[keyword] = built(name)
    conf["Subsystem"] = "sftp " + (built("sftp-server") or "sftp-server")
    return conf


def free_port(address=ADDRESS):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def listening(port):
    """Does a socket listen on this port? Asked of the kernel, so that the
    server's log and limits see nothing of it (proc(5), net/tcp)."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if fields[3] == "0A" and \
                        int(fields[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False


class Place:
    """The test's directory, with all that is made for the test in it."""

    def __init__(self):
        tap.need_root()
        become_subreaper()
        os.makedirs(PRIVSEP_DIR, 0o755, exist_ok=True)
        self.dir = tempfile.mkdtemp(prefix="oet-")
        os.chmod(self.dir, 0o755)
        self.accounts, self.servers, self.clients = [], [], []
        self.keys = {}
        self.home = self.path("client-home")
        os.mkdir(self.home, 0o700)
        atexit.register(self.clean)
        for number in (signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(98))

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def clean(self):
        for client in self.clients:
            if client.poll() is None:
                kill_quietly(client.pid)
                client.wait()
        for server in self.servers:
            server.stop_hard()
        for pid in descendants(os.getpid()):
            kill_quietly(pid)
        for account in self.accounts:
            account.remove()
        shutil.rmtree(self.dir, ignore_errors=True)

    def account(self, **options):
        made = Account(self.dir, **options)
        self.accounts.append(made)
        return made

    def key(self, kind="ed25519", bits=None, name=None):
        """Path of a private key, made once; its public half is path.pub."""
        name = name or "id_%s%s" % (kind, bits or "")
        if name not in self.keys:
            path = self.path(name)
            size = ["-b", str(bits)] if bits else []
            subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "",
                            "-C", name, "-f", path], check=True)
            self.keys[name] = path
        return self.keys[name]

    def host_key(self, kind):
        path = self.path("host_" + kind)
        if not os.path.exists(path):
            subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "host",
                            "-f", path, *HOST_KEYS[kind]], check=True)
        return path

    def server(self, conf=None, **options):
        """A running server; see Server."""
        made = Server(self, conf, **options)
        self.servers.append(made)
        made.start()
        return made

    def environment(self, **more):
        """A client's whole environment: nothing of the caller's leaks in."""
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
               "HOME": self.home, "USER": "root", "LOGNAME": "root",
               "SHELL": "/bin/sh", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        env.update(more)
        return env

    def run(self, argv, timeout=CLIENT_SECONDS, env=None, **options):
        """Run a client to its end; returns its CompletedProcess (bytes)."""
        options.setdefault("stdin", subprocess.DEVNULL)
        if "input" in options:
            del options["stdin"]
        return subprocess.run(argv, capture_output=True, timeout=timeout,
                              env=env or self.environment(), **options)

    def popen(self, argv, env=None, **options):
        """Start a client that the place ends at exit."""
        for stream in ("stdin", "stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        client = subprocess.Popen(argv, env=env or self.environment(),
                                  **options)
        self.clients.append(client)
        return client

    def overlay_etc(self, content=""):
        """Shell commands for Server(before=...): in its namespace /etc may
        be written, and content is run to do so. None where that cannot be."""
        upper, work = self.path("etc-upper"), self.path("etc-work")
        for folder in (upper, work):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
        mount = ("mount -t overlay overlay -o lowerdir=/etc,upperdir=%s,"
                 "workdir=%s /etc\n" % (upper, work))
        done = subprocess.run(["unshare", "-m", "sh", "-c", mount],
                              capture_output=True)
        return mount + content + "\n" if done.returncode == 0 else None

    def askpass(self, password):
        """Environment in which OpenSSH's client types this password."""
        path = tempfile.mktemp(prefix="askpass-", dir=self.dir)
        with open(path, "w", encoding="utf-8") as script:
            script.write("#!/bin/sh\nprintf '%%s\\n' %s\n"
                         % shlex.quote(password))
        os.chmod(path, 0o700)
        return self.environment(SSH_ASKPASS=path, DISPLAY=":none",
                                SSH_ASKPASS_REQUIRE="force")


class Server:
    """One sshd process.

    conf:   keyword -> value, list of values (repeated), or None (left out)
    tail:   raw text after the keywords, for Match blocks
    flags:  more command-line arguments
    binds:  path in the system -> file that the server sees in its place, in
            a mount namespace of its own
    before: shell commands run in that namespace first
    elsewhere: the port that the flags make it listen on, if not Port
    """

    def __init__(self, place, conf=None, tail="", flags=(), binds=None,
                 before="", elsewhere=None):
        self.place = place
        self.name = "sshd%d" % len(place.servers)
        self.conf = dict(BASE_CONF, **flavour_conf())
        self.conf["HostKey"] = [place.host_key(kind) for kind in HOST_KEYS]
        self.conf["PidFile"] = place.path(self.name + ".pid")
        self.conf.update(conf or {})
        self.tail, self.flags = tail, list(flags)
        self.binds, self.before = binds or {}, before
        self.elsewhere = elsewhere
        self.conf_path = place.path(self.name + ".conf")
        self.log_path = place.path(self.name + ".log")
        self.known_hosts = place.path(self.name + ".known_hosts")
        self.process, self.port, self.shown = None, None, 0
        tap.on_failure(self.show_log)

    def write_conf(self, text=None):
        """Write the configuration file, from the keywords or as given."""
        if text is None:
            text = self.conf_text()
        with open(self.conf_path, "w", encoding="utf-8") as out:
            out.write(text)

    def conf_text(self):
        lines = []
        for keyword, value in self.conf.items():
            values = value if isinstance(value, list) else [value]
            lines += ["%s %s\n" % (keyword, each) for each in values
                      if each is not None]
        return "".join(lines) + self.tail

    def argv(self):
        """What starts the server; the exec chain keeps the process id."""
        argv = [sshd_path(), "-D", "-e", "-f", self.conf_path, *self.flags]
        if not self.binds and not self.before:
            return argv
        script = "set -e\nmount --make-rprivate /\n"
        for target, source in self.binds.items():
            script += "mount --bind '%s' '%s'\n" % (source, target)
        script += self.before + "\nexec \"$@\"\n"
        return ["unshare", "-m", "sh", "-c", script, "sh", *argv]

    def start(self):
        """Start, on another port if the one chosen was taken meanwhile."""
        for _ in range(PORT_ATTEMPTS):
            self.port = free_port()
            self.conf["Port"] = str(self.port)
            self.port = self.elsewhere or self.port
            self.write_conf()
            self._spawn()
            if self._comes_up():
                self.write_known_hosts()
                return
            if "in use" not in self.log():
                break
        raise RuntimeError("sshd did not start:\n" + self.log())

    def _spawn(self):
        log = os.open(self.log_path,
                      os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND,
                      0o600)
        try:
            self.process = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/", env={"PATH": os.environ.get("PATH", "")},
                start_new_session=True)
        finally:
            os.close(log)

    def _comes_up(self):
        wait_for(lambda: self.process.poll() is not None
                 or listening(self.port), PATIENCE, "sshd to listen")
        return self.process.poll() is None

    def write_known_hosts(self):
        """Stock clients look the host up by name and, for a port that is
        not 22, as [name]:port (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        with open(self.known_hosts, "w", encoding="ascii") as out:
            for path in self.host_keys():
                with open(path + ".pub", encoding="ascii") as public:
                    kind, blob = public.read().split()[:2]
                for host in (ADDRESS, "::1"):
                    out.write("[%s]:%d %s %s\n"
                              % (host, self.port, kind, blob))

    def host_keys(self):
        keys = self.conf["HostKey"]
        return keys if isinstance(keys, list) else [keys]

    # --- the log ------------------------------------------------------------
    def log(self, since=0):
        """The log's text from a mark on."""
        with open(self.log_path, "rb") as text:
            data = text.read()[since:].replace(b"\r\n", b"\n")
        return data.decode("utf-8", "backslashreplace")

    def mark(self):
        return os.path.getsize(self.log_path)

    def logged(self, pattern, since=0, timeout=PATIENCE):
        """Does a line that matches come into the log in time?"""
        return holds(lambda: re.search(pattern, self.log(since), re.M),
                     timeout)

    def show_log(self):
        """The new lines of the log, for the reader of a failure."""
        if not os.path.exists(self.log_path):
            return
        fresh = self.log(self.shown).splitlines()
        self.shown = self.mark()
        tap.diag("--- log of %s" % self.name, *fresh[-LOG_LINES_SHOWN:])

    # --- the end ------------------------------------------------------------
    def family(self):
        """Processes that stem from any server of this test. Orphans came to
        us; our own clients are spared."""
        spare = [client.pid for client in self.place.clients]
        return descendants(os.getpid(), spare)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def stop(self, name="no process of the server survives it"):
        """End the server; a check that nothing is left of it."""
        if self.process is None:
            return
        others = [server.process.pid for server in self.place.servers
                  if server is not self and server.process]
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            tap.diag("sshd ignored SIGTERM")
        left = set()

        def nothing_left():
            left.clear()
            left.update(set(self.family()) - set(others))
            return not left
        gone = holds(nothing_left)
        tap.ok(gone, name, *[command_line(pid) for pid in left])
        self.process = None
        for pid in left:
            kill_quietly(pid)

    def stop_hard(self):
        """At exit: no verdict, but nothing stays."""
        if self.process is None:
            return
        if self.process.poll() is None:
            kill_quietly(self.process.pid)
            self.process.wait()
        for pid in self.family():
            kill_quietly(pid)
        self.process = None

    def children(self):
        """The listener's direct and indirect processes."""
        return descendants(self.process.pid)

    def alive(self):
        return self.process is not None and running(self.process.pid)

    # --- clients ------------------------------------------------------------
    def options(self, key=None, **more):
        """-F and -o arguments that keep a client inside the test."""
        argv = ["-F", "/dev/null",
                "-o", "UserKnownHostsFile=" + self.known_hosts]
        for keyword, value in dict(CLIENT_OPTIONS, **more).items():
            argv += ["-o", "%s=%s" % (keyword, value)]
        if key:
            argv += ["-i", key]
        return argv

    def ssh_argv(self, user, *command, key=None, flags=(), host=ADDRESS,
                 **options):
        return ["ssh", *self.options(key, **options), "-p", str(self.port),
                *flags, "%s@%s" % (user_name(user), host), *command]

    def ssh(self, user, *command, key=None, flags=(), options=None, **run):
        """Run stock ssh to its end. options: -o keywords; run: Place.run."""
        argv = self.ssh_argv(user, *command, key=key, flags=flags,
                             **(options or {}))
        return self.place.run(argv, **run)

    def password_ssh(self, user, password, *command, prompts=1, options=None,
                     **run):
        """As ssh(), with a password and no key."""
        chosen = {"BatchMode": "no", "PubkeyAuthentication": "no",
                  "PreferredAuthentications": "password",
                  "NumberOfPasswordPrompts": str(prompts)}
        chosen.update(options or {})
        return self.ssh(user, *command, options=chosen,
                        env=self.place.askpass(password), **run)


def user_name(user):
    return user if isinstance(user, str) else user.name

# Runs as root in the benchmark: starts one server, knows every process that
# descends from it, and counts the CPU that all of them used. Trusts /proc and
# the kernel's accounting; nothing that a server says about itself.
"""CPU and processes of a server's whole tree."""

import ctypes
import json
import os
import re
import resource
import signal
import socket
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
STOP_SECONDS = 10
LEAST_SECONDS = 0.002
GROUP_PREFIX = "sshdbench"


class Failure(Exception):
    """A measurement that has no number; the text says why."""


class NotPossible(Exception):
    """The server does not offer what the row measures."""


def _mounts(kind):
    with open("/proc/self/mounts", encoding="utf-8") as f:
        for line in f:
            fields = line.split()
            if fields[2] == kind:
                yield fields[1], fields[3].split(",")


def _own_path(controller):
    with open("/proc/self/cgroup", encoding="utf-8") as f:
        for line in f:
            _, names, path = line.rstrip("\n").split(":", 2)
            if controller in names.split(","):
                return path
    return "/"


class Group:
    """One control group, made for one start of one server."""

    def __init__(self, parent, usage):
        self.path = f"{parent}/{GROUP_PREFIX}.{os.getpid()}.{time.time_ns()}"
        self._usage = usage
        os.mkdir(self.path)

    def join(self):
        with open(f"{self.path}/cgroup.procs", "w", encoding="ascii") as f:
            f.write(str(os.getpid()))

    def usage_ns(self):
        return self._usage(self.path)

    def holds(self, pid):
        try:
            with open(f"/proc/{pid}/cgroup", encoding="utf-8") as f:
                return os.path.basename(self.path) in f.read()
        except OSError:
            return True

    def remove(self):
        for _ in range(100):
            try:
                os.rmdir(self.path)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)


def _cpuacct_usage(path):
    with open(f"{path}/cpuacct.usage", encoding="ascii") as f:
        return int(f.read())


def _cgroup2_usage(path):
    with open(f"{path}/cpu.stat", encoding="ascii") as f:
        found = re.search(r"^usage_usec (\d+)", f.read(), re.M)
    return int(found.group(1)) * 1000


def parents(method):
    """Directories in which a group for METHOD may be made, best first."""
    if method == "cpuacct":
        for where, options in _mounts("cgroup"):
            if "cpuacct" in options:
                yield where + _own_path("cpuacct").rstrip("/")
                yield where
    if method == "cgroup2":
        for where, _ in _mounts("cgroup2"):
            yield where + _own_path("").rstrip("/")
            yield where


USAGE = {"cpuacct": _cpuacct_usage, "cgroup2": _cgroup2_usage}
METHODS = {
    "cpuacct": "control group v1, cpuacct.usage of the server's whole tree",
    "cgroup2": "control group v2, cpu.stat of the server's whole tree",
    "rusage": "getrusage(RUSAGE_CHILDREN) of a subreaper above the server, "
              "less that of a server that was only started and stopped; a "
              "process whose parent ignores SIGCHLD would be missed",
}


def make_group(method):
    """A new group, None where METHOD needs none, OSError where it cannot."""
    if method == "rusage":
        return None
    for parent in parents(method):
        try:
            group = Group(parent, USAGE[method])
        except OSError:
            continue
        try:
            group.usage_ns()
            return group
        except (OSError, AttributeError):
            group.remove()
    raise OSError(f"no group for {method} can be made here")


def usable_methods():
    found = []
    for method in METHODS:
        try:
            group = make_group(method)
        except OSError:
            continue
        if group is not None:
            group.remove()
        found.append(method)
    return found


def _stat(pid):
    """(state, parent) of a process, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8",
                  errors="replace") as f:
            rest = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return rest[0], int(rest[1])


def descendants(root):
    """Living processes below ROOT (zombies are not living)."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = _stat(int(name))
            if stat is not None:
                children.setdefault(stat[1], []).append(
                    (int(name), stat[0] != "Z"))
    found, queue = [], [root]
    while queue:
        for pid, alive in children.get(queue.pop(), []):
            queue.append(pid)
            if alive:
                found.append(pid)
    return found


def ignores_sigchld(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            found = re.search(r"^SigIgn:\s*(\w+)", f.read(), re.M)
    except OSError:
        return False
    return bool(int(found.group(1), 16) & 1 << (signal.SIGCHLD - 1))


def _exec_server(argv, log, group):
    """In the forked child; never returns."""
    try:
        if group is not None:
            group.join()
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                    signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(sig, signal.SIG_DFL)
        null = os.open("/dev/null", os.O_RDWR)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for fd, target in ((null, 0), (out, 1), (out, 2)):
            os.dup2(fd, target)
        os.execve(argv[0], argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    except OSError as err:
        os.write(2, f"{argv[0]}: {err}\n".encode())
    os._exit(127)


def _reap_all(server):
    """Stop SERVER and wait for everything below us; says what it saw."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    died = os.waitid(os.P_PID, server, flags) is not None
    os.kill(server, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    killed = set()
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            if time.monotonic() > deadline:
                for left in descendants(os.getpid()):
                    killed.add(left)
                    os.kill(left, signal.SIGKILL)
            time.sleep(LEAST_SECONDS)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"died": died, "killed": len(killed),
            "cpu_ns": int((used.ru_utime + used.ru_stime) * 1e9)}


class Keeper:
    """The subreaper above one server.

    Whatever the server forks, and forks twice, stays below it; when the
    benchmark dies the control socket closes and the keeper ends them all.
    """

    def __init__(self, argv, log, group):
        self._end, theirs = socket.socketpair()
        self.group = group
        self.pid = os.fork()
        if self.pid == 0:
            self._run(theirs, argv, log)
        theirs.close()
        self.server = int(self._end.recv(64))

    def _run(self, ctl, argv, log):
        try:
            self._end.close()
            os.setsid()
            for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(sig, signal.SIG_IGN)
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "no subreaper")
            server = os.fork()
            if server == 0:
                _exec_server(argv, log, self.group)
            ctl.send(str(server).encode())
            orphaned = ctl.recv(1) == b""
            seen = _reap_all(server)
            if orphaned and self.group is not None:
                self.group.remove()
            if not orphaned:
                ctl.send(json.dumps(seen).encode())
        except (OSError, ValueError) as err:
            sys.stderr.write(f"keeper: {err}\n")
        finally:
            os._exit(0)

    def processes(self):
        return descendants(self.pid)

    def alive(self):
        stat = _stat(self.server)
        return stat is not None and stat[0] != "Z"

    def stop(self):
        """End the server; what the keeper saw, as a dict."""
        self._end.send(b"s")
        told = self._end.recv(4096)
        self._end.close()
        os.waitpid(self.pid, 0)
        if self.group is not None:
            self.group.remove()
        if not told:
            raise Failure("the keeper of the server's processes died")
        return json.loads(told)

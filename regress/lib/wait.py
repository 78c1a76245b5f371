"""Waiting for something to become true, and knowing who still runs.

Tests never wait for a time to pass: they wait for a condition, and a deadline
makes the condition's absence an error.
"""
import ctypes
import os
import signal
import threading
import time

POLL_SECONDS = 0.02
# How long a test waits for what has to come. It costs only when a test fails;
# a machine that is shared may stop a process for many seconds.
PATIENCE = 60
PR_SET_CHILD_SUBREAPER = 36
_pause = threading.Event()


class Late(Exception):
    """A condition did not come true before its deadline."""


def wait_for(condition, timeout=PATIENCE, what="condition"):
    """Poll until condition() is true and return its value, or raise Late."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Late("waited %g s for %s" % (timeout, what))
        _pause.wait(POLL_SECONDS)


def holds(condition, timeout=PATIENCE):
    """wait_for() as a yes or no."""
    try:
        return bool(wait_for(condition, timeout))
    except Late:
        return False


def become_subreaper():
    """Orphans of the servers under test become children of this process, so
    that none of them can be overlooked (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def process_stat(pid):
    """(state, parent) of a process, or None when it is gone (proc(5))."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as stat:
            fields = stat.read().rsplit(b")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return fields[0].decode(), int(fields[1])


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children_of():
    """Every process's live children: parent -> list of (pid, state)."""
    tree = {}
    for pid in all_pids():
        stat = process_stat(pid)
        if stat:
            tree.setdefault(stat[1], []).append((pid, stat[0]))
    return tree


def descendants(root, spare=()):
    """Live processes below root; those in spare and below them left out."""
    tree, found, todo = children_of(), [], [root]
    while todo:
        for pid, state in tree.get(todo.pop(), ()):
            if pid in spare:
                continue
            if state == "Z":
                _reap(pid)
            else:
                found.append(pid)
                todo.append(pid)
    return found


def _reap(pid):
    """Collect an adopted orphan; someone else's zombie is left alone."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def command_line(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as line:
            return line.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def running(pid):
    stat = process_stat(pid)
    return stat is not None and stat[0] != "Z"


def kill_quietly(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def uid_of(pid):
    try:
        return os.stat("/proc/%d" % pid).st_uid
    except OSError:
        return None


def pids_of_uid(uid):
    return [pid for pid in all_pids() if uid_of(pid) == uid and running(pid)]

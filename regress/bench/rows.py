# Runs as root in the benchmark: the table of what is measured, and how one
# measurement of one server is made. Trusts client.py's clock and meter.py's
# CPU; a server that dies on the way gives a Failure.
"""Rows of the benchmark."""

import filecmp
import os
import shutil
import statistics
import time

import client
import meter
from meter import Failure

GIB = 1 << 30
MIB = 1 << 20
LOWER, HIGHER = "lower", "higher"
CIPHERS = {
    "aes128-gcm": "aes128-gcm@openssh.com",
    "chacha20-poly1305": "chacha20-poly1305@openssh.com",
    "aes256-ctr": "aes256-ctr",
}
COMMON_KEX = ("-o", "KexAlgorithms=curve25519-sha256,"
              "curve25519-sha256@libssh.org")
BASELINE_LOGINS = 5
PARALLEL_WIDTH = 4
ECHO_GAP_SECONDS = 0.001
SMALL_FILE_BYTES = 4096
INTEGRITY_BYTES = 3 * MIB + 17
SETTLE_SECONDS = 0.2

FULL = {"rounds": 5, "logins": 20, "parallel": 32, "bulk": 256 * MIB,
        "large": 256 * MIB, "small": 1000, "sessions": 5, "echoes": 500}
QUICK = {"rounds": 3, "logins": 8, "parallel": 16, "bulk": 128 * MIB,
         "large": 128 * MIB, "small": 500, "sessions": 5, "echoes": 200}


class Context:
    """What every measurement of a run shares."""

    def __init__(self, world, method, params):
        self.world = world
        self.method = method
        self.params = params
        self.baseline = {}
        self.integrity = set()

    def make_files(self):
        """The files that sftp moves, in the user's home."""
        home = self.world.home
        with open(f"{home}/large", "wb") as f:
            for _ in range(self.params["large"] // MIB):
                f.write(os.urandom(MIB))
        os.mkdir(f"{home}/small")
        for i in range(self.params["small"]):
            with open(f"{home}/small/{i:04}", "wb") as f:
                f.write(os.urandom(SMALL_FILE_BYTES))
        self.world.own(home)

    def cpu_seconds(self, running):
        """Server CPU since the mark."""
        used = running.used_ns / 1e9
        if running.keeper.group is None:
            empty, login = self.baseline[running.server.name]
            used -= empty + login * running.logins_before_mark
        return max(used, 0.0)


def run_once(context, server, work):
    """Start SERVER, log in once to warm it, run WORK, stop it.

    Returns WORK's result and the Running, which knows the CPU it used.
    """
    running = server.start(context.method)
    try:
        client.login(running)
        running.drain()
        running.mark(1)
        result = work(running)
        running.drain()
        running.note_cpu()
    except BaseException as err:
        try:
            running.stop()
        except Failure as second:
            raise Failure(f"{second} ({err})") from err
        raise
    running.stop()
    return result, running


def measure_baseline(context, server):
    """Without a control group: what starting, stopping, a login cost."""
    if context.method != "rusage":
        return

    def more(running):
        for _ in range(BASELINE_LOGINS):
            client.login(running)

    _, one = run_once(context, server, lambda _: None)
    _, many = run_once(context, server, more)
    login = (many.used_ns - one.used_ns) / 1e9 / BASELINE_LOGINS
    context.baseline[server.name] = (one.used_ns / 1e9 - login, login)


def measure_logins(context, server, options=(), command="true"):
    count = context.params["logins"]

    def work(running):
        return [client.login(running, *options, command=command)
                for _ in range(count)]

    walls, running = run_once(context, server, work)
    return {"wall": statistics.median(walls) * 1e3,
            "cpu": context.cpu_seconds(running) / count * 1e3}


def measure_parallel(context, server):
    count = context.params["parallel"]
    wall, running = run_once(
        context, server,
        lambda r: client.logins_at_once(r, count, PARALLEL_WIDTH))
    return {"rate": count / wall,
            "cpu": context.cpu_seconds(running) / count * 1e3}


def _check_integrity(context, server, cipher):
    """Before the first timing: do bytes come back as they went?"""
    if (server.name, cipher) in context.integrity:
        return
    data = os.urandom(INTEGRITY_BYTES)
    run_once(context, server,
             lambda r: client.echoes_bytes(r, cipher, data))
    context.integrity.add((server.name, cipher))


def measure_bulk(context, server, move, cipher):
    _check_integrity(context, server, cipher)
    count = context.params["bulk"]
    wall, running = run_once(context, server,
                             lambda r: move(r, cipher, count))
    return {"rate": count / wall / 1e6,
            "cpu": context.cpu_seconds(running) * GIB / count}


def _timed_sftp(context, server, command, made, source):
    """CPU and wall of one sftp command whose outcome must equal SOURCE."""
    for folder in ("in", "got"):
        path = f"{context.world.home}/{folder}"
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        context.world.own(path)
    wall, running = run_once(context, server,
                             lambda r: client.sftp(r, command))
    _must_equal(source, made)
    shutil.rmtree(os.path.dirname(made))
    return wall, context.cpu_seconds(running)


def _must_equal(source, made):
    if os.path.isfile(source):
        same = os.path.isfile(made) and \
            filecmp.cmp(source, made, shallow=False)
    else:
        names = sorted(os.listdir(source))
        same = os.path.isdir(made) and sorted(os.listdir(made)) == names \
            and filecmp.cmpfiles(source, made, names, False)[0] == names
    if not same:
        raise Failure("what sftp moved is not what was to be moved")


def _sftp_command(context, way, what):
    home = context.world.home
    flag = "-r " if what == "small" else ""
    if way == "put":
        return (f"put {flag}{home}/{what} in/{what}", f"{home}/in/{what}")
    return (f"get {flag}{what} {home}/got/{what}", f"{home}/got/{what}")


def measure_sftp_large(context, server, way):
    command, made = _sftp_command(context, way, "large")
    wall, cpu = _timed_sftp(context, server, command, made,
                            f"{context.world.home}/large")
    count = context.params["large"]
    return {"rate": count / wall / 1e6, "cpu": cpu * GIB / count}


def measure_sftp_small(context, server, way):
    command, made = _sftp_command(context, way, "small")
    wall, cpu = _timed_sftp(context, server, command, made,
                            f"{context.world.home}/small")
    count = context.params["small"]
    return {"rate": count / wall, "cpu": cpu / count * 1e3}


def _pss_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            for line in f:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError as err:
        raise Failure(f"memory of process {pid}: {err}") from err
    return 0


def _is_users(pid, programs):
    try:
        return os.readlink(f"/proc/{pid}/exe") in programs
    except OSError:
        return True


def measure_idle(context, server):
    count = context.params["sessions"]
    programs = {os.path.realpath(p) for p in ("/bin/sh", "/bin/cat")}

    def work(running):
        before = set(running.processes())
        sessions = []
        try:
            for _ in range(count):
                sessions.append(client.idle_session(running))
            time.sleep(SETTLE_SECONDS)
            pids = [p for p in running.processes()
                    if p not in before and not _is_users(p, programs)]
            if len(pids) < count:
                raise Failure(f"{count} sessions, {len(pids)} processes")
            return sum(_pss_kib(p) for p in pids), len(pids)
        finally:
            for session in sessions:
                session.__exit__()

    (pss, processes), _ = run_once(context, server, work)
    return {"pss": pss / count, "processes": processes / count}


def measure_echo(context, server):
    count = context.params["echoes"]
    times, _ = run_once(
        context, server,
        lambda r: client.echo_times(r, count, ECHO_GAP_SECONDS))
    times.sort()
    return {"p50": times[len(times) // 2] * 1e6,
            "p99": times[min(len(times) - 1, len(times) * 99 // 100)] * 1e6}


def find_escapes(server, method):
    """What of a session METHOD would not count: reasons, or nothing."""
    found = []
    running = server.start(method)
    try:
        server.banner = running.read_banner()
        with client.idle_session(running):
            for pid in running.processes():
                group = running.keeper.group
                if group is not None and not group.holds(pid):
                    found.append(f"{server.name}: a session leaves the group")
                if group is None and meter.ignores_sigchld(pid):
                    found.append(f"{server.name}: a process ignores SIGCHLD")
        running.drain()
    finally:
        running.stop()
    return sorted(set(found))


def _group(name, measure, args, rows):
    """A measurement and its rows: (suffix, label, unit, better)."""
    return {"name": name, "measure": measure, "args": args, "rows": [
        {"key": f"{name}.{suffix}", "suffix": suffix, "label": label,
         "unit": unit, "better": better}
        for suffix, label, unit, better in rows]}


def _groups():
    yield _group("login", measure_logins, (), (
        ("wall", "login, wall time", "ms", LOWER),
        ("cpu", "login, server CPU", "ms", LOWER)))
    yield _group("login-x25519", measure_logins, (COMMON_KEX,), (
        ("wall", "login by curve25519, wall time", "ms", LOWER),
        ("cpu", "login by curve25519, server CPU", "ms", LOWER)))
    yield _group("parallel", measure_parallel, (), (
        ("rate", f"logins, {PARALLEL_WIDTH} at a time", "/s", HIGHER),
        ("cpu", f"login, {PARALLEL_WIDTH} at a time, server CPU", "ms",
         LOWER)))
    for name, cipher in CIPHERS.items():
        for way, move in (("down", client.download), ("up", client.upload)):
            yield _group(f"{way}.{name}", measure_bulk, (move, cipher), (
                ("rate", f"{way}, {name}", "MB/s", HIGHER),
                ("cpu", f"{way}, {name}, server CPU", "s/GiB", LOWER)))
    for way, move in (("down", client.forward_down),
                      ("up", client.forward_up)):
        yield _group(f"forward-{way}", measure_bulk,
                     (move, CIPHERS["aes128-gcm"]), (
                         ("rate", f"forwarded {way}, aes128-gcm", "MB/s",
                          HIGHER),
                         ("cpu", f"forwarded {way}, aes128-gcm, server CPU",
                          "s/GiB", LOWER)))
    for way in ("put", "get"):
        yield _group(f"sftp-{way}.large", measure_sftp_large, (way,), (
            ("rate", f"sftp {way}, large file", "MB/s", HIGHER),
            ("cpu", f"sftp {way}, large file, server CPU", "s/GiB", LOWER)))
        yield _group(f"sftp-{way}.small", measure_sftp_small, (way,), (
            ("rate", f"sftp {way}, small files", "files/s", HIGHER),
            ("cpu", f"sftp {way}, small file, server CPU", "ms", LOWER)))
    yield _group("idle", measure_idle, (), (
        ("pss", "idle session, memory (PSS)", "KiB", LOWER),))
    yield _group("echo", measure_echo, (), (
        ("p50", "echo of a key, p50", "us", LOWER),
        ("p99", "echo of a key, p99", "us", LOWER)))


GROUPS = tuple(_groups())

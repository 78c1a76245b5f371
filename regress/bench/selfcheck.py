#!/usr/bin/python3
# Runs as root, on loopback only: proves that the benchmark counts what is
# spent, wherever it is spent, and that a server which dies, lies or cuts short
# is a failure and never a fast result. TAP on stdout.
"""Checks of the benchmark itself."""

import glob
import json
import os
import pwd
import signal
import subprocess
import sys
import time

import bench
import client
import meter
import report
import rows
import servers
import sftprows
from meter import Failure

HERE = os.path.dirname(os.path.abspath(__file__))
BURN_MS = 500
BURN = (f"/usr/bin/python3 -ISc 'import time\n"
        f"while time.process_time() < {BURN_MS / 1e3}: pass'")
# Of what is burnt, this much must be seen. Not counted is 0, counted twice 2:
# between them, however busy the machine, a count is told from a miscount.
SEEN_LEAST, SEEN_MOST = 0.5, 1.6
WAIT_SECONDS = 30
SIZES = {"rounds": 1, "logins": 2, "parallel": 4, "bulk": 4 << 20,
         "large": 2 << 20, "small": 5, "sessions": 2, "echoes": 20}


class Tap:
    """Counts and prints."""

    def __init__(self):
        self.count = 0
        self.bad = 0

    def ok(self, good, name, told=""):
        self.count += 1
        self.bad += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if told and not good:
            print(f"# {told}")
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def fails(self, name, words, work):
        """WORK must end in a Failure that says WORDS."""
        try:
            told = f"no failure but {work()}"
        except Failure as err:
            told = str(err)
        except meter.NotPossible as err:
            told = f"n/a: {err}"
        self.ok(words in told and not told.startswith("no failure"), name,
                told)


class Rig:
    """A world in which each check gets the server it asks for."""

    def __init__(self, world):
        self.world = world

    def server(self, *lines, name="openssh"):
        return servers.Server(name, self.world, extra=lines)

    def context(self, method="rusage"):
        return rows.Context(self.world, method, SIZES)


def check_cpu(tap, rig, method):
    """What a session burns must appear, once."""
    context = rig.context(method)
    server = rig.server()
    rows.measure_baseline(context, server)
    plain = rows.measure_logins(context, server)["cpu"]
    spent = BURN_MS + _python_ms()
    away = f"(setsid {BURN} >/dev/null 2>&1 </dev/null &)"
    for name, command in (("in a session", BURN),
                          ("by an orphan of a session", away)):
        cpu = rows.measure_logins(context, server, command=command)["cpu"]
        seen = (cpu - plain) / spent
        tap.ok(SEEN_LEAST <= seen <= SEEN_MOST,
               f"{method}: what is burnt {name} is counted, once",
               f"{seen:.2f} of {spent:.0f} ms, plain {plain:.1f} ms")
    tap.ok(0 < plain < 1000, f"{method}: a plain login costs something",
           f"{plain:.1f} ms")


def _python_ms():
    """What starting the burner costs without burning."""
    before = os.times()
    subprocess.run(["/usr/bin/python3", "-ISc", "0"], check=True)
    after = os.times()
    return (after.children_user + after.children_system
            - before.children_user - before.children_system) * 1e3


def check_dying(tap, rig):
    context = rig.context()
    context.baseline["openssh"] = (0.0, 0.0)
    cipher = "aes256-ctr"

    def kill_listener(running):
        os.kill(running.keeper.server, signal.SIGKILL)
        return client.login(running)

    def kill_at_end(running):
        os.kill(running.keeper.server, signal.SIGKILL)

    tap.fails("a killed server fails a login", "the server died",
              lambda: rows.run_once(context, rig.server(), kill_listener))
    tap.fails("a server killed after the work fails it", "the server died",
              lambda: rows.run_once(context, rig.server(), kill_at_end))
    cases = (
        ("a session killed in a download", "client exit 255",
         "echo go; read x; head -c 9999 /dev/zero; kill -9 $PPID",
         client.download),
        ("a download that is short", "came instead of",
         "echo go; read x; head -c 9999 /dev/zero", client.download),
        ("a session killed in an upload", "client exit 255",
         "echo go; head -c 9999 >/dev/null; kill -9 $PPID", client.upload),
        ("an upload that nobody reads to its end", "client",
         "echo go; head -c 9999 >/dev/null", client.upload),
    )
    for name, words, command, move in cases:
        # Only the transfer's command has "go" in it; the warming login stays.
        lines = ("ForceCommand case $SSH_ORIGINAL_COMMAND in "
                 f"*go*) {command};; esac",)
        server = rig.server(*lines)
        context.integrity.add((server.name, cipher))
        tap.fails(f"{name} fails it", words, lambda s=server, m=move:
                  rows.measure_bulk(context, s, m, cipher))
    tap.fails("a login whose command fails is none", "client exit 1",
              lambda: rows.measure_logins(
                  context, rig.server("ForceCommand false")))
    tap.fails("parallel logins that fail are none", "client exit",
              lambda: _parallel(rig.server("ForceCommand false")))
    tap.fails("a server that does not start", "does not start",
              lambda: rows.measure_logins(context, rig.server("Nonsense 1")))


def _parallel(server):
    running = server.start("rusage")
    try:
        return client.logins_at_once(running, 4, 2)
    finally:
        running.stop()


def check_sftp(tap, rig):
    context = rig.context()
    context.make_files()
    server = rig.server()
    rows.measure_baseline(context, server)
    numbers = rows.measure_sftp_small(context, server, "put")
    tap.ok(numbers["rate"] > 0, "sftp put works at all", str(numbers))
    tap.fails("an sftp put that is refused", "client exit 1",
              lambda: rows.measure_sftp_large(
                  context, rig.server("ForceCommand internal-sftp -R"),
                  "put"))
    changed = f"{rig.world.dir}/changed"
    with open(f"{rig.world.home}/large", "rb") as f:
        data = bytearray(f.read())
    data[-1] ^= 1
    with open(changed, "wb") as f:
        f.write(data)
    tap.fails("a file with one bit changed", "is not what",
              lambda: rows._must_equal(f"{rig.world.home}/large", changed))


def check_load(tap, world):
    """The sftp mode: all its rows, and no fast result of a short file."""
    load = f"{os.environ.get('BUILDDIR', '.')}/regress/bench/sftpload"
    if not os.access(load, os.X_OK):
        tap.skip("sftpload", "is not built, or BUILDDIR does not say where")
        return
    sizes = {"rounds": 1, "large": 2 << 20, "files": 20, "entries": 50}
    server = servers.Server("openssh", world)
    server.use_sftp(server.names["sftp-server"], os.path.realpath(load))
    context = sftprows.Context(world, "rusage", sizes, load)
    context.make_files()
    rows.measure_baseline(context, server)
    for group in sftprows.GROUPS:
        got = group["measure"](context, server, *group["args"])
        tap.ok(all(got[row["suffix"]] >= 0 for row in group["rows"])
               and got["rate"] > 0 and got["own"] > 0,
               f"sftp mode: {group['name']}", got)
    context.params = dict(sizes, entries=51 + 2)
    tap.fails("sftp mode: a listing that is too short", "sftpload: there is "
              "less", lambda: sftprows.measure_pipe(context, server, "list"))


def check_lacking(tap, rig):
    context = rig.context()
    cipher = rows.CIPHERS["aes128-gcm"]
    group = {"measure": rows.measure_bulk, "args": (client.download, cipher)}
    told = bench.measure(context, group, rig.server("Ciphers aes256-ctr"))
    tap.ok(told[0] == "failed", "a cipher missing in a server that must "
           "have it fails", str(told))
    try:
        server = rig.server(name="dropbear")
    except (Failure, OSError) as err:
        tap.skip("a cipher that dropbear lacks is n/a", str(err))
        return
    told = bench.measure(context, group, server)
    if isinstance(told, dict):
        tap.skip("a cipher that dropbear lacks is n/a", "it has it")
    else:
        tap.ok(told[0] == "n/a", "a cipher that dropbear lacks is n/a",
               str(told))


def check_report(tap):
    def row(better, mine, theirs):
        cells = {"a": report.cell(mine, "x"), "b": report.cell(theirs, "x")}
        return report.compare({"better": better, "cells": cells}, "a", "b")

    two, four = [{"x": 2.0}] * 3, [{"x": 4.0}] * 3
    tap.ok(row("lower", two, four)["verdict"] == "better"
           and row("lower", four, two)["verdict"] == "worse"
           and row("higher", two, four)["verdict"] == "worse"
           and row("higher", four, two)["verdict"] == "better"
           and row("higher", two, two)["verdict"] == "even",
           "better and worse follow the row's direction")
    drift = [{"x": 1.0}, {"x": 10.0}, {"x": 2.0}]
    double = [{"x": 2.0}, {"x": 20.0}, {"x": 4.0}]
    tap.ok(row("lower", drift, double)["median"] == 0.5
           and row("lower", drift, double)["max"] == 0.5,
           "ratios are made inside a round")
    bad = two[:2] + [("failed", "it died")]
    one = report.cell(bad, "x")
    tap.ok(one == {"status": "failed", "reason": "it died"}
           and row("lower", bad, four) is None,
           "one failed round fails the row", str(one))
    tap.ok(row("lower", [{"x": 0.0}], [{"x": 4.0}]) is None,
           "nothing is infinitely good")
    result = {"subject": "ours", "servers": {"ours": {}, "openssh": {}},
              "rows": [{"key": "login.cpu", "better": "lower", "cells": {
                  "ours": report.cell(bad, "x"),
                  "openssh": report.cell(four, "x")}}]}
    report.add_ratios(result)
    tap.ok(not all(met for _, met in report.aims(result)),
           "a row without a number meets no aim")


def _spawn(*args, out=subprocess.DEVNULL):
    return subprocess.Popen(
        [f"{HERE}/bench.py", "--quick", "--rounds", "1", "--servers",
         "openssh", "--large", "1", *args], stdout=out,
        stderr=subprocess.DEVNULL, text=True)


def _wait_until(true):
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(meter.LEAST_SECONDS)
    return True


def _user_exists(pid):
    return any(u.pw_name == f"{servers.USER_PREFIX}{pid}"
               for u in pwd.getpwall())


def _commands():
    """Every process's command line."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as f:
                found.append(f.read().decode("utf-8", "replace"))
        except OSError:
            continue
    return found


def check_whole(tap, world):
    path = f"{world.dir}/result.json"
    ran = _spawn("--rows", r"^login\.|^idle", "--json", path,
                 out=subprocess.PIPE)
    printed = ran.communicate()[0]
    with open(path, encoding="utf-8") as f:
        result = json.load(f)
    tap.ok(ran.returncode == 0 and result["schema"] == report.SCHEMA
           and [r["key"] for r in result["rows"]]
           == ["login.wall", "login.cpu", "idle.pss"]
           and all(r["cells"]["openssh"]["median"] > 0
                   for r in result["rows"]),
           "a run writes JSON of its schema", printed)
    tap.ok(not _user_exists(ran.pid), "a run removes its user")
    made = subprocess.run([f"{HERE}/bench.py", "--markdown", path],
                          capture_output=True, text=True, check=False)
    tap.ok(made.stdout.count("\n| ") == 3 and "--rows" in made.stdout,
           "markdown is made of it", made.stdout + made.stderr)


def check_interrupted(tap, number):
    """End a run by a signal while its server serves; see what stays."""
    name = signal.Signals(number).name
    run = _spawn("--tmp", "/tmp")
    tops = []

    def serving():
        tops[:] = glob.glob("/tmp/sshbench.*/openssh.*/log")
        return _user_exists(run.pid) and any(
            os.path.dirname(top) in c for top in tops for c in _commands())

    began = _wait_until(serving)
    run.send_signal(number)
    run.wait()
    gone = _wait_until(lambda: not any(
        os.path.dirname(top) in c for top in tops for c in _commands()))
    tap.ok(began and gone, f"{name}: no server stays")
    if number == signal.SIGKILL:
        again = _spawn("--rows", r"^login\.")
        again.wait()
        name += " and one more run"
    tap.ok(not _user_exists(run.pid), f"{name}: the user is gone")
    tap.ok(not any(os.path.exists(top) for top in tops),
           f"{name}: the temp dir is gone")
    tap.ok(not any(glob.glob(f"{parent}/{meter.GROUP_PREFIX}.{run.pid}.*")
                   for method in meter.METHODS
                   for parent in meter.parents(method)),
           f"{name}: the control groups are gone")


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root: servers run with their privileges")
        return 0
    for sig in bench.ENDING:
        signal.signal(sig, bench.leave)
    tap = Tap()
    check_report(tap)
    with servers.World(None) as world:
        rig = Rig(world)
        for method in meter.usable_methods():
            check_cpu(tap, rig, method)
        check_dying(tap, rig)
        check_sftp(tap, rig)
        check_lacking(tap, rig)
        check_whole(tap, world)
    with servers.World(None) as world:
        check_load(tap, world)
    check_interrupted(tap, signal.SIGTERM)
    check_interrupted(tap, signal.SIGKILL)
    print(f"1..{tap.count}")
    return tap.bad != 0


if __name__ == "__main__":
    sys.exit(main())

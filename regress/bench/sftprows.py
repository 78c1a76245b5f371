# Runs as root in the benchmark: what is measured of two sftp-servers under one
# sshd. Trusts sftpload's counting and clock, and what wait4(2) says it cost.
"""Rows of the benchmark's sftp mode."""

import contextlib
import json
import os
import pwd
import subprocess

import client
import rows
from meter import Failure
from rows import GIB, HIGHER, LOWER, MIB

# An sftp client's usual block, and the largest that limits@openssh.com allows.
BLOCK = 32768
BLOCK_MAX = 261120
WIDTH = 64
WIDTH_MAX = 16
SMALL_BYTES = 4096

FULL = {"rounds": 5, "large": 512 * MIB, "files": 10000, "entries": 100000}
QUICK = {"rounds": 3, "large": 256 * MIB, "files": 2000, "entries": 20000}

# What is aimed at, as ours/openssh: a row, and the ratio it has to reach. A
# large file has reached its aim by its rate or by sftp-server's own CPU.
AIMS = (
    ("sftp get, large: 1.3 times the rate, or half the CPU",
     (("load-get.rate", 1.3), ("load-get.own", 0.5))),
    ("sftp put, large: 1.3 times the rate, or half the CPU",
     (("load-put.rate", 1.3), ("load-put.own", 0.5))),
    ("small files down: twice the rate", (("load-gets.rate", 2.0),)),
    ("small files up: twice the rate", (("load-puts.rate", 2.0),)),
    ("a listing: twice the rate", (("load-list.rate", 2.0),)),
)


class Context(rows.Context):
    """The files are of other sizes, and there are more of them."""

    def __init__(self, world, method, params, load):
        super().__init__(world, method, params)
        self.load = load
        self.nplaces = 0

    def make_files(self):
        home = self.world.home
        with open(f"{home}/large", "wb") as f:
            for _ in range(self.params["large"] // MIB):
                f.write(os.urandom(MIB))
        for name, count, size in (("small", "files", SMALL_BYTES),
                                  ("list", "entries", 0)):
            os.mkdir(f"{home}/{name}")
            for i in range(self.params[count]):
                with open(f"{home}/{name}/{i:05}", "wb") as f:
                    f.write(bytes(size))
        os.mkdir(f"{home}/in")
        os.mkdir(f"{home}/got")
        self.world.own(home)

    def upload_place(self, job):
        """Where nothing is yet, relative to the home: to replace a file costs
        a file system more than to make one, and both servers the same. Small
        files stay until the end, as ext4 makes inodes slowly where some were
        deleted a moment ago."""
        home = self.world.home
        if job == "put":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{home}/in/large")
            return "in/large"
        self.nplaces += 1
        return f"in/small{self.nplaces}"


# job -> the file or directory in the home (None: one that is not there yet),
# the count's name, the unit's size
JOBS = {
    "get": ("large", "large", 1),
    "put": (None, "large", 1),
    "gets": ("small", "files", None),
    "puts": (None, "files", None),
    "stats": ("small", "files", None),
    "list": ("list", "entries", None),
}


def _load_argv(context, job, block, width, command):
    where, count, _ = JOBS[job]
    if job in ("gets", "puts"):
        block = SMALL_BYTES
    where = f"{context.world.home}/{where or context.upload_place(job)}"
    if job == "puts":
        os.mkdir(where)
        context.world.own(where)
    return [context.load, job, where,
            str(context.params[count]), str(block), str(width)] + command


def _run_load(argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                          check=False, timeout=client.CLIENT_SECONDS)
    if done.returncode != 0:
        raise Failure("sftpload: "
                      + done.stderr.decode("utf-8", "replace").strip())
    return json.loads(done.stdout)


def _told(context, job, seconds, tree, own):
    """Rates, and CPU a GiB or a thousand files."""
    _, count, is_bytes = JOBS[job]
    count = context.params[count]
    per = GIB / count if is_bytes else 1e6 / count
    rate = count / seconds / (1e6 if is_bytes else 1)
    return {"rate": rate, "cpu": tree * per, "own": own * per}


def measure_load(context, server, job, block=BLOCK, width=WIDTH):
    """Over ssh, by a client that waits for nothing."""
    server.forget_own()

    def work(running):
        server.forget_own()
        return _run_load(_load_argv(
            context, job, block, width,
            running.client("-s", command="sftp")))

    told, running = rows.run_once(context, server, work)
    return _told(context, job, told["seconds"],
                 context.cpu_seconds(running), server.own_seconds())


def measure_pipe(context, server, job, block=BLOCK, width=WIDTH):
    """Without ssh: sftp-server's own speed."""
    user = pwd.getpwnam(context.world.user)
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
               "--clear-groups", server.names["sftp-server"]]
    told = _run_load(_load_argv(context, job, block, width, command))
    return _told(context, job, told["seconds"], 0, told["cpu"])


def measure_stock(context, server, job):
    """By sftp(1), which waits for each small file's replies."""
    home = context.world.home
    there = context.upload_place(job)
    command = {"get": f"get large {home}/got/large",
               "put": f"put {home}/large {there}",
               "gets": f"get -r small {home}/got/small",
               "puts": f"put -r {home}/small {there}",
               "list": "ls -1 list"}[job]

    def work(running):
        server.forget_own()
        return client.sftp(running, command)

    wall, running = rows.run_once(context, server, work)
    return _told(context, job, wall, context.cpu_seconds(running),
                 server.own_seconds())


NAMES = {"get": "down, large file", "put": "up, large file",
         "gets": "down, small files", "puts": "up, small files",
         "stats": "lstat of each file", "list": "listing"}


def _group(name, measure, job, told, args=(), tree=True):
    is_bytes = JOBS[job][2]
    units = ("MB/s", "s/GiB") if is_bytes else ("/s", "us each")
    found = [("rate", told, units[0], HIGHER)]
    if tree:
        found.append(("cpu", told + ", server CPU", units[1], LOWER))
    found.append(("own", told + ", sftp-server's CPU", units[1], LOWER))
    return {"name": name, "measure": measure, "args": (job,) + args, "rows": [
        {"key": f"{name}.{suffix}", "suffix": suffix, "label": label,
         "unit": unit, "better": better}
        for suffix, label, unit, better in found]}


def _groups():
    for job, told in NAMES.items():
        if job != "stats":
            yield _group(f"stock-{job}", measure_stock, job, f"sftp(1) {told}")
    for job, told in NAMES.items():
        yield _group(f"load-{job}", measure_load, job, f"ssh {told}")
    for job in ("get", "put"):
        yield _group(f"load-{job}-256k", measure_load, job,
                     f"ssh {NAMES[job]} in 255 KiB blocks",
                     (BLOCK_MAX, WIDTH_MAX))
    for job, told in NAMES.items():
        yield _group(f"pipe-{job}", measure_pipe, job, f"pipe {told}", (),
                     False)


GROUPS = tuple(_groups())

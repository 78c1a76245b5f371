#!/usr/bin/python3
# Runs as root, on loopback only: a private OpenSSH sshd, a throw-away user, a
# relay that delays. All of it is gone at the end.
"""The benchmark behind `make bench-files`: omniedge scp beside OpenSSH's scp
and sftp and rsync, all with OpenSSH's server, on loopback and over 20 ms. All
files are in memory, where there is room, so that no disk is measured."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
os.environ["SSHD_FLAVOUR"] = "openssh"
from server import ADDRESS, Place, built

MIB = 1 << 20
SMALL_BYTES = 2000
DELAY_MS = 20
# What the slow ones need for a whole tree over 20 ms is minutes: beyond this
# they are stopped, and what they did until then gives their rate. The first
# run of a client warms up nothing that the next would find.
PATIENCE = {"large": 60, "small": 6}
# One run says nothing on a machine with other guests.
ROUNDS = 5
MEMORY = "/dev/shm"
COPIES = 4  # here, there, made, and some room
AIM_SMALL = {"loopback": 2.0, "%d ms" % DELAY_MS: 20.0}
KINDS = ("large", "small")
WAYS = ("up", "down")


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--quick", action="store_true", help="smaller, one round")
    p.add_argument("--large", type=int, metavar="MIB")
    p.add_argument("--small", type=int, metavar="FILES")
    p.add_argument("--rounds", type=int, help="of each row")
    p.add_argument("--json", metavar="FILE")
    args = p.parse_args(argv)
    args.large = args.large or (256 if args.quick else 1024)
    args.small = args.small or (2000 if args.quick else 10000)
    args.rounds = args.rounds or (1 if args.quick else ROUNDS)
    return args


def in_memory(args):
    """Let the place be in memory if all fits there."""
    try:
        vfs = os.statvfs(MEMORY)
    except OSError:
        return False
    wanted = COPIES * (args.large * MIB + args.small * 3 * SMALL_BYTES)
    if vfs.f_bavail * vfs.f_frsize > wanted:
        os.environ["TMPDIR"] = MEMORY
        return True
    return False


class Bench:
    def __init__(self, args):
        self.args = args
        self.place = Place()
        self.user = self.place.account()
        self.key = self.place.key()
        self.user.authorize(self.key)
        self.server = self.place.server({"LogLevel": "QUIET"})
        self.relay = self.place.popen(
            [built("delay") or built("regress/bench/delay"),
             str(self.server.port), str(DELAY_MS)])
        self.ports = {"loopback": self.server.port,
                      "%d ms" % DELAY_MS: int(self.relay.stdout.readline())}
        with open(self.server.known_hosts, encoding="ascii") as known:
            lines = known.read()
        with open(self.server.known_hosts, "a", encoding="ascii") as known:
            for port in self.ports.values():
                known.write(lines.replace(":%d " % self.server.port,
                                          ":%d " % port))
        self.make_files()

    def make_files(self):
        here = self.place.path("here")
        os.makedirs(here + "/small")
        with open(here + "/large", "wb") as out:
            for _ in range(self.args.large):
                out.write(os.urandom(MIB))
        for number in range(self.args.small):
            with open("%s/small/f%d" % (here, number), "wb") as out:
                out.write(os.urandom(SMALL_BYTES))
        there = os.path.join(self.user.home, "there")
        shutil.copytree(here, there)
        subprocess.run(["chown", "-R", self.user.name, there], check=True)
        self.here, self.there = here, there

    def commands(self, port, kind, way):
        """Each client's argv, and where what it makes lies."""
        options = self.server.options(self.key)
        at = "%s@%s" % (self.user.name, ADDRESS)
        ours, theirs = (self.here, "there") if way == "up" else \
            ("there", self.place.path("made"))
        if way == "up":
            source, target = "%s/%s" % (self.here, kind), at + ":made"
        else:
            source, target = "%s:there/%s" % (at, kind), theirs
        scp = [*options, "-q", "-r", "-P", str(port), source, target]
        line = "%s -r %s %s\n" % (
            "put" if way == "up" else "get",
            "%s/%s" % (ours, kind), "made" if way == "up" else theirs)
        ssh = " ".join(["ssh", "-p", str(port), *options])
        tail = "/" if kind == "small" else ""
        return {
            "omniedge": ([built("omniedge"), "scp", *scp], None),
            "scp": (["scp", *scp], None),
            "sftp": (["sftp", *options, "-q", "-P", str(port), "-b", "-", at],
                     line.encode()),
            "rsync": (["rsync", "-rW", "--inplace", "-e", ssh, source + tail,
                       target], None),
        }

    def made(self, way):
        return os.path.join(self.user.home if way == "up" else self.place.dir,
                            "made")

    def one(self, argv, feed, kind, way):
        """Bytes or files a second."""
        made = self.made(way)
        if os.path.isdir(made):
            shutil.rmtree(made)
        elif os.path.exists(made):
            os.unlink(made)
        if kind == "small" and way == "up" and argv[0] == "sftp":
            os.mkdir(made)
            shutil.chown(made, self.user.name)
        begun = time.monotonic()
        try:
            done = self.place.run(argv, input=feed or b"",
                                  timeout=PATIENCE[kind])
            if done.returncode != 0:
                sys.exit("%s: %s" % (argv, done.stderr))
        except subprocess.TimeoutExpired:
            pass
        took = time.monotonic() - begun
        if kind == "large":
            return os.path.getsize(made) / took / 1e6
        return sum(len(names) for _, _, names in os.walk(made)) / took

    def rows(self):
        for path, port in self.ports.items():
            for kind in KINDS:
                for way in WAYS:
                    yield path, kind, way, self.commands(port, kind, way)

    def run(self):
        result = []
        for path, kind, way, commands in self.rows():
            row = {"path": path, "kind": kind, "way": way,
                   "unit": "MB/s" if kind == "large" else "files/s"}
            seen = {name: [] for name in commands}
            for _ in range(self.args.rounds):
                for name, (argv, feed) in commands.items():
                    seen[name].append(self.one(argv, feed, kind, way))
            row["clients"] = {name: statistics.median(values)
                              for name, values in seen.items()}
            judge(row, seen)
            result.append(row)
            show(row)
        return result


def judge(row, seen):
    """Each other client: how much faster ours is, in the round in the middle,
    and whether that was the aim: at least as fast as any, and by so much as
    OpenSSH's at small files."""
    ours = seen.pop("omniedge")
    row["over"] = {name: statistics.median(
        mine / value if value else float("inf")
        for mine, value in zip(ours, values))
        for name, values in seen.items()}
    many = AIM_SMALL[row["path"]] if row["kind"] == "small" else 1.0
    row["aims"] = {name: 1.0 if name == "rsync" else many
                   for name in row["over"]}
    row["missed"] = [name for name, aim in row["aims"].items()
                     if row["over"][name] < aim]


def show(row):
    print("%-8s %-5s %-4s omniedge scp %8.1f %-7s %s  %s" % (
        row["path"], row["kind"], row["way"], row["clients"]["omniedge"],
        row["unit"], "".join("  %s %.1f x%.2f (aim %g)" % (
            name, row["clients"][name], times, row["aims"][name])
            for name, times in row["over"].items()),
        "missed: " + " ".join(row["missed"]) if row["missed"] else "ok"),
        flush=True)


def versions():
    """Which programs these are."""
    ours = built("omniedge")
    for name, argv in (("omniedge scp", [ours, "ssh", "-V"]),
                       ("scp, sftp, sshd", ["ssh", "-V"]),
                       ("rsync", ["rsync", "--version"])):
        done = subprocess.run(argv, capture_output=True, check=False)
        text = (done.stderr or done.stdout).decode().splitlines()
        print("%-16s %s" % (name, text[0] if text else "?"))
    print("%-16s %s" % ("ours is", ours), flush=True)


def main():
    args = parse(sys.argv[1:])
    memory = in_memory(args)
    versions()
    begun = time.monotonic()
    rows = Bench(args).run()
    missed = sum(1 for row in rows if row["missed"])
    print("%d of %d rows reach their aims; %d s, files %s" % (
        len(rows) - missed, len(rows), time.monotonic() - begun,
        "in memory" if memory else "on the disk"))
    if args.json:
        with open(args.json, "w", encoding="ascii") as out:
            json.dump({"large_mib": args.large, "small_files": args.small,
                       "delay_ms": DELAY_MS, "in_memory": memory,
                       "rows": rows}, out, indent=1)


main()

#!/usr/bin/python3
# Runs as root, on loopback only: a private OpenSSH sshd, a throw-away user, a
# relay that delays. All of it is gone at the end.
"""The benchmark behind `make bench-files`: omniedge scp beside OpenSSH's scp
and sftp and rsync, all with OpenSSH's server, on loopback and over 20 ms."""
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
# they are stopped, and what they did until then gives their rate.
PATIENCE = {False: 300, True: 30}
KINDS = ("large", "small")
WAYS = ("up", "down")


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--quick", action="store_true", help="smaller, one round")
    p.add_argument("--large", type=int, metavar="MIB")
    p.add_argument("--small", type=int, metavar="FILES")
    p.add_argument("--rounds", type=int)
    p.add_argument("--json", metavar="FILE")
    args = p.parse_args(argv)
    args.large = args.large or (256 if args.quick else 1024)
    args.small = args.small or (2000 if args.quick else 10000)
    args.rounds = args.rounds or (1 if args.quick else 3)
    return args


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
                                  timeout=PATIENCE[self.args.quick])
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
            best = max(value for name, value in row["clients"].items()
                       if name in ("scp", "sftp"))
            row["over_openssh"] = row["clients"]["omniedge"] / best
            row["over_rsync"] = row["clients"]["omniedge"] / \
                row["clients"]["rsync"]
            result.append(row)
            show(row)
        return result


def show(row):
    print("%-9s %-5s %-4s  %s %-7s  x%.1f openssh, x%.1f rsync" % (
        row["path"], row["kind"], row["way"],
        "  ".join("%s %7.1f" % item for item in row["clients"].items()),
        row["unit"], row["over_openssh"], row["over_rsync"]), flush=True)


def main():
    args = parse(sys.argv[1:])
    rows = Bench(args).run()
    if args.json:
        with open(args.json, "w", encoding="ascii") as out:
            json.dump({"large_mib": args.large, "small_files": args.small,
                       "rounds": args.rounds, "delay_ms": DELAY_MS,
                       "rows": rows}, out, indent=1)


main()

#!/usr/bin/python3
# Runs as root, on loopback only: a private OpenSSH sshd, a throw-away user.
# All of it is gone at the end.
"""The benchmark behind `make bench-logins`: a login with one command, and a
command over a shared connection, by omniedge ssh beside ssh, in turn."""
import argparse
import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
os.environ["SSHD_FLAVOUR"] = "openssh"
from omniedge import Omniedge
from server import Place
from wait import wait_for

CURVE = {"KexAlgorithms": "curve25519-sha256"}


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--quick", action="store_true", help="fewer rounds")
    p.add_argument("--rounds", type=int)
    p.add_argument("--times", type=int, help="runs of each client in a round")
    p.add_argument("--json", metavar="FILE")
    args = p.parse_args(argv)
    args.rounds = args.rounds or (7 if args.quick else 25)
    args.times = args.times or (5 if args.quick else 10)
    return args


class Bench:
    def __init__(self, args):
        self.args = args
        self.place = Place()
        self.user = self.place.account()
        self.key = self.place.key()
        self.user.authorize(self.key)
        self.server = self.place.server({"LogLevel": "QUIET"})
        self.ours = Omniedge(self.place, self.server)
        self.env = self.place.environment()

    def commands(self, *words, flags=(), **options):
        """Each client's argv for the same thing."""
        return {"omniedge": self.ours.argv(self.user, *words, key=self.key,
                                           flags=flags, **options),
                "ssh": self.server.ssh_argv(self.user, *words, key=self.key,
                                            flags=flags, **options)}

    def once(self, argv):
        """Seconds on the clock and of processor time of one process."""
        begun = time.monotonic()
        pid = os.posix_spawnp(argv[0], argv, self.env, file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)])
        _, status, used = os.wait4(pid, 0)
        took = time.monotonic() - begun
        if status != 0:
            sys.exit("%s: status %d" % (argv, status))
        return took, used.ru_utime + used.ru_stime

    def row(self, name, commands):
        """Medians of a round's ratios: what disturbs one client disturbs the
        other one, too."""
        rounds = {client: [] for client in commands}
        for argv in commands.values():
            self.once(argv)
        for _ in range(self.args.rounds):
            for client, argv in commands.items():
                runs = [self.once(argv) for _ in range(self.args.times)]
                rounds[client].append([statistics.median(values)
                                       for values in zip(*runs)])
        for place, kind in enumerate(("wall", "cpu")):
            values = {client: [one[place] for one in all_rounds]
                      for client, all_rounds in rounds.items()}
            show({"row": "%s, %s" % (name, kind), "unit": "ms",
                  "clients": {client: 1000 * statistics.median(each)
                              for client, each in values.items()},
                  "over_openssh": statistics.median(
                      a / b for a, b in zip(values["omniedge"],
                                            values["ssh"]))}, self.result)

    def shared(self):
        path = {name: self.place.path(name) for name in ("omniedge", "ssh")}
        masters = {}
        for client in path:
            masters[client] = self.commands(
                flags=["-M", "-N", "-f"], ControlPath=path[client],
                ControlPersist="yes")[client]
            self.once(masters[client])
            wait_for(lambda: os.path.exists(path[client]), 15, "a master")
        self.row("a command over a shared connection", {
            client: self.commands("true", ControlPath=path[client])[client]
            for client in path})
        for client in path:
            self.once(self.commands(flags=["-q", "-O", "exit"],
                                    ControlPath=path[client])[client])

    def run(self):
        self.result = []
        self.row("a login and a command", self.commands("true"))
        self.row("the same by curve25519", self.commands("true", **CURVE))
        self.shared()
        return self.result


def show(row, into):
    into.append(row)
    print("%-40s  %s ms  x%.2f ssh" % (row["row"], "  ".join(
        "%s %7.2f" % item for item in row["clients"].items()),
        row["over_openssh"]), flush=True)


def main():
    args = parse(sys.argv[1:])
    rows = Bench(args).run()
    if args.json:
        with open(args.json, "w", encoding="ascii") as out:
            json.dump({"rounds": args.rounds, "times": args.times,
                       "rows": rows}, out, indent=1)


main()

#!/usr/bin/python3
# Runs as root, on loopback only: measures our sshd beside OpenSSH's and
# dropbear, round by round in turn, and prints their ratios. It makes one
# throw-away user and one temp dir, and removes both however it ends.
"""The benchmark behind `make bench`."""

import argparse
import datetime
import json
import os
import re
import shutil
import signal
import sys
import time

import meter
import report
import rows
import servers
import sftprows
from meter import Failure, NotPossible

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_AIMS = 3
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def parse(argv):
    p = argparse.ArgumentParser(
        prog="bench.py", description="Measure sshd beside OpenSSH's sshd "
        "and dropbear, by ratios of interleaved rounds.")
    p.add_argument("--ours", metavar="DIR",
                   help="build or install directory of the server that is "
                   "measured; without it OpenSSH is put beside dropbear")
    p.add_argument("--servers", metavar="A,B,C",
                   help="of " + ", ".join(servers.SERVERS))
    p.add_argument("--rows", metavar="REGEX", default="",
                   help="only rows whose key matches; see --list")
    p.add_argument("--rounds", type=int, metavar="N")
    p.add_argument("--quick", action="store_true",
                   help="fewer rounds, smaller sizes")
    p.add_argument("--bulk", type=int, metavar="MIB",
                   help="size of a bulk transfer")
    p.add_argument("--large", type=int, metavar="MIB",
                   help="size of sftp's large file")
    p.add_argument("--cpu", choices=["auto"] + list(meter.METHODS),
                   default="auto", help="how server CPU is counted")
    p.add_argument("--config", action="append", default=[],
                   metavar="SERVER=LINE",
                   help="one more line of that server's sshd_config")
    p.add_argument("--tmp", metavar="DIR", help="where the temp dir goes")
    p.add_argument("--json", metavar="FILE", help="write the result there")
    p.add_argument("--aims", action="store_true",
                   help=f"exit {EXIT_AIMS} when an aim is not met")
    p.add_argument("--sftp", choices=["ours", "openssh"], metavar="SSHD",
                   help="measure our sftp-server and OpenSSH's, both under "
                   "the sshd of ours or of openssh")
    p.add_argument("--load", metavar="PROGRAM",
                   help="sftpload, for --sftp")
    p.add_argument("--list", action="store_true", help="print row keys")
    p.add_argument("--markdown", metavar="FILE.json",
                   help="print a table of an earlier result")
    return p.parse_args(argv)


def choose_params(args):
    table = sftprows if args.sftp else rows
    params = dict(table.QUICK if args.quick else table.FULL)
    if args.rounds is not None:
        params["rounds"] = args.rounds
    for name in ("bulk", "large"):
        if getattr(args, name) is not None:
            params[name] = getattr(args, name) * rows.MIB
    if min(params.values()) < 1:
        raise Failure("rounds and sizes start at 1")
    return params


def choose_servers(args):
    if args.sftp and not (args.ours and args.load):
        raise Failure("--sftp needs --ours and --load")
    if args.sftp:
        return ["ours", "openssh"]
    if args.servers is None:
        names = [n for n in servers.SERVERS if n != "ours" or args.ours]
    else:
        names = args.servers.split(",")
    for name in names:
        if name not in servers.SERVERS:
            raise Failure(f"no server {name}: "
                          + ", ".join(servers.SERVERS))
    if "ours" in names and not args.ours:
        raise Failure("--ours DIR says where our server is")
    if len(set(names)) != len(names):
        raise Failure("a server is named twice")
    return names


def choose_groups(args):
    """Groups with at least one wanted row, cut to these rows."""
    wanted = re.compile(args.rows)
    found = []
    for group in (sftprows if args.sftp else rows).GROUPS:
        kept = [r for r in group["rows"] if wanted.search(r["key"])]
        if kept:
            found.append(dict(group, rows=kept))
    if not found:
        raise Failure(f"no row matches {args.rows}")
    return found


def choose_tmp(args, params):
    """Memory, where there is enough: disks are not what is measured."""
    need = 4 * params["large"] + 64 * rows.MIB
    for where in (args.tmp, os.environ.get("TMPDIR"), "/dev/shm"):
        if where and os.path.isdir(where) and (
                where == args.tmp or shutil.disk_usage(where).free > need):
            return where
    return "/tmp"


def choose_method(wanted, made, notes):
    """The first way of counting CPU that no session of any server escapes."""
    methods = meter.usable_methods()
    if wanted != "auto":
        if wanted not in methods:
            raise Failure(f"{wanted} does not work here: "
                          + ", ".join(methods) + " do")
        methods = [wanted]
    for method in methods:
        escapes = [e for s in made for e in rows.find_escapes(s, method)]
        if not escapes:
            return method
        notes += [f"not counted by {method}: {e}" for e in escapes]
    if wanted != "auto":
        return wanted
    raise Failure("no way to count CPU: " + "; ".join(notes))


def measure(context, group, server):
    """What one round gives: numbers, or (status, reason)."""
    try:
        return group["measure"](context, server, *group["args"])
    except NotPossible as err:
        return "n/a", str(err)
    except (Failure, OSError) as err:
        return "failed", f"{err}; log: {server.log_tail()}"


def run_rounds(context, groups, made, progress):
    """Every round measures every group on every server, in turn.

    The order of servers rotates, so that none always follows another.
    """
    outcomes = {(g["name"], s.name): [] for g in groups for s in made}
    for number in range(context.params["rounds"]):
        turn = number % len(made)
        order = made[turn:] + made[:turn]
        for server in order:
            rows.measure_baseline(context, server)
        for group in groups:
            progress(f"round {number + 1}/{context.params['rounds']} "
                     f"{group['name']}")
            for server in order:
                so_far = outcomes[group["name"], server.name]
                if so_far and isinstance(so_far[0], tuple) \
                        and so_far[0][0] == "n/a":
                    continue
                so_far.append(measure(context, group, server))
    return outcomes


def make_servers(args, names, world):
    """The servers under test; with --sftp one sshd twice, and two others."""
    made = []
    for name in names:
        kind = args.sftp or name
        made.append(servers.Server(
            name, world, args.ours if kind == "ours" else None,
            config_lines(args, name), kind))
        if args.sftp:
            program = servers.SERVERS[name]["programs"]["sftp-server"] or \
                servers.find_program(args.ours, "sftp-server")
            made[-1].use_sftp(program, os.path.realpath(args.load))
    return made


def show_progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def tabulate(groups, made, outcomes):
    table = []
    for group in groups:
        for row in group["rows"]:
            cells = {s.name: report.cell(outcomes[group["name"], s.name],
                                         row["suffix"]) for s in made}
            table.append({"key": row["key"], "label": row["label"],
                          "unit": row["unit"], "better": row["better"],
                          "cells": cells})
    return table


def config_lines(args, name):
    found = []
    for item in args.config:
        server, _, line = item.partition("=")
        if server not in servers.SERVERS or not line:
            raise Failure(f"--config {item}: SERVER=LINE is wanted")
        if server == name:
            found.append(line)
    return found


def run(args, names, groups, params):
    """The whole result, as it goes to JSON."""
    notes = []
    began, steal = time.monotonic(), report.steal_ticks()
    started = datetime.datetime.now(datetime.timezone.utc)
    host = report.host_facts()
    with servers.World(choose_tmp(args, params)) as world:
        made = make_servers(args, names, world)
        method = choose_method(args.cpu, made, notes)
        context = sftprows.Context(world, method, params, args.load) \
            if args.sftp else rows.Context(world, method, params)
        context.make_files()
        outcomes = run_rounds(context, groups, made, show_progress)
        show_progress("")
        about = {s.name: {"banner": s.banner, "programs": {
            p: s.names[p] for p in s.spec["programs"]},
            "config": s.extra_config()} for s in made}
    stolen, ticks = (b - a for a, b in zip(steal, report.steal_ticks()))
    result = {
        "schema": report.SCHEMA, "command": ["bench.py"] + sys.argv[1:],
        "started": started.isoformat(timespec="seconds"),
        "seconds": time.monotonic() - began, "host": host,
        "steal_percent": 100 * stolen / max(ticks, 1),
        "rounds": params["rounds"], "params": params,
        "cpu_method": method, "cpu_counts": meter.METHODS[method],
        "subject": names[0], "servers": about, "notes": notes,
        "rows": tabulate(groups, made, outcomes)}
    report.add_ratios(result)
    result["aims"] = report.ratio_aims(result, sftprows.AIMS) \
        if args.sftp else report.aims(result)
    return result


def finish(args, result):
    report.print_table(result, sys.stdout)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1)
            f.write("\n")
    if any(cell["status"] == "failed" for row in result["rows"]
           for cell in row["cells"].values()):
        return EXIT_FAILED
    if args.aims and not all(met for _, met in result["aims"]):
        return EXIT_AIMS
    return 0


def leave(number, _):
    """A signal ends the run like an error does: everything is undone."""
    for sig in ENDING:
        signal.signal(sig, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main(argv):
    args = parse(argv)
    for sig in ENDING:
        signal.signal(sig, leave)
    try:
        if args.markdown:
            report.print_markdown(args.markdown, sys.stdout)
            return 0
        groups = choose_groups(args)
        if args.list:
            for group in groups:
                print("\n".join(row["key"] for row in group["rows"]))
            return 0
        if os.geteuid() != 0:
            raise Failure("run it as root: servers are measured with their "
                          "real privilege separation")
        return finish(args, run(args, choose_servers(args), groups,
                                choose_params(args)))
    except (Failure, NotPossible, OSError, ValueError, re.error) as err:
        sys.stderr.write(f"bench: {err}\n")
        return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""omniedge-ssh(1) has every keyword of client/keyword.def, no other, and every
flag that --help lists; each subcommand has a page."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import tap

ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
BUILD = os.path.realpath(os.environ.get("BUILDDIR", ROOT))


def text_of(*names):
    with open(os.path.join(ROOT, *names), encoding="utf-8") as file:
        return file.read()


def omniedge(*words):
    return subprocess.run([os.path.join(BUILD, "bin", "omniedge"), *words],
                          capture_output=True, text=True).stdout


PAGE = text_of("man", "omniedge-ssh.1")


def keywords():
    rows = text_of("client", "keyword.def").split("*/", 1)[1]
    known = set(re.findall(r'^KEY\(\w+, "(\w+)"', rows, re.M))
    known |= set(re.findall(r'^(?:LIKE|WITHOUT|WARNED|REFUSED)\("(\w+)"',
                            rows, re.M))
    section = PAGE.split(".Sh CONFIGURATION")[1].split(".Sh ")[0]
    listed = set(re.findall(r"^\.It Cm (\w+)$", section, re.M))
    tap.equal(sorted(known - listed), [], "every keyword is in the page")
    tap.equal(sorted(listed - known), [], "and no other")


def defaults():
    rows = text_of("client", "keyword.def")
    for name, value in re.findall(
            r'^KEY\(\w+, "(\w+)", \w+, [^,]+,\s*"([^"]*)",', rows, re.M):
        entry = PAGE.split(".It Cm %s\n" % name)[1].split(".It Cm ")[0]
        tap.ok(".Cm %s ." % value in entry, "%s: the default is %s"
               % (name, value), entry)


def flags():
    listed = set(re.findall(r"^  -(\w)\b", omniedge("ssh", "--help"), re.M))
    if not listed:
        tap.skip("flags", "omniedge is not built in " + BUILD)
        return
    section = PAGE.split(".Ss Flags")[1].split(".Sh ")[0]
    documented = set()
    for line in re.findall(r"^\.It Fl (.*)$", section, re.M):
        documented |= set(re.findall(r"(?:^|, |Fl )(\w)\b", line))
    tap.equal(sorted(listed - documented), [], "every flag is in the page")
    tap.equal(sorted(documented - listed), [], "and no other")


def pages():
    names = re.findall(r"^  ([a-z][a-z-]+) ", omniedge("--help"), re.M)
    front = text_of("man", "omniedge.1")
    for name in names:
        tap.ok(os.path.exists(os.path.join(
            ROOT, "man", "omniedge-%s.1" % name)), "a page for %s" % name)
        tap.ok(".It Cm %s\n" % name in front, "omniedge(1) names %s" % name)


tap.main(keywords, defaults, flags, pages)

#!/usr/bin/python3
"""sshd_config(5) and common/option.def say the same: each keyword is in the
section of its status, with its default, its scope, and its reason."""
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import tap

ROOT = os.path.join(os.environ.get("srcdir", os.path.join(HERE, "..", "..")))
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
SECTIONS = {
    "KEYWORDS": ("IMPLEMENTED", "BUILT_WITH_PAM", "DIRECTIVE"),
    "KEYWORDS FOR WHAT IS NOT OFFERED": ("UNOFFERED",),
    "KEYWORDS WITHOUT EFFECT": ("GONE",),
    "REFUSED KEYWORDS": ("REFUSED",),
}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as text:
        return text.read()


def strings(text):
    """C string literals, joined."""
    return "".join(STRING.findall(text)).replace("\\n", " ")


def columns(text):
    """Split a row at the commas that are in no string and no brackets."""
    out, depth = [""], 0
    for piece in re.split(r'("(?:[^"\\]|\\.)*"|[(),])', text):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "," and depth == 0:
            out.append("")
        else:
            out[-1] += piece
    return [column.strip() for column in out]


def macros():
    text = read("common", "option_algs.h").replace("\\\n", "")
    found = {}
    for name, value in re.findall(r"^#define (OPTION_DEFAULT_\w+)\s+(.*)",
                                  text, re.M):
        for other in found:  # one list may end in another
            value = value.replace(other, '"%s"' % found[other])
        found[name] = strings(value)
    return found


def default_of(column, known):
    """A default as the page writes it: with the usual directories."""
    if column in known:
        return known[column]
    column = column.replace('SSHCONFDIR "', '"/etc/ssh')
    return strings(column.replace('PKGLIBEXECDIR "/', '"'))


def table():
    """keyword -> its row, as a dictionary."""
    text = read("common", "option.def")
    text = re.sub(r"/\*.*?\*/|^#.*?$", "", text, flags=re.S | re.M)
    known = macros()
    rows, fields, aliases = {}, {}, []
    for kind, body in re.findall(
            r"^(OPT|GONE|ALIAS|DIRECTIVE)\((.*?)\)\n(?=\n|OPT|GONE|ALIAS|DIR)",
            text + "\n", re.S | re.M):
        c = columns(body)
        if kind == "OPT":
            rows[c[0]] = {"status": c[7], "scope": c[4],
                          "default": default_of(c[6], known),
                          "quiet": strings(c[8]), "why": strings(c[9])}
            fields[c[1]] = c[0]
        elif kind == "GONE":
            rows[c[0]] = {"status": kind, "scope": c[1], "quiet": "",
                          "why": strings(c[2])}
        elif kind == "DIRECTIVE":
            rows[c[0]] = {"status": kind}
        else:
            aliases.append((c[0], c[1]))
    return rows, [(alias, fields[field]) for alias, field in aliases]


def plain(lines):
    """Text of mdoc lines: macros and their punctuation resolved."""
    out = []
    for line in lines:
        xr = re.match(r"\.Xr (\S+) (\d)(.*)", line)
        if xr:
            line = "%s(%s)%s" % (xr[1], xr[2], xr[3])
        elif line.startswith("."):
            line = re.sub(r"^\.\w+ ?", "", line)
            if re.match(r"(-literal|-tag|$)", line):
                continue
        out.append(line.replace("\\&", ""))
    return re.sub(r" ([.,;:])(?= |$)", r"\1", " ".join(out))


def page():
    """section -> {keyword: (arguments, lines)}, of its outermost list."""
    sections, section, depth, item = {}, None, 0, None
    for line in read("man", "sshd_config.5").splitlines():
        if line.startswith(".Sh "):
            section, depth, item = line[4:], 0, None
            sections[section] = {}
        elif line.startswith(".Bl "):
            depth += 1
        elif line.startswith(".El"):
            depth -= 1
        keyword = re.match(r"\.It Ic (\w+) ?(.*)", line)
        if keyword and depth == 1:
            item = []
            if keyword[1] in sections[section]:
                tap.ok(False, keyword[1] + " stands once in " + section)
            sections[section][keyword[1]] = (keyword[2], item)
        elif item is not None and depth > 0:
            item.append(line)
    return sections


ROWS, ALIASES = table()
PAGE = page()


def each_in_its_section():
    tap.ok(len(ROWS) > 110, "the table is read", len(ROWS))
    for section, statuses in SECTIONS.items():
        wanted = {k for k, row in ROWS.items() if row["status"] in statuses}
        got = set(PAGE.get(section, {}))
        tap.equal(sorted(wanted - got), [], section + ": none is missing")
        tap.equal(sorted(got - wanted), [], section + ": none is too many")
        order = [k.lower() for k in PAGE.get(section, {})]
        tap.equal(order, sorted(order), section + ": in order")


def squeeze(text):
    return re.sub(r"[\s,]+", "", text)


def defaults_and_scopes():
    for keyword, (_, lines) in PAGE["KEYWORDS"].items():
        row = ROWS.get(keyword, {})
        if "default" not in row:
            continue
        tail = re.search(r"Default: (.*?)\.? Scope: (.*)\.$", plain(lines))
        said = tail[1] if tail else ""
        said = said.replace(" in the suite's directory of programs", "")
        tap.equal(squeeze(said), squeeze(row["default"] or "nothing"),
                  keyword + ": its default")
        wanted = {"GLOBAL": "global", "ANYWHERE": "also in Match blocks"}
        tap.equal(tail[2] if tail else "", wanted[row["scope"]],
                  keyword + ": its scope")


def reasons():
    for section in list(SECTIONS)[1:]:
        for keyword, (args, lines) in PAGE[section].items():
            row = ROWS.get(keyword, {"why": "", "quiet": ""})
            tap.equal(args.replace("Cm ", "").replace(" |", ""), row["quiet"],
                      keyword + ": the value that is accepted")
            said = plain(lines).split(" Also written as ")[0]
            tap.equal(said[:1].lower() + said[1:].rstrip("."), row["why"],
                      keyword + ": its reason")


def other_spellings():
    for alias, keyword in ALIASES:
        text = " ".join(plain(PAGE[section].get(keyword, ("", []))[1])
                        for section in SECTIONS)
        tap.like(text, r"Also written as [^.]*\b%s\b" % alias,
                 "%s is named at %s" % (alias, keyword))


tap.main(each_in_its_section, defaults_and_scopes, reasons, other_spellings)

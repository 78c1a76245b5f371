# Runs in the benchmark, after the measuring: medians, ratios, verdicts, the
# printed table, the JSON and the markdown. Reads JSON of its own schema only.
"""What a run says."""

import json
import os
import platform
import statistics

from rows import LOWER

SCHEMA = "sshd-bench/1"
EVEN = 0.02
LOGIN_AIM = 0.5


def host_facts():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"kernel": platform.release(), "machine": platform.machine(),
            "cpus": os.cpu_count(),
            "cpus_usable": len(os.sched_getaffinity(0)), "cpu": model,
            "load": list(os.getloadavg()),
            "python": platform.python_version()}


def steal_ticks():
    """(stolen, all) clock ticks of this machine since it started."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(n) for n in f.readline().split()[1:]]
    return (ticks[7] if len(ticks) > 7 else 0, sum(ticks[:8]))


def cell(outcomes, suffix):
    """One row of one server, from what each round gave.

    OUTCOMES are dicts of numbers, or (status, reason) of a round without.
    One failed round fails the cell: a fast failure is not a fast result.
    """
    bad = [o for o in outcomes if isinstance(o, tuple)]
    if bad or not outcomes:
        bad.sort(key=lambda o: o[0] != "failed")
        status, reason = bad[0] if bad else ("n/a", "not measured")
        return {"status": status, "reason": reason}
    rounds = [o[suffix] for o in outcomes]
    return {"status": "ok", "median": statistics.median(rounds),
            "rounds": rounds}


def compare(row, subject, other):
    """Median, spread and verdict of the rounds' ratios, None without."""
    cells = row["cells"].get(subject), row["cells"].get(other)
    if any(c is None or c["status"] != "ok" for c in cells):
        return None
    pairs = list(zip(cells[0]["rounds"], cells[1]["rounds"]))
    if any(mine <= 0 or theirs <= 0 for mine, theirs in pairs):
        return None
    ratios = [mine / theirs for mine, theirs in pairs]
    median = statistics.median(ratios)
    if abs(median - 1) <= EVEN:
        verdict = "even"
    else:
        lower = row["better"] == LOWER
        verdict = "better" if (median < 1) == lower else "worse"
    return {"median": median, "min": min(ratios), "max": max(ratios),
            "verdict": verdict, "sure": min(ratios) > 1 or max(ratios) < 1}


def add_ratios(result):
    subject = result["subject"]
    for row in result["rows"]:
        row["ratios"] = {
            f"{subject}/{other}": compare(row, subject, other)
            for other in result["servers"] if other != subject}


def aims(result):
    """(sentence, met) for each aim that this run can judge."""
    if result["subject"] != "ours" or "openssh" not in result["servers"]:
        return []
    behind, login = [], None
    for row in result["rows"]:
        ratio = row["ratios"]["ours/openssh"]
        if ratio is None:
            behind.append(f"{row['key']} (no ratio)")
        elif ratio["verdict"] == "worse":
            doubt = "" if ratio["sure"] else "?"
            behind.append(f"{row['key']} ({ratio['median']:.2f}{doubt})")
        if row["key"] == "login.cpu" and ratio is not None:
            login = ratio["median"]
    told = [("no row worse than openssh"
             + (": " + ", ".join(behind) if behind else ""), not behind)]
    if login is not None:
        told.append((f"a login at {LOGIN_AIM} of openssh's CPU: {login:.2f}",
                     login <= LOGIN_AIM))
    return told


def ratio_aims(result, wanted):
    """(sentence, met) for aims of which one of several rows is enough."""
    ratios = {row["key"]: (row["ratios"]["ours/openssh"], row["better"])
              for row in result["rows"]}
    told = []
    for sentence, ways in wanted:
        got = [(key, aim) + ratios[key] for key, aim in ways
               if key in ratios and ratios[key][0] is not None]
        if got:
            told.append((sentence + ": " + ", ".join(
                f"{key} {ratio['median']:.2f}" for key, _, ratio, _ in got),
                any((ratio["median"] <= aim) == (better == LOWER)
                    for _, aim, ratio, better in got)))
    return told


def number(value):
    if value >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.1f}"


def cell_text(one):
    if one is None:
        return "-"
    if one["status"] == "ok":
        return number(one["median"])
    return "FAILED" if one["status"] == "failed" else "n/a"


def ratio_text(ratio):
    if ratio is None:
        return "-"
    doubt = "" if ratio["sure"] or ratio["verdict"] == "even" else "?"
    return f"{ratio['median']:.2f} {ratio['verdict']}{doubt}"


def _row_texts(result, row):
    sign = "<" if row["better"] == LOWER else ">"
    return [row["label"], f"{row['unit']} {sign}"] + \
        [cell_text(row["cells"].get(s)) for s in result["servers"]] + \
        [ratio_text(r) for r in row["ratios"].values()]


def _head_texts(result):
    subject = result["subject"]
    return ["row", "unit"] + list(result["servers"]) + \
        [f"/{other}" for other in result["servers"] if other != subject]


def reasons(result):
    """A sentence for every reason why cells have no number."""
    why = {}
    for row in result["rows"]:
        for server, one in row["cells"].items():
            if one["status"] != "ok":
                about = f"{server}, {one['status']}: {one['reason']}"
                why.setdefault(about, []).append(row["key"])
    return [f"{about} ({', '.join(keys)})" for about, keys in why.items()]


def facts(result):
    host = result["host"]
    told = [f"Linux {host['kernel']}, {host['cpus_usable']} CPUs "
            f"({host['cpu']}), {result['steal_percent']:.1f} % stolen; "
            f"{result['rounds']} interleaved rounds in "
            f"{result['seconds']:.0f} s",
            f"server CPU: {result['cpu_method']}: {result['cpu_counts']}"]
    told += [f"{name}: {server['banner']}"
             for name, server in result["servers"].items()]
    return told + result["notes"]


def print_table(result, out):
    head = _head_texts(result)
    lines = [_row_texts(result, row) for row in result["rows"]]
    widths = [max(len(line[i]) for line in [head] + lines)
              for i in range(len(head))]
    for line in [head] + lines:
        texts = [text.ljust(width) if i < 2 else text.rjust(width)
                 for i, (text, width) in enumerate(zip(line, widths))]
        print("  ".join(texts).rstrip(), file=out)
    print("", file=out)
    print("< less is better, > more is better; medians of rounds; /x is "
          f"{result['subject']}/x, the median of\nthe rounds' ratios; even: "
          f"within {EVEN:.0%}; ?: the rounds disagree", file=out)
    for line in facts(result) + reasons(result):
        print(line, file=out)
    for sentence, met in result["aims"]:
        print(f"aim {'met' if met else 'NOT met'}: {sentence}", file=out)


def print_markdown(path, out):
    with open(path, encoding="utf-8") as f:
        result = json.load(f)
    if result.get("schema") != SCHEMA:
        raise ValueError(f"{path} is not {SCHEMA}")
    head = _head_texts(result)
    head[1] = "unit"
    print("| " + " | ".join(head) + " |", file=out)
    print("|---|---|" + "---:|" * (len(head) - 2), file=out)
    for row in result["rows"]:
        texts = _row_texts(result, row)
        texts[1] = row["unit"]
        print("| " + " | ".join(texts) + " |", file=out)
    print(f"\nMade by `{' '.join(result['command'])}` on "
          f"{result['started']}.", file=out)
    print(". ".join(facts(result)) + ".", file=out)
    for line in reasons(result):
        print(f"- {line}", file=out)

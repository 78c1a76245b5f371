"""TAP for the python tests: one line a check, the plan at the end.

A test file is a list of functions handed to main(); arguments on the command
line pick some of them by name. Nothing here knows about ssh.
"""
import os
import re
import sys
import traceback

_state = {"count": 0, "failed": 0}
_on_failure = []


def _emit(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def diag(*things):
    """Print each line of each thing as a TAP diagnostic."""
    for thing in things:
        if isinstance(thing, bytes):
            thing = thing.decode("utf-8", "backslashreplace")
        for line in str(thing).splitlines() or [""]:
            _emit("# " + line)


def on_failure(hook):
    """Call hook() after each failed check, to show what a reader needs."""
    _on_failure.append(hook)


def ok(good, name, *details):
    """One check; details are printed only if it failed. Returns the verdict."""
    _state["count"] += 1
    word = "ok" if good else "not ok"
    _emit("%s %d - %s" % (word, _state["count"], name.replace("#", "\\#")))
    if not good:
        _state["failed"] += 1
        diag(*details)
        for hook in _on_failure:
            hook()
    return bool(good)


def equal(got, want, name, *details):
    return ok(got == want, name, "got:    %.2000r" % (got,),
              "wanted: %.2000r" % (want,), *details)


def _text(value):
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value


def like(text, pattern, name, *details):
    """The regular expression is found in the text, at any line."""
    found = re.search(pattern, _text(text), re.M)
    return ok(found, name, "got:    %.2000s" % _text(text),
              "wanted: /%s/" % pattern, *details)


def unlike(text, pattern, name, *details):
    found = re.search(pattern, _text(text), re.M)
    return ok(not found, name, "got:      %.2000s" % _text(text),
              "unwanted: /%s/" % pattern, *details)


def skip(name, reason):
    """One check that cannot run here, and why."""
    _state["count"] += 1
    _emit("ok %d - %s # SKIP %s" % (_state["count"], name, reason))


def skip_all(reason):
    _emit("1..0 # SKIP %s" % reason)
    sys.exit(0)


def bail(reason):
    _emit("Bail out! %s" % reason)
    sys.exit(99)


def need_root():
    if os.geteuid() != 0:
        skip_all("needs root")


def need_program(*paths):
    """Leave the file, loudly, unless each program is there."""
    for path in paths:
        if not any(os.access(os.path.join(folder, path), os.X_OK)
                   for folder in os.environ.get("PATH", "").split(":")):
            skip_all("%s is not installed" % path)


def _run(test):
    try:
        test()
    except Exception as error:
        ok(False, "%s runs to its end" % test.__name__, error,
           traceback.format_exc())


def main(*tests):
    """Run the tests, or those named in argv; print the plan; exit."""
    wanted = sys.argv[1:]
    known = {test.__name__: test for test in tests}
    for name in wanted:
        if name not in known:
            sys.exit("no test %s; there are: %s" % (name, " ".join(known)))
    for test in [known[name] for name in wanted] or tests:
        _run(test)
    _emit("1..%d" % _state["count"])
    sys.exit(1 if _state["failed"] else 0)

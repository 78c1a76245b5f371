"""Checks that are known to fail, with the reason. Strict: one that holds all
the same is a failure, so that the mark does not outlive its reason."""
import tap

DIRECTIVE = "TODO"  # lint-ok: TAP's word for it


def known(reason):
    """What to call in place of tap.ok() for a check that does not hold."""
    def check(good, name, *details):
        tap._state["count"] += 1
        tap._state["failed"] += bool(good)
        tap._emit("%s %d - %s # %s %s" % (
            "ok" if good else "not ok", tap._state["count"],
            name.replace("#", "\\#"), DIRECTIVE, reason))
        if good:
            tap.diag(*details)
        return bool(good)
    return check

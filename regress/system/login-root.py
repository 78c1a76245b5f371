#!/usr/bin/python3
"""Root's login under each PermitRootLogin, and /etc/nologin.

The servers run in mount namespaces of their own, in which root has a known
password and /etc may be written: the machine's files stay as they are.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from account import accounts_still
from server import Place

NOLOGIN_TEXT = "the gateway is being serviced"

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
keys_dir = place.path("keys")
os.mkdir(keys_dir, 0o755)


def authorize_root(options=""):
    with open(key + ".pub", encoding="ascii") as public:
        line = (options + " " + public.read()).strip() + "\n"
    with open(os.path.join(keys_dir, "root"), "w", encoding="ascii") as out:
        out.write(line)


def shadow_for_root():
    """A copy of shadow(5) in which root has the test user's password."""
    with open("/etc/shadow", encoding="utf-8") as shadow:
        lines = [line.split(":") for line in shadow]
    secret = [line[1] for line in lines if line[0] == user.name][0]
    path = place.path("shadow")
    with open(path, "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), 0o600)
        for line in lines:
            if line[0] == "root":
                line = ["root", secret, "19000", "0", "99999", "7", "", "",
                        "\n"]
            out.write(":".join(line))
    return path


def root_server(value, tail=""):
    """StrictModes is off: root's keys are in the test's own directory."""
    return place.server(
        {"PermitRootLogin": value, "StrictModes": "no",
         "AuthorizedKeysFile": keys_dir + "/%u .ssh/authorized_keys"},
        binds={"/etc/shadow": shadow_for_root()}, tail=tail)


def result(done):
    return done.stdout.decode().strip() if done.returncode == 0 else "refused"


def outcomes(server):
    """(key, password, forced command) for root."""
    authorize_root()
    by_key = result(server.ssh("root", "id -u", key=key))
    by_password = result(server.password_ssh("root", user.password, "id -u"))
    authorize_root(options='command="echo forced"')
    forced = result(server.ssh("root", "id -u", key=key))
    return by_key, by_password, forced


def permit_root_login():
    for value, wanted in (
            ("yes", ("0", "0", "forced")),
            ("prohibit-password", ("0", "refused", "forced")),
            ("without-password", ("0", "refused", "forced")),
            ("forced-commands-only", ("refused", "refused", "forced")),
            ("no", ("refused", "refused", "refused"))):
        with accounts_still():
            server = root_server(value)
            got = outcomes(server)
        tap.equal(got, wanted,
                  "PermitRootLogin %s: key, password, forced" % value)
        if value == "no":
            tap.ok(server.logged("^ROOT LOGIN REFUSED FROM 127.0.0.1"),
                   "the log says so")
        authorize_root()
        tap.equal(result(server.ssh(user, "id -un", key=key)), user.name,
                  "another user is not concerned")
        server.stop()


@accounts_still()
def in_match_block():
    server = root_server("no", tail="Match Address 127.0.0.0/8\n"
                         "\tPermitRootLogin prohibit-password\n")
    tap.equal(outcomes(server), ("0", "refused", "forced"),
              "PermitRootLogin in a Match block")
    server.stop()


def nologin_file():
    """pam_nologin(8): everybody but root is told the text and sent away."""
    for pam in ("yes", "no"):
        before = place.overlay_etc("echo '%s' >/etc/nologin" % NOLOGIN_TEXT)
        if not before:
            tap.skip("/etc/nologin", "no overlay over /etc can be mounted")
            return
        server = place.server(
            {"UsePAM": pam, "StrictModes": "no", "AuthorizedKeysFile":
             keys_dir + "/%u .ssh/authorized_keys"}, before=before)
        authorize_root()
        done = server.ssh(user, "id -u", key=key)
        tap.ok(done.returncode != 0 and done.stdout in
               (b"", NOLOGIN_TEXT.encode() + b"\n"),
               "UsePAM %s: /etc/nologin stops a user" % pam, done)
        tap.like(done.stderr + done.stdout, NOLOGIN_TEXT, "with its text")
        tap.equal(result(server.ssh("root", "id -u", key=key)), "0",
                  "and not root")
        server.stop()
    tap.ok(not os.path.exists("/etc/nologin"), "the machine is untouched")


tap.main(permit_root_login, in_match_block, nologin_file)

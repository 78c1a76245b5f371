#!/usr/bin/python3
"""The command line of omniedge ssh-server: every option is in the help and in
the page, bad values and options that do not go together are one sentence and
status 2, and --print-config is what sshd reads."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import lab
import tap
from server import Place, sshd_path

PAGE = os.path.join(os.environ.get("SRCDIR", os.path.join(
    os.path.dirname(os.path.realpath(__file__)), "..", "..")),
    "man", "omniedge-ssh-server.1")

place = Place()
user = place.account()
KEYS = place.path("keys-of-nobody")
with open(KEYS, "w", encoding="ascii") as keys_file:
    keys_file.write("# none\n")

# arguments, and a pattern of the one sentence
WRONG = (
    (["--nonsense"], "there is no option --nonsense"),
    (["-x"], "there is no option -x"),
    (["stray"], "stray is no option"),
    (["--port"], "--port: its value PORT is missing"),
    (["--quiet=yes"], "--quiet: takes no value"),
    (["-p", "0"], "--port: 0 is not a number from 1 to 65535"),
    (["-p", "99999"], "--port: 99999 is not a number from 1 to 65535"),
    (["-p", "22x"], "--port: 22x is not a number"),
    (["-b", "nowhere.example"], "--bind: nowhere.example is not an address"),
    (["-b", ""], "--bind: its value is empty"),
    (["--allow-network", "10.0.0.0/33"], "10.0.0.0/33 (is not|has)"),
    (["--allow-network", "10.1.0.0/8"], "address bits behind its prefix"),
    (["--allow-network", "example.org"], "example.org is not a network"),
    (["--user-map", "git"], "git is not of the form SSH:LOCAL"),
    (["--user-map", "a:b:c"], "a:b:c is not of the form SSH:LOCAL"),
    (["--user-map", ":b"], "is not of the form SSH:LOCAL"),
    (["--user-map", "a:"], "is not of the form SSH:LOCAL"),
    (["--user-map", "a:no-such-user-here"],
     "there is no user no-such-user-here"),
    (["--user-map", "a:%s" % user.name, "--user-map", "a:%s" % user.name],
     "a is mapped twice"),
    (["--default-user", "no-such-user-here"], "there is no user"),
    (["--authorized-keys", "/nonexistent/keys"],
     "/nonexistent/keys: No such file"),
    (["--auth", "perhaps"], "perhaps is none of any, keys, password, none"),
    (["--time-limit", "soon"], "soon is not a time"),
    (["--time-limit", "5w"], "5w is not a time"),
    (["--ban-time", "0"], "0 is not between 1 second"),
    (["--idle-timeout", "9999d"], "9999d is not between"),
    (["--max-connections", "0"], "0 is not a number from 1"),
    (["--rate-limit", "-1"], "-1 is not a number from 0"),
    (["--max-failures", "many"], "many is not a number"),
    (["--password-fd", "99"], "--password-fd 99: Bad file descriptor"),
    (["--password"], "there is no terminal to ask on"),
    (["--command", "a\nb"], "--command: a line break"),
    (["--device-id", ""], "--device-id: its value is empty"),
    (["--command", "a", "--command", "b"], "--command: is given twice"),
    (["--device-id", "x" * 600], "--device-id: longer than 512 bytes"),
    (["--pid-file", "/tmp/x"], "--pid-file: only with --daemon"),
)
# two that do not go together
CONFLICTS = (
    (["--permissive"], ["--localhost-only"]),
    (["--permissive"], ["--allow-network", "10.0.0.0/8"]),
    (["--localhost-only"], ["--allow-network", "10.0.0.0/8"]),
    (["--password"], ["--password-fd", "0"]),
    (["--sftp-only"], ["--command", "id"]),
    (["--quiet"], ["--log-json"]),
    (["--quiet"], ["--verbose"]),
)
NEEDS = (
    (["--auth", "none"], "--auth: none needs --localhost-only or"),
    (["--auth", "none", "--permissive"], "--auth: none needs"),
    (["--auth", "none", "--localhost-only", "--password-fd", "0"],
     "none asks for no credential"),
    (["--auth", "none", "--localhost-only", "--authorized-keys", KEYS],
     "none asks for no credential"),
    (["--auth", "none", "--allow-network", "0.0.0.0/0"],
     "none is not for the whole Internet"),
    (["--auth", "none", "--allow-network", "::/0"],
     "none is not for the whole Internet"),
    (["--auth", "none", "--localhost-only", "--default-user", "root"],
     "root is root, who never logs in without a credential"),
    (["--auth", "keys", "--password-fd", "0"], "keys takes no password"),
    (["--auth", "password", "--authorized-keys", KEYS],
     "password takes no keys"),
    (["--read-only", "--user-map", "a:root"], "--read-only cannot hold"),
)


def refused(argv, pattern, name, account=None):
    done = lab.run(*argv, account=account)
    good = done.returncode == 2 and not done.stdout and \
        re.search(pattern, done.stderr) and \
        done.stderr.count("\n") == 1 and \
        done.stderr.startswith("omniedge ssh-server: ")
    tap.ok(good, name, "status %d" % done.returncode, done.stdout,
           done.stderr)


def bad_values():
    for argv, pattern in WRONG:
        refused(argv, pattern, "refused: " + repr(" ".join(argv)[:60]))


def conflicts():
    for one, other in CONFLICTS:
        pattern = "--%s: not with --%s: " % (one[0][2:], other[0][2:])
        refused(one + other, pattern, "in conflict: " + " ".join(one + other))
        refused(other + one, pattern, "and the other way round")
    for argv, pattern in NEEDS:
        refused(argv, pattern, "refused: " + " ".join(argv)[:60])


def as_a_user():
    """Without root only the own user can be served."""
    refused(["--default-user", "root"], "root cannot be served: without root "
            "this server serves its own user, %s, only" % user.name,
            "no user serves another", user)
    refused(["--user-map", "a:nobody"], "nobody cannot be served",
            "nor maps to one", user)
    done = lab.run("-p", "22", "--localhost-only", account=user)
    if os.path.exists("/proc/sys/net/ipv4/ip_unprivileged_port_start"):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start",
                  encoding="ascii") as first:
            if int(first.read()) <= 22:
                tap.skip("a low port", "anybody may have it here")
                return
    tap.equal(done.returncode, 1, "a port that is root's: status 1")
    tap.like(done.stderr, "Permission denied", "and says why")


def informs():
    done = lab.run("--help")
    tap.equal((done.returncode, done.stderr), (0, ""), "--help: status 0")
    tap.like(done.stdout, r"^usage: omniedge ssh-server", "and the usage")
    tap.equal(lab.run("-h").stdout, done.stdout, "-h is the same")
    for flag in ("-V", "--version"):
        tap.like(lab.run(flag).stdout, r"^OmniEdge_\d", flag)
    helped = set(re.findall(r"--([a-z-]+)(?= |$)", "\n".join(
        re.findall(r"^  (?:-\w, |    )(--\S+)", done.stdout, re.M)), re.M))
    with open(PAGE, encoding="utf-8") as page:
        text = page.read()
    paged = set(re.findall(r"^\.It .*Fl -([a-z-]+)", text, re.M))
    tap.equal(sorted(paged), sorted(helped), "the page has the same options")
    tap.ok(len(helped) > 30, "all of them", helped)
    for letter, name in re.findall(r"^  -(\w), --([a-z-]+)", done.stdout,
                                   re.M):
        tap.like(text, r"^\.It Fl %s .*Fl -%s" % (letter, name),
                 "the page has -%s for --%s" % (letter, name))


def printed(*argv, account=None):
    done = lab.run("--print-config", "--host-key-path", place.path("no-key"),
                   *argv, account=account)
    tap.equal((done.returncode, done.stderr), (0, ""),
              "--print-config %s" % " ".join(argv))
    return done.stdout


def print_config():
    """It makes nothing, and sshd takes all of it."""
    host_key = place.host_key("ed25519")
    every = ["-p", "2345", "-b", "::", "--allow-network", "192.0.2.0/24",
             "--allow-network", "2001:db8::/32",
             "--user-map", "git:" + user.name, "--default-user", user.name,
             "--authorized-keys", KEYS, "--no-forwarding",
             "--command", "echo 'a b' \"c\" # d", "--auth-timeout", "1m",
             "--once", "--idle-timeout", "5m"]
    texts = [printed(), printed(*every),
             printed("--sftp-only", "--read-only", "--permissive", "--quiet"),
             printed("--auth", "none", "--localhost-only", "-vv"),
             printed(account=user)]
    tap.ok(not os.path.exists(place.path("no-key")), "no key was made")
    for text in texts:
        path = place.path("printed.conf")
        text = text.replace(place.path("no-key"), host_key)
        with open(path, "w", encoding="utf-8") as conf:
            conf.write(text)
        done = subprocess.run([sshd_path(), "-T", "-f", path],
                              capture_output=True, text=True)
        tap.equal((done.returncode, done.stderr), (0, ""),
                  "sshd reads it", text)
    for pattern in (r"^Port 2345$", r"^ListenAddress ::$",
                    r"^ListenAddress 0\.0\.0\.0$",
                    r"^AllowUsers \*@192\.0\.2\.0/24$",
                    r"^AllowUsers \*@2001:db8::/32$",
                    r"^AuthorizedKeysFile %s$" % re.escape(KEYS),
                    r"^DisableForwarding yes$",
                    r"^ChannelTimeout \*=300$",
                    r"^UnusedConnectionTimeout 300$", r"^LoginGraceTime 60$",
                    r"^ForceCommand echo 'a b' \"c\" # d$",
                    r"^PermitRootLogin no$",
                    r"^# +user git is %s$" % user.name):
        tap.like(texts[1], pattern, "it has " + pattern)
    tap.unlike(texts[1], "10.0.0.0/8", "--allow-network replaces the list")
    tap.like(texts[0], r"AllowUsers \*@100\.64\.0\.0/10",
             "the default has private networks")
    tap.like(texts[2], r"^ForceCommand internal-sftp -R$", "--sftp-only")
    tap.unlike(texts[2], "AllowUsers", "--permissive lets every address in")
    tap.like(texts[4], r"^AllowUsers %s@10\.0\.0\.0/8$" % user.name,
             "a user serves himself")


tap.main(informs, bad_values, conflicts, as_a_user, print_config)

#!/usr/bin/python3
"""omniedge ssh and known-hosts: which host keys are believed."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import Omniedge
from server import ADDRESS, Place
from terminal import Terminal

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
client = Omniedge(place, server)
FILE = place.path("hosts")


def public(kind="ed25519"):
    with open(place.host_key(kind) + ".pub", encoding="ascii") as line:
        return " ".join(line.read().split()[:2])


NAME = "[%s]:%d" % (ADDRESS, server.port)
OTHER = place.key(name="not_the_host")
with open(OTHER + ".pub", encoding="ascii") as other_line:
    WRONG = " ".join(other_line.read().split()[:2])
PRINT = subprocess.run(["ssh-keygen", "-lf", place.host_key("ed25519")],
                       capture_output=True, text=True,
                       check=True).stdout.split()[1]


def hosts(*lines):
    with open(FILE, "w", encoding="ascii") as out:
        out.write("".join(line + "\n" for line in lines))


def read():
    with open(FILE, encoding="ascii") as lines:
        return lines.read()


def run(strict="yes", host=ADDRESS, **more):
    options = dict({"UserKnownHostsFile": FILE,
                    "StrictHostKeyChecking": strict}, **more)
    return client.run(user, "echo in", key=key, host=host, options=options)


def accepted(done, name):
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), name, done.stderr)


def refused(done, pattern, name):
    tap.equal((done.returncode, done.stdout), (255, b""), name)
    tap.like(done.stderr, pattern, "%s: it says why" % name)
    tap.like(done.stderr, "Host key verification failed", "in OpenSSH's words")


def forms():
    for name, line in (("plain", "%s %s" % (NAME, public())),
                       ("a list", "x,%s,y %s" % (NAME, public())),
                       ("a pattern", "[127.0.*]:* %s" % public()),
                       ("another type", "%s %s" % (NAME, public("rsa"))),
                       ("without its port", "%s %s" % (ADDRESS, public())),
                       ("behind damaged lines",
                        "garbage\n%s 1024 35 77\n%s %s" % (
                            NAME, NAME, public()))):
        hosts(line)
        accepted(run(), "known, %s" % name)
    hosts("%s %s" % (NAME, public()))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", FILE], check=True,
                   capture_output=True)
    tap.ok(NAME not in read(), "a hashed file")
    accepted(run(), "known, hashed")
    hosts("!%s,!%s,* %s" % (NAME, ADDRESS, public()))
    refused(run(), "No .* host key is known", "a negated pattern")


def unknown():
    hosts()
    refused(run(), "No ED25519 host key is known for", "yes: unknown")
    refused(run("ask"), "No ED25519 host key", "ask in batch mode: unknown")
    tap.equal(read(), "", "and nothing is written")
    accepted(run("accept-new"), "accept-new: unknown")
    tap.equal(read(), "%s %s\n" % (NAME, public()), "and is on record now")
    accepted(run("yes"), "so that yes takes it")
    hosts()
    accepted(run("no"), "no: unknown")
    tap.ok(public() in read(), "and is on record")
    hosts()
    accepted(run("accept-new", HashKnownHosts="yes"), "HashKnownHosts")
    tap.like(read(), r"^\|1\|", "the name is hashed")
    accepted(run(), "and found again")
    with open(FILE, "w", encoding="ascii") as out:
        out.write("x " + WRONG)
    accepted(run("accept-new"), "a last line without an end")
    tap.equal(read().count("\n"), 2, "is not run into")


def changed():
    hosts("other ssh-ed25519 AAAA", "%s %s" % (NAME, WRONG))
    before = read()
    for strict in ("yes", "ask", "accept-new"):
        done = run(strict)
        refused(done, "REMOTE HOST IDENTIFICATION HAS CHANGED",
                "%s: changed" % strict)
    tap.like(done.stderr, r"%s:2$" % FILE, "the line is named")
    tap.like(done.stderr, r"omniedge known-hosts remove --file '%s' '\[127"
             % FILE, "and what to type, with the file of the line")
    tap.ok(PRINT.encode() in done.stderr, "the new fingerprint is shown")
    tap.equal(read(), before, "nothing is written")
    done = run("no")
    accepted(done, "no: changed, but on one's own")
    tap.like(done.stderr, "Password authentication is disabled",
             "without a password")
    argv = client.argv(user, "true", UserKnownHostsFile=FILE,
                       StrictHostKeyChecking="no", BatchMode="no",
                       PubkeyAuthentication="no")
    done = place.run(argv, env=place.askpass(user.password))
    tap.equal(done.returncode, 255, "no: changed, and a password is not sent")


def other_type():
    hosts("%s %s" % (NAME, public("rsa")))
    only = {"HostKeyAlgorithms": "ssh-ed25519"}
    before = read()
    refused(run("accept-new", **only), "HOST IDENTIFICATION HAS CHANGED",
            "accept-new: a key of another type is no new host's")
    tap.equal(read(), before, "and is not put on record")
    tap.like(run("no", **only).stderr, "Password authentication is disabled",
             "no: nor is it sent a password")
    hosts("%s sk-ssh-ed25519@openssh.com AAAA" % NAME,
          "%s %s" % (NAME, public("rsa")))
    accepted(run(HostKeyAlgorithms="+ssh-ed25519"),
             "the type on record comes first where + adds others")


def unreadable():
    """A file that cannot be read may hold what would refuse the key."""
    hosts("%s %s" % (NAME, public()))
    for strict in ("yes", "accept-new", "no"):
        refused(run(strict, GlobalKnownHostsFile=place.dir),
                "s: Is a directory|known hosts cannot be read",
                "%s: a file that cannot be read" % strict)
    accepted(run(GlobalKnownHostsFile=place.path("none_here")),
             "one that is not there is empty")


def markers():
    hosts("@revoked * %s" % public(), "%s %s" % (NAME, public()))
    refused(run("no"), "@revoked", "revoked, even with no")
    hosts("@cert-authority * %s" % public())
    refused(run(), "cannot check host certificates",
            "a certificate authority's key is no host's")


def ask():
    def answer(*words):
        term = Terminal(place, client.argv(
            user, "echo i''n", key=key, UserKnownHostsFile=FILE,
            StrictHostKeyChecking="ask", BatchMode="no"))
        shown = term.expect(r"(?s)(.*)\(yes/no/\[fingerprint\]\)\? ")
        for number, word in enumerate(words):
            if number:
                term.expect("Please type 'yes', 'no' or the fingerprint: ")
            term.send(word + "\r")
        return term, shown.group(1).decode() if shown else ""
    hosts()
    term, shown = answer("yes")
    tap.ok(term.expect("in\r\n"), "yes")
    tap.ok(PRINT in shown and "+--[ED25519 256]--+" in shown,
           "fingerprint and picture are shown", shown)
    term.finish()
    tap.ok(public() in read(), "it is on record")
    hosts()
    term, _ = answer("no")
    tap.equal(term.finish(), 255, "no")
    tap.equal(read(), "", "and not on record")
    term, _ = answer("maybe", PRINT)
    tap.ok(term.expect("in\r\n"), "nonsense, then the fingerprint")
    term.finish()
    hosts()
    term, _ = answer("maybe", PRINT[:-1] + "~", "no")
    tap.equal(term.finish(), 255, "another fingerprint")
    hosts("old.name %s" % public())
    term, shown = answer("no")
    tap.like(shown, r"%s:1: old\.name" % FILE, "other names are shown")
    term.finish()


def alias():
    hosts("nickname %s" % public())
    accepted(run(HostKeyAlias="nickname"), "HostKeyAlias")
    refused(run(HostKeyAlias="other"), "No .* known for other",
            "another alias")
    hosts()
    accepted(run(NoHostAuthenticationForLocalhost="yes"),
             "NoHostAuthenticationForLocalhost")
    done = run(strict="accept-new", VisualHostKey="yes")
    tap.like(done.stderr, r"\+--\[ED25519 256\]--\+", "VisualHostKey")


def tool(*words, **more):
    return place.run([client.path, "known-hosts", words[0], "--file", FILE,
                      *words[1:]], **more)


def known_hosts():
    hosts("a,b %s" % public(), "# kept", "@revoked c %s" % public(),
          "%s %s" % (NAME, public("rsa")), "broken")
    done = tool("list")
    tap.equal(len(done.stdout.splitlines()), 3, "list")
    tap.like(done.stdout, r"^a,b ED25519 %s$" % PRINT.replace("+", r"\+"),
             "names, type, fingerprint")
    tap.equal(len(tool("list", "b").stdout.splitlines()), 1, "list HOST")
    tap.equal(tool("list", "nobody").returncode, 1, "list of nobody: 1")
    rows = json.loads(tool("list", "--json").stdout)
    tap.equal([row["line"] for row in rows], [1, 3, 4], "--json")
    tap.equal([row["marker"] for row in rows], ["", "revoked", ""],
              "with markers")
    os.chmod(FILE, 0o640)
    done = tool("remove", "%s:%d" % (ADDRESS, server.port))
    tap.equal(done.returncode, 0, "remove HOST:PORT", done.stderr)
    tap.equal(read(), "a,b %s\n# kept\n@revoked c %s\nbroken\n"
              % (public(), public()), "all other lines stay")
    tap.equal(os.stat(FILE).st_mode & 0o777, 0o640, "and the mode")
    tap.equal(tool("remove", "nobody").returncode, 1, "remove nobody: 1")
    done = tool("remove", "c")
    tap.like(done.stderr, "@revoked or @cert-authority stay: 1",
             "a revoked key's line stays")
    tap.ok("@revoked c" in read(), "as it was")
    tap.equal(tool("add", "--key", place.host_key("ed25519") + ".pub", "new",
                   ).returncode, 0, "add --key")
    tap.like(read(), r"^new ssh-ed25519 ", "is added")
    before = read()
    tool("add", "--key", "-", "new", input=public().encode())
    tap.equal(read(), before, "but once")
    tap.equal(tool("add", "--key", "-", "x", input=b"junk").returncode, 1,
              "not a key: 1")
    tap.equal(tool("add", "--hash", "--key", "-", "hid",
                   input=public().encode()).returncode, 0, "add --hash")
    tap.equal(tool("remove", "hid").returncode, 0, "remove finds a hash")
    tap.equal(place.run([client.path, "known-hosts"]).returncode, 2,
              "no verb: 2")
    tap.like(place.run([client.path, "known-hosts", "lst"]).stderr,
             'no subcommand "lst"', "a wrong one is named")
    done = tool("add", "%s:%d" % (ADDRESS, server.port))
    tap.equal(done.returncode, 1, "add HOST with nobody to ask: 1")
    term = Terminal(place, [client.path, "known-hosts", "add", "-F", "none",
                            "--file", FILE,
                            "%s:%d" % (ADDRESS, server.port)])
    tap.ok(term.expect(r"\[fingerprint\]\)\? "), "add HOST asks")
    term.send("yes\r")
    tap.equal(term.finish(), 0, "and adds")
    tap.ok(NAME in read(), "the host as it was named")


def full_disk():
    """A write that fails leaves the old file."""
    hosts("a %s" % public(), "b %s" % public())
    before = read()
    done = place.run(["sh", "-c", "ulimit -f 0; trap '' XFSZ; exec \"$@\"",
                      "sh", client.path, "known-hosts", "remove", "--file",
                      FILE, "a"])
    tap.ok(done.returncode != 0, "a file that cannot be written")
    tap.equal(read(), before, "is as it was")
    tap.equal([name for name in os.listdir(place.dir)
               if name.startswith("hosts.") and name != "hosts.old"], [], "nothing is left beside it")


def stop():
    server.stop()


tap.main(forms, unknown, changed, other_type, unreadable, markers, ask, alias, known_hosts, full_disk,
         stop)

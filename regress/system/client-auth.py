#!/usr/bin/python3
"""omniedge ssh: keys, agent, certificates, passphrases, passwords, questions;
in which order, how often, and what is said."""
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
other = place.key(name="id_other")
rsa = place.key("rsa", 3072)
ecdsa = place.key("ecdsa", 384)
user.authorize(key, rsa, ecdsa)
server = place.server({"MaxAuthTries": "6"})
client = Omniedge(place, server)
PASSPHRASE = "open sesame 7"


def run(*command, **more):
    return client.run(user, *command, **more)


def keys():
    for path in (key, rsa, ecdsa):
        done = run("echo in", key=path)
        tap.equal((done.returncode, done.stdout), (0, b"in\n"),
                  "log in by %s" % os.path.basename(path), done.stderr)
    done = run("true", key=other)
    tap.equal(done.returncode, 255, "a key that is not authorized: 255")
    tap.like(done.stderr, r"%s@%s: Permission denied \(publickey" %
             (user.name, ADDRESS), "and OpenSSH's words")
    done = run("echo in", key=other, flags=["-i", key])
    tap.equal(done.stdout, b"in\n", "the second -i is tried, too")
    done = run("true", key=place.path("nowhere"))
    tap.like(done.stderr, "Identity file .*nowhere not accessible",
             "a key that is not there")
    loose = place.path("loose")
    with open(key, "rb") as source, open(loose, "wb") as copy:
        copy.write(source.read())
    os.chmod(loose, 0o644)
    done = run("true", key=loose)
    tap.equal(done.returncode, 255, "others can read the key: not used")
    tap.like(done.stderr, "too open", "and that is said")


def passphrase():
    locked = place.path("id_locked")
    with open(key, "rb") as source, open(locked, "wb") as copy:
        copy.write(source.read())
    os.chmod(locked, 0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", PASSPHRASE, "-P", "",
                    "-f", locked], check=True)
    done = run("true", key=locked)
    tap.equal(done.returncode, 255, "BatchMode: a passphrase is not asked for")
    done = run("echo in", key=locked, options={"BatchMode": "no"},
               env=place.askpass(PASSPHRASE))
    tap.equal(done.stdout, b"in\n", "SSH_ASKPASS gives the passphrase")
    term = Terminal(place, client.argv(user, "echo i''n", key=locked,
                                       BatchMode="no"))
    tap.ok(term.expect("Enter passphrase for key '%s': " % locked),
           "the terminal is asked")
    term.send("wrong\r")
    term.expect("Enter passphrase")
    term.send(PASSPHRASE + "\r")
    tap.ok(term.expect(r"in\r\n"), "a second try is right")
    tap.ok(PASSPHRASE.encode() not in term.seen, "and is not echoed")
    tap.equal(term.finish(), 0, "status")
    done = run("true", key=locked, options={"BatchMode": "no"},
               env=place.askpass("wrong"))
    tap.equal(done.returncode, 255, "a wrong passphrase, three times")


class Agent:
    """A private ssh-agent with these keys."""

    def __init__(self, *keys):
        self.path = place.path("agent-%d" % len(place.clients))
        self.process = place.popen(["ssh-agent", "-D", "-a", self.path])
        from wait import wait_for
        wait_for(lambda: os.path.exists(self.path), what="ssh-agent")
        for path in keys:
            subprocess.run(["ssh-add", "-q", path], check=True,
                           env=dict(os.environ, SSH_AUTH_SOCK=self.path),
                           stderr=subprocess.DEVNULL)
        self.env = place.environment(SSH_AUTH_SOCK=self.path)


def agent():
    full = Agent(other, key)
    done = run("echo in", options={"IdentitiesOnly": "no",
                                   "IdentityAgent": "SSH_AUTH_SOCK"},
               env=full.env)
    tap.equal(done.stdout, b"in\n", "a key of the agent, the second one",
              done.stderr)
    done = run("echo in", options={"IdentityAgent": full.path,
                                   "IdentitiesOnly": "no"})
    tap.equal(done.stdout, b"in\n", "IdentityAgent names its socket")
    done = run("true", options={"IdentityAgent": full.path})
    tap.equal(done.returncode, 255, "IdentitiesOnly: only those of files")
    public = place.path("only.pub")
    with open(key + ".pub", encoding="ascii") as source, \
            open(public, "w", encoding="ascii") as copy:
        copy.write(source.read())
    done = run("echo in", key=place.path("only"),
               options={"IdentityAgent": full.path})
    tap.equal(done.stdout, b"in\n", "a public half names the agent's key",
              done.stderr)
    many = Agent(*[place.key(name="id_many%d" % i) for i in range(5)], rsa)
    done = run("echo in", key=rsa, options={"IdentityAgent": many.path,
                                            "IdentitiesOnly": "no"})
    tap.equal(done.stdout, b"in\n",
              "the key that was named comes before the agent's others",
              done.stderr)


def forwarded_agent():
    full = Agent(key)
    options = {"IdentityAgent": full.path}
    done = run("ssh-add -l; echo $SSH_AUTH_SOCK", key=key, flags=["-A"],
               options=options)
    if b"/" in done.stdout:
        tap.like(done.stdout, "ED25519", "-A: the agent is there", done.stderr)
    else:
        tap.skip("-A: the agent is there", "this server forwards none")
    done = run("echo \"[$SSH_AUTH_SOCK]\"", key=key, flags=["-A", "-a"],
               options=options)
    tap.ok(done.returncode == 0, "-A -a: the first counts")
    done = run("echo \"[$SSH_AUTH_SOCK]\"", key=key, options=options)
    tap.equal(done.stdout, b"[]\n", "no agent unless it is asked for")


def password():
    options = {"BatchMode": "no", "PreferredAuthentications": "password",
               "PubkeyAuthentication": "no"}
    done = run("echo in", options=options, env=place.askpass(user.password))
    tap.equal(done.stdout, b"in\n", "by password", done.stderr)
    done = run("true", options=dict(options, NumberOfPasswordPrompts="2"),
               env=place.askpass("wrong"))
    tap.equal(done.returncode, 255, "a wrong one: 255")
    tap.equal(done.stderr.count(b"please try again"), 1,
              "NumberOfPasswordPrompts 2 asks twice")
    term = Terminal(place, client.argv(user, "echo i''n", **options))
    tap.ok(term.expect(r"%s@%s's password: " % (user.name, ADDRESS)),
           "the terminal is asked, in OpenSSH's words")
    term.send(user.password + "\r")
    tap.ok(term.expect(r"in\r\n"), "and it works")
    term.finish()
    done = run("true", options=dict(options, BatchMode="yes"))
    tap.equal(done.returncode, 255, "BatchMode: no question")


def nobody():
    """Neither terminal nor askpass: an end, no hang."""
    argv = client.argv(user, "true", BatchMode="no",
                       PreferredAuthentications="password")
    done = place.run(["setsid", "-w", *argv])
    tap.equal(done.returncode, 255, "nobody to ask: 255")


def not_in_argv():
    """No secret in a command line or in what is logged."""
    options = {"BatchMode": "no", "PreferredAuthentications": "password"}
    done = run("cat /proc/*/cmdline 2> /dev/null | tr '\\0' ' '", flags=["-vvv"],
               options=options, env=place.askpass(user.password))
    tap.equal(done.returncode, 0, "a login with -vvv")
    tap.ok(user.password.encode() not in done.stderr,
           "the password is not in the log")


def certificate():
    ca = place.key(name="ca")
    subject = place.key(name="id_subject")
    subprocess.run(["ssh-keygen", "-q", "-s", ca, "-I", "test", "-n",
                    user.name, subject + ".pub"], check=True)
    with open(ca + ".pub", encoding="ascii") as public:
        line = "cert-authority " + public.read()
    with open(os.path.join(user.home, ".ssh", "authorized_keys"), "a",
              encoding="ascii") as out:
        out.write(line)
    stock = server.ssh(user, "true", key=subject)
    if stock.returncode != 0:
        tap.skip("by certificate", "this server takes none")
        return
    done = run("echo in", key=subject)
    tap.equal(done.stdout, b"in\n", "the certificate beside the key",
              done.stderr)
    moved = place.path("moved-cert.pub")
    os.rename(subject + "-cert.pub", moved)
    done = run("echo in", key=subject, options={"CertificateFile": moved})
    tap.equal(done.stdout, b"in\n", "CertificateFile", done.stderr)
    full = Agent(subject)
    done = run("echo in", key=subject,
               options={"CertificateFile": moved, "IdentityAgent": full.path})
    tap.equal(done.stdout, b"in\n", "a certificate whose key the agent has",
              done.stderr)


def as_user():
    """Not root: what a user does."""
    me = place.account()
    os.chmod(place.dir, 0o755)
    mine = os.path.join(me.home, "key")
    with open(key, "rb") as source, open(mine, "wb") as copy:
        copy.write(source.read())
    os.chown(mine, me.uid, me.gid)
    os.chmod(mine, 0o600)
    argv = client.argv(user, "echo in", key=mine)
    done = place.run(["setpriv", "--reuid", str(me.uid), "--regid",
                      str(me.gid), "--clear-groups", *argv],
                     env=place.environment(HOME=me.home, USER=me.name))
    tap.equal((done.returncode, done.stdout), (0, b"in\n"),
              "a login from a plain user", done.stderr)


def stop():
    server.stop()


tap.main(keys, passphrase, agent, forwarded_agent, password, nobody,
         not_in_argv, certificate, as_user, stop)

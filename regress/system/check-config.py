#!/usr/bin/python3
"""sshd -t looks for what the configuration names, Match blocks and all."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, built, flavour

if flavour() == "openssh":
    tap.skip_all("OpenSSH looks for none of it")

place = Place()
with open(place.path("anyones"), "w", encoding="ascii") as program:
    program.write("#!/bin/sh\n")
os.chmod(program.name, 0o777)
with open(place.path("long"), "w", encoding="ascii") as text:
    text.write("x" * 8193)


def check(conf, *flags, monitor=built("sshd-monitor")):
    path = place.path("check.conf")
    with open(path, "w", encoding="utf-8") as out:
        out.write("HostKey %s\nSshdSessionPath %s\nSshdAuthPath %s\n" % (
            place.host_key("ed25519"), monitor, built("sshd-net")) + conf)
    return place.run([built("sshd"), *(flags or ["-t"]), "-f", path])


NAMED = (
    ("Banner /no/banner", "Banner: /no/banner: No such file or directory"),
    ("Subsystem x /no/program -a",
     "Subsystem: /no/program: No such file or directory"),
    ("ForceCommand /etc/passwd --all",
     "ForceCommand: /etc/passwd: Permission denied"),
    ("ChrootDirectory /no/root", 'ChrootDirectory: stat\\("/no"\\): No such'),
    ("ChrootDirectory /tmp/x", "ChrootDirectory: bad ownership or modes for "
     'chroot directory component "/tmp"'),
    ("Banner " + place.path("long"), "Banner: %s: only its first 8192 bytes "
     "are shown" % place.path("long")),
    ("TrustedUserCAKeys /no/ca", "TrustedUserCAKeys: /no/ca: No such file or "
     "directory; no certificate is accepted by it"),
    ("RevokedKeys /no/list", "RevokedKeys: /no/list: No such file or "
     "directory; no key can be used to log in until"),
    ("AuthorizedKeysCommandUser root\nAuthorizedKeysCommand /no/program %u",
     "AuthorizedKeysCommand: /no/program: No such file or directory; the "
     "program is not run"),
    ("AuthorizedKeysCommandUser root\nAuthorizedKeysCommand "
     + place.path("anyones"), "AuthorizedKeysCommand: bad ownership or "
     "modes for file %s; the program is not run" % place.path("anyones")),
    ("AuthorizedKeysCommandUser oet-nobody",
     "AuthorizedKeysCommandUser: oet-nobody: there is no such user"),
    ("AuthorizedPrincipalsCommandUser oet-nobody",
     "AuthorizedPrincipalsCommandUser: oet-nobody: there is no such user"),
)
FINE = ("Banner none", "Subsystem x internal-sftp -l INFO",
        "Subsystem x some-program", "ForceCommand /bin/true",
        "ForceCommand /no/\"shell\" decides", "ChrootDirectory /srv/%u",
        "ChrootDirectory /usr", "Banner /etc/passwd")


def named():
    for line, wanted in NAMED:
        for conf in (line, "Match User nobody\n\t" + line):
            done = check(conf + "\n")
            at = "%s line %d: " % (place.path("check.conf"),
                                   conf.count("\n") + 4)
            tap.like(done.stderr, "^error: " + at + wanted, "%r" % conf)
            tap.equal(done.returncode, 0, "it is no reason not to serve")


def fine():
    for line in FINE:
        done = check(line + "\n")
        tap.equal((done.returncode, done.stderr), (0, b""), line)


def proof():
    """Settings under which a client is refused early or offered little: the
    proof that this machine can serve must not stumble over them."""
    off = "PubkeyAuthentication no\nPasswordAuthentication no\n"
    for conf in (off, off + "UsePAM yes\nKbdInteractiveAuthentication yes\n",
                 off + "Match Address 192.0.2.0/24\n"
                 "\tPubkeyAuthentication yes\n",
                 "RefuseConnection yes\n", "DenyUsers *\n",
                 "MaxAuthTries 1\n", "LoginGraceTime 1\n",
                 "PubkeyAcceptedAlgorithms rsa-sha2-512\n"):
        done = check(conf)
        tap.equal(done.returncode, 0, "%r serves" % conf, done.stderr)


def forward_jail():
    """sshd-forward stands beside sshd-monitor; one in its place ends as a
    jail would make it end."""
    tried, everything = 64, 15
    cannot = (r"sshd-forward cannot %s in its jail, and could without: .*"
              r"see sshd\(8\), JAIL")
    for status, wanted in (
            (tried + everything - 1, cannot % "listen on a port"),
            (tried + everything - 2, cannot % "connect to a port"),
            (tried + everything - 4, cannot % "make the agent's socket in /tmp"),
            (tried + everything - 8, cannot % "look up a name"),
            (1, cannot % "listen on a port"),
            (2, "sshd-forward cannot enter its jail"),
            (3, "the jail of sshd-forward lets calls through"),
            (tried + everything, None)):
        folder = place.path("proof", str(status))
        os.makedirs(folder)
        for name, source in (("sshd-monitor", built("sshd-monitor")),
                             ("sshd-forward", built("regress/evil/jailed"))):
            shutil.copy(source, os.path.join(folder, name))
        done = check("", monitor=os.path.join(folder, "sshd-monitor"))
        if wanted is None:
            tap.equal(done.returncode, 0, "one that can do all of it serves",
                      done.stderr)
            continue
        tap.equal(done.returncode, 255, "status %d: no service" % status,
                  done.stderr)
        tap.like(done.stderr, "this machine cannot serve.*" + wanted,
                 "and the reason")


def algorithms():
    """What only old clients have is served; what nobody has is told."""
    old = ("MACs hmac-md5,hmac-sha1\nCiphers 3des-cbc\n"
           "KexAlgorithms diffie-hellman-group14-sha256,"
           "diffie-hellman-group14-sha1\n")
    done = check(old)
    tap.equal((done.returncode, done.stderr), (0, b""), "old algorithms")
    for line in ("Ciphers arcfour", "HostKeyAlgorithms rsa-sha2-512",
                 "KexAlgorithms diffie-hellman-group14-sha1"):
        done = check(line + "\n")
        tap.equal(done.returncode, 255, "%s is not served" % line)
        tap.like(done.stderr, "cannot serve: a client could not complete a "
                 "key exchange.*look at KexAlgorithms", "and it is told why")


def service():
    done = check("UsePAM yes\n", "-t", "-o", "PAMServiceName=oet-none")
    tap.like(done.stderr, "^error: command-line line 1: PAMServiceName: there is no /etc/pam.d/oet-none",
             "PAM's service is looked for")


def connection():
    """-C, in all its words."""
    conf = ("Match Invalid-User\n\tBanner /invalid\n"
            "Match Host *.example.org LocalPort 22\n\tPermitTTY no\n"
            "Match LocalAddress 192.0.2.1\n\tMaxSessions 1\n"
            "Match RDomain vrf-*\n\tMaxSessions 2\n")

    def said(spec, flag="-T"):
        out = check(conf, flag, "-C", spec).stdout.decode()
        return {line.split()[0]: line.split()[1] for line in out.splitlines()
                if line.split()[0] in ("banner", "permittty", "maxsessions")}
    plain = {"banner": "none", "permittty": "yes", "maxsessions": "10"}
    tap.equal(said("user=root"), plain, "a user who exists")
    tap.equal(said("user=oet-nobody"), dict(plain, banner="/invalid"),
              "one who does not")
    tap.equal(said("user=root,invalid-user"), dict(plain, banner="/invalid"),
              "invalid-user")
    tap.equal(said("host=a.example.org,lport=22"),
              dict(plain, permittty="no"), "host= and lport=")
    tap.equal(said("rdomain=vrf-mgmt"), dict(plain, maxsessions="2"),
              "rdomain=")
    tap.equal(said("laddr=192.0.2.1", "-G"), dict(plain, maxsessions="1"),
              "laddr=, with -G")
    done = check(conf, "-T", "-C", "what=ever")
    tap.equal(done.returncode, 1, "another word is an error")


tap.main(named, fine, proof, forward_jail, algorithms, service, connection)

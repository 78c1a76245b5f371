#!/usr/bin/python3
"""Login with a certificate: authorities, principals, dates, options. The
client is stock, ssh-keygen is the authority."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from authority import Authority
from server import Place, flavour

place = Place()
user, other = place.account(), place.account()
key = place.key()
ca = Authority(place)
strangers = Authority(place, "strangers")
trusted = place.path("trusted")
with open(trusted, "w", encoding="ascii") as out:
    out.write("# ours\n\n" + ca.public_text())
os.chmod(place.dir, 0o755)
server = place.server({"TrustedUserCAKeys": trusted, "PermitTTY": "yes"})


def login(cert, who=user, where=server, command="echo in", **more):
    options = {"CertificateFile": cert + "-cert.pub"}
    options.update(more.pop("options", {}))
    return where.ssh(who, command, key=cert, options=options, **more)


def accepted(done, name):
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), name,
              done.stderr)


def refused(done, name):
    tap.ok(done.returncode == 255 and done.stdout == b"", name,
           done.returncode, done.stdout, done.stderr)


def because(mark, pattern, name, where=server):
    tap.ok(where.logged(pattern, mark), name + ": the log says why",
           where.log(mark))


def good():
    mark = server.mark()
    cert = ca.certify(key, user.name, "some one", 4711)
    accepted(login(cert), "the authority is trusted")
    because(mark, r"^Accepted publickey for %s from 127\.0\.0\.1 port \d+ "
            r"ssh2: ED25519-CERT SHA256:\S+ ID some one \(serial 4711\) CA "
            r"ED25519 SHA256:\S+$" % user.name, "accepted")
    refused(login(cert, who=other), "another user's")
    refused(server.ssh(user, "echo in", key=key), "the key alone")


def kinds():
    for kind, bits in (("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521),
                       ("rsa", 2048)):
        subject = place.key(kind, bits)
        accepted(login(ca.certify(subject, user.name)),
                 "%s %s is certified" % (kind, bits))
        signer = Authority(place, "by_%s%d" % (kind, bits), kind, bits)
        user.write(".ssh/authorized_keys",
                   "cert-authority " + signer.public_text())
        accepted(login(signer.certify(key, user.name)),
                 "%s %s certifies" % (kind, bits))
    os.unlink(user.path(".ssh", "authorized_keys"))


def bad():
    for name, cert, reason in (
            ("an unknown authority", strangers.certify(key, user.name), None),
            ("no principals", ca.certify(key), "lacks principal list"),
            ("another principal", ca.certify(key, "x" + user.name),
             "name is not a listed principal"),
            ("a part of the name", ca.certify(key, user.name[:-1]),
             "name is not a listed principal"),
            ("a pattern", ca.certify(key, "*"),
             "name is not a listed principal"),
            ("in the past", ca.certify(key, user.name,
                                       validity="20200101:20210101"),
             "Certificate invalid: expired"),
            ("in the future", ca.certify(key, user.name,
                                         validity="20990101:20990102"),
             "Certificate invalid: not yet valid"),
            ("a host's", ca.certify(key, user.name, flags=["-h"]), None),
            ("an unknown critical option",
             ca.certify(key, user.name,
                        options=["critical:oet@example.com=x"]),
             "Invalid certificate options")):
        mark = server.mark()
        refused(login(cert), name)
        if reason:
            # OpenSSH before 10.0 gives the reason alone.
            because(mark, (r"Refusing certificate ID \"someone\" serial=0 "
                           r"signed by ED25519 CA SHA256:\S+ via %s: .*"
                           % trusted if flavour() == "ours" else "") + reason,
                    name)


def algorithms():
    strict = place.server({"TrustedUserCAKeys": trusted,
                           "CASignatureAlgorithms": "rsa-sha2-512"})
    refused(login(ca.certify(key, user.name), where=strict),
            "CASignatureAlgorithms without the authority's")
    strict.stop()
    plain = place.server({"TrustedUserCAKeys": trusted,
                          "PubkeyAcceptedAlgorithms": "ssh-ed25519"})
    refused(login(ca.certify(key, user.name), where=plain),
            "PubkeyAcceptedAlgorithms without certificates")
    plain.stop()
    only = place.server({
        "TrustedUserCAKeys": trusted, "PubkeyAcceptedAlgorithms":
        "rsa-sha2-512-cert-v01@openssh.com,ssh-ed25519-cert-v01@openssh.com"})
    user.authorize(key)
    accepted(login(ca.certify(key, user.name), where=only),
             "PubkeyAcceptedAlgorithms with nothing else")
    accepted(login(ca.certify(place.key("rsa", 2048), user.name),
                   where=only), "RSA's too")
    refused(only.ssh(user, "echo in", key=key), "a plain key is not taken")
    only.stop()
    os.unlink(user.path(".ssh", "authorized_keys"))


def options():
    cert = ca.certify(key, user.name, options=["force-command=echo forced"])
    tap.equal(login(cert).stdout, b"forced\n", "force-command is run")
    for name, source, good_one in (
            ("its own", "127.0.0.0/8", True),
            ("one of two", "192.0.2.0/24,127.0.0.1/32", True),
            ("another", "192.0.2.0/24", False)):
        mark = server.mark()
        cert = ca.certify(key, user.name,
                          options=["source-address=" + source])
        (accepted if good_one else refused)(login(cert),
                                            "source-address: " + name)
        if not good_one:
            because(mark, "Authentication tried for %s with valid certificate "
                    "but not from a permitted source address" % user.name,
                    name)
    tty = login(ca.certify(key, user.name), command="tty", flags=["-tt"])
    tap.like(tty.stdout, "/dev/pts/", "permit-pty", tty.stderr)
    tty = login(ca.certify(key, user.name, options=["clear"]),
                command="tty; true", flags=["-tt"])
    tap.unlike(tty.stdout, "/dev/pts/", "without it there is no terminal")
    rc = user.write(".ssh/rc", "echo rc\n")
    tap.equal(login(ca.certify(key, user.name)).stdout, b"rc\nin\n",
              "permit-user-rc")
    tap.equal(login(ca.certify(key, user.name,
                               options=["no-user-rc"])).stdout, b"in\n",
              "without it ~/.ssh/rc is not run")
    os.unlink(rc)


def in_authorized_keys():
    own = Authority(place, "own")
    cert = own.certify(key, user.name)
    elsewhere = own.certify(key, "staff,friends")
    line = own.public_text()

    def keys(options):
        user.write(".ssh/authorized_keys", options + " " + line)
    keys("")
    refused(login(cert), "an authority's key without cert-authority")
    keys("cert-authority")
    mark = server.mark()
    accepted(login(cert), "cert-authority")
    because(mark, r"Accepted certificate ID \"someone\" \(serial 0\) signed "
            r"by (CA )?ED25519 (CA )?SHA256:\S+ (found at|via) .*"
            r"authorized_keys:1", "accepted")
    refused(server.ssh(user, "echo in", key=own.key),
            "the authority itself does not log in")
    refused(login(elsewhere), "the user is not a principal")
    keys('cert-authority,principals="nobody,friends"')
    accepted(login(elsewhere), "principals= names another")
    refused(login(cert), "and the user's name no longer counts")
    keys('cert-authority,principals=""')
    refused(login(own.certify(key)), "an empty principals= is no wildcard")
    keys('principals="staff"')
    refused(login(elsewhere), "principals= without cert-authority")
    keys('cert-authority,from="192.0.2.1"')
    refused(login(cert), "from= of the authority's line")
    keys('cert-authority,expiry-time="20200101"')
    refused(login(cert), "expiry-time of the authority's line")
    keys('cert-authority,command="echo line"')
    tap.equal(login(cert).stdout, b"line\n", "command= of the line")
    forced = own.certify(key, user.name, options=["force-command=echo line"])
    tap.equal(login(forced).stdout, b"line\n", "and of the certificate, equal")
    mark = server.mark()
    refused(login(own.certify(key, user.name,
                              options=["force-command=echo cert"])),
            "two different commands")
    because(mark, "forced command options do not match", "two commands")
    keys("cert-authority,restrict")
    tty = login(cert, command="tty; true", flags=["-tt"])
    tap.unlike(tty.stdout, "/dev/pts/", "restrict of the line counts")
    keys("cert-authority,restrict,pty")
    tty = login(cert, command="tty", flags=["-tt"])
    tap.like(tty.stdout, "/dev/pts/", "pty of both gives a terminal")
    tty = login(own.certify(key, user.name, options=["no-pty"]),
                command="tty; true", flags=["-tt"])
    tap.unlike(tty.stdout, "/dev/pts/", "no-pty of the certificate counts")
    os.unlink(user.path(".ssh", "authorized_keys"))


def principals_file():
    names = user.path(".ssh", "principals")
    both = place.server({"TrustedUserCAKeys": trusted,
                         "AuthorizedPrincipalsFile": "%h/.ssh/principals"})
    staff = ca.certify(key, "staff")
    named = ca.certify(key, user.name)

    def say(text):
        user.write(".ssh/principals", text)
    refused(login(staff, where=both), "no file")
    refused(login(named, where=both), "no file: the name does not count")
    say("# staff\n\nroot\nstaff # these\n")
    accepted(login(staff, where=both), "AuthorizedPrincipalsFile has it")
    mark = both.mark()
    refused(login(named, where=both), "the user's name is not in it")
    because(mark, "does not contain an authorized principal", "not listed",
            both)
    say('command="echo opt ions",no-pty staff\n')
    tap.equal(login(staff, where=both).stdout, b"opt ions\n",
              "options of its line")
    say('from="192.0.2.1" staff\n')
    refused(login(staff, where=both), "from= of its line")
    say("cert-authority staff\n")
    refused(login(staff, where=both), "cert-authority has no place there")
    say("no-such-option staff\n")
    refused(login(staff, where=both), "an unknown option refuses the line")
    refused(login(ca.certify(key), where=both), "no principal at all")
    say("staff\n")
    os.chmod(names, 0o666)
    refused(login(staff, where=both), "StrictModes")
    both.stop()


def principals_program():
    said = place.path("said")
    program = place.path("principals")
    with open(program, "w", encoding="ascii") as text:
        text.write("#!/bin/sh\necho \"$@|$(id -un)\" >%s\n"
                   "echo staff\n" % said)
    os.chmod(program, 0o755)
    os.chmod(place.dir, 0o755)
    with open(said, "w", encoding="ascii"):
        os.chmod(said, 0o666)
    # Programs have to lie where root alone can write: /tmp is not so.
    asks = place.server(
        {"TrustedUserCAKeys": trusted, "AuthorizedPrincipalsCommand":
         "/opt/principals %u %i %s %T %t %U", "AuthorizedPrincipalsCommandUser":
         "nobody"}, before="mkdir -p /opt; mount -t tmpfs -o mode=755 none "
        "/opt; cp %s /opt/principals" % program)
    cert = ca.certify(key, "staff", "some one", 12)
    accepted(login(cert, where=asks), "AuthorizedPrincipalsCommand says so")
    with open(said, encoding="ascii") as text:
        tap.equal(text.read(), "%s some one 12 ssh-ed25519 "
                  "ssh-ed25519-cert-v01@openssh.com %d|nobody\n"
                  % (user.name, user.uid), "its tokens, and who runs it")
    refused(login(ca.certify(key, user.name), where=asks),
            "and nobody else may")
    asks.stop()


def end():
    server.stop()


tap.main(good, kinds, bad, algorithms, options, in_authorized_keys,
         principals_file, principals_program, end)

#!/usr/bin/python3
"""RevokedKeys: lists as text and as ssh-keygen -k makes them, held against
keys, certificates and authorities. A list that cannot be read refuses all."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from authority import Authority, make_krl
from server import Place, flavour, sshd_path

place = Place()
user = place.account()
good, bad = place.key(name="id_good"), place.key(name="id_bad")
rsa = place.key("rsa", 2048)
subject = place.key(name="id_subject")  # only by certificate
ca = Authority(place, "authority")
trusted = ca.public
revoked = place.path("revoked")
open(revoked, "w", encoding="ascii").close()
user.authorize(good, bad, rsa)
server = place.server({"RevokedKeys": revoked, "TrustedUserCAKeys": trusted})


def public(key):
    with open(key + ".pub", encoding="ascii") as text:
        return text.read().strip()


def fingerprint(key, flags=()):
    done = subprocess.run(["ssh-keygen", "-l", *flags, "-f", key + ".pub"],
                          check=True, capture_output=True, text=True)
    return done.stdout.split()[1]


def login(key, **options):
    return server.ssh(user, "echo in", key=key, options=options)


def by_cert(cert):
    return login(cert, CertificateFile=cert + "-cert.pub")


def accepted(done, name):
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), name, done.stderr)


def refused(done, name):
    tap.ok(done.returncode == 255 and done.stdout == b"", name,
           done.returncode, done.stdout, done.stderr)


def text(*lines):
    with open(revoked, "w", encoding="ascii") as out:
        out.write("".join(line + "\n" for line in lines))


def krl(*lines, flags=()):
    os.unlink(revoked)
    make_krl(revoked, *lines, flags=flags)


def as_text():
    accepted(login(bad), "an empty list revokes nothing")
    text("# gone", "", public(bad))
    mark = server.mark()
    refused(login(bad), "a key of the list")
    tap.ok(server.logged(r"Authentication key ED25519 SHA256:\S+ revoked by "
                         "file %s" % revoked, mark), "the log says so")
    accepted(login(good), "another key")
    cert = ca.certify(bad, user.name)
    refused(by_cert(cert), "a certificate of the key")
    text(public(ca.key))
    refused(by_cert(ca.certify(subject, user.name)),
            "a certificate of a revoked authority")
    with open(cert + "-cert.pub", encoding="ascii") as line:
        text(line.read().strip())
    refused(login(bad), "the key of a certificate of the list")
    if flavour() == "ours":
        text(fingerprint(bad))
        refused(login(bad), "a fingerprint of the list")
        text(fingerprint(bad, ["-E", "md5"]))
        refused(login(bad), "an MD5 fingerprint of the list")
        accepted(login(good), "and no other key")


def as_krl():
    krl("key: " + public(bad))
    refused(login(bad), "KRL: an explicit key")
    accepted(login(good), "KRL: another key")
    refused(by_cert(ca.certify(bad, user.name)), "KRL: its certificate")
    krl("sha1: " + public(bad))
    refused(login(bad), "KRL: SHA-1 of a key")
    accepted(login(rsa), "KRL: an RSA key that is not in it")
    krl("sha256: " + public(rsa))
    refused(login(rsa), "KRL: SHA-256 of an RSA key")
    krl("hash: " + fingerprint(bad))
    refused(login(bad), "KRL: a fingerprint")
    accepted(login(good), "KRL: no other's")
    krl("key: " + public(ca.key))
    refused(by_cert(ca.certify(subject, user.name)), "KRL: the authority's key")
    accepted(login(good), "KRL: the plain key is not the authority's")


def certificates():
    def serial(number):
        return ca.certify(subject, user.name, "id %d" % number, number)
    one, seven, far = serial(1), serial(7), serial(10 ** 12)
    of_ca = ["-s", ca.public]
    other = Authority(place, "somebody")
    for name, lines in (("a serial number", ["serial: 7"]),
                        ("a range", ["serial: 5-9"]),
                        ("a bitmap", ["serial: %d" % n for n in
                                      range(3, 60, 2)]),
                        ("a key id", ["id: id 7"])):
        krl(*lines, flags=of_ca)
        refused(by_cert(seven), "KRL: %s revokes it" % name)
        accepted(by_cert(one), "KRL: %s spares another" % name)
        accepted(by_cert(far), "KRL: %s spares one far away" % name)
        krl(*lines, flags=["-s", other.public])
        accepted(by_cert(seven), "KRL: %s of another authority" % name)
    krl("serial: 7", flags=["-s", "none"])
    refused(by_cert(seven), "KRL: of any authority")
    accepted(by_cert(one), "KRL: of any authority, another number")


def damaged():
    """Whatever is wrong with the list, nobody gets in by a key."""
    krl("key: " + public(bad), "serial: 4-9", flags=["-s", ca.public])
    with open(revoked, "rb") as data:
        whole = data.read()
    for name, content in (
            ("cut short", whole[:-1]), ("cut in half", whole[:60]),
            ("with a byte more", whole + b"\0"),
            ("of another version", whole[:11] + b"\2" + whole[12:]),
            ("of text that is no key", b"nothing of the kind\n"),
            ("of a damaged key",
             public(bad).replace("AAAA", "AAAB", 1).encode() + b"\n")):
        with open(revoked, "wb") as data:
            data.write(content)
        mark = server.mark()
        done = login(good)
        if flavour() == "openssh" and "byte more" in name:
            continue
        refused(done, "a list " + name)
        tap.ok(server.logged("Error checking authentication key ED25519 ",
                             mark), "a list %s: is logged" % name)
        if flavour() == "ours":
            done = place.run([sshd_path(), "-t", "-f", server.conf_path])
            tap.like(done.stderr, "line [0-9]+: RevokedKeys: %s" % revoked,
                     "a list %s: sshd -t says so" % name)
    os.unlink(revoked)
    refused(login(good), "a list that is not there")
    done = server.password_ssh(user, user.password, "echo in")
    accepted(done, "passwords need no list")
    text()
    accepted(login(good), "mended, keys are good again, without a restart")


def end():
    server.stop()


tap.main(as_text, as_krl, certificates, damaged, end)

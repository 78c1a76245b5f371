#!/usr/bin/python3
"""Login by public key: each key type, and each way of being refused."""
import grp
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import PATIENCE
import peer

KEYS = (("ed25519", None), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521),
        ("rsa", 2048), ("rsa", 3072))

place = Place()
user = place.account()
server = place.server()


def login(key, *flags, who=user, options=None):
    return server.ssh(who, "echo in", key=key, flags=flags, options=options)


def refused(done, name):
    tap.equal(done.returncode, 255, name + ": status", done.stderr)
    tap.equal(done.stdout, b"", name + ": nothing ran")
    tap.like(done.stderr, r"Permission denied \(publickey,password\)\.",
             name + ": the client is told")


def each_key_type():
    for kind, bits in KEYS:
        key = place.key(kind, bits)
        user.authorize(key)
        done = login(key)
        tap.equal((done.returncode, done.stdout), (0, b"in\n"),
                  "login with %s %s" % (kind, bits or ""), done.stderr)


def rsa_signatures():
    key = place.key("rsa", 3072)
    user.authorize(key)
    for algorithm in ("rsa-sha2-256", "rsa-sha2-512"):
        done = login(key, options={"PubkeyAcceptedAlgorithms": algorithm})
        tap.equal(done.stdout, b"in\n", "login with %s" % algorithm,
                  done.stderr)
    done = login(key, options={"PubkeyAcceptedAlgorithms": "ssh-rsa"})
    tap.equal((done.returncode, done.stdout), (255, b""),
              "a SHA-1 signature is refused")


def rsa_too_small():
    key = place.key("rsa", 1024)
    user.authorize(key)
    small = {"RequiredRSASize": "1024"}
    strict = place.server({"RequiredRSASize": "2048"})
    done = strict.ssh(user, "echo in", key=key, options=small)
    refused(done, "an RSA key below RequiredRSASize")
    tap.ok(strict.logged(r"refusing RSA key|[Ii]nvalid key length"),
           "the log says why")
    user.authorize(place.key("rsa", 2048))
    done = strict.ssh(user, "echo in", key=place.key("rsa", 2048))
    tap.equal(done.stdout, b"in\n", "a key of just RequiredRSASize")
    strict.stop()
    user.authorize(key)
    if flavour() == "openssh":
        tap.skip("1024 bits by default", "OpenSSH takes them by default")
    else:
        refused(login(key, options=small), "1024 bits by default")


def wrong_key():
    user.authorize(place.key("ed25519"))
    started = time.monotonic()
    refused(login(place.key("ed25519", name="stranger")), "another key")
    tap.ok(time.monotonic() - started < PATIENCE,
           "the refusal does not take long")


def several_keys():
    """As many keys as MaxAuthTries allows are tried; the last one fits."""
    good = place.key("ed25519")
    user.authorize(good)
    others = [place.key("ed25519", name="other%d" % n) for n in range(4)]
    flags = []
    for path in [*others, good]:
        flags += ["-i", path]
    done = login(None, *flags)
    tap.equal(done.stdout, b"in\n", "the fifth key offered is taken",
              done.stderr)


def bad_signature():
    """A wrong signature gets its answer, and the client may go on."""
    path = place.key("ed25519")
    user.authorize(path)
    key = peer.load_key(path)
    session = peer.transport(server)
    mark = server.mark()
    for turn in (1, 2):
        answer = peer.verdict(session.auth_publickey, user.name,
                              peer.BadSigner(key))
        tap.equal(answer, "failure", "wrong signature %d: failure" % turn)
    tap.ok(server.logged(r"Failed publickey for %s from" % user.name, mark),
           "the log counts it")
    answer = peer.verdict(session.auth_publickey, user.name, key)
    tap.equal(answer, "success", "then the right signature logs in")
    channel = session.open_session(timeout=PATIENCE)
    channel.exec_command("echo through")
    tap.equal(channel.recv(100), b"through\n", "and a command runs")
    session.close()


def bad_signatures_end():
    """Wrong signatures count for MaxAuthTries like any other failure."""
    key = peer.BadSigner(peer.load_key(place.key("ed25519")))
    session = peer.transport(server)
    answers = [peer.verdict(session.auth_publickey, user.name, key)
               for _ in range(6)]
    tap.equal(answers[:5], ["failure"] * 5, "five failures are told")
    tap.ok(answers[5].startswith(("broken", "failure", "Auth")),
           "the sixth ends the connection", answers)
    tap.ok(not session.is_active() or
           peer.verdict(session.auth_publickey, user.name, key)
           not in ("failure", "success"), "the connection is over")
    session.close()


def unknown_user_looks_the_same():
    """Same messages, same number of them, for a name that does not exist."""
    key = place.key("ed25519", name="stranger")
    user.authorize(place.key("ed25519"))
    seen = []
    for name in (user.name, "oetnobody"):
        done = login(key, "-vv", who=name)
        text = done.stderr.decode()
        text = re.sub(r"oetnobody|%s" % user.name, "NAME", text)
        keep = [line for line in text.splitlines() if re.search(
            r"Authentications that can|receive packet: type|Permission|Offer",
            line)]
        seen.append(keep)
    tap.ok(len(seen[0]) > 3, "the exchange was seen", seen[0])
    tap.equal(seen[1], seen[0], "an unknown user's exchange is the same")


def file_modes():
    """StrictModes: what others may write is not trusted (sshd(8)). Debian's
    OpenSSH spares a group that has no other member: use one that has."""
    key = place.key("ed25519")
    user.authorize(key)
    others = grp.getgrnam("users").gr_gid
    for name, good, bad in ((".ssh/authorized_keys", 0o600, 0o602),
                            (".ssh/authorized_keys", 0o600, 0o620),
                            (".ssh", 0o700, 0o770), ("", 0o755, 0o757)):
        os.chown(user.path(name), user.uid, others)
        os.chmod(user.path(name), bad)
        mark = server.mark()
        refused(login(key), "mode %o of ~/%s" % (bad, name))
        tap.ok(server.logged("bad ownership or modes", mark),
               "the log says so")
        os.chown(user.path(name), user.uid, user.gid)
        os.chmod(user.path(name), good)
    os.chown(user.path(".ssh/authorized_keys"), others, others)
    refused(login(key), "authorized_keys of another owner")
    os.chown(user.path(".ssh/authorized_keys"), user.uid, user.gid)
    tap.equal(login(key).stdout, b"in\n", "and with good modes it works")


def private_group():
    """A group that the user is alone in may write, as under umask 002."""
    key = place.key("ed25519")
    user.authorize(key)
    modes = ((".ssh/authorized_keys", 0o600, 0o664), (".ssh", 0o700, 0o775),
             ("", 0o755, 0o775))
    for name, _, loose in modes:
        os.chmod(user.path(name), loose)
        tap.equal(login(key).stdout, b"in\n", "mode %o of ~/%s and a group of "
                  "one's own" % (loose, name))
    other = place.account(groups=(user.name,))
    mark = server.mark()
    refused(login(key), "a group that has another member")
    tap.ok(server.logged("bad ownership or modes for file .*/authorized_keys$",
                         mark), "the log names the file")
    os.chmod(user.path(".ssh/authorized_keys"), 0o600)
    mark = server.mark()
    refused(login(key), "a directory of such a group")
    tap.ok(server.logged("bad ownership or modes for directory .*/.ssh$",
                         mark), "the log names the directory")
    other.remove()
    for name, good, _ in modes:
        os.chmod(user.path(name), good)


def with_the_users_rights():
    """The file is opened as the user: what only root can read is not read
    for them, whatever its modes (CVE-2025-14282 is of this kind)."""
    key = place.key("ed25519")
    hidden = place.path("hidden")
    loose = place.server({"StrictModes": "no"})
    os.mkdir(hidden, 0o700)
    user.authorize(key)
    os.rename(user.path(".ssh/authorized_keys"), hidden + "/keys")
    os.symlink(hidden + "/keys", user.path(".ssh/authorized_keys"))
    refused(loose.ssh(user, "echo in", key=key),
            "authorized_keys where only root can look")
    os.chmod(hidden, 0o755)
    tap.equal(loose.ssh(user, "echo in", key=key).stdout, b"in\n",
              "and where the user can, it works")
    os.unlink(user.path(".ssh/authorized_keys"))
    loose.stop()


def odd_lines():
    """Comments, empty and broken lines do not hide a good one."""
    key = place.key("ed25519")
    with open(key + ".pub", encoding="ascii") as public:
        line = public.read()
    user.write(".ssh/authorized_keys",
               "# comment\n\n   \nssh-ed25519 AAAAbroken x\nnonsense\n"
               "\t " + line)
    tap.equal(login(key).stdout, b"in\n", "a good line among bad ones")
    user.write(".ssh/authorized_keys", line.rstrip("\n"))
    tap.equal(login(key).stdout, b"in\n", "a last line without its end")
    os.unlink(user.path(".ssh/authorized_keys"))
    refused(login(key), "no authorized_keys")
    os.mkfifo(user.path(".ssh/authorized_keys"))
    os.chown(user.path(".ssh/authorized_keys"), user.uid, user.gid)
    refused(login(key), "authorized_keys is a fifo")
    os.unlink(user.path(".ssh/authorized_keys"))


def the_end():
    server.stop()


tap.main(each_key_type, rsa_signatures, rsa_too_small, wrong_key,
         several_keys, bad_signature, bad_signatures_end,
         unknown_user_looks_the_same, file_modes, private_group,
         with_the_users_rights,
         odd_lines, the_end)

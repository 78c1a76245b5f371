#!/usr/bin/python3
"""A network process that is wholly its client's asks for a login that it has
not earned. The real sshd and sshd-monitor serve; SshdAuthPath names hostile.c,
which passes on any message. No attack may run the marker command, each ends
with a log line, and stock clients of the same sshd never notice. The same
program with the user's true signature does log in: it could have."""
import base64
import hashlib
import os
import secrets
import shutil
import struct
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]
import tap
from authority import Authority
from server import Place, build_dir, built
from wait import holds
from messages import DEAF, LINGER, Gone, Hostile

DENIED, GRANTED, ASKED = 0, 1, 3
SHELL_EXEC = 1
HASH_BYTES = 32
USERAUTH_REQUEST = 50
SERVICE = "ssh-connection"
TRIES = 4
END_SECONDS = 15


def net_program():
    """hostile beside copies of the programs that it may become."""
    made = os.path.join(build_dir(), "regress", "evil", "hostile")
    if not os.access(made, os.X_OK):
        tap.bail("no %s: build it (make check), or set BUILDDIR" % made)
    folder = place.path("evil")
    os.mkdir(folder, 0o755)
    for source, name in ((made, "hostile"), (built("sshd-net"), "sshd-net"),
                         (built("sshd-probe"), "sshd-probe")):
        shutil.copy(source, os.path.join(folder, name))
        os.chmod(os.path.join(folder, name), 0o755)
    return os.path.join(folder, "hostile")


tap.need_root()
place = Place()
user, other = place.account(), place.account()
os.mkdir(place.path("marks"))
os.chmod(place.path("marks"), 0o777)
marker = place.path("marks", "marker")


def string(data):
    data = data if isinstance(data, bytes) else data.encode()
    return struct.pack(">I", len(data)) + data


class Key:
    """A private key, its blob, and its signatures as EVP_DigestSign(3) gives
    them."""

    def __init__(self, path, algorithm, digest=None):
        with open(path, "rb") as private:
            self.private = serialization.load_ssh_private_key(
                private.read(), None)
        with open(path + ".pub", encoding="ascii") as public:
            self.text = public.read()
        self.blob = base64.b64decode(self.text.split()[1])
        self.algorithm, self.digest = algorithm, digest

    def sign(self, data):
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(data, ec.ECDSA(self.digest))
        return self.private.sign(data, padding.PKCS1v15(), self.digest)


KEYS = {
    "ed25519": Key(place.key(), "ssh-ed25519"),
    "ecdsa": Key(place.key("ecdsa"), "ecdsa-sha2-nistp256", hashes.SHA256()),
    "rsa": Key(place.key("rsa", 2048), "rsa-sha2-512", hashes.SHA512()),
}
OURS = KEYS["ed25519"]
THEIRS = Key(place.key(name="id_other"), "ssh-ed25519")


class SecurityKey:
    """What a FIDO authenticator does, without one (PROTOCOL.u2f)."""
    application = b"ssh:"

    def __init__(self):
        self.private = ed25519.Ed25519PrivateKey.generate()
        public = self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.algorithm = "sk-ssh-ed25519@openssh.com"
        self.blob = (string(self.algorithm) + string(public)
                     + string(self.application))
        self.text = "%s %s\n" % (self.algorithm,
                                 base64.b64encode(self.blob).decode())

    def signed(self, data, flags=1, counter=7):
        """(what is signed, the signature)"""
        whole = (hashlib.sha256(self.application).digest()
                 + struct.pack(">BI", flags, counter)
                 + hashlib.sha256(data).digest())
        return whole, self.private.sign(whole)


class Certified:
    """The security key with a certificate (PROTOCOL.certkeys)."""
    algorithm = "sk-ssh-ed25519-cert-v01@openssh.com"

    def __init__(self, path):
        with open(path, encoding="ascii") as text:
            self.blob = base64.b64decode(text.read().split()[1])


SK = SecurityKey()
user.write(".ssh/authorized_keys",
           "".join(key.text for key in KEYS.values()) + SK.text)
other.write(".ssh/authorized_keys", THEIRS.text)
server = place.server({"SshdAuthPath": net_program(),
                       "KbdInteractiveAuthentication": "yes",
                       "MaxAuthTries": str(TRIES)})


def fresh():
    return secrets.token_bytes(HASH_BYTES)


def blob(evil, session=None, name=None, service=SERVICE, method="publickey",
         flag=1, algorithm=None, key=None, request=USERAUTH_REQUEST):
    """The bytes of RFC 4252, section 7, for this connection; each part at
    choice."""
    key = key or OURS
    return (string(evil.hash if session is None else session)
            + struct.pack(">B", request)
            + string(user.name if name is None else name) + string(service)
            + string(method) + struct.pack(">B", flag)
            + string(key.algorithm if algorithm is None else algorithm)
            + string(key.blob))


def set_up(evil):
    evil.ask("SETUP")


def keyed(evil, session=None):
    """After the key exchange; its hash is the hostile side's to choose."""
    set_up(evil)
    evil.hash = session or fresh()
    evil.ask("SIGN", key=0, hash=evil.hash)


def named(evil, name=None, session=None):
    """A user is named."""
    keyed(evil, session)
    evil.ask("AUTH_USER", user=user.name if name is None else name)


def verdict(evil, data, signature=None, key=None):
    """The monitor's, on a signature; made of the data unless given."""
    key = key or OURS
    if signature is None:
        signature = key.sign(data)
    return evil.ask("AUTH_SIGNATURE", key=key.blob, data=data,
                    signature=signature)["verdict"]


def good_signature(evil):
    """A login that would be granted, if it were not too late or too early."""
    data = blob(evil)
    evil.tell("AUTH_SIGNATURE", key=OURS.blob, data=data,
              signature=OURS.sign(data))


def start(evil):
    """Ask for what only a login gives."""
    evil.tell("PTY_OPEN", session=0, term="xterm", cols=80, rows=24)
    evil.tell("SESSION_START", session=1, kind=SHELL_EXEC,
              command="echo evil > " + marker)
    evil.tell("SESSION_START", session=2, kind=0)
    evil.tell("LOGIN", user="x")  # the end, also of what was let in


def ran():
    return os.path.exists(marker) or user.processes() or other.processes()


def granted(messages):
    """Verdicts that are no denial."""
    return [fields for name, fields in messages
            if name == "AUTH_RESULT" and fields["verdict"] != DENIED]


def attack(name, steps, allowed=0):
    """Take the steps, then ask for a session: nothing may come of it. Steps
    may get as many verdicts as are allowed, of questions."""
    mark = server.mark()
    with Hostile(server) as evil:
        try:
            steps(evil)
            start(evil)
        except Gone:
            pass
        evil.to_the_end()
    said = server.logged(r"broke the rules|ended unexpectedly", mark)
    log = server.log(mark)
    names = [row for row, _ in evil.seen]
    tap.ok(not ran() and said and evil.descriptors == 0
          and len(granted(evil.seen)) == allowed
          and not {"SESSION_STARTED", "PTY_REPLY"} & set(names)
          and "Accepted publickey" not in log
          and "Accepted password" not in log
          and "was ended by signal" not in log
          and log.count("broke the rules") <= 1, "no login: " + name,
          "answers: %s" % names, "descriptors: %d" % evil.descriptors, log)
    holds(lambda: not user.processes(), END_SECONDS)
    if os.path.exists(marker):
        os.unlink(marker)


# --- the attacks


def without_a_try():
    """Sessions at every point before a login."""
    attack("at once", lambda evil: None)
    attack("after SETUP", set_up)
    attack("after SIGN", keyed)
    attack("after AUTH_USER", named)

    def queried(evil):
        named(evil)
        evil.ask("AUTH_KEY", key=OURS.blob)
    attack("after AUTH_KEY alone", queried, allowed=1)

    def failed(evil):
        named(evil)
        verdict(evil, blob(evil), bytes(64))
    attack("after a failed signature", failed)

    def none(evil):
        named(evil)
        evil.ask("AUTH_NONE")
    attack("after AUTH_NONE", none)

    def proven(evil):
        named(evil)
        evil.tell("PROVE")
    attack("after PROVE", proven)
    for row, values in (("LOGIN", {"user": user.name}),
                        ("AUTH_RESULT", {"verdict": GRANTED}),
                        ("CONN", {"addr": "192.0.2.1", "laddr": "192.0.2.1"})):
        def lied(evil, row=row, values=values):
            named(evil)
            evil.tell(row, **values)
        attack("after a %s of its own" % row, lied)


WRONG_BYTES = {
    "of another session": lambda evil: blob(evil, session=fresh()),
    "of a longer session identifier":
        lambda evil: blob(evil, session=evil.hash + bytes(32)),
    "of no session": lambda evil: blob(evil, session=b""),
    "of another user": lambda evil: blob(evil, name=other.name),
    "of no user": lambda evil: blob(evil, name=""),
    "of the user and a NUL": lambda evil: blob(evil, name=user.name + "\0"),
    "of the user in capitals": lambda evil: blob(evil, name=user.name.upper()),
    "for another service": lambda evil: blob(evil, service="ssh-userauth"),
    "for no service": lambda evil: blob(evil, service=""),
    "for another request": lambda evil: blob(evil, request=80),
    "by another method": lambda evil: blob(evil, method="hostbased"),
    "that is a question": lambda evil: blob(evil, flag=0),
    "with another true": lambda evil: blob(evil, flag=2),
    "that names ssh-rsa": lambda evil: blob(evil, algorithm="ssh-rsa"),
    "that names rsa-sha2-256": lambda evil: blob(evil, algorithm="rsa-sha2-256"),
    "that names none": lambda evil: blob(evil, algorithm="none"),
    "that names a list": lambda evil: blob(evil, algorithm="ssh-ed25519,ssh-rsa"),
    "that names a certificate":
        lambda evil: blob(evil, algorithm="ssh-ed25519-cert-v01@openssh.com"),
    "over another key": lambda evil: blob(evil, key=THEIRS),
    "with a byte behind it": lambda evil: blob(evil) + b"\0",
    "with another blob behind it": lambda evil: blob(evil) + blob(evil),
    "without its last byte": lambda evil: blob(evil)[:-1],
    "without its first byte": lambda evil: blob(evil)[1:],
    "over nothing": lambda evil: b"",
    "over the hash alone": lambda evil: evil.hash,
    "without a host key, host-bound":
        lambda evil: blob(evil, method="publickey-hostbound-v00@openssh.com"),
}


def signature_over_wrong_bytes():
    """Signed by the user's key indeed, but not this."""
    for name, bytes_of in WRONG_BYTES.items():
        def signed(evil, bytes_of=bytes_of):
            named(evil)
            verdict(evil, bytes_of(evil))
        attack("a signature " + name, signed)


WRONG_SIGNATURES = {
    "that is empty": lambda good: b"",
    "of zeroes": lambda good: bytes(64),
    "without its last byte": lambda good: good[:-1],
    "with a byte more": lambda good: good + b"\0",
    "twice": lambda good: good + good,
    "in its SSH framing": lambda good: string("ssh-ed25519") + string(good),
    "with S past its order": lambda good: good[:32] + b"\xff" * 32,
}


def wrong_signature():
    """The right bytes, but not signed by the user's key."""
    for name, change in WRONG_SIGNATURES.items():
        def signed(evil, change=change):
            named(evil)
            data = blob(evil)
            verdict(evil, data, change(OURS.sign(data)))
        attack("a signature " + name, signed)

    def keys_exchanged(evil):
        named(evil)
        data = blob(evil, key=THEIRS)
        verdict(evil, data, key=THEIRS)
        verdict(evil, data, THEIRS.sign(data))
        verdict(evil, blob(evil), THEIRS.sign(blob(evil)))
    attack("another user's key", keys_exchanged)


def wrong_algorithm():
    """An RSA key's signature under another name than its digest's."""
    key = KEYS["rsa"]
    for name, digest in (("rsa-sha2-256", hashes.SHA512()),
                         ("rsa-sha2-512", hashes.SHA256()),
                         ("rsa-sha2-512", hashes.SHA1()),
                         ("ssh-rsa", hashes.SHA1()),
                         ("ssh-rsa", hashes.SHA256())):
        def signed(evil, name=name, digest=digest):
            named(evil)
            data = blob(evil, key=key, algorithm=name)
            verdict(evil, data, key.private.sign(
                data, padding.PKCS1v15(), digest), key=key)
        attack("%s with %s" % (name, digest.name), signed)


def security_key():
    """Hash and flags are the network process's to choose; the rest is not."""
    for name, parts, flags in (("untouched", {}, 0),
                               ("verified, untouched", {}, 4),
                               ("of another session", {"session": fresh()}, 1),
                               ("of another user", {"name": other.name}, 1),
                               ("for another service", {"service": "x"}, 1)):
        def signed(evil, parts=parts, flags=flags):
            named(evil)
            whole, made = SK.signed(blob(evil, key=SK, **parts), flags)
            verdict(evil, whole, made, key=SK)
        attack("a security key, " + name, signed)

    def flags_changed(evil):
        named(evil)
        whole, made = SK.signed(blob(evil, key=SK), 0)
        verdict(evil, whole[:32] + b"\1" + whole[33:], made, key=SK)
    attack("a security key, touched afterwards", flags_changed)


def sk_verdict(where, flags, key=SK):
    with Hostile(where) as evil:
        named(evil)
        return verdict(evil, *SK.signed(blob(evil, key=key), flags), key=key)


def security_key_options():
    """Touch and PIN as the key's line, its certificate and PubkeyAuthOptions
    have it, whatever the network process makes of the flags."""
    strict = place.server({"SshdAuthPath": server.conf["SshdAuthPath"],
                           "PubkeyAuthOptions":
                           "touch-required verify-required"})
    kept = user.path(".ssh", "authorized_keys")
    with open(kept, encoding="ascii") as text:
        before = text.read()
    neither, touched, both = 0, 1, 5
    for options, good in (("", (touched, both)),
                          ("no-touch-required", (neither, touched, both)),
                          ("verify-required", (both,)),
                          ("verify-required,no-verify-required",
                           (touched, both))):
        user.write(".ssh/authorized_keys", (options + " " + SK.text).strip())
        for flags in (neither, touched, both):
            mark = server.mark()
            want = GRANTED if flags in good else DENIED
            tap.equal(sk_verdict(server, flags), want,
                      "%s, flags %d" % (options or "no option", flags))
            if want == DENIED:
                tap.like(server.log(mark), "public key ED25519-SK SHA256:.* "
                         "rejected: user (presence|verification)",
                         "is logged")
        tap.equal(sk_verdict(strict, touched), DENIED,
                  "PubkeyAuthOptions and " + options)
    ca = Authority(place, "sk")
    subject = place.path("sk_subject")
    for name in (subject, subject + ".pub"):
        with open(name, "w", encoding="ascii") as out:
            out.write(SK.text)
    for line, extensions, good in (
            ("cert-authority", (), False),
            ("cert-authority", ("no-touch-required",), False),
            ("cert-authority,no-touch-required", (), False),
            ("cert-authority,no-touch-required", ("no-touch-required",),
             True)):
        cert = ca.certify(subject, user.name, options=extensions)
        user.write(".ssh/authorized_keys", line + " " + ca.public_text())
        certified = Certified(cert + "-cert.pub")
        tap.equal(sk_verdict(server, neither, certified),
                  GRANTED if good else DENIED,
                  "untouched: %s, certificate: %s" % (line, extensions))
        tap.equal(sk_verdict(server, touched, certified), GRANTED,
                  "touched")
    user.write(".ssh/authorized_keys", before)
    strict.stop()


def passwords():
    right = user.password.encode()
    for name, text in {"wrong": b"wrong", "empty": b"",
                       "right, a NUL and more": right + b"\0more",
                       "right and a NUL": right + b"\0",
                       "another user's": other.password.encode()}.items():
        def typed(evil, text=text):
            named(evil)
            evil.ask("AUTH_PASSWORD", password=text)
        attack("a password, " + name, typed)


def string_list(*answers):
    """The body of an answer to questions (RFC 4256, section 3.4)."""
    return struct.pack(">I", len(answers)) + b"".join(
        string(answer) for answer in answers)


def questions():
    """PAM's: answers out of place, malformed, and what else may come in their
    midst. The module waits all the while."""
    right = string_list(user.password)

    def unasked(evil):
        named(evil)
        evil.ask("AUTH_ANSWERS", answers=right)
    attack("answers that nobody asked for", unasked)

    def asked(evil):
        named(evil)
        tap.equal(evil.ask("AUTH_KBDINT")["verdict"], ASKED, "PAM asks")
    for name, body in (
            ("without their number", right[4:]),
            ("fewer than they say", struct.pack(">I", 2) + right[4:]),
            ("more than were asked for", string_list(user.password, "")),
            ("none", string_list()),
            ("with a byte behind them", right + b"\0"),
            ("cut short", right[:-1]),
            ("with a NUL", string_list(user.password + "\0")),
            ("very many", struct.pack(">I", 2 ** 32 - 1) + right[4:]),
            ("wrong", string_list("wrong"))):
        def answered(evil, body=body):
            asked(evil)
            evil.ask("AUTH_ANSWERS", answers=body)
        attack("answers " + name, answered, allowed=1)

    def session(evil):
        asked(evil)
        start(evil)
    attack("a session while PAM asks", session, allowed=1)

    def again(evil):
        asked(evil)
        tap.equal(evil.ask("AUTH_KBDINT")["verdict"], ASKED,
                  "it asks anew when it is begun anew")
        evil.ask("AUTH_ANSWERS", answers=string_list("wrong"))
        evil.ask("AUTH_ANSWERS", answers=right)
    attack("answers after the answers", again, allowed=2)

    def other_user(evil):
        asked(evil)
        evil.tell("AUTH_USER", user=other.name)
    attack("another user while PAM asks", other_user, allowed=1)

    def until_the_last(evil):
        asked(evil)
        for _ in range(TRIES - 1):
            evil.ask("AUTH_KBDINT")
        tap.equal(evil.ask("AUTH_KBDINT")["last"], 1,
                  "each of them counts as an attempt")
        evil.ask("AUTH_ANSWERS", answers=right)
    attack("questions without answers", until_the_last, allowed=TRIES)

    def aside(evil):
        """A rekeying and a line for the log are no answer."""
        asked(evil)
        evil.ask("SIGN", hash=fresh())
        evil.tell("LOG", level=3, text="in the midst")
        tap.equal(evil.ask("AUTH_ANSWERS", answers=string_list("wrong"))
                  ["verdict"], DENIED, "the questions go on behind it")
    attack("SIGN and LOG while PAM asks", aside, allowed=1)
    for name, body, verdict in (("right", right, GRANTED),
                                ("wrong", string_list("no"), DENIED)):
        with Hostile(server) as evil:
            asked(evil)
            tap.equal(evil.ask("AUTH_ANSWERS", answers=body)["verdict"],
                      verdict, "the %s answer" % name)


def replayed():
    """What an earlier connection was given is of no use in a later one."""
    with Hostile(server) as evil:
        named(evil)
        data = blob(evil)
        first = OURS.sign(data)
        tap.equal(verdict(evil, data, first), GRANTED, "once it was good")
        session = evil.hash

    def again(evil):
        named(evil)
        verdict(evil, data, first)
        verdict(evil, blob(evil), first)
    attack("a signature of an earlier connection", again)

    def same_session(evil):
        named(evil, session=session)
        verdict(evil, data, first)
    mark = server.mark()
    attack("a signature of an earlier connection, and its exchange hash",
           same_session)
    tap.like(server.log(mark), "signature of %s from .* is for a session "
             "that was used before; refused" % user.name, "it is logged")


def one_user_only():
    def twice(evil):
        named(evil, name=other.name)
        evil.tell("AUTH_USER", user=user.name)
        good_signature(evil)
    attack("AUTH_USER twice", twice)

    def swapped(evil):
        named(evil, name=other.name)
        verdict(evil, blob(evil))
        verdict(evil, blob(evil, name=other.name))
    attack("the key of another than the one named", swapped)
    for name in ("root\0", "", user.name + " ", "nobody", "no-such-user"):
        def unknown(evil, name=name):
            keyed(evil)
            evil.tell("AUTH_USER", user=name)
            good_signature(evil)
            verdict(evil, blob(evil, name=name))
            evil.tell("AUTH_PASSWORD", password=user.password)
        attack("as %r" % name, unknown)


def too_many_tries():
    def late(evil):
        named(evil)
        last = [evil.ask("AUTH_PASSWORD", password="no")["last"]
                for _ in range(TRIES)]
        tap.equal(last, [0] * (TRIES - 1) + [1], "the last one is told")
        good_signature(evil)
    attack("a good signature after MaxAuthTries", late)

    def late_query(evil):
        named(evil)
        for _ in range(TRIES):
            evil.ask("AUTH_DROPPED")
        evil.tell("AUTH_KEY", key=OURS.blob)
    attack("a question after MaxAuthTries", late_query)


def oracle():
    """The host key signs a hash, and nothing that could pass for more."""
    for size in (20, 31, 33, 47, 65, 200):
        attack("SIGN first, %d bytes" % size, lambda evil, size=size: (
            set_up(evil), evil.ask("SIGN", hash=bytes(size))))
        attack("SIGN again, %d bytes" % size, lambda evil, size=size: (
            named(evil), evil.ask("SIGN", hash=bytes(size))))

    def user_blob(evil):
        named(evil)
        evil.ask("SIGN", hash=blob(evil))
    attack("SIGN of what a user signs", user_blob)
    attack("SIGN with a key that is none", lambda evil: (
        set_up(evil), evil.ask("SIGN", key=3, hash=fresh())))

    def second_hash(evil):
        """Only the first is the session identifier."""
        named(evil)
        second = fresh()
        evil.ask("SIGN", hash=second)
        verdict(evil, blob(evil, session=second))
    attack("the identifier of a rekeying", second_hash)


# --- what must work all the while


def honest_login(name, key, signed):
    mark = server.mark()
    with Hostile(server) as evil:
        named(evil)
        data, signature = signed(blob(evil, key=key))
        tap.equal(verdict(evil, data, signature, key=key), GRANTED,
                  "%s: granted" % name)
        evil.ask("SESSION_START", session=1, kind=SHELL_EXEC,
                 command="id -un > " + marker)
        tap.equal(evil.descriptors, 3, "%s: three pipes" % name)
        while evil.hear()[0] != "SESSION_EXIT":
            continue
        evil.tell("BYE", reason=0)
        evil.to_the_end()
    with open(marker, encoding="ascii") as text:
        tap.equal(text.read().strip(), user.name, "%s: it ran" % name)
    os.unlink(marker)
    tap.ok(server.logged("Accepted publickey for %s from" % user.name, mark),
           "%s: logged" % name)


def honest():
    """The same program, with a signature that is true: it is let in."""
    for name, key in KEYS.items():
        honest_login(name, key, lambda data, key=key: (data, key.sign(data)))
    honest_login("security key", SK, SK.signed)


def stock_client():
    """The sshd that has been through all of this."""
    done = server.ssh(user, "id -un", key=place.key())
    tap.equal(done.stdout.decode().strip(), user.name,
              "a stock client logs in", done.stderr)
    done = server.password_ssh(user, user.password, "id -un")
    tap.equal(done.stdout.decode().strip(), user.name,
              "and with a password", done.stderr)
    tap.ok(server.alive(), "sshd is the same process")


def nets():
    """The hostile processes that there are."""
    found = []
    for pid in server.children():
        try:
            if os.readlink("/proc/%d/exe" % pid).endswith("/hostile"):
                found.append(pid)
        except OSError:
            continue
    return found


def outlives_monitor(name, log_in):
    """A process that ignores the end of its monitor, and SIGTERM."""
    with Hostile(server) as evil:
        named(evil)
        if log_in:
            verdict(evil, blob(evil))
        evil.order(LINGER)
        tap.ok(holds(nets, END_SECONDS), name + ": it is there")
        evil.tell("LOGIN", user="x")
        tap.ok(holds(lambda: not nets(), END_SECONDS), name + ": it is ended")


def nothing_stays():
    outlives_monitor("its monitor gone", False)
    outlives_monitor("its monitor gone, after a login", True)


def deaf_until_grace():
    """One that ignores its client's end has LoginGraceTime, no more."""
    short = place.server({"SshdAuthPath": server.conf["SshdAuthPath"],
                          "LoginGraceTime": "1"})
    with Hostile(short) as evil:
        named(evil)
        evil.order(DEAF)
    tap.ok(short.logged("Timeout before authentication for connection from "
                        r"127\.0\.0\.1"), "the deaf one is out of time")
    short.stop("and is ended, with its monitor")


def end():
    tap.ok(not ran(), "nothing of a user's runs")
    server.stop()


tap.main(without_a_try, signature_over_wrong_bytes, wrong_signature,
         wrong_algorithm, security_key, security_key_options, passwords,
         questions, replayed, one_user_only, too_many_tries, oracle, honest,
         stock_client, nothing_stays, deaf_until_grace, end)

#!/usr/bin/python3
"""The lines that fail2ban, logwatch and SIEMs read, at LogLevel INFO."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
import peer

FILTER = "/etc/fail2ban/filter.d/sshd.conf"
HOST = r"127\.0\.0\.1"
# The essence of fail2ban's sshd filter (0.11 to 1.1), without its prefixes.
FAILURES = (
    r"^[aA]uthentication (?:failure|error|failed) for (?:illegal user |invalid"
    r" user )?.* from <HOST>",
    r"^User not known to the underlying authentication module for .* from "
    r"<HOST>",
    r"^Failed publickey for (?P<user>\S+|invalid user .*?) from <HOST>"
    r"(?: port \d+)?(?: ssh\d*)?(?:[: ]|$)",
    r"^Failed (?:password|keyboard-interactive/pam) for (?:invalid user )?.* "
    r"from <HOST>(?: port \d+)?(?: ssh\d*)?$",
    r"^ROOT LOGIN REFUSED FROM <HOST>",
    r"^[iI](?:llegal|nvalid) user .*? from <HOST>(?: port \d+)?$",
    r"^User \S+ from <HOST> not allowed because not listed in AllowUsers$",
    r"^User \S+ from <HOST> not allowed because listed in DenyUsers$",
    r"^User \S+ not allowed because account is locked",
    r"^Disconnecting (?:authenticating|invalid) user \S+ <HOST> port \d+: "
    r"Too many authentication failures",
    r"^(?:error: )?maximum authentication attempts exceeded for (?:invalid "
    r"user )?.* from <HOST>(?: port \d+)?(?: ssh\d*)?",
)

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"LogLevel": "INFO", "MaxAuthTries": "3",
                       "DenyUsers": "oetdenied"})


def fingerprint(path):
    return place.run(["ssh-keygen", "-lf", path + ".pub"]).stdout.split()[1] \
        .decode()


def seen(pattern, mark, name):
    tap.ok(server.logged(pattern, mark), name, "wanted: /%s/" % pattern)


def accepted():
    for kind, bits, word in (("ed25519", None, "ED25519"),
                             ("ecdsa", 256, "ECDSA"), ("rsa", 2048, "RSA")):
        path = place.key(kind, bits)
        user.authorize(path)
        mark = server.mark()
        server.ssh(user, "true", key=path)
        seen(r"^Accepted publickey for %s from %s port \d+ ssh2: %s %s$"
             % (user.name, HOST, word, re.escape(fingerprint(path))), mark,
             "Accepted publickey, %s" % word)
    user.authorize(key)
    mark = server.mark()
    server.password_ssh(user, user.password, "true")
    seen(r"^Accepted password for %s from %s port \d+ ssh2$"
         % (user.name, HOST), mark, "Accepted password")


def session_lines():
    mark = server.mark()
    server.ssh(user, "true", key=key)
    seen(r"^Received disconnect from %s port \d+:11: disconnected by user$"
         % HOST, mark, "Received disconnect")
    seen(r"^Disconnected from user %s %s port \d+$" % (user.name, HOST), mark,
         "Disconnected from user")
    text = server.log(mark)
    # The end of an earlier connection may be told late: look from ours on.
    text = text[text.index("Accepted publickey"):]
    ports = set(re.findall(r"%s port (\d+)" % HOST, text))
    tap.equal(len(ports), 1, "one connection, one port in its lines", text)
    for line in text.splitlines():
        tap.unlike(line, r"[^\x20-\x7e]", "plain text: %.40s" % line)


def failures():
    mark = server.mark()
    server.password_ssh(user, "wrong", "true")
    seen(r"^Failed password for %s from %s port \d+ ssh2$"
         % (user.name, HOST), mark, "Failed password")
    seen(r"^Connection closed by authenticating user %s %s port \d+ "
         r"\[preauth\]$" % (user.name, HOST), mark,
         "Connection closed by authenticating user")
    mark = server.mark()
    server.password_ssh("oetnobody", "wrong", "true")
    seen(r"^Invalid user oetnobody from %s port \d+$" % HOST, mark,
         "Invalid user")
    seen(r"^Failed password for invalid user oetnobody from %s port \d+ ssh2$"
         % HOST, mark, "Failed password for invalid user")
    seen(r"^Connection closed by invalid user oetnobody %s port \d+ "
         r"\[preauth\]$" % HOST, mark, "Connection closed by invalid user")
    mark = server.mark()
    server.ssh("oetnobody", "true", key=key)
    seen(r"^Invalid user oetnobody from %s port \d+$" % HOST, mark,
         "Invalid user, by key")


def too_many():
    mark = server.mark()
    server.password_ssh(user, "wrong", "true", prompts=4)
    seen(r"^(error: )?maximum authentication attempts exceeded for %s from %s "
         r"port \d+ ssh2 \[preauth\]$" % (user.name, HOST), mark,
         "maximum authentication attempts exceeded")
    seen(r"^Disconnecting authenticating user %s %s port \d+: Too many "
         r"authentication failures \[preauth\]$" % (user.name, HOST), mark,
         "Disconnecting authenticating user")


def scanners():
    mark = server.mark()
    sock = peer.connect(server)
    peer.read_line(sock)
    sock.close()
    seen(r"^Connection closed by %s port \d+( \[preauth\])?$|^error: kex_exchange_"
         r"identification: Connection closed by remote host$" % HOST, mark,
         "a port scan")
    mark = server.mark()
    sock = peer.connect(server)
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    peer.closed(sock)
    sock.close()
    seen(r"kex_exchange_identification: client sent invalid protocol "
         r"identifier \"GET / HTTP/1\.0\"|Bad protocol version identification "
         r"'GET / HTTP/1\.0' from %s port \d+" % HOST, mark, "a web client")
    mark = server.mark()
    done = server.ssh(user, "true", key=key,
                      options={"Ciphers": "3des-cbc"})
    tap.equal(done.returncode, 255, "a client with old algorithms only")
    seen(r"^Unable to negotiate with %s port \d+: no matching cipher found\. "
         r"Their offer: 3des-cbc \[preauth\]$" % HOST, mark,
         "Unable to negotiate")


def no_forgery():
    """A user name cannot make up a line of the log."""
    if flavour() == "openssh":
        tap.skip("no forged lines", "OpenSSH's -e writes newlines as they are")
        return
    forged = "x from 10.9.8.7 port 1\nAccepted password for root from 10.9.8.7"
    mark = server.mark()
    session = peer.transport(server)
    peer.verdict(session.auth_password, forged, "wrong")
    session.close()
    seen("Invalid user x from 10.9.8.7", mark, "an odd name is logged")
    tap.unlike(server.log(mark), r"^Accepted", "in one line")
    mark = server.mark()
    session = peer.transport(server)
    peer.verdict(session.auth_password, "\x1b[2J\x07\x01\xff", "wrong")
    session.close()
    server.logged("Invalid user", mark)
    tap.unlike(server.log(mark), r"[\x00-\x08\x0b-\x1f\x7f]",
               "control characters are encoded")


def each_filter(patterns, name):
    """Of the lines so far, those that tell of a failure are found."""
    text = server.log()
    for pattern in patterns:
        regex = pattern.replace("<HOST>", HOST)
        hits = re.findall(regex, text, re.M)
        tap.diag("%4d %s" % (len(hits), pattern[:60]))
    wanted = [line for line in text.splitlines() if re.match(
        r"(Failed|Invalid user|(error: )?maximum|Disconnecting .*Too many)",
        line) and "10.9.8.7" not in line and "\\" not in line]
    missed = [line for line in wanted if not any(
        re.search(p.replace("<HOST>", HOST), line) for p in patterns)]
    tap.ok(wanted and not missed, name, *missed)


def fail2ban():
    denied = place.server({"LogLevel": "INFO", "AllowUsers": "oetother"})
    denied.ssh(user, "true", key=key)
    tap.ok(denied.logged(r"^User %s from %s not allowed because not listed in "
                         r"AllowUsers$" % (user.name, HOST)),
           "User not allowed because not listed in AllowUsers")
    denied.stop()
    each_filter(FAILURES, "fail2ban's essential expressions find each failure")
    if not os.path.exists(FILTER):
        tap.skip("fail2ban's own filter", "fail2ban is not installed")
        return
    path = place.path("auth.log")
    with open(path, "w", encoding="utf-8") as out:
        for line in server.log().splitlines():
            out.write("Nov 23 10:00:00 gate sshd[4711]: %s\n" % line)
    done = place.run(["fail2ban-regex", "-v", path, FILTER])
    tap.like(done.stdout, r"Lines: \d+ lines, .* [1-9]\d* matched",
             "fail2ban's own filter matches")
    failed = len(re.findall(r"^Failed password for ", server.log(), re.M))
    for mode in ("normal", "aggressive"):
        done = place.run(["fail2ban-regex", "-o", "<ip>", path,
                          "%s[mode=%s]" % (FILTER, mode)])
        hosts = done.stdout.decode().split()
        tap.equal(set(hosts), {"127.0.0.1"}, "fail2ban, %s: it bans who it was"
                  % mode)
        tap.ok(len(hosts) >= failed > 0,
               "fail2ban, %s: each failed password counts" % mode,
               len(hosts), failed)


def other_user():
    """A client that goes on as somebody else."""
    mark = server.mark()
    with peer.transport(server) as client:
        for name in (user.name, "oetelse"):
            peer.verdict(client.auth_password, name, "wrong")
    seen(r"^Disconnecting authenticating user %s %s port \d+: Change of "
         r"username or service not allowed: \(%s,ssh-connection\) -> "
         r"\(oetelse,ssh-connection\)? \[preauth\]$"
         % (user.name, HOST, user.name), mark, "a change of user")


def the_end():
    server.stop()


tap.main(accepted, session_lines, failures, too_many, scanners, no_forgery,
         other_user, fail2ban, the_end)

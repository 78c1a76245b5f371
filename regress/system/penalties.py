#!/usr/bin/python3
"""PerSourceMaxStartups and PerSourcePenalties: what keeps a source out, for
what, who is exempt, and what the log says of it, once."""
import os
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import PATIENCE, holds, wait_for
import peer

if flavour() == "openssh":
    tap.skip_all("Debian 12's OpenSSH has no penalties yet")

TRIES = 10
REFUSAL = b"Not allowed at this time\r\n"
NOBODY = "oet-nobody-of-this-name"

place = Place()
user = place.account()
key = place.key()
wrong = place.key(name="wrong")
user.authorize(key)


def said(server, host="127.0.0.2"):
    """The server's first words to a client from this address."""
    with socket.create_connection(("127.0.0.1", server.port), 15,
                                  (host, 0)) as sock:
        try:
            return sock.recv(200)
        except ConnectionResetError:
            return b""


def refused(server, host="127.0.0.2"):
    """The server closes, with its sentence if the client gets to see it."""
    return not said(server, host).startswith(b"SSH-")


def fail(server, name, host="127.0.0.2"):
    return place.run(server.ssh_argv(name, "true", key=wrong,
                                     BindAddress=host)).returncode


def server_with(terms, **more):
    return place.server(dict({"PerSourcePenalties": terms,
                              "ListenAddress": "127.0.0.1"}, **more))


def penalised(server, words, mark, state="new 127.0.0.2/32 active"):
    tap.ok(server.logged(r"srclimit_penalise: ipv4: %s penalty of \S+ seconds"
                         " for penalty: %s" % (state, words), mark),
           "penalty: %s" % words)


def kept_out(server, words):
    mark = server.mark()
    tap.ok(holds(lambda: refused(server)), words + ": is kept out")
    tap.ok(not refused(server, "127.0.0.3"), words + ": others are not")
    tap.ok(server.logged(r"drop connection #\d+ from \[127\.0\.0\.2\]:\d+ on "
                         r"\[127\.0\.0\.1\]:%d penalty: %s"
                         % (server.port, words), mark),
           words + ": the refusal is logged")


def failed_authentication():
    server = server_with("authfail:60")
    mark = server.mark()
    tap.equal(fail(server, user), 255, "a login with a wrong key fails")
    penalised(server, "failed authentication", mark)
    kept_out(server, "failed authentication")
    mark = server.mark()
    server.signal(signal.SIGHUP)
    tap.ok(server.logged("Received SIGHUP", mark), "a reload")
    tap.ok(refused(server), "a reload keeps penalties")
    server.stop()


def invalid_user():
    server = server_with("authfail:0 invaliduser:60")
    mark = server.mark()
    fail(server, NOBODY)
    penalised(server, "attempted authentication by invalid user", mark)
    kept_out(server, "attempted authentication by invalid user")
    server.stop()


def no_authentication():
    server = server_with("noauth:60")
    mark = server.mark()
    tap.ok(not refused(server), "a client that says nothing is let in")
    penalised(server, "connections without attempting authentication", mark)
    kept_out(server, "connections without attempting authentication")
    server.stop()


def grace_exceeded():
    server = server_with("grace-exceeded:60", LoginGraceTime="1")
    mark = server.mark()
    with socket.create_connection(("127.0.0.1", server.port), 15,
                                  ("127.0.0.2", 0)) as sock:
        tap.ok(peer.closed(sock), "a client that never logs in is cut off")
    penalised(server, "exceeded LoginGraceTime", mark)
    kept_out(server, "exceeded LoginGraceTime")
    server.stop()


def network_processes(server):
    return [pid for pid in server.children()
            if os.path.basename(os.readlink("/proc/%d/exe" % pid))
            == "sshd-net"]


def crash():
    server = server_with("crash:60 noauth:0")
    mark = server.mark()
    with socket.create_connection(("127.0.0.1", server.port), 15,
                                  ("127.0.0.2", 0)) as sock:
        sock.recv(200)
        for pid in network_processes(server):
            os.kill(pid, signal.SIGABRT)
        tap.ok(peer.closed(sock), "its network process dies by SIGABRT")
    penalised(server, "caused crash", mark)
    kept_out(server, "caused crash")
    server.stop()


def a_login_is_no_offence():
    server = server_with("min:0 authfail:60 noauth:60 crash:60 "
                         "invaliduser:60 grace-exceeded:60")
    for _ in range(3):
        tap.equal(server.ssh(user, "exit 3", key=key).returncode, 3,
                  "a session that ends with a status of its own")
    client = place.popen(server.ssh_argv(user, "read x", key=key))
    tap.ok(holds(lambda: user.processes()), "a session is up")
    client.kill()
    client.wait()
    tap.ok(holds(lambda: not user.processes()), "and breaks")
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "nothing of it is punished")
    tap.unlike(server.log(), "penalise", "nor logged")
    server.stop()


def accrues():
    server = server_with("min:20 authfail:15")
    mark = server.mark()
    fail(server, user)
    penalised(server, "failed authentication", mark,
              "new 127.0.0.2/32 deferred")
    tap.ok(not refused(server), "below min: not kept out")
    fail(server, user)
    tap.ok(server.logged("srclimit_penalise: 127.0.0.2/32: activating ipv4 "
                         "penalty", mark), "a second offence activates it")
    tap.ok(holds(lambda: refused(server)), "then it is")
    server.stop()


def exempt_and_netblocks():
    server = server_with("authfail:60", PerSourceNetBlockSize="24",
                         PerSourcePenaltyExemptList="127.0.0.3,10.0.0.0/8")
    mark = server.mark()
    fail(server, user, "127.0.0.3")
    fail(server, user)
    penalised(server, "failed authentication", mark,
              "new 127.0.0.0/24 active")
    tap.ok(holds(lambda: refused(server, "127.0.0.9")),
           "the whole netblock is kept out")
    tap.ok(not refused(server, "127.0.0.3"), "but who is exempt is not")
    tap.equal(len(re.findall("penalise: ", server.log(mark))), 1,
              "one penalty, logged once")
    server.stop()


def passes():
    server = server_with("min:0 authfail:1")
    fail(server, user)
    tap.ok(holds(lambda: not refused(server)), "a penalty passes")
    server.stop()


def log_in(server):
    """A client that is in, or that was refused."""
    client = place.popen(server.ssh_argv(user, "read x", key=key,
                                         BindAddress="127.0.0.2"))
    wait_for(lambda: user.processes() or client.poll() is not None,
             what="a login or a refusal")
    return client


def max_startups_of_one_source():
    server = place.server({"PerSourceMaxStartups": "2"})
    held = []
    for _ in range(2):
        sock = socket.create_connection(("127.0.0.1", server.port), 15,
                                        ("127.0.0.2", 0))
        held.append(sock)
        tap.like(peer.read_line(sock), "^SSH-", "a place is free")
    mark = server.mark()
    tap.ok(refused(server), "a third of the same source is refused")
    tap.ok(server.logged(r"drop connection #2 from \[127\.0\.0\.2\]:\d+ on "
                         r"\[127\.0\.0\.1\]:%d past PerSourceMaxStartups"
                         % server.port, mark), "is logged")
    tap.ok(not refused(server, "127.0.0.3"), "another source is not")
    held.pop().close()
    tap.ok(holds(lambda: not refused(server)), "one gone, one may come")
    # Who asked just before may still count.
    for _ in range(TRIES):
        client = log_in(server)
        if user.processes():
            break
        client.communicate(b"\n", PATIENCE)
    tap.ok(user.processes(), "and log in")
    tap.ok(not refused(server), "who is in does not count")
    client.communicate(b"\n", PATIENCE)
    for sock in held:
        sock.close()
    server.stop()


tap.main(failed_authentication, invalid_user, no_authentication,
         grace_exceeded, crash, a_login_is_no_offence, accrues,
         exempt_and_netblocks, passes, max_startups_of_one_source)

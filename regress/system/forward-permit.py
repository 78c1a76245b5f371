#!/usr/bin/python3
"""What may be forwarded: AllowTcpForwarding, DisableForwarding, PermitOpen and
PermitListen of sshd_config(5), in and out of Match, and restrict,
no-port-forwarding, permitopen and permitlisten of authorized_keys(5)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from forward import Client, Service, check_echo, echo, quiet_port
from server import Place, listening
from wait import holds, wait_for

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
open_service, other_service = Service(echo), Service(echo)


def may_open(client, host, port):
    """Does -L to there work?"""
    near = quiet_port()
    client.control("forward", "-L", "%d:%s:%d" % (near, host, port))
    wait_for(lambda: listening(near), what="ssh -L")
    try:
        good = check_echo(near, 1000, 1)
    except OSError:
        good = False
    client.control("cancel", "-L", "%d:%s:%d" % (near, host, port))
    return good


def may_listen(client, port, host=None):
    """Does -R there work?"""
    spec = "%s%d:127.0.0.1:%d" % (host + ":" if host else "", port,
                                  open_service.port)
    done = client.control("forward", "-R", spec)
    if done.returncode != 0:
        return False
    bound = int(done.stdout or b"0") or port
    good = check_echo(bound, 1000, 2)
    client.control("cancel", "-R", spec)
    holds(lambda: not listening(bound))
    return good


def verdicts(conf=None, tail="", options=""):
    """(may open, may listen) under these rules."""
    user.authorize(key, options=options)
    server = place.server(conf, tail=tail)
    client = Client(server, user, key)
    found = (may_open(client, "127.0.0.1", open_service.port),
             may_listen(client, quiet_port()))
    tap.equal(client.run("echo in").stdout, b"in\n", "sessions go on")
    client.exit()
    server.stop()
    return found


def allow_tcp_forwarding():
    for value, wanted in (("yes", (True, True)), ("all", (True, True)),
                          ("local", (True, False)),
                          ("remote", (False, True)), ("no", (False, False))):
        tap.equal(verdicts({"AllowTcpForwarding": value}), wanted,
                  "AllowTcpForwarding " + value)
    tap.equal(verdicts(), (True, True), "and without it, yes")
    tap.equal(verdicts({"DisableForwarding": "yes"}), (False, False),
              "DisableForwarding")
    tap.equal(verdicts({"AllowTcpForwarding": "yes"},
                       tail="Match User %s\nAllowTcpForwarding no\n"
                       % user.name), (False, False), "behind Match User")


def key_options():
    for options, wanted in (
            ("restrict", (False, False)),
            ("no-port-forwarding", (False, False)),
            ("restrict,port-forwarding", (True, True)),
            ('permitopen="127.0.0.1:%d"' % open_service.port, (True, True)),
            ('permitopen="127.0.0.1:*"', (True, True)),
            ('permitopen="localhost:%d"' % open_service.port, (False, True)),
            ('permitopen="127.0.0.1:1",permitopen="127.0.0.1:%d"'
             % open_service.port, (True, True)),
            ('permitlisten="1"', (True, False)),
            ('permitlisten="localhost:*"', (True, True)),
            ('permitlisten="LOCAL*:*"', (True, True)),
            ('permitlisten="10.0.0.1:*"', (True, False))):
        tap.equal(verdicts(options=options), wanted, options)


def permit_open():
    port = open_service.port
    user.authorize(key)
    for value, wanted in (
            ("any", (True, True)), ("none", (False, False)),
            ("127.0.0.1:%d" % port, (True, False)),
            ("127.0.0.1:*", (True, True)), ("*:%d" % port, (True, False)),
            ("example.com:%d 127.0.0.1:%d" % (port, port), (True, False)),
            ("localhost:%d" % port, (False, False)),
            ("[::1]:%d" % port, (False, False))):
        server = place.server({"PermitOpen": value})
        client = Client(server, user, key)
        mark = server.mark()
        found = (may_open(client, "127.0.0.1", port),
                 may_open(client, "127.0.0.1", other_service.port))
        tap.equal(found, wanted, "PermitOpen " + value)
        tap.ok(all(found) or server.logged(
            r"Received request from 127\.0\.0\.1 port \d+ to connect to host "
            r"127\.0\.0\.1 port \d+, but the request was denied\.", mark),
            "a refusal is logged as OpenSSH does")
        client.exit()
        server.stop()


def both_lists_count():
    """The server's and the key's: each can only take away."""
    place_ = "127.0.0.1:%d" % open_service.port
    tap.equal(verdicts({"PermitOpen": place_},
                       options='permitopen="%s"' % place_)[0], True,
              "PermitOpen and permitopen agree")
    tap.equal(verdicts({"PermitOpen": place_},
                       options='permitopen="127.0.0.1:9"')[0], False,
              "the key's list takes away")
    tap.equal(verdicts({"PermitOpen": "127.0.0.1:9"},
                       options='permitopen="%s"' % place_)[0], False,
              "and so does the server's")


def permit_listen():
    port = quiet_port()
    user.authorize(key)
    for value, wanted in (
            ("any", (True, True)), ("none", (False, False)),
            (str(port), (True, False)), ("localhost:*", (True, True)),
            ("local*:%d" % port, (True, False)),
            ("127.0.0.1:%d" % port, (False, False)), ("*", (True, True))):
        server = place.server({"PermitListen": value})
        client = Client(server, user, key)
        mark = server.mark()
        found = (may_listen(client, port), may_listen(client, quiet_port()))
        tap.equal(found, wanted, "PermitListen " + value)
        tap.ok(all(found) or server.logged(
            r"to remote forward to host localhost port \d+, but the "
            r"request was denied\.", mark), "a refusal is logged")
        client.exit()
        server.stop()


def what_sshd_t_says():
    """No warning about what is done; a sentence about what is not."""
    for keyword, value, wanted in (
            ("AllowTcpForwarding", "yes", b""),
            ("PermitOpen", "example.com:22", b""),
            ("GatewayPorts", "clientspecified", b""),
            ("X11Forwarding", "yes", b""),
            ("AllowStreamLocalForwarding", "yes", b"Unix sockets"),
            ("PermitTunnel", "yes", rb"tun\(4\)"),
            ("StreamLocalBindUnlink", "yes", b"Unix sockets")):
        server = place.server({keyword: value})
        done = place.run([server.argv()[0], "-t", "-f", server.conf_path])
        tap.equal(done.returncode, 0, "%s %s: accepted" % (keyword, value))
        if wanted:
            tap.like(done.stderr, wanted.decode(), "with a warning")
        else:
            tap.unlike(done.stderr, keyword, "without a word")
        server.stop()


tap.main(allow_tcp_forwarding, key_options, permit_open, both_lists_count,
         permit_listen, what_sshd_t_says)

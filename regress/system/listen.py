#!/usr/bin/python3
"""Where it listens: several Port and ListenAddress lines, IPv6."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place, free_port, listening
from wait import PATIENCE, wait_for

place = Place()
user = place.account()
key = place.key()
user.authorize(key)


def has_ipv6():
    try:
        free_port("::1")
    except OSError:
        return False
    return True


def reach(server, host, port):
    """SSH_CONNECTION as seen through one of the addresses."""
    known = server.known_hosts
    with open(known, encoding="ascii") as text:
        lines = text.read()
    server.known_hosts = place.path("known_%d" % port)
    with open(server.known_hosts, "w", encoding="ascii") as out:
        out.write(re.sub(r"\]:\d+ ", "]:%d " % port, lines))
    argv = server.ssh_argv(user, "echo $SSH_CONNECTION", key=key, host=host)
    argv[argv.index("-p") + 1] = str(port)
    done = place.run(argv)
    server.known_hosts = known
    return done.stdout.decode().split()


def check(server, host, port):
    wait_for(lambda: listening(port), what="port %d" % port)
    seen = reach(server, host, port)
    tap.ok(len(seen) == 4 and seen[0] == seen[2] == host
           and seen[3] == str(port), "login at %s port %d" % (host, port),
           seen)


def two_addresses():
    addresses, second = [ADDRESS], free_port()
    conf = ["%s:%d" % (ADDRESS, second), ADDRESS]
    if has_ipv6():
        addresses.append("::1")
        conf.append("::1")
    else:
        tap.skip("::1", "no IPv6 here")
    server = place.server({"ListenAddress": conf})
    for host in addresses:
        check(server, host, server.port)
        tap.ok(server.logged(r"^Server listening on %s port %d\.$"
                             % (re.escape(host), server.port)), "is logged")
    check(server, ADDRESS, second)
    if has_ipv6():
        tap.ok(server.logged("^Accepted publickey for %s from ::1 port "
                             % user.name), "an IPv6 client in the log")
    server.stop()


def bracketed():
    if not has_ipv6():
        tap.skip("[::1]:port", "no IPv6 here")
        return
    second = free_port("::1")
    server = place.server({"ListenAddress": [ADDRESS, "[::1]:%d" % second]})
    check(server, "::1", second)
    server.stop()


def two_ports():
    second = free_port()
    server = place.server({"ListenAddress": ADDRESS},
                          tail="Port %d\n" % second)
    check(server, ADDRESS, server.port)
    check(server, ADDRESS, second)
    server.stop()


def any_address():
    server = place.server({"ListenAddress": "0.0.0.0",
                           "AddressFamily": "inet"})
    for host in (ADDRESS, "127.0.0.2"):
        done = place.run(server.ssh_argv(
            user, "echo in", key=key, host=host,
            HostKeyAlias="[%s]:%d" % (ADDRESS, server.port)))
        tap.equal(done.stdout, b"in\n", "login at " + host, done.stderr)
    server.stop()


def routing_domain():
    """A device stands for a VRF: a listener bound to it takes connections
    that come by it, Match and tokens know it, and no other is meant."""
    far = free_port()
    server = place.server(
        {"ListenAddress": [ADDRESS, "%s:%d rdomain lo" % (ADDRESS, far)],
         "SetEnv": "DOMAIN=none"},
        tail="Match RDomain lo\n\tSetEnv DOMAIN=lo\n")
    tap.ok(server.logged(r"^Server listening on %s port %d rdomain lo\.$"
                         % (re.escape(ADDRESS), far)), "is logged")
    for port, domain in ((server.port, "none"), (far, "lo")):
        argv = server.ssh_argv(
            user, "echo $DOMAIN", key=key,
            HostKeyAlias="[%s]:%d" % (ADDRESS, server.port))
        argv[argv.index("-p") + 1] = str(port)
        done = place.run(argv)
        tap.equal(done.stdout.decode().strip(), domain,
                  "Match RDomain at port %d" % port, done.stderr)
    tap.ok(server.logged(r'^Connection from .* port %d rdomain "lo"$' % far),
           "a connection's domain is logged")
    server.stop()


def taken():
    """A port that is taken ends the start with a clear message."""
    first = place.server()
    done = place.run([*first.argv()[:1], "-D", "-e", "-f", first.conf_path],
                     timeout=PATIENCE)
    tap.ok(done.returncode != 0, "a second server on the port fails")
    tap.like(done.stderr, r"Bind to port %d on %s failed: Address already in "
             "use" % (first.port, re.escape(ADDRESS)), "and says why")
    tap.like(done.stderr, "Cannot bind any address", "and that it ends")
    first.stop()


tap.main(two_addresses, bracketed, two_ports, any_address, routing_domain,
         taken)

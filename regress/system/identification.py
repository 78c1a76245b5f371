#!/usr/bin/python3
"""Whoever connects is told who is there (RFC 4253, 4.2), also if it does
nothing but that, as monitors and scanners do."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place, flavour
import peer

ROUNDS = 20
IDENTIFICATION = (r"^SSH-2\.0-OpenSSH_\S+" if flavour() == "openssh"
                  else r"^SSH-2\.0-OmniEdge_\d+\.\d+\.\d+$")

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()


def half_closed():
    """No byte of the client's ever comes, and it says so at once."""
    lines = []
    for _ in range(ROUNDS):
        with peer.connect(server) as sock:
            sock.shutdown(socket.SHUT_WR)
            lines.append(peer.read_line(sock).decode())
    tap.equal(len(set(lines)), 1, "%d are told the same" % ROUNDS, set(lines))
    tap.like(lines[0], IDENTIFICATION, "who is there")
    mark = server.mark()
    with peer.connect(server) as sock:
        sock.shutdown(socket.SHUT_WR)
        tap.ok(peer.closed(sock), "the connection then ends")
    tap.ok(server.logged(r"^(Connection closed by|error: kex_exchange_"
                         r"identification: Connection closed)", mark),
           "as one that its client has closed")


def words_then_half_closed():
    with peer.connect(server) as sock:
        sock.sendall(b"SSH-2.0-Monitor\r\n")
        sock.shutdown(socket.SHUT_WR)
        tap.like(peer.read_line(sock).decode(), IDENTIFICATION,
                 "who says who it is, and no more, is told")


def netcat():
    done = place.run(["nc", "-w", "5", "-N", ADDRESS, str(server.port)])
    tap.like(done.stdout.decode(errors="replace").split("\n")[0].strip(),
             IDENTIFICATION, "nc -N host port </dev/null", done.stderr)


def through_a_gateway():
    done = server.ssh(user, key=key, flags=[
        "-W", "%s:%d" % (ADDRESS, server.port)])
    tap.like(done.stdout.decode(errors="replace").split("\n")[0].strip(),
             IDENTIFICATION, "ssh -W host:port gateway </dev/null",
             done.stderr)


tap.main(half_closed, words_then_half_closed, netcat, through_a_gateway,
         server.stop)

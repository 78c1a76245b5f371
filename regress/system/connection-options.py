#!/usr/bin/python3
"""Options of the connection: IPQoS, VersionAddendum, UseDNS, and what Match
may change once the user is known."""
import ctypes
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import PATIENCE, command_line, wait_for
import aio
import peer

import asyncssh

SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
CLIENT_FD = 4  # of sshd-net
HOST = "client.example.oet"
NAP = "sleep"  # lint-ok: users' commands, which are to take their time

place = Place()
user = place.account()
other = place.account()
key = place.key()
for who in (user, other):
    who.authorize(key)


def nets(server):
    return [pid for pid in server.children()
            if command_line(pid).startswith("sshd-net")]


def tos_of(pid):
    """The class of a network process's packets."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    fd = libc.syscall(SYS_PIDFD_GETFD, pidfd, CLIENT_FD, 0)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    with socket.socket(fileno=fd) as sock:
        return sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)


def qos(conf, tail=""):
    """Classes of a connection without and with a terminal."""
    server = place.server(conf, tail=tail)
    found = []
    for flags in ((), ("-tt",)):
        client = place.popen(server.ssh_argv(user, "echo on; read x",
                                             key=key, flags=flags))
        client.stdout.readline()
        pid, = nets(server)
        found.append(tos_of(pid))
        client.communicate(b"\n", PATIENCE)
        wait_for(lambda: not nets(server), what="the end")
    server.stop()
    return found


def ip_qos():
    if flavour() == "openssh":
        tap.skip("IPQoS", "its socket is in another place")
        return
    tap.equal(qos({"IPQoS": "af21 cs1"}), [0x20, 0x48], "af21 cs1")
    tap.equal(qos({"IPQoS": "0x10"}), [0x10, 0x10], "one word for both")
    tap.equal(qos({}), [0, 0xb8], "the default: ef with a terminal")
    tap.equal(qos({"IPQoS": "none"}), [0, 0], "none")
    tap.equal(qos({}, "Match User %s\n\tIPQoS cs2 cs3\n" % user.name),
              [0x60, 0x40], "in a Match block")


def version_addendum():
    server = place.server({"VersionAddendum": "of the  gateway 7"})
    with peer.connect(server) as sock:
        tap.like(peer.read_line(sock), r"^SSH-2\.0-\S+ of the  gateway 7$",
                 "the text stands behind the name")
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "a client takes it")
    server.stop()
    server = place.server({"VersionAddendum": "none"})
    with peer.connect(server) as sock:
        tap.unlike(peer.read_line(sock), "none", "none is none")
    server.stop()


def sessions_in_match():
    """What is known only after the login holds for the whole of it."""
    server = place.server({"MaxSessions": "10"}, tail="Match User %s\n"
                          "\tMaxSessions 2\n" % user.name)

    async def count(who):
        async with aio.connect(server, who, key) as session:
            held = []
            try:
                for _ in range(4):
                    held.append(await session.create_process("cat"))
            except asyncssh.ChannelOpenError:
                pass
            return len(held)
    tap.equal(aio.run(count(user)), 2, "MaxSessions of the block")
    tap.equal(aio.run(count(other)), 4, "not for others")
    server.stop()


def alive_in_match():
    server = place.server(tail="Match User %s\n\tClientAliveInterval 1\n"
                          "\tClientAliveCountMax 2\n" % user.name)
    client = place.popen(server.ssh_argv(user, "echo on; exec cat", key=key))
    client.stdout.readline()
    client.send_signal(19)
    tap.ok(server.logged("Timeout, client not responding from user %s"
                         % user.name, timeout=PATIENCE),
           "ClientAliveInterval of the block")
    client.kill()
    server.stop()


def rekey_in_match():
    """An amount counts from the start, not from the next exchange on."""
    if flavour() == "openssh":
        tap.skip("RekeyLimit in Match", "it looks at the global one only")
        return
    server = place.server({"LogLevel": "DEBUG3"}, tail="Match User %s\n"
                          "\tRekeyLimit 1M\n" % user.name)

    def signs(who):
        mark = server.mark()
        done = server.ssh(who, "for i in 1 2 3 4 5 6 7 8; do "
                          "head -c 1000000 /dev/zero; %s 0.4; done" % NAP,
                          key=key)
        tap.equal(len(done.stdout), 8000000, "eight megabytes arrive")
        return len(re.findall(r"\bSIGN key=", server.log(mark)))
    tap.equal(signs(other), 1, "one exchange for others")
    found = signs(user)
    tap.ok(found >= 4, "several for the user of the block", found)
    server.stop()


def use_dns():
    """A name that leads back to the address counts, and no other."""
    hosts = place.path("hosts")

    def put(text):
        with open(hosts, "w", encoding="ascii") as out:
            out.write(text)
    put("127.0.0.1 %s\n" % HOST)
    nsswitch = place.path("nsswitch")
    with open(nsswitch, "w", encoding="ascii") as out:
        out.write("passwd: files\ngroup: files\nshadow: files\n"
                  "hosts: files\n")
    server = place.server(
        {"UseDNS": "yes", "AllowUsers": "%s@*.example.oet %s"
         % (user.name, other.name)},
        tail="Match Host %s\n\tSetEnv OET=named\n" % HOST,
        binds={"/etc/hosts": hosts, "/etc/nsswitch.conf": nsswitch})
    tap.equal(server.ssh(user, "echo $OET", key=key).stdout, b"named\n",
              "AllowUsers and Match Host by name")
    user.authorize(key, options='from="*,!%s"' % HOST)
    tap.ok(server.ssh(user, "true", key=key).returncode != 0,
           "from= keeps a name out")
    user.authorize(key, options='from="%s"' % HOST)
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "and lets one in")
    user.authorize(key)
    put("10.9.8.7 localhost\n")
    tap.equal(server.ssh(other, "echo .$OET", key=key).stdout, b".\n",
              "without a name it is the address")
    mark = server.mark()
    tap.ok(server.ssh(user, "true", key=key).returncode != 0,
           "and AllowUsers knows it by no name")
    tap.ok(server.logged(r"User %s from 127\.0\.0\.1 not allowed because not "
                         "listed in AllowUsers" % user.name, mark),
           "the log has the address")
    server.stop()
    put("127.0.0.1 %s\n" % HOST)
    server = place.server({"AllowUsers": "%s@%s" % (user.name, HOST)},
                          binds={"/etc/hosts": hosts})
    tap.ok(server.ssh(user, "true", key=key).returncode != 0,
           "UseDNS no looks up nothing")
    server.stop()


tap.main(ip_qos, version_addendum, sessions_in_match, alive_in_match,
         rekey_in_match, use_dns)

#!/usr/bin/python3
"""Forwarding with other clients than OpenSSH's: dbclient, plink, paramiko and
asyncssh, each both ways, every byte by hash; and what they see of a refusal."""
import asyncio
import hashlib
import os
import re
import shutil
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from forward import (Service, check_digest, check_echo, digest_then_noise,
                     echo, noise, quiet_port)
from server import ADDRESS, Place, free_port, listening
from wait import PATIENCE, holds, wait_for
import aio
import peer

import asyncssh
import paramiko

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
service = Service(digest_then_noise)


def both_ways(name, start):
    """start(local port, remote port) runs a client with -L and -R."""
    near, far = quiet_port(), quiet_port()
    client = start(near, far)
    wait_for(lambda: listening(near) and listening(far)
             or client.poll() is not None, what=name + " to listen")
    if client.poll() is not None:
        tap.ok(False, name + " forwards", *client.communicate())
        return
    tap.ok(check_digest(near, 3 << 20, 1), name + " -L")
    tap.ok(check_digest(far, 3 << 20, 2), name + " -R")
    client.terminate()
    client.wait(PATIENCE)
    tap.ok(holds(lambda: not listening(far)), name + ": the end of -R")


def dbclient():
    for tool in ("dbclient", "dropbearconvert"):
        if not shutil.which(tool):
            tap.skip("dbclient", tool + " is not installed")
            return
    own = place.path("id_dropbear")
    done = place.run(["dropbearconvert", "openssh", "dropbear", key, own])
    tap.equal(done.returncode, 0, "a key for dbclient", done.stderr)
    both_ways("dbclient", lambda near, far: place.popen([
        "dbclient", "-y", "-N", "-i", own, "-p", str(server.port),
        "-L", "%d:127.0.0.1:%d" % (near, service.port),
        "-R", "%d:127.0.0.1:%d" % (far, service.port),
        "%s@%s" % (user.name, ADDRESS)]))


def plink():
    for tool in ("plink", "puttygen"):
        if not shutil.which(tool):
            tap.skip("plink", tool + " is not installed")
            return
    own = place.path("id.ppk")
    place.run(["puttygen", key, "-o", own])
    done = place.run(["ssh-keygen", "-lf", server.host_keys()[0] + ".pub"])
    print_ = re.search(r"SHA256:\S+", done.stdout.decode())[0]
    both_ways("plink", lambda near, far: place.popen([
        "plink", "-batch", "-ssh", "-N", "-i", own, "-P", str(server.port),
        "-hostkey", print_, "-L", "%d:127.0.0.1:%d" % (near, service.port),
        "-R", "%d:127.0.0.1:%d" % (far, service.port),
        "%s@%s" % (user.name, ADDRESS)]))


def of_paramiko():
    link = peer.transport(server)
    link.auth_publickey(user.name, peer.load_key(key))
    channel = link.open_channel("direct-tcpip", ("127.0.0.1", service.port),
                                ("192.0.2.1", 7))
    data = noise(100000, 5)
    channel.sendall(data)
    channel.shutdown_write()
    got = b""
    while part := channel.recv(65536):
        got += part
    tap.equal(got[:64].decode(), hashlib.sha256(data).hexdigest(),
              "paramiko: direct-tcpip")
    try:
        link.open_channel("direct-tcpip", ("127.0.0.1", free_port()),
                          ("192.0.2.1", 7))
        tap.ok(False, "paramiko: nobody there")
    except paramiko.ChannelException as error:
        tap.equal(error.code, 1, "paramiko: nobody there: the channel is "
                  "refused")
    origins = []

    def handler(channel, origin, where):
        origins.append((origin[0], where))
        threading.Thread(target=lambda: serve(channel)).start()

    def serve(channel):
        while part := channel.recv(65536):
            channel.sendall(part)
        channel.shutdown_write()
        channel.close()
    port = link.request_port_forward("localhost", 0, handler)
    tap.ok(check_echo(port, 1 << 20, 6), "paramiko: forwarded-tcpip, port 0")
    tap.equal(origins, [("127.0.0.1", ("localhost", port))],
              "and is told who it is, and for which of its requests")
    link.cancel_port_forward("localhost", port)
    tap.ok(holds(lambda: not listening(port)), "and cancels it")
    for kind in ("x11", "auth-agent@openssh.com", "forwarded-tcpip",
                 "direct-streamlocal@openssh.com", "tun@openssh.com", "?"):
        try:
            link.open_channel(kind, ("127.0.0.1", service.port),
                              ("127.0.0.1", 1), timeout=PATIENCE)
            tap.ok(False, kind + " is not for a client to open")
        except paramiko.SSHException as error:
            tap.ok(isinstance(error, paramiko.ChannelException),
                   kind + " is not for a client to open", error)
    tap.ok(link.is_active(), "and the connection lives on")
    link.close()


async def of_asyncssh():
    async with aio.connect(server, user, key) as session:
        near = await session.forward_local_port(
            "127.0.0.1", 0, "127.0.0.1", service.port)
        port = near.get_port()
        good = await in_thread(check_digest, port, 1 << 20, 3)
        tap.ok(good, "asyncssh: forward_local_port")
        far = await session.forward_remote_port(
            "127.0.0.1", 0, "127.0.0.1", service.port)
        good = await in_thread(check_digest, far.get_port(), 1 << 20, 4)
        tap.ok(good, "asyncssh: forward_remote_port")
        many = [session.open_connection("127.0.0.1", service.port)
                for _ in range(50)]
        pairs = await asyncio.gather(*many)
        for reader, writer in pairs:
            writer.write(b"x")
            writer.write_eof()
        digests = [(await reader.read())[:64] for reader, _ in pairs]
        tap.equal(set(digests),
                  {hashlib.sha256(b"x").hexdigest().encode()},
                  "asyncssh: 50 channels, opened at once")
        try:
            await session.open_unix_connection("/run/nothing")
            tap.ok(False, "asyncssh: a Unix socket")
        except asyncssh.ChannelOpenError as error:
            tap.equal(error.code, 1, "asyncssh: a Unix socket is refused")


def in_thread(*call):
    return asyncio.get_running_loop().run_in_executor(None, *call)


def asyncssh_both_ways():
    aio.run(of_asyncssh())


tap.main(dbclient, plink, of_paramiko, asyncssh_both_ways, server.stop)

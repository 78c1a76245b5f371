#!/usr/bin/python3
"""X11 forwarding (RFC 4254, 6.3) to a display that is none: the first packet
of a real connection, with the cookie that xauth(1) was told, arrives with the
client's own cookie in it. Displays, X11UseLocalhost, ~/.ssh/rc, refusals."""
import os
import re
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from forward import Service
from server import Place, listening
from wait import PATIENCE, holds

import peer

tap.need_program("xauth")
COOKIE = "00112233445566778899aabbccddeeff"
NAME = b"MIT-MAGIC-COOKIE-1"
X11_PORT = 6000

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"X11Forwarding": "yes"})

# A program of the user's: opens $DISPLAY as Xlib does, says what it got.
PROGRAM = r'''
import os, socket, struct, subprocess, sys
host, rest = os.environ["DISPLAY"].split(":")
line = subprocess.run(["xauth", "list", os.environ["DISPLAY"]],
                      capture_output=True, text=True).stdout.split()
cookie = bytes.fromhex(line[2]) if len(line) == 3 else b""
name = b"MIT-MAGIC-COOKIE-1"
sock = socket.create_connection((host, 6000 + int(rest.split(".")[0])))
sock.sendall(b"l\0" + struct.pack("<HHHHH", 11, 0, len(name), len(cookie), 0)
             + name + b"\0" * (-len(name) % 4) + cookie)
sys.stdout.write(sock.recv(100).decode())
'''


def fake_display(seen):
    """A service that reads an X11 set-up and welcomes who sent it."""
    def serve(sock):
        head = sock.recv(12, socket.MSG_WAITALL)
        if len(head) < 12:
            return
        name, data = struct.unpack("<HH", head[6:10])
        body = sock.recv(name + -name % 4 + data, socket.MSG_WAITALL)
        seen.append((body[:name], body[name + -name % 4:].hex()))
        sock.sendall(b"welcome\n")
    return Service(serve)


def client_env(service):
    """The client's display is the fake one, and its cookie is known."""
    display = "127.0.0.1:%d" % (service.port - X11_PORT)
    authority = place.path("Xauthority")
    env = place.environment(DISPLAY=display, XAUTHORITY=authority)
    place.run(["xauth", "-q", "add", display, NAME.decode(), COOKIE], env=env)
    return env


def program():
    return "python3 -c '%s'" % PROGRAM.replace("'", "'\\''")


def whole_way():
    seen = []
    service = fake_display(seen)
    env = client_env(service)
    done = server.ssh(user, "echo $DISPLAY; " + program(), key=key, env=env,
                      flags=["-Y"])
    tap.like(done.stdout, r"^localhost:\d+\.0\nwelcome\n",
             "a program opens the display", done.stderr)
    tap.equal(seen, [(NAME, COOKIE)], "the display sees the client's cookie")
    number = int(re.search(rb":(\d+)", done.stdout)[1])
    tap.ok(number >= 10, "X11DisplayOffset is 10")
    tap.ok(holds(lambda: not listening(X11_PORT + number)),
           "the display ends with the session")


def wrong_cookie():
    """It is the client that looks at the cookie; we pass it on as it is."""
    seen = []
    service = fake_display(seen)
    done = server.ssh(user, "xauth -q remove $DISPLAY; " + program(), key=key,
                      env=client_env(service), flags=["-Y"])
    tap.unlike(done.stdout, "welcome", "without the cookie nobody gets in")


def listener_of_user():
    client = place.popen(server.ssh_argv(
        user, "echo $DISPLAY; read x", key=key, flags=["-Y"]),
        env=client_env(fake_display([])))
    number = int(client.stdout.readline().decode().split(":")[1].split(".")[0])
    with open("/proc/net/tcp", encoding="ascii") as table:
        found = [line.split() for line in table
                 if "0100007F:%04X" % (X11_PORT + number) in line.split()[1:2]]
    tap.equal([int(fields[7]) for fields in found if fields[3] == "0A"],
              [user.uid], "who listens is the user, on localhost")
    second = place.popen(server.ssh_argv(
        user, "echo $DISPLAY; read x", key=key, flags=["-Y"]),
        env=client_env(fake_display([])))
    other = int(second.stdout.readline().decode().split(":")[1].split(".")[0])
    tap.ok(other != number, "another session has another display")
    for each in (client, second):
        each.communicate(b"\n", PATIENCE)


def rc_script():
    """sshd(8): ~/.ssh/rc reads protocol and cookie, and does xauth's work."""
    user.write(".ssh/rc", "read proto cookie && echo \"got $proto "
               "${#cookie}\" > ~/rc.out\n")
    server.ssh(user, "rm .Xauthority", key=key)
    done = server.ssh(user, "cat rc.out; xauth list $DISPLAY", key=key,
                      env=client_env(fake_display([])), flags=["-Y"])
    tap.equal(done.stdout, b"got MIT-MAGIC-COOKIE-1 32\n",
              "~/.ssh/rc was told, and xauth was not run", done.stderr)
    done = server.ssh(user, "cat rc.out", key=key)
    tap.equal(done.stdout, b"got MIT-MAGIC-COOKIE-1 32\n",
              "without X11 it reads nothing")
    os.unlink(user.path(".ssh", "rc"))


def use_localhost():
    where = place.server({"X11Forwarding": "yes", "X11UseLocalhost": "no",
                          "X11DisplayOffset": "40"})
    done = where.ssh(user, "echo $DISPLAY; xauth list $DISPLAY", key=key,
                     env=client_env(fake_display([])), flags=["-Y"])
    tap.like(done.stdout, r"^%s:(4\d|[5-9]\d|\d{3,})\.0\n.*MIT-MAGIC"
             % re.escape(socket.gethostname()),
             "X11UseLocalhost no: the host's name; X11DisplayOffset",
             done.stderr)
    where.stop()


def request(where, single=False, cookie=COOKIE, proto=NAME.decode()):
    """(connection, channel, display number) of paramiko's x11-req."""
    link = peer.transport(where)
    link.auth_publickey(user.name, peer.load_key(key))
    channel = link.open_session()
    try:
        channel.request_x11(auth_protocol=proto, auth_cookie=cookie,
                            single_connection=single, handler=lambda *_: None)
    except peer.paramiko.SSHException:
        link.close()
        raise
    channel.exec_command("echo $DISPLAY; read x")
    text = channel.makefile().readline()
    return link, channel, int(text.split(":")[1].split(".")[0])


def single_connection():
    for single in (False, True):
        link, channel, number = request(server, single=single)
        with socket.create_connection(("127.0.0.1", X11_PORT + number)):
            gone = holds(lambda: not listening(X11_PORT + number),
                         10 if single else 0.5)
            tap.equal(gone, single, "single-connection: %s" % single)
        link.close()


def refusals():
    evil = "x\nremove unix:0"
    for name, conf, options, more in (
            ("X11Forwarding no", {"X11Forwarding": "no"}, "", {}),
            ("no X11Forwarding", {"X11Forwarding": None}, "", {}),
            ("DisableForwarding", {"DisableForwarding": "yes"}, "", {}),
            ("restrict", {}, "restrict", {}),
            ("no-X11-forwarding", {}, "no-X11-forwarding", {}),
            ("no xauth", {"XAuthLocation": "/nonexistent"}, "", {}),
            ("a newline in the cookie", {}, "", {"cookie": evil}),
            ("a space in the protocol", {}, "", {"proto": "a b"}),
            ("no cookie", {}, "", {"cookie": ""})):
        user.authorize(key, options=options)
        where = place.server(dict({"X11Forwarding": "yes"}, **conf))
        try:
            request(where, **more)
            refused = False
        except peer.paramiko.SSHException:
            refused = True
        tap.ok(refused, name + ": refused")
        tap.equal(where.ssh(user, "echo in$DISPLAY", key=key).stdout, b"in\n",
                  "and sessions go on")
        where.stop()
    user.authorize(key)


tap.main(whole_way, wrong_cookie, listener_of_user, rc_script, use_localhost,
         single_connection, refusals, server.stop)

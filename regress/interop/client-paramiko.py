#!/usr/bin/python3
"""paramiko: exec, sftp, a shell, forwarding of a port."""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
try:
    import paramiko
except ImportError:
    tap.skip_all("paramiko is not installed")
from server import ADDRESS, Place, flavour
from wait import PATIENCE

SIZE = 5 << 20
SECONDS = PATIENCE
CHANNELS = 10

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()


def connect(path=key, **more):
    client = paramiko.SSHClient()
    client.load_host_keys(server.known_hosts)
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        client.connect(ADDRESS, server.port, user.name, key_filename=path,
                       allow_agent=False, look_for_keys=False,
                       timeout=SECONDS, **more)
    except paramiko.SSHException:
        client.close()
        raise
    return client


def run(client, command, data=b""):
    stdin, stdout, stderr = client.exec_command(command, timeout=SECONDS)
    stdin.write(data)
    stdin.channel.shutdown_write()
    return stdout.channel.recv_exit_status(), stdout.read(), stderr.read()


def logins():
    for kind, bits in (("ed25519", None), ("ecdsa", 256), ("ecdsa", 384),
                       ("rsa", 2048)):
        path = place.key(kind, bits)
        user.authorize(path)
        with connect(path) as client:
            tap.equal(run(client, "echo in"), (0, b"in\n", b""),
                      "login with %s %s" % (kind, bits or ""))
    user.authorize(key)
    with connect(None, password=user.password) as client:
        tap.equal(run(client, "echo in")[1], b"in\n", "login by password")
    try:
        connect(None, password="wrong").close()
        tap.ok(False, "a wrong password is refused")
    except paramiko.AuthenticationException:
        tap.ok(True, "a wrong password is refused")


def commands():
    with connect() as client:
        tap.equal(run(client, "echo out; echo err >&2; exit 9"),
                  (9, b"out\n", b"err\n"), "status and streams")
        data = os.urandom(1 << 20)
        tap.ok(run(client, "cat", data)[1] == data, "1 MiB and back")
        channels = []
        for number in range(CHANNELS):
            channel = client.get_transport().open_session(timeout=SECONDS)
            channel.exec_command("read x; echo $x; exit %d" % number)
            channels.append(channel)
        for number, channel in enumerate(channels):
            channel.sendall(b"%d\n" % number)
            tap.equal((channel.makefile().read(),
                       channel.recv_exit_status()),
                      (b"%d\n" % number, number), "channel %d" % number)
        for channel in channels:
            channel.close()


def shell():
    with connect() as client:
        channel = client.invoke_shell("vt100", 90, 35)
        channel.settimeout(SECONDS)
        channel.sendall(b"stty -echo; stty size; echo $TERM; tty; exit 6\n")
        seen = b""
        while True:
            part = channel.recv(4096)
            if not part:
                break
            seen += part
        tap.like(seen, r"35 90\r\nvt100\r\n/dev/pts/\d+", "invoke_shell")
        tap.equal(channel.recv_exit_status(), 6, "and its status")


def sftp():
    data = os.urandom(SIZE)
    with connect() as client:
        files = client.open_sftp()
        tap.equal(files.normalize("."), user.home, "sftp starts at home")
        with files.open("f", "wb") as out:
            out.set_pipelined(True)
            out.write(data)
        tap.equal(files.stat("f").st_size, SIZE, "write and stat")
        with files.open("f", "rb") as back:
            back.prefetch(SIZE)
            tap.ok(back.read() == data, "prefetched read")
            tap.equal(back.readv([(1000, 10), (SIZE - 5, 5)]).__next__(),
                      data[1000:1010], "readv")
        with files.open("f", "r+b") as change:
            change.seek(100)
            change.write(b"changed")
            change.truncate(1000)
        tap.equal(files.open("f").read(), data[:100] + b"changed"
                  + data[107:1000], "seek, write, truncate")
        with files.open("f", "ab") as more:
            more.write(b"end")
        tap.equal(files.stat("f").st_size, 1003, "append")
        directory(files)
        files.close()


def directory(files):
    files.chmod("f", 0o640)
    files.utime("f", (1000000000, 1111111111))
    stat = files.stat("f")
    tap.equal((stat.st_mode & 0o7777, stat.st_mtime, stat.st_uid),
              (0o640, 1111111111, user.uid), "chmod, utime")
    files.mkdir("d", 0o750)
    files.rename("f", "d/g")
    files.symlink("g", "d/l")
    tap.equal((sorted(files.listdir("d")), files.readlink("d/l")),
              (["g", "l"], "g"), "mkdir, rename, symlink, listdir")
    tap.ok(files.lstat("d/l").st_mode & 0o170000 == 0o120000, "lstat")
    files.posix_rename("d/l", "d/g")
    for call, wanted in ((lambda: files.stat("none"), FileNotFoundError),
                         (lambda: files.open("/etc/oet", "w"),
                          PermissionError),
                         (lambda: files.rmdir("d"), OSError)):
        try:
            call()
            tap.ok(False, "%s is told" % wanted.__name__)
        except wanted:
            tap.ok(True, "%s is told" % wanted.__name__)
    files.unlink("d/g")
    files.rmdir("d")
    tap.ok("d" not in files.listdir("."), "unlink, rmdir")


def echo_server(listener):
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            peer.sendall(peer.recv(100).upper())


def forwarding():
    if flavour() != "openssh":
        tap.skip("direct-tcpip", "not offered by this release")
        return
    listener = socket.create_server((ADDRESS, 0))
    threading.Thread(target=echo_server, args=(listener,),
                     daemon=True).start()
    with connect() as client:
        channel = client.get_transport().open_channel(
            "direct-tcpip", listener.getsockname(), ("127.0.0.1", 1),
            timeout=SECONDS)
        channel.settimeout(SECONDS)
        channel.sendall(b"through")
        tap.equal(channel.recv(100), b"THROUGH", "direct-tcpip")
        channel.close()
        back = client.get_transport().request_port_forward(ADDRESS, 0)
        tap.ok(back > 0, "tcpip-forward of a port that the server chooses")
        with socket.create_connection((ADDRESS, back), SECONDS) as sock:
            channel = client.get_transport().accept(SECONDS)
            sock.sendall(b"back")
            tap.equal(channel.recv(100), b"back", "forwarded-tcpip")
            channel.close()
        client.get_transport().cancel_port_forward(ADDRESS, back)
    listener.close()


def the_end():
    server.stop()


tap.main(logins, commands, shell, sftp, forwarding, the_end)

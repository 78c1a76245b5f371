#!/usr/bin/python3
"""omniedge ssh -L and -R with Unix sockets, and OpenSSH's sshd, which has
direct-streamlocal@openssh.com."""
import os
import shutil
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
os.environ["SSHD_FLAVOUR"] = "openssh"
import tap
from omniedge import Omniedge
from server import ADDRESS, Place, free_port, listening
from wait import PATIENCE, command_line, holds, wait_for

BIG = os.urandom(3 << 20)

if not shutil.which("sshd") and not os.path.exists("/usr/sbin/sshd"):
    tap.skip_all("no sshd of OpenSSH's: contrib/packages install test")
place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
client = Omniedge(place, server)


class Echo:
    """Sends back what came, reversed, once the other side is done."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            peer, _ = self.socket.accept()
            threading.Thread(target=answer, args=(peer,), daemon=True).start()


def answer(peer):
    with peer:
        data = b""
        while True:
            part = peer.recv(65536)
            if not part:
                break
            data += part
        peer.sendall(data[::-1])


def exchange(sock, data):
    with sock:
        sock.settimeout(PATIENCE)
        threading.Thread(target=send, args=(sock, data), daemon=True).start()
        got = b""
        try:
            while part := sock.recv(65536):
                got += part
        except ConnectionResetError:
            pass  # it was closed with our bytes unread
        return got


def send(sock, data):
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it was closed: what came back tells


def reach(where):
    if isinstance(where, int):
        return socket.create_connection((ADDRESS, where), 30)
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(where)
    return sock


def forwarding(*flags):
    return place.popen(client.argv(user, key=key, flags=[
        "-N", "-o", "ExitOnForwardFailure=yes", *flags]))


def stop(process):
    process.terminate()
    process.wait(PATIENCE)


def works(name, where, *flags):
    process = forwarding(*flags)
    ready = (lambda: listening(where)) if isinstance(where, int) else \
        (lambda: os.path.exists(where))
    wait_for(ready, what="the forwarding")
    tap.equal(exchange(reach(where), b"abc"), b"cba", name)
    tap.ok(exchange(reach(where), BIG) == BIG[::-1],
           "with back-pressure both ways")
    socks = [reach(where) for _ in range(20)]
    tap.equal([exchange(sock, b"%d." % n) for n, sock in enumerate(socks)],
              [(b"%d." % n)[::-1] for n in range(20)], "20 side by side")
    stop(process)


def local_port():
    echo, port = Echo(place.path("far.sock")), free_port()
    works("-L port:/far", port, "-L", "%d:%s" % (port, echo.path))


def local_path():
    far, near = Echo(place.path("far2.sock")), place.path("near2.sock")
    works("-L /near:/far", near, "-L", "%s:%s" % (near, far.path))
    tap.ok(not os.path.exists(near), "the socket is removed at the end")


def from_file():
    far, near = Echo(place.path("far3.sock")), place.path("near3.sock")
    port = free_port()
    works("LocalForward port /far", port, "-o", "LocalForward=%d %s"
          % (port, far.path))
    works("LocalForward /near /far", near, "-o", "LocalForward=%s %s"
          % (near, far.path))


def nobody_there():
    port = free_port()
    process = forwarding("-L", "%d:%s" % (port, place.path("none.sock")))
    wait_for(lambda: listening(port), what="the forwarding")
    tap.equal(exchange(reach(port), b"abc"), b"", "nobody listens there")
    stop(process)
    tap.like(process.stderr.read(), "forwarding to .*none.sock",
             "which names the socket")


def remote_port():
    echo, port = Echo(place.path("here.sock")), free_port()
    works("-R port:/here", port, "-R", "%d:%s" % (port, echo.path))


def remote_path():
    done = client.run(user, "echo in", key=key,
                      flags=["-R", "%s:h:1" % place.path("r.sock")])
    tap.equal((done.returncode, done.stdout), (255, b""),
              "-R /far:...: refused before it connects")
    tap.like(done.stderr, "Bad remote forwarding .*Unix socket", "says why")
    done = client.run(user, "echo in", key=key, options={
        "RemoteForward": "%s h:1" % place.path("r.sock")})
    tap.equal(done.stdout, b"in\n", "in a file it is as a port in use")
    tap.like(done.stderr, "the library cannot ask a server to listen on a "
             "Unix socket", "which is said")


def shared():
    echo, port = Echo(place.path("far4.sock")), free_port()
    path = place.path("control")
    master = forwarding("-M", "-S", path)
    wait_for(lambda: os.path.exists(path), what="the master")
    done = client.run(user, key=key, flags=[
        "-S", path, "-O", "forward", "-L", "%d:%s" % (port, echo.path)])
    tap.equal(done.returncode, 0, "-O forward", done.stderr)
    tap.equal(exchange(reach(port), b"abc"), b"cba", "reaches the socket")
    done = client.run(user, key=key, flags=[
        "-S", path, "-O", "cancel", "-L", "%d:%s" % (port, echo.path)])
    tap.ok(done.returncode == 0 and holds(lambda: not listening(port)),
           "-O cancel", done.stderr)
    client.run(user, key=key, flags=["-S", path, "-O", "exit"])
    master.wait(PATIENCE)


def sessions():
    return [pid for pid in server.children() if pid != server.process.pid
            and "sshd: " in command_line(pid)]


def end():
    wait_for(lambda: not sessions(), what="the sessions to end")
    server.stop()


tap.main(local_port, local_path, from_file, nobody_there, remote_port,
         remote_path, shared, end)

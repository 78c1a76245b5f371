#!/usr/bin/python3
"""direct-tcpip (RFC 4254, 7.2): -L, -D, -W and -J of the stock client. Every
byte both ways, half-closes, who it is that connects, what is refused."""
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from forward import (Client, Service, check_digest, check_echo, dial,
                     digest_then_noise, echo, local_forward, read_all,
                     quiet_port, refused, socks5)
from server import ADDRESS, Place, built, listening
from wait import holds, wait_for

MANY = 300

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"MaxSessions": "1"})


def bytes_both_ways():
    service = Service(digest_then_noise)
    client, port = local_forward(server, user, key,
                                 "localhost:%d" % service.port)
    for size in (0, 1, 65537, 5 << 20):
        tap.ok(check_digest(port, size, size),
               "%d bytes, a half-close, and the answer after it" % size)
    echoing = Service(echo)
    client.control("forward", "-L", "%d:127.0.0.1:%d"
                   % (free := quiet_port(), echoing.port))
    tap.ok(check_echo(free, 8 << 20, 1), "8 MiB both ways at the same time")
    tap.equal(set(service.owners + echoing.owners), {user.uid},
              "who connects is the user")
    client.exit()


def far_end_closes_first():
    """The service ends its direction; ours stays open until we end it."""
    got = []

    def ends_first(sock):
        sock.sendall(b"only word")
        sock.shutdown(socket.SHUT_WR)
        got.append(read_all(sock))
    service = Service(ends_first)
    client, port = local_forward(server, user, key,
                                 "127.0.0.1:%d" % service.port)
    with dial(port) as sock:
        tap.equal(read_all(sock), b"only word", "its end comes through")
        sock.sendall(b"still here")
        sock.shutdown(socket.SHUT_WR)
        tap.ok(holds(lambda: got == [b"still here"]),
               "and what is sent after it arrives", got)
    client.exit()


def many_at_once():
    service = Service(digest_then_noise)
    client, port = local_forward(server, user, key,
                                 "127.0.0.1:%d" % service.port)
    with ThreadPoolExecutor(MANY) as pool:
        good = list(pool.map(lambda seed: check_digest(port, 20000, seed),
                             range(MANY)))
    tap.equal(good.count(True), MANY, "%d connections at once" % MANY)
    tap.ok(service.accepted >= MANY, "each of them arrived")
    client.exit()


def stalled_channel():
    """Nobody reads the one; the other goes on."""
    stuck = []

    def pour(sock):
        stuck.append(sock)
        while True:
            sock.sendall(b"x" * 65536)
    pouring, echoing = Service(pour), Service(echo)
    first = quiet_port()
    client, port = local_forward(server, user, key,
                                 "127.0.0.1:%d" % echoing.port,
                                 "-L", "%d:127.0.0.1:%d"
                                 % (first, pouring.port))
    with dial(first) as unread:
        wait_for(lambda: stuck, what="the pouring service")
        tap.ok(check_echo(port, 4 << 20, 2),
               "4 MiB pass beside a channel that nobody reads")
        unread.setblocking(True)
        tap.ok(len(unread.recv(1000)) > 0, "which has not been lost")
    client.exit()


def dynamic():
    """-D: SOCKS, with names that the server resolves."""
    service = Service(echo)
    port = quiet_port()
    client = Client(server, user, key, "-D", str(port))
    wait_for(lambda: listening(port), what="ssh -D")
    with socks5(port, "localhost", service.port) as sock:
        sock.sendall(b"hello")
        sock.shutdown(socket.SHUT_WR)
        tap.equal(read_all(sock), b"hello", "SOCKS5 with a name")
    mark = server.mark()
    try:
        socks5(port, "no-such-host.invalid", 80)
        tap.ok(False, "an unknown name is refused")
    except OSError:
        tap.ok(True, "an unknown name is refused")
    tap.ok(server.logged(r"connect_to no-such-host\.invalid: unknown host",
                         mark), "and logged")
    client.exit()


def stdio_and_jump():
    """-W, and -J through this server to itself."""
    service = Service(echo)
    done = server.ssh(user, key=key, input=b"by -W",
                      flags=["-W", "127.0.0.1:%d" % service.port])
    tap.equal((done.stdout, done.returncode), (b"by -W", 0), "-W",
              done.stderr)
    with open(place.path("jump.conf"), "w", encoding="ascii") as conf:
        conf.write("Host *\nUser %s\nPort %d\nIdentityFile %s\n"
                   "UserKnownHostsFile %s\nGlobalKnownHostsFile /dev/null\n"
                   "IdentitiesOnly yes\nBatchMode yes\n" % (
                       user.name, server.port, key, server.known_hosts))
    done = place.run(["ssh", "-F", conf.name, "-J", ADDRESS, ADDRESS,
                      "echo over; exit 7"])
    tap.equal((done.stdout, done.returncode), (b"over\n", 7), "-J",
              done.stderr)


def nobody_there():
    mark = server.mark()
    port = quiet_port()
    client, near = local_forward(server, user, key, "127.0.0.1:%d" % port)
    tap.ok(refused(near), "a port where nobody listens is refused")
    tap.ok(server.logged(r"connect_to 127\.0\.0\.1 port %d: failed" % port,
                         mark), "and logged")
    tap.equal(client.run("echo alive").stdout, b"alive\n",
              "the connection lives on")
    client.exit()


def slow_name_stalls_nobody():
    """A connection that gets no answer at all: 100 of them, and one that
    works beside them (192.0.2.0/24 is nobody's)."""
    service = Service(echo)
    port, near = quiet_port(), quiet_port()
    client = Client(server, user, key, "-L", "%d:192.0.2.1:9" % port,
                    "-L", "%d:127.0.0.1:%d" % (near, service.port))
    wait_for(lambda: listening(near), what="ssh -L")
    held = [dial(port) for _ in range(100)]
    tap.ok(check_echo(near, 100000, 3), "others go on meanwhile")
    for sock in held:
        sock.close()
    client.exit()


def not_offered():
    """What libssh cannot serve is refused, and the connection lives on."""
    mark = server.mark()
    path = place.path("sock")
    client = Client(server, user, key, "-L", path + ":/run/nothing")
    wait_for(lambda: os.path.exists(path), what="the client's socket")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        tap.equal(sock.recv(1), b"", "a Unix socket there is refused")
    tap.ok(server.logged("refused a channel of a type", mark),
           "which is logged")
    done = client.control("forward", "-R", "/tmp/x:/tmp/y")
    tap.ok(done.returncode != 0, "and one to listen on, too", done.stderr)
    if b"libssh 0.10." in place.run([built("sshd-net"), "-V"]).stderr:
        tap.ok(server.logged("refused to listen on a Unix socket", mark),
               "which is logged as well")
    done = server.ssh(user, "echo in", key=key, flags=["-R", "/tmp/x:/tmp/y"])
    tap.equal(done.stdout, b"in\n", "who asks for it gets a session")
    tap.like(done.stderr, "remote port forwarding failed for listen path "
             "/tmp/x", "and is told")
    tap.equal(client.run("echo alive").stdout, b"alive\n",
              "the connection lives on")
    client.exit()


def idle_channels():
    """ChannelTimeout ends a forwarding that nobody uses, and no other."""
    service = Service(echo)
    where = place.server({"ChannelTimeout": "direct-tcpip=1s"})
    client, port = local_forward(where, user, key,
                                 "127.0.0.1:%d" % service.port, "-R",
                                 "%d:127.0.0.1:%d" % (far := quiet_port(),
                                                      service.port))
    wait_for(lambda: listening(far), what="the server to listen")
    with dial(port) as idle, dial(far) as other:
        for sock in (idle, other):
            sock.sendall(b"x")
            tap.equal(sock.recv(1), b"x", "a forwarding works")
        tap.equal(idle.recv(1), b"", "and is closed when it was idle")
        other.sendall(b"y")
        tap.equal(other.recv(1), b"y", "but one of another type is not")
    tap.equal(client.run("echo alive").stdout, b"alive\n",
              "the connection lives on")
    client.exit()
    where.stop()


tap.main(bytes_both_ways, far_end_closes_first, many_at_once,
         stalled_channel, dynamic, stdio_and_jump, nobody_there,
         slow_name_stalls_nobody, not_offered, idle_channels, server.stop)

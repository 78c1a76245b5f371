#!/usr/bin/python3
"""sshdctl(8): lists and ends live sessions, also those of a server that is
gone; lists and lifts penalties; tells several servers apart; lets nobody but
root in, and a client of its socket cannot hold the server up."""
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "evil"))
import messages
import tap
from server import Place, built, flavour
from wait import PATIENCE, holds, kill_quietly, running

if flavour() == "openssh":
    tap.skip_all("OpenSSH has no such program")

MAGIC = b"SSHDCTL1"
DIRECTORY = "/run/sshdctl"
SSHDCTL = built("sshdctl")

place = Place()
alice, bob = place.account(), place.account()
key = place.key()
for account in (alice, bob):
    account.authorize(key)


def ctl(server, *words, **more):
    """Run it for one server of the test's; others may run meanwhile."""
    flags = ["-f", server.conf["PidFile"]] if server else []
    return place.run([SSHDCTL, *flags, *words], **more)


def listed(server, command="sessions"):
    done = ctl(server, command, "--json")
    return json.loads(done.stdout or b"[]")


def session(server, user):
    """A session that goes on until it is ended, and its client."""
    client = place.popen(server.ssh_argv(user, "echo up; read x", key=key))
    client.stdout.readline()
    return client


def of_user(server, user):
    return [row for row in listed(server) if row["user"] == user.name]


def lists_sessions():
    server = place.server()
    tap.equal(listed(server), [], "nobody is there: an empty list")
    client = session(server, alice)
    row = of_user(server, alice)[0]
    tap.equal((row["addr"], row["laddr"], row["lport"], row["sshd"],
               row["sshd_running"], row["pid_file"]),
              ("127.0.0.1", "127.0.0.1", server.port, server.process.pid,
               True, server.conf["PidFile"]), "where from, where to, whose")
    tap.ok(server.logged("Accepted publickey for %s from 127.0.0.1 port %d "
                         % (alice.name, row["port"])), "the client's port")
    tap.like(row["since"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", "since when")
    text = ctl(server, "sessions").stdout.decode()
    tap.like(text, r"^ID +USER +FROM +PORT +SINCE$", "a heading")
    tap.like(text, r"^%d +%s +127\.0\.0\.1:%d +%d +\d{4}-" % (
        row["id"], alice.name, row["port"], server.port), "a line each")
    client.communicate(b"\n", PATIENCE)
    tap.ok(holds(lambda: not listed(server)), "a session that ended is gone")
    server.stop()


def ends_sessions():
    server = place.server()
    clients = [session(server, user) for user in (alice, alice, bob)]
    ids = [row["id"] for row in of_user(server, alice)]
    done = ctl(server, "end", str(ids[0]))
    tap.equal(done.returncode, 0, "end ID", done.stderr)
    tap.like(done.stdout, "^ended %d %s 127" % (ids[0], alice.name),
             "says which")
    tap.equal([row["id"] for row in of_user(server, alice)], ids[1:],
              "only that one ends")
    tap.ok(holds(lambda: sum(client.poll() is not None
                             for client in clients) == 1),
           "its client is disconnected")
    ctl(server, "end", "--user", alice.name)
    tap.ok(holds(lambda: not alice.processes()), "end --user: all of a user")
    tap.equal(len(of_user(server, bob)), 1, "and of no other")
    done = ctl(server, "end", "--addr", "192.0.2.0/24")
    tap.equal(done.returncode, 1, "end --addr: nobody from there")
    tap.like(done.stderr, "no such session", "which is said")
    done = ctl(server, "end", "--user", bob.name, "--addr", "10.0.0.0/8")
    tap.equal((done.returncode, len(of_user(server, bob))), (1, 1),
              "user and address both have to match")
    done = ctl(server, "end", "--addr", "127.0.0.0/8")
    tap.equal((done.returncode, listed(server)), (0, []), "end --addr")
    tap.ok(holds(lambda: not bob.processes()), "no process is left")
    client = session(server, bob)
    tap.equal(ctl(server, "end", "--all").returncode, 0, "end --all")
    tap.ok(holds(lambda: client.poll() is not None), "ends what is there")
    tap.equal(server.ssh(alice, "echo in", key=key).stdout, b"in\n",
              "the server serves on")
    server.stop()


def a_stopped_monitor_is_killed():
    server = place.server()
    client = session(server, alice)
    row = of_user(server, alice)[0]
    os.kill(row["id"], signal.SIGSTOP)
    done = ctl(server, "end", str(row["id"]))
    tap.equal(done.returncode, 0, "a session that does not end by itself")
    tap.like(done.stderr, "does not end by itself: killed", "is killed")
    tap.ok(holds(lambda: client.poll() is not None), "its client is gone")
    tap.equal(listed(server), [], "its record too")
    server.stop()


def sessions_of_an_earlier_server():
    server = place.server()
    client = session(server, alice)
    row = of_user(server, alice)[0]
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    again = of_user(server, alice)
    tap.equal([(r["id"], r["sshd_running"]) for r in again],
              [(row["id"], False)], "a session outlives its server, listed")
    tap.like(ctl(server, "sessions").stdout, r"\(of an earlier sshd\)$",
             "and marked")
    tap.like(ctl(server, "status").stderr, "no such sshd runs",
             "status: the server is not there")
    tap.equal(ctl(server, "end", str(row["id"])).returncode, 0, "it is ended")
    tap.ok(holds(lambda: not alice.processes()), "with its processes")
    client.wait(PATIENCE)
    server.process = None


def stale_records():
    """A record is believed only with its process's start time."""
    server = place.server()
    client = session(server, alice)
    row = of_user(server, alice)[0]
    path = "%s/session-%d" % (DIRECTORY, row["id"])
    with open(path, encoding="ascii") as record:
        text = record.read()
    victim = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    forged = "%s/session-%d" % (DIRECTORY, victim.pid)
    with open(forged, "w", encoding="ascii") as record:
        record.write(re.sub(r"^pid \d+", "pid %d" % victim.pid, text))
    tap.equal([r["id"] for r in of_user(server, alice)], [row["id"]],
              "a number that another process has now is not listed")
    tap.ok(not os.path.exists(forged), "its record is removed")
    with open(forged, "w", encoding="ascii") as record:
        record.write(re.sub(r"^pid \d+", "pid %d" % victim.pid, text))
    ctl(server, "end", "--user", alice.name)
    tap.ok(victim.poll() is None, "and its process is not signalled")
    victim.kill()
    victim.wait()
    client.wait(PATIENCE)
    with open("%s/session-x" % DIRECTORY, "wb") as record:
        record.write(b"\xff\0\n" * 400)
    done = ctl(server, "sessions")
    tap.equal(done.returncode, 0, "a damaged record does no harm")
    tap.like(done.stderr, "session-x: ", "and is named")
    os.unlink("%s/session-x" % DIRECTORY)
    server.stop()


def penalties():
    server = place.server({"PerSourcePenalties": "authfail:60 min:30",
                           "PerSourceNetBlockSize": "24"})
    wrong = place.key(name="wrong")

    def fail(host):
        place.run(server.ssh_argv(alice, "true", key=wrong, BindAddress=host))
        holds(lambda: listed(server, "penalties"))
    tap.equal(listed(server, "penalties"), [], "no penalty yet")
    fail("127.0.7.1")
    fail("127.0.8.1")
    rows = holds(lambda: len(listed(server, "penalties")) == 2) \
        and listed(server, "penalties")
    tap.equal([row["source"] for row in rows],
              ["127.0.7.0/24", "127.0.8.0/24"], "two, by source")
    tap.ok(all(row["active"] and 0 < row["milliseconds"] <= 60000
               and row["reason"] == "penalty: failed authentication"
               for row in rows), "how long, and for what", rows)
    tap.like(ctl(server, "penalties").stdout,
             r"^127\.0\.7\.0/24 +\d+\.\d s  active    penalty: failed auth",
             "as text")
    done = ctl(server, "lift", "127.0.7.99")
    tap.equal((done.returncode, done.stdout), (0, b"lifted 1\n"), "lift ADDR")
    tap.equal([row["source"] for row in listed(server, "penalties")],
              ["127.0.8.0/24"], "the other one stays")
    tap.ok(server.logged("sshdctl: lifted 1 penalties of 127.0.7.99"),
           "the server's log has it")
    done = ctl(server, "lift", "127.0.7.99")
    tap.equal(done.returncode, 1, "lift: there is none")
    tap.equal(ctl(server, "lift", "all").stdout, b"lifted 1\n", "lift all")
    tap.equal(listed(server, "penalties"), [], "none is left")
    for bad in ("nonsense", "192.0.2.0/24", ""):
        done = ctl(server, "lift", bad)
        tap.equal(done.returncode, 2, "lift %r: no address" % bad)
    server.stop()


def status():
    server = place.server()
    row = listed(server, "status")[0]
    tap.equal((row["pid"], row["listens"], row["pid_file"], row["config"],
               row["connections"], row["starting"], row["throttling"]),
              (server.process.pid, "127.0.0.1:%d" % server.port,
               server.conf["PidFile"], server.conf_path, 0, 0, False),
              "status: who and where")
    with socket.create_connection(("127.0.0.1", server.port), 15) as sock:
        sock.recv(100)
        row = listed(server, "status")[0]
        tap.equal((row["connections"], row["starting"]), (1, 1),
                  "one connection, not logged in")
    tap.like(ctl(server, "status").stdout,
             r"^sshd %d, version \S+, since " % server.process.pid, "as text")
    server.stop()


def several_servers():
    one, two = place.server(), place.server()
    clients = [session(one, alice), session(two, alice)]
    for server in (one, two):
        port = str(server.port)
        rows = json.loads(place.run([SSHDCTL, "-p", port, "sessions",
                                     "--json"]).stdout)
        tap.equal([row["lport"] for row in rows], [server.port],
                  "-p chooses by port")
        rows = json.loads(place.run([SSHDCTL, "status", "-p", port,
                                     "--json"]).stdout)
        tap.equal([row["pid"] for row in rows], [server.process.pid],
                  "for status too")
        tap.equal([row["lport"] for row in listed(server)], [server.port],
                  "-f by PidFile")
    rows = json.loads(place.run([SSHDCTL, "sessions", "--json"]).stdout)
    tap.ok({one.port, two.port} <= {row["lport"] for row in rows},
           "without, all are listed")
    ctl(one, "end", "--user", alice.name)
    tap.equal((len(listed(one)), len(listed(two))), (0, 1),
              "end is for the chosen one")
    ctl(two, "end", "--all")
    for client in clients:
        client.wait(PATIENCE)
    one.stop()
    two.stop()


def path_of(server):
    return "%s/sshd-%d" % (DIRECTORY, server.process.pid)


def dial(server):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(path_of(server))
    sock.settimeout(PATIENCE)
    return sock


def root_only():
    server = place.server()
    tap.equal(stat.S_IMODE(os.stat(DIRECTORY).st_mode), 0o700,
              "the directory is root's alone")
    tap.equal(stat.S_IMODE(os.stat(path_of(server)).st_mode), 0o600,
              "the socket too")
    copy = place.path("sshdctl")
    shutil.copy(SSHDCTL, copy)
    os.chmod(copy, 0o755)
    done = place.run(["setpriv", "--reuid", str(alice.uid), "--clear-groups",
                      copy, "sessions"])
    tap.equal(done.returncode, 1, "a user is sent away")
    tap.like(done.stderr, "only root may", "with a sentence")
    # Even with the socket laid open, who asks has to be root.
    os.chmod(DIRECTORY, 0o711)
    os.chmod(path_of(server), 0o666)
    try:
        done = place.run(
            ["setpriv", "--reuid", str(alice.uid), "--clear-groups",
             "/usr/bin/python3", "-c",
             "import socket\n"
             "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
             "s.settimeout(60)\ns.connect('%s')\nprint(s.recv(99))"
             % path_of(server)])
    finally:
        os.chmod(DIRECTORY, 0o700)
    tap.equal(done.stdout, b"b''\n", "whom the kernel does not call root",
              done.stderr)
    server.stop()


def nobody_holds_it_up():
    """Clients that ask and do not read, or send garbage, or nothing."""
    server = place.server()
    greeting = dial(server).recv(200)
    tap.equal(greeting[:8], MAGIC, "the server speaks first")
    held = [dial(server) for _ in range(30)]
    tap.equal(listed(server, "status")[0]["pid"], server.process.pid,
              "many silent clients: the next one is served")
    deaf = dial(server)
    deaf.setblocking(False)
    sent = 0
    # A CTL_STATUS each: version, number.
    version, number = message_number("CTL_STATUS")
    for _ in range(5000):
        try:
            deaf.send(bytes([version, number]))
            sent += 1
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            break
    tap.ok(sent > 10, "one asks and never reads", sent)
    tap.equal(server.ssh(alice, "echo in", key=key).stdout, b"in\n",
              "a login works meanwhile")
    tap.equal(listed(server, "status")[0]["pid"], server.process.pid,
              "and sshdctl")
    for garbage in (b"", b"\0", bytes([version, 1]),
                    bytes([version]) * 70000, b"\xff" * 100,
                    bytes([version, number]) + b"x"):
        sock = dial(server)
        sock.recv(200)
        try:
            sock.send(garbage)
            said = sock.recv(200)
        except OSError as error:
            said = b"" if error.errno != 11 else b"?"
        tap.equal(said, b"", "garbage of %d bytes is hung up on"
                  % len(garbage))
        sock.close()
    tap.ok(server.alive(), "the server lives")
    for sock in held:
        sock.close()
    deaf.close()
    server.stop()


def message_number(name):
    """MSG_VERSION, and the row's number in msg.def."""
    row = messages.ROWS[name]
    return messages.VERSION, row.number


def another_version():
    """A server from before an upgrade: a sentence that says what to do."""
    path = "%s/sshd-%d" % (DIRECTORY, os.getpid())
    old = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.path.exists(path):
        os.unlink(path)
    os.makedirs(DIRECTORY, 0o700, exist_ok=True)
    old.bind(path)
    old.listen(1)
    try:
        client = place.popen([SSHDCTL, "status"])
        peer, _ = old.accept()
        peer.send(MAGIC + b"\0\0\0\1" + b"\0\0\0\x05" + b"0.0.1")
        said = client.communicate(timeout=PATIENCE)[1]
        peer.close()
    finally:
        old.close()
        os.unlink(path)
    tap.like(said, r"sshd \(process %d\) is of another version \(0\.0\.1\) "
             r"than this sshdctl \(\S+\): restart it" % os.getpid(),
             "another version is told, with what to do")


def socket_goes():
    server = place.server()
    path = path_of(server)
    tap.ok(os.path.exists(path), "the socket is there")
    server.stop()
    tap.ok(not os.path.exists(path), "a server that ends takes it away")
    server = place.server()
    path = path_of(server)
    server.signal(signal.SIGKILL)
    server.process.wait()
    tap.ok(os.path.exists(path), "one that is killed does not")
    place.run([SSHDCTL, "status"])
    tap.ok(not os.path.exists(path), "sshdctl does, then")
    server.process = None


def command_line():
    for words in ([], ["no-such"], ["end"], ["end", "1", "--all"], ["lift"],
                  ["lift", "a", "b"], ["status", "x"], ["status", "--all"],
                  ["end", "--json", "--all"], ["sessions", "-p", "0"],
                  ["sessions", "-p", "x"], ["end", "--addr", "10.0.0.1/8"],
                  ["end", "--addr", "host"], ["--no-such"]):
        done = place.run([SSHDCTL, *words])
        tap.equal((done.returncode, done.stdout), (2, b""),
                  "usage: sshdctl %s" % " ".join(words))
        tap.ok(done.stderr, "with a text")
    tap.equal(place.run([SSHDCTL, "--help"]).returncode, 0, "--help")
    tap.like(place.run([SSHDCTL, "--version"]).stdout, r"^sshdctl \d",
             "--version")


tap.main(lists_sessions, ends_sessions, a_stopped_monitor_is_killed,
         sessions_of_an_earlier_server, stale_records, penalties, status,
         several_servers, root_only, nobody_holds_it_up, another_version,
         socket_goes, command_line)

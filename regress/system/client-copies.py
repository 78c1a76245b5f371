#!/usr/bin/python3
"""omniedge scp and sftp and their connection: one that others share, one that
is kept alive, and one large file over several channels of it."""
import hashlib
import os
import re
import shutil
import socket
import stat
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import Omniedge
from server import ADDRESS, Place, built
from terminal import Terminal
from wait import PATIENCE, holds, running, wait_for

LARGE = 160 << 20
DELAY_MS = 20
SFTP_SERVER = "/usr/lib/openssh/sftp-server"
HEAD = "stdbuf -o0 head -c"  # as it comes
ALIVE = {"ServerAliveInterval": "1", "ServerAliveCountMax": "2"}

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"MaxSessions": "20"})
client = Omniedge(place, server)
control = place.path("control")
SHARED = {"ControlPath": control}


def write(path, size):
    with open(path, "wb") as out:
        out.write(os.urandom(size))
    return path


def digest(path):
    with open(path, "rb") as data:
        return hashlib.sha256(data.read()).hexdigest()


def there(name):
    return os.path.join(user.home, name)


def argv(program, *words, port=None, flags=(), options=None):
    return [client.path, program, *client.options(key, **(options or {})),
            "-P", str(port or server.port), *flags, *words]


def scp(*words, **more):
    return place.run(argv("scp", "-q", *words, **more))


def at(path):
    return "%s@%s:%s" % (user.name, ADDRESS, path)


def ssh(*command, flags=(), options=None):
    return client.run(user, *command, key=key, flags=flags, options=options)


def logins():
    return server.log().count("Accepted publickey")


def master():
    found = re.search(rb"pid=(\d+)", ssh(
        flags=["-O", "check"], options=SHARED).stderr)
    return int(found.group(1)) if found else None


def end_master():
    pid = master()
    ssh(flags=["-O", "exit"], options=SHARED)
    if pid:
        wait_for(lambda: not running(pid), what="the master to end")


# --- a connection that is there already --------------------------------------
def shared():
    ssh("true", options=dict(SHARED, ControlMaster="auto",
                             ControlPersist="60"))
    before = logins()
    small = write(place.path("small"), 5000)
    large = write(place.path("large"), 3 << 20)
    for flags, what in (((), "scp"), (("-O",), "scp -O")):
        done = scp(small, large, at("."), flags=flags, options=SHARED)
        tap.equal((done.returncode, done.stderr), (0, b""),
                  what + " up over a shared connection")
        tap.equal([digest(there("small")), digest(there("large"))],
                  [digest(small), digest(large)], what + ": whole files")
        done = scp(at("large"), place.path("back"), flags=flags,
                   options=SHARED)
        tap.equal((done.returncode, digest(place.path("back"))),
                  (0, digest(large)), what + " down", done.stderr)
        done = scp(at("gone"), place.path("back"), flags=flags,
                   options=SHARED)
        tap.equal(done.returncode, 1, what + ": what is not there is 1")
        tap.like(done.stderr, "No such file", "and it says so")
    done = place.run(argv("sftp", "-b", "-", user.name + "@" + ADDRESS,
                          options=SHARED), input=b"ls small\nrm small\n")
    tap.equal((done.returncode, os.path.exists(there("small"))), (0, False),
              "sftp over a shared connection", done.stderr)
    done = scp(small, at("nosuch/x"), options=SHARED)
    tap.equal(done.returncode, 1, "an error over a shared connection is 1")
    tap.equal(logins(), before, "nobody has logged in for any of it")
    done = place.run(argv("sftp", "-b", "-", "-s", "nosuch",
                          user.name + "@" + ADDRESS, options=SHARED),
                     input=b"pwd\n")
    tap.equal(done.returncode, 255, "a subsystem that is not there is 255")
    tap.like(done.stderr, 'does not start "nosuch"', "and it says so")
    end_master()
    tap.equal(scp(small, at("."), options=SHARED).returncode, 0,
              "without a master it logs in itself")
    tap.equal(logins(), before + 1, "once")


def sockets(pid):
    folder = "/proc/%d/fd/" % pid
    held = []
    for fd in os.listdir(folder):
        try:
            held.append(os.readlink(folder + fd))
        except FileNotFoundError:
            pass  # of one that has just been here
    return len([name for name in held if name.startswith("socket")])


def makes_one():
    before = logins()
    options = dict(SHARED, ControlMaster="auto", ControlPersist="60")
    small = write(place.path("small"), 5000)
    done = scp(small, at("one"), options=options)
    tap.equal((done.returncode, digest(there("one"))), (0, digest(small)),
              "scp makes a shared connection", done.stderr)
    mode = os.stat(control)
    tap.ok(stat.S_ISSOCK(mode.st_mode) and mode.st_mode & 0o777 == 0o600,
           "a socket for the user alone")
    tap.equal(ssh("cat one", options=SHARED).stdout, open(small, "rb").read(),
              "which ssh uses")
    done = scp("-3", at("one"), "scp://%s@%s:%d/two" % (
        user.name, ADDRESS, server.port), options=options)
    tap.equal((done.returncode, digest(there("two"))), (0, digest(small)),
              "and both ends of a copy between hosts", done.stderr)
    tap.equal(logins(), before + 1, "one login for all of it")
    end_master()
    options["ControlPath"] = place.path("control2")
    done = scp("-3", at("one"), at("three"), options=options)
    pid = master()
    tap.equal((done.returncode, digest(there("three"))), (0, digest(small)),
              "a copy between hosts makes one, too", done.stderr)
    SHARED["ControlPath"] = options["ControlPath"]
    pid = master()
    tap.ok(holds(lambda: sockets(pid) == 2),
           "whose master holds the connection and its socket alone")
    end_master()
    SHARED["ControlPath"] = control


# --- a relay that can be told to freeze ---------------------------------------
class Relay:
    def __init__(self, port):
        self.port, self.frozen, self.down = port, threading.Event(), 0
        self.ends = []
        self.listener = socket.create_server((ADDRESS, 0))
        self.own_port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            near = self.listener.accept()[0]
            far = socket.create_connection((ADDRESS, self.port))
            self.ends += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self.move, args=ends + (near,),
                                 daemon=True).start()

    def hang_up(self):
        """Both sides hear that the other is gone."""
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def move(self, source, sink, near):
        try:
            while data := source.recv(65536):
                if self.frozen.is_set():
                    return
                if sink is near:
                    self.down += 1
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def trust(port):
    with open(server.known_hosts, encoding="ascii") as known:
        lines = known.read()
    with open(server.known_hosts, "a", encoding="ascii") as known:
        known.write(lines.replace(":%d " % server.port, ":%d " % port))


def lost():
    """A server that falls silent ends a copy, a prompt, and a batch."""
    relay = Relay(server.port)
    trust(relay.own_port)
    for program, flags in (("scp", ()), ("scp", ("-O",))):
        relay.frozen.clear()
        copy = place.popen(argv(program, "-q", "-l", "800", *flags,
                                write(place.path("slow"), 4 << 20),
                                at("slow"), port=relay.own_port,
                                options=ALIVE))
        wait_for(lambda: os.path.exists(there("slow"))
                 and os.path.getsize(there("slow")) > 0, 20, "the copy")
        relay.frozen.set()
        tap.equal(copy.wait(PATIENCE), 1, "scp %s: a silent server is an error"
                  % " ".join(flags))
        tap.ok(copy.stderr.read(), "that says something")
        os.unlink(there("slow"))
    relay.frozen.clear()
    shell = Terminal(place, argv("sftp", user.name + "@" + ADDRESS,
                                 port=relay.own_port, options=ALIVE))
    tap.ok(shell.expect("sftp> "), "a prompt")
    relay.frozen.set()
    tap.ok(shell.expect("Timeout, server not responding", 60),
           "a silent server ends the prompt")
    tap.equal(shell.finish(), 255, "with 255")
    relay.frozen.clear()
    batch = place.popen(argv("sftp", "-b", "-", user.name + "@" + ADDRESS,
                             port=relay.own_port, options=ALIVE))
    batch.stdin.write(b"pwd\n")
    batch.stdin.flush()
    tap.like(batch.stdout.readline() + batch.stdout.readline(),
             "Remote working directory", "a batch")
    relay.frozen.set()
    tap.equal(batch.wait(PATIENCE), 255,
              "and a batch that waits for its next line")
    relay.hang_up()


def alive():
    """Whoever waits at the prompt answers a server that asks."""
    asking = place.server({"ClientAliveInterval": "1",
                           "ClientAliveCountMax": "1"})
    relay = Relay(asking.port)
    with open(asking.known_hosts, encoding="ascii") as known, \
            open(server.known_hosts, "a", encoding="ascii") as more:
        more.write(known.read().replace(":%d " % asking.port,
                                        ":%d " % relay.own_port))
    shell = Terminal(place, argv("sftp", user.name + "@" + ADDRESS,
                                 port=relay.own_port))
    tap.ok(shell.expect("sftp> "), "a prompt")
    seen = relay.down
    wait_for(lambda: relay.down >= seen + 4, 60, "the server to ask")
    shell.send("pwd\r")
    tap.ok(shell.expect("Remote working directory"),
           "the connection is still there")
    shell.send("bye\r")
    tap.equal(shell.finish(), 0, "and ends with 0")
    asking.stop()


# --- one file over several channels -------------------------------------------
large = write(place.path("whole"), LARGE)
os.utime(large, (1000000000, 1000000000))
os.chmod(large, 0o640)


class Far:
    """A server at the other end of a long path; log() counts its sessions."""

    def __init__(self, conf):
        self.server = place.server(dict({"LogLevel": "VERBOSE"}, **conf))
        relay = place.popen([built("delay") or built("regress/bench/delay"),
                             str(self.server.port), str(DELAY_MS)])
        self.port = int(relay.stdout.readline())
        with open(self.server.known_hosts, encoding="ascii") as known, \
                open(server.known_hosts, "a", encoding="ascii") as more:
            more.write(known.read().replace(":%d " % self.server.port,
                                            ":%d " % self.port))

    def put(self, *flags, options=None):
        if os.path.exists(there("far")):
            os.unlink(there("far"))
        return scp(large, at("far"), port=self.port, flags=flags,
                   options=options)

    def sessions(self):
        return self.server.log().count("Starting session: subsystem")


def whole(name, done):
    tap.equal((done.returncode, os.path.exists(there("far"))
               and digest(there("far")) == digest(large)), (0, True),
              name + ": the file is whole", done.stderr)


def stripes():
    far = Far({})
    whole("several channels", far.put("-p"))
    st = os.stat(there("far"))
    tap.equal((oct(st.st_mode & 0o777), int(st.st_mtime)),
              ("0o640", 1000000000), "-p keeps mode and time")
    tap.ok(far.sessions() > 1, "there were several", far.server.log()[-2000:])
    before = far.sessions()
    whole("with -l", far.put("-l", "4000000"))
    tap.equal(far.sessions(), before + 1, "with a limit it is one channel")
    far.server.stop()
    one = Far({"MaxSessions": "1"})
    whole("a server that grants one channel", one.put())
    one.server.stop()


def wrapper(text):
    """A subsystem whose first process is honest, and the others do as told."""
    path = place.path("subsystem")
    made = there("first")
    if os.path.exists(made):
        os.rmdir(made)
    with open(path, "w", encoding="ascii") as out:
        out.write("#!/bin/sh\nmkdir %s 2> /dev/null && exec %s\n%s\n" % (
            made, SFTP_SERVER, text))
    os.chmod(path, 0o755)
    return path


LIARS = (
    ("one ends in the middle", "%s 9000000 | %s" % (HEAD, SFTP_SERVER), 1),
    ("one ends when it has begun", "%s 1000 | %s" % (HEAD, SFTP_SERVER), 1),
    ("one ends at once", "exit 0", 0),
    ("one is no SFTP", "echo Welcome; cat > /dev/null", 0),
    ("one never greets", "cat > /dev/null", 0),
    ("one answers no more", "{ %s 9000000; cat > /dev/null; } | %s" % (
        HEAD, SFTP_SERVER), 1),
)


def lies():
    for name, text, status in LIARS:
        far = Far({"Subsystem": "sftp " + wrapper(text)})
        done = far.put(options=ALIVE)
        if status is not None:
            tap.equal(done.returncode, status, name, done.stderr)
        if done.returncode == 0:
            whole(name, done)
        else:
            tap.like(done.stderr, "ended one of several channels",
                     name + ": it says so")
            size = os.path.getsize(there("far"))
            with open(large, "rb") as data, open(there("far"), "rb") as got:
                tap.ok(size < LARGE and got.read() == data.read(size),
                       name + ": what is there is the beginning", size)
        far.server.stop()


def stopped():
    far = Far({})
    copy = place.popen(argv("scp", "-q", large, at("cut"), port=far.port))
    wait_for(lambda: os.path.exists(there("cut"))
             and os.path.getsize(there("cut")) > LARGE // 4, 30, "the copy")
    copy.send_signal(2)
    tap.ok(copy.wait(PATIENCE) in (0, 130), "^C ends it", copy.stderr.read())
    with open(large, "rb") as data, open(there("cut"), "rb") as got:
        part = got.read()
        tap.ok(data.read(len(part)) == part,
               "what is there is the beginning, without a gap", len(part))
    done = place.run(argv("sftp", "-b", "-", user.name + "@" + ADDRESS),
                     input=b"reput %s cut\n" % large.encode())
    tap.ok(done.returncode == 0 or len(part) == LARGE, "and can be resumed",
           done.stderr)
    tap.equal(digest(there("cut")), digest(large), "to the whole")
    far.server.stop()


# --- completion ---------------------------------------------------------------
BASH = """. %s/omniedge.bash
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=(omniedge scp x) COMP_CWORD=2
_omniedge
printf '%%s\\n' "${COMPREPLY[@]}"
"""


def completes():
    """Paths of a host, where the shell asks."""
    folder = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..",
                          "..", "contrib", "completions")
    conf = place.path("conf")
    with open(conf, "w", encoding="ascii") as out:
        out.write("Host far\nHostname %s\nUser %s\nPort %d\nIdentityFile %s\n"
                  "UserKnownHostsFile %s\nIdentitiesOnly yes\n" % (
                      ADDRESS, user.name, server.port, key,
                      server.known_hosts))
    os.makedirs(there("deep/in ner"), exist_ok=True)
    for name in ("deep/one", "deep/other", "deep/.hidden"):
        write(there(name), 1)
    bin_path = os.path.dirname(client.path) + ":" + os.environ["PATH"]
    for word, wanted in (("far:deep/o", {"one", "other"}),
                         ("far:deep/i", {"in ner/"}),
                         ("far:deep/.h", {".hidden"}),
                         ("far:dee", {"deep/"})):
        line = "omniedge scp -F %s %s" % (conf, word)
        done = place.run(["bash", "-c", BASH % folder, "bash", line],
                         env=place.environment(PATH=bin_path))
        found = {name.replace("\\", "").removeprefix("deep/") or "deep/"
                 for name in done.stdout.decode().splitlines()}
        tap.equal(found, wanted, "bash: " + word, done.stderr)
        if not shutil.which("fish"):
            tap.skip("fish: " + word, "is not installed")
            continue
        done = place.run(["fish", "-c", "source %s/omniedge.fish; "
                          "complete -C '%s'" % (folder, line)],
                         env=place.environment(PATH=bin_path))
        found = {name.split("\t")[0].removeprefix("far:").removeprefix(
            "deep/") or "deep/" for name in done.stdout.decode().splitlines()
                 if "Remote" in name}
        tap.equal(found, wanted, "fish: " + word, done.stderr)


TESTS = (shared, makes_one, lost, alive, stripes, lies, stopped,
         completes)
tap.main(*TESTS)

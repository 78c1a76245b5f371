#!/usr/bin/python3
"""omniedge ssh: ProxyCommand, hops, configuration files, addresses."""
import os
import re
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import Omniedge
from server import ADDRESS, Place, free_port
from wait import PATIENCE

SIGPIPE_BIT = 1 << (signal.SIGPIPE - 1)

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
client = Omniedge(place, server)
CONF = place.path("ssh_config")


def conf(text):
    with open(CONF, "w", encoding="utf-8") as out:
        out.write(text)


COMMON = """
Host *
  UserKnownHostsFile %s
  GlobalKnownHostsFile /dev/null
  IdentityFile %s
  IdentityAgent none
  BatchMode yes
""" % (server.known_hosts, key)


def run(*words, **more):
    return place.run([client.path, "ssh", "-F", CONF, *words], **more)


def command():
    script = place.path("relay.py")
    with open(script, "w", encoding="ascii") as out:
        out.write("""import os, socket, sys, threading
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while True:
        data = os.read(0, 65536)
        if not data:
            break
        s.sendall(data)
threading.Thread(target=up, daemon=True).start()
while True:
    data = s.recv(65536)
    if not data:
        break
    os.write(1, data)
""")
    conf("Host via\n  ProxyCommand %s %s %%h %%p\n  User %s\n  HostName %s\n"
         "  Port %d\n" % (sys.executable, script, user.name, ADDRESS,
                          server.port) + COMMON)
    done = run("via", "echo in")
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), "ProxyCommand",
              done.stderr)
    data = os.urandom(1 << 20)
    tap.ok(run("via", "cat", input=data).stdout == data, "a megabyte through")
    done = run("-o", "ProxyCommand=exit 3", "via", "true")
    tap.equal(done.returncode, 255, "a proxy that ends: 255")
    done = run("-o", "ProxyCommand=%z", "via", "true")
    tap.like(done.stderr, "no token %z", "a token that there is none of")
    tap.equal(run("via;id", "true").returncode, 2,
              "a host that is a command: refused")


def hops():
    conf("Host one two three\n  User %s\n  HostName %s\n  Port %d\n"
         % (user.name, ADDRESS, server.port) + COMMON)
    done = run("-J", "one", "two", "echo in")
    if done.returncode == 255 and b"administratively" in done.stderr:
        tap.skip("-J", "this server does not forward")
        return
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), "-J, one hop",
              done.stderr)
    before = server.log().count("Accepted publickey")
    done = run("-J", "one,two", "three", "echo in")
    tap.equal((done.returncode, done.stdout), (0, b"in\n"), "two hops",
              done.stderr)
    tap.equal(server.log().count("Accepted publickey"), before + 3,
              "three logins")
    where = "%s@%s:%d" % (user.name, ADDRESS, server.port)
    done = run("-J", where, "two", "echo in")
    tap.equal(done.stdout, b"in\n", "a hop as user@host:port")
    done = run("-J", "nowhere.invalid", "two", "true")
    tap.equal(done.returncode, 255, "a hop that does not exist: 255")


def files():
    conf("Foo bar\n")
    done = run("host", "true")
    tap.equal(done.returncode, 255, "a bad keyword: 255")
    tap.like(done.stderr, r"%s: line 1: Bad configuration option: Foo" % CONF,
             "with file and line, as OpenSSH says it")
    conf("IgnoreUnknown Foo\nFoo bar\nHost x\n  HostName y.example\n")
    tap.like(run("-G", "x").stdout, "^hostname y.example$", "IgnoreUnknown")
    conf("CanonicalizeHostname yes\n")
    tap.like(run("-G", "x").stderr, "CanonicalizeHostname has no effect",
             "a keyword that does nothing here")
    home = place.path("home2")
    os.makedirs(os.path.join(home, ".ssh"), 0o700)
    mine = os.path.join(home, ".ssh", "config")
    with open(mine, "w", encoding="ascii") as out:
        out.write("Include inner\nPort 77\n")
    with open(os.path.join(home, ".ssh", "inner"), "w",
              encoding="ascii") as out:
        out.write("Port 78\n")
    done = place.run([client.path, "ssh", "-G", "x"],
                     env=place.environment(HOME=home))
    tap.like(done.stdout, "^port 78$", "~/.ssh/config and its Include")
    os.chmod(mine, 0o666)
    done = place.run([client.path, "ssh", "-G", "x"],
                     env=place.environment(HOME=home))
    tap.like(done.stderr, "Bad owner or permissions", "others may write it")
    tap.equal(done.returncode, 255, "so it is not read")
    conf("Host y\n  LocalCommand touch %s\n  PermitLocalCommand yes\n"
         "  User %s\n  HostName %s\n  Port %d\n  RemoteCommand echo r%%n\n"
         % (place.path("local"), user.name, ADDRESS, server.port) + COMMON)
    done = run("y")
    tap.equal(done.stdout, b"ry\n", "RemoteCommand with a token", done.stderr)
    done = run("-o", "LocalCommand=grep SigIgn /proc/self/status", "y")
    ignored = re.search(rb"SigIgn:\s+(\w+)", done.stdout)
    tap.ok(ignored and not int(ignored.group(1), 16) & SIGPIPE_BIT,
           "LocalCommand does not inherit that SIGPIPE is ignored",
           done.stdout)
    tap.ok(os.path.exists(place.path("local")), "LocalCommand")


def match_exec():
    """What a stranger may have chosen is no part of a shell's command."""
    mark = place.path("ran")
    conf("Match exec \"touch %s; true %%r %%h\"\n  Port 1\n" % mark + COMMON)
    for words in (("-l", "a;id", "x"), ("-o", "User=`id`", "x"),
                  ("-o", "HostName=a;id", "x")):
        done = run("-G", *words)
        tap.equal(done.returncode, 255, "%s: refused" % words[1])
        tap.like(done.stderr, "contains invalid characters", "it says why")
    conf("User a;id\nMatch exec \"touch %s; true %%r\"\n" % mark + COMMON)
    tap.like(run("-G", "x").stderr, "line 2: remote username contains",
             "a file's user, too")
    tap.ok(not os.path.exists(mark), "and no command ran")
    conf("Match exec \"touch %s; true %%r %%h\"\n  Port 7\n" % mark + COMMON)
    tap.like(run("-G", "-l", "me", "x").stdout, "^port 7$", "honest names")
    tap.ok(os.path.exists(mark), "go to the command")
    conf("Match exec \"cat; echo out\"\n" + COMMON
         + "  User %s\n  Port %d\n" % (user.name, server.port))
    done = run(ADDRESS, "cat", input=b"mine")
    tap.equal(done.stdout, b"mine", "which has not our input and output",
              done.stderr)


def addresses():
    """A port where nothing answers, and names with several addresses."""
    port = free_port()
    done = run("-p", str(port), ADDRESS, "true")
    tap.equal(done.returncode, 255, "refused: 255")
    tap.like(done.stderr, "connect to host 127.0.0.1 port %d: Connection "
             "refused" % port, "in OpenSSH's words")
    done = run("nowhere.invalid", "true")
    tap.like(done.stderr, "Could not resolve hostname nowhere.invalid: ",
             "a name that is not known")
    conf("Host l\n  HostName localhost\n  HostKeyAlias [%s]:%d\n  User %s\n"
         "  Port %d\n" % (ADDRESS, server.port, user.name, server.port)
         + COMMON)
    done = run("l", "echo in")
    tap.equal(done.stdout, b"in\n", "localhost, whose first address may "
              "refuse", done.stderr)
    tap.equal(run("-4", "l", "echo in").stdout, b"in\n", "-4")
    done = run("-b", "127.0.0.9", "l", "echo $SSH_CLIENT")
    tap.like(done.stdout, "^127.0.0.9 ", "-b", done.stderr)
    done = run("-B", "lo", "l", "echo in")
    tap.equal(done.stdout, b"in\n", "-B lo", done.stderr)
    done = run("-o", "BindInterface=nonesuch", "l", "true")
    tap.equal(done.returncode, 255, "an interface that there is none of")
    with socket.socket() as silent:
        silent.bind((ADDRESS, 0))
        silent.listen(1)
        done = run("-o", "ConnectTimeout=1", "-p",
                   str(silent.getsockname()[1]), ADDRESS, "true",
                   timeout=PATIENCE)
        tap.equal(done.returncode, 255, "a server that says nothing: "
                  "ConnectTimeout")
        tap.like(done.stderr, "timed out", "and that is said")


def stop():
    server.stop()


tap.main(command, hops, files, match_exec, addresses, stop)

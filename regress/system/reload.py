#!/usr/bin/python3
"""SIGHUP: the new configuration is in force, live sessions go on, and a
broken configuration never takes the server away."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour, listening
from wait import PATIENCE, holds

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"AcceptEnv": None})


def sees_variable():
    done = server.ssh(user, "echo $OET_A", key=key,
                      options={"SetEnv": "OET_A=new"})
    return done.returncode == 0 and done.stdout == b"new\n"


def hup(pattern):
    mark = server.mark()
    server.signal(signal.SIGHUP)
    return tap.ok(server.logged(pattern, mark), "SIGHUP is noticed")


def live_session():
    client = place.popen(server.ssh_argv(user, "echo on; read x; echo $x",
                                         key=key))
    client.stdout.readline()
    return client


def goes_on(client, name):
    out = client.communicate(b"still here\n", PATIENCE)[0]
    tap.equal((out, client.returncode), (b"still here\n", 0), name)


def new_value():
    tap.ok(not sees_variable(), "AcceptEnv is not set at first")
    client = live_session()
    server.conf["AcceptEnv"] = "OET_*"
    server.write_conf()
    tap.ok(not sees_variable(), "a changed file alone changes nothing")
    pid = server.process.pid
    hup("^Received SIGHUP; restarting")
    tap.ok(holds(lambda: listening(server.port)), "it listens again")
    tap.ok(holds(sees_variable), "the new value is in force")
    tap.equal(server.process.poll(), None, "the process id is the same")
    with open(server.conf["PidFile"], encoding="ascii") as pid_file:
        tap.equal(int(pid_file.read()), pid, "PidFile still tells it")
    goes_on(client, "a session from before goes on")


def many_times():
    for _ in range(5):
        hup("Received SIGHUP|Server listening")
        tap.ok(holds(sees_variable), "and again a login works")


def broken_configuration():
    """OpenSSH ends here, which locks its users out: it re-executes itself
    before it reads the file. Ours keeps the old configuration."""
    if flavour() == "openssh":
        tap.skip("a broken configuration at SIGHUP",
                 "OpenSSH ends when its new configuration is broken")
        return
    client = live_session()
    for text in ("NoSuchKeyword yes\n", "Port none\n", "Match\n",
                 "HostKey /nonexistent/key\n" * 2):
        server.write_conf(server.conf_text() + text
                          if "HostKey" not in text else
                          server.conf_text().replace("HostKey ", "#") + text)
        hup("keep|configuration|[Bb]ad|line")
        tap.ok(holds(sees_variable), "the old configuration is in force: %r"
               % text)
        tap.equal(server.process.poll(), None, "the server lives")
    os.unlink(server.conf_path)
    hup("keep|configuration|No such file")
    tap.ok(holds(sees_variable), "the file is gone: still the old one")
    goes_on(client, "a session goes on through all this")
    server.conf["AcceptEnv"] = None
    server.write_conf()
    hup("Received SIGHUP")
    tap.ok(holds(lambda: not sees_variable()), "a good file is taken again")


def sigterm():
    """The listener's end leaves the sessions alone (sshd(8), systemd's
    KillMode=process relies on it)."""
    client = live_session()
    server.signal(signal.SIGTERM)
    tap.equal(server.process.wait(PATIENCE), 0 if flavour() == "ours" else
              server.process.returncode, "SIGTERM ends the listener")
    tap.ok(not listening(server.port), "nothing listens any more")
    tap.ok(not os.path.exists(server.conf["PidFile"]), "PidFile is gone")
    goes_on(client, "its sessions go on to their end")
    server.stop()


tap.main(new_value, many_times, broken_configuration, sigterm)

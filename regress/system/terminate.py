#!/usr/bin/python3
"""SIGTERM to a connection's sshd-monitor ends that connection in order."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from terminal import Terminal
from wait import PATIENCE, command_line, holds, running, wait_for
import peer

if flavour() == "openssh":
    tap.skip_all("its processes are others")

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
notes = place.path("pam-notes")
script = place.path("pam-script")
with open(script, "w", encoding="ascii") as out:
    out.write("#!/bin/sh\necho $PAM_TYPE >>%s\n"
              "grep SigBlk /proc/self/status >>%s\n" % (notes, notes))
os.chmod(script, 0o755)
overlay = place.overlay_etc(
    "echo 'session optional pam_exec.so %s' >>/etc/pam.d/sshd" % script)
utmp = place.path("utmp")
with open(utmp, "wb"):
    pass
server = place.server(before=(overlay or "") +
                      "mount -t tmpfs tmpfs /run\nmkdir /run/sshd\n"
                      ": >/run/utmp\nmount --bind %s /run/utmp" % utmp)


def monitors():
    return [pid for pid in server.children()
            if command_line(pid).startswith("sshd-monitor: " + user.name)]


def noted():
    if not os.path.exists(notes):
        return []
    with open(notes, encoding="ascii") as text:
        return text.read().splitlines()


def end_one():
    """Returns after the one monitor has been told."""
    wait_for(lambda: len(monitors()) == 1, what="one session")
    os.kill(monitors()[0], signal.SIGTERM)


def a_command():
    ready = ("trap 'echo hup >hup; kill $!; exit' HUP; echo ready; "
             "tail -f /dev/null & wait")
    client = place.popen(server.ssh_argv(user, ready, key=key))
    other = place.server()
    beside = place.popen(other.ssh_argv(user, "echo in; read x; echo $x",
                                        key=key))
    tap.equal(client.stdout.readline(), b"ready\n", "a command runs")
    beside.stdout.readline()
    mark = server.mark()
    end_one()
    out, err = client.communicate(timeout=PATIENCE)
    tap.equal((out, client.returncode), (b"", 255), "its client ends")
    tap.like(err, "onnection ended by the server|closed by remote host",
             "and is told why")
    tap.ok(holds(lambda: os.path.exists(user.path("hup"))),
           "its process gets SIGHUP")
    tap.ok(server.logged("^Exiting on signal 15", mark), "the log says so")
    tap.unlike(server.log(mark), "unexpectedly|broke the rules",
               "nobody is blamed")
    tap.equal(beside.communicate(b"still\n", PATIENCE)[0], b"still\n",
              "another connection goes on")
    other.stop()


def pam():
    if not overlay:
        tap.skip("PAM", "no overlay over /etc can be mounted here")
        return
    tap.ok(holds(lambda: "close_session" in noted()),
           "the PAM session is closed", noted())
    tap.equal({line.split()[1] for line in noted() if "SigBlk" in line},
              {"0" * 16}, "a module's program has no signal blocked")


def on_a_terminal():
    screen = Terminal(place, server.ssh_argv(user, "tty; exec cat", key=key,
                                             flags=["-tt"]))
    found = screen.expect(r"/dev/(pts/\d+)\r\n")
    tap.ok(found, "a session with a terminal")
    line = found.group(1).decode()
    who = place.run(["who", utmp]).stdout.decode()
    tap.like(who, "%s +%s " % (user.name, line), "who(1) knows it")
    end_one()
    tap.ok(holds(lambda: screen.process.poll() is not None),
           "its client ends")
    tap.ok(holds(lambda: "%s " % user.name not in
                 place.run(["who", utmp]).stdout.decode()), "who(1) forgets it")
    screen.finish()


def before_the_login():
    sock = peer.connect(server)
    peer.read_line(sock)
    wait_for(lambda: [pid for pid in server.children() if command_line(pid)
                      .startswith("sshd-monitor")], what="a monitor")
    for pid in server.children():
        if command_line(pid).startswith("sshd-monitor"):
            os.kill(pid, signal.SIGTERM)
    tap.ok(peer.closed(sock), "the client is disconnected")
    tap.ok(holds(lambda: not server.children()), "no process stays")


def the_end():
    tap.ok(running(server.process.pid), "the server goes on")
    server.stop()


tap.main(a_command, pam, on_a_terminal, before_the_login, the_end)

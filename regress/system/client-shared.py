#!/usr/bin/python3
"""omniedge ssh: a connection that several commands share."""
import json
import os
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from omniedge import Omniedge
from server import Place
from terminal import Terminal
from wait import PATIENCE, holds, running, wait_for

BIG = 5 << 20
AT_ONCE = 8

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server({"MaxSessions": "20"})
client = Omniedge(place, server)
path = place.path("control")


def run(*command, flags=(), options=None, **more):
    chosen = dict({"ControlPath": path, "ControlMaster": "auto",
                   "ControlPersist": "60"}, **(options or {}))
    return client.run(user, *command, key=key, flags=flags, options=chosen,
                      **more)


def control(command, *flags, where=path):
    return client.run(user, key=key, flags=["-O", command, *flags],
                      options={"ControlPath": where})


def master_pid():
    found = control("check").stderr.split(b"pid=")
    return int(found[1].split(b")")[0]) if len(found) > 1 else None


def end():
    pid = master_pid()
    control("exit")
    if pid:
        wait_for(lambda: not running(pid), what="the master to end")


def share():
    logins = server.log().count("Accepted publickey")
    done = run("echo one; echo err >&2; exit 4")
    tap.equal((done.returncode, done.stdout, done.stderr),
              (4, b"one\n", b"err\n"), "the first command")
    mode = os.stat(path)
    tap.ok(stat.S_ISSOCK(mode.st_mode) and mode.st_mode & 0o777 == 0o600,
           "a socket for the user alone")
    pid = master_pid()
    tap.ok(pid and running(pid), "-O check names the master")
    for status in (0, 7, 255):
        tap.equal(run("exit %d" % status).returncode, status,
                  "status %d over the shared connection" % status)
    data = os.urandom(BIG)
    tap.ok(run("cat", input=data).stdout == data, "%d bytes both ways" % BIG)
    tap.equal(run("kill -9 $$").returncode, 255, "a signal: 255")
    tap.equal(run("echo $OET_X", options={"SetEnv": "OET_X=y"}).returncode, 0,
              "an environment")
    tap.equal(server.log().count("Accepted publickey"), logins + 1,
              "one login for all of them")
    many = [place.popen(client.argv(user, "cat", key=key, ControlPath=path))
            for _ in range(AT_ONCE)]
    for number, process in enumerate(many):
        process.stdin.write(b"%d" % number)
        process.stdin.close()
    tap.equal([process.stdout.read() for process in many],
              [b"%d" % number for number in range(AT_ONCE)],
              "%d at the same time" % AT_ONCE)
    tap.equal([process.wait(PATIENCE) for process in many], [0] * AT_ONCE,
              "each with its status")
    end()
    tap.ok(not os.path.exists(path), "-O exit: master and socket are gone")


def forwarding():
    run("true")
    with socket.socket() as target:
        target.bind(("127.0.0.1", 0))
        target.listen(1)
        spec = "0:127.0.0.1:%d" % target.getsockname()[1]
        done = control("forward", "-R", spec)
        if done.returncode != 0:
            tap.skip("-O forward", "this server does not forward")
            end()
            return
        tap.like(done.stdout, r"^[1-9]\d*\n$", "-O forward -R 0: the port")
    free = place.path("fwd.sock")
    done = control("forward", "-L", "%s:127.0.0.1:%d" % (free, server.port))
    tap.equal(done.returncode, 0, "-O forward", done.stderr)
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(free)
    sock.settimeout(PATIENCE)
    tap.equal(sock.recv(4), b"SSH-", "which forwards")
    stats = json.loads(control("json").stdout)
    tap.equal([f["path"] for f in stats["forwardings"] if "path" in f],
              [free], "-O json lists it")
    tap.ok(stats["opened"] >= 2 and stats["connections"],
           "and what runs over it")
    tap.like(control("stats").stdout, "local +%s -> 127" % free, "-O stats")
    tap.equal(control("cancel", "-L", "%s:127.0.0.1:%d" % (free, server.port)
                      ).returncode, 0, "-O cancel")
    tap.ok(not os.path.exists(free), "and it is gone")
    tap.equal(control("cancel", "-L", "1:localhost:1").returncode, 255,
              "-O cancel of nothing: 255")
    process = place.popen(client.argv(
        user, key=key, flags=["-W", "127.0.0.1:%d" % server.port],
        ControlPath=path))
    tap.equal(process.stdout.read(4), b"SSH-",
              "-W over the shared connection")
    process.kill()
    process.wait()
    end()


def terminal():
    def start():
        term = Terminal(place, client.argv(
            user, key=key, BatchMode="no", ControlPath=path,
            ControlMaster="auto", ControlPersist="60"))
        term.send("PS1='[p''rompt]'\r")
        term.expect(r"\[prompt\]")
        return term
    first, second = start(), start()
    tap.equal(second.ask("stty size"), "24 80\n", "a terminal")
    second.size(30, 90)
    wait_for(lambda: second.ask("stty size") == "30 90\n", what="a new size")
    tap.ok(True, "whose size changes")
    second.send("\r~#")
    tap.ok(second.expect(r"#1 session"), "~# shows both")
    second.send("\r~.")
    tap.equal(second.finish(), 255, "~. ends this one")
    tap.equal(first.ask("echo here"), "here\n", "and not the other")
    first.send("exit 6\r")
    tap.ok(first.expect("Shared connection to .* closed"), "the end is said")
    tap.equal(first.finish(), 6, "with the shell's status")
    end()


def persistence():
    run("true", options={"ControlPersist": "no"})
    tap.ok(holds(lambda: not os.path.exists(path)),
           "ControlPersist no: it ends with the last command")
    run("true", options={"ControlPersist": "4"})
    pid = master_pid()
    tap.ok(holds(lambda: not os.path.exists(path)) and holds(
        lambda: not running(pid)), "ControlPersist 4: some seconds later")
    run("true", options={"ControlPersist": "yes"})
    process = place.popen(client.argv(user, "cat", key=key, ControlPath=path))
    process.stdin.write(b"x")
    process.stdin.flush()
    process.stdout.read(1)
    tap.equal(control("stop").returncode, 0, "-O stop")
    tap.ok(not os.path.exists(path), "no new commands")
    process.stdin.close()
    tap.equal(process.wait(PATIENCE), 0, "but the old one ends as it should")


def stale():
    run("true")
    pid = master_pid()
    os.kill(pid, 9)
    wait_for(lambda: not running(pid), what="the master to die")
    tap.ok(os.path.exists(path), "a killed master leaves its socket")
    done = run("echo again")
    tap.equal((done.returncode, done.stdout), (0, b"again\n"),
              "which is replaced")
    tap.ok(master_pid() not in (None, pid), "by a new master")
    process = place.popen(client.argv(user, "cat", key=key, ControlPath=path))
    process.stdin.write(b"x")
    process.stdin.flush()
    process.stdout.read(1)
    os.kill(master_pid(), 15)
    tap.equal(process.wait(PATIENCE), 255,
              "a master that ends takes its own along")
    tap.like(process.stderr.read(), "Shared connection to .* lost",
             "and that is said")
    control("exit")


def others():
    """OpenSSH's masters, and other users."""
    run("true")
    other = place.account()
    os.chmod(path, 0o777)
    os.chmod(place.dir, 0o755)
    code = ("import socket; s = socket.socket(socket.AF_UNIX, "
            "socket.SOCK_SEQPACKET); s.connect('%s'); "
            "s.send(b'\\1' + b'\\0\\0\\0\\1' + bytes(20)); "
            "print(len(s.recv(100)))" % path)
    done = subprocess.run(["setpriv", "--reuid", str(other.uid), "--regid",
                           str(other.gid), "--clear-groups", "python3", "-c",
                           code], capture_output=True)
    tap.ok(done.stdout in (b"0\n", b""), "another user gets no answer",
           done.stdout)
    done = place.run(["ssh", *server.options(key, ControlPath=path), "-p",
                      str(server.port), "%s@127.0.0.1" % user.name, "echo in"])
    tap.equal(done.stdout, b"in\n", "OpenSSH's ssh goes its own way",
              done.stderr)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(path)
    for bad in (b"", b"\x02", os.urandom(500), b"\1" + b"\xff" * 30):
        try:
            sock.send(bad)
        except OSError:
            break
    sock.close()
    tap.equal(run("echo lives").stdout, b"lives\n",
              "garbage does not harm the master")
    end()
    open(path, "w", encoding="ascii").close()
    done = run("echo in")
    tap.equal(done.stdout, b"in\n", "a file in the way: a connection alone")
    tap.equal(os.path.getsize(path), 0, "and the file stays")
    os.unlink(path)


def stop():
    server.stop()


tap.main(share, forwarding, terminal, persistence, stale, others, stop)

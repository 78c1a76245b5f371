#!/usr/bin/python3
"""The command line of sshd(8): what ansible roles, unit files and admins
call."""
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, Server, flavour, free_port, listening, sshd_path
from wait import PATIENCE, holds, wait_for

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
spec = Server(place, {"Port": "2022"})
spec.write_conf()
bare = place.path("bare.conf")
with open(bare, "w", encoding="ascii") as out:
    out.write(re.sub(r"^(Port|HostKey|PidFile).*\n", "", spec.conf_text(),
                     flags=re.M))


def sshd(*argv):
    """Run sshd to its end; (status, its whole output)."""
    done = place.run([sshd_path(), *argv], timeout=PATIENCE)
    return done.returncode, (done.stdout + done.stderr).decode()


def bad_conf(text, name):
    path = place.path("bad.conf")
    with open(path, "w", encoding="utf-8") as conf:
        conf.write(text)
    code, said = sshd("-t", "-f", path)
    tap.ok(code != 0 and said, name + ": -t fails and says why", said)
    return path, said


def test_mode():
    tap.equal(sshd("-t", "-f", spec.conf_path), (0, ""),
              "-t: a good configuration is silent")
    path, said = bad_conf("Port 22\nNoSuchKeyword 1\n", "unknown keyword")
    tap.like(said, r"%s: line 2: Bad configuration option: NoSuchKeyword"
             % re.escape(path), "with file, line and keyword")
    tap.like(said, r"%s: terminating, 1 bad configuration options"
             % re.escape(path), "and the count")
    path, said = bad_conf("PermitRootLogin perhaps\n", "a bad value")
    tap.like(said, r"%s line 1: " % re.escape(path), "with file and line")
    bad_conf("Port\n", "a missing value")
    bad_conf("Port 99999\n", "a value out of range")
    bad_conf("UsePAM yes extra\n", "too many values")
    bad_conf("Match Nonsense x\n", "an unknown Match criterion")
    bad_conf("HostKey /nonexistent\n", "no host key")
    code, said = sshd("-t", "-f", "/nonexistent/sshd_config")
    tap.ok(code != 0, "-t: no such file")
    tap.like(said, "/nonexistent/sshd_config: No such file", "is named")


def extended_test():
    code, said = sshd("-T", "-f", spec.conf_path)
    tap.equal(code, 0, "-T: the effective configuration")
    for line in ("port 2022", "permitrootlogin without-password",
                 "listenaddress 127.0.0.1:2022", "usepam yes",
                 "maxauthtries 6", "logingracetime 120", "strictmodes yes",
                 "authorizedkeysfile .ssh/authorized_keys",
                 "x11forwarding no", "loglevel VERBOSE"):
        tap.like(said, "^%s$" % re.escape(line), "-T: " + line)
    matched = place.path("match.conf")
    with open(matched, "w", encoding="ascii") as conf:
        conf.write(spec.conf_text() + "Match User oetmatch Address 10.0.0.0/8"
                   "\n\tPermitTTY no\n\tForceCommand /bin/false\n")
    where = "user=%s,host=h,addr=%s"
    code, said = sshd("-T", "-f", matched, "-C",
                      where % ("oetmatch", "10.1.2.3"))
    tap.like(said, "^permittty no$", "-T -C: the block that matches")
    tap.like(said, "^forcecommand /bin/false$", "-T -C: all of it")
    code, said = sshd("-T", "-f", matched, "-C",
                      where % ("oetmatch", "11.1.2.3"))
    tap.like(said, "^permittty yes$", "-T -C: one that does not")


def option_flags():
    code, said = sshd("-T", "-f", bare, "-h", place.host_key("ed25519"),
                      "-p", "3022", "-o", "PermitTTY no", "-o",
                      "MaxSessions=3")
    tap.equal(code, 0, "-T with -h, -p and -o", said)
    for line in ("port 3022", "permittty no", "maxsessions 3",
                 "hostkey " + place.host_key("ed25519")):
        tap.like(said, "^%s$" % re.escape(line), "the flag wins: " + line)
    tap.unlike(said, "^port 2022", "-p is instead of the file's Port")
    code, said = sshd("-t", "-f", spec.conf_path, "-o", "NoSuchKeyword=1")
    tap.ok(code != 0, "-o with an unknown keyword")
    tap.like(said, r"command-line.*: Bad configuration option: NoSuchKeyword",
             "says that it was the command line")
    code, said = sshd("-Z")
    tap.ok(code != 0, "an unknown flag fails")
    tap.like(said, "usage: sshd ", "with the usage")
    if flavour() != "openssh":
        # It holds its programs open, and needs its own path for nothing.
        return
    done = place.run(["./" + os.path.basename(sshd_path()), "-f",
                      spec.conf_path], cwd=os.path.dirname(sshd_path()))
    tap.like(done.stderr, "requires execution with an absolute path",
             "to serve under a relative path is refused")


def old_flags():
    """What scripts still have is taken, and told if it does nothing."""
    if flavour() == "openssh":
        tap.skip("flags without effect", "OpenSSH says nothing of most")
        return
    for flags, said in ((["-b", "1024"], "-b has no effect"),
                        (["-k", "3600"], "-k has no effect"),
                        (["-Q"], "-Q has no effect"),
                        (["-r"], "-r option is deprecated"),
                        (["-u0"], None), (["-u", "64"], None)):
        name = " ".join(flags)
        code, text = sshd("-t", "-f", spec.conf_path, *flags)
        tap.equal(code, 0, name + ": is taken", text)
        if said:
            tap.like(text, "^%s" % said, name + ": is told")
        else:
            tap.equal(text, "", name + ": holds without a word")
    for flags, said in ((["-R"], "-R not supported here"),
                        (["-u", "x"], "Invalid utmp length"),
                        (["-u", "999"], "Invalid utmp length")):
        name = " ".join(flags)
        code, text = sshd("-t", "-f", spec.conf_path, *flags)
        tap.equal(code, 1, name + ": is an error")
        tap.like(text, said, name + ": says which")
    code, text = sshd("-t", "-f", spec.conf_path, "-c", "/nonexistent")
    tap.ok(code != 0, "-c: is HostCertificate")
    tap.like(text, "command-line.*HostCertificate", "-c: and answered as it")
    tap.equal(sshd("-G", "-f", spec.conf_path),
              sshd("-T", "-f", spec.conf_path), "-G prints what -T does")
    code, text = sshd("-t", "-f", spec.conf_path, "-C", "user=x")
    tap.ok(code == 1 and "only with -T or -G" in text, "-C needs one of them",
           text)


def version():
    code, said = sshd("-V")
    if flavour() == "openssh":
        tap.like(said, "OpenSSH_", "-V names the program")
    else:
        tap.equal(code, 0, "-V")
        tap.like(said, r"\d+\.\d+", "-V tells a version")


def serves(server):
    return server.ssh(user, "echo in", key=key).stdout == b"in\n"


def log_to_file():
    path = place.path("elsewhere.log")
    server = place.server(flags=["-E", path])
    tap.ok(serves(server), "-E: it serves")
    server.stop()
    with open(path, encoding="utf-8") as log:
        text = log.read()
    tap.like(text, "Accepted publickey for %s" % user.name,
             "and logs to the file")
    tap.unlike(server.log(), "Accepted", "and not to stderr")


def quiet():
    server = place.server(flags=["-q"])
    tap.ok(serves(server), "-q: it serves")
    server.stop()
    tap.equal(server.log(), "", "and says nothing")


def port_flag():
    port = free_port()
    server = place.server(flags=["-p", str(port)], elsewhere=port)
    tap.ok(serves(server), "-p: it serves there")
    tap.ok(not listening(int(server.conf["Port"])), "and not on Port")
    server.stop()


def daemon():
    """Without -D it goes to the background and its parent ends with 0."""
    made = Server(place)
    port = free_port()
    made.conf["Port"] = str(port)
    made.write_conf()
    log = place.path("daemon.log")
    done = place.run([sshd_path(), "-f", os.path.basename(made.conf_path),
                      "-E", log], cwd=os.path.dirname(made.conf_path))
    tap.equal(done.returncode, 0, "the caller gets its prompt back",
              done.stderr)
    pid_file = made.conf["PidFile"]
    wait_for(lambda: os.path.exists(pid_file) and os.path.getsize(pid_file),
             what="the pid file")
    with open(pid_file, encoding="ascii") as text:
        pid = int(text.read())
    wait_for(lambda: listening(port), what="the daemon to listen")
    tap.equal(os.getsid(pid), pid, "the daemon leads a session of its own")
    tap.equal(os.readlink("/proc/%d/cwd" % pid), "/", "and is in /")
    fds = {os.readlink("/proc/%d/fd/%d" % (pid, fd)) for fd in (0, 1)}
    tap.equal(fds, {"/dev/null"}, "with /dev/null as input and output")
    other = free_port()
    made.conf["Port"] = str(other)
    made.write_conf()
    os.kill(pid, signal.SIGHUP)
    tap.ok(holds(lambda: listening(other)),
           "SIGHUP: it still finds what -f named from another directory")
    os.kill(pid, 15)
    wait_for(lambda: not os.path.exists(pid_file), what="its end")


def debug_mode():
    """-d: one connection, in the foreground, verbose, and then the end."""
    made = Server(place)
    made.port = free_port()
    made.conf["Port"] = str(made.port)
    made.write_conf()
    made.write_known_hosts()
    client = place.popen([sshd_path(), "-d", "-f", made.conf_path])
    wait_for(lambda: listening(made.port), what="sshd -d to listen")
    tap.ok(serves(made), "-d: it serves one connection")
    said = client.communicate(timeout=PATIENCE)[1].decode()
    tap.like(said, "^debug1: ", "and talks at DEBUG1")
    tap.ok(client.returncode is not None, "and ends")


tap.main(test_mode, extended_test, option_flags, old_flags, version,
         log_to_file, quiet, port_flag, daemon, debug_mode)

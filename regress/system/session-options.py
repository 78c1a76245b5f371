#!/usr/bin/python3
"""What each option of sessions does, allowed and not: Banner, rc files,
variables, terminals, subsystems, keepalive, fingerprints."""
import ctypes
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, flavour
from wait import PATIENCE, command_line

SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
CLIENT_FD = 4  # of sshd-net

place = Place()
user = place.account()
other = place.account()
key = place.key()
for who in (user, other):
    who.authorize(key)


def out_of(server, *command, who=user, **more):
    return server.ssh(who, *command, key=key, **more).stdout.decode()


def banner():
    text = place.path("banner")
    with open(text, "w", encoding="utf-8") as out:
        out.write("Authorised use only: ÄÖÜ\nsecond line\n")
    server = place.server({"Banner": text}, tail="Match User %s\n"
                          "\tBanner none\n" % other.name)
    done = server.ssh(user, "echo in", key=key)
    tap.like(done.stderr, "Authorised use only: ÄÖÜ\r?\nsecond line",
             "the client shows it")
    tap.equal(done.stdout, b"in\n", "apart from the command's output")
    tap.unlike(server.ssh(other, "echo in", key=key).stderr, "Authorised",
               "Match can take it away")
    os.unlink(text)
    tap.equal(server.ssh(user, "echo in", key=key).stdout, b"in\n",
              "without the file there is none, and a login all the same")
    server.stop()


def user_rc():
    user.write(".ssh/rc", "echo rc-ran >>rc-file\n")
    marker = user.path("rc-file")

    def ran(conf, tail=""):
        server = place.server(conf, tail=tail)
        server.ssh(user, "true", key=key)
        server.stop()
        found = os.path.exists(marker)
        if found:
            os.unlink(marker)
        return found
    tap.equal(ran({}), True, "~/.ssh/rc is run")
    tap.equal(ran({"PermitUserRC": "no"}), False, "PermitUserRC no")
    tap.equal(ran({}, "Match User %s\n\tPermitUserRC no\n" % user.name),
              False, "in a Match block")
    tap.equal(ran({"ForceCommand": "true"}), False,
              "ForceCommand: rc could be its way around")
    user.authorize(key, options="no-user-rc")
    tap.equal(ran({}), False, "no-user-rc of the key")
    user.authorize(key)
    os.unlink(user.path(".ssh/rc"))


def user_environment():
    user.write(".ssh/environment", "OET_FILE=file\nOTHER=file\n# no\nbad\n")
    user.authorize(key, options='environment="OET_KEY=key"')
    show = "echo $OET_FILE,$OTHER,$OET_KEY"
    for value, wanted in (("no", ",,"), ("yes", "file,file,key"),
                          ("OET_*", "file,,key"),
                          ("*,!OET_KEY", "file,file,")):
        server = place.server({"PermitUserEnvironment": value})
        tap.equal(out_of(server, show), wanted + "\n",
                  "PermitUserEnvironment " + value)
        server.stop()
    user.authorize(key)
    os.unlink(user.path(".ssh/environment"))


def set_env():
    server = place.server(
        {"SetEnv": 'OET_A=1 "OET_B=two words" OET_C=server',
         "AcceptEnv": "OET_C"},
        tail="Match User %s\n\tSetEnv OET_A=match\n" % other.name)
    show = 'echo "$OET_A|$OET_B|$OET_C"'
    done = server.ssh(user, show, key=key,
                      env=place.environment(OET_C="client"),
                      options={"SendEnv": "OET_C"})
    tap.equal(done.stdout, b"1|two words|server\n",
              "SetEnv, also over what the client sent")
    tap.equal(out_of(server, show, who=other), "match||\n",
              "a Match block's line takes the place of the other")
    server.stop()


def permit_tty():
    server = place.server({"PermitTTY": "no"}, tail="Match User %s\n"
                          "\tPermitTTY yes\n" % other.name)
    done = server.ssh(user, "tty", key=key, flags=["-tt"])
    tap.like(done.stderr, "PTY allocation request failed on channel 0",
             "PermitTTY no")
    tap.like(out_of(server, "tty", who=other, flags=["-tt"]), "^/dev/pts/",
             "PermitTTY yes in a Match block")
    server.stop()


def subsystems():
    program = place.path("subsystem")
    with open(program, "w", encoding="ascii") as out:
        out.write("#!/bin/sh\nfor a; do echo \"[$a]\"; done\n")
    os.chmod(program, 0o755)
    server = place.server({"Subsystem": [
        "oet %s one 'two words'" % program, "second %s b" % program]})
    # OpenSSH 9.2 loses the quotes, later ones do not.
    words = "[two]\n[words]" if flavour() == "openssh" else "[two words]"
    tap.equal(out_of(server, "oet", flags=["-s"]), "[one]\n%s\n" % words,
              "a subsystem and its arguments")
    tap.equal(out_of(server, "second", flags=["-s"]), "[b]\n",
              "another one beside it")
    server.stop()
    if flavour() == "openssh":
        tap.skip("Subsystem in Match", "OpenSSH 9.2 has it global only")
        return
    server = place.server({"Subsystem": "oet %s all" % program},
                          tail="Match User %s\n\tSubsystem oet %s mine\n"
                          "\tSubsystem more %s\n"
                          % (user.name, program, program))
    tap.equal(out_of(server, "oet", flags=["-s"]), "[mine]\n",
              "Match: the user's own")
    tap.equal(out_of(server, "oet", who=other, flags=["-s"]), "[all]\n",
              "others have the common one")
    tap.ok(server.ssh(other, "more", key=key, flags=["-s"]).returncode != 0,
           "and no other")
    server.stop()


def sftp_read_only():
    """internal-sftp with options, for one user."""
    if flavour() == "openssh":
        tap.skip("Subsystem in Match", "OpenSSH 9.2 has it global only")
        return
    server = place.server({"Subsystem": "sftp internal-sftp"},
                          tail="Match User %s\n\tSubsystem sftp "
                          "internal-sftp -R\n" % user.name)
    for who, status in ((user, 1), (other, 0)):
        done = place.run(
            ["sftp", *server.options(key), "-P", str(server.port), "-b", "-",
             "%s@127.0.0.1" % who.name], input=b"mkdir made\n")
        tap.equal(done.returncode, status, "mkdir by %s" % (
            "the one who may only read" if status else "another"),
            done.stderr)
    server.stop()


def keep_alive():
    if flavour() == "openssh":
        tap.skip("TCPKeepAlive", "its socket is in another place")
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for value, wanted in (("yes", 1), ("no", 0)):
        server = place.server({"TCPKeepAlive": value})
        client = place.popen(server.ssh_argv(user, "echo on; read x",
                                             key=key))
        client.stdout.readline()
        net, = [pid for pid in server.children()
                if command_line(pid).startswith("sshd-net")]
        pidfd = libc.syscall(SYS_PIDFD_OPEN, net, 0)
        fd = libc.syscall(SYS_PIDFD_GETFD, pidfd, CLIENT_FD, 0)
        with socket.socket(fileno=fd) as sock:
            tap.equal(sock.getsockopt(socket.SOL_SOCKET,
                                      socket.SO_KEEPALIVE), wanted,
                      "TCPKeepAlive " + value)
        client.communicate(b"\n", PATIENCE)
        server.stop()


def fingerprints():
    for value, pattern in (("sha256", r"SHA256:[A-Za-z0-9+/]{43}$"),
                           ("md5", r"MD5:([0-9a-f]{2}:){15}[0-9a-f]{2}$")):
        server = place.server({"FingerprintHash": value})
        server.ssh(user, "true", key=key)
        tap.ok(server.logged(r"^Accepted publickey for %s from .* ssh2: "
                             r"ED25519 %s" % (re.escape(user.name), pattern)),
               "FingerprintHash " + value)
        server.stop()


tap.main(banner, user_rc, user_environment, set_env, permit_tty, subsystems,
         sftp_read_only, keep_alive, fingerprints)

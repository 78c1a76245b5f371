#!/usr/bin/python3
"""ChrootDirectory: sessions in a root directory, and SFTP in an empty one."""
import atexit
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from account import Account
from server import Place, flavour
from wait import PATIENCE, holds, wait_for

BUSYBOX = shutil.which("busybox")

place = Place()
key = place.key()
# Not below /tmp, which others can write.
top = tempfile.mkdtemp(prefix="oet-", dir="/var/lib")
atexit.register(shutil.rmtree, top, ignore_errors=True)
os.chmod(top, 0o755)
user = Account(top, shell="/bin/sh")
place.accounts.append(user)
user.authorize(key)
cage = os.path.join(top, "cage")
os.makedirs(cage + "/files")
os.chown(cage + "/files", user.uid, user.gid)
with open(cage + "/hello", "w", encoding="ascii") as out:
    out.write("in the cage\n")


def sftp(server, commands, who=user, **more):
    return place.run(["sftp", *server.options(key), "-P", str(server.port),
                      "-b", "-", "%s@127.0.0.1" % who.name],
                     input=commands.encode(), **more)


def sftp_only(conf="internal-sftp", **more):
    return place.server({"Subsystem": "sftp internal-sftp"}, tail="\n".join([
        "Match User " + user.name, "\tChrootDirectory " + cage,
        "\tForceCommand " + conf, ""]), **more)


def internal_sftp():
    """Nothing has to be there: no library, no /dev, no sftp-server."""
    server = sftp_only()
    with open(place.path("mine"), "w", encoding="ascii") as text:
        text.write("mine\n")
    done = sftp(server, "pwd\nls -1 /\nget /hello %s\nput %s /files/new\n"
                "ls -l /files\n" % (place.path("got"), place.path("mine")))
    tap.equal(done.returncode, 0, "a transfer there and back", done.stderr)
    tap.like(done.stdout, r"Remote working directory: /$", "it starts at /")
    tap.like(done.stdout, r"^/files\s*$\n/hello\s*$",
             "/ is the directory and nothing else")
    with open(place.path("got"), encoding="ascii") as text:
        tap.equal(text.read(), "in the cage\n", "get")
    tap.equal(os.stat(cage + "/files/new").st_uid, user.uid,
              "what is put is the user's")
    done = sftp(server, "get /../../../../etc/passwd %s\n" % place.path("pw"))
    tap.ok(done.returncode != 0 and not os.path.exists(place.path("pw")),
           "no way out by ..")
    os.symlink("/etc", cage + "/files/out")
    done = sftp(server, "ls /files/out/\n")
    tap.ok(done.returncode != 0, "nor by a symbolic link")
    done = sftp(server, "put %s /new\n" % place.path("mine"))
    tap.ok(done.returncode != 0, "the directory itself cannot be written")
    done = server.ssh(user, "id", key=key, input=b"")
    tap.unlike(done.stdout, r"uid=", "no command runs")
    server.stop()


def facts():
    """The process: whose, where, with which rights and descriptors."""
    if flavour() == "openssh":
        tap.skip("its process", "another design")
        return
    server = sftp_only("internal-sftp -l VERBOSE")
    client = place.popen(["sftp", *server.options(key), "-P",
                          str(server.port), "%s@127.0.0.1" % user.name])
    wait_for(lambda: [pid for pid in user.processes()
                      if os.readlink("/proc/%d/exe" % pid)
                      .endswith("sftp-server")
                      and in_jail(pid)], what="sftp-server in its jail")
    pid, = user.processes()
    tap.equal(os.readlink("/proc/%d/root" % pid), cage, "its root directory")
    status = read("/proc/%d/status" % pid)
    tap.equal(re.findall(r"^Cap(?:Inh|Prm|Eff|Amb):\s+(\w+)", status, re.M),
              ["0" * 16] * 4, "CAP_SYS_CHROOT is spent")
    tap.equal(re.findall(r"^Uid:\s+(.*)", status, re.M),
              ["\t".join([str(user.uid)] * 4)], "it is the user's")
    env = read("/proc/%d/environ" % pid).split("\0")
    tap.equal(sorted(each.split("=")[0] for each in env if each),
              ["HOME", "LOGNAME", "PATH", "SHELL", "SSH_CLIENT",
               "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND", "USER"],
              "nothing is in its environment but what the server says")
    client.communicate(b"bye\n", PATIENCE)
    server.stop()


def in_jail(pid):
    """A build with sanitizers has no filter, but all that comes before it."""
    return "NoNewPrivs:\t1" in read("/proc/%d/status" % pid)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as text:
        return text.read()


def no_escape_by_the_key():
    """A user's own command= cannot name another root, or load code."""
    if flavour() == "openssh":
        tap.skip("-C", "OpenSSH's sftp-server has no such option")
        return
    server = place.server({"Subsystem": "sftp internal-sftp",
                           "ChrootDirectory": cage, "AcceptEnv": "*",
                           "PermitUserEnvironment": "yes"})
    for arguments in ("-C /", "-C / -e", "-c -C /", "-d / -C /"):
        user.authorize(key, options='command="internal-sftp %s"' % arguments)
        done = sftp(server, "get /etc/hostname %s\n" % place.path("host"))
        tap.ok(done.returncode != 0 and
               not os.path.exists(place.path("host")),
               "internal-sftp %s" % arguments, done.stdout, done.stderr)
    user.authorize(key, options='command="internal-sftp",'
                   'environment="LD_DEBUG=all"')
    user.write(".ssh/environment", "LD_DEBUG=all\n")
    done = sftp(server, "pwd\n", env=place.environment(LD_DEBUG="none"))
    tap.unlike(done.stderr, "calling init", "no LD_ variable gets through")
    tap.like(done.stdout, "directory: /$", "and it works")
    os.unlink(user.path(".ssh/environment"))
    user.authorize(key)
    server.stop()


def ownership():
    """Every part of the path is root's, and nobody else's to write."""
    server = sftp_only()
    for path, change in (("", lambda p: os.chmod(p, 0o775)),
                         ("", lambda p: os.chmod(p, 0o757)),
                         ("", lambda p: os.chown(p, user.uid, user.gid))):
        mark = server.mark()
        change(cage + path)
        done = sftp(server, "pwd\n")
        tap.ok(done.returncode != 0, "a bad directory: no session")
        tap.ok(server.logged('bad ownership or modes for chroot directory '
                             '"%s"' % re.escape(cage), mark),
               "and the log says so")
        os.chmod(cage, 0o755)
        os.chown(cage, 0, 0)
    os.chmod(top, 0o775)
    mark = server.mark()
    tap.ok(sftp(server, "pwd\n").returncode != 0, "a bad parent: no session")
    tap.ok(server.logged('bad ownership or modes for chroot directory '
                         'component "%s' % re.escape(top), mark),
           "and the log names it")
    os.chmod(top, 0o755)
    tap.equal(sftp(server, "pwd\n").returncode, 0, "put right, it works")
    server.stop()
    gone = place.server({"ChrootDirectory": cage + "/none"})
    tap.ok(gone.ssh(user, "id", key=key).returncode != 0, "none is there")
    tap.ok(gone.logged(r'stat\("?.*/none"?\)|/none'), "the log says so")
    gone.stop()


def tokens():
    """%h, %u, %U, %%."""
    roots = os.path.join(top, "roots")
    for name in (user.name, str(user.uid), "100%"):
        os.makedirs(os.path.join(roots, name))
        with open(os.path.join(roots, name, "me"), "w",
                  encoding="ascii") as text:
            text.write(name)
    for token, name in (("%u", user.name), ("%U", str(user.uid)),
                        ("100%%", "100%")):
        if flavour() == "openssh" and token == "%U":
            continue
        server = place.server({"Subsystem": "sftp internal-sftp",
                               "ChrootDirectory": "%s/%s" % (roots, token)})
        got = place.path("me-" + token.strip("%"))
        done = sftp(server, "get me %s\n" % got)
        tap.equal((done.returncode, os.path.exists(got) and read(got)),
                  (0, name), "token " + token, done.stderr)
        server.stop()
    os.chown(user.home, 0, 0)
    server = place.server({"Subsystem": "sftp internal-sftp",
                           "StrictModes": "no", "ChrootDirectory": "%h"})
    done = sftp(server, "ls -a\n")
    tap.like(done.stdout, r"\.ssh", "token %h", done.stderr)
    os.chown(user.home, user.uid, user.gid)
    server.stop()


def shell():
    """A shell works where its files are; the system's are not seen."""
    if not BUSYBOX or not static(BUSYBOX):
        tap.skip("a shell in the directory", "needs a static busybox")
        return
    os.makedirs(cage + "/bin", exist_ok=True)
    os.makedirs(cage + user.home, exist_ok=True)
    shutil.copy(BUSYBOX, cage + "/bin/busybox")
    for name in ("sh", "ls", "pwd", "id", "echo", "tty"):
        os.link(cage + "/bin/busybox", cage + "/bin/" + name)
    server = place.server({"ChrootDirectory": cage})
    done = server.ssh(user, "pwd; ls /; id -u", key=key)
    tap.equal(done.stdout.decode().split(),
              [user.home, "bin", "files", "hello",
               user.home.split("/")[1], str(user.uid)],
              "a command in it", done.stderr)
    odd = place.account(shell="/bin/busybox-only-there")
    odd.authorize(key)
    shutil.copy(BUSYBOX, cage + "/bin/busybox-only-there")
    done = server.ssh(odd, "x", key=key)
    tap.unlike(server.log(), "%s not allowed because shell" % odd.name,
               "the shell may be one of the directory's only")
    tap.like(done.stderr, "Could not chdir to home directory",
             "no home in it: said, and / instead")
    done = server.ssh(user, "tty", key=key, flags=["-tt"])
    tap.equal(done.returncode == 255, False, "with a terminal", done.stderr)
    server.stop()


def static(path):
    """No program interpreter (elf(5)): readelf may not be installed."""
    with open(path, "rb") as binary:
        return b"/ld-linux" not in binary.read(4096)


def no_shell_there():
    empty = os.path.join(top, "empty")
    os.makedirs(empty, exist_ok=True)
    server = place.server({"ChrootDirectory": empty})
    done = server.ssh(user, "id", key=key)
    tap.ok(done.returncode != 0, "no shell in it: nothing runs")
    tap.like(done.stderr, r"/bin/sh: No such file", "and the user is told")
    server.stop()


def the_end():
    tap.equal(holds(lambda: not user.processes()), True, "nothing is left")


tap.main(internal_sftp, facts, no_escape_by_the_key, ownership, tokens,
         shell, no_shell_there, the_end)

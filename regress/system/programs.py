#!/usr/bin/python3
"""What the sandbox of a server must not leak into a session.

sudo, ping, gdb and mount work as they do under OpenSSH: no filter, no
no_new_privs, no trimmed bounding set is inherited. sudo's permission is
given in the server's own mount namespace; the machine's sudoers stay.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place

STATUS = ("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", "CapInh",
          "CapPrm", "CapEff", "CapBnd", "CapAmb")

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
overlay = place.overlay_etc(
    "echo '%s ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/oet\n"
    "chmod 440 /etc/sudoers.d/oet" % user.name)
keys_dir = place.path("keys")
os.mkdir(keys_dir)
shutil.copy(user.path(".ssh/authorized_keys"), os.path.join(keys_dir, "root"))
server = place.server(
    {"PermitRootLogin": "prohibit-password", "StrictModes": "no",
     "AuthorizedKeysFile": keys_dir + "/%u .ssh/authorized_keys"},
    before=overlay or "")


def run(command, who=user, **more):
    return server.ssh(who, command, key=key, **more)


def status(text):
    return {line.split(":")[0]: line.split(":")[1].split()
            for line in text.splitlines() if ":" in line}


def credentials():
    """/proc/self/status of a session (proc(5))."""
    here = status(open("/proc/self/status", encoding="ascii").read())
    seen = status(run("cat /proc/self/status").stdout.decode())
    tap.equal(seen["Uid"], [str(user.uid)] * 4, "all four user ids")
    tap.equal(seen["Gid"], [str(user.gid)] * 4, "all four group ids")
    tap.equal(seen["Groups"], [str(user.gid)], "supplementary groups")
    tap.equal(seen["NoNewPrivs"], ["0"], "no_new_privs is not set")
    tap.equal(seen["Seccomp"], ["0"], "no seccomp filter")
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        tap.equal(int(seen[name][0], 16), 0, "%s is empty" % name)
    tap.equal(seen["CapBnd"], here["CapBnd"], "CapBnd is the server's whole")
    root = status(run("cat /proc/self/status", who="root").stdout.decode())
    for name in STATUS[3:]:
        tap.equal(root[name], here[name], "root's session: %s" % name)
    out = run("cat /proc/self/oom_score_adj").stdout.strip()
    tap.equal(out, open("/proc/self/oom_score_adj", "rb").read().strip(),
              "oom_score_adj is not the server's own")
    out = run("cat /proc/self/coredump_filter; ulimit -Hc").stdout.split()
    tap.ok(len(out) == 2, "limits can be read", out)


def works_here(*argv):
    """The yardstick: does the user have it without ssh?"""
    done = subprocess.run(["runuser", "-u", user.name, "--", *argv],
                          capture_output=True, cwd="/")
    return done.returncode == 0


def sudo():
    if not shutil.which("sudo") or not overlay:
        tap.skip("sudo", "no sudo, or no overlay over /etc")
        return
    done = run("sudo -n id -u")
    tap.equal((done.returncode, done.stdout), (0, b"0\n"), "sudo id",
              done.stderr)
    done = run("sudo -n cat /proc/self/status")
    tap.equal(status(done.stdout.decode())["CapEff"],
              status(open("/proc/self/status", encoding="ascii").read())
              ["CapEff"], "sudo gives all that root has")
    done = run("sudo -n -u nobody id -un")
    tap.equal(done.stdout, b"nobody\n", "sudo to another user")


def ping():
    if not shutil.which("ping") or not works_here("ping", "-c1", "127.0.0.1"):
        tap.skip("ping", "it does not work here without ssh either")
        return
    done = run("ping -c1 127.0.0.1")
    tap.equal(done.returncode, 0, "ping -c1 127.0.0.1", done.stderr)
    tap.like(done.stdout, "1 received", "is answered")


def debuggers():
    argv = ["gdb", "--nx", "--batch", "-ex", "run", "/bin/true"]
    if not shutil.which("gdb") or not works_here(*argv):
        tap.skip("gdb", "it does not work here without ssh either")
    else:
        done = run(" ".join(argv[:-2]) + " run /bin/true")
        tap.like(done.stdout, r"exited normally", "gdb runs a program",
                 done.stderr)
    if not shutil.which("strace") or not works_here("strace", "true"):
        tap.skip("strace", "it does not work here without ssh either")
    else:
        done = run("strace -f true")
        tap.like(done.stderr, r"exited with 0", "strace runs a program")


def mount_and_chroot():
    """What root does with full capabilities, in a namespace of its own."""
    done = run("unshare -m sh -c 'mount -t tmpfs tmpfs /mnt && echo up'",
               who="root")
    tap.equal(done.stdout, b"up\n", "root mounts", done.stderr)
    done = run("chroot / id -u", who="root")
    tap.equal(done.stdout, b"0\n", "root uses chroot", done.stderr)
    done = run("nice -n -5 nice", who="root")
    tap.equal(done.stdout, b"-5\n", "root raises a priority", done.stderr)
    if works_here("unshare", "-rm", "true"):
        done = run("unshare -rm id -u")
        tap.equal(done.stdout, b"0\n", "a user namespace", done.stderr)
    else:
        tap.skip("a user namespace", "not allowed here without ssh either")


def set_user_id():
    done = run("find /usr/bin/passwd -perm -4000; /usr/bin/passwd -S")
    tap.like(done.stdout, r"^%s P " % re.escape(user.name),
             "a set-user-ID program", done.stderr)


def the_end():
    server.stop()


tap.main(credentials, sudo, ping, debuggers, mount_and_chroot, set_user_id,
         the_end)

#!/usr/bin/python3
"""Who gets into omniedge ssh-server, as whom, and with what: as root and as a
plain user. Nobody without a credential."""
import os
import re
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import lab
import tap
from account import account_tool
from lab import Lab
from server import Place
from wait import PATIENCE, holds

place = Place()
alice = place.account()
bob = place.account()
key = place.key()
WRONG = "not-the-password"


def once(server, user, whose):
    """The one-time password: printed once, good once."""
    word = server.once()
    tap.like(word or "", r"^[2-9a-z]{4}(-[2-9a-z]{4}){3}$",
             "%s: a one-time password is printed" % whose)
    tap.unlike(server.log(), re.escape(word), "and is not in the log")
    tap.equal(server.may_login(user, WRONG), None, "another is refused")
    tap.equal(server.may_login(user, word), alice.name, "it logs in")
    tap.ok(server.logged("one-time password has been used and is forgotten"),
           "the log says that it is used up")
    tap.equal(server.may_login(user, word), None, "and not a second time")
    alice.authorize(key)
    tap.equal(server.may_login(user, key=key), alice.name,
              "a key that came later logs in")
    alice.write(".ssh/authorized_keys", "")
    server.stop()


def one_time():
    server = Lab(place, account=alice)
    tap.like(server.out(), r"^  ssh -p %d %s@[\d.]+$"
             % (server.port, alice.name), "the line to type is exact")
    fingerprint = subprocess.run(
        ["ssh-keygen", "-lf", server.host_keys()[0]], capture_output=True,
        text=True).stdout.split()[1]
    tap.like(server.out(), "Host key: ED25519 " + re.escape(fingerprint),
             "with the key's fingerprint")
    tap.like(server.out(), "Serves user %s only" % alice.name,
             "and whom it serves")
    once(server, alice.name, "a user's")


def one_time_race():
    """Two clients with the same password: the kernel gives it to one."""
    server = Lab(place, account=alice)
    word = server.once()
    clients = [place.popen(server.ssh_argv(
        alice, "echo in", BatchMode="no", NumberOfPasswordPrompts="1",
        PreferredAuthentications="password"), env=place.askpass(word))
        for _ in range(6)]
    said = [client.communicate(timeout=PATIENCE)[0] for client in clients]
    tap.equal(said.count(b"in\n"), 1, "of six at once, one is in", said)
    server.stop()


def no_need():
    """With a key or a password there is no one-time password."""
    alice.authorize(key)
    server = Lab(place, account=alice)
    tap.equal(server.once(), None, "a key is there: none is made")
    tap.equal(server.may_login(alice, key=key), alice.name, "it logs in")
    tap.equal(server.may_login(alice, alice.password), None,
              "without root the account's own password is nobody's to check")
    server.stop()
    alice.write(".ssh/authorized_keys", "# nothing\n")
    server = Lab(place, account=alice, password="of the lab")
    tap.equal(server.once(), None, "a password is given: none is made")
    tap.equal(server.may_login(alice, "of the lab"), alice.name,
              "--password-fd logs in")
    tap.equal(server.may_login(alice, "of the lab"), alice.name, "and again")
    tap.equal(server.may_login(alice, "of the la"), None, "no other does")
    tap.equal(server.may_login(alice, ""), None, "nor an empty one")
    server.stop()


def keys_file():
    # Not below /tmp itself, where StrictModes lets nobody's keys be.
    with open(key + ".pub", encoding="ascii") as public:
        listed = alice.write("listed", public.read(), 0o644)
    other = place.key(name="id_other")
    alice.authorize(other)
    server = Lab(place, "--authorized-keys", listed, "--auth", "keys",
                 account=alice)
    tap.equal(server.may_login(alice, key=key), alice.name,
              "--authorized-keys: a listed key logs in")
    tap.equal(server.may_login(alice, key=other), None,
              "instead of those of the home")
    tap.equal(server.may_login(alice, "any"), None, "no password is taken")
    server.stop()
    alice.write(".ssh/authorized_keys", "")
    server = Lab(place, "--auth", "keys", account=alice)
    tap.equal(server.once(), None, "--auth keys: no password is made")
    tap.like(server.out(), "nobody can log in yet", "and that is said")
    server.stop()


def as_root():
    """Mapping: exact, *, --default-user, the same name."""
    server = Lab(place, "--user-map", "git:" + alice.name,
                 "--user-map", "root:" + bob.name, "--user-map", "*:=",
                 password="pw")
    for name, local in (("git", alice.name), ("root", bob.name),
                        (bob.name, bob.name), ("*", None),
                        ("no-such-user", None), ("", None)):
        tap.equal(server.may_login(name, "pw"), local,
                  "%r is %s" % (name, local or "refused"))
    tap.ok(server.logged("Invalid user no-such-user from"), "unknown: logged")
    server.stop()
    server = Lab(place, "--default-user", bob.name, "--user-map",
                 "git:" + alice.name, password="pw")
    for name, local in (("git", alice.name), ("anything", bob.name),
                        ("root", bob.name)):
        tap.equal(server.may_login(name, "pw"), local, name + " is " + local)
    server.stop()
    server = Lab(place, password="pw")
    tap.equal(server.may_login(alice, "pw"), alice.name, "the same name")
    tap.equal(server.may_login("root", "pw"), None, "but root is refused")
    tap.ok(server.logged("root logs in only where --user-map"), "with why")
    tap.equal(server.may_login("nobody", "pw"), None,
              "and an account without a shell")
    server.stop()


def root_when_asked():
    for argv, name in ((["--user-map", "root:="], "root"),
                       (["--user-map", "admin:root"], "admin"),
                       (["--default-user", "root"], "whoever")):
        server = Lab(place, *argv, password="pw")
        tap.equal(server.may_login(name, "pw"), "root",
                  " ".join(argv) + ": %s is root" % name)
        server.stop()
    server = Lab(place, "--user-map", "admin:root", password="pw")
    tap.equal(server.may_login("root", "pw"), None,
              "another name's pair does not open root's own")
    server.stop()


def accounts_passwords():
    """As root without a password of its own: shadow(5) and users' keys."""
    alice.authorize(key)
    server = Lab(place)
    tap.equal(server.once(), None, "accounts have passwords: none is made")
    tap.equal(server.may_login(bob, bob.password), bob.name,
              "an account's own password")
    tap.equal(server.may_login(bob, alice.password), None, "not another's")
    tap.equal(server.may_login(alice, key=key), alice.name, "a key")
    account_tool("usermod", "-L", bob.name)
    tap.equal(server.may_login(bob, bob.password), None, "a locked account")
    account_tool("usermod", "-U", bob.name)
    server.stop()
    alice.write(".ssh/authorized_keys", "")
    account_tool("usermod", "-p", "!", alice.name)
    server = Lab(place, "--default-user", alice.name)
    once(server, "whoever", "root's, for an account without a password")


def uid_of(server):
    """How the processes of a connection run: title -> (uid, status)."""
    seen = {}
    for pid in server.children():
        with open("/proc/%d/status" % pid, encoding="ascii") as status:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in status
                          if ":\t" in line)
        seen[fields["Name"]] = (pid, fields)
    return seen


def confined():
    """The network process: its own root directory, no right, a filter."""
    for account in (None, alice):
        server = Lab(place, "--default-user", alice.name, account=account,
                     password="pw")
        client = place.popen(server.ssh_argv(
            "x", "read x", BatchMode="no",
            PreferredAuthentications="password"), env=place.askpass("pw"))
        up = {}

        def is_up():
            up.clear()
            up.update(uid_of(server))
            return {"sshd-net", "sshd", "bash"} <= set(up)
        tap.ok(holds(is_up), "a session is up")
        whose = "a user's" if account else "root's"
        pid, net = up["sshd-net"]
        tap.equal((net["Seccomp"], net["NoNewPrivs"], int(net["CapPrm"], 16)),
                  ("2", "1", 0), whose + ": filter, no_new_privs, no right")
        tap.equal(sorted(os.listdir("/proc/%d/fd" % pid))[:3],
                  ["0", "1", "2"], "its descriptors")
        tap.ok("5" not in os.listdir("/proc/%d/fd" % pid) or not os.path.isdir(
            "/proc/%d/fd/5" % pid), "its root directory is not open")
        if account is None:
            tap.ok(61184 <= int(net["Uid"].split()[0]) <= 65519,
                   "an id that no account has", net["Uid"])
        else:
            tap.equal(int(net["Uid"].split()[0]), alice.uid, "the user's id")
        if "no user namespace" in server.out():
            tap.skip("an empty root directory", "no user namespaces here")
        else:
            tap.equal(os.listdir("/proc/%d/root/" % pid), [],
                      "an empty root directory")
            tap.like(os.readlink("/proc/%d/root" % pid), r"\(deleted\)$|^/$",
                     "that is in no other")
        _, monitor = up["sshd"]
        tap.equal(int(monitor["Uid"].split()[0]), alice.uid if account else 0,
                  "its monitor is the server's user")
        _, shell = up["bash"]
        tap.equal((shell["Seccomp"], shell["NoNewPrivs"]), ("0", "0"),
                  "and the session has none of this")
        client.communicate(b"\n", timeout=PATIENCE)
        server.stop()


def without_namespaces():
    """A kernel that gives none: the filter alone, and that is said."""
    script = ("echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv "
              "--inh-caps=-all --ambient-caps=-all --bounding-set=-all \"$@\"")
    wrap = ["unshare", "-U", "--map-user=%d" % alice.uid,
            "--map-group=%d" % alice.gid, "--keep-caps", "sh", "-c", script,
            "sh"]
    done = place.run([*lab.as_account(alice), *wrap, "true"])
    if done.returncode != 0:
        tap.skip("without user namespaces", "this test needs one itself")
        return
    server = Lab(place, account=alice, password="pw", wrap=wrap)
    tap.like(server.out(), "gives no user namespace: the network process is "
             "held by its system call filter alone", "that is said")
    tap.equal(server.may_login(alice, "pw"), alice.name, "a login works")
    server.stop()


def auth_none():
    server = Lab(place, "--auth", "none", "--allow-network", "127.0.0.0/8",
                 "--user-map", "x:" + alice.name)
    tap.like(server.out(), "WARNING: --auth none", "--auth none is loud")
    tap.equal(server.may_login("x"), alice.name, "nothing to prove")
    tap.equal(server.may_login(bob), bob.name, "for any account")
    tap.equal(server.may_login("root"), None, "but root's")
    tap.equal(server.may_login("no-such"), None, "and those there are")
    tap.equal([line for line in server.log().splitlines()
               if not re.match(r"(error: )?\[auth none\] ", line)], [],
              "every line of the log is marked")
    server.stop()
    server = Lab(place, "--auth", "none", "--localhost-only", account=alice)
    tap.equal(server.may_login(alice), alice.name, "as a user: himself")
    tap.equal(server.may_login(bob), None, "and nobody else")
    server.stop()


def host_key():
    """Made once, with sound modes, kept, and never replaced."""
    folder = place.path("made")
    argv = ["--localhost-only", "--host-key-path"]
    server = Lab(place, *argv, folder + "/", password="pw")
    server.stop()
    path = os.path.join(folder, "ssh_host_ed25519_key")
    tap.equal(stat.S_IMODE(os.stat(folder).st_mode), 0o700, "0700")
    tap.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "0600")
    with open(path, "rb") as kept:
        before = kept.read()
    with open(path + ".pub", encoding="ascii") as public:
        tap.equal(subprocess.run(["ssh-keygen", "-yf", path], text=True,
                                 capture_output=True).stdout.split()[:2],
                  public.read().split()[:2], "ssh-keygen reads it")
    server = Lab(place, *argv, folder, password="pw")
    tap.equal(server.may_login(alice, "pw"), alice.name, "it is used again")
    server.stop()
    with open(path, "rb") as kept:
        tap.equal(kept.read(), before, "and stays")
    tap.equal(sorted(os.listdir(folder)), ["ssh_host_ed25519_key",
                                           "ssh_host_ed25519_key.pub"],
              "nothing else is left there")
    single = place.path("single-key")
    server = Lab(place, *argv, single, password="pw")
    tap.equal(server.may_login(alice, "pw"), alice.name, "a file of a name")
    server.stop()
    bad_keys(single)


def bad_keys(path):
    def refused(name, pattern):
        done = lab.run("--host-key-path", path)
        tap.equal(done.returncode, 1, name + ": no start")
        tap.like(done.stderr, pattern, "with why")
    os.chmod(path, 0o644)
    refused("open to others", "are too open; run: chmod 600")
    os.chmod(path, 0o600)
    os.truncate(path, 100)
    size = os.path.getsize(path)
    refused("damaged", re.escape(path))
    tap.equal(os.path.getsize(path), size, "it is not replaced")
    os.unlink(path)
    os.symlink("/nonexistent/target", path)
    refused("a link to nowhere", re.escape(path))
    tap.ok(os.path.islink(path), "it is not replaced either")
    loose = place.path("loose")
    os.mkdir(loose)
    os.chmod(loose, 0o777)
    done = lab.run("--host-key-path", loose)
    tap.equal(done.returncode, 1, "a directory that others can write in")
    tap.like(done.stderr, "others can write in", "with why")
    done = lab.run("--host-key-path", "/proc/no/key", account=alice)
    tap.equal(done.returncode, 1, "a place where none can be made")


tap.main(one_time, one_time_race, no_need, keys_file, as_root,
         root_when_asked, accounts_passwords, confined, without_namespaces,
         auth_none, host_key)

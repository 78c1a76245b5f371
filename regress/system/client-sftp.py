#!/usr/bin/python3
"""omniedge sftp: batches beside the stock sftp, resumed transfers, lines typed
on a terminal, and sessions over ssh with our server and others."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place, built, free_port, listening
from terminal import Terminal
from wait import PATIENCE, kill_quietly, wait_for

OPENSSH_SFTP = "/usr/lib/openssh/sftp-server"
BEYOND = 1 << 32
PROMPT = "sftp> "

place = Place()
omniedge = built("omniedge")
top = place.path("tree")


def write(path, data=b"x"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)


def read(*names):
    try:
        with open(os.path.join(top, *names), "rb") as data:
            return data.read()
    except OSError as error:
        return error


def plant():
    shutil.rmtree(top, ignore_errors=True)
    write(top + "/one", b"1" * 1000)
    write(top + "/two", b"2" * 200000)
    write(top + "/sp ace", b"space")
    write(top + "/st*r", b"star")
    write(top + "/dir/a", b"a")
    write(top + "/dir/sub/b", b"b")
    write(top + "/.dot", b"dot")


def batch(lines, program=None, flags=(), tree=True):
    if tree:
        plant()
    return place.run([*(program or [omniedge, "sftp"]), "-D", OPENSSH_SFTP,
                      "-b", "-", *flags],
                     input="\n".join(lines).encode() + b"\n", cwd=top)


def both(name, *lines, but=None):
    """The same lines for either sftp: the same output, status and files."""
    seen = {}
    for who, program in (("ours", [omniedge, "sftp"]), ("stock", ["sftp"])):
        done = batch(lines, program)
        files = sorted(os.path.relpath(os.path.join(folder, f), top)
                       for folder, _, names in os.walk(top) for f in names)
        # Blanks at the end of a line of columns are nobody's.
        text = re.sub(rb"[ ]+\n", b"\n", done.stdout)
        if but:
            text = re.sub(but, b"", text)
        seen[who] = (done.returncode, text, files,
                     [read(f) for f in files])
        seen[who + " said"] = done.stderr
    ours, stock = seen["ours"], seen["stock"]
    tap.equal(ours[0], stock[0], name + ": the same exit status",
              seen["ours said"], seen["stock said"])
    tap.equal(ours[1], stock[1], name + ": the same output")
    tap.equal(ours[2:], stock[2:], name + ": the same files")


def same_as_stock():
    both("directories", "pwd", "cd dir", "pwd", "ls", "cd", "pwd", "cd ..",
         "cd /nowhere", "pwd")
    both("ls", "ls", "ls -1", "ls -a", "ls -1r", "ls -S", "ls dir", "ls d*",
         "ls -1 dir/sub", "ls .dot", "-ls none", "ls -1 s*")
    both("what is listed by which path", "ln -s dir dlink", "ln -s two link",
         "ln -s none dangling", "ls -1 *", "ls -l *", "ls -1 d*", "ls -1 d*/",
         "ls -l dir", "ls -l dir/", "ls -l dlink", "ls -l link",
         "ls -l dangling", "ls -l dangl*", "ls -1 %s/dir" % top,
         "ls -l %s/dir" % top, "ls -1 %s/*" % top, "ls -1 %s/one" % top,
         "ls -1 .", "ls -la dir", "ls -lh", "ls -lS *o*", "cd dir",
         "ls -1 ../dir", "ls -1 ..", "ls -l sub", "ls -l ../one",
         "ls -1 ../*", "rm ../dangling")
    both("get", "get one new", "get two dir", "get \"sp ace\" dir",
         "get st\\*r starred", "get s* dir", "-get none", "get -r dir d2")
    both("put", "put one new", "put two dir", "put 'sp ace' dir/s",
         "put -r dir d2", "-put none", "put one none/x")
    both("a pattern onto a file", "get * one")
    both("quotes", "get \"st*r\" 'a b'", "get 'sp ace' \"c'd\"",
         "get sp\\ ace e\\\"f", "mkdir \"new dir\"", "put one 'new dir'",
         "ls -1 \"new dir\"")
    both("names", "rename one uno", "rm uno", "-rm uno", "rm s*",
         "mkdir d3", "rmdir d3", "ln -s two l", "symlink two l2",
         "ln two hard", "cp two copy", "-rmdir dir")
    both("an open quote", "get \"one")
    both("no such command", "frobnicate")
    both("an error ends it", "rm none", "pwd")
    both("an ignored one does not", "-rm none", "@pwd", "-@rm none", "@ls")
    both("comments and blanks", "# a comment", "", "  pwd # another")
    both("chmod", "chmod 600 one", "!stat -c %a one", "chmod 4755 none")
    both("this machine", "lpwd", "lcd dir", "lpwd", "lmkdir x", "lumask 077",
         "!echo hello", "lls -1", "!false", "lcd /nowhere")
    both("df", "df", "df -h", "df -i", but=rb"[ ]*[0-9.]+[BKMGTPE%]*B?")
    both("numbers", "chown root one", "chmod 9 one")
    both("version", "version", "progress", "progress", "help",
         but=rb"(?s)Available commands.*")


def long_lines():
    done = batch(["ls -l dir", "ls -ln one", "ls -lh two"])
    for pattern in (r"^-rw-r--r-- +\? \S+ +\S+ +1 \w{3} .* dir/a$",
                    r"^-rw-r--r-- +\? 0 +0 +1000 \w{3} .* one$",
                    r"^-rw-r--r-- +\? root +root +195K \w{3} .* two$"):
        tap.like(done.stdout, pattern, "ls -l: " + pattern, done.stderr)


def owners():
    """Names where the server tells them, numbers where they are asked for."""
    for line, words in (("ls -l one", "root +root"), ("ls -lh dir", "root +root"),
                        ("ls -ln one", "0 +0"), ("ls -n dir", "0 +0")):
        done = batch([line])
        tap.like(done.stdout, r"\? %s +\d" % words, line, done.stderr)


def resumed():
    plant()
    data = os.urandom(300000)
    write(top + "/full", data)
    write(top + "/part", data[:100001])
    done = batch(["reget full part"], tree=False)
    tap.equal((done.returncode, read("part")), (0, data), "reget goes on",
              done.stderr)
    write(top + "/part", data[:70000])
    done = batch(["reput full part"], tree=False)
    tap.equal((done.returncode, read("part")), (0, data), "reput goes on",
              done.stderr)
    write(top + "/part", data + b"more")
    done = batch(["reget full part"], tree=False)
    tap.equal(done.returncode, 1, "what is longer already is an error")
    tap.equal(read("part"), data + b"more", "and is left alone")
    done = batch(["reput full new"], tree=False)
    tap.equal((done.returncode, read("new")), (0, data),
              "reput of what is not there", done.stderr)
    for path in ("big", "big2"):
        with open(os.path.join(top, path), "wb") as out:
            out.truncate(BEYOND)
    with open(os.path.join(top, "big"), "ab") as out:
        out.write(data)
    for line in ("reget big big2", "reput big big3"):
        if line.startswith("reput"):
            with open(os.path.join(top, "big3"), "wb") as out:
                out.truncate(BEYOND)
        done = batch([line], tree=False)
        tap.equal(done.returncode, 0, line + ", beyond 4 GiB", done.stderr)
        with open(os.path.join(top, line.split()[2]), "rb") as out:
            out.seek(BEYOND)
            tap.equal(out.read(), data, "with its end")


def flags():
    done = batch(["get -p two new", "put -p one dir/o", "get -P two n2"])
    tap.equal(done.returncode, 0, "-p", done.stderr)
    tap.equal(int(os.stat(top + "/new").st_mtime),
              int(os.stat(top + "/two").st_mtime), "keeps times")
    for flag in (["-B", "1000"], ["-R", "1"], ["-X", "nrequests=3"],
                 ["-X", "buffer=777"], ["-B", "100000", "-R", "300"],
                 ["-f"], ["-l", "100000"]):
        done = batch(["get two new", "put two dir/new"], flags=flag)
        tap.equal((done.returncode, read("new"), read("dir/new")),
                  (0, read("two"), read("two")), " ".join(flag), done.stderr)
    for flag in (["-B", "x"], ["-R", "0"], ["-X", "other=1"], ["-l", "0"]):
        done = batch(["pwd"], flags=flag)
        tap.equal((done.returncode, done.stdout), (1, b""),
                  " ".join(flag) + ": refused")
    done = place.run([omniedge, "sftp", "-b", top + "/none", "h.invalid"])
    tap.equal((done.returncode, done.stderr), (255,
              b"No such file or directory (%s/none).\n" % top.encode()),
              "a batch that is not there: told before there is a connection")
    done = place.run([omniedge, "sftp", "--help"])
    tap.like(done.stdout, "usage: omniedge sftp", "--help")


# --- on a terminal -----------------------------------------------------------
class Typed:
    """A session in a terminal of its own, in the tree."""

    def __init__(self, *argv, home="term"):
        self.home = place.path(home)
        os.makedirs(self.home, exist_ok=True)
        place.home, kept = self.home, place.home
        os.chdir(top)
        self.terminal = Terminal(place, [omniedge, "sftp", *(
            argv or ("-D", OPENSSH_SFTP))])
        place.home = kept

    def reads(self):
        """Is it asleep, having nothing left to do? proc_pid_stat(5)"""
        with open("/proc/%d/stat" % self.terminal.process.pid,
                  encoding="ascii") as line:
            return line.read().rsplit(")", 1)[1].split()[0] == "S"

    def type(self, text, pattern, name):
        self.terminal.send(text)
        return tap.ok(self.terminal.expect(pattern), name,
                      self.terminal.seen[-300:])


def terminal():
    plant()
    os.mkdir(top + "/unique-directory")
    write(top + "/unique-directory/in it", b"deep")
    s = Typed()
    tap.ok(s.terminal.expect(PROMPT), "a prompt", s.terminal.seen)
    s.type("vers\t\r", "protocol version 3", "a command is completed")
    s.type("ls uni\t\r", "in it", "so is a name of the server")
    s.type("get unique-directory/in\t got\r", "(?s)Fetching.*100%.*" + PROMPT,
           "and one with a blank, in quotes of its own; progress is shown")
    tap.equal(read("got"), b"deep", "and it is there")
    s.type("lls st\t\r", r"st\*r", "a name of this machine")
    s.type("put one \t\t", "(?s)unique-directory.*put one ",
           "candidates are listed")
    # A ^C while the line is being drawn is heeded at the next key only.
    wait_for(lambda: s.reads(), what="the editor to read")
    s.type("\x03", PROMPT, "^C takes the line back")
    s.type("pwd\r", "working directory: " + top, "and the shell goes on")
    s.type("bye\r", "", "bye")
    tap.equal(s.terminal.finish(), 0, "ends it with 0")
    history = os.path.join(s.home, ".omniedge", "sftp_history")
    tap.equal(oct(os.stat(history).st_mode & 0o777), "0o600",
              "the history is the user's alone")
    s = Typed()
    s.terminal.expect(PROMPT)
    s.type("\x1b[A\x1b[A\r", "(?s)working directory.*" + PROMPT,
           "and is there again")
    wait_for(lambda: s.reads(), what="the editor to read")
    s.type("\x04", "", "^D")
    tap.equal(s.terminal.finish(), 0, "ends it with 0")


def interrupted():
    plant()
    with open(top + "/large", "wb") as out:
        out.truncate(1 << 30)
    s = Typed("-l", "80000", "-D", OPENSSH_SFTP)
    s.terminal.expect(PROMPT)
    s.type("get large part\r", "large .*/s", "a transfer, with its line")
    s.type("\x03", "(?s)Interrupt.*" + PROMPT, "^C stops it")
    s.type("pwd\r", "working directory", "and not the shell")
    size = os.path.getsize(top + "/part")
    tap.ok(size < 1 << 30, "what has come is kept", size)
    s.type("quit\r", "", "quit")
    tap.equal(s.terminal.finish(), 0, "ends it")


def strange_names():
    plant()
    write(os.path.join(top, "esc\x1b[31mred\x07"), b"e")
    s = Typed()
    s.terminal.expect(PROMPT)
    s.type("ls -1 esc*\r", r"esc\\033\[31mred\\007", "escapes are shown")
    s.type("ls -l esc*\r", r"esc\\033\[31mred\\007", "in long lines too")
    s.type("get esc\t\x03", PROMPT, "and are never completed")
    s.type("get esc* esc\r", "(?s)100%.*" + PROMPT, "but can be fetched")
    tap.equal(read("esc"), b"e", "by a pattern")
    s.type("exit\r", "", "exit")
    s.terminal.finish()
    tap.ok(b"\x1b[31mred" not in s.terminal.seen, "nothing of it came raw")


# --- over ssh ----------------------------------------------------------------
def over_ssh():
    user = place.account()
    key = place.key()
    user.authorize(key)
    plant()
    for name in ("ours", "openssh"):
        os.environ["SSHD_FLAVOUR"] = name
        server = place.server()
        argv = [omniedge, "sftp", *server.options(key), "-P",
                str(server.port)]
        at = "%s@%s" % (user.name, ADDRESS)
        done = place.run([*argv, "-b", "-", at], cwd=top,
                         input=b"put -r dir\nls -1 dir\nget -r dir again\n")
        tap.equal((done.returncode, done.stdout.splitlines()[3:6]),
                  (0, [b"sftp> ls -1 dir", b"dir/a", b"dir/sub"]),
                  name + ": a batch", done.stderr)
        tap.equal(read("again/sub/b"), b"b", name + ": and back")
        done = place.run([*argv, at + ":dir/a", "fetched"], cwd=top)
        tap.equal((done.returncode, read("fetched")), (0, b"a"),
                  name + ": host:file fetches it", done.stderr)
        done = place.run([*argv, "-b", "-", at + ":dir"], cwd=top,
                         input=b"pwd\n")
        tap.like(done.stdout, "/dir$", name + ": host:dir begins there")
        done = place.run([*argv, "-S", "ssh", "-b", "-", at], cwd=top,
                         input=b"ls -1 dir\n")
        tap.like(done.stdout, "dir/a", name + ": -S, over ssh(1)",
                 done.stderr)
        done = place.run([*argv, "-s", OPENSSH_SFTP, "-b", "-", at],
                         cwd=top, input=b"ls -1 dir\n")
        tap.like(done.stdout, "dir/a", name + ": -s, a server's path",
                 done.stderr)
        done = place.run([*argv, "-s", "none", "-b", "-", at], cwd=top,
                         input=b"ls\n")
        tap.equal(done.returncode, 255, name + ": no such subsystem")
        cut(server, argv, at, name)
        server.stop()
    del os.environ["SSHD_FLAVOUR"]


def dropbear():
    """A server that is not OpenSSH's: windows and packets of its own."""
    if not os.access("/usr/sbin/dropbear", os.X_OK):
        return tap.skip("dropbear", "is not installed")
    user = place.account()
    key = place.key()
    user.authorize(key)
    host, known = place.path("dropbear_key"), place.path("dropbear_known")
    made = place.run(["dropbearkey", "-t", "ed25519", "-f", host])
    public = re.search(rb"^(ssh-ed25519 \S+)", made.stdout, re.M).group(1)
    port = free_port()
    with open(known, "wb") as out:
        out.write(b"[%s]:%d %s\n" % (ADDRESS.encode(), port, public))
    place.popen(["dropbear", "-F", "-E", "-m", "-r", host, "-P", "/dev/null",
                 "-p", "%s:%d" % (ADDRESS, port)])
    wait_for(lambda: listening(port), what="dropbear to listen")
    plant()
    data = os.urandom(5 << 20)
    write(top + "/large", data)
    options = ["-F", "/dev/null", "-o", "UserKnownHostsFile=" + known,
               "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
               "-i", key, "-P", str(port)]
    done = place.run([omniedge, "sftp", *options, "-b", "-", "%s@%s" % (
        user.name, ADDRESS)], cwd=top, input=b"put large\nput -r dir\n"
        b"get large back\nget -r dir again\n")
    tap.equal((done.returncode, read("back") == data, read("again/sub/b")),
              (0, True, b"b"), "dropbear: there and back", done.stderr)
    return None


def cut(server, argv, at, name):
    """The connection goes away in a transfer; reget goes on from there."""
    data = os.urandom(1 << 20) * 8
    write(os.path.join(top, "cut"), data)
    place.run([*argv, "-b", "-", at], cwd=top, input=b"put cut\n")
    half = os.path.join(top, "half")
    if os.path.exists(half):
        os.unlink(half)
    client = place.popen([*argv, "-l", "8000", "-b", "-", at], cwd=top)
    client.stdin.write(b"get cut half\n")
    client.stdin.close()
    wait_for(lambda: os.path.exists(half) and os.path.getsize(half) > 100000,
             what="the transfer to begin")
    for pid in server.children():
        kill_quietly(pid)
    client.wait(PATIENCE)
    said = client.stderr.read()
    tap.ok(client.returncode not in (0, None) and said,
           name + ": with an error", client.returncode, said)
    size = os.path.getsize(half)
    tap.ok(0 < size < len(data) and read("half") == data[:size],
           name + ": what is there is the beginning", size)
    done = place.run([*argv, "-b", "-", at], cwd=top,
                     input=b"reget cut half\n")
    tap.equal((done.returncode, read("half") == data), (0, True),
              name + ": reget makes it whole", done.stderr)


tap.main(same_as_stock, long_lines, owners, resumed, flags, terminal, interrupted,
         strange_names, over_ssh, dropbear)

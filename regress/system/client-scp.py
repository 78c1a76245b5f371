#!/usr/bin/python3
"""omniedge scp beside the stock scp: the same command lines over the same
trees leave the same files and the same exit status. Then over ssh, with our
server and OpenSSH's, by SFTP and by the old protocol."""
import json
import os
import shutil
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place, built

MANY = 5000
OPENSSH_SFTP = "/usr/lib/openssh/sftp-server"

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
omniedge = built("omniedge")


# --- trees -------------------------------------------------------------------
def write(path, data=b"x", mode=0o644, when=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)
    os.chmod(path, mode)
    if when:
        os.utime(path, (when, when))


def plant(top):
    """A tree with all that a copy can go wrong at."""
    write(top + "/one", b"one\n", 0o640, 1000000000)
    write(top + "/two", b"two" * 30000, 0o755, 1100000000)
    write(top + "/empty", b"")
    write(top + "/tree/a", b"a" * 32768, 0o4755, 1200000000)
    write(top + "/tree/sub/b", bytes(range(250)) * 280, 0o600, 1300000000)
    write(top + "/tree/sub/.hidden", b"h")
    os.mkdir(top + "/tree/none")
    os.mkdir(top + "/tree/locked")
    write(top + "/tree/locked/c", b"c")
    os.chmod(top + "/tree/locked", 0o555)
    os.symlink("a", top + "/tree/link")
    write(top + "/odd/sp ace", b"1")
    write(top + "/odd/a:b", b"2")
    write(top + "/odd/st*r", b"3")
    write(top + "/odd/-dash", b"4")
    write(top + "/odd/n\xc3\xa4me".encode("latin-1").decode("utf-8"), b"5")
    write(top + "/odd/new\nline", b"6")
    os.makedirs(top + "/dir")
    write(top + "/dir/one", b"old and longer\n")
    write(top + "/file", b"there already\n")


def picture(top):
    """Everything below top: kind, mode, content, and time of old files."""
    seen = {}
    for folder, _, files in os.walk(top):
        for path in [folder] + [os.path.join(folder, f) for f in files]:
            st = os.lstat(path)
            what = os.readlink(path) if stat.S_ISLNK(st.st_mode) else \
                open(path, "rb").read() if stat.S_ISREG(st.st_mode) else None
            when = int(st.st_mtime) if st.st_mtime < 1400000000 else "now"
            seen[os.path.relpath(path, top)] = (oct(st.st_mode), what, when)
    return seen


def both(name, *argv, flags=(), status=None, but=()):
    """Run it with either scp over -D, each in a fresh tree; %s is the tree.
    but: what may differ."""
    results = {}
    for who, program in (("ours", [omniedge, "scp"]), ("stock", ["scp"])):
        top = place.path("tree")
        shutil.rmtree(top, ignore_errors=True)
        plant(top)
        done = place.run([*program, "-q", "-D", OPENSSH_SFTP, *flags,
                          *[a.replace("%s", top) for a in argv]], cwd=top)
        results[who] = (done.returncode, picture(top), done.stderr)
    ours, stock = results["ours"], results["stock"]
    tap.equal(ours[0] != 0, stock[0] != 0, name + ": the same exit status",
              ours[2], stock[2])
    if status is not None:
        tap.equal(ours[0], status, name + ": which is %d" % status, ours[2])
    differ = sorted(path for path in set(ours[1]) | set(stock[1])
                    if ours[1].get(path) != stock[1].get(path)
                    and path not in but)
    tap.ok(not differ, name + ": the same files",
           *["%.60s: ours %.90r, stock %.90r" % (
               path, ours[1].get(path), stock[1].get(path))
             for path in differ])


def same_as_stock():
    both("a file up", "one", "h:%s/new", status=0)
    both("a file over another", "one", "h:%s/file", status=0)
    both("a file into a directory", "one", "h:%s/dir", status=0)
    both("a file into a directory, with a slash", "one", "h:%s/dir/")
    both("a file into no directory", "one", "h:%s/nodir/", status=1)
    both("a file below no directory", "one", "h:%s/nodir/x", status=1)
    both("several files into a directory", "one", "two", "h:%s/dir")
    # The stock scp gives it the mode of the first file.
    both("several files make a directory", "one", "two", "h:%s/made",
         but=["made"])
    both("several files onto a file", "one", "two", "h:%s/file")
    both("one of several is not there", "one", "gone", "h:%s/dir")
    both("a file down", "h:%s/one", "new", status=0)
    both("a file down into a directory", "h:%s/one", "dir", status=0)
    both("a file down into .", "h:%s/dir/one", ".", status=0)
    both("a file down that is not there", "h:%s/gone", "dir", status=1)
    both("several files down", "h:%s/one", "h:%s/two", "dir")
    both("several files down onto a file", "h:%s/one", "h:%s/two", "file")
    both("a pattern down", "h:%s/o*e", "dir", status=0)
    both("a pattern of many down", "h:%s/tree/sub/*", "dir", status=0)
    both("a pattern without a match", "h:%s/q*", "dir", status=1)
    both("a pattern of many makes a directory", "h:%s/[ot]*o*", "made",
         flags=["-r"])
    both("a pattern of many onto a file", "h:%s/*", "file", status=1)
    both("a directory without -r, up", "tree", "h:%s/dir", status=1)
    both("a directory without -r, down", "h:%s/tree", "dir", status=1)


def same_as_stock_below():
    both("a directory up", "tree", "h:%s/made", flags=["-r"])
    both("a directory into a directory", "tree", "h:%s/dir", flags=["-r"])
    both("a directory with a slash", "tree/", "h:%s/dir", flags=["-r"])
    both("a directory up, as .", "odd/.", "h:%s/made", flags=["-r"],
         status=0)
    both("a directory down", "h:%s/tree", "made", flags=["-r"])
    both("a directory down into a directory", "h:%s/tree", "dir",
         flags=["-r"])
    both("a directory down, with a slash", "h:%s/tree/", "dir", flags=["-r"])
    both("a directory onto a file", "h:%s/tree", "file", flags=["-r"])
    both("a file up, as it was", "one", "h:%s/new", flags=["-p"])
    both("a file down, as it was", "h:%s/two", "new", flags=["-p"])
    both("a directory up, as it was", "tree", "h:%s/made", flags=["-rp"])
    # The stock scp gives its top the time of a file in it.
    both("a directory down, as it was", "h:%s/tree", "made", flags=["-rp"],
         but=["made"])
    both("odd names up", "odd", "h:%s/made", flags=["-r"], status=0)
    both("odd names down", "h:%s/odd", "made", flags=["-r"], status=0)
    both("a name with a colon", "./odd/a:b", "h:%s/made", status=0)
    both("a name with a star", "h:%s/odd/st\\*r", "made", status=0)
    both("from one to another", "h1:%s/two", "h2:%s/made", flags=["-3"])
    both("a tree from one to another", "h1:%s/tree", "h2:%s/made",
         flags=["-3r"])
    both("from here to here", "one", "two", "dir")


# --- over ssh ----------------------------------------------------------------
def servers():
    ours = place.server()
    yield "our sshd", ours
    if os.access("/usr/sbin/sshd", os.X_OK):
        os.environ["SSHD_FLAVOUR"] = "openssh"
        yield "OpenSSH's sshd", place.server()
        del os.environ["SSHD_FLAVOUR"]


def scp(server, *paths, flags=(), **more):
    argv = [omniedge, "scp", *server.options(key), "-P", str(server.port),
            *flags]
    argv += ["%s@%s%s" % (user.name, ADDRESS, path) if path[0] == ":"
             else path for path in paths]
    return place.run(argv, **more)


def well(done, name):
    return tap.equal((done.returncode, done.stdout, done.stderr),
                     (0, b"", b""), name)


def round_trip(server, name, flags):
    top = place.path("up")
    shutil.rmtree(top, ignore_errors=True)
    plant(top)
    os.unlink(top + "/odd/new\nline")
    well(scp(server, top, ":up", flags=["-rp", *flags]), name + ": up")
    well(scp(server, ":up", place.path("down"), flags=["-rp", *flags]),
         name + ": down")
    os.unlink(top + "/tree/link")
    shutil.copy2(top + "/tree/a", top + "/tree/link")
    mine, back = picture(top), picture(place.path("down"))
    for path in ("tree/a", "tree/link"):
        mine[path] = ("0o100755", *mine[path][1:])
    tap.equal([(path, back.get(path), mine.get(path)) for path in
               set(back) | set(mine) if back.get(path) != mine.get(path)],
              [], name + ": what comes back is what went")
    well(scp(server, ":up/one", ":between", flags=flags),
         name + ": from host to host")
    well(scp(server, ":between", place.path("down"), flags=flags),
         name + ": and down")
    with open(place.path("down", "between"), "rb") as data:
        tap.equal(data.read(), b"one\n", name + ": with its content")
    done = scp(server, ":nothing", place.path("down"), flags=flags)
    tap.equal(done.returncode, 1, name + ": no such file")
    tap.like(done.stderr, "nothing\"?: No such file", name + ": and it says so")
    shutil.rmtree(place.path("down"))
    shutil.rmtree(os.path.join(user.home, "up"))


def over_ssh():
    for name, server in servers():
        round_trip(server, name, [])
        round_trip(server, name + ", -O", ["-O"])
        uri = "scp://%s@%s:%d/%s" % (user.name, ADDRESS, server.port,
                                     "between")
        done = place.run([omniedge, "scp", *server.options(key), uri,
                          place.path("by-uri")])
        well(done, name + ": a URI")
        server.stop()


def answers_for_scripts():
    top = place.path("json")
    plant(top)
    done = place.run([omniedge, "scp", "-D", OPENSSH_SFTP, "--json", "-r",
                      top + "/tree", top + "/gone", "h:" + top + "/made"])
    tap.equal(done.returncode, 1, "a missing source is a failure")
    told = json.loads(done.stdout)
    tap.equal((told["failed"] > 0, told["stopped"], sorted(told)),
              (True, False, ["bytes", "directories", "failed", "files",
                             "seconds", "stopped"]), "--json tells of it")
    done = place.run([omniedge, "scp"])
    tap.equal((done.returncode, done.stdout), (1, b""), "no argument: usage")
    done = place.run([omniedge, "scp", "-l", "many", "a", "h:b"])
    tap.like(done.stderr, "Kbit/s", "a limit that is no number: it says so")
    done = place.run([omniedge, "scp", "--help"])
    tap.equal((done.returncode, done.stderr), (0, b""), "--help")
    tap.like(done.stdout, "usage: omniedge scp", "on standard output")


def many_files():
    top = place.path("many")
    for number in range(MANY):
        write("%s/f%d" % (top, number), b"%d" % number)
    for flags, target in ((["-r"], "h:" + place.path("many2")),
                          (["-r"], place.path("many3"))):
        source = top if target.startswith("h:") else "h:" + top
        well(place.run([omniedge, "scp", "-D", OPENSSH_SFTP, *flags, source,
                        target]), "%d files to %.2s" % (MANY, target))
        tap.equal(sum(os.path.getsize(os.path.join(f, n))
                      for f, _, names in os.walk(target.split(":")[-1])
                      for n in names),
                  sum(len(b"%d" % n) for n in range(MANY)), "all of them")
    piped = place.run(["sh", "-c", "'%s' scp -D %s h:%s /dev/stdout | cat"
                       % (omniedge, OPENSSH_SFTP, place.path("many/f77"))])
    tap.equal(piped.stdout, b"77", "a pipe takes what comes in order")


def limits():
    write(place.path("slow"), os.urandom(100000))
    done = place.run([omniedge, "scp", "--json", "-l", "1600", "-D",
                      OPENSSH_SFTP, "h:" + place.path("slow"),
                      place.path("slow2")])
    told = json.loads(done.stdout)
    tap.ok(told["seconds"] >= 0.3, "-l holds it back", done.stdout)
    tap.equal(open(place.path("slow2"), "rb").read(),
              open(place.path("slow"), "rb").read(), "and copies all")


tap.main(same_as_stock, same_as_stock_below, over_ssh, answers_for_scripts,
         many_files, limits)

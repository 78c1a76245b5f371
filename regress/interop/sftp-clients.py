#!/usr/bin/python3
"""SFTP by the clients that people move files with: lftp, rclone, sshfs, and
paramiko's and asyncssh's libraries at what they do unlike OpenSSH's sftp."""
import asyncio
import os
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place
from wait import holds

SIZE = 5 << 20
FILES = 200
NAMES = ("plain", "with blank", "d\u00fcrfen", "semi;colon", "br[ack]et",
         "sub/x", "sub/deeper/y", "empty")

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
ssh = " ".join(["ssh", *server.options(key), "-a", "-x"])
tree = place.path("tree")


def make_tree():
    for name in NAMES:
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(b"" if name == "empty" else os.urandom(70000))
        os.utime(path, (1100000000, 1111111111))
    with open(os.path.join(tree, "big"), "wb") as out:
        out.write(os.urandom(SIZE))
    os.mkdir(os.path.join(tree, "many"))
    for number in range(FILES):
        with open(os.path.join(tree, "many", "%d" % number), "wb") as out:
            out.write(b"%d" % number)


def has(name):
    """Whether the client's program is there; a loud skip if not."""
    if shutil.which(name):
        return True
    tap.skip(name, "%s is not installed" % name)
    return False


def same(one, other, name):
    done = place.run(["diff", "-r", one, other])
    tap.equal((done.returncode, done.stdout), (0, b""), name)


def passes(done, name):
    return tap.equal(done.returncode, 0, name, done.stdout[-800:],
                     done.stderr[-800:])


def lftp():
    if not has("lftp"):
        return

    def run(script, name):
        passes(place.run(["lftp", "-c", "\n".join((
            "set sftp:connect-program '%s'" % ssh,
            "set net:max-retries 1", "set cmd:fail-exit yes",
            "open -p %d -u %s, sftp://%s" % (server.port, user.name, ADDRESS),
            script))], env=place.environment()), name)
    run("mirror -R --parallel=3 %s up" % tree, "lftp: mirror up")
    same(tree, user.path("up"), "lftp: all of it is there")
    tap.equal(int(os.stat(user.path("up/plain")).st_mtime), 1111111111,
              "lftp: with its time")
    run("mirror --parallel=3 up %s" % place.path("lftp-down"),
        "lftp: mirror down")
    same(tree, place.path("lftp-down"), "lftp: and came back the same")
    run("pget -n 4 up/big -o %s" % place.path("lftp-big"), "lftp: pget")
    same(os.path.join(tree, "big"), place.path("lftp-big"),
         "lftp: a file in four pieces at once")
    run("mkdir made\ncd made\nput %s\nmv big gone\nchmod 600 gone\nln -s gone "
        "link\nls -l\nrm link\nrm gone\ncd ..\nrmdir made\ndu up"
        % os.path.join(tree, "big"), "lftp: the rest of its commands")
    user.write("part", open(os.path.join(tree, "big"), "rb").read()[:SIZE // 3])
    run("put -c %s -o part" % os.path.join(tree, "big"), "lftp: put -c")
    same(os.path.join(tree, "big"), user.path("part"), "lftp: went on")


def rclone():
    if not has("rclone"):
        return
    conf = place.path("rclone.conf")
    with open(conf, "w", encoding="utf-8") as out:
        out.write("[s]\ntype = sftp\nhost = %s\nport = %d\nuser = %s\n"
                  "key_file = %s\nknown_hosts_file = %s\nshell_type = unix\n"
                  % (ADDRESS, server.port, user.name, key,
                     server.known_hosts))

    def run(*argv):
        return place.run(["rclone", "--config", conf, "--retries", "1",
                          "--low-level-retries", "1", *argv])
    passes(run("sync", tree, "s:r"), "rclone: sync up")
    same(tree, user.path("r"), "rclone: all of it is there")
    passes(run("check", tree, "s:r"), "rclone: check, by sum")
    done = run("sync", "-v", tree, "s:r")
    tap.ok(done.returncode == 0 and b"Copied" not in done.stderr,
           "rclone: a second sync moves nothing: times are kept", done.stderr)
    passes(run("copy", "s:r", place.path("rclone-down")), "rclone: copy down")
    same(tree, place.path("rclone-down"), "rclone: came back the same")
    passes(run("moveto", "s:r/big", "s:r/moved"), "rclone: moveto")
    tap.ok(os.path.exists(user.path("r/moved"))
           and not os.path.exists(user.path("r/big")), "rclone: moved")
    done = run("lsf", "-R", "--format", "ps", "s:r/many")
    tap.equal(len(done.stdout.splitlines()), FILES, "rclone: lists them all",
              done.stderr)
    passes(run("about", "s:"), "rclone: about, by statvfs")
    passes(run("purge", "s:r"), "rclone: purge")
    tap.ok(not os.path.exists(user.path("r")), "rclone: nothing is left")


def mounted(where):
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        return any(line.split()[4] == where for line in mounts)


def sshfs():
    if not has("sshfs"):
        return
    where = place.path("mnt")
    os.mkdir(where)
    argv = ["sshfs", "-p", str(server.port), "-o", "ssh_command=" + ssh,
            "%s@%s:" % (user.name, ADDRESS), where]
    done = place.run(argv)
    if done.returncode != 0 and b"fuse" in done.stderr.lower():
        tap.skip("sshfs", "FUSE does not work here: %s"
                 % done.stderr.decode().strip())
        return
    passes(done, "sshfs: mount")
    try:
        in_mount(where)
    finally:
        place.run(["fusermount3" if shutil.which("fusermount3")
                   else "fusermount", "-u", where])
    tap.ok(holds(lambda: not mounted(where)), "sshfs: unmount")


def in_mount(where):
    up = os.path.join(where, "m")
    shutil.copytree(tree, up)
    same(tree, user.path("m"), "sshfs: a tree is copied in")
    same(tree, up, "sshfs: and reads back")
    big = os.path.join(up, "big")
    with open(big, "r+b") as file:
        file.seek(SIZE // 2)
        file.write(b"middle")
        file.seek(0, os.SEEK_END)
        file.write(b"end")
    with open(user.path("m/big"), "rb") as file:
        data = file.read()
    tap.ok(len(data) == SIZE + 3 and data[SIZE // 2:SIZE // 2 + 6] == b"middle"
           and data.endswith(b"end"), "sshfs: written in the middle")
    with open(big, "ab") as file:
        file.write(b"more")
    os.truncate(big, 10)
    tap.equal(os.path.getsize(user.path("m/big")), 10, "sshfs: truncated")
    os.rename(big, os.path.join(up, "plain"))
    tap.equal(os.path.getsize(user.path("m/plain")), 10,
              "sshfs: rename replaces, by posix-rename")
    os.symlink("plain", os.path.join(up, "soft"))
    os.link(os.path.join(up, "plain"), os.path.join(up, "hard"))
    os.chmod(os.path.join(up, "plain"), 0o640)
    os.utime(os.path.join(up, "plain"), (1000, 2000))
    st = os.stat(user.path("m/plain"))
    tap.equal((os.readlink(user.path("m/soft")), st.st_nlink,
               stat.S_IMODE(st.st_mode), st.st_mtime),
              ("plain", 2, 0o640, 2000), "sshfs: links, modes, times")
    tap.ok(os.statvfs(where).f_blocks > 0, "sshfs: df")
    tap.equal(len(os.listdir(os.path.join(up, "many"))), FILES, "sshfs: ls")
    for missing in ("none", "none/x", "plain/x"):
        try:
            os.stat(os.path.join(up, missing))
            tap.ok(False, "sshfs: %s is not there" % missing)
        except OSError as error:
            tap.ok(isinstance(error, (FileNotFoundError, NotADirectoryError)),
                   "sshfs: %s is not there" % missing, error)
    shutil.rmtree(up)
    tap.ok(not os.path.exists(user.path("m")), "sshfs: rm -r")


def paramiko():
    try:
        import paramiko as library
    except ImportError:
        tap.skip("paramiko", "is not installed")
        return
    with library.SSHClient() as client:
        client.load_host_keys(server.known_hosts)
        client.connect(ADDRESS, server.port, user.name, key_filename=key,
                       allow_agent=False, look_for_keys=False)
        files = client.open_sftp()
        for name, mode in (("x", "wx"), ("w", "w"), ("a", "a"), ("r", "r+")):
            with files.open("p", mode) as file:
                file.write(b"12" if mode == "r+" else name.encode())
        with files.open("p") as file:
            tap.equal(file.read(), b"12", "paramiko: each way to open")
        for bad in (lambda: files.open("p", "wx"),
                    lambda: files.rename("p", "p")):
            try:
                bad()
                tap.ok(False, "paramiko: what is there is refused")
            except OSError as error:
                tap.ok("Failure" not in str(error), "paramiko: with a reason",
                       error)
        with files.open("big", "w") as file:
            file.set_pipelined(True)
            for _each in range(SIZE // 32768):
                file.write(b"p" * 32768)
        tap.equal(files.stat("big").st_size, SIZE, "paramiko: pipelined")
        with files.open("big") as file:
            file.prefetch()
            tap.equal(len(file.read()), SIZE, "paramiko: prefetched")
            tap.equal(file.readv([(0, 10), (SIZE - 5, 5), (100, 0)])
                      .__class__.__name__, "generator", "paramiko: readv")
        files.symlink("target", "link")
        tap.equal((files.readlink("link"), os.readlink(user.path("link"))),
                  ("target", "target"), "paramiko: symlink, target first")
        files.mkdir("d")
        files.chdir("d")
        tap.equal((files.getcwd(), files.normalize("..")),
                  (user.home + "/d", user.home), "paramiko: chdir")
        files.chdir("..")
        entry = [e for e in files.listdir_attr(".") if e.filename == "p"][0]
        tap.like(str(entry), r"^-rw.* p$", "paramiko: a listing has attributes")
        tap.like(entry.longname, r"^-rw\S+ +1 %s +%s +2 " % (
            user.name, user.name), "paramiko: and a line of ls -l")
        files.posix_rename("p", "big")
        tap.equal(files.stat("big").st_size, 2, "paramiko: posix_rename")
        for name in ("none", "none/x"):
            try:
                files.stat(name)
                tap.ok(False, "paramiko: FileNotFoundError")
            except FileNotFoundError:
                tap.ok(True, "paramiko: FileNotFoundError")


async def async_files(library):
    async with library.connect(
            ADDRESS, server.port, username=user.name, client_keys=[key],
            known_hosts=server.known_hosts, agent_path=None) as session:
        async with session.start_sftp_client() as files:
            await files.put(tree, "async", recurse=True, preserve=True)
            same(tree, user.path("async"), "asyncssh: put of a tree")
            await files.get("async", place.path("async"), recurse=True)
            same(tree, place.path("async"), "asyncssh: and back")
            await files.copy("async/big", "async/copy")
            same(os.path.join(tree, "big"), user.path("async/copy"),
                 "asyncssh: copy")
            names = await files.glob("async/many/1*")
            tap.equal(len(names), 111, "asyncssh: glob")
            space = await files.statvfs("async")
            tap.ok(space.blocks > 0, "asyncssh: statvfs")
            many = await asyncio.gather(
                *(files.stat("async/many/%d" % n) for n in range(FILES)))
            tap.equal(sum(each.size for each in many),
                      sum(len("%d" % n) for n in range(FILES)),
                      "asyncssh: %d requests at once" % FILES)
            await files.rmtree("async")
            tap.ok(not os.path.exists(user.path("async")), "asyncssh: rmtree")
            try:
                await files.stat("async")
                tap.ok(False, "asyncssh: SFTPNoSuchFile")
            except library.SFTPNoSuchFile:
                tap.ok(True, "asyncssh: SFTPNoSuchFile")


def asyncssh():
    try:
        import asyncssh as library
    except ImportError:
        tap.skip("asyncssh", "is not installed")
        return
    asyncio.run(async_files(library))


def the_end():
    server.stop()


make_tree()
tap.main(lftp, rclone, sshfs, paramiko, asyncssh, the_end)

#!/usr/bin/python3
"""rsync and git over ssh: what an admin's scripts do all day."""
import os
import shlex
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import ADDRESS, Place

BIG = 30 << 20

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
local = place.path("local")
os.mkdir(local)
shell = " ".join(shlex.quote(word) for word in
                 ["ssh", *server.options(key), "-p", str(server.port)])


def rsync(*words):
    """Words that begin with a colon are the server's."""
    argv = ["rsync", "-e", shell]
    argv += ["%s@%s%s" % (user.name, ADDRESS, word) if word[0] == ":"
             else word for word in words]
    return place.run(argv, cwd=local, timeout=120)


def passes(done, name):
    return tap.equal(done.returncode, 0, name, done.stderr[-500:])


def same(one, other, name):
    done = place.run(["diff", "-r", "--no-dereference", one, other])
    tap.equal((done.returncode, done.stdout), (0, b""), name)


def make_tree(tree):
    os.makedirs(os.path.join(tree, "a", "b"))
    for number, name in enumerate(("one", "a/two", "a/b/three", "with blank",
                                   "\u00fcml")):
        with open(os.path.join(tree, name), "wb") as out:
            out.write(os.urandom(1000 << number))
    os.symlink("one", os.path.join(tree, "link"))


def rsync_tree():
    if not shutil.which("rsync"):
        tap.skip("rsync", "it is not installed")
        return
    tree, far = os.path.join(local, "tree"), user.path("far")
    make_tree(tree)
    passes(rsync("-a", "--no-o", "--no-g", "tree/", ":far/"), "rsync -a up")
    same(tree, far, "equal trees")
    os.unlink(os.path.join(tree, "one"))
    os.unlink(os.path.join(tree, "link"))
    passes(rsync("-a", "--no-o", "--no-g", "--delete", "tree/", ":far/"),
           "rsync --delete")
    same(tree, far, "what is gone here is gone there")
    passes(rsync("-az", ":far/", "back/"), "rsync -az down")
    same(tree, os.path.join(local, "back"), "equal trees")
    done = rsync("-a", ":nowhere/", "x/")
    tap.equal(done.returncode, 23, "a directory that is not there: 23")


def rsync_big():
    if not shutil.which("rsync"):
        tap.skip("rsync of a big file", "it is not installed")
        return
    path = os.path.join(local, "big")
    with open(path, "wb") as out:
        out.write(os.urandom(BIG))
    passes(rsync("-t", "big", ":big"), "rsync of 30 MiB")
    with open(path, "r+b") as out:
        out.seek(BIG // 2)
        out.write(b"changed")
    done = rsync("-tI", "--no-whole-file", "big", ":big")
    passes(done, "and again, after a small change")
    same(path, user.path("big"), "equal files")


def git(*words, cwd=local):
    env = place.environment(
        GIT_SSH_COMMAND=shell, GIT_CONFIG_GLOBAL="/dev/null",
        GIT_CONFIG_SYSTEM="/dev/null", GIT_AUTHOR_NAME="t",
        GIT_AUTHOR_EMAIL="t@localhost", GIT_COMMITTER_NAME="t",
        GIT_COMMITTER_EMAIL="t@localhost", GIT_TERMINAL_PROMPT="0")
    return place.run(["git", *words], cwd=cwd, env=env, timeout=120)


def git_round_trip():
    if not shutil.which("git"):
        tap.skip("git", "it is not installed")
        return
    made = server.ssh(user, "git init -q --bare repo.git", key=key)
    passes(made, "a bare repository on the server")
    url = "%s@%s:repo.git" % (user.name, ADDRESS)
    work = os.path.join(local, "work")
    git("init", "-q", "-b", "main", work)
    for number in range(20):
        with open(os.path.join(work, "f%d" % number), "wb") as out:
            out.write(os.urandom(100000))
    git("add", ".", cwd=work)
    passes(git("commit", "-qm", "first", cwd=work), "a commit")
    passes(git("push", "-q", url, "main", cwd=work), "git push")
    passes(git("clone", "-q", "-b", "main", url, "clone"), "git clone")
    done = place.run(["diff", "-r", "--exclude=.git", work,
                      os.path.join(local, "clone")])
    tap.equal((done.returncode, done.stdout), (0, b""), "equal trees")
    full = "ssh://%s@%s:%d%s/repo.git" % (user.name, ADDRESS, server.port,
                                          user.home)
    done = git("ls-remote", full)
    tap.like(done.stdout, r"^[0-9a-f]{40}\trefs/heads/main$",
             "git ls-remote with an ssh:// URL")
    done = git("clone", "-q", "%s@%s:none.git" % (user.name, ADDRESS), "none")
    tap.equal(done.returncode, 128, "a repository that is not there: 128")


def the_end():
    server.stop()


tap.main(rsync_tree, rsync_big, git_round_trip, the_end)

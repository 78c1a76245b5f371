#!/usr/bin/python3
"""What contrib/ installs is taken by those who read it: systemd, sysusers.d,
tmpfiles.d, logrotate, the shells, and fail2ban's and PAM's formats as far as
they can be asked here. Make install puts everything where it should, and make check
runs what there is."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import tap

ROOT = os.path.realpath(os.environ.get("SRCDIR", os.path.join(HERE, "..",
                                                              "..")))
BUILD = os.path.realpath(os.environ.get("BUILDDIR", os.path.join(ROOT,
                                                                 "build")))
UNITS = ("sshd.service", "sshd.socket", "sshd-inetd.socket",
         "sshd-inetd@.service")
# systemd's: they would hold for users' sessions as well (sshd.service).
INHERITED = (r"NoNewPrivileges|CapabilityBoundingSet|SystemCall\w+|Protect\w+|"
             r"Private\w+|Restrict(?!Prevent)\w+|MemoryDenyWriteExecute|"
             r"LockPersonality|Limit[A-Z]+|OOMScoreAdjust|ReadOnlyPaths|"
             r"InaccessiblePaths|Nice|UMask|DevicePolicy|TasksMax|MemoryMax")
SWITCHES = ("systemdsystemunitdir=/lib/systemd/system",
            "sysusersdir=/usr/lib/sysusers.d",
            "tmpfilesdir=/usr/lib/tmpfiles.d")

work = tempfile.mkdtemp(prefix="oet-contrib-")


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, **more)


def built(*path):
    return os.path.join(BUILD, "contrib", *path)


def source(*path):
    return os.path.join(ROOT, "contrib", *path)


def text_of(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def asked(program, name):
    """Whether the program is there; else the check is skipped."""
    if shutil.which(program):
        return True
    tap.skip(name, program + " is not installed")
    return False


def templates():
    made = [built("systemd", unit) for unit in UNITS] + [
        built("systemd", "sysusers.conf"), built("systemd", "tmpfiles.conf"),
        built("openrc", "sshd"), built("procd", "sshd")]
    for path in made:
        tap.unlike(text_of(path), r"@\w+@", os.path.basename(path)
                   + ": nothing is left to fill in")


def units():
    for unit in UNITS:
        if not asked("systemd-analyze", unit):
            continue
        text = text_of(built("systemd", unit))
        # The programs need not be installed here, nor the pages.
        text = re.sub(r"(?<==)-?/\S*/sshd", "/bin/true", text)
        text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
        with open(os.path.join(work, unit), "w", encoding="utf-8") as out:
            out.write(text)
    for unit in UNITS:
        if shutil.which("systemd-analyze"):
            done = run("systemd-analyze", "verify",
                       os.path.join(work, unit.replace("@.", "@x.")
                                    if "@" in unit else unit), cwd=work)
            tap.equal((done.returncode, done.stdout + done.stderr), (0, ""),
                      unit + ": systemd takes it")
    for unit in UNITS:
        text = text_of(built("systemd", unit))
        tap.unlike(text, r"^(%s)=" % INHERITED,
                   unit + ": nothing that a session would inherit")
    text = text_of(built("systemd", "sshd.service"))
    for line in ("Type=notify", "KillMode=process", "NotifyAccess=main",
                 "RestartPreventExitStatus=255"):
        tap.like(text, "^%s$" % line, "sshd.service: " + line)
    left_out = " ".join(re.findall(r"^#(.*)$", text, re.M))
    for name in ("NoNewPrivileges", "CapabilityBoundingSet",
                 "SystemCallFilter", "ProtectSystem", "PrivateTmp",
                 "MemoryDenyWriteExecute", "RestrictNamespaces",
                 "LimitNOFILE", "DevicePolicy"):
        tap.ok(name + "=" in left_out,
               "sshd.service says why %s= is not there" % name)


def users_and_directories():
    root = os.path.join(work, "root")
    os.makedirs(os.path.join(root, "etc"), exist_ok=True)
    if asked("systemd-sysusers", "sysusers.d"):
        done = run("systemd-sysusers", "--root=" + root,
                   built("systemd", "sysusers.conf"))
        tap.equal(done.returncode, 0, "sysusers.d: taken", done.stderr)
        tap.like(text_of(os.path.join(root, "etc", "passwd")),
                 r"^\w+:[!x*]?:\d+:\d+:.*:/\S+:/usr/sbin/nologin$",
                 "sysusers.d: the user, without a shell")
    if os.geteuid() != 0:
        tap.skip("tmpfiles.d", "needs root")
    elif asked("systemd-tmpfiles", "tmpfiles.d"):
        done = run("systemd-tmpfiles", "--root=" + root, "--create",
                   built("systemd", "tmpfiles.conf"))
        tap.equal(done.returncode, 0, "tmpfiles.d: taken", done.stderr)
        modes = re.findall(r"^d (\S+) (\d+) ", text_of(
            built("systemd", "tmpfiles.conf")), re.M)
        for path, mode in modes:
            tap.equal("%04o" % (os.stat(root + path).st_mode & 0o7777), mode,
                      "tmpfiles.d: " + path)


def rotation():
    if asked("logrotate", "logrotate"):
        # It reads no file that others could write.
        copy = shutil.copy(source("logrotate", "sshd"), work)
        os.chmod(copy, 0o644)
        done = run("logrotate", "-d", copy)
        tap.equal(done.returncode, 0, "logrotate takes it", done.stderr)
        tap.unlike(done.stderr, "error", "logrotate: without an error")


def scripts():
    for name in ("openrc", "procd"):
        done = run("sh", "-n", built(name, "sshd"))
        tap.equal((done.returncode, done.stderr), (0, ""),
                  name + ": is a shell script")


def completions():
    for shell, names in (("bash", ("omniedge.bash", "sshd.bash",
                                   "sshdctl.bash")),
                         ("zsh", ("_omniedge", "_sshd", "_sshdctl")),
                         ("fish", ("omniedge.fish", "sshd.fish",
                                   "sshdctl.fish"))):
        for name in names:
            if asked(shell, name):
                done = run(shell, "-n", source("completions", name))
                tap.equal((done.returncode, done.stderr), (0, ""),
                          name + ": %s takes it" % shell)


def complete(words, function, path):
    """What bash would offer for the last of these words."""
    quoted = " ".join("'%s'" % word for word in words)
    done = run("bash", "-c", "compopt() { :; }\n. '%s'\nCOMP_WORDS=(%s)\n"
               "COMP_CWORD=%d\n%s\nprintf '%%s\\n' \"${COMPREPLY[@]}\""
               % (path, quoted, len(words) - 1, function))
    return sorted(done.stdout.split())


def bash_completes():
    if not asked("bash", "bash completes"):
        return
    path = source("completions", "sshdctl.bash")

    def offered(*words):
        return complete(("sshdctl",) + words, "_omniedge_sshdctl", path)
    tap.equal(offered("s"), ["sessions", "status"], "sshdctl s<tab>")
    tap.equal(offered("end", "--a"), ["--addr", "--all"],
              "sshdctl end --a<tab>")
    tap.equal(offered("penalties", "--j"), ["--json"],
              "sshdctl penalties --j<tab>")
    tap.equal(offered("lift", "al"), ["all"], "sshdctl lift al<tab>")
    flags = complete(("sshd", "-"), "_omniedge_sshd",
                     source("completions", "sshd.bash"))
    spec = re.search(r'flags\[\] = "([^"]+)"',
                     text_of(os.path.join(ROOT, "monitor", "args.c")))[1]
    dead = set("bkQRr")
    tap.equal(flags, sorted("-" + flag for flag in set(spec) - {":"} - dead),
              "sshd -<tab>: every flag that does something")


def debian():
    """What configure needs is what dpkg-buildpackage is told to need."""
    text = text_of(os.path.join(ROOT, "debian", "control"))
    needs = re.search(r"^Build-Depends:(.*?)\n\n", text, re.S | re.M)[1]
    needs = {word.split(" ")[0] for word in re.split(r",\s*", needs.strip())}
    table = text_of(source("packages")).split("packages() {")[1]
    rows = re.findall(r"^(\S+) +(\S+) ", table, re.M)
    build = {name for name, groups in rows if "build" in groups.split(",")}
    # The first three come with every build of a package.
    build -= {"build-essential", "autoconf", "automake"}
    tap.equal(sorted(needs - {"debhelper-compat"}), sorted(build),
              "Build-Depends and contrib/packages name the same")
    version = re.search(r"^AC_INIT\(\[[^]]+\], \[([^]]+)\]",
                        text_of(os.path.join(ROOT, "configure.ac")), re.M)[1]
    tap.like(text_of(os.path.join(ROOT, "debian", "changelog")),
             r"\Aomniedge-ssh \(%s\)" % re.escape(version),
             "debian/changelog has configure's version")


def tests_are_run():
    """A test file that make check does not know is worse than none."""
    makefile = text_of(os.path.join(ROOT, "regress", "local.mk"))
    lists = re.findall(r"^(?:TESTS|\w+_tests) \+?=((?:.*\\\n)*.*)$", makefile,
                       re.M)
    listed = set(" ".join(lists).split())
    for folder in ("unit", "system", "interop", "evil"):
        lost = [name for name in os.listdir(os.path.join(ROOT, "regress",
                                                         folder))
                if is_test(folder, name) and "regress/%s/%s" % (
                    folder, re.sub(r"\.c$", "", name)) not in listed]
        tap.equal(sorted(lost), [], "regress/%s: make check runs all of it"
                  % folder)


def is_test(folder, name):
    if name.endswith(".c"):
        return name.startswith(("test_", "evil_"))
    path = os.path.join(ROOT, "regress", folder, name)
    return name.endswith((".py", ".t")) and re.search(
        r"^\s*tap\.(main|done)\(|^echo \"1\.\.", text_of(path), re.M)


def installed():
    """make install of these parts alone, into an empty root."""
    if not os.path.exists(os.path.join(BUILD, "Makefile")):
        tap.skip("make install", "no Makefile in " + BUILD)
        return
    dest = os.path.join(work, "dest")
    places = [switch.split("=") for switch in SWITCHES]
    done = run("make", "-s", "-C", BUILD, "install-data-local",
               "DESTDIR=" + dest, "bashcompdir=/usr/share/bash",
               *["%s=%s" % (name, path) for name, path in places])
    tap.equal(done.returncode, 0, "make install-data-local", done.stderr)
    found = sorted(os.listdir(dest + "/usr/share/bash"))
    tap.equal(found, ["omniedge", "sshd", "sshdctl"],
              "completions by command's name")
    shutil.rmtree(dest)


try:
    tap.main(templates, units, users_and_directories, rotation, scripts,
             completions, bash_completes, debian, tests_are_run,
             installed)
finally:
    shutil.rmtree(work, ignore_errors=True)

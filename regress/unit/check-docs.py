#!/usr/bin/python3
"""The documents say what is there: paths, commands, functions and numbers of
the .md files, the flags of sshd(8), the messages of sshd-messages(7)."""
import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import tap

ROOT = os.environ.get("SRCDIR", os.path.join(HERE, "..", ".."))
BUILD = os.environ.get("BUILDDIR", os.path.join(ROOT, "build"))
DOCS = ("README.md", "ARCHITECTURE.md", "HACKING.md", "SECURITY.md",
        "CHANGELOG.md")
PAGES = ("sshd.8", "sshd_config.5", "authorized_keys.5", "sftp-server.8",
         "sshdctl.8")
MESSAGES = "man/sshd-messages.7"
FOLDERS = ("common", "monitor", "sshd", "forward", "sftp-server", "regress", "man",
           "contrib", "m4", "client", ".ci")
# Made while building, and automake's own targets.
MADE = (MESSAGES,)
AUTOMAKE = {"install", "check", "clean", "distcheck", "dist"}
# Functions of the system and of libraries that the documents speak of.
NOT_OURS = re.compile(r"^(ssh|EVP)_")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as text:
        return text.read()


def documents():
    return {name: read(name) for name in DOCS}


def code_words(text):
    """What stands between backquotes, and the lines of indented blocks."""
    inline = re.findall(r"`([^`]+)`", text)
    block = re.findall(r"^\t(.*)$", text, re.M)
    return [re.sub(r"\s+", " ", words) for words in inline + block]


def is_path(word):
    return re.fullmatch(r"(\./)?(%s)/[\w.*/-]*" % "|".join(
        re.escape(folder) for folder in FOLDERS), word) \
        and not re.search(r"[A-Z]{3}", word)


def exists(word):
    word = word.rstrip("/")
    if word in MADE or glob.glob(os.path.join(ROOT, word)):
        return True
    # A test program is named without its suffix.
    return os.path.exists(os.path.join(ROOT, word + ".c"))


def links():
    for name, text in documents().items():
        bad = [to for to in re.findall(r"\]\(([^)#]+)[^)]*\)", text)
               if "://" not in to
               and not os.path.exists(os.path.join(ROOT, to))]
        tap.equal(bad, [], name + ": its links lead somewhere")


def paths():
    seen = 0
    for name, text in documents().items():
        words = [word.rstrip(",;:.").split("=")[-1] for code in
                 code_words(text) for word in code.split()]
        words = [word for word in words if is_path(word)]
        seen += len(words)
        tap.equal([word for word in words if not exists(word)], [],
                  name + ": the files it names exist")
    tap.ok(seen > 60, "paths were found in the documents", seen)


def make_targets():
    text = "".join(read(path) for path in ["Makefile.am"] + [
        os.path.relpath(path, ROOT) for path in
        glob.glob(os.path.join(ROOT, "*", "local.mk"))])
    return set(re.findall(r"^([a-z][\w-]*):", text, re.M)) | AUTOMAKE


def commands():
    """The first word is a program of the tree, or make has the target."""
    targets = make_targets()
    for name in ("README.md", "HACKING.md"):
        bad = []
        for code in code_words(read(name)):
            code = re.sub(r"^(sudo )?", "", code.split(" #")[0].strip())
            for part in re.split(r" && ", code):
                words = part.split() or [""]
                if words[0] == "make" and len(words) > 1 and \
                        words[1] not in targets:
                    bad.append(part)
                if re.match(r"(\./|contrib/|\.ci/)", words[0]) and \
                        is_path(words[0]) and words[0][-1] != "/" and \
                        not runnable(words[0]):
                    bad.append(part)
        tap.equal(bad, [], name + ": its commands exist")


def runnable(word):
    path = os.path.join(ROOT, word)
    return os.access(path, os.X_OK) or os.path.isdir(path) or \
        word.endswith((".py", ".mk"))


def options_of_commands():
    """A long option is one of configure's or of omniedge ssh-server's, or in
    the text of the command."""
    configure = read("configure.ac") + " ".join(
        "--" + option for option in
        re.findall(r'"([a-z-]+)"', read("monitor", "lab_args.c")))
    for name in ("README.md", "HACKING.md", "SECURITY.md"):
        bad, text = [], ""
        for word in " \n ".join(code_words(read(name))).split(" "):
            word = word.strip()
            if not word:
                text = ""
            elif is_path(word) and os.path.isfile(os.path.join(ROOT, word)):
                text = read(word)
            elif re.match(r"--[a-z]", word) and \
                    word.split("=")[0] not in configure + text and \
                    "OE_PLACE([%s]" % word[len("--with-"):] not in configure:
                bad.append(word)
        tap.equal(bad, [], name + ": options of its commands exist")


def functions():
    source = "\n".join(
        read(os.path.relpath(path, ROOT)) for folder in FOLDERS
        for path in glob.glob(os.path.join(ROOT, folder, "*.[ch]")))
    seen = 0
    for name, text in documents().items():
        words = set(re.findall(r"`(\w+)\(\)`", text))
        words = {word for word in words if not word.endswith("_x")}
        seen += len(words)
        bad = [word for word in sorted(words) if not re.search(
            r"^(static inline \w+ )?\*?%s\(|#define %s\(" % (word, word),
            source, re.M) and not NOT_OURS.match(word)]
        tap.equal(bad, [], name + ": its functions are in the code")
    tap.ok(seen > 50, "functions were found in the documents", seen)


def calls(path, kinds, *roles):
    rows = re.findall(r"^(%s)\((.*)" % kinds, read(path), re.M)
    return {re.search(r"^(?:NET, )?(\w+)", row)[1] for _, row in rows
            if not roles or any(role in row for role in roles)}


def said(document, pattern):
    """The numbers that a document has in this place."""
    text = re.sub(r"\s+", " ", read(document))
    found = re.search(pattern, text)
    return [int(number) for number in found.groups()] if found else None


def numbers():
    net = "common/jail.def"
    tap.equal(said("SECURITY.md", r"(\d+) allowed, (\d+) fail softly: `" + net),
              [len(calls(net, r"ALLOW\w*")), len(calls(net, "REFUSE"))],
              "the numbers of system calls of sshd-net")
    forward = "forward/jail.def"
    tap.equal(said("SECURITY.md", r"(\d+) allowed, all else fails: `"
                   + forward), [len(calls(forward, r"ALLOW\w*"))],
              "the number of system calls of sshd-forward")
    sftp = "sftp-server/jail.def"
    tap.equal(said("SECURITY.md", r"(\d+) allowed, (\d+) with `-R`: `" + sftp),
              [len(calls(sftp, r"ALLOW\w*")),
               len(calls(sftp, r"ALLOW\w*", "BOTH", "JAIL_READ"))],
              "the numbers of system calls of sftp-server")
    kept = len(re.findall(r"^\t\{ CAP_\w+, \w+, true", read("monitor/caps.c"),
                          re.M))
    tap.equal(said("SECURITY.md", r"\| (\d+), `caps_trim\(\)`"), [kept],
              "SECURITY.md: the number of capabilities of sshd-monitor")
    tap.equal(said("ARCHITECTURE.md", r"\| (\d+) capabilities"), [kept],
              "ARCHITECTURE.md: likewise")


def flags():
    """getopt's string, the usage, the synopsis, the list: all the same."""
    code = read("monitor", "args.c")
    spec = re.search(r'flags\[\] = "([^"]+)"', code)[1]
    wanted = sorted(re.findall(r"\w:?", spec))
    page = read("man", "sshd.8")
    synopsis = page.split(".Sh SYNOPSIS")[1].split(".Sh ")[0]
    plain, valued = [], []
    for flag, rest in re.findall(r"^\.Op Fl (\w+)(.*)$", synopsis, re.M):
        if rest:
            valued.append(flag + ":")
        else:
            plain += list(flag)
    tap.equal(sorted(plain + valued), wanted, "sshd(8): SYNOPSIS")
    items = page.split("The options are as follows")[1].split(".Sh ")[0]
    items = re.findall(r"^\.It Fl (\w)( Ar)?", items, re.M)
    tap.equal(sorted(flag + (":" if value else "") for flag, value in items),
              wanted, "sshd(8): the list of options")
    tap.equal(items, sorted(items, key=lambda i: (i[0].lower(),
                                                  i[0].isupper() is False)),
              "sshd(8): the list is in order")
    text = re.search(r"usage_text\[\] =(.*?);", code, re.S)[1]
    plain = list(re.search(r"\[-(\w+)\]", text)[1])
    valued = [flag + ":" for flag in re.findall(r"\[-(\w) \w+\]", text)]
    tap.equal(sorted(plain + valued), wanted, "the usage of sshd")


def programs():
    """Each program of the suite is in sshd(8), and each there is built."""
    made = re.findall(r"PROGRAMS \+= bin/([\w-]+)", "".join(
        read(folder, "local.mk") for folder in
        ("monitor", "sshd", "forward", "sftp-server")))
    page = read("man", "sshd.8")
    listed = re.search(r"^\.It Pa (sshd-monitor.*)$", page, re.M)[1]
    tap.equal(sorted(listed.split(" , ")), sorted(set(made) - {
        "sshd", "sshdctl", "omniedge-ssh-server"}),
              "sshd(8): the suite's programs, in FILES")


def grants():
    """Each option of a key's line is in authorized_keys(5), and no other."""
    table = re.findall(r'^\t\{ "([\w-]+)", (?:true|false), (true|false)',
                       read("common", "authkeys_value.c"), re.M)
    known = {name for name, _ in table} | {
        "no-" + name for name, negatable in table if negatable == "true"}
    page = read("man", "authorized_keys.5").split(".Sh OPTIONS", 1)[1]
    page = page.split(".Sh CERTIFICATES")[0]
    named = set()
    for line in re.findall(r"^\.(?:It )?Cm (.*)$", page, re.M):
        named |= set(re.split(r" Ns| [,.:]$", line)[0].split(" , "))
    named -= {"internal-sftp", "Z"}
    tap.equal(sorted(known - named), [], "authorized_keys(5): none missing")
    tap.equal(sorted(named - known), [], "authorized_keys(5): none too many")


def generated():
    """The page that is built: in the build tree, or already in this one."""
    for folder in (BUILD, os.getcwd(), ROOT):
        path = os.path.join(folder, MESSAGES)
        if os.path.exists(path):
            return path
    return None


def messages():
    path = generated()
    if not path:
        tap.skip("sshd-messages(7)", "it is not built in " + BUILD)
        return
    with open(path, encoding="utf-8") as text:
        page = text.read()
    rows = re.findall(r"^MSG\((\w+),", read("common", "msg.def"), re.M)
    tap.equal(re.findall(r"^\.Ss (\w+)$", page, re.M), rows,
              "sshd-messages(7): each message, in the table's order")
    fields = re.findall(r"^\t(?:INT|STR|BYTES|SECRET)\((\w+),",
                        read("common", "msg.def"), re.M)
    tap.equal(re.findall(r"^\.It Va (\w+)$", page, re.M), fields,
              "sshd-messages(7): each field")


def pages():
    if not shutil.which("mandoc"):
        tap.skip("mandoc is silent", "mandoc is not installed")
        return
    made = generated()
    for path in [os.path.join(ROOT, "man", page) for page in PAGES] + (
            [made] if made else []):
        run = subprocess.run(["mandoc", "-Tlint", "-Wstyle", path],
                             stdout=subprocess.PIPE, check=False,
                             stderr=subprocess.STDOUT)
        # What is installed here is not what the page's reader has.
        lines = [line for line in run.stdout.decode().splitlines()
                 if not re.search(r"referenced manual not found|outdated "
                                  r"mandoc\.db", line)]
        tap.equal(lines, [], "mandoc is silent: " + os.path.basename(path))


tap.main(links, paths, commands, options_of_commands, functions, numbers,
         flags, programs, grants, messages, pages)

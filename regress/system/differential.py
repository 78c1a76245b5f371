#!/usr/bin/python3
"""The system's OpenSSH and our server over the same configurations: what sshd
-T says of them, and what a stock client gets.

Each difference stands in a table here, with its reason; one that is not
there, or that is no more, is a failure.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place, built

THEIRS = "/usr/sbin/sshd"
STOCK = "/usr/share/openssh/sshd_config"
CONNECTION = ("host=client.example.org,addr=192.0.2.7,"
              "laddr=192.0.2.1,lport=22")
KNOWN_VERSION = "OpenSSH_9.2"

if not os.access(THEIRS, os.X_OK):
    tap.skip_all("openssh-server is not installed: nothing to compare with")
SAYS = subprocess.run([THEIRS, "-V"], capture_output=True,
                      encoding="utf-8").stderr
if KNOWN_VERSION not in SAYS:
    tap.skip_all("the table here is about %s, not %s"
                 % (KNOWN_VERSION, SAYS.split(",")[0]))

place = Place()
user = place.account()
other = place.account()
key = place.key()
for who in (user, other):
    who.authorize(key)

# Of sshd -T with nothing set: keyword -> why it is not as OpenSSH 9.2 has it.
LIBRARY = "libssh has other algorithms"
NEWER = "OpenSSH 9.2 has no such keyword, OpenSSH 10 does"
ABSENT = "what it is about is not offered: any value is a warning"
DEFAULTS = {
    "allowstreamlocalforwarding": "libssh cannot serve Unix sockets",
    "channeltimeout": "OpenSSH 9.2 prints nothing where there is none",
    "ciphers": LIBRARY,
    "compression": "it is never offered",
    "debianbanner": "the version string names no distribution",
    "gssapidelegatecredentials": NEWER,
    "gssapikexalgorithms": ABSENT,
    "hostbasedacceptedalgorithms": ABSENT,
    "hostcertificate": "OpenSSH prints nothing where there is none",
    "hostkeyalgorithms": LIBRARY,
    "ipqos": "as OpenSSH 10; Debian's are of the older RFC 1349",
    "kerberosgetafstoken": "Debian builds OpenSSH without AFS",
    "kexalgorithms": LIBRARY,
    "logverbose": "OpenSSH prints nothing where there is none",
    "macs": LIBRARY,
    "modulifile": ABSENT,
    "pamservicename": NEWER,
    "persourcepenalties": NEWER,
    "persourcepenaltyexemptlist": NEWER,
    "rdomain": "Linux cannot set it; Debian prints nothing for it",
    "refuseconnection": NEWER,
    "requiredrsasize": "2048, as NIST SP 800-131A asks; OpenSSH has 1024",
    "securitykeyprovider": ABSENT,
    "sshdauthpath": NEWER,
    "sshdsessionpath": NEWER,
}

# What is held against each other: text, and for whom -T is asked.
FOR_USER = ("-C", "user=%s," + CONNECTION)
CONFIGS = {
    "stock": ("file", STOCK),
    "units of time and size": """
LoginGraceTime 1m30s
ClientAliveInterval 2H
RekeyLimit 1G 1d12h
MaxStartups 5:50:20
MaxStartups 1
""",
    "the first value counts": """
PermitRootLogin no
PermitRootLogin yes
MaxAuthTries 3
maxauthtries 5
X11Forwarding=no
""",
    "lists add up": """
AcceptEnv LANG
AcceptEnv LC_* TZ
AllowUsers alice bob@192.0.2.0/24
AllowUsers *@*.example.org
DenyGroups guests
Port 2022
Port 2023
""",
    "quotes and comments": """
Banner "/etc/issue of\\ today" # a comment
SetEnv A=1 "B=two words" C="three # words"
ForceCommand echo "a  b" 'c' # no comment
AcceptEnv "LC_*"
Subsystem sftp /usr/lib/sftp-server -l "INFO"
""",
    "operators": """
Ciphers aes256-ctr,aes128-ctr
MACs hmac-sha2-256,hmac-sha2-512
KexAlgorithms curve25519-sha256
HostKeyAlgorithms ssh-ed25519
PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-512
""",
    "sessions": """
PermitTTY no
PermitUserRC no
PermitUserEnvironment LANG,LC_*
MaxSessions 3
ChrootDirectory /srv/%u/%h
PrintMotd no
PrintLastLog no
IPQoS af21 cs1
UseDNS yes
VersionAddendum of the  gateway
TCPKeepAlive no
Subsystem sftp internal-sftp -f AUTHPRIV -l INFO
UnusedConnectionTimeout 5m
ChannelTimeout session:shell=5m x11-connection=1h
""",
    "who may log in": """
PermitRootLogin prohibit-password
PasswordAuthentication no
PermitEmptyPasswords no
PubkeyAuthOptions touch-required verify-required
AuthorizedKeysFile .ssh/a %h/.ssh/b /etc/keys/%u
StrictModes no
UsePAM yes
AllowGroups ssh "domain users"
""",
    "log": """
SyslogFacility LOCAL3
LogLevel DEBUG1
FingerprintHash md5
PidFile none
""",
    "Match by user": ("""
PasswordAuthentication yes
AllowUsers nobody
Match User alice,b*,!bob
  PasswordAuthentication no
  AllowUsers alice
  MaxSessions 2
Match User alice
  MaxSessions 5
  Banner /etc/issue
Match All
  PermitTTY no
""", "alice"),
    "Match by address": ("""
Match Address 192.0.2.0/24,!192.0.2.9
  MaxAuthTries 2
Match Address 192.0.2.0/24,!192.0.2.7
  PermitTTY no
Match LocalAddress 192.0.2.1 LocalPort 22
  X11DisplayOffset 20
Match LocalPort 23
  Banner none
Match Host *.example.org
  SetEnv HOST=known
Match Address 2001:db8::/32
  ForceCommand false
""", "alice"),
    "Match by group": ("""
Match Group root,wheel
  MaxAuthTries 2
Match Group *,!root
  MaxAuthTries 4
Match User root Group root
  PermitTTY no
""", "root"),
    "a subsystem in Match": ("""
Subsystem a /bin/a -x
Match User alice
  MaxSessions 1
  ForceCommand internal-sftp -R
""", "alice"),
}

# config -> keyword -> why that config gives something else there.
EXPLAINED = {
    "units of time and size": {
        "maxstartups": "OpenSSH 9.2 mixes the numbers of two lines",
    },
    "quotes and comments": {
        "setenv": "one line here, that reads back as it is; a line each there",
        "banner": "quoted here, so that it reads back as it is",
    },
    "who may log in": {
        "allowgroups": "quoted here, so that it reads back as it is",
    },
}


def dump(program, conf, *arguments):
    """keyword -> values, of sshd -T."""
    path = place.path("dump.conf")
    with open(path, "w", encoding="utf-8") as out:
        out.write(conf)
    done = subprocess.run([program, "-T", "-f", path, *arguments],
                          capture_output=True, encoding="utf-8", cwd="/")
    if done.returncode != 0:
        return {"error": [done.stderr.strip()[-300:]]}
    values = {}
    for line in done.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        values.setdefault(keyword.lower(), []).append(value)
    return values


def ours():
    return built("sshd")


def base():
    """What both need before they say anything."""
    return "HostKey %s\nListenAddress 127.0.0.1:22\n" % \
        place.host_key("ed25519")


def differences(a, b):
    return {keyword for keyword in a.keys() | b.keys()
            if a.get(keyword) != b.get(keyword)}


def defaults():
    mine, theirs = dump(ours(), base()), dump(THEIRS, base())
    found = differences(mine, theirs)
    for keyword in sorted(found):
        tap.ok(keyword in DEFAULTS, "%s: %s" % (
            keyword, DEFAULTS.get(keyword, "differs, and nobody says why")),
            "ours:   %s" % mine.get(keyword),
            "theirs: %s" % theirs.get(keyword))
    tap.equal(sorted(set(DEFAULTS) - found), [],
              "no other default is said to differ")


def text_and_user(made):
    if isinstance(made, str):
        return made, None
    if made[0] == "file":
        with open(made[1], encoding="utf-8") as text:
            return text.read(), None
    return made


def effects():
    """What each file changes, of what nothing set gives, in either."""
    start = [dump(program, base()) for program in (ours(), THEIRS)]
    for name, made in CONFIGS.items():
        text, asked = text_and_user(made)
        more = [FOR_USER[0], FOR_USER[1] % asked] if asked else []
        mine, theirs = (dump(program, base() + text, *more)
                        for program in (ours(), THEIRS))
        changed = differences(mine, start[0]) | differences(theirs, start[1])
        found = differences(mine, theirs) & changed
        why = EXPLAINED.get(name, {})
        for keyword in sorted(found - set(why)):
            tap.ok(False, "%s: %s" % (name, keyword),
                   "ours:   %s" % mine.get(keyword),
                   "theirs: %s" % theirs.get(keyword))
        tap.equal(sorted(set(why) - found), [],
                  "%s: the same, but for %s" % (
                      name, ", ".join(sorted(why)) or "nothing"))


BAD = ("PermitRootLogin maybe", "Port 70000", "LoginGraceTime soon",
       "MaxStartups 10:30", "NoSuchKeyword yes", "Subsystem sftp",
       "Banner \"/etc/issue", "Match User", "Match Nobody alice",
       "Match Address 192.0.2.1/24\nPermitTTY no", "UsePAM yes no",
       "Match User a\nPort 22", "Ciphers none-such", "SetEnv NOVALUE",
       "AllowUsers a@192.0.2.1/24", "ClientAliveCountMax x",
       "Include", "MaxSessions -1", "IPQoS ef af99",
       "ChannelTimeout session", "RekeyLimit 1Q", "X11DisplayOffset no")


def errors():
    """What one refuses, the other does as well, with the same status."""
    for text in BAD:
        found = []
        for program in (ours(), THEIRS):
            path = place.path("bad.conf")
            with open(path, "w", encoding="utf-8") as out:
                out.write(base() + text + "\n")
            done = subprocess.run([program, "-T", "-f", path],
                                  capture_output=True, encoding="utf-8")
            found.append(done.returncode)
            if program == ours():
                tap.like(done.stderr, r"bad\.conf:? line [34]: \S",
                         "%r: the line is named" % text)
        tap.equal(found, [255, 255], "%r: refused by both" % text)


# --- what a client gets ------------------------------------------------------
def on(flavour, conf, tail=""):
    """A server of ours or of OpenSSH's."""
    os.environ["SSHD_FLAVOUR"] = flavour
    return place.server(dict(conf), tail=tail)


def outcome(done):
    return done.returncode, done.stdout, NOISE.sub(b"", done.stderr)


NOISE = re.compile(rb"(?m)^(Connection (to|closed|reset).*|.*Permanently "
                   rb"added.*|Pseudo-terminal.*)\r?\n")


def variables(server, flags=(), **more):
    """The environment of a command, without what differs by its nature."""
    done = server.ssh(user, "env -0", key=key, flags=flags, **more)
    found = dict(line.split("=", 1)
                 for line in done.stdout.decode().split("\0") if "=" in line)
    for name in ("SSH_CONNECTION", "SSH_CLIENT"):
        found[name] = re.sub(r"\b\d{4,5}\b", "PORT", found.get(name, ""))
    for name in ("SSH_TTY", "XDG_SESSION_ID"):
        if name in found:
            found[name] = "SET"
    return found


ENVIRONMENTS = (
    ("a command", {}, ()),
    ("a terminal", {}, ("-tt",)),
    ("without PAM", {"UsePAM": "no"}, ()),
    ("SetEnv and AcceptEnv", {"AcceptEnv": "OET_* TZ", "SetEnv":
                              "OET_S=server TZ=UTC"}, ()),
    ("PermitUserEnvironment", {"PermitUserEnvironment": "OET_*"}, ()),
    ("ForceCommand", {"ForceCommand": "env -0"}, ()),
)


def environments():
    user.write(".ssh/environment", "OET_FILE=file\nOTHER=no\n")
    for name, conf, flags in ENVIRONMENTS:
        found = []
        for flavour in ("ours", "openssh"):
            server = on(flavour, conf)
            env = place.environment(OET_C="client", TZ="CET")
            found.append(variables(server, flags, env=env,
                                   options={"SendEnv": "OET_* TZ"}))
            server.stop()
        tap.equal(found[0], found[1], "environment: " + name)


LOGINS = (
    ("plain", {}, ""),
    ("PermitTTY no", {"PermitTTY": "no"}, ""),
    ("AllowUsers", {"AllowUsers": other.name}, ""),
    ("DenyUsers", {"DenyUsers": user.name + "@127.0.0.0/8"}, ""),
    ("AllowGroups", {"AllowGroups": user.name}, ""),
    ("DenyGroups", {"DenyGroups": "*"}, ""),
    ("MaxSessions 0", {"MaxSessions": "0"}, ""),
    ("ForceCommand", {"ForceCommand": "echo forced $SSH_ORIGINAL_COMMAND; "
                      "exit 3"}, ""),
    ("PubkeyAuthentication no", {"PubkeyAuthentication": "no"}, ""),
    ("Match denies", {}, "Match User %s\n\tPubkeyAuthentication no\n"
     % user.name),
    ("Match for another", {}, "Match User %s\n\tPubkeyAuthentication no\n"
     % other.name),
    ("Match by address", {"PubkeyAuthentication": "no"},
     "Match Address 127.0.0.0/8 LocalAddress 127.0.0.1\n"
     "\tPubkeyAuthentication yes\n"),
    ("no such subsystem", {"Subsystem": "oet /bin/false"}, ""),
    ("ChrootDirectory that is not there", {"ChrootDirectory": "/nonexistent"},
     ""),
)


def logins():
    """A command, a terminal, a subsystem: status and output."""
    for name, conf, tail in LOGINS:
        found = {}
        for flavour in ("ours", "openssh"):
            server = on(flavour, conf, tail)
            found[flavour] = [
                outcome(server.ssh(user, "echo out; exit 7", key=key))[:2],
                outcome(server.ssh(user, "exit 5", key=key,
                                   flags=["-tt"]))[0],
                outcome(server.ssh(user, "oet", key=key,
                                   flags=["-s"]))[:2]]
            server.stop()
        tap.equal(found["ours"], found["openssh"], "logins: " + name)


tap.main(defaults, effects, errors, environments, logins)

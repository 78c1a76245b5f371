#!/usr/bin/python3
"""omniedge ssh -G beside ssh -G: for the keywords that we have, the same files
and flags mean the same; bad values are refused by both, with their line."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import tap
from omniedge import program

ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
OURS = program()
THEIRS = shutil.which("ssh")
SECONDS = 60

# What both print, and mean the same by when nothing is said, too.
COMPARED = """addressfamily batchmode bindaddress bindinterface certificatefile
    clearallforwardings compression connectionattempts connecttimeout
    controlmaster controlpath controlpersist dynamicforward escapechar
    exitonforwardfailure fingerprinthash forkafterauthentication forwardagent
    forwardx11 forwardx11timeout xauthlocation
    gatewayports hashknownhosts host hostkeyalias hostname identitiesonly
    identityagent kbdinteractiveauthentication localcommand localforward
    loglevel nohostauthenticationforlocalhost numberofpasswordprompts
    passwordauthentication permitlocalcommand permitremoteopen port preferredauthentications
    proxycommand proxyjump pubkeyauthentication rekeylimit remotecommand
    remoteforward requesttty requiredrsasize sendenv serveralivecountmax
    serveraliveinterval sessiontype setenv stdinnull streamlocalbindmask
    streamlocalbindunlink stricthostkeychecking tcpkeepalive user
    userknownhostsfile visualhostkey""".split()
# Ours has a default that ssh does not print.
UNLESS_SAID = {"preferredauthentications":
               ["publickey,keyboard-interactive,password"],
               "identityagent": ["SSH_AUTH_SOCK"],
               "escapechar": ["~"]}

work = tempfile.mkdtemp(prefix="oet-conf-")
home = os.path.join(work, "home")
conf = os.path.join(work, "config")


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def run(argv, **env):
    clean = {"PATH": os.environ["PATH"], "HOME": home, "SHELL": "/bin/sh",
             "TERM": "xterm", "LC_ALL": "C.UTF-8", "OET_VAR": "value"}
    clean.update(env)
    return subprocess.run(argv, capture_output=True, timeout=SECONDS,
                          stdin=subprocess.DEVNULL, env=clean, cwd=work)


def seconds(text):
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "": 1}
    return str(sum(int(n) * units[u.lower()] for n, u in
                   re.findall(r"(\d+)([smhdwSMHDW]?)", text)))


def size(text):
    n, unit = re.fullmatch(r"(\d+)([KMGT]?)", text.upper()).groups()
    return str(int(n) << 10 * ("KMGT".index(unit) + 1 if unit else 0))


def plain(keyword, value):
    """Values that are written in different ways and mean the same."""
    lower = value.lower()
    if lower in ("true", "false"):
        return {"true": "yes", "false": "no"}[lower]
    if keyword == "stricthostkeychecking":
        return {"off": "no"}.get(lower, lower)
    if keyword in ("loglevel", "fingerprinthash", "addressfamily"):
        return {"debug1": "debug", "silent": "quiet"}.get(lower, lower)
    if keyword == "controlpersist" and lower[0].isdigit():
        return {"0": "yes"}.get(seconds(value), seconds(value))
    if keyword == "connecttimeout":
        return {"none": "0"}.get(lower, lower)
    if keyword == "rekeylimit":
        first, second = (lower.split() + ["none"])[:2]
        return "%s %s" % ("0" if first == "default" else size(first),
                          "0" if second == "none" else seconds(second))
    if keyword == "remoteforward":  # what ssh itself would not take
        return value.replace(" [socks]:0", "")
    if keyword == "userknownhostsfile":
        return value.replace("~/", os.path.expanduser("~/"))
    return value


def parsed(text):
    found = {}
    for line in text.decode().splitlines():
        keyword, _, value = line.partition(" ")
        if keyword in COMPARED:
            values = found.setdefault(keyword, [])
            # ssh sends a variable twice that is named twice.
            if keyword != "sendenv" or value not in values:
                values.append(plain(keyword, value))
    for keyword, value in UNLESS_SAID.items():
        if found.get(keyword) == value:
            del found[keyword]
    return found


def both(flags, host="h"):
    """What each says; None where it refuses."""
    result = []
    for argv in ([THEIRS], [OURS, "ssh"]):
        done = run([*argv, "-G", "-F", conf, *flags, host])
        result.append(parsed(done.stdout) if done.returncode == 0 else None)
        if done.returncode not in (0, 255):
            result[-1] = done
    return result


def differences(ours, theirs):
    """Both without what is equal; whole, if one refuses."""
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return bool(ours), bool(theirs)
    return tuple({keyword: one[keyword] for keyword in one
                  if ours.get(keyword) != theirs.get(keyword)}
                 for one in (ours, theirs))


def same(name, text, *hosts, flags=()):
    put(conf, text)
    for host in hosts or ("h",):
        theirs, ours = both(flags, host)
        # Ours keeps these flags apart from the keywords.
        if set(flags) & {"-N", "-f", "-W"}:
            for keyword in ("requesttty", "stdinnull", "sessiontype"):
                theirs.pop(keyword, None)
                ours.pop(keyword, None)
        tap.equal(*differences(ours, theirs),
                  "%s: %s" % (name, " ".join([*flags, host])))


# --- what they have in common

BLOCKS = (
    ("the first value wins", "User a\nUser b\nPort 1\nHost *\nPort 2\n"),
    ("an empty file", "# nothing\n\n   \n"),
    ("= and blanks", "user=a\nPort = 7\n\tHostName\t=\tx.y\n"),
    ("case of keywords", "uSeR a\nHOSTNAME x\n"),
    ("quotes", "User \"a\"\nIdentityFile \"/a b/c\"\nHostName 'x'\n"
     "CertificateFile /c\\ d\n"),
    ("comments", "User a # b\nPort 7 #c\nIdentityFile /x#y\n"),
    ("quotes within words", "IdentityFile /a\"b c\"d\nIdentityFile '/x\"y'\n"
     "IdentityFile \"/q\\\"r\"\nIdentityFile /t\\\\u\n"),
    ("CRLF", "User a\r\nPort 7\r\n"),
    ("IdentityFile adds up", "IdentityFile /a\nHost *\nIdentityFile /b\n"
     "IdentityFile /a\nCertificateFile /c\nCertificateFile /d\n"),
    ("SendEnv adds up", "SendEnv A B\nSendEnv C\nHost h\nSendEnv D* A\n"),
    ("SendEnv takes away", "SendEnv A B LC_*\nSendEnv -A -L*\nSendEnv C\n"),
    ("SetEnv", "SetEnv A=1 B=2 A=3\nSetEnv C=4\n"),
    ("forwardings", "LocalForward 80 h:81\nLocalForward [::1]:82 [::2]:83\n"
     "LocalForward *:84 h:85\nRemoteForward 86 h:87\nDynamicForward 88\n"
     "DynamicForward localhost:89\nLocalForward 80 h:81\n"),
    ("SOCKS at the server", "RemoteForward 86\nRemoteForward [::1]:87\n"
     "PermitRemoteOpen a:80 b:* *:http [::1]:9\n"),
    ("X11", "ForwardX11 yes\nForwardX11Timeout 1h\nXAuthLocation /x\n"),
    ("no PermitRemoteOpen", "PermitRemoteOpen none\n"),
    ("times", "ConnectTimeout 1m30s\nServerAliveInterval 2h\n"
     "ControlPersist 1d\n"),
    ("sizes", "RekeyLimit 500M 1h\n"),
    ("rekey default", "RekeyLimit default 2h\n"),
    ("yes and true", "PermitLocalCommand true\nHashKnownHosts FALSE\n"
     "StrictHostKeyChecking off\nControlMaster auto\nRequestTTY force\n"),
    ("tokens of HostName", "HostName %h.example.org\n"),
    ("tokens of ControlPath", "ControlPath /c/%h-%n-%p-%r-%%\nPort 7\n"
     "User u\nHostName x\n"),
    ("tokens of RemoteCommand", "RemoteCommand echo %h %p # %r\nUser u\n"),
    ("the hash of a path", "ControlPath /c/%C\nPort 7\nUser u\n"),
    ("variables", "ControlPath /c/${OET_VAR}\nIdentityAgent ${OET_VAR}/x\n"),
    ("none", "ProxyCommand none\nControlPath none\nRemoteCommand none\n"
     "IdentityAgent none\nUserKnownHostsFile none\nProxyJump none\n"),
    ("ProxyCommand as written", "ProxyCommand nc  \"%h\"   %p # no comment\n"),
    ("ProxyCommand, then ProxyJump", "ProxyCommand a\nProxyJump b\n"),
    ("ProxyJump, then ProxyCommand", "ProxyJump b\nProxyCommand a\n"),
    ("ProxyJump none, then ProxyCommand", "ProxyJump none\nProxyCommand a\n"),
    ("ProxyCommand none, then ProxyJump", "ProxyCommand none\nProxyJump b\n"),
    ("one of both in another block", "Host h\nProxyJump b\nHost *\n"
     "ProxyCommand a\n"),
    ("one of both in a block that does not apply", "Host x\nProxyJump b\n"
     "Host *\nProxyCommand a\n"),
    ("known hosts", "UserKnownHostsFile /a /b\nGlobalKnownHostsFile /c\n"),
    ("masks and characters", "StreamLocalBindMask 0111\nEscapeChar %\n"),
    ("no escape", "EscapeChar none\n"),
    ("IgnoreUnknown", "IgnoreUnknown Foo*,bar\nFooX 1\nBAR 2\nUser a\n"),
    ("log levels", "LogLevel DEBUG1\n"),
    ("forwarded agents", "ForwardAgent yes\n"),
    ("session types", "SessionType none\nStdinNull yes\n"
     "ForkAfterAuthentication yes\n"),
    ("ports with a zero in front", "Port 022\n"),
    ("a service's name", "Port domain\nLocalForward http h:https\n"
     "RemoteForward 86 h:http\nDynamicForward socks\n"),
)

HOSTS = ("one", "two", "ONE", "one.example", "bad.example", "h")
HOST_BLOCKS = (
    ("patterns", "Host one\nUser a\nHost t?o *.example\nUser b\nHost *\n"
     "User c\n"),
    ("negation", "Host *.example !bad.example\nUser a\nHost !one\nUser b\n"
     "Host !one *\nUser c\n"),
    ("quoted patterns", "Host \"one\" 'two'\nUser a\n"),
    ("Match host", "Match host one,*.example,!bad.example\nUser a\n"),
    ("Match host after HostName", "Host one\nHostName real\nMatch host real\n"
     "User a\nMatch host one\nUser b\n"),
    ("Match originalhost", "HostName real\nMatch originalhost one\nUser a\n"
     "Match originalhost o*,!one host real\nUser b\n"),
    ("Match !host", "Match !host one\nUser a\n"),
    ("Match all", "Match all\nUser a\n"),
    ("Match user", "Host one\nUser u\nMatch user u\nPort 7\n"
     "Match user root\nPort 8\n"),
    ("Match localuser", "Match localuser root,nobody\nUser a\n"
     "Match localuser nobody\nUser b\n"),
    ("Match exec", "Match exec \"test %h = one\"\nUser a\n"
     "Match !exec true\nUser b\nMatch exec \"exit 0\" host two\nUser c\n"),
    ("Match exec's tokens", "Port 7\nMatch exec \"test %n%p%r%u = one7aroot\""
     " user a\nUser b\nMatch exec \"test %n.%p = two.7\"\nUser b\n"),
    ("Match exec and a service's name", "Port domain\n"
     "Match exec \"test %p = 53\"\nUser b\n"),
    ("Match final", "Match final host one\nUser a\nMatch all\nPort 7\n"
     "IdentityFile /x\nSendEnv A -A B\n"),
    ("Match final after HostName", "HostName real\nMatch final host real\n"
     "User a\n"),
    ("Match !final", "Match !final\nUser a\nMatch final\nUser b\n"),
    ("Match canonical alone", "Match canonical\nUser a\n"),
    ("Match canonical and final", "Match canonical\nUser a\nMatch final\n"
     "Port 7\n"),
    ("Match final all", "Match final all\nUser a\n"),
    ("several criteria", "Match host one user root\nUser a\n"
     "Match host one localuser root\nPort 7\n"),
)

BAD_BLOCKS = (
    ("Match without a criterion", "Match\n"),
    ("Match with an unknown one", "Match nothing x\n"),
    ("Match without an argument", "Match host\n"),
    ("Match all with others", "Match all host x\n"),
    ("Host without a pattern", "Host\n"),
    ("an unknown keyword", "Nonsense 1\n"),
    ("an unknown keyword elsewhere", "Host x\nNonsense 1\n"),
    ("a bad value elsewhere", "Host x\nPort none\n"),
    ("a quote that never ends", "User \"a\n"),
    ("a value too many", "User a b\n"),
    ("no value", "User\n"),
    ("Include without a file", "Include\n"),
    ("an unset variable", "ControlPath ${OET_NONE}\n"),
    ("an unknown token", "ControlPath /%z\n"),
)

FLAGS = (["-l", "x", "-p", "7"], ["-o", "User=a", "-o", "User=b"],
         ["-o", "User b", "-l", "c"], ["-J", "x,y@z:7"], ["-C", "-A", "-N"],
         ["-i", "/k", "-i", "/l"], ["-4"], ["-6"], ["-g", "-n", "-T"],
         ["-L", "8080:h:80", "-R", "0.0.0.0:81:h:82", "-D", "1080"],
         ["-J", "c", "-o", "ProxyCommand=a b"], ["-J", "none"], ["-q"],
         ["-tt"], ["-t"], ["-f", "-N"], ["-e", "none"],
         ["-S", "/s/%p"], ["-M"], ["-b", "127.0.0.1", "-B", "lo"],
         ["-W", "x:http"], ["-X"], ["-x"], ["-Y"],
         ["-p", "domain", "-L", "http:h:https"], ["-o", "Port = 7"], ["-o", "SetEnv=A=b c=d"])


def blocks():
    for name, text in BLOCKS:
        same(name, text)


def hosts():
    for name, text in HOST_BLOCKS:
        same(name, text, *HOSTS)


def flags():
    for words in FLAGS:
        same("flags", "User file\nPort 9\nProxyCommand file\n"
             "IdentityFile /file\nControlPath /file\n", flags=words)
    for target in ("a@h", "ssh://a@h:7", "ssh://h:domain", "a@b@h", "::1"):
        same("target", "Host h\nUser file\nPort 9\n", target)


def includes():
    put(os.path.join(work, "inc", "a"), "User a\nHost one\nPort 1\n")
    put(os.path.join(work, "inc", "b"), "Port 2\nIdentityFile /b\n")
    put(os.path.join(home, ".ssh", "more"), "HostName more\n")
    for name, text in (
            ("a glob", "Include %s/inc/*\n" % work),
            ("two files, and back", "Include %s/inc/b %s/inc/a\nCompression "
             "yes\n" % (work, work)),
            ("in a block", "Host one\nInclude %s/inc/a\nHost *\n"
             "HostName x\n" % work),
            ("in a Match", "Match host two\nInclude %s/inc/*\n" % work),
            ("a block goes on behind it", "Host one\nInclude %s/inc/a\n"
             "Compression yes\n" % work),
            ("a file that is not there", "Include %s/none\nUser b\n" % work),
            ("quoted", "Include \"%s/inc/a\"\n" % work)):
        same("Include " + name, text, "one", "two")


def bad_blocks():
    for name, text in BAD_BLOCKS:
        put(conf, text)
        theirs, ours = both([])
        tap.equal((theirs, ours), (None, None), "both refuse: " + name)


# --- bad values of every keyword

# keyword: values that are wrong; ssh of Debian 12 knows all but NEWER.
BAD = {
    "FLAG": ["banana", "1"], "TIME": ["banana", "-1", "1x"],
    "INT": ["banana", "-1", "1x"], "ALGS": ["banana"], "CHOICE": ["banana"],
}
BAD_KEYWORDS = {
    "SetEnv": ["FOO", "A=1 FOO"], "SendEnv": ["A=B"],
    "RekeyLimit": ["banana", "1", "1G banana", "none", "1G 1h x", "1X",
                   "99999999999999999999G"],
    "ControlPersist": ["banana", "-1", "1x"], "EscapeChar": ["ab", "^ab"],
    "StreamLocalBindMask": ["9", "01777", "banana"],
    "LocalForward": ["1", "banana h:1", "80 h", "99999 h:1"],
    "RemoteForward": ["banana", "1 h", "1 80"], "DynamicForward": ["banana", "0"],
    "ProxyJump": ["a:x", "a,,b", "a/b"],
    "UserKnownHostsFile": ["/a none"], "GlobalKnownHostsFile": ["none /b"],
    "AddKeysToAgent": ["banana"], "CanonicalizePermittedCNAMEs": ["banana"],
    "IPQoS": ["banana"], "PermitRemoteOpen": ["banana", "a:0", "none a:1"],
    "Port": ["0", "70000", "x", "22x", "1 2", "tftp", "DOMAIN"],
}
# Only ours has a bound here.
OWN_BAD = {"ChannelTimeout": ["banana"]}
NEWER = {"ChannelTimeout", "ObscureKeystrokeTiming", "UseKeychain",
         "AppleMultiPath", "VersionAddendum"}


def rows():
    """Keyword and type, of keyword.def."""
    path = os.path.join(ROOT, "client", "keyword.def")
    with open(path, encoding="ascii") as text:
        table = text.read().split("*/", 1)[1]
    for keyword, kind in re.findall(
            r'^KEY\(\w+, "(\w+)", (\w+),', table, re.M):
        yield keyword, kind
    for keyword, kind in re.findall(
            r'^(?:WITHOUT|WARNED|REFUSED)\("(\w+)",\s+(\w+),', table, re.M):
        yield keyword, kind


def bad_values():
    checked = 0
    for keyword, kind in rows():
        values = BAD_KEYWORDS.get(keyword) or OWN_BAD.get(keyword) or \
            BAD.get(kind, [])
        for value in values:
            checked += refuse(keyword, value)
        put(conf, "# first\n%s\n" % keyword)
        done = run([OURS, "ssh", "-G", "-F", conf, "h"])
        tap.equal(done.returncode, 255, "%s without a value" % keyword)
    tap.ok(checked > 100, "%d bad values" % checked)


def refuse(keyword, value):
    put(conf, "# first\n%s %s\n" % (keyword, value))
    done = run([OURS, "ssh", "-G", "-F", conf, "h"])
    tap.equal(done.returncode, 255, "%s %s" % (keyword, value))
    tap.like(done.stderr, r"%s: line 2: %s: " % (conf, keyword),
             "says where, and which", done.stderr)
    done = run([OURS, "ssh", "-G", "-F", "none", "-o",
                "%s=%s" % (keyword, value), "h"])
    tap.equal(done.returncode, 255, "-o %s=%s" % (keyword, value))
    tap.like(done.stderr, "command line: %s: " % keyword, "says which")
    if keyword not in NEWER and THEIRS:
        tap.equal(run([THEIRS, "-G", "-F", conf, "h"]).returncode, 255,
                  "as ssh does")
    return 1


# --- what has no effect, and says so

def without_effect():
    put(conf, "GSSAPIAuthentication yes\nCheckHostIP yes\n"
        "ObscureKeystrokeTiming yes\nPubkeyAuthentication host-bound\n")
    done = run([OURS, "ssh", "-G", "-F", conf, "h"])
    tap.equal(done.returncode, 0, "keywords that have no effect are taken")
    for keyword in ("CheckHostIP", "ObscureKeystrokeTiming",
                    "PubkeyAuthentication"):
        tap.like(done.stderr, "%s: line [0-9]: %s" % (conf, keyword),
                 "%s: less safe than believed, which is said" % keyword)
    tap.ok(b"GSSAPI" not in done.stderr, "what takes nothing away is quiet")
    done = run([OURS, "ssh", "-v", "-G", "-F", conf, "h"])
    tap.like(done.stderr, "line 1: GSSAPIAuthentication has no effect: ",
             "-v says that, too")
    for words in (["-o", "IPQoS=ef", "-v"], ["-v", "-o", "IPQoS=ef"]):
        done = run([OURS, "ssh", *words, "-G", "-F", "none", "h"])
        tap.like(done.stderr, "command line: IPQoS has no effect: ",
                 " ".join(words))
    put(conf, "CheckHostIP no\nChannelTimeout none\nVerifyHostKeyDNS no\n"
        "Tunnel false\n")
    done = run([OURS, "ssh", "-G", "-F", conf, "h"])
    tap.equal((done.returncode, done.stderr), (0, b""),
              "harmless values say nothing")


def refused():
    for line in ("KnownHostsCommand /bin/x", "RevokedHostKeys /x"):
        put(conf, line + "\n")
        done = run([OURS, "ssh", "-G", "-F", conf, "h"])
        tap.equal(done.returncode, 255, "%s is refused" % line)
        tap.like(done.stderr, "line 1: %s is not offered: " % line.split()[0],
                 "with a way out")
        put(conf, "Host other\n%s\n" % line)
        done = run([OURS, "ssh", "-G", "-F", conf, "h"])
        tap.equal(done.returncode, 0, "but not on another host's behalf")


def printed():
    put(conf, "Ciphers ^aes128-ctr\n")
    done = run([OURS, "ssh", "-G", "-F", conf, "h"])
    tap.like(done.stdout, "^ciphers aes128-ctr,.*aes256-gcm@openssh.com",
             "-G: lists as they are offered")
    for keyword in ("macs", "kexalgorithms", "hostkeyalgorithms",
                    "pubkeyacceptedalgorithms", "identityfile"):
        tap.like(done.stdout, "^%s [^ ]+" % keyword, "-G: %s" % keyword)
    again = os.path.join(work, "again")
    with open(again, "wb") as out:
        out.write(b"\n".join(line for line in done.stdout.split(b"\n")
                             if not line.startswith(b"host ")))
    once, twice = done.stdout, run([OURS, "ssh", "-G", "-F", again,
                                    "h"]).stdout
    tap.equal(sorted(twice.splitlines()), sorted(once.splitlines()),
              "what -G prints is a configuration with the same meaning")


def compared():
    if not THEIRS:
        tap.skip("OpenSSH's answers", "no ssh: contrib/packages install test")
        return
    for part in (blocks, hosts, flags, includes, bad_blocks):
        part()


def clean():
    shutil.rmtree(work)


put(os.path.join(home, ".ssh", "config"), "")
tap.main(compared, bad_values, without_effect, refused, printed, clean)

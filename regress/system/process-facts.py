#!/usr/bin/python3
"""What each process of a server is and holds, as the kernel tells it: ids,
capabilities, seccomp, root directory, limits, every descriptor; before the
login, with a command, with a terminal. And that the network processes, which
share an id, cannot get at one another. The tables are the documentation."""
import os
import pwd
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import PRIVSEP_DIR, Place, built, flavour
from terminal import Terminal
from wait import PATIENCE, command_line, holds, wait_for
import peer

if flavour() == "openssh":
    tap.skip_all("the processes are this suite's own")
tap.need_root()
with open(built("sshd-net"), "rb") as program:
    if b"__asan_init" in program.read():
        tap.skip_all("the sanitizers need a log and address space")
PRIVSEP = pwd.getpwnam("sshd")
CAPS = ("chown dac_override dac_read_search fowner fsetid kill setgid setuid "
        "setpcap linux_immutable net_bind_service net_broadcast net_admin "
        "net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot "
        "sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource "
        "sys_time sys_tty_config mknod lease audit_write audit_control "
        "setfcap").split()
# What each may keep of root's capabilities; the bounding set stays whole, or
# sudo and ping would fail in a session.
KEPT = {
    "sshd": "chown dac_override dac_read_search kill setgid setuid sys_chroot "
            "net_bind_service setpcap",
    "sshd-monitor": "chown dac_override dac_read_search fowner fsetid kill "
                    "setgid setuid setpcap net_bind_service sys_chroot sys_admin "
                    "sys_nice sys_resource sys_tty_config audit_write "
                    "audit_control",
    "sshd-net": "",
    "sshd-forward": "",
}
NULL, LOG = "/dev/null", r"/.*\.log"
SEQPACKET, TCP, LISTEN = "seqpacket", "tcp", "tcp listening"
# Every descriptor of each process, in order.
MONITOR_FDS = {0: NULL, 1: NULL, 2: LOG, 3: SEQPACKET, 4: SEQPACKET,
               7: ".*/sshd-forward"}
FORWARD_FDS = [NULL, NULL, NULL, SEQPACKET, "pipe", "pipe"]
NET_FDS = [NULL, NULL, NULL, SEQPACKET, TCP]
PIPES, TERMINAL = ["pipe"] * 3, ["/dev/ptmx"] * 2
SSHD_FDS = [NULL, LOG, LOG, r"/memfd:sshd-config.*", r"/memfd:sshd-hostkeys.*",
            ".*/sshd-monitor", ".*/sshd-net", ".*/sshd-probe",
            ".*/sshd-forward", LISTEN, SEQPACKET]
# limits of sshd-net (proc(5), limits)
NET_LIMITS = {"Max core file size": "0", "Max file size": "0",
              "Max processes": "0", "Max open files": "4096",
              "Max address space": str(1 << 30)}

place = Place()
alice, bob = place.account(), place.account()
key = place.key()
for account in (alice, bob):
    account.authorize(key)
server = place.server()


# --- what the kernel says


def read(pid, name):
    with open("/proc/%d/%s" % (pid, name), encoding="utf-8",
              errors="replace") as text:
        return text.read()


def status(pid):
    """/proc/PID/status as words; numbers of ids as lists."""
    return dict(line.split(":", 1) for line in read(pid, "status").splitlines()
                if ":" in line)


def words(pid, field):
    return status(pid)[field].split()


def caps_of(names):
    return sum(1 << CAPS.index(name) for name in names.split())


def socket_kind(inode):
    """What an inode of socket:[INODE] is, out of /proc/net."""
    with open("/proc/net/unix", encoding="ascii", errors="replace") as table:
        for line in table:
            fields = line.split()
            if fields[6:7] == [inode]:
                return {"0005": SEQPACKET, "0002": "datagram",
                        "0001": "stream"}[fields[4]]
    for name in ("tcp", "tcp6"):
        with open("/proc/net/" + name, encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if fields[9] == inode:
                    return LISTEN if fields[3] == "0A" else TCP
    return "socket of another kind"


def descriptors(pid):
    """What each descriptor is, in order of number."""
    folder = "/proc/%d/fd" % pid
    found = []
    for number in sorted(os.listdir(folder), key=int):
        name = os.readlink(os.path.join(folder, number))
        match = re.match(r"(socket|pipe):\[(\d+)\]", name)
        if match and match.group(1) == "socket":
            name = socket_kind(match.group(2))
        elif match:
            name = "pipe"
        found.append(name)
    return found


def numbers(pid):
    return sorted(int(name) for name in os.listdir("/proc/%d/fd" % pid))


def fds_match(pid, wanted):
    try:
        got = descriptors(pid)
    except FileNotFoundError:
        return False  # one was closed while we looked
    return len(got) == len(wanted) and all(
        re.fullmatch(want, name) for name, want in zip(got, wanted))


def check_fds(pid, wanted, name, check=tap.ok):
    holds(lambda: fds_match(pid, wanted), 5)
    check(fds_match(pid, wanted), name, "has:    %s" % descriptors(pid),
          "wanted: %s" % wanted)


def program(pid):
    try:
        return os.path.basename(os.readlink("/proc/%d/exe" % pid))
    except OSError:
        return ""


class Connection:
    """The processes of one connection, found by who its parent is and by the
    address that the network process's socket has."""

    def __init__(self, before):
        def both():
            fresh = [pid for pid in server.children() if pid not in before]
            found = {program(pid): pid for pid in fresh}
            return found if {"sshd-monitor", "sshd-net"} <= set(found) else 0
        found = wait_for(both, what="the processes of a connection")
        self.monitor, self.net = found["sshd-monitor"], found["sshd-net"]

    def user_process(self, account):
        return wait_for(lambda: [
            pid for pid in account.processes() if program(pid) == "cat"
            and int(words(pid, "PPid")[0]) == self.monitor], 15,
            "the user's process")[0]


before = server.children()
fresh_socket = peer.connect(server)
peer.read_line(fresh_socket)
fresh = Connection(before)
before = server.children()
client = place.popen(server.ssh_argv(alice, "cat", key=key))
plain = Connection(before)
plain.user = plain.user_process(alice)
before = server.children()
terminal = Terminal(place, server.ssh_argv(bob, "cat", key=key,
                                           flags=["-tt"]))
tty = Connection(before)
tty.user = tty.user_process(bob)
before = server.children()
forwarder = place.popen(server.ssh_argv(
    alice, key=key, flags=["-N", "-R", "0:127.0.0.1:9"]))
forwarding = Connection(before)
forwarding.helper = wait_for(lambda: [
    pid for pid in alice.processes() if program(pid) == "sshd-forward"], 15,
    "sshd-forward")[0]
CONNECTIONS = (("before login", fresh), ("command", plain), ("terminal", tty),
               ("forwarding", forwarding))


# --- the checks


def root_process(pid, role, name):
    tap.equal(words(pid, "Uid"), ["0"] * 4, name + ": uid 0")
    tap.equal(words(pid, "Gid"), ["0"] * 4, name + ": gid 0")
    tap.equal(words(pid, "Groups"), [], name + ": no other group")
    more = int(words(pid, "CapPrm")[0], 16) & ~caps_of(KEPT[role])
    tap.equal(more, 0, name + ": no capability but those that it needs",
              words(pid, "CapPrm"))
    tap.equal(words(pid, "CapEff"), words(pid, "CapPrm"),
              name + ": and all of them in force")
    no_way_to_more(pid, name)
    tap.equal(words(pid, "CapBnd"), words(os.getpid(), "CapBnd"),
              name + ": the bounding set is as it was")
    tap.equal((words(pid, "NoNewPrivs"), words(pid, "Seccomp")),
              (["0"], ["0"]), name + ": nothing that a shell would inherit")


def no_way_to_more(pid, name):
    tap.equal([words(pid, field) for field in ("CapInh", "CapAmb")],
              [["0" * 16]] * 2, name + ": nothing inheritable or ambient")


def of_sshd():
    pid = server.process.pid
    root_process(pid, "sshd", "sshd")
    check_fds(pid, SSHD_FDS + [SEQPACKET],
              "sshd: its descriptors, one more until a connection logs in")
    tap.like(command_line(pid), r"^sshd: .*listener", "sshd: title")


def of_monitors():
    for name, connection in CONNECTIONS:
        name = "sshd-monitor, " + name
        root_process(connection.monitor, "sshd-monitor", name)
        # The channel to sshd is closed with the login, and that to
        # sshd-forward comes in its place, or beside it if sshd was slow to
        # close. 5 and 6 were memory files, and are closed once read.
        closed = [] if connection in (fresh, forwarding) else [4]
        wanted = [number for number in MONITOR_FDS if number not in closed]
        check_fds(connection.monitor,
                  [MONITOR_FDS[number] for number in wanted],
                  name + ": descriptors")
        if connection is not forwarding:
            tap.equal(numbers(connection.monitor), wanted,
                      name + ": their numbers")
    tap.like(command_line(fresh.monitor), r"^sshd(-monitor)?: .*accepted",
             "sshd-monitor, before login: title")
    tap.like(command_line(plain.monitor), r"^sshd(-monitor)?: %s" % alice.name,
             "sshd-monitor, command: title")
    tap.like(command_line(tty.monitor),
             r"^sshd(-monitor)?: %s@pts/\d+" % bob.name,
             "sshd-monitor, terminal: title")


def of_nets():
    more = {"before login": [], "command": PIPES, "terminal": TERMINAL,
            "forwarding": [LISTEN] * listening_addresses()}
    for label, connection in CONNECTIONS:
        pid, name = connection.net, "sshd-net, " + label
        tap.equal(words(pid, "Uid"), [str(PRIVSEP.pw_uid)] * 4,
                  name + ": uid of PRIVSEP_USER")
        tap.equal(words(pid, "Gid"), [str(PRIVSEP.pw_gid)] * 4, name + ": gid")
        tap.equal(words(pid, "Groups"), [], name + ": no other group")
        tap.equal([words(pid, field) for field in ("CapPrm", "CapEff")],
                  [["0" * 16]] * 2, name + ": no capability")
        no_way_to_more(pid, name)
        tap.equal(words(pid, "NoNewPrivs"), ["1"], name + ": no_new_privs")
        tap.equal(words(pid, "Seccomp"), ["2"], name + ": a filter")
        tap.equal([os.readlink("/proc/%d/%s" % (pid, link))
                   for link in ("root", "cwd")], [PRIVSEP_DIR] * 2,
                  name + ": in the empty root")
        # Of a process that is not dumpable, /proc/PID is root's.
        tap.equal(os.stat("/proc/%d/mem" % pid).st_uid, 0,
                  name + ": not dumpable")
        limits = read(pid, "limits")
        for limit, most in NET_LIMITS.items():
            tap.like(limits, r"^%s +%s +%s\b" % (limit, most, most),
                     "%s: %s" % (name, limit))
        # Even with -e: it could write lines that nobody has encoded.
        check_fds(pid, NET_FDS + more[label], name + ": descriptors")
        tap.like(command_line(pid), r"^sshd-net: ", name + ": title")
    tap.equal(os.listdir(PRIVSEP_DIR), [], "the root directory is empty")


def listening_addresses():
    """Whether ::1 is there to listen on as well."""
    with open("/proc/net/if_inet6", encoding="ascii") as table:
        return 2 if any(line.startswith("0" * 31 + "1") for line in table) \
            else 1


def of_forward():
    pid, name = forwarding.helper, "sshd-forward"
    tap.equal(words(pid, "Uid"), [str(alice.uid)] * 4, name + ": uid")
    tap.equal(words(pid, "Gid"), [str(alice.gid)] * 4, name + ": gid")
    tap.equal(words(pid, "Groups"), [str(alice.gid)], name + ": groups")
    tap.equal([words(pid, field) for field in ("CapPrm", "CapEff")],
              [["0" * 16]] * 2, name + ": no capability")
    no_way_to_more(pid, name)
    tap.equal((words(pid, "NoNewPrivs"), words(pid, "Seccomp")),
              (["1"], ["2"]), name + ": no_new_privs and a filter")
    tap.equal(os.stat("/proc/%d/mem" % pid).st_uid, 0, name + ": not dumpable")
    tap.like(read(pid, "limits"), r"^Max file size +0 +0\b",
             name + ": writes no file")
    check_fds(pid, FORWARD_FDS, name + ": descriptors")
    tap.equal(numbers(pid), list(range(len(FORWARD_FDS))),
              name + ": from 0 on")
    tap.like(command_line(pid), r"^sshd-forward: ", name + ": title")
    tap.equal(len([each for each in alice.processes()
                   if program(each) == "sshd-forward"]), 1,
              "only the connection that forwards has one")


def of_user_processes():
    for name, connection, account, fds in (
            ("command", plain, alice, PIPES),
            ("terminal", tty, bob, [r"/dev/pts/\d+"] * 3)):
        pid, name = connection.user, "user's process, " + name
        tap.equal(words(pid, "Uid"), [str(account.uid)] * 4, name + ": uid")
        tap.equal(words(pid, "Gid"), [str(account.gid)] * 4, name + ": gid")
        tap.equal(words(pid, "Groups"), [str(account.gid)], name + ": groups")
        tap.equal([words(pid, field) for field in ("CapPrm", "CapEff")],
                  [["0" * 16]] * 2, name + ": no capability")
        no_way_to_more(pid, name)
        tap.equal(words(pid, "CapBnd"), words(os.getpid(), "CapBnd"),
                  name + ": the bounding set is whole")
        tap.equal((words(pid, "NoNewPrivs"), words(pid, "Seccomp")),
                  (["0"], ["0"]), name + ": no jail is inherited")
        tap.equal(numbers(pid), [0, 1, 2], name + ": three descriptors")
        check_fds(pid, fds, name + ": its own")
        tap.equal(os.readlink("/proc/%d/root" % pid), "/", name + ": root")
        tap.equal(os.readlink("/proc/%d/cwd" % pid), account.home,
                  name + ": at home")
        # 32 and 33 are the C library's own, and nobody can reset them.
        tap.equal([int(word, 16) & ~(3 << 31) for word in
                   words(pid, "SigBlk") + words(pid, "SigIgn")],
                  [0, 0], name + ": no signal blocked or ignored")
        tap.unlike(read(pid, "limits"), r"Max file size +0\b",
                   name + ": no limit of the jail")


# Tries to get at a process, and says which call failed how.
INTRUDER = r'''
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]
class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
def result(rc):
    return "ok" if rc >= 0 else errno.errorcode[ctypes.get_errno()]
def opened(path, flags):
    try:
        os.close(os.open(path, flags))
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
target = int(sys.argv[1])
own = target == 0
if own:
    ready, hold = os.pipe(), os.pipe()
    target = os.fork()
    if target == 0:
        os.close(hold[1])
        os.write(ready[1], b"x")
        os.read(hold[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
buffer = ctypes.create_string_buffer(8)
here = ctypes.addressof(buffer)
local, remote = iovec(here, 8), iovec(here, 8)
print("process_vm_readv", result(libc.process_vm_readv(
    target, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)))
print("process_vm_writev", result(libc.process_vm_writev(
    target, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)))
for name in "mem", "maps", "environ", "fd", "root", "stack":
    print(name, opened("/proc/%d/%s" % (target, name), os.O_RDONLY))
print("mem-write", opened("/proc/%d/mem" % target, os.O_RDWR))
fd = libc.syscall(434, target, 0)
print("pidfd_getfd", result(libc.syscall(438, fd, 0, 0)))
print("ptrace", result(libc.ptrace(16, target, None, None)))
if own:
    os.kill(target, 9)
'''
# What gives memory or descriptors away; the rest root may look at.
WORST = ("process_vm_readv", "process_vm_writev", "mem", "mem-write",
         "pidfd_getfd", "ptrace")
ALLOWED_TO_ITSELF = ("process_vm_readv", "process_vm_writev", "mem", "maps",
                     "environ", "fd", "mem-write", "pidfd_getfd", "ptrace")


def intrude(target, *setpriv):
    """call -> result, made with no capability by these ids."""
    done = place.run(["setpriv", *setpriv, "/usr/bin/python3", "-c", INTRUDER,
                      str(target)])
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return dict(line.split() for line in done.stdout.decode().splitlines())


AS_NET = ("--reuid", str(PRIVSEP.pw_uid), "--regid", str(PRIVSEP.pw_gid),
          "--clear-groups", "--inh-caps=-all")
AS_ROOT = ("--bounding-set=-sys_ptrace", "--inh-caps=-all")


def nobody_gets_in():
    """Not even with the id that all network processes share; nor does root
    without CAP_SYS_PTRACE get at the keys of a monitor."""
    for who, ids, calls, targets in (
            ("PRIVSEP_USER", AS_NET, ALLOWED_TO_ITSELF + ("root", "stack"),
             {"another's sshd-net": plain.net, "sshd-monitor": plain.monitor,
              "sshd": server.process.pid}),
            ("root without CAP_SYS_PTRACE", AS_ROOT, WORST,
             {"sshd-monitor": plain.monitor, "sshd": server.process.pid})):
        own = intrude(0, *ids)
        tap.equal([call for call in ALLOWED_TO_ITSELF if own[call] != "ok"],
                  [], who + " could, as far as calls go")
        for name, target in targets.items():
            results = intrude(target, *ids)
            let_in = [call for call in calls
                      if results[call] not in ("EPERM", "EACCES")]
            tap.equal(let_in, [], "%s gets at nothing of %s" % (who, name),
                      results)


def everything_is_given_back():
    fresh_socket.close()
    client.communicate(b"", PATIENCE)
    forwarder.terminate()
    forwarder.wait(PATIENCE)
    terminal.send(b"\x04")
    terminal.finish()
    tap.ok(holds(lambda: not server.children()), "all of them are gone",
           *[command_line(pid) for pid in server.children()])
    check_fds(server.process.pid, SSHD_FDS, "sshd holds nothing of theirs")
    server.stop()


tap.main(of_sshd, of_monitors, of_nets, of_forward, of_user_processes,
         nobody_gets_in,
         everything_is_given_back)

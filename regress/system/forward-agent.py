#!/usr/bin/python3
"""Agent forwarding: ssh-add in a session asks the client's agent, through a
socket of the user's that others cannot reach and that goes with the
connection; and who may not forward one."""
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import tap
from server import Place
from wait import PATIENCE, holds, kill_quietly, wait_for

import paramiko
import peer

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
server = place.server()
SHOW = "echo $SSH_AUTH_SOCK; ssh-add -l"


def start_agent():
    """A real agent with one key; the environment in which it is found."""
    path = place.path("agent")
    place.popen(["ssh-agent", "-D", "-a", path])
    wait_for(lambda: os.path.exists(path), what="the agent")
    env = place.environment(SSH_AUTH_SOCK=path)
    done = place.run(["ssh-add", "-q", place.key("ecdsa")], env=env)
    tap.equal(done.returncode, 0, "an agent holds a key", done.stderr)
    return env


agent_env = start_agent()
WITH_AGENT = {"IdentityAgent": "SSH_AUTH_SOCK"}


def ssh_a(where, command, **more):
    return where.ssh(user, command, key=key, flags=["-A"], env=agent_env,
                     options=WITH_AGENT, **more)


def through():
    done = ssh_a(server, SHOW)
    tap.like(done.stdout, r"ECDSA", "ssh-add -l shows the client's key",
             done.stderr)
    path = done.stdout.decode().splitlines()[0]
    tap.like(path, r"^/tmp/ssh-\w{10}/agent\.\d+$", "the socket's path")
    tap.ok(holds(lambda: not os.path.exists(os.path.dirname(path))),
           "socket and directory go with the connection")


def whose():
    """While it is there: owner and modes; and it serves all sessions."""
    control = place.path("ctl")
    client = place.popen(server.ssh_argv(
        user, "echo $SSH_AUTH_SOCK; read x", key=key,
        flags=["-A", "-M", "-S", control], **WITH_AGENT), env=agent_env)
    path = client.stdout.readline().decode().strip()
    for what, mode in ((path, stat.S_IFSOCK | 0o600),
                       (os.path.dirname(path), stat.S_IFDIR | 0o700)):
        found = os.stat(what)
        tap.equal((found.st_uid, found.st_mode), (user.uid, mode),
                  "%s: the user's, and nobody else's" % what)
    other = place.run(["ssh", "-F", "/dev/null", "-S", control, "-A", "any",
                       SHOW], env=agent_env)
    tap.equal(other.stdout.decode().splitlines()[:1], [path],
              "another session of the connection has the same socket",
              other.stderr)
    tap.like(other.stdout, "ECDSA", "and it works there")
    client.communicate(b"\n", PATIENCE)
    tap.ok(holds(lambda: not os.path.exists(path)), "it goes with the last")


def nobody_asks():
    done = server.ssh(user, "echo sock=$SSH_AUTH_SOCK", key=key)
    tap.equal(done.stdout, b"sock=\n", "without a request there is none")


def refused():
    for name, conf, options in (
            ("AllowAgentForwarding no", {"AllowAgentForwarding": "no"}, ""),
            ("DisableForwarding yes", {"DisableForwarding": "yes"}, ""),
            ("restrict", {}, "restrict"),
            ("no-agent-forwarding", {}, "no-agent-forwarding")):
        user.authorize(key, options=options)
        where = place.server(conf)
        done = ssh_a(where, "echo sock=$SSH_AUTH_SOCK")
        tap.equal(done.stdout, b"sock=\n", name + ": no socket", done.stderr)
        link = peer.transport(where)
        link.auth_publickey(user.name, peer.load_key(key))
        channel = link.open_session()
        tap.ok(not agent_request(channel), name + ": the request fails")
        link.close()
        where.stop()
    user.authorize(key, options="restrict,agent-forwarding")
    tap.like(ssh_a(server, SHOW).stdout, "ECDSA",
             "restrict,agent-forwarding: it is forwarded")
    user.authorize(key)


def agent_request(channel):
    """auth-agent-req that wants a reply; the reply."""
    message = paramiko.Message()
    message.add_byte(bytes([98]))
    message.add_int(channel.remote_chanid)
    message.add_string("auth-agent-req@openssh.com")
    message.add_boolean(True)
    channel._event_pending()
    channel.transport._send_user_message(message)
    try:
        channel._wait_for_event()
    except paramiko.SSHException:
        return False
    return True


def helper_killed():
    """The user may end the helper: the agent is gone, the session is not."""
    client = place.popen(server.ssh_argv(
        user, "echo $SSH_AUTH_SOCK; read x; echo on", key=key, flags=["-A"],
        **WITH_AGENT), env=agent_env)
    path = client.stdout.readline().decode().strip()
    helpers = [pid for pid in user.processes() if os.path.basename(
        os.readlink("/proc/%d/exe" % pid)) == "sshd-forward"]
    tap.equal(len(helpers), 1, "one helper for the connection")
    mark = server.mark()
    kill_quietly(helpers[0])
    tap.ok(server.logged("sshd-forward of %s is gone" % user.name, mark),
           "it is missed")
    tap.equal(client.communicate(b"\n", PATIENCE)[0], b"on\n",
              "and the session goes on")
    place.run(["rm", "-rf", os.path.dirname(path)])


tap.main(through, whose, nobody_asks, refused, helper_killed,
         server.stop)

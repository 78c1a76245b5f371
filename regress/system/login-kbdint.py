#!/usr/bin/python3
"""keyboard-interactive (RFC 4256) through PAM: one question and several, text
without a question, a second factor, a new password in the conversation, and
clients that do something else in its midst. The stacks are Debian's modules,
libpam-google-authenticator for codes that change, and regress/lib/pam_ask.c."""
import base64
import hmac
import os
import secrets
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "..", "lib"))
import paramiko

import tap
from account import account_tool, accounts_still
from server import ADDRESS, Place, build_dir, flavour
from wait import PATIENCE, command_line, holds, running

place = Place()
user = place.account()
key = place.key()
user.authorize(key)
SERVICE = "/etc/pam.d/sshd"
CONF = {"KbdInteractiveAuthentication": "yes", "PasswordAuthentication": "no"}
USERAUTH_REQUEST = 50
TEXT = "oet: the office closes at five"


def stack(*lines):
    """A server whose PAM service is these lines."""
    content = "cat >%s <<END\n%s\nEND\nprintf '%%s\\n' '%s' >/etc/oet-text" % (
        SERVICE, "\n".join(lines), TEXT)
    overlay = place.overlay_etc(content)
    if not overlay:
        tap.skip_all("no overlay over /etc can be mounted here")
    return overlay


PLAIN = ("auth required pam_unix.so", "account required pam_unix.so",
         "session required pam_permit.so", "password required pam_unix.so")
ECHO = ("auth optional pam_echo.so file=/etc/oet-text", *PLAIN)


class Talk:
    """One connection, which answers each round by a function."""

    def __init__(self, server, who=user, answer=None):
        self.rounds, self.answer = [], answer
        self.transport = paramiko.Transport((ADDRESS, server.port))
        self.transport.start_client(timeout=PATIENCE)
        self.name = who if isinstance(who, str) else who.name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.transport.close()

    def handle(self, title, instruction, prompts):
        self.rounds.append((title, instruction, prompts))
        return self.answer(len(self.rounds), prompts)

    def log_in(self):
        """True: in; a list: partial success and what comes next; False."""
        try:
            rest = self.transport.auth_interactive(self.name, self.handle)
        except paramiko.AuthenticationException:
            return False
        return rest or self.transport.is_authenticated()

    def prompts(self):
        return [prompt for _, _, prompts in self.rounds
                for prompt in prompts]


def password_of(who):
    return lambda _, prompts: [who.password] * len(prompts)


def stock_client():
    server = place.server(CONF)
    only = {"PreferredAuthentications": "keyboard-interactive"}
    mark = server.mark()
    done = server.password_ssh(user, user.password, "echo in", options=only)
    tap.equal(done.stdout, b"in\n", "the right answer", done.stderr)
    tap.ok(server.logged(r"^Accepted keyboard-interactive/pam for %s from "
                         r"127\.0\.0\.1 port \d+ ssh2$" % user.name, mark),
           "is logged")
    mark = server.mark()
    done = server.password_ssh(user, "wrong", "echo in", options=only)
    tap.equal(done.returncode, 255, "a wrong answer")
    tap.like(done.stderr, r"Permission denied "
             r"\(publickey,keyboard-interactive\)", "what there is is said")
    tap.ok(server.logged(r"PAM: Authentication failure for %s from 127"
                         % user.name, mark), "is logged as PAM's")
    tap.ok(server.logged(r"Failed keyboard-interactive/pam for %s from 127"
                         % user.name, mark), "and as the method's")
    done = server.password_ssh(user, user.password, "echo in")
    tap.equal(done.returncode, 255, "PasswordAuthentication no")
    mark = server.mark()
    done = server.password_ssh("oetnobody", "any", "echo in", options=only)
    tap.equal(done.returncode, 255, "an unknown user is asked, and refused")
    tap.ok(server.logged(r"Failed keyboard-interactive/pam for invalid user "
                         r"oetnobody from ", mark), "is logged")
    tap.unlike(server.log(), user.password, "no answer is logged")
    server.stop()
    closed = place.server(dict(CONF, KbdInteractiveAuthentication="no"))
    done = closed.password_ssh(user, user.password, "echo in", options=only)
    tap.like(done.stderr, r"Permission denied \(publickey\)",
             "KbdInteractiveAuthentication no")
    closed.stop()


def asks(*arguments):
    """The service with the module that asks for a colour and two tokens."""
    module = os.path.join(build_dir(), "regress", "lib", "pam_ask.so")
    if not os.path.exists(module):
        tap.skip("several questions", "no pam_ask.so: a build without PAM")
        return None
    return stack("auth required %s %s" % (module, " ".join(arguments)),
                 *PLAIN[1:])


def by_prompt(colour, token, again):
    """Answers to what was asked, however it is cut into rounds."""
    words = {"Colour: ": colour, "Token: ": token, "Again: ": again}
    return lambda _, prompts: [words[prompt.splitlines()[-1]]
                               for prompt, _ in prompts]


def several_rounds():
    overlay = asks("blue", "12345", "67890")
    if not overlay:
        return
    server = place.server(CONF, before=overlay)
    with Talk(server, answer=by_prompt("blue", "12345", "67890")) as talk:
        tap.equal(talk.log_in(), True, "two questions, then one more")
        # OpenSSH puts each question in a round of its own, behind the text.
        if flavour() == "ours":
            tap.equal([(text.strip(), prompts) for _, text, prompts in
                       talk.rounds],
                      [("Three things, please.",
                        [("Colour: ", True), ("Token: ", False)]),
                       ("", [("Again: ", False)])],
                      "text and echo as the module asked")
    for wrong in (("red", "12345", "67890"), ("blue", "1234", "67890"),
                  ("blue", "12345", "6789"), ("12345", "blue", "67890")):
        with Talk(server, answer=by_prompt(*wrong)) as talk:
            tap.equal(talk.log_in(), False, "refused: %s %s %s" % wrong)
    server.stop()


def changed_user():
    """A module that calls the user by another name lets nobody in."""
    if flavour() != "ours":
        tap.skip("PAM_USER changed", "OpenSSH looks at it since 10.0 only")
        return
    overlay = asks("a", "b", "c", "root")
    if not overlay:
        return
    server = place.server(CONF, before=overlay)
    with Talk(server, answer=by_prompt("a", "b", "c")) as talk:
        tap.equal(talk.log_in(), False, "PAM_USER is another")
    tap.ok(server.logged("a module changed the user of this login"),
           "the log says so")
    server.stop()


def one_time_codes():
    """RFC 6238, by libpam-google-authenticator: once each."""
    module = "/usr/lib/%s-linux-gnu/security/pam_google_authenticator.so" % (
        os.uname().machine)
    if not os.path.exists(module):
        tap.skip("one-time codes", "libpam-google-authenticator is not there")
        return
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    other = place.account()
    other.write(".google_authenticator", "%s\n\" TOTP_AUTH\n"
                "\" DISALLOW_REUSE\n\" WINDOW_SIZE 5\n" % secret, 0o400)
    server = place.server(CONF, before=stack(
        "auth required pam_unix.so",
        "auth required pam_google_authenticator.so nullok", *PLAIN[1:]))

    def code():
        counter = struct.pack(">Q", int(time.time()) // 30)
        mac = hmac.digest(base64.b32decode(secret), counter, "sha1")
        part = struct.unpack_from(">I", mac, mac[-1] & 15)[0] & 0x7fffffff
        return "%06d" % (part % 10 ** 6)

    def log_in(last):
        with Talk(server, other, lambda turn, prompts: [
                last if "code" in prompt else other.password
                for prompt, _ in prompts]) as talk:
            return talk.log_in()
    tap.equal(log_in("000000"), False, "a wrong code")
    used = code()
    tap.equal(log_in(used), True, "password and code")
    tap.equal(log_in(used), False, "the same code once more")
    server.stop()


def text_alone():
    server = place.server(CONF, before=stack(*ECHO))
    with Talk(server, answer=password_of(user)) as talk:
        tap.equal(talk.log_in(), True, "a module that only has to say")
        # OpenSSH puts it in front of the next question.
        tap.ok(any(TEXT in (instruction if flavour() == "ours" else
                            str(prompts)) for _, instruction, prompts in
                   talk.rounds), "its text is an instruction", talk.rounds)
        tap.equal(len(talk.prompts()), 1, "and one question is asked")
    server.stop()


def answers_that_are_none():
    """Another number of answers, and bytes that are no text."""
    server = place.server(CONF)
    for name, answer in (
            ("none", lambda _, prompts: []),
            ("two for one", lambda _, prompts: [user.password] * 2),
            ("empty", lambda _, prompts: [""]),
            ("long", lambda _, prompts: ["x" * 5000]),
            ("too long", lambda _, prompts: ["x" * 33000])):
        with Talk(server, answer=answer) as talk:
            try:
                good = talk.log_in()
            except paramiko.SSHException:
                good = False
            tap.equal(good, False, "answers: %s" % name)
    with Talk(server, answer=password_of(user)) as talk:
        tap.equal(talk.log_in(), True, "the next one logs in")
    tap.unlike(server.log(), "ended unexpectedly|was ended by signal",
               "nothing broke")
    server.stop()


def something_else():
    """Another attempt in the midst of the questions ends them, and counts."""
    server = place.server(dict(CONF, PasswordAuthentication="yes"))
    mark = server.mark()

    def press_on(password):
        def answer(_, prompts):
            request = paramiko.Message()
            request.add_byte(bytes([USERAUTH_REQUEST]))
            for text in (user.name, "ssh-connection", "password"):
                request.add_string(text)
            request.add_boolean(False)
            request.add_string(password)
            talk.transport._send_message(request)
            return [""] * len(prompts)
        return answer
    with Talk(server, answer=press_on(user.password)) as talk:
        try:
            talk.log_in()
        except (paramiko.SSHException, EOFError):
            pass
        tap.ok(server.logged("^Accepted password for %s" % user.name, mark),
               "a password in place of an answer", server.log(mark))
    mark = server.mark()
    with Talk(server, answer=press_on("wrong")) as talk:
        try:
            tap.equal(talk.log_in(), False, "a wrong one")
        except (paramiko.SSHException, EOFError):
            tap.ok(True, "a wrong one ends the connection")
        tap.ok(server.logged("^Failed password for %s" % user.name, mark),
               "is told from the questions")
    tap.unlike(server.log(), "broke the rules", "and nobody broke the rules")
    server.stop()


def ended_while_it_asks():
    """SIGTERM to the monitor is heeded although PAM waits for an answer."""
    if flavour() == "openssh":
        tap.skip("SIGTERM in the midst", "its processes are others")
        return
    server = place.server(CONF)
    mark = server.mark()
    seen = []

    def answer(_, prompts):
        monitor, = [pid for pid in server.children()
                    if command_line(pid).startswith("sshd-monitor: ")]
        os.kill(monitor, signal.SIGTERM)
        seen.append(holds(lambda: not running(monitor)))
        return [""] * len(prompts)
    with Talk(server, answer=answer) as talk:
        try:
            talk.log_in()
        except (paramiko.SSHException, EOFError, OSError):
            pass
    tap.equal(seen, [True], "it ends while the question stands",
              server.log(mark))
    tap.ok(server.logged("^Exiting on signal 15", mark), "and says so")
    server.stop()


def expired_password():
    server = place.server(CONF)
    other = place.account()
    account_tool("chage", "-d", "0", other.name)
    fresh = secrets.token_hex(12)

    def answer(_, prompts):
        return [fresh if "new" in prompt.lower() else other.password
                for prompt, _ in prompts]
    with accounts_still(), Talk(server, other, answer) as talk:
        tap.equal(talk.log_in(), True, "a new password in the conversation",
                  talk.rounds)
        tap.ok(len(talk.prompts()) >= 3, "it was asked for", talk.rounds)
        channel = talk.transport.open_session()
        channel.exec_command("echo in")
        tap.equal(channel.makefile().read(), b"in\n",
                  "and the session is a usual one")
    only = {"PreferredAuthentications": "keyboard-interactive"}
    done = server.password_ssh(other, fresh, "echo in", options=only)
    tap.equal(done.stdout, b"in\n", "the new one is good", done.stderr)
    server.stop()


def root():
    """Root's questions are asked, and nothing opens without PermitRootLogin
    yes."""
    for value in ("prohibit-password", "no", "forced-commands-only"):
        server = place.server(dict(CONF, PermitRootLogin=value),
                              before=stack("auth required pam_permit.so",
                                           "account required pam_permit.so",
                                           "session required pam_permit.so"))
        with Talk(server, "root", lambda _, prompts: []) as talk:
            tap.equal(talk.log_in(), False, "PermitRootLogin " + value)
        server.stop()
    server = place.server(dict(CONF, PermitRootLogin="yes"),
                          before=stack("auth required pam_permit.so",
                                       "account required pam_permit.so",
                                       "session required pam_permit.so"))
    with Talk(server, "root", lambda _, prompts: []) as talk:
        tap.equal(talk.log_in(), True, "PermitRootLogin yes")
    server.stop()


def too_often():
    server = place.server(dict(CONF, MaxAuthTries="2"))
    mark = server.mark()
    with Talk(server, answer=lambda _, prompts: ["no"] * len(prompts)) as talk:
        tap.equal(talk.log_in(), False, "a first failure")
        try:
            tap.equal(talk.log_in(), False, "a second one")
        except (paramiko.SSHException, EOFError):
            tap.ok(True, "a second one ends the connection")
    tap.ok(server.logged("maximum authentication attempts exceeded for %s"
                         % user.name, mark), "MaxAuthTries counts them")
    server.stop()


def without_pam():
    server = place.server(dict(CONF, UsePAM="no"))
    with Talk(server, answer=password_of(user)) as talk:
        tap.equal(talk.log_in(), False, "without PAM there is nothing to ask")
    if flavour() == "ours":
        tap.like(server.log(), "KbdInteractiveAuthentication has no effect "
                 "without UsePAM", "sshd says so when it starts")
    server.stop()


tap.main(stock_client, several_rounds, changed_user, one_time_codes, text_alone,
         answers_that_are_none,
         something_else, ended_while_it_asks, expired_password, root, too_often, without_pam)

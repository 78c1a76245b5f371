/*
 * Requests to the monitor. Runs in sshd-net; the monitor's words are trusted,
 * the arguments come from the network and are cut to what msg.def allows.
 */
#include "config.h"

#include <poll.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "sshd/ask.h"
#include "sshd/forward.h"
#include "sshd/listener.h"
#include "sshd/session.h"

#define EXIT_LOST 1 /* the monitor is gone, or this build is not its build */

/*
 * The monitor has not read what it was told: it may be waiting for us to read,
 * as after a thousand requests at once. Once it has said its last word there
 * is only its reading to wait for.
 */
static void
make_room(struct net *n)
{
	struct pollfd pfd = { n->monitor.fd,
		n->told_to_end ? POLLOUT : POLLIN | POLLOUT, 0 };

	(void)poll(&pfd, 1, -1);
	if (!n->told_to_end && (pfd.revents & POLLIN) != 0)
		ask_events(n);
}

static int
try_tell(struct net *n, const struct msg *m)
{
	int rc;

	while ((rc = chan_try_send(&n->monitor, m, NULL, 0)) == -EAGAIN)
		make_room(n);
	return rc;
}

static void
tell(struct net *n, const struct msg *m)
{
	if (try_tell(n, m) != 0)
		_exit(EXIT_LOST);
}

/* All descriptors of the last message; how many. */
static unsigned
take_fds(struct net *n, int out_fds[MSG_MAX_FDS])
{
	unsigned count = 0;

	for (unsigned i = 0; i < MSG_MAX_FDS; i++) {
		int fd = chan_take_fd(&n->monitor, i);

		if (fd >= 0)
			out_fds[count++] = fd;
	}
	return count;
}

static void
event(struct net *n, const struct msg *m)
{
	int fds[MSG_MAX_FDS];

	switch (m->id) {
	case MSG_SESSION_EXIT:
		session_exited(n, &m->u.session_exit);
		break;
	case MSG_CONNECTED:
		forward_connected(
		    n, &m->u.connected, chan_take_fd(&n->monitor, 0));
		break;
	case MSG_LISTENING:
		listener_listening(n, &m->u.listening, fds, take_fds(n, fds));
		break;
	default:
		_exit(EXIT_LOST);
	}
}

/* Send a request and wait for the answer its row names. */
static struct msg
ask(struct net *n, const struct msg *question)
{
	struct msg answer = { .id = MSG_NONE };

	tell(n, question);
	while (answer.id != msg_rule(question->id)->reply) {
		if (answer.id != MSG_NONE)
			event(n, &answer);
		if (chan_recv(&n->monitor, &answer) != 0)
			_exit(EXIT_LOST);
	}
	return answer;
}

void
ask_events(struct net *n)
{
	struct msg m;
	int rc;

	while ((rc = chan_try_recv(&n->monitor, &m)) == 0)
		event(n, &m);
	/* Told to end: there is time to say goodbye to the client. */
	n->told_to_end = rc == -EPIPE;
	if (rc == -EPIPE)
		net_leave(n, BYE_LOCAL, "connection ended by the server");
	else if (rc != -EAGAIN && rc != -EINTR)
		_exit(EXIT_LOST);
}

struct msg_setup_reply
ask_setup(struct net *n)
{
	struct msg m = { .id = MSG_SETUP };

	return ask(n, &m).u.setup_reply;
}

struct msg_terms_reply
ask_terms(struct net *n)
{
	struct msg m = { .id = MSG_TERMS };

	return ask(n, &m).u.terms_reply;
}

struct span
ask_sign(struct net *n, unsigned key, unsigned digest, struct span hash)
{
	struct msg m = { .id = MSG_SIGN };

	m.u.sign = (struct msg_sign){ key, digest, hash };
	n->signs++;
	return ask(n, &m).u.signature.raw;
}

struct msg_auth_methods
ask_auth_user(struct net *n, const char *user)
{
	struct msg m = { .id = MSG_AUTH_USER };

	m.u.auth_user.user = span_text(user);
	return ask(n, &m).u.auth_methods;
}

struct msg_auth_result
ask_auth_none(struct net *n)
{
	struct msg m = { .id = MSG_AUTH_NONE };

	return ask(n, &m).u.auth_result;
}

struct msg_auth_result
ask_auth_password(struct net *n, const char *password)
{
	struct msg m = { .id = MSG_AUTH_PASSWORD };

	m.u.auth_password.password = span_text(password);
	return ask(n, &m).u.auth_result;
}

struct msg_auth_result
ask_auth_key(struct net *n, struct span key)
{
	struct msg m = { .id = MSG_AUTH_KEY };

	m.u.auth_key.key = key;
	return ask(n, &m).u.auth_result;
}

struct msg_auth_result
ask_auth_signature(
    struct net *n, struct span key, struct span data, struct span signature)
{
	struct msg m = { .id = MSG_AUTH_SIGNATURE };

	m.u.auth_signature =
	    (struct msg_auth_signature){ key, data, signature };
	return ask(n, &m).u.auth_result;
}

struct msg_auth_result
ask_auth_kbdint(struct net *n)
{
	struct msg m = { .id = MSG_AUTH_KBDINT };

	return ask(n, &m).u.auth_result;
}

struct msg_auth_result
ask_auth_answers(struct net *n, struct span answers)
{
	struct msg m = { .id = MSG_AUTH_ANSWERS };

	m.u.auth_answers.answers = answers;
	return ask(n, &m).u.auth_result;
}

struct msg_auth_result
ask_auth_dropped(struct net *n)
{
	struct msg m = { .id = MSG_AUTH_DROPPED };

	return ask(n, &m).u.auth_result;
}

bool
ask_pty_open(struct net *n, const struct msg_pty_open *what, int out_fds[2])
{
	struct msg m = { .id = MSG_PTY_OPEN };

	m.u.pty_open = *what;
	m = ask(n, &m);
	for (unsigned i = 0; i < 2; i++)
		out_fds[i] = chan_take_fd(&n->monitor, i);
	return m.u.pty_reply.ok;
}

bool
ask_env(struct net *n, unsigned session, const char *name, const char *value)
{
	struct msg m = { .id = MSG_ENV };

	m.u.env =
	    (struct msg_env){ session, span_text(name), span_text(value) };
	return ask(n, &m).u.env_reply.ok;
}

bool
ask_session_start(
    struct net *n, const struct msg_session_start *what, int out_fds[3])
{
	struct msg m = { .id = MSG_SESSION_START };

	m.u.session_start = *what;
	m = ask(n, &m);
	for (unsigned i = 0; i < 3; i++)
		out_fds[i] = chan_take_fd(&n->monitor, i);
	return m.u.session_started.ok;
}

bool
ask_forward_terms(struct net *n)
{
	struct msg m = { .id = MSG_FORWARD_TERMS };

	return ask(n, &m).u.forward_terms_reply.agent;
}

int
ask_agent_open(struct net *n)
{
	struct msg m = { .id = MSG_AGENT_OPEN };

	m = ask(n, &m);
	return m.u.agent_reply.ok ? chan_take_fd(&n->monitor, 0) : -1;
}

unsigned
ask_x11_open(
    struct net *n, const struct msg_x11_open *what, int out_fds[MSG_MAX_FDS])
{
	struct msg m = { .id = MSG_X11_OPEN };

	m.u.x11_open = *what;
	m = ask(n, &m);
	return m.u.x11_reply.ok ? take_fds(n, out_fds) : 0;
}

void
tell_command_part(struct net *n, unsigned session, struct span text)
{
	struct msg m = { .id = MSG_COMMAND_PART };

	m.u.command_part = (struct msg_command_part){ session, text };
	tell(n, &m);
}

void
tell_connect(struct net *n, const struct msg_connect *what)
{
	struct msg m = { .id = MSG_CONNECT };

	m.u.connect = *what;
	tell(n, &m);
}

void
tell_listen(struct net *n, const struct msg_listen *what)
{
	struct msg m = { .id = MSG_LISTEN };

	m.u.listen = *what;
	tell(n, &m);
}

void
tell_signal(struct net *n, unsigned session, const char *name)
{
	struct msg m = { .id = MSG_SIGNAL };

	m.u.signal = (struct msg_signal){ session, span_text(name) };
	tell(n, &m);
}

void
tell_session_bytes(struct net *n, unsigned session, uint64_t in, uint64_t out)
{
	struct msg m = { .id = MSG_SESSION_BYTES };

	m.u.session_bytes = (struct msg_session_bytes){ session, in, out };
	/* If the monitor is gone, the client is still to be said goodbye. */
	(void)try_tell(n, &m);
}

void
tell_hangup(struct net *n, unsigned session)
{
	struct msg m = { .id = MSG_HANGUP };

	m.u.hangup.session = session;
	tell(n, &m);
}

void
tell_proven(struct net *n)
{
	struct msg m = { .id = MSG_PROVE };

	tell(n, &m);
}

void
tell_log(struct net *n, unsigned level, const char *text)
{
	struct msg m = { .id = MSG_LOG };

	/* Past its share, a line is lost: it is no reason to end. */
	if (*text == '\0' || n->logs >= MSG_LOGS_MAX)
		return;
	n->logs++;
	m.u.log.level = level;
	m.u.log.text = span_of(text, strnlen(text, 512));
	tell(n, &m);
}

void
tell_bye(struct net *n)
{
	struct msg m = { .id = MSG_BYE };

	m.u.bye.reason = n->why;
	m.u.bye.text = span_text(n->why_text);
	tell(n, &m);
}

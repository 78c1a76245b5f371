/*
 * Session channels. Runs in sshd-net: each request is the client's, each
 * decision the monitor's.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "sshd/ask.h"
#include "sshd/grave.h"
#include "sshd/listener.h"
#include "sshd/session.h"
#include "sshd/terms.h"

/*
 * A process's output often ends a moment before the monitor hears of its exit.
 * Clients like the exit status before EOF, so EOF waits this long for it.
 */
#define EOF_GRACE_MS 100
#define ENV_NAME_MAX 256
#define ENV_VALUE_MAX 8192
#define TERM_MAX 64
#define TYPE_MAX 128 /* of a session and its subsystem's name */
#define X11_PROTOCOL_MAX 256
#define X11_COOKIE_MAX 1024

static struct session *
session_of(struct net *n, ssh_channel channel)
{
	for (struct session *s = n->sessions; s != NULL; s = s->next)
		if (s->channel == channel)
			return s;
	return NULL;
}

/* --- callbacks of libssh */

/* lint-ok: libssh's channel_data_function */
static int
on_data(ssh_session ssh, ssh_channel channel, void *p, uint32_t len,
    int is_stderr, void *arg)
{
	struct session *s = arg;
	size_t done;

	(void)ssh;
	(void)channel;
	s->net->data_packets++;
	idle_touch(&s->idle);
	if (is_stderr) /* clients have no business there */
		return (int)len;
	done = s->started ? relay_data(s->net, &s->in, p, len) : 0;
	s->in.left = len - done;
	if (s->in.left > RELAY_HELD_MAX)
		net_leave(s->net, BYE_LIMIT, "sent more than its window");
	return (int)done;
}

static void
on_eof(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct session *s = arg;

	(void)ssh;
	(void)channel;
	s->in.client_eof = true;
}

static void
on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct session *s = arg;

	(void)ssh;
	(void)channel;
	s->client_closed = true;
}

static void
on_signal(ssh_session ssh, ssh_channel channel, const char *name, void *arg)
{
	struct session *s = arg;
	size_t len = strlen(name);

	(void)ssh;
	(void)channel;
	if (s->started && len > 0 && len <= 32)
		tell_signal(s->net, s->id, name);
}

static void
on_agent(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct session *s = arg;

	(void)ssh;
	(void)channel;
	if (!s->started)
		listener_agent(s->net);
}

void
session_open(struct net *n, ssh_message m)
{
	struct session *s;

	if (n->nsessions >= n->max_sessions) {
		ssh_message_reply_default(m);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		ssh_message_reply_default(m);
		return;
	}
	s->net = n;
	s->in.fd = s->out.fd = s->err.fd = -1;
	s->err.is_stderr = true;
	s->channel = ssh_message_channel_request_open_reply_accept(m);
	if (s->channel == NULL) {
		free(s);
		return;
	}
	s->callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = s,
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
		.channel_signal_function = on_signal,
		.channel_auth_agent_req_function =
		    listener_may_agent(n) ? on_agent : NULL,
	};
	ssh_callbacks_init(&s->callbacks);
	ssh_set_channel_callbacks(s->channel, &s->callbacks);
	s->id = n->next_session++ & 0xffff;
	idle_begin(n, &s->idle, "session");
	s->next = n->sessions;
	n->sessions = s;
	n->nsessions++;
}

/* --- requests: RFC 4254 sections 6.2 to 6.7 */

static unsigned
bounded(int v)
{
	return v < 0 ? 0 : v > 65535 ? 65535 : (unsigned)v;
}

static bool
request_pty(struct session *s, ssh_message m)
{
	const char *term = ssh_message_channel_request_pty_term(m);
	struct msg_pty_open what;
	int fds[2];

	if (s->pty || s->started || term == NULL || strlen(term) > TERM_MAX)
		return false;
	what = (struct msg_pty_open){
		.session = s->id,
		.term = span_of(term, strlen(term)),
		.cols = bounded(ssh_message_channel_request_pty_width(m)),
		.rows = bounded(ssh_message_channel_request_pty_height(m)),
		.xpixels = bounded(ssh_message_channel_request_pty_pxwidth(m)),
		.ypixels = bounded(ssh_message_channel_request_pty_pxheight(m)),
	};
	if (!ask_pty_open(s->net, &what, fds))
		return false;
	s->pty = true;
	s->out.fd = fds[0];
	s->in.fd = fds[1];
	return true;
}

static bool
request_window_change(struct session *s, ssh_message m)
{
	struct winsize size = {
		.ws_col = (unsigned short)bounded(
		    ssh_message_channel_request_pty_width(m)),
		.ws_row = (unsigned short)bounded(
		    ssh_message_channel_request_pty_height(m)),
		.ws_xpixel = (unsigned short)bounded(
		    ssh_message_channel_request_pty_pxwidth(m)),
		.ws_ypixel = (unsigned short)bounded(
		    ssh_message_channel_request_pty_pxheight(m)),
	};

	return s->pty && s->out.fd >= 0 &&
	       ioctl(s->out.fd, TIOCSWINSZ, &size) == 0;
}

static bool
request_env(struct session *s, ssh_message m)
{
	const char *name = ssh_message_channel_request_env_name(m);
	const char *value = ssh_message_channel_request_env_value(m);

	if (s->started || name == NULL || value == NULL || *name == '\0' ||
	    strlen(name) > ENV_NAME_MAX || strlen(value) > ENV_VALUE_MAX)
		return false;
	return ask_env(s->net, s->id, name, value);
}

/* More than a program could be given. */
static void
tell_long(struct net *n, size_t len)
{
	char text[128];

	snprintf(text, sizeof(text),
	    "refused a command of %zu bytes: %d are the most", len,
	    MSG_COMMAND_MAX);
	tell_log(n, LEVEL_INFO, text);
}

/* As ChannelTimeout, sshd_config(5), calls it. */
static void
retype(struct session *s, enum session_kind kind, const char *command)
{
	char type[TYPE_MAX] = "session:subsystem:";

	if (kind == SESSION_SUBSYSTEM)
		strlcat(type, command, sizeof(type));
	else
		strlcpy(type,
		    kind == SESSION_SHELL ? "session:shell" : "session:command",
		    sizeof(type));
	idle_retype(s->net, &s->idle, type);
}

static bool
start(struct session *s, enum session_kind kind, const char *command)
{
	struct msg_session_start what;
	struct span left = span_text(command != NULL ? command : "");
	int fds[3];

	if (s->started || command == NULL)
		return false;
	if (left.len > MSG_COMMAND_MAX) {
		tell_long(s->net, left.len);
		return false;
	}
	for (; left.len > MSG_PART_MAX; left.len -= MSG_PART_MAX) {
		tell_command_part(s->net, s->id, span_of(left.p, MSG_PART_MAX));
		left.p += MSG_PART_MAX;
	}
	what = (struct msg_session_start){ s->id, kind, left };
	if (!ask_session_start(s->net, &what, fds))
		return false;
	s->started = true;
	retype(s, kind, command);
	terms_qos(s->net);
	if (!s->pty) {
		s->in.fd = fds[0];
		s->out.fd = fds[1];
		s->err.fd = fds[2];
	}
	return true;
}

static bool
request_shell(struct session *s, ssh_message m)
{
	(void)m;
	return start(s, SESSION_SHELL, "");
}

static bool
request_exec(struct session *s, ssh_message m)
{
	return start(s, SESSION_EXEC, ssh_message_channel_request_command(m));
}

static bool
request_subsystem(struct session *s, ssh_message m)
{
	return start(
	    s, SESSION_SUBSYSTEM, ssh_message_channel_request_subsystem(m));
}

static bool
request_x11(struct session *s, ssh_message m)
{
	const char *protocol = ssh_message_channel_request_x11_auth_protocol(m);
	const char *cookie = ssh_message_channel_request_x11_auth_cookie(m);
	struct msg_x11_open what;

	if (s->started || protocol == NULL || cookie == NULL ||
	    strlen(protocol) > X11_PROTOCOL_MAX ||
	    strlen(cookie) > X11_COOKIE_MAX)
		return false;
	what = (struct msg_x11_open){
		.session = s->id,
		.protocol = span_of(protocol, strlen(protocol)),
		.cookie = span_of(cookie, strlen(cookie)),
		.screen =
		    (uint32_t)ssh_message_channel_request_x11_screen_number(m),
	};
	return listener_x11(s->net, s, &what,
	    ssh_message_channel_request_x11_single_connection(m) != 0);
}

static const struct {
	enum ssh_channel_requests_e type;
	bool (*answer)(struct session *s, ssh_message m);
} requests[] = {
	{ SSH_CHANNEL_REQUEST_PTY, request_pty },
	{ SSH_CHANNEL_REQUEST_WINDOW_CHANGE, request_window_change },
	{ SSH_CHANNEL_REQUEST_ENV, request_env },
	{ SSH_CHANNEL_REQUEST_X11, request_x11 },
	{ SSH_CHANNEL_REQUEST_SHELL, request_shell },
	{ SSH_CHANNEL_REQUEST_EXEC, request_exec },
	{ SSH_CHANNEL_REQUEST_SUBSYSTEM, request_subsystem },
};

void
session_request(struct net *n, ssh_message m)
{
	struct session *s =
	    session_of(n, ssh_message_channel_request_channel(m));
	bool ok = false;

	if (grave_has(n, ssh_message_channel_request_channel(m)))
		return;
	for (size_t i = 0; s != NULL && i < nitems_of(requests); i++)
		if ((int)requests[i].type == ssh_message_subtype(m))
			ok = requests[i].answer(s, m);
	if (ok)
		ssh_message_channel_request_reply_success(m);
	else
		ssh_message_reply_default(m);
}

/* --- life and end */

void
session_exited(struct net *n, const struct msg_session_exit *e)
{
	struct session *s = n->sessions;

	while (s != NULL && s->id != e->session)
		s = s->next;
	/* The client may have closed the channel before: then there is none. */
	if (s == NULL)
		return;
	s->exited = true;
	s->exit = *e;
	memcpy(s->exit_signal, e->signal.p, e->signal.len);
	s->exit_signal[e->signal.len] = '\0';
}

static void
say_end(struct session *s)
{
	if (s->exit_signal[0] != '\0')
		ssh_channel_request_send_exit_signal(
		    s->channel, s->exit_signal, (int)s->exit.core, "", "");
	else
		ssh_channel_request_send_exit_status(
		    s->channel, (int)s->exit.status);
	if (!s->eof_sent)
		ssh_channel_send_eof(s->channel);
	ssh_channel_close(s->channel);
}

/* The last that there is to say of it; once. */
static void
tell_moved(struct session *s)
{
	if (s->started)
		tell_session_bytes(
		    s->net, s->id, s->in.moved, s->out.moved + s->err.moved);
}

/* Let go of everything but the channel. */
static void
session_leave(struct session *s)
{
	listener_session_done(s->net, s);
	tell_moved(s);
	relay_inlet_done(s->net, &s->in);
	relay_outlet_done(s->net, &s->out);
	relay_outlet_done(s->net, &s->err);
	idle_end(s->net, &s->idle);
	ssh_remove_channel_callbacks(s->channel, &s->callbacks);
	free(s);
}

static void
session_free(struct session *s)
{
	struct net *n = s->net;
	ssh_channel channel = s->channel;
	bool closed = s->client_closed;

	session_leave(s);
	grave_bury(n, channel, closed);
}

/* EOF for the client, once all output is gone; true while it still waits. */
static bool
run_eof(struct session *s, int64_t now)
{
	if (!s->started || s->eof_sent || s->out.fd >= 0 || s->err.fd >= 0)
		return false;
	if (s->eof_due == 0)
		s->eof_due = now + EOF_GRACE_MS;
	if (now < s->eof_due)
		return true;
	ssh_channel_send_eof(s->channel);
	s->eof_sent = true;
	return false;
}

/* Whether the session is over; its channel is then closed on our side. */
static bool
session_run(struct session *s)
{
	struct net *n = s->net;

	if (s->client_closed || s->idle.expired) {
		tell_hangup(n, s->id);
		return true;
	}
	if (!s->started)
		return false;
	relay_inlet(n, s->channel, &s->in);
	if (s->in.client_eof && s->in.len == 0 && s->in.left == 0 && !s->pty)
		relay_inlet_done(n, &s->in);
	if (relay_outlet(n, s->channel, &s->out) +
		relay_outlet(n, s->channel, &s->err) !=
	    0)
		idle_touch(&s->idle);
	if (!s->exited || s->out.fd >= 0 || s->err.fd >= 0)
		return false;
	say_end(s);
	return true;
}

int64_t
session_run_all(struct net *n, int64_t now)
{
	struct session **at = &n->sessions;
	int64_t next = -1;

	while (*at != NULL) {
		struct session *s = *at;

		if (session_run(s)) {
			*at = s->next;
			n->nsessions--;
			session_free(s);
			terms_qos(n);
			continue;
		}
		if (run_eof(s, now) && (next < 0 || s->eof_due < next))
			next = s->eof_due;
		at = &s->next;
	}
	return next;
}

void
session_free_all(struct net *n)
{
	while (n->sessions != NULL) {
		struct session *s = n->sessions;

		n->sessions = s->next;
		/* No close: a client whose last channel closes goes, and does
		 * not read why it was disconnected. */
		session_leave(s);
	}
	n->nsessions = 0;
}

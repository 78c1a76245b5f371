/*
 * Forwarded connections. Runs in sshd-net: the bytes are the client's and a
 * stranger's, and nobody looks at them; whether there is a connection at all
 * was decided by the monitor and made by sshd-forward.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "sshd/ask.h"
#include "sshd/forward.h"
#include "sshd/grave.h"

#define HOST_MAX 1024 /* CONNECT's strings, msg.def */

enum state {
	STATE_ASKED,    /* the monitor has been asked for a socket */
	STATE_ANSWERED, /* it has answered; the client has not been told */
	STATE_OPENING,  /* the client has been asked for a channel */
	STATE_OPEN,
};

struct forward {
	struct forward *next;
	struct net *net;
	enum state state;
	uint32_t id;         /* of CONNECT */
	ssh_message request; /* owned: a direct-tcpip without an answer */
	struct forward_origin origin;
	char *host;          /* owned: what origin.host borrows */
	ssh_channel channel; /* libssh's; NULL: not yet */
	struct ssh_channel_callbacks_struct callbacks;
	struct inlet in;
	struct outlet out;
	struct idle idle;
	uint64_t seen_packets; /* of them, the last that was looked at */
	bool client_closed;
	bool eof_sent;
};

void
forward_tell(struct net *n, enum forward_limit what)
{
	static const struct {
		enum forward_limit what;
		const char *text;
	} texts[] = {
		{ TOLD_CHANNELS,
		    "forwarding: too many channels (FORWARD_CHANNELS_MAX); "
		    "others have to wait or are refused" },
		{ TOLD_GLOBALS,
		    "forwarding: too many requests to listen at the same time "
		    "(FORWARD_GLOBALS_MAX); others are refused" },
		{ TOLD_LISTENERS,
		    "forwarding: too many listeners "
		    "(FORWARD_LISTENERS_MAX); others are refused" },
		{ TOLD_UNKNOWN,
		    "refused a channel of a type that this server does not "
		    "offer, such as of a Unix socket or a tunnel" },
		{ TOLD_UNIX,
		    "refused to listen on a Unix socket, which this server "
		    "does not offer; forward a TCP port instead" },
	};

	if ((n->told & what) != 0)
		return;
	n->told |= what;
	for (size_t i = 0; i < nitems_of(texts); i++)
		if (texts[i].what == what)
			tell_log(n, LEVEL_INFO, texts[i].text);
}

/* --- kinds of channels that we open */

static int
open_tcpip(struct forward *f)
{
	return ssh_channel_open_reverse_forward(f->channel, f->origin.host,
	    (int)f->origin.port, f->origin.from, (int)f->origin.from_port);
}

static int
open_x11(struct forward *f)
{
	return ssh_channel_open_x11(
	    f->channel, f->origin.from, (int)f->origin.from_port);
}

static int
open_agent(struct forward *f)
{
	return ssh_channel_open_auth_agent(f->channel);
}

const struct forward_kind forward_tcpip = { "forwarded-tcpip", open_tcpip };
const struct forward_kind forward_x11 = { "x11-connection", open_x11 };
const struct forward_kind forward_agent = { "agent-connection", open_agent };

/* --- callbacks of libssh */

/* lint-ok: libssh's channel_data_function */
static int
on_data(ssh_session ssh, ssh_channel channel, void *p, uint32_t len,
    int is_stderr, void *arg)
{
	struct forward *f = arg;
	size_t done;

	(void)ssh;
	(void)channel;
	f->net->data_packets++;
	idle_touch(&f->idle);
	if (is_stderr) /* there is no such stream here */
		return (int)len;
	done = relay_data(f->net, &f->in, p, len);
	f->in.left = len - done;
	if (f->in.left > RELAY_HELD_MAX)
		net_leave(f->net, BYE_LIMIT, "sent more than its window");
	return (int)done;
}

static void
on_eof(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct forward *f = arg;

	(void)ssh;
	(void)channel;
	f->in.client_eof = true;
}

static void
on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct forward *f = arg;

	(void)ssh;
	(void)channel;
	f->client_closed = true;
}

static void
take_callbacks(struct forward *f)
{
	f->callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = f,
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
	};
	ssh_callbacks_init(&f->callbacks);
	ssh_set_channel_callbacks(f->channel, &f->callbacks);
}

/* --- beginnings */

bool
forward_room(const struct net *n)
{
	return n->nforwards < n->max_forwards;
}

static struct forward *
forward_new(struct net *n, enum state state)
{
	struct forward *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->net = n;
	f->state = state;
	f->in.fd = f->out.fd = -1;
	f->next = n->forwards;
	n->forwards = f;
	n->nforwards++;
	return f;
}

static void
forward_free(struct forward *f)
{
	relay_inlet_done(f->net, &f->in);
	relay_outlet_done(f->net, &f->out);
	idle_end(f->net, &f->idle);
	if (f->request != NULL)
		ssh_message_free(f->request);
	if (f->channel != NULL) {
		ssh_remove_channel_callbacks(f->channel, &f->callbacks);
		if (f->state == STATE_OPEN)
			grave_bury(f->net, f->channel, f->client_closed);
		else
			ssh_channel_free(f->channel);
	}
	free(f->host);
	free(f);
}

/* Whether there is room for one request more; says so when there is not. */
static bool
may_ask(struct net *n)
{
	if (forward_room(n))
		return true;
	forward_tell(n, TOLD_CHANNELS);
	return false;
}

bool
forward_request(struct net *n, ssh_message m)
{
	const char *host = ssh_message_channel_request_open_destination(m);
	const char *from = ssh_message_channel_request_open_originator(m);
	struct msg_connect what;
	struct forward *f;

	if (host == NULL || *host == '\0' || strlen(host) > HOST_MAX ||
	    from == NULL || !may_ask(n) ||
	    (f = forward_new(n, STATE_ASKED)) == NULL) {
		ssh_message_reply_default(m);
		return false;
	}
	f->request = m;
	f->id = n->next_request++;
	what = (struct msg_connect){
		.id = f->id,
		.host = span_of(host, strlen(host)),
		.port =
		    (uint16_t)ssh_message_channel_request_open_destination_port(
			m),
		.from = span_of(from, strnlen(from, HOST_MAX)),
		.from_port =
		    (uint16_t)ssh_message_channel_request_open_originator_port(
			m),
	};
	tell_connect(n, &what);
	return true;
}

void
forward_connected(struct net *n, const struct msg_connected *e, int fd)
{
	struct forward *f = n->forwards;

	while (f != NULL && (f->state != STATE_ASKED || f->id != e->id))
		f = f->next;
	if (f == NULL) {
		own_close(&fd);
		return;
	}
	f->state = STATE_ANSWERED;
	if (fd >= 0)
		relay_socket(&f->in, &f->out, fd);
}

void
forward_accepted(struct net *n, const struct forward_origin *from, int fd)
{
	struct forward *f = forward_new(n, STATE_ANSWERED);

	if (f == NULL) {
		close(fd);
		return;
	}
	f->origin = *from;
	f->host = strdup(from->host != NULL ? from->host : "");
	f->origin.host = f->host;
	relay_socket(&f->in, &f->out, fd);
}

/* --- opening; true: there will be no channel */

/* The client asked, and the monitor has answered. */
static bool
answer_client(struct forward *f)
{
	if (f->in.fd < 0) {
		ssh_message_reply_default(f->request);
		return true;
	}
	f->channel = ssh_message_channel_request_open_reply_accept(f->request);
	ssh_message_free(f->request);
	f->request = NULL;
	if (f->channel == NULL)
		return true;
	take_callbacks(f);
	idle_begin(f->net, &f->idle, "direct-tcpip");
	f->state = STATE_OPEN;
	return false;
}

/*
 * libssh's call looks at the socket each time, so it is only made again when
 * the client has refused something and this may be it.
 */
static bool
has_news(struct forward *f)
{
	const struct net *n = f->net;
	uint64_t packets = n->raw.in_packets - n->data_packets;

	if (f->seen_packets == packets ||
	    ssh_get_error_code(n->ssh) != SSH_REQUEST_DENIED)
		return false;
	f->seen_packets = packets;
	return true;
}

static bool
ask_client(struct forward *f)
{
	if (f->state == STATE_ANSWERED) {
		f->channel = ssh_channel_new(f->net->ssh);
		if (f->channel == NULL || f->host == NULL)
			return true;
		take_callbacks(f);
		f->state = STATE_OPENING;
	} else if (f->client_closed && !ssh_channel_is_open(f->channel)) {
		/* Opened and closed in one go: it is never seen to be open. */
		return true;
	} else if (!ssh_channel_is_open(f->channel) && !has_news(f)) {
		return false;
	}
	switch (f->origin.kind->open(f)) {
	case SSH_OK:
		idle_begin(f->net, &f->idle, f->origin.kind->name);
		f->state = STATE_OPEN;
		return false;
	case SSH_AGAIN:
		return false;
	default:
		return true;
	}
}

/* --- moving bytes */

/* Both directions end by themselves: RFC 4254 section 5.3. */
static void
run_ends(struct forward *f)
{
	if (f->client_closed) {
		/* What it sent before is still delivered. */
		relay_outlet_done(f->net, &f->out);
		f->in.client_eof = true;
	}
	if (f->in.client_eof && f->in.len == 0 && f->in.left == 0)
		relay_inlet_done(f->net, &f->in);
	if (f->out.fd >= 0 || f->eof_sent || f->client_closed)
		return;
	ssh_channel_send_eof(f->channel);
	f->eof_sent = true;
}

/* Bring it nearer to a channel; true: there will be none. */
static bool
run_opening(struct forward *f)
{
	switch (f->state) {
	case STATE_ANSWERED:
		return f->request != NULL ? answer_client(f) : ask_client(f);
	case STATE_OPENING:
		return ask_client(f);
	default:
		return false;
	}
}

/* Whether it is over. */
static bool
run(struct forward *f)
{
	if (run_opening(f))
		return true;
	if (f->state != STATE_OPEN)
		return false;
	relay_inlet(f->net, f->channel, &f->in);
	if (relay_outlet(f->net, f->channel, &f->out) != 0)
		idle_touch(&f->idle);
	run_ends(f);
	return (f->in.fd < 0 && f->out.fd < 0) || f->idle.expired;
}

bool
forward_run_all(struct net *n)
{
	struct forward **at = &n->forwards;
	bool ended = false;

	while (*at != NULL) {
		struct forward *f = *at;

		if (!run(f)) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		n->nforwards--;
		forward_free(f);
		ended = true;
	}
	return ended;
}

void
forward_free_all(struct net *n)
{
	while (n->forwards != NULL) {
		struct forward *f = n->forwards;

		n->forwards = f->next;
		forward_free(f);
	}
	n->nforwards = 0;
}

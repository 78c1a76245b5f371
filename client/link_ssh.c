/*
 * A channel as a link. Runs in the client; libssh speaks the protocol, and
 * what it hands out is hostile.
 */
#include "config.h"

#include <errno.h>
#include <libssh/callbacks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/alive.h"
#include "client/link_ssh.h"
#include "client/show.h"
#include "common/clock.h"
#include "common/own.h"
#include "common/readahead.h"

/* Handed to libssh at once: it encrypts and sends what it gets, or keeps it. */
#define WRITE_MOST (512u << 10)
#define STDERR_MOST 1024
#define EXIT_MS 2000

/* The session that links share. */
struct carrier {
	ssh_session session;
	struct ssh_counter_struct raw;
	struct alive alive;
	int64_t due; /* of the next look */
	bool lost;   /* the server is silent */
	unsigned links;
};

enum stage {
	STAGE_OPEN,
	STAGE_START, /* asked for: what is written waits behind that */
	STAGE_READY,
};

struct ssh_link {
	struct link link; /* first: the two are cast into each other */
	struct carrier *carrier;
	ssh_channel channel;
	enum stage stage;
	enum link_kind kind;
	char *what;
	bool is_twin;
	size_t window;   /* what the server may still send, as we think */
	size_t granted;  /* the server's own window at the beginning */
	uint64_t looked; /* packets that were here at the last read */
};

static const struct link_ops ssh_ops;

static void
carrier_release(struct carrier *c)
{
	if (--c->links > 0)
		return;
	ssh_set_counters(c->session, NULL, NULL);
	free(c);
}

/* --- opening ------------------------------------------------------------- */

static int
open_channel(struct ssh_link *sl)
{
	int rc = ssh_channel_open_session(sl->channel);

	if (rc == SSH_OK) {
		sl->granted = ssh_channel_window_size(sl->channel);
		sl->stage = STAGE_START;
	}
	return rc;
}

/* As far as it goes without waiting: SSH_OK, SSH_AGAIN or SSH_ERROR. */
static int
open_some(struct ssh_link *sl)
{
	int rc = SSH_OK;

	if (sl->stage == STAGE_OPEN)
		rc = open_channel(sl);
	if (rc == SSH_OK && sl->stage == STAGE_START) {
		rc = sl->kind == LINK_SUBSYSTEM
			 ? ssh_channel_request_subsystem(sl->channel, sl->what)
			 : ssh_channel_request_exec(sl->channel, sl->what);
		if (rc == SSH_OK)
			sl->stage = STAGE_READY;
	}
	return rc;
}

/*
 * The request is sent when the channel is open. Servers take what follows it
 * on the channel in its order, so nobody has to wait for their answer.
 */
static int
begin(struct ssh_link *sl, bool ahead)
{
	int rc;

	ssh_set_blocking(sl->carrier->session, 1);
	rc = open_channel(sl);
	if (ahead)
		ssh_set_blocking(sl->carrier->session, 0);
	if (rc == SSH_OK)
		rc = open_some(sl);
	ssh_set_blocking(sl->carrier->session, 0);
	return rc;
}

static ssize_t
not_ready(struct ssh_link *sl)
{
	sl->looked = sl->carrier->raw.in_packets;
	return open_some(sl) == SSH_ERROR ? -ECONNREFUSED : -EAGAIN;
}

/* --- data ---------------------------------------------------------------- */

static void
show_stderr(struct ssh_link *sl)
{
	char text[STDERR_MOST + 1];
	int n = ssh_channel_read_timeout(sl->channel, text, STDERR_MOST, 1, 0);

	if (n <= 0)
		return;
	text[n] = '\0';
	show_lines(stderr, text);
}

/*
 * libssh opens the window as far as one read asks for, and tells the server
 * so each time: ask for much, and seldom.
 */
static size_t
ask_for(struct ssh_link *sl, size_t len)
{
	if (sl->window < len / 2)
		sl->window = len;
	return sl->window < len ? sl->window : len;
}

static ssize_t
read_data(struct ssh_link *sl, void *p, size_t len)
{
	int n = ssh_channel_read_timeout(
	    sl->channel, p, (uint32_t)ask_for(sl, len), 0, 0);

	if (n > 0)
		sl->window -= (size_t)n < sl->window ? (size_t)n : sl->window;
	return n;
}

static ssize_t
ssh_read(struct link *l, void *p, size_t len)
{
	struct ssh_link *sl = (struct ssh_link *)l;
	ssh_session session = sl->carrier->session;
	ssize_t n;

	if (sl->stage != STAGE_READY)
		return not_ready(sl);
	n = read_data(sl, p, len);
	if (n == 0) {
		/* Whatever that brings for us is fetched behind it. */
		show_stderr(sl);
		n = read_data(sl, p, len);
	}
	sl->looked = sl->carrier->raw.in_packets;
	if (n > 0)
		return n;
	if (n == SSH_AGAIN)
		return -EAGAIN;
	if (n < 0 || ssh_channel_is_eof(sl->channel) ||
	    ssh_channel_is_closed(sl->channel) || !ssh_is_connected(session))
		return 0;
	return -EAGAIN;
}

static bool
is_full(const struct ssh_link *sl)
{
	return (ssh_get_poll_flags(sl->carrier->session) & SSH_WRITE_PENDING) !=
	       0;
}

/* Nothing while libssh still holds what it could not send: it would keep
 * everything, and we are to be the ones who wait. */
static ssize_t
ssh_write(struct link *l, const void *p, size_t len)
{
	struct ssh_link *sl = (struct ssh_link *)l;
	size_t window;
	int n;

	if (sl->stage == STAGE_OPEN)
		return not_ready(sl);
	window = ssh_channel_window_size(sl->channel);
	if (is_full(sl) || window == 0)
		return -EAGAIN;
	len = len < window ? len : window;
	len = len < WRITE_MOST ? len : WRITE_MOST;
	n = ssh_channel_write(sl->channel, p, (uint32_t)len);
	if (n < 0)
		return -EPIPE;
	return n > 0 ? n : -EAGAIN;
}

static bool
ssh_want(struct link *l, bool want_write, struct pollfd *out)
{
	struct ssh_link *sl = (struct ssh_link *)l;
	bool open = sl->stage != STAGE_OPEN;
	bool pending = is_full(sl);

	/*
	 * Our next write waits for libssh's queue, which may have been sent by
	 * now, or for the window, which comes as input.
	 */
	pending |=
	    want_write && open && ssh_channel_window_size(sl->channel) > 0;
	*out = (struct pollfd){ .fd = ssh_get_fd(sl->carrier->session),
		.events = (short)(POLLIN | (pending ? POLLOUT : 0)) };
	/* Another link's read may have brought what is ours. */
	return sl->looked != sl->carrier->raw.in_packets;
}

static int
ssh_tend(struct link *l)
{
	struct carrier *c = ((struct ssh_link *)l)->carrier;
	int64_t now = clock_ms();

	if (c->alive.seconds <= 0)
		return -1;
	if (c->due == 0 || now >= c->due) {
		if (c->due != 0 &&
		    alive_check(&c->alive, c->raw.in_packets) != 0) {
			c->lost = true;
			return -ETIMEDOUT;
		}
		c->due = now + c->alive.seconds * 1000;
	}
	return (int)(c->due - now);
}

static size_t
ssh_window(const struct link *l)
{
	return ((const struct ssh_link *)l)->granted;
}

static int64_t
ssh_patience(const struct link *l)
{
	const struct alive *a = &((const struct ssh_link *)l)->carrier->alive;

	return (int64_t)a->seconds * (a->most + 1) * 1000;
}

/* --- the end ------------------------------------------------------------- */

#ifdef HAVE_SSH_CHANNEL_GET_EXIT_STATE
static int
status_of(ssh_channel channel)
{
	uint32_t status;

	return ssh_channel_get_exit_state(channel, &status, NULL, NULL) ==
		       SSH_OK
		   ? (int)status
		   : -1;
}
#else
static int
status_of(ssh_channel channel)
{
	return ssh_channel_get_exit_status(channel);
}
#endif

/*
 * Wait, a little, until the other side has ended too: a command's exit status
 * is its verdict on a copy, and a server whose last words nobody reads logs a
 * connection that was reset.
 */
static int
exit_status(struct ssh_link *sl)
{
	char rest[STDERR_MOST];

	ssh_set_blocking(sl->carrier->session, 1);
	while (ssh_channel_read_timeout(
		   sl->channel, rest, sizeof(rest), 0, EXIT_MS) > 0)
		continue;
	show_stderr(sl);
	return sl->kind == LINK_COMMAND ? status_of(sl->channel) : 0;
}

static int
end_channel(struct ssh_link *sl)
{
	int status = 0;

	/* One that is being opened stays libssh's: the answer comes later. To
	 * a silent server a goodbye would wait for room, for ever. */
	if (sl->stage == STAGE_OPEN || sl->carrier->lost)
		return 0;
	if (ssh_is_connected(sl->carrier->session) &&
	    ssh_channel_is_open(sl->channel)) {
		ssh_channel_send_eof(sl->channel);
		/* What was refused has no end to wait for. */
		if (!sl->is_twin && sl->stage == STAGE_READY)
			status = exit_status(sl);
		ssh_channel_close(sl->channel);
	}
	ssh_channel_free(sl->channel);
	return status;
}

static int
ssh_close(struct link *l)
{
	struct ssh_link *sl = (struct ssh_link *)l;
	int status = end_channel(sl);

	carrier_release(sl->carrier);
	free(sl->what);
	free(sl);
	return status;
}

/* --- beginning ----------------------------------------------------------- */

static int
link_new(struct carrier *c, enum link_kind kind, const char *what,
    struct ssh_link **out_link)
{
	AUTOFREE struct ssh_link *sl = calloc(1, sizeof(*sl));

	if (sl == NULL || (sl->what = strdup(what)) == NULL)
		return -ENOMEM;
	sl->link.ops = &ssh_ops;
	sl->carrier = c;
	sl->kind = kind;
	sl->channel = ssh_channel_new(c->session);
	if (sl->channel == NULL) {
		free(sl->what);
		return -ENOMEM;
	}
	c->links++;
	*out_link = take_ptr(&sl);
	return 0;
}

static int
ssh_twin(struct link *l, struct link **out_link)
{
	struct ssh_link *sl = (struct ssh_link *)l, *twin;
	int rc = link_new(sl->carrier, sl->kind, sl->what, &twin);

	if (rc != 0)
		return rc;
	twin->is_twin = true;
	*out_link = &twin->link;
	return 0;
}

static const struct link_ops ssh_ops = { .read = ssh_read,
	.write = ssh_write,
	.want = ssh_want,
	.close = ssh_close,
	.tend = ssh_tend,
	.twin = ssh_twin,
	.window = ssh_window,
	.patience = ssh_patience };

int
link_ssh(
    ssh_session session, const struct link_spec *spec, struct link **out_link)
{
	struct carrier *c = calloc(1, sizeof(*c));
	struct ssh_link *sl;
	int rc;

	if (c == NULL)
		return -ENOMEM;
	c->session = session;
	c->alive = (struct alive){ .ssh = session,
		.seconds = spec->alive_seconds,
		.most = spec->alive_most };
	rc = link_new(c, spec->kind, spec->what, &sl);
	if (rc != 0) {
		free(c);
		return rc;
	}
	ssh_set_counters(session, NULL, &c->raw);
	readahead_begin(ssh_get_fd(session));
	rc = begin(sl, spec->ahead);
	if (rc == SSH_ERROR) {
		ssh_close(&sl->link);
		return -ECONNREFUSED;
	}
	*out_link = &sl->link;
	return 0;
}

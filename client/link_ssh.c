/*
 * A channel as a link. Runs in the client; libssh speaks the protocol, and
 * what it hands out is hostile.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/link_ssh.h"
#include "client/show.h"
#include "common/own.h"

/* Handed to libssh at once: it encrypts and sends what it gets, or keeps it. */
#define WRITE_MOST (512u << 10)
#define STDERR_MOST 1024
#define EXIT_MS 2000

struct ssh_link {
	struct link link; /* first: the two are cast into each other */
	ssh_session session;
	ssh_channel channel;
	size_t window; /* what the server may still send, as we think */
	enum link_kind kind;
};

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
	ssize_t n = read_data(sl, p, len);

	if (n == 0) {
		/* Whatever that brings for us is fetched behind it. */
		show_stderr(sl);
		n = read_data(sl, p, len);
	}
	if (n > 0)
		return n;
	if (n == SSH_AGAIN)
		return -EAGAIN;
	if (n < 0 || ssh_channel_is_eof(sl->channel) ||
	    ssh_channel_is_closed(sl->channel) ||
	    !ssh_is_connected(sl->session))
		return 0;
	return -EAGAIN;
}

/* Nothing while libssh still holds what it could not send: it would keep
 * everything, and we are to be the ones who wait. */
static ssize_t
ssh_write(struct link *l, const void *p, size_t len)
{
	struct ssh_link *sl = (struct ssh_link *)l;
	size_t window = ssh_channel_window_size(sl->channel);
	int n;

	if ((ssh_get_poll_flags(sl->session) & SSH_WRITE_PENDING) != 0 ||
	    window == 0)
		return -EAGAIN;
	len = len < window ? len : window;
	len = len < WRITE_MOST ? len : WRITE_MOST;
	n = ssh_channel_write(sl->channel, p, (uint32_t)len);
	if (n < 0)
		return -EPIPE;
	return n > 0 ? n : -EAGAIN;
}

static void
ssh_want(struct link *l, bool want_write, struct pollfd *out)
{
	struct ssh_link *sl = (struct ssh_link *)l;
	bool pending =
	    (ssh_get_poll_flags(sl->session) & SSH_WRITE_PENDING) != 0;

	/*
	 * Our next write waits for libssh's queue, which may have been sent by
	 * now, or for the window, which comes as input.
	 */
	pending |= want_write && ssh_channel_window_size(sl->channel) > 0;
	*out = (struct pollfd){ .fd = ssh_get_fd(sl->session),
		.events = (short)(POLLIN | (pending ? POLLOUT : 0)) };
}

/*
 * Wait, a little, until the other side has ended too: a command's exit status
 * is its verdict on a copy, and a server whose last words nobody reads logs a
 * connection that was reset.
 */
static int
exit_status(struct ssh_link *sl)
{
	char rest[STDERR_MOST];

	ssh_set_blocking(sl->session, 1);
	while (ssh_channel_read_timeout(
		   sl->channel, rest, sizeof(rest), 0, EXIT_MS) > 0)
		continue;
	show_stderr(sl);
	return sl->kind == LINK_COMMAND
		   ? ssh_channel_get_exit_status(sl->channel)
		   : 0;
}

static int
ssh_close(struct link *l)
{
	struct ssh_link *sl = (struct ssh_link *)l;
	int status = 0;

	if (ssh_is_connected(sl->session) && ssh_channel_is_open(sl->channel)) {
		ssh_channel_send_eof(sl->channel);
		status = exit_status(sl);
		ssh_channel_close(sl->channel);
	}
	ssh_channel_free(sl->channel);
	free(sl);
	return status;
}

static const struct link_ops ssh_ops = { ssh_read, ssh_write, ssh_want,
	ssh_close };

static bool
begin(ssh_channel channel, enum link_kind kind, const char *what)
{
	if (ssh_channel_open_session(channel) != SSH_OK)
		return false;
	return kind == LINK_SUBSYSTEM
		   ? ssh_channel_request_subsystem(channel, what) == SSH_OK
		   : ssh_channel_request_exec(channel, what) == SSH_OK;
}

int
link_ssh(ssh_session session, enum link_kind kind, const char *what,
    struct link **out_link)
{
	AUTOFREE struct ssh_link *sl = calloc(1, sizeof(*sl));

	if (sl == NULL)
		return -ENOMEM;
	*sl = (struct ssh_link){ .link.ops = &ssh_ops,
		.session = session,
		.kind = kind,
		.channel = ssh_channel_new(session) };
	if (sl->channel == NULL)
		return -ENOMEM;
	ssh_set_blocking(session, 1);
	if (!begin(sl->channel, kind, what)) {
		ssh_channel_free(sl->channel);
		return -ECONNREFUSED;
	}
	ssh_set_blocking(session, 0);
	*out_link = &take_ptr(&sl)->link;
	return 0;
}

/*
 * A session of a shared connection as a link: the master moves the bytes
 * between its channel and our socket pair. Runs in the client, as the user;
 * what comes is the server's, and hostile.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/link_mux.h"
#include "client/mux.h"
#include "client/show.h"
#include "common/own.h"

#define STDERR_MOST 1024
#define EXIT_MS 2000 /* for the other side to end */

struct mux_link {
	struct link link; /* first: the two are cast into each other */
	int control;      /* messages of the master */
	int data;
	int err; /* what the other side writes to its stderr */
	enum link_kind kind;
};

static void
show_stderr(const struct mux_link *ml)
{
	char text[STDERR_MOST + 1];
	ssize_t n;

	while ((n = read(ml->err, text, STDERR_MOST)) > 0) {
		text[n] = '\0';
		show_lines(stderr, text);
	}
}

static ssize_t
mux_read(struct link *l, void *p, size_t len)
{
	struct mux_link *ml = (struct mux_link *)l;
	ssize_t n = read(ml->data, p, len);

	if (n > 0)
		return n;
	show_stderr(ml);
	if (n == 0 || errno == ECONNRESET)
		return 0;
	return errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t
mux_write(struct link *l, const void *p, size_t len)
{
	ssize_t n = send(((struct mux_link *)l)->data, p, len, MSG_NOSIGNAL);

	if (n >= 0)
		return n;
	return errno == EINTR ? -EAGAIN : -errno;
}

static bool
mux_want(struct link *l, bool want_write, struct pollfd *out)
{
	*out = (struct pollfd){ .fd = ((struct mux_link *)l)->data,
		.events = (short)(POLLIN | (want_write ? POLLOUT : 0)) };
	return false;
}

static bool
wait_for_input(int fd)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };

	return poll(&in, 1, EXIT_MS) > 0;
}

/* What the master says at the end of the session. */
static int
exit_status(const struct mux_link *ml)
{
	while (wait_for_input(ml->control)) {
		AUTO(mux_msg_done) struct mux_msg m = { .nfds = 0 };

		if (mux_recv(ml->control, &m) != 0)
			break;
		if (m.type == MUX_EXIT)
			return (int)m.a;
	}
	return -1;
}

static int
mux_close(struct link *l)
{
	struct mux_link *ml = (struct mux_link *)l;
	int status;

	link_hear_rest(ml->data);
	status = exit_status(ml);
	show_stderr(ml);
	close(ml->control);
	close(ml->data);
	close(ml->err);
	/* A subsystem's end is ours to say. */
	status = ml->kind == LINK_COMMAND ? status : 0;
	free(ml);
	return status;
}

static const struct link_ops mux_ops = { .read = mux_read,
	.write = mux_write,
	.want = mux_want,
	.close = mux_close };

/* One socket is their stdin and stdout. */
static int
request(
    const struct mux_link *ml, const struct link_spec *spec, int data, int err)
{
	const struct mux_msg m = {
		.type = MUX_SESSION,
		.a = MUX_COMMAND |
		     (spec->kind == LINK_SUBSYSTEM ? MUX_SUBSYSTEM : 0),
		.more = (char *)(uintptr_t)spec->what,
		.fds = { data, data, err },
		.nfds = MUX_FDS,
	};

	return mux_send(ml->control, &m);
}

static int
await_opened(const struct mux_link *ml, char **out_why)
{
	AUTO(mux_msg_done) struct mux_msg m = { .nfds = 0 };
	int rc = mux_recv(ml->control, &m);

	if (rc != 0)
		return rc;
	if (m.type == MUX_OPENED)
		return 0;
	*out_why = take_ptr(&m.text);
	return -ECONNREFUSED;
}

static int
open_session(struct mux_link *ml, const struct link_spec *spec, char **out_why)
{
	AUTOCLOSE int their_data = -1, their_err = -1;
	int pair[2], ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	ml->data = pair[0];
	their_data = pair[1];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	ml->err = ends[0];
	their_err = ends[1];
	if (fcntl(ml->data, F_SETFL, O_NONBLOCK) != 0 ||
	    fcntl(ml->err, F_SETFL, O_NONBLOCK) != 0)
		return -errno;
	rc = request(ml, spec, their_data, their_err);
	return rc == 0 ? await_opened(ml, out_why) : rc;
}

int
link_mux(int fd, const struct link_spec *spec, struct link **out_link,
    char **out_why)
{
	AUTOFREE struct mux_link *ml = calloc(1, sizeof(*ml));
	int rc;

	*out_why = NULL;
	if (ml == NULL) {
		close(fd);
		return -ENOMEM;
	}
	*ml = (struct mux_link){ .link.ops = &mux_ops,
		.control = fd,
		.data = -1,
		.err = -1,
		.kind = spec->kind };
	rc = open_session(ml, spec, out_why);
	if (rc != 0) {
		own_close(&ml->control);
		own_close(&ml->data);
		own_close(&ml->err);
		return rc;
	}
	*out_link = &take_ptr(&ml)->link;
	return 0;
}

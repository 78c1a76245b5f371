/*
 * The data path of sshd-net. What comes from the client is hostile, what comes
 * from the process is the user's; neither is looked at.
 */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/own.h"
#include "common/readahead.h"
#include "sshd/relay.h"

/*
 * Callbacks run inside ssh_event_dopoll(), which must not lose a descriptor
 * under its feet: they note, and the work is done after it.
 */
static int
note_outlet(socket_t fd, int revents, void *arg)
{
	struct outlet *out = arg;

	(void)fd;
	(void)revents;
	out->ready = true;
	return 0;
}

static int
note_inlet(socket_t fd, int revents, void *arg)
{
	(void)fd;
	(void)revents;
	(void)arg;
	return 0;
}

static void
watch(struct net *n, struct outlet *out, struct inlet *in)
{
	if (out != NULL && out->watched)
		ssh_event_add_fd(n->event, out->fd, POLLIN, note_outlet, out);
	if (in != NULL && in->watched)
		ssh_event_add_fd(n->event, in->fd, POLLOUT, note_inlet, in);
}

/* libssh forgets a descriptor as a whole: the other direction is put back. */
static void
watch_outlet(struct net *n, struct outlet *out, bool wanted)
{
	if (wanted == out->watched || out->fd < 0)
		return;
	out->watched = wanted;
	if (wanted) {
		watch(n, out, NULL);
		return;
	}
	ssh_event_remove_fd(n->event, out->fd);
	watch(n, NULL, out->twin);
}

static void
watch_inlet(struct net *n, struct inlet *in, bool wanted)
{
	if (wanted == in->watched || in->fd < 0)
		return;
	in->watched = wanted;
	if (wanted) {
		watch(n, NULL, in);
		return;
	}
	ssh_event_remove_fd(n->event, in->fd);
	watch(n, in->twin, NULL);
}

void
relay_socket(struct inlet *in, struct outlet *out, int fd)
{
	in->fd = out->fd = fd;
	in->twin = out;
	out->twin = in;
}

void
relay_outlet_done(struct net *n, struct outlet *out)
{
	watch_outlet(n, out, false);
	if (out->fd >= 0 && (out->twin == NULL || out->twin->fd < 0))
		close(out->fd);
	out->fd = -1;
	free(out->buf);
	out->buf = NULL;
	out->len = 0;
	out->ended = true;
}

void
relay_inlet_done(struct net *n, struct inlet *in)
{
	watch_inlet(n, in, false);
	if (in->fd >= 0 && in->twin != NULL && in->twin->fd >= 0)
		(void)shutdown(in->fd, SHUT_WR);
	else if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
	free(in->buf);
	in->buf = NULL;
	in->len = 0;
}

/* Whether a channel takes output now: it has a window, the socket has room. */
static uint32_t
room(struct net *n, ssh_channel channel)
{
	if ((ssh_get_status(n->ssh) & SSH_WRITE_PENDING) != 0)
		return 0;
	return ssh_channel_window_size(channel);
}

/* How much of it libssh takes; during a rekey, nothing. */
static size_t
give(ssh_channel channel, struct outlet *out, const uint8_t *p, size_t len)
{
	int n = out->is_stderr
		    ? ssh_channel_write_stderr(channel, p, (uint32_t)len)
		    : ssh_channel_write(channel, p, (uint32_t)len);

	if (n >= 0) {
		out->moved += (size_t)n;
		return (size_t)n;
	}
	/* The client has closed the channel: nobody wants the rest. */
	out->ended = true;
	return len;
}

/* What libssh did not take the last time. */
static size_t
flush_outlet(ssh_channel channel, struct outlet *out)
{
	size_t n = give(channel, out, out->buf + out->at, out->len);

	out->at += n;
	out->len -= n;
	if (out->len != 0)
		return n;
	free(out->buf);
	out->buf = NULL;
	return n;
}

/* Keep what is left; without memory the connection cannot go on. */
static void
keep(struct net *n, struct outlet *out, const uint8_t *p, size_t len)
{
	if (len == 0)
		return;
	out->buf = malloc(len);
	if (out->buf == NULL) {
		net_leave(n, BYE_LOCAL, "out of memory");
		return;
	}
	memcpy(out->buf, p, len);
	out->at = 0;
	out->len = len;
}

/* One buffer serves all: of a hundred channels, few hold something back. */
static size_t
pump(struct net *n, ssh_channel channel, struct outlet *out, size_t most)
{
	static uint8_t buf[RELAY_READ_MAX];
	ssize_t len;
	size_t done = 0;

	out->ready = false;
	len = read(out->fd, buf, most < sizeof(buf) ? most : sizeof(buf));
	if (len > 0) {
		done = give(channel, out, buf, (size_t)len);
		keep(n, out, buf + done, (size_t)len - done);
	} else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* A terminal whose last process is gone says EIO. */
		out->ended = true;
	}
	return done;
}

size_t
relay_outlet(struct net *n, ssh_channel channel, struct outlet *out)
{
	uint32_t window;
	size_t moved = 0;

	if (out->fd < 0)
		return 0;
	window = room(n, channel);
	if (out->len != 0 && window > 0)
		moved = flush_outlet(channel, out);
	else if (out->len == 0 && out->ready && !out->ended && window > 0)
		moved = pump(n, channel, out, window);
	if (out->ended && out->len == 0) {
		relay_outlet_done(n, out);
		return moved;
	}
	watch_outlet(n, out, out->len == 0 && room(n, channel) > 0);
	return moved;
}

size_t
relay_data(struct net *n, struct inlet *in, const void *p, size_t len)
{
	ssize_t w;

	(void)n;
	if (in->fd < 0)
		return len;
	if (in->len != 0)
		return 0;
	/* As much again is at hand: one write then does for all. */
	in->later = len < RELAY_WRITE_MAX &&
		    readahead_held(NET_CLIENT_FD) >= len - in->left;
	if (in->later)
		return 0;
	w = write(in->fd, p, len);
	if (w >= 0) {
		in->moved += (size_t)w;
		return (size_t)w;
	}
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	/* Its stdin is closed: swallow the rest, as a shell's pipe would. */
	in->client_eof = true;
	in->left = 0;
	return len;
}

/*
 * Take back from libssh what it kept when the process did not read: all of it,
 * and only when nothing of the last time is left. A read opens the window
 * anew, whatever is still held; to read a part again and again would let the
 * client send without end. So at most two windows are held: one here, one
 * there.
 */
static bool
refill_inlet(ssh_channel channel, struct inlet *in)
{
	int n;

	free(in->buf);
	in->buf = in->left != 0 ? malloc(in->left) : NULL;
	if (in->buf == NULL)
		return false;
	n = ssh_channel_read_nonblocking(
	    channel, in->buf, (uint32_t)in->left, 0);
	if (n <= 0)
		return false;
	in->at = 0;
	in->len = (size_t)n;
	in->left = in->left > (size_t)n ? in->left - (size_t)n : 0;
	return true;
}

void
relay_inlet(struct net *n, ssh_channel channel, struct inlet *in)
{
	if (in->later && readahead_held(NET_CLIENT_FD) != 0)
		return;
	in->later = false;
	while (in->fd >= 0 && (in->len != 0 || refill_inlet(channel, in))) {
		ssize_t w = write(in->fd, in->buf + in->at, in->len);

		if (w < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (w < 0) {
			in->client_eof = true;
			in->len = in->left = 0;
			break;
		}
		in->at += (size_t)w;
		in->len -= (size_t)w;
		in->moved += (size_t)w;
	}
	watch_inlet(n, in, in->len != 0 || in->left != 0);
}

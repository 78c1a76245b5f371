/*
 * Messages over a SOCK_SEQPACKET pair. Runs in every program of the server;
 * the other end is hostile in sshd and sshd-monitor.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/clock.h"
#include "common/chan.h"
#include "common/err.h"
#include "common/own.h"

#define TRACE_LINE_MAX 1024

int
chan_init(struct chan *c, int fd, enum peer me, enum peer other)
{
	*c = (struct chan){ .fd = fd, .me = me, .other = other };
	c->phase = PH_START;
	for (unsigned i = 0; i < MSG_MAX_FDS; i++)
		c->fds[i] = -1;
	/* One byte more than allowed, so that too long shows as too long. */
	c->buf = malloc(MSG_MAX_LEN + 1);
	if (c->buf == NULL) {
		close(fd);
		c->fd = -1;
		return -ENOMEM;
	}
	return 0;
}

static void
chan_trace(const struct chan *c, const struct msg *m, bool sent)
{
	char line[TRACE_LINE_MAX];
	int n;

	if (c->trace == NULL)
		return;
	n = snprintf(line, sizeof(line),
	    "%s > %s: ", msg_peer_name(sent ? c->me : c->other),
	    msg_peer_name(sent ? c->other : c->me));
	if (n < 0 || (size_t)n >= sizeof(line))
		return;
	msg_trace(m, line + n, sizeof(line) - (size_t)n);
	c->trace(c->trace_arg, line);
}

static int
chan_put(struct chan *c, const struct msg *m, const int *fds, unsigned nfds,
    int flags)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * MSG_MAX_FDS)];
		struct cmsghdr align;
	} control = { { 0 } };
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct iovec iov;
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;
	int rc;

	rc = msg_encode(m, &w);
	if (rc != 0)
		return rc;
	if (nfds > MSG_MAX_FDS)
		return -EBADMSG;
	iov = (struct iovec){ w.p, w.len };
	if (nfds != 0) {
		struct cmsghdr *cmsg = &control.align;

		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * nfds);
	}
	do
		n = sendmsg(c->fd, &hdr, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	chan_trace(c, m, true);
	return 0;
}

/*
 * Until the other side has read most of what waits for it: whoever reads one
 * message at a time does not buy time with each.
 */
static int
wait_for_room(const struct chan *c, int64_t until)
{
	struct pollfd pfd = { c->fd, POLLOUT, 0 };
	int64_t left = until - clock_ms();

	if (left <= 0)
		return -ETIMEDOUT;
	(void)poll(&pfd, 1, (int)left);
	return 0;
}

int
chan_send(struct chan *c, const struct msg *m, const int *fds, unsigned nfds)
{
	int64_t until;
	int rc;

	if (c->patience_ms == 0)
		return chan_put(c, m, fds, nfds, 0);
	until = clock_ms() + c->patience_ms;
	while ((rc = chan_put(c, m, fds, nfds, MSG_DONTWAIT)) == -EAGAIN) {
		rc = wait_for_room(c, until);
		if (rc != 0)
			break;
	}
	return rc;
}

int
chan_try_send(
    struct chan *c, const struct msg *m, const int *fds, unsigned nfds)
{
	return chan_put(c, m, fds, nfds, MSG_DONTWAIT);
}

static void
close_fds(struct chan *c)
{
	for (unsigned i = 0; i < c->nfds; i++)
		if (c->fds[i] >= 0)
			close(c->fds[i]);
	c->nfds = 0;
}

/* Keep every descriptor that arrived, however they were packed. */
static void
keep_fds(struct chan *c, struct msghdr *hdr)
{
	for (struct cmsghdr *m = CMSG_FIRSTHDR(hdr); m != NULL;
	     m = CMSG_NXTHDR(hdr, m)) {
		size_t n;

		if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
			continue;
		n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(
			    &fd, CMSG_DATA(m) + i * sizeof(int), sizeof(int));
			if (c->nfds < MSG_MAX_FDS)
				c->fds[c->nfds++] = fd;
			else
				close(fd);
		}
	}
}

/* Read one datagram into c->buf. */
static int
chan_read(struct chan *c, int flags)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * MSG_MAX_FDS)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { c->buf, MSG_MAX_LEN + 1 };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		/* Not CMSG_SPACE: its padding has room for one too many. */
		.msg_controllen = CMSG_LEN(sizeof(int) * MSG_MAX_FDS),
	};
	ssize_t n;

	chan_wipe(c);
	close_fds(c);
	n = recvmsg(c->fd, &hdr, MSG_CMSG_CLOEXEC | flags);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	c->buf_len = (size_t)n;
	keep_fds(c, &hdr);
	if (n == 0)
		return -EPIPE;
	if ((hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || n > MSG_MAX_LEN)
		return -EBADMSG;
	return 0;
}

static int
chan_take(struct chan *c, int flags, struct msg *out_m)
{
	struct msg_arrival how = {
		.sender = c->other,
		.receiver = c->me,
		.phase = c->phase,
	};
	int rc;

	rc = chan_read(c, flags);
	if (rc != 0)
		return rc;
	rc = msg_decode(c->buf, c->buf_len, out_m);
	if (rc != 0)
		return rc;
	chan_trace(c, out_m, false);
	how.count = c->counts[out_m->id];
	how.nfds = c->nfds;
	rc = msg_permitted(out_m->id, &how);
	if (rc == 0)
		c->counts[out_m->id]++;
	return rc;
}

int
chan_recv(struct chan *c, struct msg *out_m)
{
	return chan_take(c, 0, out_m);
}

int
chan_try_recv(struct chan *c, struct msg *out_m)
{
	return chan_take(c, MSG_DONTWAIT, out_m);
}

int
chan_take_fd(struct chan *c, unsigned i)
{
	return i < c->nfds ? take_fd(&c->fds[i]) : -1;
}

void
chan_wipe(struct chan *c)
{
	if (c->buf != NULL)
		explicit_bzero(c->buf, c->buf_len);
	c->buf_len = 0;
}

void
chan_done(struct chan *c)
{
	chan_wipe(c);
	close_fds(c);
	free(c->buf);
	c->buf = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

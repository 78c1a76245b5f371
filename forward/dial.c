/*
 * Happy eyeballs (RFC 8305) without blocking. Runs in sshd-forward, as the
 * user: whom it may connect to is the kernel's to say.
 */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/own.h"
#include "forward/dial.h"

struct attempt {
	int fd;    /* owned; -1: it has failed */
	size_t at; /* its place in the poll set */
};

struct dial {
	struct dial *next;
	uint64_t id;
	struct lookup *lookup; /* owned, once done; its addresses */
	struct addrinfo *order[DIAL_ADDRESSES_MAX];
	size_t naddrs;
	struct attempt attempts[DIAL_ADDRESSES_MAX];
	size_t ntried;
	size_t nalive;
	int64_t next_due; /* when to try the next address as well */
	int64_t deadline;
	enum forward_outcome failure; /* of the last attempt that failed */
};

static void
dial_free(struct dial *d)
{
	for (size_t i = 0; i < d->ntried; i++)
		own_close(&d->attempts[i].fd);
	lookup_free(d->lookup);
	free(d);
}

/* Answer, with the socket if there is one. */
static void
answer(
    struct helper *h, uint64_t id, enum forward_outcome outcome, const int *fd)
{
	struct msg m = { .id = MSG_DIALLED };

	m.u.dialled = (struct msg_dialled){ id, outcome };
	if (chan_send(&h->monitor, &m, fd, fd != NULL ? 1 : 0) == 0 ||
	    fd == NULL)
		return;
	/* Too many sockets of this user's are on their way (unix(7)). */
	m.u.dialled.outcome = FORWARD_LIMIT;
	(void)chan_send(&h->monitor, &m, NULL, 0);
}

/* Families by turns, beginning with the one that was sorted first. */
static void
set_order(struct dial *d)
{
	struct addrinfo *first = d->lookup->found;
	struct addrinfo *same = first, *other = first;
	bool turn = true;

	while (d->naddrs < DIAL_ADDRESSES_MAX && (same != NULL || other)) {
		struct addrinfo **from = turn ? &same : &other;

		while (*from != NULL &&
		       ((*from)->ai_family == first->ai_family) != turn)
			*from = (*from)->ai_next;
		if (*from != NULL) {
			d->order[d->naddrs++] = *from;
			*from = (*from)->ai_next;
		}
		turn = !turn;
	}
}

void
dial_begin(struct helper *h, const struct msg_dial *q)
{
	struct dial *d = calloc(1, sizeof(*d));
	struct lookup *l = NULL;
	int rc = -ENOMEM;

	if (d != NULL)
		rc = lookup_new(
		    q->id, q->host, q->port, helper_family(q->family), &l);
	if (rc != 0) {
		free(d);
		answer(h, q->id, FORWARD_FAILED, NULL);
		return;
	}
	d->id = q->id;
	d->failure = FORWARD_UNKNOWN;
	d->deadline = clock_ms() + DIAL_WAIT_MS;
	d->next = h->dials;
	h->dials = d;
	if (lookup_numeric(l))
		dial_resolved(h, l);
	else
		resolver_begin(&h->resolver, l);
}

void
dial_resolved(struct helper *h, struct lookup *l)
{
	struct dial *d = h->dials;

	while (d != NULL && (d->id != l->id || d->lookup != NULL))
		d = d->next;
	if (d == NULL) { /* it was given up meanwhile */
		lookup_free(l);
		return;
	}
	d->lookup = l;
	set_order(d);
}

/* --- attempts */

static int
start_attempt(const struct addrinfo *ai)
{
	AUTOCLOSE int fd = socket(ai->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
	const int one = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return take_fd(&fd);
}

static void
try_next(struct dial *d, int64_t now)
{
	struct attempt *a = &d->attempts[d->ntried];
	int fd = start_attempt(d->order[d->ntried++]);

	*a = (struct attempt){ fd < 0 ? -1 : fd, SIZE_MAX };
	d->next_due = now + DIAL_STAGGER_MS;
	if (fd >= 0) {
		d->nalive++;
		return;
	}
	d->failure = helper_outcome(-fd);
	d->next_due = now;
}

/*
 * A port in the range of ephemeral ones can be given to the socket itself: it
 * is then connected to nobody but itself, for ever.
 */
static bool
is_itself(int fd)
{
	struct sockaddr_storage near, far;
	socklen_t near_len = sizeof(near), far_len = sizeof(far);

	return getsockname(fd, (struct sockaddr *)&near, &near_len) == 0 &&
	       getpeername(fd, (struct sockaddr *)&far, &far_len) == 0 &&
	       near_len == far_len && memcmp(&near, &far, near_len) == 0;
}

/* 0: connected; -EINPROGRESS; or why not. */
static int
attempt_state(int fd, short ready)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (ready == 0)
		return -EINPROGRESS;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return -errno;
	if (error == 0 && is_itself(fd))
		error = ECONNREFUSED;
	return -error;
}

/* The descriptor of an attempt that has succeeded; or -1. */
static int
look(struct dial *d, const struct pollset *set, int64_t now)
{
	for (size_t i = 0; i < d->ntried; i++) {
		struct attempt *a = &d->attempts[i];
		int rc;

		if (a->fd < 0)
			continue;
		rc = attempt_state(a->fd, pollset_ready(set, a->at));
		if (rc == 0)
			return take_fd(&a->fd);
		if (rc == -EINPROGRESS)
			continue;
		close(take_fd(&a->fd));
		d->nalive--;
		d->failure = helper_outcome(-rc);
		d->next_due = now;
	}
	return -1;
}

/* Whether it is over; it has been answered then. */
static bool
run(struct helper *h, struct dial *d, const struct pollset *set, int64_t now)
{
	int fd = look(d, set, now);

	if (fd >= 0) {
		answer(h, d->id, FORWARD_DONE, &fd);
		close(fd);
		return true;
	}
	if (now >= d->deadline) {
		answer(h, d->id, FORWARD_TIMEOUT, NULL);
		return true;
	}
	if (d->lookup == NULL)
		return false;
	while (d->ntried < d->naddrs && (d->nalive == 0 || now >= d->next_due))
		try_next(d, now);
	if (d->nalive != 0)
		return false;
	answer(h, d->id, d->failure, NULL);
	return true;
}

/* --- the loop's part */

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < 0 || b < a ? b : a;
}

int64_t
dial_watch(struct helper *h, struct pollset *set)
{
	int64_t due = -1;

	for (struct dial *d = h->dials; d != NULL; d = d->next) {
		due = sooner(due, d->deadline);
		/* One that was just begun has nothing to wait for yet. */
		if (d->lookup != NULL && d->ntried == 0)
			due = 0;
		else if (d->ntried < d->naddrs)
			due = sooner(due, d->next_due);
		for (size_t i = 0; i < d->ntried; i++)
			if (d->attempts[i].fd >= 0)
				d->attempts[i].at = pollset_add(
				    set, d->attempts[i].fd, POLLOUT);
	}
	return due;
}

void
dial_run(struct helper *h, const struct pollset *set)
{
	struct dial **at = &h->dials;
	int64_t now = clock_ms();

	while (*at != NULL) {
		struct dial *d = *at;

		if (!run(h, d, set, now)) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		dial_free(d);
	}
}

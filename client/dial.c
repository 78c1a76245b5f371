/*
 * Happy eyeballs (RFC 8305). Runs as the user, before anything was heard.
 */
#include "config.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "client/sshconf.h"
#include "client/dial.h"
#include "client/resolve.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define STAGGER_MS 250 /* RFC 8305 section 5 */
#define ROUND_MS 1000  /* between two ConnectionAttempts */

/* A race of addresses. */
struct race {
	const struct dial *d;
	struct addresses to;
	struct pollfd fds[RESOLVE_MAX];
	size_t started; /* fds[0..started) have been tried */
	size_t alive;
	int error; /* of the last that failed */
};

static const int families[] = { [FAMILY_ANY] = AF_UNSPEC,
	[FAMILY_INET] = AF_INET,
	[FAMILY_INET6] = AF_INET6 };

/* The first address of an interface in the family; -EADDRNOTAVAIL. */
static int
interface_address(const char *name, int family, struct address *out)
{
	struct ifaddrs *all;
	int rc = -EADDRNOTAVAIL;

	if (getifaddrs(&all) != 0)
		return -errno;
	for (struct ifaddrs *i = all; i != NULL && rc != 0; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != family ||
		    strcmp(i->ifa_name, name) != 0)
			continue;
		out->len = family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
		memcpy(&out->sa, i->ifa_addr, out->len);
		rc = 0;
	}
	freeifaddrs(all);
	return rc;
}

static int
bind_here(const struct dial *d, int fd, int family)
{
	struct addresses found;
	struct address from;
	const char *why;
	int rc;

	if (d->bind_address != NULL) {
		rc = resolve(d->bind_address, 0, family, &found, &why);
		if (rc != 0)
			return -EADDRNOTAVAIL;
		from = found.v[0];
	} else if (d->bind_interface != NULL) {
		rc = interface_address(d->bind_interface, family, &from);
		if (rc != 0)
			return rc;
	} else {
		return 0;
	}
	return bind(fd, (struct sockaddr *)&from.sa, from.len) == 0 ? 0
								    : -errno;
}

static int
start_one(const struct dial *d, const struct address *to)
{
	AUTOCLOSE int fd = socket(
	    to->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char text[RESOLVE_TEXT_MAX];
	int rc;

	if (fd < 0)
		return -errno;
	resolve_text(to, text);
	log_debug("Connecting to %s [%s] port %d.", d->host, text, d->port);
	rc = bind_here(d, fd, to->sa.ss_family);
	if (rc != 0)
		return rc;
	if (connect(fd, (const struct sockaddr *)&to->sa, to->len) != 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return take_fd(&fd);
}

static void
start_next(struct race *r)
{
	struct pollfd *p = &r->fds[r->started];

	p->fd = start_one(r->d, &r->to.v[r->started++]);
	p->events = POLLOUT;
	p->revents = 0;
	if (p->fd >= 0)
		r->alive++;
	else
		r->error = p->fd;
}

static void
lose(struct race *r, struct pollfd *p, int error)
{
	close(p->fd);
	p->fd = -1;
	r->alive--;
	r->error = error;
}

/* The winner's descriptor, or -1. */
static int
find_winner(struct race *r)
{
	for (size_t i = 0; i < r->started; i++) {
		int error = 0;
		socklen_t len = sizeof(error);

		if (r->fds[i].fd < 0 || r->fds[i].revents == 0)
			continue;
		getsockopt(r->fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error == 0)
			return take_fd(&r->fds[i].fd);
		lose(r, &r->fds[i], -error);
	}
	return -1;
}

static void
race_done(struct race *r)
{
	for (size_t i = 0; i < r->started; i++)
		own_close(&r->fds[i].fd);
}

/* How long to wait: for the next start, or for the end. */
static int
race_wait(const struct race *r, int64_t next, int64_t end)
{
	int64_t now = clock_ms(), due = end;

	if (r->started < r->to.n && (due < 0 || next < due))
		due = next;
	if (due < 0)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

static int
race_run(struct race *r)
{
	int64_t end =
	    r->d->timeout > 0 ? clock_ms() + r->d->timeout * 1000LL : -1;
	int64_t next = 0;

	for (;;) {
		int fd;

		if (r->started < r->to.n &&
		    (r->alive == 0 || clock_ms() >= next)) {
			start_next(r);
			next = clock_ms() + STAGGER_MS;
			continue;
		}
		if (r->alive == 0)
			return r->error != 0 ? r->error : -ENOENT;
		if (poll(r->fds, r->started, race_wait(r, next, end)) < 0 &&
		    errno != EINTR)
			return -errno;
		fd = find_winner(r);
		if (fd >= 0)
			return fd;
		if (end >= 0 && clock_ms() >= end)
			return -ETIMEDOUT;
	}
}

static int
one_round(const struct dial *d, const char **out_why)
{
	AUTO(race_done) struct race r = { .d = d };
	int rc = resolve(d->host, d->port, families[d->family], &r.to, out_why);

	if (rc != 0)
		return rc;
	*out_why = NULL;
	return race_run(&r);
}

int
dial(const struct dial *d)
{
	const char *why = NULL;
	int rc = -ENOENT;

	for (int i = 0; i < d->attempts; i++) {
		if (i != 0)
			poll(NULL, 0, ROUND_MS);
		rc = one_round(d, &why);
		if (rc >= 0)
			return rc;
		/* A name that is not known will not be known in a second. */
		if (why != NULL)
			break;
	}
	if (why != NULL)
		log_error("Could not resolve hostname %s: %s", d->host, why);
	else
		log_error("connect to host %s port %d: %s", d->host, d->port,
		    err_str(rc));
	return rc;
}

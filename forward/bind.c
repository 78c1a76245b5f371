/*
 * Listening sockets. Runs in sshd-forward, as the user: a port below the
 * system's limit, or somebody else's address, is the kernel's to refuse.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/own.h"
#include "forward/bind.h"

/* What was bound for one request. */
struct bound {
	int fds[HELPER_SOCKETS_MAX]; /* owned */
	unsigned n;
	uint16_t port;
	int error; /* of the last address that failed; an errno */
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void
bound_done(struct bound *b)
{
	for (unsigned i = 0; i < b->n; i++)
		close(b->fds[i]);
	b->n = 0;
}

static void
answer(struct helper *h, uint64_t id, const struct bound *b, const char *path)
{
	struct msg m = { .id = MSG_BOUND };

	m.u.bound = (struct msg_bound){
		.id = id,
		.outcome = b->n != 0 ? FORWARD_DONE : helper_outcome(b->error),
		.port = b->n != 0 ? b->port : 0,
		.path = span_of(path, strlen(path)),
	};
	if (chan_send(&h->monitor, &m, b->fds, b->n) == 0)
		return;
	m.u.bound.outcome = FORWARD_LIMIT;
	(void)chan_send(&h->monitor, &m, NULL, 0);
}

/* --- one address */

static void
set_port(union address *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET)
		a->v4.sin_port = htons(port);
	else
		a->v6.sin6_port = htons(port);
}

static uint16_t
port_of(int fd)
{
	union address a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) != 0)
		return 0;
	return ntohs(
	    a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

/* Sockets that are accepted inherit TCP_NODELAY; sshd-net could not set it. */
static int
listen_on(const union address *a, socklen_t len, int *out_fd)
{
	AUTOCLOSE int fd = socket(a->any.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	const int one = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (a->any.sa_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, &a->any, len) != 0 || listen(fd, BIND_BACKLOG) != 0)
		return -errno;
	*out_fd = take_fd(&fd);
	return 0;
}

/* Add a listener; of port 0, all addresses get the port of the first. */
static void
bind_address(struct bound *b, const struct sockaddr *addr, socklen_t len)
{
	union address a;
	int rc;

	if (len > sizeof(a) || b->n == HELPER_SOCKETS_MAX)
		return;
	memcpy(&a, addr, len);
	set_port(&a, b->port);
	rc = listen_on(&a, len, &b->fds[b->n]);
	if (rc != 0) {
		b->error = -rc;
		return;
	}
	if (b->port == 0)
		b->port = port_of(b->fds[b->n]);
	b->n++;
}

/* --- addresses that need no name */

static void
bind_own(struct bound *b, int family, bool loopback)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_addr.s_addr =
		    htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY),
	};
	const struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = loopback ? in6addr_loopback : in6addr_any,
	};

	if (family != AF_INET6)
		bind_address(b, (const void *)&v4, sizeof(v4));
	if (family != AF_INET)
		bind_address(b, (const void *)&v6, sizeof(v6));
}

/*
 * The first display that is free on every address there is: half a display
 * would be somebody else's on the other half.
 */
static void
bind_display(struct bound *b, int family, bool loopback)
{
	uint16_t first = b->port;

	for (unsigned i = 0; i < BIND_DISPLAYS_MAX; i++) {
		if (first + i > UINT16_MAX)
			break;
		*b = (struct bound){ .port = (uint16_t)(first + i) };
		bind_own(b, family, loopback);
		if (b->n != 0 && b->error != EADDRINUSE)
			return;
		bound_done(b);
		if (b->error != EADDRINUSE)
			break;
	}
}

/* --- requests */

static void
bind_agent(struct helper *h, uint64_t id)
{
	struct bound b = { .n = 0 };
	int rc = agent_listen(&h->agent, &b.fds[0]);

	b.error = rc < 0 ? -rc : 0;
	b.n = rc == 0 ? 1 : 0;
	answer(h, id, &b, rc == 0 ? h->agent.path : "");
	bound_done(&b);
}

static void
begin_host(struct helper *h, const struct msg_bind *q)
{
	struct bound b = { .error = ENOMEM };
	struct lookup *l;

	if (lookup_new(q->id, q->host, q->port, helper_family(q->family), &l) !=
	    0) {
		answer(h, q->id, &b, "");
		return;
	}
	l->to_bind = true;
	l->hints.ai_flags = AI_PASSIVE;
	if (lookup_numeric(l))
		bind_resolved(h, l);
	else
		resolver_begin(&h->resolver, l);
}

void
bind_begin(struct helper *h, const struct msg_bind *q)
{
	struct bound b = { .port = (uint16_t)q->port };
	int family = helper_family(q->family);

	if (q->kind == BIND_AGENT) {
		bind_agent(h, q->id);
		return;
	}
	if (q->where == WHERE_HOST) {
		begin_host(h, q);
		return;
	}
	if (q->kind == BIND_X11)
		bind_display(&b, family, q->where == WHERE_LOOPBACK);
	else
		bind_own(&b, family, q->where == WHERE_LOOPBACK);
	answer(h, q->id, &b, "");
	bound_done(&b);
}

void
bind_resolved(struct helper *h, struct lookup *l)
{
	struct bound b = { .error = ENOENT };

	b.port = (uint16_t)strtoul(l->port, NULL, 10);
	for (struct addrinfo *ai = l->found; ai != NULL; ai = ai->ai_next)
		if (ai->ai_family == AF_INET || ai->ai_family == AF_INET6)
			bind_address(&b, ai->ai_addr, ai->ai_addrlen);
	answer(h, l->id, &b, "");
	bound_done(&b);
	lookup_free(l);
}

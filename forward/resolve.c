/*
 * Look-ups in threads. Runs in sshd-forward, as the user; names come from the
 * client and answers from anybody.
 */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/own.h"
#include "forward/resolve.h"

/* Bytes: libc wants some 64 kB, modules of name services more. */
#define THREAD_STACK (1u << 20)

int
resolver_init(struct resolver *r)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
		return -errno;
	*r = (struct resolver){ .read_fd = fds[0], .write_fd = fds[1] };
	return 0;
}

int
lookup_new(uint64_t id, struct span host, uint64_t port, int family,
    struct lookup **out_lookup)
{
	struct lookup *l;

	if (host.len > RESOLVE_HOST_MAX)
		return -EMSGSIZE;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	l->id = id;
	if (host.len != 0)
		memcpy(l->host, host.p, host.len);
	snprintf(l->port, sizeof(l->port), "%u", (unsigned)port & 0xffff);
	l->hints.ai_family = family;
	l->hints.ai_socktype = SOCK_STREAM;
	*out_lookup = l;
	return 0;
}

bool
lookup_numeric(struct lookup *l)
{
	struct addrinfo hints = l->hints;

	hints.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	return getaddrinfo(l->host, l->port, &hints, &l->found) == 0;
}

void
lookup_free(struct lookup *l)
{
	if (l == NULL)
		return;
	if (l->found != NULL)
		freeaddrinfo(l->found);
	free(l);
}

/* A pointer is less than PIPE_BUF: it arrives whole or not at all. */
static void
hand_back(const struct lookup *l)
{
	ssize_t n;

	do
		n = write(l->done_fd, &l, sizeof(l));
	while (n < 0 && errno == EINTR);
}

static void *
look_up(void *arg)
{
	struct lookup *l = arg;

	l->hints.ai_flags |= AI_NUMERICSERV;
	if (getaddrinfo(l->host, l->port, &l->hints, &l->found) != 0)
		l->found = NULL;
	hand_back(l);
	return NULL;
}

static int
start_thread(struct lookup *l)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc = pthread_attr_init(&attr);

	if (rc != 0)
		return -rc;
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, look_up, l);
	pthread_attr_destroy(&attr);
	return -rc;
}

static void
run_waiting(struct resolver *r)
{
	while (r->waiting != NULL && r->running < RESOLVE_THREADS_MAX) {
		struct lookup *l = r->waiting;

		r->waiting = l->next;
		l->done_fd = r->write_fd;
		r->running++;
		/* Without a thread it is a name that is not found. */
		if (start_thread(l) != 0)
			hand_back(l);
	}
}

void
resolver_begin(struct resolver *r, struct lookup *l)
{
	struct lookup **at = &r->waiting;

	while (*at != NULL)
		at = &(*at)->next;
	l->next = NULL;
	*at = l;
	run_waiting(r);
}

struct lookup *
resolver_take(struct resolver *r)
{
	struct lookup *l;

	if (read(r->read_fd, &l, sizeof(l)) != (ssize_t)sizeof(l))
		return NULL;
	r->running--;
	run_waiting(r);
	return l;
}

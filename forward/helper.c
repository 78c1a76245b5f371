/*
 * Small things that the parts of sshd-forward share. Runs as the user.
 */
#include "config.h"

#include <sys/socket.h>
#include <time.h>

#include "common/err.h"
#include "common/own.h"
#include "forward/helper.h"

size_t
pollset_add(struct pollset *set, int fd, short events)
{
	if (set->n == set->size) {
		size_t size = set->size != 0 ? 2 * set->size : 16;
		struct pollfd *grown =
		    reallocarray(set->v, size, sizeof(*grown));

		if (grown == NULL)
			return SIZE_MAX;
		set->v = grown;
		set->size = size;
	}
	set->v[set->n] = (struct pollfd){ fd, events, 0 };
	return set->n++;
}

short
pollset_ready(const struct pollset *set, size_t at)
{
	return at < set->n ? set->v[at].revents : 0;
}

int
helper_family(uint64_t family)
{
	static const int families[] = {
		[FAMILY_ANY] = AF_UNSPEC,
		[FAMILY_INET] = AF_INET,
		[FAMILY_INET6] = AF_INET6,
	};

	return family < nitems_of(families) ? families[family] : AF_UNSPEC;
}

enum forward_outcome
helper_outcome(int error)
{
	static const struct {
		int error;
		enum forward_outcome outcome;
	} outcomes[] = {
		{ 0, FORWARD_DONE },
		{ ECONNREFUSED, FORWARD_REFUSED },
		{ ENETUNREACH, FORWARD_UNREACHABLE },
		{ EHOSTUNREACH, FORWARD_UNREACHABLE },
		{ ETIMEDOUT, FORWARD_TIMEOUT },
		{ EACCES, FORWARD_FORBIDDEN },
		{ EPERM, FORWARD_FORBIDDEN },
		{ EADDRINUSE, FORWARD_IN_USE },
		{ EMFILE, FORWARD_LIMIT },
		{ ENFILE, FORWARD_LIMIT },
	};

	for (size_t i = 0; i < nitems_of(outcomes); i++)
		if (outcomes[i].error == error)
			return outcomes[i].outcome;
	return FORWARD_FAILED;
}

/* Questions to a silent server. Runs as the user. */
#include "config.h"

#include <errno.h>
#include <libssh/server.h>

#include "client/alive.h"

void
alive_settle(struct alive *a)
{
	/* The next call takes the answer, and only the one after asks anew. */
	if (a->asked)
		ssh_send_keepalive(a->ssh);
	a->asked = false;
}

int
alive_check(struct alive *a, uint64_t packets)
{
	if (packets != a->seen) {
		a->seen = packets;
		a->missed = 0;
		return 0;
	}
	if (++a->missed > a->most)
		return -ETIMEDOUT;
	alive_settle(a);
	ssh_send_keepalive(a->ssh);
	a->asked = true;
	return 0;
}

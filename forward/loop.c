/*
 * The one loop of sshd-forward: requests, look-ups and connections on their
 * way, none of which waits for another. Runs as the user.
 */
#include "config.h"

#include <poll.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/own.h"
#include "forward/bind.h"
#include "forward/dial.h"
#include "forward/loop.h"

int
loop_init(struct helper *h, int monitor_fd)
{
	int rc = chan_init(&h->monitor, monitor_fd, FORWARD, MONITOR);

	return rc == 0 ? resolver_init(&h->resolver) : rc;
}

/* Whether the monitor is still there, and speaks our language. */
static bool
serve_monitor(struct helper *h)
{
	struct msg m;
	int rc;

	while ((rc = chan_try_recv(&h->monitor, &m)) == 0) {
		if (m.id == MSG_DIAL)
			dial_begin(h, &m.u.dial);
		else if (m.id == MSG_BIND)
			bind_begin(h, &m.u.bind);
	}
	return rc == -EAGAIN || rc == -EINTR;
}

static void
serve_resolver(struct helper *h)
{
	struct lookup *l;

	while ((l = resolver_take(&h->resolver)) != NULL) {
		if (l->to_bind)
			bind_resolved(h, l);
		else
			dial_resolved(h, l);
	}
}

static int
wait_ms(int64_t due)
{
	int64_t now = clock_ms();

	if (due < 0)
		return -1;
	return due <= now ? 0 : (int)(due - now);
}

void
loop_serve(struct helper *h)
{
	struct pollset set = { NULL, 0, 0 };
	bool there = true;

	while (there) {
		size_t monitor, resolver;
		int64_t due;

		set.n = 0;
		monitor = pollset_add(&set, h->monitor.fd, POLLIN);
		resolver = pollset_add(&set, h->resolver.read_fd, POLLIN);
		due = dial_watch(h, &set);
		if (poll(set.v, set.n, wait_ms(due)) < 0)
			set.n = 0;
		dial_run(h, &set);
		if (pollset_ready(&set, resolver) != 0)
			serve_resolver(h);
		if (pollset_ready(&set, monitor) != 0)
			there = serve_monitor(h);
	}
	free(set.v);
	agent_done(&h->agent);
}

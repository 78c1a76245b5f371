/*
 * sshd-forward: the user's hands in the network. Runs as the user, with the
 * user's groups and limits, one for each connection that forwards something;
 * makes connected and listening sockets for its sshd-monitor, and sees none of
 * the bytes that go through them.
 *
 * Peer: HELPER_MONITOR_FD, its sshd-monitor. Requests have been judged there;
 * what the user may, the kernel judges here.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/own.h"
#include "forward/bind.h"
#include "forward/dial.h"
#include "forward/jail.h"

#define EXIT_LOST 1 /* started by hand, or this build is not the monitor's */

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

static void
serve(struct helper *h)
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
}

int
main(int argc, char **argv, char **envp)
{
	struct helper h = { .dials = NULL };

	setproctitle_init(argc, argv, envp);
	signal(SIGPIPE, SIG_IGN);
	/* A hang-up of the user's processes is not the connection's end. */
	signal(SIGHUP, SIG_IGN);
	if (forward_jail() != 0)
		return FORWARD_EXIT_JAIL;
	if (chan_init(&h.monitor, HELPER_MONITOR_FD, FORWARD, MONITOR) != 0 ||
	    resolver_init(&h.resolver) != 0)
		return EXIT_LOST;
	setproctitle("[forward]");
	serve(&h);
	agent_done(&h.agent);
	_exit(0);
}

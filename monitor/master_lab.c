/*
 * What the master of omniedge-ssh-server does besides sshd's: it lets in by
 * the door, forgets the one-time password, and ends with its connections. Runs
 * in it; reads no byte of a client's.
 */
#include "config.h"

#include <poll.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/lab.h"
#include "monitor/master_lab.h"

#define POLITE_MS 5000 /* for connections to end when they are asked to */

/* --- the end */

void
master_lab_end(struct master *m)
{
	listeners_close(&m->listeners);
	for (struct child *c = m->children; c != NULL; c = c->next)
		child_end(c);
	m->ending = true;
	m->end_at = clock_ms() + POLITE_MS;
	m->stopping = m->children == NULL;
}

void
master_lab_hangup(struct master *m)
{
	log_info("Received SIGHUP; terminating.");
	if (!m->ending)
		master_lab_end(m);
}

/* --- what is heard of a connection */

/* Connections of one address that have not logged in; NULL: of any. */
static void
cut_strangers(struct master *m, const char *addr)
{
	for (struct child *c = m->children; c != NULL; c = c->next)
		if (!c->logged_in &&
		    (addr == NULL || strcmp(c->peer.addr, addr) == 0))
			child_cut(c);
}

/* Who knows the one-time password now knows nothing. */
static void
forget_once(struct master *m)
{
	struct pollfd pfd = { m->config.once_fd, POLLIN, 0 };

	if (m->lab == NULL || !m->lab->one_time || poll(&pfd, 1, 0) != 0)
		return;
	m->lab->one_time = false;
	/* No password has this hash, and no account's own counts beside it. */
	strlcpy(m->lab->hash, "*", strlen(m->lab->hash) + 1);
	if (server_seal_lab(&m->config, m->lab) != 0)
		fatal("cannot forget the one-time password");
	log_info("the one-time password has been used and is forgotten");
}

void
master_lab_heard(struct master *m, struct child *c, unsigned failures_before)
{
	if (c->failures != failures_before &&
	    door_failed(m->door, c->peer.addr, clock_ms()))
		cut_strangers(m, c->peer.addr);
	if (!c->logged_in)
		return;
	door_passed(m->door, c->peer.addr);
	forget_once(m);
	if (!m->once_login || m->served)
		return;
	m->served = true;
	listeners_close(&m->listeners);
	cut_strangers(m, NULL);
}

void
master_lab_overdue(const struct child *c)
{
	const struct log_field fields[] = {
		{ "src", c->peer.addr, 0 },
		{ "src_port", NULL, c->peer.port },
		{ "reason", "authentication timeout", 0 },
	};

	log_event("ConnectionRejected", fields, nitems_of(fields));
}

/* --- time */

int64_t
master_lab_wait(const struct master *m, int64_t now)
{
	int64_t door = m->door != NULL ? door_wait(m->door, now) : -1;
	int64_t end = m->end_at > now ? m->end_at - now : 0;

	if (m->end_at == 0)
		return door;
	return door >= 0 && door < end ? door : end;
}

void
master_lab_tick(struct master *m)
{
	int64_t now = clock_ms();

	if (m->door == NULL)
		return;
	door_tick(m->door, now);
	if (m->end_at == 0 || now < m->end_at)
		return;
	if (m->ending) {
		m->stopping = true;
		return;
	}
	log_info("the time limit is over");
	master_lab_end(m);
}

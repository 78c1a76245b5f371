/*
 * libssh within our loop. Runs as the user; the server's packets arrive here,
 * and callbacks only note what they say: the work is done after the dispatch,
 * where nothing is under libssh's feet.
 */
#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "client/flow.h"
#include "client/trunk.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/own.h"

static void
on_ready(void *arg, uint32_t events)
{
	/* trunk_work() follows each round of the loop. */
	(void)arg;
	(void)events;
}

int
trunk_init(struct trunk *l, struct loop *loop, ssh_session ssh)
{
	*l = (struct trunk){ .loop = loop, .ssh = ssh };
	l->scratch = malloc(3 * (size_t)TRUNK_SCRATCH);
	l->event = ssh_event_new();
	if (l->scratch == NULL || l->event == NULL)
		return -ENOMEM;
	ssh_set_blocking(ssh, 0);
	ssh_set_counters(ssh, NULL, &l->raw);
	if (ssh_event_add_session(l->event, ssh) != SSH_OK)
		return -ENOMEM;
	l->watch =
	    (struct watch){ .fd = ssh_get_fd(ssh), .fn = on_ready, .arg = l };
	return loop_watch(loop, &l->watch, EPOLLIN);
}

void
trunk_done(struct trunk *l)
{
	if (l->loop == NULL)
		return;
	flow_free_all(l);
	loop_timer_stop(l->loop, &l->look);
	loop_unwatch(l->loop, &l->watch);
	if (l->event != NULL) {
		ssh_event_remove_session(l->event, l->ssh);
		ssh_event_free(l->event);
	}
	ssh_set_counters(l->ssh, NULL, NULL);
	free(l->scratch);
	free(l->why);
	*l = (struct trunk){ .loop = NULL };
}

bool
trunk_is_lost(const struct trunk *l)
{
	return l->why != NULL;
}

void
trunk_lose(struct trunk *l, const char *why)
{
	if (l->why == NULL)
		l->why = strdup(why);
}

bool
trunk_has_room(const struct trunk *l)
{
	return (ssh_get_status(l->ssh) & SSH_WRITE_PENDING) == 0;
}

/* --- keepalive */

static void
on_alive(void *arg)
{
	struct trunk *l = arg;

	if (alive_check(&l->alive, l->raw.in_packets) != 0)
		trunk_lose(l, ALIVE_LOST);
	else
		loop_timer(l->loop, &l->look, l->alive.seconds * 1000);
}

void
trunk_settle(struct trunk *l)
{
	alive_settle(&l->alive);
}

void
trunk_keepalive(struct trunk *l, long seconds, long most)
{
	if (seconds <= 0)
		return;
	l->alive =
	    (struct alive){ .ssh = l->ssh, .seconds = seconds, .most = most };
	l->look = (struct timer){ .fn = on_alive, .arg = l };
	loop_timer(l->loop, &l->look, seconds * 1000);
}

/* --- work */

static void
check(struct trunk *l)
{
	const char *why;

	/* After a fatal error libssh is deaf, and does not say so. */
	if ((ssh_get_status(l->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0 &&
	    ssh_is_connected(l->ssh))
		return;
	why = ssh_get_error(l->ssh);
	trunk_lose(l, *why != '\0' ? why : "Connection closed by remote host.");
}

/* A refused channel is only told apart by libssh's last words. */
static void
note_denial(struct trunk *l)
{
	static const char begins[] = "Channel opening failure";
	const char *text = ssh_get_error(l->ssh);

	l->denied =
	    strncmp(text, begins, sizeof(begins) - 1) == 0 &&
	    strncmp(text, l->last_denial, sizeof(l->last_denial) - 1) != 0;
	if (l->denied)
		strlcpy(l->last_denial, text, sizeof(l->last_denial));
}

/* libssh wants to write, or not. */
static void
set_interest(struct trunk *l)
{
	uint32_t events = EPOLLIN;

	if (!trunk_has_room(l))
		events |= EPOLLOUT;
	(void)loop_watch(l->loop, &l->watch, events);
}

/* One dispatch, and what it asks for; whether more packets came meanwhile. */
static bool
work_once(struct trunk *l)
{
	uint64_t before = l->raw.in_packets;
	uint64_t taken;

	if (ssh_event_dopoll(l->event, 0) == SSH_ERROR)
		trunk_lose(l, ssh_get_error(l->ssh));
	check(l);
	note_denial(l);
	taken = l->raw.in_packets;
	flow_run(l, taken != before);
	check(l);
	return l->raw.in_packets != taken;
}

void
trunk_work(struct trunk *l)
{
	/*
	 * Writing or closing a channel makes libssh read, too: what it has
	 * taken from the socket then, no event of the socket will tell of.
	 */
	while (!trunk_is_lost(l) && work_once(l))
		continue;
	if (!trunk_is_lost(l))
		set_interest(l);
}

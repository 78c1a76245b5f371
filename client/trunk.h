/*
 * A logged-in session within the loop: the connection that channels share.
 */
#ifndef CLIENT_TRUNK_H
#define CLIENT_TRUNK_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include "client/alive.h"
#include "client/loop.h"

struct flow;

struct trunk_stats {
	uint64_t opened; /* channels, since the beginning */
	uint64_t refused;
	uint64_t bytes_in;
	uint64_t bytes_out;
};

struct trunk {
	struct loop *loop;
	ssh_session ssh;
	ssh_event event;
	struct watch watch;
	struct flow *flows; /* all; flow.c keeps the list */
	size_t nflows;
	struct flow *dirty;   /* something happened to them */
	struct flow *waiting; /* for being opened, or for room */
	struct flow *ended;   /* to be reported and freed */
	bool denied;          /* by this dispatch: a channel was not opened */
	char last_denial[128];
	uint8_t
	    *scratch; /* TRUNK_SCRATCH for a read, twice that for a filter */
	struct trunk_stats stats;
	/* keepalive */
	struct timer look;
	struct ssh_counter_struct raw;
	struct alive alive;
	char *why; /* why it was lost, owned; NULL: it is up */
};

#define TRUNK_SCRATCH \
	(256u << 10) /* bytes; libssh's writes want to be large \
		      */

/* Begin; takes neither loop nor ssh. 0 or -ENOMEM. */
int trunk_init(struct trunk *l, struct loop *loop, ssh_session ssh);
void trunk_done(struct trunk *l);

/* Ask the server after so many seconds of silence, at most so often. */
void trunk_keepalive(struct trunk *l, long seconds, long most);

/* To be called before any other global request. */
void trunk_settle(struct trunk *l);

/*
 * What is to be done after the loop has reported: libssh's packets, channels
 * that are being opened, those that wait for room, those that have ended. To
 * be called once for each loop_run_once().
 */
void trunk_work(struct trunk *l);

/* Whether the connection is gone, and l->why says why. */
bool trunk_is_lost(const struct trunk *l);
/* It is gone; the first reason counts. */
void trunk_lose(struct trunk *l, const char *why);

/* Whether libssh's own buffer is empty, so that more may be written. */
bool trunk_has_room(const struct trunk *l);

#endif

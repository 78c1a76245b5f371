/*
 * The door of omniedge-ssh-server(1): which addresses may connect, how often,
 * how many, and who is kept out for a while. Decided before a process is spent
 * on a client, and reported as events. Times are monotonic, in milliseconds.
 */
#ifndef MONITOR_DOOR_H
#define MONITOR_DOOR_H

#include "monitor/startups.h"

#define DOOR_FAREWELLS 32 /* refused clients that may still be reading why */

struct door_terms {
	const struct words *networks; /* CIDR; empty: every address */
	unsigned most;                /* connections at the same time */
	unsigned per_minute;          /* of one source; 0: any number */
	unsigned failures;            /* that ban a source; 0: never */
	int64_t ban_ms;
};

struct door {
	struct door_terms terms; /* what it points to is the caller's */
	struct sources sources;  /* each is held while something counts */
	int64_t next_sweep;
	struct {
		int fd; /* owned */
		int64_t until;
	} farewells[DOOR_FAREWELLS];
	size_t nfarewells;
};

/* Open to all that the terms let in; and release it, twice is fine. */
void door_init(struct door *d, const struct door_terms *terms);
void door_done(struct door *d);

/*
 * Whether a client may come in while n others are. If not, it is told, in a
 * line that stock clients show; then at->fd is the door's and is -1 here.
 */
bool door_admit(struct door *d, struct startup *at, unsigned n, int64_t now);

/* An attempt to log in has failed; true if its source is banned by it. */
bool door_failed(struct door *d, const char *addr, int64_t now);
/* Somebody has logged in: the failures of its source are forgotten. */
void door_passed(struct door *d, const char *addr);

/* Milliseconds until door_tick() has something to do; -1: nothing. */
int64_t door_wait(const struct door *d, int64_t now);
/* Forget what does not count any more. */
void door_tick(struct door *d, int64_t now);

#endif

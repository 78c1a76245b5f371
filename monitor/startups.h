/*
 * Connections that have not logged in: how many there may be in all and of one
 * source (MaxStartups, PerSourceMaxStartups), and whose may not begin at all
 * (PerSourcePenalties). Times are monotonic, in milliseconds.
 */
#ifndef MONITOR_STARTUPS_H
#define MONITOR_STARTUPS_H

#include <unistd.h>

#include "monitor/listener.h"
#include "monitor/penalty.h"

struct startups {
	struct sources sources;
	struct penalty_book book;
	const struct options *options; /* borrowed; those in force */
	unsigned n;                    /* have not logged in */
	bool throttling;               /* MaxStartups has refused some */
	unsigned ndropped;
};

/* A connection that was accepted. */
struct startup {
	int fd;
	struct listener_name peer;
	struct listener_name local;
};

/* Close its socket, if it still has it. For AUTO(). */
static inline void
startup_done(struct startup *at)
{
	if (at->fd >= 0)
		close(at->fd);
}

/* Nobody is there, and no options hold yet. */
void startups_init(struct startups *s);
/* From now on these options hold; they must live until others do. */
void startups_configure(struct startups *s, const struct options *o);

/*
 * Whether it may begin. If so it counts, and *out_source is held for it, or
 * NULL if it has no address; else the client is told, and the log.
 */
bool startups_admit(struct startups *s, const struct startup *at, int64_t now,
    struct source **out_source);
/* It has logged in or is gone: it does not count any more. */
void startups_leave(struct startups *s, struct source *source);

#endif

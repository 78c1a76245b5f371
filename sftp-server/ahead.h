/*
 * Requests to write that came together are written together, where one
 * continues the other: the kernel does one large block for less than some small
 * ones.
 */
#ifndef SFTP_SERVER_AHEAD_H
#define SFTP_SERVER_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

struct server;
struct request;
struct handle;

/* What was written for requests that are still to be run. */
struct ahead {
	uint64_t handle;
	uint64_t from, until; /* offsets; empty if they are the same */
};

/*
 * Whether a WRITE has been done: ahead, for one before it, or now, with those
 * that come right behind it in s->in. If not, it is to be done by itself, and
 * has its error then.
 */
bool ahead_did(struct server *s, const struct request *q, struct handle *h);

#endif

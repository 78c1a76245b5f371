/*
 * Whether the server is still there: ServerAliveInterval and
 * ServerAliveCountMax of one session.
 */
#ifndef CLIENT_ALIVE_H
#define CLIENT_ALIVE_H

#include <libssh/libssh.h>
#include <stdbool.h>
#include <stdint.h>

#define ALIVE_LOST "Timeout, server not responding."

struct alive {
	ssh_session ssh;
	long seconds; /* of silence before the server is asked; 0: never */
	long most;    /* questions without an answer */
	long missed;
	uint64_t seen; /* packets, at the last look */
	bool asked;    /* libssh waits for the answer */
};

/*
 * The interval is over, and so many packets have come until now: ask the
 * server if none is new. 0; -ETIMEDOUT: it was asked often enough.
 */
int alive_check(struct alive *a, uint64_t packets);

/*
 * libssh has room for one global request: to be called before any other, it
 * takes the answer of the last question.
 */
void alive_settle(struct alive *a);

#endif

/*
 * Requests to a connection's sshd-forward that it has not answered: all that
 * there may be, each with its number. What it has no room for waits here.
 */
#ifndef MONITOR_WAITING_H
#define MONITOR_WAITING_H

#include "monitor/conn.h"

/* Requests that may wait: one a channel, one a listener, one of our own. */
#define WAITING_MAX (FORWARD_CHANNELS_MAX + FORWARD_LISTENERS_MAX + 1)

struct waiting {
	bool used;
	bool listen;
	bool unsent;   /* sshd-forward has too much to read already */
	uint64_t turn; /* the lower, the sooner */
	uint64_t id;   /* FORWARD_OWN_ID: the monitor waits for it */
	char *host;    /* owned; as the client wrote it; NULL: our own */
	unsigned port;
};

struct waitings {
	struct waiting v[WAITING_MAX];
	size_t nunsent;
	uint64_t turns;        /* given so far */
	const struct msg *own; /* borrowed: what our own request says */
};

/* What AddressFamily leaves of addresses. */
enum forward_family waiting_family(const struct conn *c);

/* Whether the monitor waits for it. */
bool waiting_is_own(const struct waiting *w);

/* The request of that number; NULL: there is none. */
struct waiting *waiting_find(struct waitings *q, uint64_t id);
/*
 * A place for a request of that number. 0; -EEXIST for one that is in use,
 * -EBUSY when no place is free.
 */
int waiting_new(struct waitings *q, uint64_t id, struct waiting **out_w);
/* It is answered, or was never made. */
void waiting_forget(struct waitings *q, struct waiting *w);

/*
 * Hand a request on, in its turn: at once, if nobody waits. Never waits: the
 * user may stop the process (kill -STOP), which is not to stop us. 0; else
 * -errno, and it was never made.
 */
int waiting_submit(const struct conn *c, struct waitings *q, struct chan *chan,
    struct waiting *w);

/*
 * Hand on as many as it takes now. 0, or -EPIPE when it is gone; another
 * -errno is of *out_failed, which can never be sent.
 */
int waiting_hand_on(const struct conn *c, struct waitings *q, struct chan *chan,
    struct waiting **out_failed);

#endif

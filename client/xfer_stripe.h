/*
 * One large file over several sessions of one connection. A server lets a
 * channel carry no more than its window in a round trip (OpenSSH's: 2 MiB), so
 * that over a long path one channel leaves most of it idle. Each session opens
 * the file, and parts of it go to whichever has room.
 *
 * What this must not do is leave a file that looks whole and is not: the last
 * part is sent when all others are acknowledged, and a copy that ends early
 * cuts the file where the first gap begins. Only if the connection is lost
 * can there be gaps, in a file that is shorter than the source.
 *
 * A server that grants no further channel gets all of it over the first.
 */
#ifndef CLIENT_XFER_STRIPE_H
#define CLIENT_XFER_STRIPE_H

#include "client/xfer_impl.h"

/* Where the next part of a file goes. */
struct outlet {
	struct peer *peer;
	const struct writer *handle;
};

/* Before each turn: begin with the file that moves, if that is worth it. */
void stripe_tend(struct xfer *x);

/* The session with most room. The first takes what is the last part. */
struct outlet stripe_pick(struct job *j, bool last);

/* Whether any of its sessions has room. */
bool stripe_has_room(const struct job *j);

/* Whether the part at next_at is the last, and has to wait for the others. */
bool stripe_holds(const struct job *j, uint32_t len);

/* Whether the file is to be finished later, when what is under way has been
 * answered; the sink looks again then. */
bool stripe_must_drain(const struct job *j);

/* A session that had a part of the file is gone: the job fails. */
void stripe_lost(struct job *j);

/* Close the file in the other sessions; answers are counted in j->writing. */
void stripe_close(struct job *j, peer_fn *closed);

/* The job is gone. */
void stripe_release(struct job *j);

/* End the other sessions. */
void stripe_end(struct xfer *x);

#endif

/*
 * The session identifiers that logins by key were made with, so that none is
 * used twice. A user's signature covers its session's identifier (RFC 4252
 * section 7); who owns an sshd-net could record both, and have the identifier
 * signed first by another monitor. The listening sshd alone outlives all of
 * them, so it remembers.
 */
#ifndef MONITOR_SEEN_H
#define MONITOR_SEEN_H

#include <stdbool.h>

#include "common/wire.h"

/*
 * Identifiers of one generation, 8 bytes each at half load. When a generation
 * is full the one before it is forgotten: the last 524288 logins by key are
 * remembered at least, twice as many at most, in 16 MiB.
 */
#define SEEN_GENERATION (1u << 19)

struct seen {
	uint8_t key[32]; /* of the hash: nobody can aim at a slot */
	bool ready;
	struct seen_set {
		uint64_t *slots; /* owned; 0: free */
		size_t size;     /* a power of two */
		size_t n;
	} sets[2]; /* the one that grows, the one before */
};

/*
 * Whether the identifier is new; from now on it is not. False also when there
 * is no memory to tell: nobody logs in on a guess. A zeroed struct is empty.
 */
bool seen_claim(struct seen *seen, struct span id);
void seen_done(struct seen *seen);

#endif

/*
 * Sources: clients' addresses cut to a netblock, and what is known of each.
 * The table holds a source as long as somebody does, so it is bounded by what
 * its users bound: connections, penalties, bans. Times are of one clock of the
 * caller's choice, in milliseconds.
 */
#ifndef MONITOR_SOURCE_H
#define MONITOR_SOURCE_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/tree.h>

#include "common/option.h"

#define SOURCE_TEXT_MAX 64 /* bytes of "2001:db8::/64" with its NUL */

struct source_key {
	sa_family_t family; /* AF_INET or AF_INET6 */
	uint8_t bits;       /* of addr that count; the others are 0 */
	uint8_t addr[16];   /* network order */
};

struct source {
	RB_ENTRY(source) by_key;
	struct source_key key;
	unsigned holds;
	unsigned starting; /* connections that have not logged in */
	bool throttled;    /* and one was refused for their number */

	/* of penalty.h */
	RB_ENTRY(source) by_expiry;
	int64_t until; /* 0: no penalty */
	bool active;   /* it is long enough to be enforced */
	bool told;     /* the first refusal by it is logged */
	enum penalty_time why;

	/* of door.h */
	int64_t minute; /* when the one that is counted began */
	unsigned nattempts, nrefused;
	unsigned nfailures;
	int64_t first_failure;
	int64_t banned_until;
};

RB_HEAD(source_tree, source);
struct sources {
	struct source_tree tree;
	size_t n;
};

/* An empty table. */
void sources_init(struct sources *t);

/*
 * Cut a numeric address to its netblock; a v4-mapped one is IPv4, a %scope is
 * left out. 0; -EBADMSG when it is no address.
 */
int source_key_text(
    const char *addr, const struct netblock *block, struct source_key *out_key);
/* What source_text() wrote. 0 or -EBADMSG. */
int source_key_parse(const char *text, struct source_key *out_key);
/* "192.0.2.0/24" */
void source_text(const struct source_key *key, char out[SOURCE_TEXT_MAX]);

/* The source with this key, or NULL. */
struct source *sources_find(struct sources *t, const struct source_key *key);
/* The one that follows a key, or for NULL the first; NULL: there is none. */
struct source *sources_next(struct sources *t, const struct source_key *after);
/* As sources_find(), made if need be, with one hold more; NULL: out of memory.
 */
struct source *sources_hold(struct sources *t, const struct source_key *key);
/* Give one hold back; without any, the source is forgotten. */
void sources_release(struct sources *t, struct source *s);

/* Call each() with every source; it may release the one that it is given. */
void sources_each(
    struct sources *t, void (*each)(void *arg, struct source *s), void *arg);

#endif

/*
 * PerSourcePenalties of sshd_config(5): who misbehaves collects time, and is
 * kept out when there is enough of it. Times are monotonic, in milliseconds.
 */
#ifndef MONITOR_PENALTY_H
#define MONITOR_PENALTY_H

#include "monitor/source.h"

struct penalty_book {
	struct sources *sources; /* borrowed; each penalty holds one */
	/* of IPv4, of IPv6: */
	struct source_tree order[2]; /* the next to expire first */
	size_t n[2];
	/* the options in force: */
	struct penalties terms;
	struct netblock block;
	const char *exempt; /* borrowed; or NULL */
};

/* An empty book about these sources. */
void penalty_init(struct penalty_book *b, struct sources *sources);
/*
 * From now on these options hold; they must live until others do. Penalties
 * stay, unless they are switched off or netblocks are cut differently.
 */
void penalty_configure(struct penalty_book *b, const struct options *o);

/*
 * Punish an address, numeric, for something, if the options say so. A penalty
 * that is new or comes into force is logged, in OpenSSH's words.
 */
void penalty_add(struct penalty_book *b, const char *addr,
    enum penalty_time why, int64_t now);

/*
 * Why an address must not connect now, for the log; NULL: it may. out_first is
 * whether nothing has been refused for this yet.
 */
const char *penalty_reason(
    struct penalty_book *b, const char *addr, int64_t now, bool *out_first);
/* "penalty: failed authentication" */
const char *penalty_text(enum penalty_time why);

/*
 * The penalty whose source follows a key's in the table's order, or the first
 * one for NULL. NULL: there is none.
 */
const struct source *penalty_next(
    struct penalty_book *b, const struct source_key *after, int64_t now);

/* End the penalty of the source that the address is in; how many there were. */
size_t penalty_lift(struct penalty_book *b, const char *addr);
size_t penalty_lift_all(struct penalty_book *b);

#endif

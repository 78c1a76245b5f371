/*
 * The book of penalties. Runs in sshd as root. What an offence is, sshd and
 * sshd-monitor decide; no network process has a say.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/penalty.h"

static const char *const texts[PENALTY_OFFENCES] = {
	[PENALTY_CRASH] = "penalty: caused crash",
	[PENALTY_AUTHFAIL] = "penalty: failed authentication",
	[PENALTY_NOAUTH] =
	    "penalty: connections without attempting authentication",
	[PENALTY_INVALIDUSER] =
	    "penalty: attempted authentication by invalid user",
	[PENALTY_GRACE_EXCEEDED] = "penalty: exceeded LoginGraceTime",
	[PENALTY_REFUSECONNECTION] =
	    "penalty: connection prohibited by RefuseConnection",
};

static int
compare(const struct source *a, const struct source *b)
{
	if (a->until != b->until)
		return a->until < b->until ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* tree(3) makes more functions than are called here. */
#define TREE_ATTR static __attribute__((unused))
RB_PROTOTYPE_INTERNAL(source_tree, source, by_expiry, compare, TREE_ATTR)
RB_GENERATE_INTERNAL(source_tree, source, by_expiry, compare, TREE_ATTR)

static bool
is_v6(const struct source_key *key)
{
	return key->family == AF_INET6;
}

static struct source_tree *
order_of(struct penalty_book *b, const struct source_key *key)
{
	return &b->order[is_v6(key)];
}

static const char *
family_text(const struct source_key *key)
{
	return is_v6(key) ? "ipv6" : "ipv4";
}

const char *
penalty_text(enum penalty_time why)
{
	return texts[why];
}

void
penalty_init(struct penalty_book *b, struct sources *sources)
{
	*b = (struct penalty_book){ .sources = sources };
	RB_INIT(&b->order[0]);
	RB_INIT(&b->order[1]);
}

static void
lift(struct penalty_book *b, struct source *s)
{
	RB_REMOVE(source_tree, order_of(b, &s->key), s);
	b->n[is_v6(&s->key)]--;
	s->until = 0;
	s->active = s->told = false;
	sources_release(b->sources, s);
}

static void
expire(struct penalty_book *b, int64_t now)
{
	struct source *s;

	for (size_t v6 = 0; v6 < nitems_of(b->order); v6++)
		while ((s = RB_MIN(source_tree, &b->order[v6])) != NULL &&
		       s->until <= now)
			lift(b, s);
}

size_t
penalty_lift_all(struct penalty_book *b)
{
	size_t n = b->n[0] + b->n[1];

	expire(b, INT64_MAX);
	return n;
}

void
penalty_configure(struct penalty_book *b, const struct options *o)
{
	const struct netblock *block = &o->per_source_net_block_size;

	if (!o->per_source_penalties.on || b->block.bits4 != block->bits4 ||
	    b->block.bits6 != block->bits6)
		(void)penalty_lift_all(b);
	b->terms = o->per_source_penalties;
	b->block = *block;
	b->exempt = o->per_source_penalty_exempt_list;
}

/* Whether penalties are for this address at all; then its key is there. */
static bool
concerns(
    const struct penalty_book *b, const char *addr, struct source_key *out_key)
{
	return b->terms.on && source_key_text(addr, &b->block, out_key) == 0 &&
	       (b->exempt == NULL ||
		   pattern_peer_match(b->exempt, addr, NULL) != 1);
}

static bool
is_full(const struct penalty_book *b, bool v6)
{
	const int *limit = b->terms.limit;

	return b->n[v6] >=
	       (size_t)limit[v6 ? PENALTY_SOURCES6 : PENALTY_SOURCES4];
}

static bool
denies_all(const struct penalty_book *b, bool v6)
{
	return is_full(b, v6) &&
	       b->terms.limit[v6 ? PENALTY_DENY_ALL6 : PENALTY_DENY_ALL4] != 0;
}

static double
seconds(int64_t ms)
{
	return (double)ms / 1000;
}

static void
begin(struct penalty_book *b, const struct source_key *key,
    enum penalty_time why, int64_t now)
{
	int64_t ms = b->terms.ms[why];
	char text[SOURCE_TEXT_MAX];
	struct source *s;

	/* Permissive: the next to expire makes room. */
	while (is_full(b, is_v6(key)))
		lift(b, RB_MIN(source_tree, order_of(b, key)));
	s = sources_hold(b->sources, key);
	if (s == NULL) {
		log_error("out of memory: a penalty is not kept");
		return;
	}
	s->why = why;
	s->until = now + ms;
	s->active = ms > b->terms.ms[PENALTY_MIN];
	RB_INSERT(source_tree, order_of(b, key), s);
	b->n[is_v6(key)]++;
	source_text(key, text);
	log_about(&(struct log_about){ "penalty", NULL, NULL, text, 0 });
	log_at(s->active ? LEVEL_INFO : LEVEL_VERBOSE,
	    "srclimit_penalise: %s: new %s %s penalty of %.3f seconds for %s",
	    family_text(key), text, s->active ? "active" : "deferred",
	    seconds(ms), texts[why]);
}

static void
prolong(struct penalty_book *b, struct source *s, enum penalty_time why,
    int64_t now)
{
	const int64_t *ms = b->terms.ms;
	char text[SOURCE_TEXT_MAX];

	RB_REMOVE(source_tree, order_of(b, &s->key), s);
	s->until += ms[why];
	if (s->until - now > ms[PENALTY_MAX])
		s->until = now + ms[PENALTY_MAX];
	RB_INSERT(source_tree, order_of(b, &s->key), s);
	s->why = why;
	if (s->active || s->until - now <= ms[PENALTY_MIN])
		return;
	s->active = true;
	source_text(&s->key, text);
	log_about(&(struct log_about){ "penalty", NULL, NULL, text, 0 });
	log_info("srclimit_penalise: %s: activating %s penalty of %.3f seconds "
		 "for %s",
	    text, family_text(&s->key), seconds(s->until - now), texts[why]);
}

void
penalty_add(struct penalty_book *b, const char *addr, enum penalty_time why,
    int64_t now)
{
	struct source_key key;
	struct source *s;
	char text[SOURCE_TEXT_MAX];

	if (!concerns(b, addr, &key) || b->terms.ms[why] <= 0)
		return;
	expire(b, now);
	s = sources_find(b->sources, &key);
	if (s != NULL && s->until != 0) {
		prolong(b, s, why, now);
	} else if (denies_all(b, is_v6(&key))) {
		source_text(&key, text);
		log_verbose("srclimit_penalise: %s penalty table full, cannot "
			    "penalise %s for %s",
		    family_text(&key), text, texts[why]);
	} else {
		begin(b, &key, why, now);
	}
}

const char *
penalty_reason(
    struct penalty_book *b, const char *addr, int64_t now, bool *out_first)
{
	struct source_key key;
	struct source *s;

	if (!concerns(b, addr, &key))
		return NULL;
	expire(b, now);
	s = sources_find(b->sources, &key);
	if (s != NULL && s->active) {
		*out_first = !s->told;
		s->told = true;
		return texts[s->why];
	}
	*out_first = false;
	return denies_all(b, is_v6(&key)) ? "too many penalised addresses"
					  : NULL;
}

const struct source *
penalty_next(
    struct penalty_book *b, const struct source_key *after, int64_t now)
{
	const struct source *s;

	expire(b, now);
	s = sources_next(b->sources, after);
	while (s != NULL && s->until == 0)
		s = sources_next(b->sources, &s->key);
	return s;
}

size_t
penalty_lift(struct penalty_book *b, const char *addr)
{
	struct source_key key;
	struct source *s;

	if (source_key_text(addr, &b->block, &key) != 0)
		return 0;
	s = sources_find(b->sources, &key);
	if (s == NULL || s->until == 0)
		return 0;
	lift(b, s);
	return 1;
}

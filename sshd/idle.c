/*
 * Idle channels. Runs in sshd-net; the limits are the monitor's.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"
#include "sshd/ask.h"
#include "sshd/idle.h"

#define MS 1000
#define TYPE_GLOBAL "global" /* all channels together; no pattern means it */

struct idle_limit {
	struct idle_limit *next;
	char *type; /* a pattern */
	int64_t limit;
};

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* The first that matches counts. */
static int64_t
limit_of(const struct net *n, const char *type)
{
	for (const struct idle_limit *l = n->idle_limits; l != NULL;
	     l = l->next)
		if (strcmp(l->type, TYPE_GLOBAL) != 0 &&
		    pattern_match(type, l->type, PATTERN_CASE))
			return l->limit;
	return 0;
}

void
idle_begin(struct net *n, struct idle *i, const char *type)
{
	*i = (struct idle){ .next = n->idles, .open = true, .active = true };
	n->idles = i;
	idle_retype(n, i, type);
}

void
idle_retype(struct net *n, struct idle *i, const char *type)
{
	i->limit = limit_of(n, type);
}

void
idle_touch(struct idle *i)
{
	i->active = true;
}

void
idle_end(struct net *n, struct idle *i)
{
	struct idle **at = &n->idles;

	if (!i->open)
		return;
	while (*at != i)
		at = &(*at)->next;
	*at = i->next;
	i->open = false;
	n->idle_active = true;
}

/* "type=seconds", as the monitor wrote it. */
static int
add_limit(struct idle_limit ***end, const char *word)
{
	const char *equals = strrchr(word, '=');
	struct idle_limit *l = calloc(1, sizeof(*l));

	if (l == NULL || equals == NULL) {
		free(l);
		return -ENOMEM;
	}
	l->type = strndup(word, (size_t)(equals - word));
	l->limit = (int64_t)strtoul(equals + 1, NULL, 10) * MS;
	**end = l;
	*end = &l->next;
	return l->type != NULL ? 0 : -ENOMEM;
}

int
idle_init(struct net *n, const struct msg_terms_reply *terms)
{
	struct idle_limit **end = &n->idle_limits;
	AUTOFREE char *text = strndup((const char *)terms->channel_timeouts.p,
	    terms->channel_timeouts.len);
	char *save = NULL;
	int rc = text != NULL ? 0 : -ENOMEM;

	n->unused_limit = (int64_t)terms->unused_timeout * MS;
	for (char *word = rc == 0 ? strtok_r(text, " ", &save) : NULL;
	     word != NULL && rc == 0; word = strtok_r(NULL, " ", &save))
		rc = add_limit(&end, word);
	for (const struct idle_limit *l = n->idle_limits; l != NULL;
	     l = l->next)
		if (l->type != NULL && strcmp(l->type, TYPE_GLOBAL) == 0 &&
		    n->global_limit == 0)
			n->global_limit = l->limit;
	n->idle_active = true;
	return rc;
}

static void
expire(struct net *n, struct idle *i, int64_t limit)
{
	char text[128];

	i->expired = true;
	snprintf(text, sizeof(text),
	    "closing a channel after %lld seconds of inactivity",
	    (long long)(limit / MS));
	tell_log(n, LEVEL_VERBOSE, text);
}

/* One channel's turn; when it expires, or -1. */
static int64_t
run_one(struct net *n, struct idle *i, int64_t now)
{
	if (i->active) {
		n->idle_active = true;
		i->since = now;
	}
	i->active = false;
	if (i->limit == 0 || i->expired)
		return -1;
	if (now >= i->since + i->limit) {
		expire(n, i, i->limit);
		return now;
	}
	return i->since + i->limit;
}

/* Nobody has moved a byte for too long: that is all channels' end. */
static int64_t
run_global(struct net *n, int64_t now)
{
	if (n->global_limit == 0 || n->idles == NULL)
		return -1;
	if (now < n->idle_since + n->global_limit)
		return n->idle_since + n->global_limit;
	for (struct idle *i = n->idles; i != NULL; i = i->next)
		if (!i->expired)
			expire(n, i, n->global_limit);
	return now;
}

/* A connection that has no channel, and has had none for too long. */
static int64_t
run_unused(struct net *n, int64_t now)
{
	if (n->unused_limit == 0 || n->idles != NULL || !n->terms_taken)
		return -1;
	if (now < n->idle_since + n->unused_limit)
		return n->idle_since + n->unused_limit;
	tell_log(n, LEVEL_INFO, "terminating inactive connection");
	net_leave(n, BYE_LIMIT, "inactive connection");
	return now;
}

int64_t
idle_run(struct net *n, int64_t now)
{
	int64_t next = -1;

	for (struct idle *i = n->idles; i != NULL; i = i->next)
		next = sooner(next, run_one(n, i, now));
	if (n->idle_active)
		n->idle_since = now;
	n->idle_active = false;
	next = sooner(next, run_global(n, now));
	return sooner(next, run_unused(n, now));
}

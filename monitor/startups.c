/*
 * Who may begin. Runs in sshd as root, before a byte of the client's is read.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "monitor/startups.h"

#define FULL_TEXT "Exceeded MaxStartups\r\n"
#define PENALTY_TEXT "Not allowed at this time\r\n"

void
startups_init(struct startups *s)
{
	*s = (struct startups){ .n = 0 };
	sources_init(&s->sources);
	penalty_init(&s->book, &s->sources);
}

void
startups_configure(struct startups *s, const struct options *o)
{
	s->options = o;
	penalty_configure(&s->book, o);
}

/*
 * sshd_config(5) MaxStartups: from `begin` on, refuse by chance, rising to
 * certainty at `full`.
 */
static bool
may_start(const struct startups *s)
{
	const struct max_startups *ms = &s->options->max_startups;
	unsigned begin = (unsigned)ms->begin, full = (unsigned)ms->full;
	unsigned p;

	if (s->n < begin)
		return true;
	if (s->n >= full || ms->rate == 100)
		return false;
	p = (100 - (unsigned)ms->rate) * (s->n - begin);
	p = p / (full - begin) + (unsigned)ms->rate;
	return arc4random_uniform(100) >= p;
}

static void
refuse(const struct startups *s, const struct startup *at, enum log_level level,
    const char *why, const char *text)
{
	log_about(&(struct log_about){
	    "refused", NULL, NULL, at->peer.addr, at->peer.port });
	log_at(level, "drop connection #%u from [%s]:%u on [%s]:%u %s", s->n,
	    at->peer.addr, at->peer.port, at->local.addr, at->local.port, why);
	(void)!send(at->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool
is_punished(struct startups *s, const struct startup *at, int64_t now)
{
	bool first;
	const char *why = penalty_reason(&s->book, at->peer.addr, now, &first);

	if (why == NULL)
		return false;
	refuse(s, at, first ? LEVEL_INFO : LEVEL_VERBOSE, why, PENALTY_TEXT);
	return true;
}

static bool
is_full(struct startups *s, const struct startup *at)
{
	if (may_start(s))
		return false;
	if (!s->throttling)
		log_error("beginning MaxStartups throttling");
	s->throttling = true;
	s->ndropped++;
	refuse(s, at, LEVEL_VERBOSE, "past MaxStartups", FULL_TEXT);
	return true;
}

static bool
is_source_full(
    struct startups *s, const struct startup *at, struct source *source)
{
	int most = s->options->per_source_max_startups;

	if (source == NULL || most == 0 || source->starting < (unsigned)most) {
		if (source != NULL)
			source->throttled = false;
		return false;
	}
	/* The first of a row is worth a line that everybody sees. */
	refuse(s, at, source->throttled ? LEVEL_VERBOSE : LEVEL_INFO,
	    "past PerSourceMaxStartups", FULL_TEXT);
	source->throttled = true;
	return true;
}

bool
startups_admit(struct startups *s, const struct startup *at, int64_t now,
    struct source **out_source)
{
	struct source_key key;
	struct source *source = NULL;

	if (is_punished(s, at, now) || is_full(s, at))
		return false;
	if (source_key_text(at->peer.addr,
		&s->options->per_source_net_block_size, &key) == 0) {
		source = sources_hold(&s->sources, &key);
		if (source == NULL) {
			log_error("out of memory: a connection is refused");
			return false;
		}
	}
	if (is_source_full(s, at, source)) {
		sources_release(&s->sources, source);
		return false;
	}
	s->n++;
	if (source != NULL)
		source->starting++;
	*out_source = source;
	return true;
}

void
startups_leave(struct startups *s, struct source *source)
{
	s->n--;
	if (source != NULL) {
		source->starting--;
		sources_release(&s->sources, source);
	}
	if (!s->throttling || s->n >= (unsigned)s->options->max_startups.begin)
		return;
	log_error("exited MaxStartups throttling, %u connections dropped",
	    s->ndropped);
	s->throttling = false;
	s->ndropped = 0;
}

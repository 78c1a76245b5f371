/*
 * Who may come in. Runs in omniedge-ssh-server; reads no byte of a client's.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/door.h"

#define MINUTE_MS 60000
#define FAILURES_MS 3600000 /* after which failures are forgotten */
#define SOURCES_MAX 8192    /* then who only came often is forgotten */
#define FAREWELL_MS 3000    /* for a client to read why it is refused */
#define REASON_MAX 160

/* A network is one source in IPv6: whoever has a host there has all of it. */
static const struct netblock block = { .bits4 = 32, .bits6 = 64 };

void
door_init(struct door *d, const struct door_terms *terms)
{
	*d = (struct door){ .terms = *terms };
	sources_init(&d->sources);
}

/* --- sources */

static struct source *
find(struct door *d, const char *addr)
{
	struct source_key key;

	return source_key_text(addr, &block, &key) == 0
		   ? sources_find(&d->sources, &key)
		   : NULL;
}

/* The same, made if need be; held once, for as long as it counts. */
static struct source *
find_or_make(struct door *d, const char *addr)
{
	struct source *s = find(d, addr);
	struct source_key key;

	if (s != NULL || source_key_text(addr, &block, &key) != 0)
		return s;
	return sources_hold(&d->sources, &key);
}

static bool
is_banned(const struct source *s, int64_t now)
{
	return s->banned_until > now;
}

static bool
counts(const struct source *s, int64_t now, bool only_misdeeds)
{
	bool failed = s->nfailures != 0 && now < s->first_failure + FAILURES_MS;

	return is_banned(s, now) || failed ||
	       (!only_misdeeds && now < s->minute + MINUTE_MS);
}

/* What sweep() tells each source. */
struct sweeping {
	struct door *door;
	int64_t now;
	bool only_misdeeds;
};

static void
sweep_one(void *arg, struct source *s)
{
	const struct sweeping *w = arg;

	if (!counts(s, w->now, w->only_misdeeds))
		sources_release(&w->door->sources, s);
}

static void
sweep(struct door *d, int64_t now, bool only_misdeeds)
{
	struct sweeping w = { d, now, only_misdeeds };

	sources_each(&d->sources, sweep_one, &w);
}

/* --- the refused */

static void
bid_farewell(struct door *d, size_t i)
{
	close(d->farewells[i].fd);
	d->farewells[i] = d->farewells[--d->nfarewells];
}

/*
 * SSH_MSG_DISCONNECT (RFC 4253 section 11.1) behind a version line, in clear as
 * it is before keys are: what clients show their users. A socket closed with
 * unread input takes back what was sent, so it stays open for a moment.
 */
static void
tell(struct door *d, struct startup *at, const char *text, int64_t now)
{
	AUTO(writer_done) struct writer payload = WRITER_INIT;
	AUTO(writer_done) struct writer w = WRITER_INIT;
	static const char version[] = "SSH-2.0-OmniEdge\r\n";
	unsigned pad;

	writer_u8(&payload, 1);   /* SSH_MSG_DISCONNECT */
	writer_u32(&payload, 12); /* SSH_DISCONNECT_TOO_MANY_CONNECTIONS */
	writer_cstring(&payload, text);
	writer_cstring(&payload, "");
	/* Section 6: a multiple of 8, and at least 4 bytes of padding. */
	pad = 4 + (unsigned)(8 - (payload.len + 5 + 4) % 8) % 8;
	writer_bytes(&w, version, sizeof(version) - 1);
	writer_u32(&w, (uint32_t)(payload.len + 1 + pad));
	writer_u8(&w, (uint8_t)pad);
	writer_bytes(&w, payload.p, payload.len);
	for (unsigned i = 0; i < pad; i++)
		writer_u8(&w, 0);
	if (writer_end(&payload) != 0 || writer_end(&w) != 0)
		return;
	(void)!send(at->fd, w.p, w.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(at->fd, SHUT_WR);
	if (d->nfarewells == DOOR_FAREWELLS)
		bid_farewell(d, 0);
	d->farewells[d->nfarewells].fd = take_fd(&at->fd);
	d->farewells[d->nfarewells++].until = now + FAREWELL_MS;
}

static void
report(const char *event, const struct startup *at, const char *reason)
{
	const struct log_field fields[] = {
		{ "src", at->peer.addr, 0 },
		{ "src_port", NULL, at->peer.port },
		{ "dst", at->local.addr, 0 },
		{ "dst_port", NULL, at->local.port },
		{ "reason", reason, 0 },
	};

	log_event(event, fields, nitems_of(fields) - (reason == NULL ? 1 : 0));
}

static void
report_rate(const struct startup *at, unsigned n)
{
	const struct log_field fields[] = {
		{ "src", at->peer.addr, 0 },
		{ "count", NULL, n },
	};

	log_event("RateLimitExceeded", fields, nitems_of(fields));
}

/* --- what may be refused, in this order */

static bool
is_of_networks(const struct door *d, const char *addr)
{
	const struct words *list = d->terms.networks;

	for (size_t i = 0; i < list->n; i++)
		if (cidr_match(addr, list->v[i]) == 1)
			return true;
	return list->n == 0;
}

static unsigned
seconds(int64_t ms)
{
	return (unsigned)((ms + 999) / 1000);
}

/* False with a reason; *out_first: nobody was told so in this minute yet. */
static bool
may_again(struct door *d, struct source *s, char why[REASON_MAX], int64_t now)
{
	bool fresh = s->nattempts == 0 && s->nrefused == 0;

	if (fresh || now >= s->minute + MINUTE_MS) {
		s->minute = now;
		s->nattempts = s->nrefused = 0;
	}
	if (is_banned(s, now))
		snprintf(why, REASON_MAX,
		    "banned for failed logins, %u seconds remaining",
		    seconds(s->banned_until - now));
	else if (d->terms.per_minute != 0 &&
		 s->nattempts >= d->terms.per_minute)
		snprintf(why, REASON_MAX,
		    "rate limited, retry after %u seconds",
		    seconds(s->minute + MINUTE_MS - now));
	else
		return true;
	return false;
}

static bool
turn_away(struct door *d, struct startup *at, const char *why, int64_t now)
{
	char text[REASON_MAX + 96];

	snprintf(
	    text, sizeof(text), "Not accepted from %s: %s", at->peer.addr, why);
	tell(d, at, text, now);
	return false;
}

static bool
refuse(struct door *d, struct startup *at, const char *why, int64_t now)
{
	report("ConnectionRejected", at, why);
	return turn_away(d, at, why, now);
}

/* A source that does not stop is one line a minute in the log. */
static bool
refuse_source(struct door *d, struct startup *at, struct source *s,
    const char *why, int64_t now)
{
	if (s->nrefused++ != 0)
		return turn_away(d, at, why, now);
	if (!is_banned(s, now))
		report_rate(at, s->nattempts);
	return refuse(d, at, why, now);
}

bool
door_admit(struct door *d, struct startup *at, unsigned n, int64_t now)
{
	char why[REASON_MAX];
	struct source *s;

	if (d->sources.n >= SOURCES_MAX)
		sweep(d, now, true);
	if (!is_of_networks(d, at->peer.addr)) {
		report("ConnectionAttempt", at, NULL);
		return refuse(
		    d, at, "connection not from an allowed network", now);
	}
	s = find_or_make(d, at->peer.addr);
	if (s == NULL)
		return refuse(d, at, "out of memory", now);
	if (!may_again(d, s, why, now))
		return refuse_source(d, at, s, why, now);
	s->nattempts++;
	report("ConnectionAttempt", at, NULL);
	if (n >= d->terms.most)
		return refuse(d, at, "too many concurrent connections", now);
	return true;
}

bool
door_failed(struct door *d, const char *addr, int64_t now)
{
	struct source *s = find_or_make(d, addr);

	if (s == NULL || d->terms.failures == 0 || is_banned(s, now))
		return false;
	if (s->nfailures == 0 || now >= s->first_failure + FAILURES_MS) {
		s->nfailures = 0;
		s->first_failure = now;
	}
	if (++s->nfailures < d->terms.failures)
		return false;
	s->nfailures = 0;
	s->banned_until = now + d->terms.ban_ms;
	s->nrefused = 0;
	log_info("%s is banned for %u seconds: %u failed logins", addr,
	    seconds(d->terms.ban_ms), d->terms.failures);
	return true;
}

void
door_passed(struct door *d, const char *addr)
{
	struct source *s = find(d, addr);

	if (s != NULL)
		s->nfailures = 0;
}

/* --- time */

int64_t
door_wait(const struct door *d, int64_t now)
{
	int64_t next = d->sources.n != 0 ? d->next_sweep : -1;

	for (size_t i = 0; i < d->nfarewells; i++)
		if (next < 0 || d->farewells[i].until < next)
			next = d->farewells[i].until;
	if (next < 0)
		return -1;
	return next > now ? next - now : 0;
}

void
door_tick(struct door *d, int64_t now)
{
	for (size_t i = d->nfarewells; i-- > 0;)
		if (now >= d->farewells[i].until)
			bid_farewell(d, i);
	if (now < d->next_sweep)
		return;
	d->next_sweep = now + MINUTE_MS;
	sweep(d, now, false);
}

static void
release(void *arg, struct source *s)
{
	sources_release(arg, s);
}

void
door_done(struct door *d)
{
	while (d->nfarewells != 0)
		bid_farewell(d, 0);
	sources_each(&d->sources, release, &d->sources);
}

/*
 * Options about where connections come from: PerSource*. Used by sshd, which
 * counts and refuses by them; words come from configuration.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/option_impl.h"
#include "common/own.h"
#include "common/pattern.h"

#define BITS4_MAX 32
#define BITS6_MAX 128
#define SOURCES_DEFAULT 65536
#define GIVEN_SWITCH (1u << 31) /* yes or no; lower bits: rows of settings */

static int
limit_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	uint64_t n = 0;

	if (strcasecmp(word, "none") != 0 &&
	    (option_number(word, INT32_MAX, &n) != 0 || n == 0))
		return option_bad(in, why,
		    "\"%.64s\" is not none or a number from 1 on", word);
	*(int *)out = (int)n;
	return 0;
}

static int
limit_print(const struct option *row, const void *value, FILE *out)
{
	int n = *(const int *)value;

	option_print_keyword(row, out);
	if (n == 0)
		fputs(" none\n", out);
	else
		fprintf(out, " %d\n", n);
	return 0;
}

static int
netblock_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	AUTOFREE char *copy = strdup(word);
	char *v6 = copy, *v4 = copy != NULL ? strsep(&v6, ":") : NULL;
	uint64_t bits4, bits6 = BITS6_MAX;

	if (copy == NULL)
		return -ENOMEM;
	if (option_number(v4, BITS4_MAX, &bits4) != 0 ||
	    (v6 != NULL && option_number(v6, BITS6_MAX, &bits6) != 0))
		return option_bad(in, why,
		    "\"%.64s\" is not BITS or BITS:BITS, of IPv4 up to %d and "
		    "of IPv6 up to %d",
		    word, BITS4_MAX, BITS6_MAX);
	*(struct netblock *)out = (struct netblock){ (int)bits4, (int)bits6 };
	return 0;
}

static int
netblock_print(const struct option *row, const void *value, FILE *out)
{
	const struct netblock *n = value;

	option_print_keyword(row, out);
	fprintf(out, " %d:%d\n", n->bits4, n->bits6);
	return 0;
}

/* --- PerSourcePenalties */

/* One word of the line is name:value. Durations come first, then the rest. */
static const struct {
	const char *name;
	int64_t def; /* milliseconds; sources */
} settings[PENALTY_TIMES + PENALTY_LIMITS] = {
	[PENALTY_CRASH] = { "crash", 90000 },
	[PENALTY_AUTHFAIL] = { "authfail", 5000 },
	[PENALTY_NOAUTH] = { "noauth", 1000 },
	[PENALTY_INVALIDUSER] = { "invaliduser", 5000 },
	[PENALTY_GRACE_EXCEEDED] = { "grace-exceeded", 10000 },
	[PENALTY_REFUSECONNECTION] = { "refuseconnection", 10000 },
	[PENALTY_MAX] = { "max", 600000 },
	[PENALTY_MIN] = { "min", 15000 },
	[PENALTY_TIMES +
	    PENALTY_SOURCES4] = { "max-sources4", SOURCES_DEFAULT },
	[PENALTY_TIMES +
	    PENALTY_SOURCES6] = { "max-sources6", SOURCES_DEFAULT },
	[PENALTY_TIMES + PENALTY_DENY_ALL4] = { "overflow", 0 },
	[PENALTY_TIMES + PENALTY_DENY_ALL6] = { "overflow6", 0 },
};

/*
 * A time of sshd_config(5), of which a last number in seconds may have a
 * fraction: 1.5, 2m0.5s. What is below a millisecond is dropped.
 */
static int
duration_read(const char *text, int64_t *out_ms)
{
	static const char units[] = "smhdw";
	static const int64_t ms[] = { 1000, 60000, 3600000, 86400000,
		604800000 };
	int64_t sum = 0;

	if (*text == '\0')
		return -EBADMSG;
	while (*text != '\0') {
		size_t digits = strspn(text, "0123456789");
		const char *unit = units;
		int64_t n = 0, scale = 100;
		bool fraction = text[digits] == '.';

		/* 9 digits: no product with a unit overflows. */
		if (digits == 0 || digits > 9)
			return -EBADMSG;
		for (; digits > 0; digits--)
			n = n * 10 + (*text++ - '0');
		n *= 1000;
		if (fraction && strspn(text + 1, "0123456789") == 0)
			return -EBADMSG;
		for (text += fraction; fraction && *text >= '0' && *text <= '9';
		     text++, scale /= 10)
			n += (*text - '0') * scale;
		if (*text != '\0')
			unit = strchr(units, *text++ | ('a' - 'A'));
		if (unit == NULL || *unit == '\0' ||
		    (fraction && unit != units))
			return -EBADMSG;
		sum += n / 1000 * ms[unit - units] + n % 1000;
		if (sum / 1000 > OPTION_TIME_MAX)
			return -EBADMSG;
	}
	*out_ms = sum;
	return 0;
}

static void
penalties_init(struct penalties *p)
{
	*p = (struct penalties){ .on = true };
	for (size_t i = 0; i < PENALTY_TIMES; i++)
		p->ms[i] = settings[i].def;
	for (size_t i = 0; i < PENALTY_LIMITS; i++)
		p->limit[i] = (int)settings[PENALTY_TIMES + i].def;
}

static bool
was_given(const struct penalties *p, size_t setting)
{
	return (p->given & 1u << setting) != 0;
}

/* IPv6 overflows like IPv4, unless something else was said. */
static void
penalties_settle(struct penalties *p)
{
	if (!was_given(p, PENALTY_TIMES + PENALTY_DENY_ALL6))
		p->limit[PENALTY_DENY_ALL6] = p->limit[PENALTY_DENY_ALL4];
}

/* The value of setting number i. */
static int
setting_read(struct penalties *p, size_t i, const char *text)
{
	uint64_t n = 0;

	if (i < PENALTY_TIMES)
		return duration_read(text, &p->ms[i]);
	i -= PENALTY_TIMES;
	if (i < PENALTY_DENY_ALL4) {
		if (option_number(text, INT32_MAX, &n) != 0 || n == 0)
			return -EBADMSG;
	} else if (strcasecmp(text, "deny-all") == 0) {
		n = 1;
	} else if (strcasecmp(text, "permissive") != 0) {
		return -EBADMSG;
	}
	p->limit[i] = (int)n;
	return 0;
}

static int
setting_parse(struct penalties *p, const struct option_in *in, const char *word,
    char why[OPTION_WHY_MAX])
{
	const char *colon = strchrnul(word, ':');
	size_t len = (size_t)(colon - word), i = 0;

	while (i < nitems_of(settings) &&
	       (strlen(settings[i].name) != len ||
		   strncasecmp(word, settings[i].name, len) != 0))
		i++;
	if (i == nitems_of(settings) || *colon == '\0')
		return option_bad(in, why,
		    "\"%.64s\" is not yes, no, or one of crash, authfail, "
		    "noauth, invaliduser, grace-exceeded, refuseconnection, "
		    "max, min, max-sources4, max-sources6, overflow and "
		    "overflow6 with a value, as in crash:2m",
		    word);
	if (was_given(p, i))
		return 0; /* the first counts */
	if (setting_read(p, i, colon + 1) != 0)
		return option_bad(in, why, "\"%.64s\": %s", word,
		    i < PENALTY_TIMES ? "not a time such as 90, 1.5, 10m or "
					"1h30m"
		    : i < PENALTY_TIMES + PENALTY_DENY_ALL4
			? "not a number from 1 on"
			: "not permissive or deny-all");
	p->given |= 1u << i;
	return 0;
}

static int
penalties_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const struct words *w = in->words;
	struct penalties p;
	int rc = 0;

	penalties_init(&p);
	if (option_listed(w->v[0], "yes no")) {
		if (w->n > 1)
			return option_bad(
			    in, why, "%s has to stand alone", w->v[0]);
		p.on = strcasecmp(w->v[0], "yes") == 0;
		p.given = GIVEN_SWITCH;
	} else {
		for (size_t i = 0; i < w->n && rc == 0; i++)
			rc = setting_parse(&p, in, w->v[i], why);
	}
	if (rc != 0)
		return rc;
	penalties_settle(&p);
	*(struct penalties *)out = p;
	return 0;
}

/* Of each setting the first counts, and each setting turns penalties on. */
static int
penalties_merge(void *into, void *from)
{
	struct penalties *a = into, *b = from;

	for (size_t i = 0; i < nitems_of(settings); i++) {
		if (was_given(a, i) || !was_given(b, i))
			continue;
		if (i < PENALTY_TIMES)
			a->ms[i] = b->ms[i];
		else
			a->limit[i - PENALTY_TIMES] =
			    b->limit[i - PENALTY_TIMES];
		a->on = true;
	}
	a->given |= b->given;
	penalties_settle(a);
	return 0;
}

/* As OpenSSH prints them: all, with six digits behind the point. */
static int
penalties_print(const struct option *row, const void *value, FILE *out)
{
	const struct penalties *p = value;

	option_print_keyword(row, out);
	for (size_t i = 0; i < PENALTY_TIMES && p->on; i++)
		fprintf(out, " %s:%lld.%03lld000", settings[i].name,
		    (long long)p->ms[i] / 1000, (long long)p->ms[i] % 1000);
	for (size_t i = 0; i < PENALTY_LIMITS && p->on; i++) {
		fprintf(out, " %s:", settings[PENALTY_TIMES + i].name);
		if (i < PENALTY_DENY_ALL4)
			fprintf(out, "%d", p->limit[i]);
		else
			fputs(
			    p->limit[i] != 0 ? "deny-all" : "permissive", out);
	}
	fputs(p->on ? "\n" : " no\n", out);
	return 0;
}

/* --- PerSourcePenaltyExemptList */

static int
peers_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];

	if (strcasecmp(word, "none") != 0 && pattern_peer_check(word) != 0)
		return option_bad(in, why,
		    "\"%.64s\" is not a list of addresses and networks, such "
		    "as 192.0.2.1,198.51.100.0/24,2001:db8::/32",
		    word);
	return option_type_string.parse(in, out, why);
}

static int
peers_print(const struct option *row, const void *value, FILE *out)
{
	return option_type_string.print(row, value, out);
}

static void
peers_done(void *value)
{
	option_type_string.done(value);
}

const struct option_type option_type_limit = { 1, 1, sizeof(int), limit_parse,
	NULL, limit_print, NULL };
const struct option_type option_type_netblock = { 1, 1, sizeof(struct netblock),
	netblock_parse, NULL, netblock_print, NULL };
const struct option_type option_type_penalties = { 1, 0,
	sizeof(struct penalties), penalties_parse, penalties_merge,
	penalties_print, NULL };
const struct option_type option_type_peers = { 1, 1, sizeof(char *),
	peers_parse, NULL, peers_print, peers_done };

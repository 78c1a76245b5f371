/*
 * Options whose value is a number, a choice, a time or a few of them. Used by
 * sshd and sshd-monitor; words come from configuration.
 */
#include "config.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <syslog.h>

#include "common/err.h"
#include "common/key.h"
#include "common/log.h"
#include "common/option_impl.h"
#include "common/own.h"

/* Less data than this between two key exchanges is no use. */
#define REKEY_BYTES_MIN 16

const struct option_choice option_choices_family[] = {
	{ "any", AF_UNSPEC },
	{ "inet", AF_INET },
	{ "inet6", AF_INET6 },
	{ NULL, 0 },
};

const struct option_choice option_choices_compression[] = {
	{ "no", 0 },
	{ "yes", 1 },
	{ "delayed", 1 },
	{ NULL, 0 },
};

const struct option_choice option_choices_hash[] = {
	{ "SHA256", KEY_HASH_SHA256 },
	{ "MD5", KEY_HASH_MD5 },
	{ NULL, 0 },
};

const struct option_choice option_choices_root[] = {
	{ "yes", ROOT_YES },
	{ "no", ROOT_NO },
	/* The old name first: it is what sshd -T has always said. */
	{ "without-password", ROOT_NO_PASSWORD },
	{ "prohibit-password", ROOT_NO_PASSWORD },
	{ "forced-commands-only", ROOT_FORCED_COMMANDS },
	{ NULL, 0 },
};

const struct option_choice option_choices_rhosts[] = {
	{ "yes", 1 },
	{ "no", 0 },
	{ "shosts-only", 2 },
	{ NULL, 0 },
};

const struct option_choice option_choices_forward[] = {
	{ "yes", FORWARD_YES },
	{ "all", FORWARD_YES },
	{ "no", FORWARD_NO },
	{ "local", FORWARD_LOCAL },
	{ "remote", FORWARD_REMOTE },
	{ NULL, 0 },
};

const struct option_choice option_choices_gateway[] = {
	{ "no", GATEWAY_NO },
	{ "yes", GATEWAY_YES },
	{ "clientspecified", GATEWAY_CLIENT },
	{ NULL, 0 },
};

const struct option_choice option_choices_tunnel[] = {
	{ "yes", TUNNEL_YES },
	{ "no", TUNNEL_NO },
	{ "point-to-point", TUNNEL_POINT_TO_POINT },
	{ "ethernet", TUNNEL_ETHERNET },
	{ NULL, 0 },
};

const struct option_choice option_choices_facility[] = {
	{ "DAEMON", LOG_DAEMON },
	{ "USER", LOG_USER },
	{ "AUTH", LOG_AUTH },
	{ "AUTHPRIV", LOG_AUTHPRIV },
	{ "LOCAL0", LOG_LOCAL0 },
	{ "LOCAL1", LOG_LOCAL1 },
	{ "LOCAL2", LOG_LOCAL2 },
	{ "LOCAL3", LOG_LOCAL3 },
	{ "LOCAL4", LOG_LOCAL4 },
	{ "LOCAL5", LOG_LOCAL5 },
	{ "LOCAL6", LOG_LOCAL6 },
	{ "LOCAL7", LOG_LOCAL7 },
	{ NULL, 0 },
};

const struct option_choice option_choices_level[] = {
	{ "QUIET", LEVEL_QUIET },
	{ "FATAL", LEVEL_FATAL },
	{ "ERROR", LEVEL_ERROR },
	{ "INFO", LEVEL_INFO },
	{ "VERBOSE", LEVEL_VERBOSE },
	{ "DEBUG", LEVEL_DEBUG },
	{ "DEBUG1", LEVEL_DEBUG },
	{ "DEBUG2", LEVEL_DEBUG2 },
	{ "DEBUG3", LEVEL_DEBUG3 },
	{ NULL, 0 },
};

static const struct option_choice pubkey_options[] = {
	{ "none", 0 },
	{ "touch-required", PUBKEY_TOUCH_REQUIRED },
	{ "verify-required", PUBKEY_VERIFY_REQUIRED },
	{ NULL, 0 },
};

int
option_number(const char *text, uint64_t max, uint64_t *out_number)
{
	uint64_t n = 0;

	if (*text == '\0')
		return -EBADMSG;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)*text - '0';

		if (digit > 9 || n > max / 10 || n * 10 > max - digit)
			return -EBADMSG;
		n = n * 10 + digit;
	}
	*out_number = n;
	return 0;
}

static const struct option_choice *
choice_find(const struct option_choice *c, const char *name)
{
	for (; c->name != NULL; c++)
		if (strcasecmp(c->name, name) == 0)
			return c;
	return NULL;
}

/* "... is not yes, no or maybe" */
static int
choice_bad(const struct option_in *in, const char *word,
    const struct option_choice *c, char why[OPTION_WHY_MAX])
{
	char names[OPTION_WHY_MAX] = "";
	size_t len = 0;

	for (size_t i = 0; c[i].name != NULL && len < sizeof(names); i++) {
		const char *before = i == 0                  ? ""
				     : c[i + 1].name == NULL ? " or "
							     : ", ";

		len += (size_t)snprintf(names + len, sizeof(names) - len,
		    "%s%s", before, c[i].name);
	}
	return option_bad(in, why, "\"%.64s\" is not %s", word, names);
}

static int
choice_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	const struct option_choice *c = choice_find(in->row->choices, word);

	if (c == NULL)
		return choice_bad(in, word, in->row->choices, why);
	*(int *)out = c->value;
	return 0;
}

static int
choice_print(const struct option *row, const void *value, FILE *out)
{
	const struct option_choice *c = row->choices;

	while (c->name != NULL && c->value != *(const int *)value)
		c++;
	option_print_keyword(row, out);
	fprintf(out, " %s\n", c->name != NULL ? c->name : "");
	return 0;
}

static int
flag_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	bool yes = strcasecmp(word, "yes") == 0;

	if (!yes && strcasecmp(word, "no") != 0)
		return option_bad(in, why, "\"%.64s\" is not yes or no", word);
	*(bool *)out = yes;
	return 0;
}

static int
flag_print(const struct option *row, const void *value, FILE *out)
{
	option_print_keyword(row, out);
	fprintf(out, " %s\n", *(const bool *)value ? "yes" : "no");
	return 0;
}

static int
int_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const struct option *row = in->row;
	uint64_t n;

	if (option_number(in->words->v[0], (uint64_t)row->max, &n) != 0 ||
	    n < (uint64_t)row->min)
		return option_bad(in, why,
		    "\"%.64s\" is not a number from %d to %d", in->words->v[0],
		    row->min, row->max);
	*(int *)out = (int)n;
	return 0;
}

static int
int_print(const struct option *row, const void *value, FILE *out)
{
	option_print_keyword(row, out);
	fprintf(out, " %d\n", *(const int *)value);
	return 0;
}

static int
octal_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	long n = -1;

	if (strspn(word, "01234567") == strlen(word) && strlen(word) < 8)
		n = strtol(word, NULL, 8);
	if (n < in->row->min || n > in->row->max)
		return option_bad(in, why, "\"%.64s\" is not octal, up to %o",
		    word, (unsigned)in->row->max);
	*(int *)out = (int)n;
	return 0;
}

static int
octal_print(const struct option *row, const void *value, FILE *out)
{
	option_print_keyword(row, out);
	fprintf(out, " 0%o\n", *(const unsigned *)value);
	return 0;
}

/* TIME FORMATS of sshd_config(5): a number, or numbers with units. */
int
option_time(const char *text, int *out_seconds)
{
	static const char units[] = "smhdw";
	static const int seconds[] = { 1, 60, 3600, 86400, 604800 };
	int64_t sum = 0;

	if (*text == '\0')
		return -EBADMSG;
	while (*text != '\0') {
		size_t digits = strspn(text, "0123456789");
		char number[16] = "";
		uint64_t n;
		const char *unit = units;

		if (digits == 0 || digits >= sizeof(number))
			return -EBADMSG;
		memcpy(number, text, digits);
		if (option_number(number, OPTION_TIME_MAX, &n) != 0)
			return -EBADMSG;
		text += digits;
		if (*text != '\0')
			unit = strchr(units, *text++ | ('a' - 'A'));
		if (unit == NULL)
			return -EBADMSG;
		sum += (int64_t)n * seconds[unit - units];
		if (sum > OPTION_TIME_MAX)
			return -EBADMSG;
	}
	*out_seconds = (int)sum;
	return 0;
}

static int
time_bad(const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	return option_bad(in, why,
	    "\"%.64s\" is not a time such as 90, 90s, 10m or 1h30m", word);
}

static int
time_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	if (option_time(in->words->v[0], out) != 0)
		return time_bad(in, in->words->v[0], why);
	return 0;
}

static int
timeout_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	if (strcasecmp(in->words->v[0], "none") != 0)
		return time_parse(in, out, why);
	*(int *)out = 0;
	return 0;
}

static int
timeout_print(const struct option *row, const void *value, FILE *out)
{
	if (*(const int *)value != 0)
		return int_print(row, value, out);
	option_print_keyword(row, out);
	fputs(" none\n", out);
	return 0;
}

/* Numbers with colons between them, at most max of them. */
static int
numbers_read(const char *text, size_t max, uint64_t *out_v, size_t *out_n)
{
	AUTOFREE char *copy = strdup(text);
	char *rest = copy, *part;
	size_t n = 0;

	if (copy == NULL)
		return -ENOMEM;
	while ((part = strsep(&rest, ":")) != NULL) {
		if (n == max ||
		    option_number(part, OPTION_TIME_MAX, &out_v[n]) != 0)
			return -EBADMSG;
		n++;
	}
	*out_n = n;
	return 0;
}

/* "begin:rate:full", or one number for a limit without a slope. */
static int
startups_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	uint64_t v[3] = { 0 };
	size_t n = 0;
	int rc = numbers_read(word, nitems_of(v), v, &n);

	if (rc == -ENOMEM)
		return rc;
	if (n == 1) {
		v[1] = 100;
		v[2] = v[0];
	}
	if (rc != 0 || n == 2 || v[0] < 1 || v[0] > v[2] || v[1] < 1 ||
	    v[1] > 100)
		return option_bad(in, why,
		    "\"%.64s\" is not START:RATE:FULL (connections, percent, "
		    "connections) or one number",
		    word);
	*(struct max_startups *)out =
	    (struct max_startups){ (int)v[0], (int)v[1], (int)v[2] };
	return 0;
}

static int
startups_print(const struct option *row, const void *value, FILE *out)
{
	const struct max_startups *s = value;

	option_print_keyword(row, out);
	fprintf(out, " %d:%d:%d\n", s->begin, s->rate, s->full);
	return 0;
}

/* A number with a unit of 1024, or "default" for 0. */
static int
rekey_bytes(const char *word, uint64_t *out_bytes)
{
	static const char units[] = "kmgtpe";
	size_t digits = strspn(word, "0123456789");
	char number[24] = "";
	const char *unit;
	unsigned shift = 0;

	if (strcasecmp(word, "default") == 0) {
		*out_bytes = 0;
		return 0;
	}
	if (digits == 0 || digits >= sizeof(number) ||
	    strlen(word) > digits + 1)
		return -EBADMSG;
	memcpy(number, word, digits);
	if (word[digits] != '\0') {
		unit = strchr(units, word[digits] | ('a' - 'A'));
		if (unit == NULL)
			return -EBADMSG;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (option_number(number, INT64_MAX >> shift, out_bytes) != 0)
		return -EBADMSG;
	*out_bytes <<= shift;
	return *out_bytes == 0 || *out_bytes >= REKEY_BYTES_MIN ? 0 : -EBADMSG;
}

static int
rekey_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	struct rekey_limit limit = { 0, 0 };
	const struct words *w = in->words;

	if (rekey_bytes(w->v[0], &limit.bytes) != 0)
		return option_bad(in, why,
		    "\"%.64s\" is not \"default\" or an amount such as 512M "
		    "or 1G, at least %d",
		    w->v[0], REKEY_BYTES_MIN);
	if (w->n > 1 && strcasecmp(w->v[1], "none") != 0 &&
	    option_time(w->v[1], &limit.seconds) != 0)
		return time_bad(in, w->v[1], why);
	*(struct rekey_limit *)out = limit;
	return 0;
}

static int
rekey_print(const struct option *row, const void *value, FILE *out)
{
	const struct rekey_limit *limit = value;

	option_print_keyword(row, out);
	fprintf(out, " %llu %d\n", (unsigned long long)limit->bytes,
	    limit->seconds);
	return 0;
}

static int
pubkeyopts_parse(
    const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	unsigned bits = 0;

	for (size_t i = 0; i < in->words->n; i++) {
		const char *word = in->words->v[i];
		const struct option_choice *c =
		    choice_find(pubkey_options, word);

		if (c == NULL)
			return choice_bad(in, word, pubkey_options, why);
		bits |= (unsigned)c->value;
	}
	*(unsigned *)out = bits;
	return 0;
}

static int
pubkeyopts_print(const struct option *row, const void *value, FILE *out)
{
	unsigned bits = *(const unsigned *)value;

	option_print_keyword(row, out);
	if (bits == 0)
		fputs(" none", out);
	for (const struct option_choice *c = pubkey_options; c->name != NULL;
	     c++)
		if ((bits & (unsigned)c->value) != 0)
			fprintf(out, " %s", c->name);
	fputc('\n', out);
	return 0;
}

const struct option_type option_type_flag = { 1, 1, sizeof(bool), flag_parse,
	NULL, flag_print, NULL };
const struct option_type option_type_choice = { 1, 1, sizeof(int), choice_parse,
	NULL, choice_print, NULL };
const struct option_type option_type_int = { 1, 1, sizeof(int), int_parse, NULL,
	int_print, NULL };
const struct option_type option_type_octal = { 1, 1, sizeof(int), octal_parse,
	NULL, octal_print, NULL };
const struct option_type option_type_time = { 1, 1, sizeof(int), time_parse,
	NULL, int_print, NULL };
const struct option_type option_type_timeout = { 1, 1, sizeof(int),
	timeout_parse, NULL, timeout_print, NULL };
const struct option_type option_type_startups = { 1, 1,
	sizeof(struct max_startups), startups_parse, NULL, startups_print,
	NULL };
const struct option_type option_type_rekey = { 1, 2, sizeof(struct rekey_limit),
	rekey_parse, NULL, rekey_print, NULL };
const struct option_type option_type_pubkeyopts = { 1, 0, sizeof(unsigned),
	pubkeyopts_parse, NULL, pubkeyopts_print, NULL };

/*
 * Values of the types of keyword.def. Runs as the user, on their own text.
 */
#include "config.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/sshconf_value.h"
#include "client/target.h"
#include "common/err.h"
#include "common/option_algs.h"
#include "common/own.h"
#include "common/pattern.h"

#define CHOICE_MAX 64 /* bytes of one choice, with its NUL */

/* Which names an ALGS row may have; its choices say which. */
static const struct {
	const char *kind;
	const char *known;
} algs_known[] = {
	{ "CIPHERS", OPTION_KNOWN_CIPHERS },
	{ "MACS", OPTION_KNOWN_MACS },
	{ "KEX", OPTION_KNOWN_KEX },
	{ "KEYS", OPTION_KNOWN_KEYS },
};

long
sshconf_seconds(const char *text)
{
	static const struct {
		char letter;
		long seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 } };
	long total = 0;

	if (*text == '\0')
		return -1;
	while (*text != '\0') {
		char *end;
		long n, each = 1;

		if (!isdigit((unsigned char)*text))
			return -1;
		n = strtol(text, &end, 10);
		for (size_t i = 0; i < nitems_of(units) && *end != '\0'; i++)
			if (tolower((unsigned char)*end) == units[i].letter)
				each = units[i].seconds;
		if (*end != '\0' && strchr("smhdwSMHDW", *end) == NULL)
			return -1;
		if (n > (INT_MAX - total) / each)
			return -1;
		total += n * each;
		text = *end != '\0' ? end + 1 : end;
	}
	return total;
}

int
sshconf_bytes(const char *text, uint64_t *out)
{
	static const char units[] = "kmgtpe";
	const char *unit;
	unsigned shift = 0;
	uint64_t n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EBADMSG;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0)
		return -EBADMSG;
	if (*end != '\0') {
		unit = strchr(units, tolower((unsigned char)*end));
		if (unit == NULL || end[1] != '\0')
			return -EBADMSG;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (n > UINT64_MAX >> shift)
		return -EBADMSG;
	*out = n << shift;
	return 0;
}

static int
bad(const char *name, const char *text, const char *want, char *why)
{
	snprintf(
	    why, SSHCONF_WHY_MAX, "%s: \"%.80s\" is not %s", name, text, want);
	return -EBADMSG;
}

static int
parse_flag(const struct value_row *row, const char *word, long *out, char *why)
{
	if (strcasecmp(word, "yes") == 0 || strcasecmp(word, "true") == 0)
		*out = 1;
	else if (strcasecmp(word, "no") == 0 || strcasecmp(word, "false") == 0)
		*out = 0;
	else
		return bad(row->name, word, "yes or no", why);
	return 0;
}

/* A choice is a name, a pattern, or stands for a kind of words. */
static bool
is_choice(const char *word, const char *choice)
{
	char *end;

	if (strcmp(choice, "TIME") == 0)
		return sshconf_seconds(word) >= 0;
	if (strcmp(choice, "NUMBER") == 0)
		return isdigit((unsigned char)*word) &&
		       (strtoul(word, &end, 0), *end == '\0');
	return pattern_match(word, choice, PATTERN_NOCASE);
}

static int
parse_choice(
    const struct value_row *row, const char *word, long *out, char *why)
{
	const char *name = row->choices;

	if (strcasecmp(word, "true") == 0)
		word = "yes";
	if (strcasecmp(word, "false") == 0)
		word = "no";
	for (long i = 0; *name != '\0'; i++) {
		size_t len = strcspn(name, "|");
		char choice[CHOICE_MAX];

		snprintf(choice, sizeof(choice), "%.*s", (int)len, name);
		if (is_choice(word, choice)) {
			*out = i;
			return 0;
		}
		name += len + (name[len] == '|');
	}
	snprintf(why, SSHCONF_WHY_MAX, "%s: \"%.80s\" is none of %s", row->name,
	    word, row->choices);
	return -EBADMSG;
}

static int
parse_int(const struct value_row *row, const char *word, long *out, char *why)
{
	char *end, want[64];
	long low = strtol(row->choices, &end, 10);
	long high = strtol(end + 1, NULL, 10);
	long n = strtol(word, &end, 10);

	if (isdigit((unsigned char)*word) && *end == '\0' && n >= low &&
	    n <= high) {
		*out = n;
		return 0;
	}
	snprintf(want, sizeof(want), "a number from %ld to %ld", low, high);
	return bad(row->name, word, want, why);
}

static int
parse_port(const struct value_row *row, const char *word, long *out, char *why)
{
	int port = target_port(word);

	if (port == 0)
		return bad(row->name, word,
		    "a number from 1 to 65535, nor the name of a TCP service",
		    why);
	*out = port;
	return 0;
}

static int
parse_time(const struct value_row *row, const char *word, long *out, char *why)
{
	long n = strcasecmp(word, "none") == 0 ? 0 : sshconf_seconds(word);

	if (n < 0)
		return bad(row->name, word, "a time, as 90 or 1m30s", why);
	*out = n;
	return 0;
}

static int
check_algs(const struct value_row *row, const char *word, char *why)
{
	char reason[OPTION_WHY_MAX];

	for (size_t i = 0; i < nitems_of(algs_known); i++) {
		if (strcmp(algs_known[i].kind, row->choices) != 0)
			continue;
		if (option_algs_check(word, algs_known[i].known, reason) == 0)
			return 0;
		snprintf(why, SSHCONF_WHY_MAX, "%s: %s", row->name, reason);
	}
	return -EBADMSG;
}

static int
parse_list(const struct value_row *row, const struct words *words, char *why)
{
	long place;
	int rc = 0;

	if (row->choices == NULL)
		return 0;
	for (size_t i = 0; i < words->n && rc == 0; i++)
		rc = parse_choice(row, words->v[i], &place, why);
	return rc;
}

char *
value_join(const struct words *w)
{
	size_t len = 1;
	char *out;

	for (size_t i = 0; i < w->n; i++)
		len += strlen(w->v[i]) + 1;
	out = malloc(len);
	if (out == NULL)
		return NULL;
	*out = '\0';
	for (size_t i = 0; i < w->n; i++) {
		if (i != 0)
			strlcat(out, " ", len);
		strlcat(out, w->v[i], len);
	}
	return out;
}

bool
value_is_list(const struct value_row *row)
{
	return row->type == TYPE_LIST || row->type == TYPE_EACH ||
	       row->type == TYPE_MANY;
}

bool
value_is_rest(const struct value_row *row)
{
	return row->type == TYPE_REST || row->type == TYPE_NREST;
}

static int
check_count(const struct value_row *row, const struct lex_line *line, char *why)
{
	if (line->words.n == 0 || *line->words.v[0] == '\0') {
		snprintf(
		    why, SSHCONF_WHY_MAX, "%s: a value is missing", row->name);
		return -EBADMSG;
	}
	if (!value_is_list(row) && !value_is_rest(row) && line->words.n > 1) {
		snprintf(why, SSHCONF_WHY_MAX,
		    "%s: \"%.80s\" is one word too many", row->name,
		    line->words.v[1]);
		return -EBADMSG;
	}
	return 0;
}

int
value_check(const struct value_row *row, const struct lex_line *line,
    long *out_number, char why[SSHCONF_WHY_MAX])
{
	const struct words *words = &line->words;
	int rc = check_count(row, line, why);

	if (rc != 0)
		return rc;
	switch (row->type) {
	case TYPE_FLAG:
		return parse_flag(row, words->v[0], out_number, why);
	case TYPE_CHOICE:
		return parse_choice(row, words->v[0], out_number, why);
	case TYPE_INT:
		return parse_int(row, words->v[0], out_number, why);
	case TYPE_PORT:
		return parse_port(row, words->v[0], out_number, why);
	case TYPE_TIME:
		return parse_time(row, words->v[0], out_number, why);
	case TYPE_ALGS:
		return check_algs(row, words->v[0], why);
	case TYPE_LIST:
		return parse_list(row, words, why);
	default:
		return 0;
	}
}

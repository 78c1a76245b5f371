/*
 * The table of keywords and what is a loop over it: taking a setting,
 * defaults, omniedge ssh -G. Runs as the user, on their own files.
 */
#include "config.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/sshconf.h"
#include "common/err.h"
#include "common/nearest.h"
#include "common/option_algs.h"
#include "common/own.h"
#include "common/pattern.h"

enum kw_type {
	TYPE_FLAG,
	TYPE_CHOICE,
	TYPE_INT,
	TYPE_TIME,
	TYPE_WORD,
	TYPE_NWORD,
	TYPE_REST,
	TYPE_NREST,
	TYPE_LIST,
	TYPE_EACH,
	TYPE_MANY,
	TYPE_ALGS,
};

struct kw_row {
	const char *name;
	enum kw_type type;
	const char *choices;
	const char *def;
	const char *help;
};

enum other_policy {
	OTHER_LIKE,
	OTHER_WITHOUT,
	OTHER_WARNED,
	OTHER_REFUSED
};

/* A keyword without a row of its own. */
struct other_row {
	const char *name;
	enum other_policy policy;
	enum keyword id;
	const char *harmless;
	const char *why;
};

static const struct kw_row rows[KW_COUNT] = {
#define KEY(id, name, type, choices, def, help) \
	[KW_##id] = { name, TYPE_##type, choices, def, help },
#define LIKE(name, id, help)
#define WITHOUT(name, why)
#define WARNED(name, harmless, why)
#define REFUSED(name, harmless, why)
#include "client/keyword.def"
#undef KEY
#undef LIKE
#undef WITHOUT
#undef WARNED
#undef REFUSED
};

static const struct other_row others[] = {
#define KEY(id, name, type, choices, def, help)
#define LIKE(name, id, help) { name, OTHER_LIKE, KW_##id, NULL, help },
#define WITHOUT(name, why) { name, OTHER_WITHOUT, KW_COUNT, NULL, why },
#define WARNED(name, harmless, why) \
	{ name, OTHER_WARNED, KW_COUNT, harmless, why },
#define REFUSED(name, harmless, why) \
	{ name, OTHER_REFUSED, KW_COUNT, harmless, why },
#include "client/keyword.def"
};

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

struct slot {
	bool set;
	long number;
	char *text;
	struct words list;
};

struct sshconf {
	struct slot slots[KW_COUNT];
};

struct sshconf *
sshconf_new(void)
{
	return calloc(1, sizeof(struct sshconf));
}

void
sshconf_free(struct sshconf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < KW_COUNT; i++) {
		free(c->slots[i].text);
		words_done(&c->slots[i].list);
	}
	free(c);
}

void
sshconf_done(struct sshconf **c)
{
	sshconf_free(*c);
}

int
sshconf_copy(const struct sshconf *from, struct sshconf **out_copy)
{
	AUTO(sshconf_done) struct sshconf *c = sshconf_new();
	int rc = c != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < KW_COUNT && rc == 0; i++) {
		const struct slot *in = &from->slots[i];
		struct slot *out = &c->slots[i];

		out->set = in->set;
		out->number = in->number;
		if (in->text != NULL && (out->text = strdup(in->text)) == NULL)
			rc = -ENOMEM;
		for (size_t j = 0; j < in->list.n && rc == 0; j++)
			rc = words_add(&out->list, in->list.v[j]);
	}
	if (rc == 0)
		*out_copy = take_ptr(&c);
	return rc;
}

const char *
sshconf_name(enum keyword kw)
{
	return rows[kw].name;
}

/* --- values */

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

static int
bad(const char *name, const char *text, const char *want, char *why)
{
	snprintf(
	    why, SSHCONF_WHY_MAX, "%s: \"%.80s\" is not %s", name, text, want);
	return -EBADMSG;
}

static int
parse_flag(const struct kw_row *row, const char *word, long *out, char *why)
{
	if (strcasecmp(word, "yes") == 0 || strcasecmp(word, "true") == 0)
		*out = 1;
	else if (strcasecmp(word, "no") == 0 || strcasecmp(word, "false") == 0)
		*out = 0;
	else
		return bad(row->name, word, "yes or no", why);
	return 0;
}

static int
parse_choice(const struct kw_row *row, const char *word, long *out, char *why)
{
	const char *name = row->choices;

	if (strcasecmp(word, "true") == 0)
		word = "yes";
	if (strcasecmp(word, "false") == 0)
		word = "no";
	for (long i = 0; *name != '\0'; i++) {
		size_t len = strcspn(name, "|");

		if (len == strlen(word) && strncasecmp(name, word, len) == 0) {
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
parse_int(const struct kw_row *row, const char *word, long *out, char *why)
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
parse_time(const struct kw_row *row, const char *word, long *out, char *why)
{
	long n = strcasecmp(word, "none") == 0 ? 0 : sshconf_seconds(word);

	if (n < 0)
		return bad(row->name, word, "a time, as 90 or 1m30s", why);
	*out = n;
	return 0;
}

static int
check_algs(const struct kw_row *row, const char *word, char *why)
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

/* The words with a blank between two of them; owned. */
static char *
join(const struct words *w)
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

/* A second reading of the files finds what the first one found. */
static int
add_once(struct words *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], text) == 0)
			return 0;
	return words_add(list, text);
}

static int
append(struct slot *slot, const struct kw_row *row, const struct words *words)
{
	AUTOFREE char *joined = NULL;
	int rc = 0;

	if (row->type == TYPE_MANY) {
		joined = join(words);
		return joined != NULL ? add_once(&slot->list, joined) : -ENOMEM;
	}
	for (size_t i = 0; i < words->n && rc == 0; i++)
		rc = add_once(&slot->list, words->v[i]);
	return rc;
}

static int
parse_number(const struct kw_row *row, const char *word, long *out, char *why)
{
	switch (row->type) {
	case TYPE_FLAG:
		return parse_flag(row, word, out, why);
	case TYPE_CHOICE:
		return parse_choice(row, word, out, why);
	case TYPE_INT:
		return parse_int(row, word, out, why);
	case TYPE_TIME:
		return parse_time(row, word, out, why);
	case TYPE_ALGS:
		return check_algs(row, word, why);
	default:
		return 0;
	}
}

static bool
is_list(const struct kw_row *row)
{
	return row->type == TYPE_LIST || row->type == TYPE_EACH ||
	       row->type == TYPE_MANY;
}

static bool
is_rest(const struct kw_row *row)
{
	return row->type == TYPE_REST || row->type == TYPE_NREST;
}

static int
check_count(const struct kw_row *row, const struct lex_line *line, char *why)
{
	if (line->words.n == 0 || *line->words.v[0] == '\0') {
		snprintf(
		    why, SSHCONF_WHY_MAX, "%s: a value is missing", row->name);
		return -EBADMSG;
	}
	if (!is_list(row) && !is_rest(row) && line->words.n > 1) {
		snprintf(why, SSHCONF_WHY_MAX,
		    "%s: \"%.80s\" is one word too many", row->name,
		    line->words.v[1]);
		return -EBADMSG;
	}
	return 0;
}

static int
take_row(struct sshconf *c, enum keyword kw, const struct lex_line *line,
    char why[SSHCONF_WHY_MAX])
{
	const struct kw_row *row = &rows[kw];
	struct slot *slot = &c->slots[kw];
	long number = 0;
	int rc = check_count(row, line, why);

	if (rc == 0)
		rc = parse_number(row, line->words.v[0], &number, why);
	if (rc != 0 ||
	    (slot->set && row->type != TYPE_EACH && row->type != TYPE_MANY))
		return rc;
	slot->number = number;
	if (is_list(row)) {
		rc = append(slot, row, &line->words);
	} else {
		slot->text =
		    strdup(is_rest(row) ? line->rest : line->words.v[0]);
		rc = slot->text != NULL ? 0 : -ENOMEM;
	}
	slot->set = slot->set || rc == 0;
	return rc;
}

static int
take_other(struct sshconf *c, const struct other_row *row,
    const struct lex_line *line, char why[SSHCONF_WHY_MAX])
{
	const char *word = line->words.n > 0 ? line->words.v[0] : "";

	if (row->policy == OTHER_LIKE)
		return take_row(c, row->id, line, why);
	if (row->harmless != NULL && (strcasecmp(word, row->harmless) == 0 ||
					 strcasecmp(word, "false") == 0))
		return 0;
	if (row->policy == OTHER_WITHOUT)
		return 0;
	snprintf(why, SSHCONF_WHY_MAX,
	    row->policy == OTHER_REFUSED ? "%s %s" : "%s has no effect: %s",
	    row->name, row->why);
	return row->policy == OTHER_REFUSED ? -ENOTSUP : 0;
}

static int
unknown(const struct sshconf *c, const char *keyword, char why[SSHCONF_WHY_MAX])
{
	const char *ignore = c->slots[KW_IGNORE_UNKNOWN].text;
	struct nearest near;

	if (ignore != NULL &&
	    pattern_list_match(keyword, ignore, PATTERN_NOCASE) == 1)
		return 0;
	nearest_init(&near, keyword);
	for (size_t i = 0; i < KW_COUNT; i++)
		nearest_try(&near, rows[i].name);
	for (size_t i = 0; i < nitems_of(others); i++)
		nearest_try(&near, others[i].name);
	snprintf(why, SSHCONF_WHY_MAX, "Bad configuration option: %.80s%s%s%s",
	    keyword, near.name != NULL ? " (did you mean " : "",
	    near.name != NULL ? near.name : "", near.name != NULL ? "?)" : "");
	return -ENOENT;
}

int
sshconf_take(
    struct sshconf *c, const struct lex_line *line, char why[SSHCONF_WHY_MAX])
{
	*why = '\0';
	for (size_t i = 0; i < KW_COUNT; i++)
		if (strcasecmp(line->keyword, rows[i].name) == 0)
			return take_row(c, (enum keyword)i, line, why);
	for (size_t i = 0; i < nitems_of(others); i++)
		if (strcasecmp(line->keyword, others[i].name) == 0)
			return take_other(c, &others[i], line, why);
	return unknown(c, line->keyword, why);
}

int
sshconf_take_text(
    struct sshconf *c, const char *text, char why[SSHCONF_WHY_MAX])
{
	AUTO(lex_line_done) struct lex_line line = { 0 };
	const char *reason = "the value is malformed";
	int rc = lex_split(span_of(text, strlen(text)), &line, &reason);

	if (rc == 0 && line.keyword == NULL)
		rc = -EBADMSG;
	if (rc == 0)
		return sshconf_take(c, &line, why);
	snprintf(why, SSHCONF_WHY_MAX, "%.80s: %s", text, reason);
	return rc;
}

int
sshconf_put(struct sshconf *c, enum keyword kw, const char *value)
{
	char *words[] = { (char *)(uintptr_t)value };
	struct lex_line line = { .rest = words[0], .words = { words, 1 } };
	char why[SSHCONF_WHY_MAX];

	return take_row(c, kw, &line, why);
}

int
sshconf_settle(struct sshconf *c, enum keyword kw, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return -ENOMEM;
	free(c->slots[kw].text);
	c->slots[kw].text = copy;
	c->slots[kw].set = true;
	return 0;
}

int
sshconf_finish(struct sshconf *c)
{
	char why[SSHCONF_WHY_MAX];

	for (size_t i = 0; i < KW_COUNT; i++) {
		char text[SSHCONF_WHY_MAX];
		int rc;

		if (c->slots[i].set || rows[i].def == NULL)
			continue;
		snprintf(
		    text, sizeof(text), "%s %s", rows[i].name, rows[i].def);
		rc = sshconf_take_text(c, text, why);
		if (rc != 0)
			return rc;
	}
	return 0;
}

bool
sshconf_is_set(const struct sshconf *c, enum keyword kw)
{
	return c->slots[kw].set;
}

bool
sshconf_flag(const struct sshconf *c, enum keyword kw)
{
	return c->slots[kw].number != 0;
}

long
sshconf_number(const struct sshconf *c, enum keyword kw)
{
	return c->slots[kw].number;
}

const char *
sshconf_text(const struct sshconf *c, enum keyword kw)
{
	const char *text = c->slots[kw].text;

	if (text != NULL && strcasecmp(text, "none") == 0 &&
	    (rows[kw].type == TYPE_NWORD || rows[kw].type == TYPE_NREST))
		return NULL;
	return text;
}

const struct words *
sshconf_list(const struct sshconf *c, enum keyword kw)
{
	return &c->slots[kw].list;
}

/* --- ssh -G */

static void
print_name(const char *name, FILE *out)
{
	for (; *name != '\0'; name++)
		fputc(tolower((unsigned char)*name), out);
}

static int
print_row(const struct kw_row *row, const struct slot *slot, FILE *out)
{
	AUTOFREE char *joined = NULL;

	if (row->type == TYPE_EACH || row->type == TYPE_MANY) {
		for (size_t i = 0; i < slot->list.n; i++) {
			print_name(row->name, out);
			fprintf(out, " %s\n", slot->list.v[i]);
		}
		return 0;
	}
	print_name(row->name, out);
	if (row->type == TYPE_LIST) {
		joined = join(&slot->list);
		if (joined == NULL)
			return -ENOMEM;
		fprintf(out, " %s\n", joined);
	} else if (row->type == TYPE_FLAG) {
		fprintf(out, " %s\n", slot->number != 0 ? "yes" : "no");
	} else if (row->type == TYPE_TIME) {
		fprintf(out, " %ld\n", slot->number);
	} else {
		fprintf(out, " %s\n", slot->text);
	}
	return 0;
}

int
sshconf_print(const struct sshconf *c, const char *host, FILE *out)
{
	int rc = 0;

	fprintf(out, "host %s\n", host);
	for (size_t i = 0; i < KW_COUNT && rc == 0; i++)
		if (c->slots[i].set)
			rc = print_row(&rows[i], &c->slots[i], out);
	return rc;
}

/*
 * The table of keywords and what is a loop over it: taking a setting,
 * defaults, omniedge ssh -G. Runs as the user, on their own files.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/sshconf_value.h"
#include "common/err.h"
#include "common/nearest.h"
#include "common/own.h"
#include "common/pattern.h"

struct kw_row {
	struct value_row value;
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
	struct value_row value;
	enum other_policy policy;
	enum keyword id;
	const char *harmless;
	const char *why;
};

static const struct kw_row rows[KW_COUNT] = {
#define KEY(id, name, type, choices, def, help) \
	[KW_##id] = { { name, TYPE_##type, choices }, def, help },
#define LIKE(name, id, help)
#define WITHOUT(name, type, choices, why)
#define WARNED(name, type, choices, harmless, why)
#define REFUSED(name, type, choices, harmless, why)
#include "client/keyword.def"
#undef KEY
#undef LIKE
#undef WITHOUT
#undef WARNED
#undef REFUSED
};

static const struct other_row others[] = {
#define KEY(id, name, type, choices, def, help)
#define LIKE(name, id, help) \
	{ { name, TYPE_LIST, NULL }, OTHER_LIKE, KW_##id, NULL, help },
#define WITHOUT(name, type, choices, why) \
	{ { name, TYPE_##type, choices }, OTHER_WITHOUT, KW_COUNT, NULL, why },
#define WARNED(name, type, choices, harmless, why) \
	{ { name, TYPE_##type, choices }, OTHER_WARNED, KW_COUNT, harmless, \
		why },
#define REFUSED(name, type, choices, harmless, why) \
	{ { name, TYPE_##type, choices }, OTHER_REFUSED, KW_COUNT, harmless, \
		why },
#include "client/keyword.def"
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
	return rows[kw].value.name;
}

/* --- taking */

/* A second reading of the files finds what the first one found. */
static int
add_once(struct words *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], text) == 0)
			return 0;
	return words_add(list, text);
}

/* "-PATTERN" takes away what was named before, as OpenSSH has it. */
static void
take_away(struct words *list, const char *pattern)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (pattern_match(list->v[i], pattern, PATTERN_CASE))
			free(list->v[i]);
		else
			list->v[kept++] = list->v[i];
	}
	list->n = kept;
}

/* Of two values of one variable the first counts. */
static bool
names_same(const struct words *list, const char *setting)
{
	size_t len = strcspn(setting, "=") + 1;

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->v[i], setting, len) == 0)
			return true;
	return false;
}

static int
append(struct sshconf *c, enum keyword kw, const struct words *words)
{
	struct words *list = &c->slots[kw].list;
	AUTOFREE char *joined = NULL;
	int rc = 0;

	if (rows[kw].value.type == TYPE_MANY) {
		joined = value_join(words);
		return joined != NULL ? add_once(list, joined) : -ENOMEM;
	}
	for (size_t i = 0; i < words->n && rc == 0; i++) {
		const char *word = words->v[i];

		if (kw == KW_SEND_ENV && *word == '-')
			take_away(list, word + 1);
		else if (kw != KW_SET_ENV || !names_same(list, word))
			rc = add_once(list, word);
	}
	return rc;
}

/*
 * Of ProxyCommand and ProxyJump the first one said shuts the other out; but
 * for ProxyJump none, as in ssh.
 */
static int
shut_out(struct sshconf *c, enum keyword kw)
{
	enum keyword other = KW_PROXY_JUMP;

	if (kw == KW_PROXY_JUMP && sshconf_text(c, kw) != NULL)
		other = KW_PROXY_COMMAND;
	else if (kw != KW_PROXY_COMMAND)
		return 0;
	return c->slots[other].set ? 0 : sshconf_put(c, other, "none");
}

static int
take_row(struct sshconf *c, enum keyword kw, const struct lex_line *line,
    char why[SSHCONF_WHY_MAX])
{
	const struct value_row *row = &rows[kw].value;
	struct slot *slot = &c->slots[kw];
	long number = 0;
	int rc = value_check(row, line, &number, why);

	if (rc == 0)
		rc = value_check_more(kw, &line->words, why);
	if (rc != 0 ||
	    (slot->set && row->type != TYPE_EACH && row->type != TYPE_MANY))
		return rc;
	slot->number = number;
	if (value_is_list(row)) {
		rc = append(c, kw, &line->words);
	} else {
		slot->text =
		    strdup(value_is_rest(row) ? line->rest : line->words.v[0]);
		rc = slot->text != NULL ? 0 : -ENOMEM;
	}
	slot->set = slot->set || rc == 0;
	return rc == 0 ? shut_out(c, kw) : rc;
}

static bool
is_harmless(const struct other_row *row, const char *word)
{
	return row->harmless != NULL &&
	       (strcasecmp(word, row->harmless) == 0 ||
		   (strcmp(row->harmless, "no") == 0 &&
		       strcasecmp(word, "false") == 0));
}

static int
take_other(struct sshconf *c, const struct other_row *row,
    const struct lex_line *line, char why[SSHCONF_WHY_MAX])
{
	long number;
	int rc;

	if (row->policy == OTHER_LIKE)
		return take_row(c, row->id, line, why);
	rc = value_check(&row->value, line, &number, why);
	if (rc != 0 || is_harmless(row, line->words.v[0]))
		return rc;
	snprintf(why, SSHCONF_WHY_MAX,
	    row->policy == OTHER_REFUSED ? "%s %s" : "%s has no effect: %s",
	    row->value.name, row->why);
	if (row->policy == OTHER_REFUSED)
		return -ENOTSUP;
	return row->policy == OTHER_WARNED ? 0 : SSHCONF_QUIET;
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
		nearest_try(&near, rows[i].value.name);
	for (size_t i = 0; i < nitems_of(others); i++)
		nearest_try(&near, others[i].value.name);
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
		if (strcasecmp(line->keyword, rows[i].value.name) == 0)
			return take_row(c, (enum keyword)i, line, why);
	for (size_t i = 0; i < nitems_of(others); i++)
		if (strcasecmp(line->keyword, others[i].value.name) == 0)
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
		snprintf(text, sizeof(text), "%s %s", rows[i].value.name,
		    rows[i].def);
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
	    (rows[kw].value.type == TYPE_NWORD ||
		rows[kw].value.type == TYPE_NREST))
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

static void
print_line(const struct value_row *row, const char *value, FILE *out)
{
	print_name(row->name, out);
	fprintf(out, " %s\n", value);
}

static int
print_list(enum keyword kw, const struct words *list, FILE *out)
{
	const struct value_row *row = &rows[kw].value;
	AUTOFREE char *joined = NULL;

	/* ssh has a line for each of SetEnv's, too. */
	if (row->type == TYPE_LIST && kw != KW_SET_ENV) {
		joined = value_join(list);
		if (joined == NULL)
			return -ENOMEM;
		print_line(row, joined, out);
		return 0;
	}
	for (size_t i = 0; i < list->n; i++) {
		AUTOFREE char *shown = value_shown(kw, list->v[i]);

		if (shown == NULL)
			return -ENOMEM;
		print_line(row, shown, out);
	}
	return 0;
}

static int
print_row(const struct sshconf *c, enum keyword kw, FILE *out)
{
	const struct value_row *row = &rows[kw].value;
	const struct slot *slot = &c->slots[kw];
	char number[32];

	if (value_is_list(row))
		return print_list(kw, &slot->list, out);
	snprintf(number, sizeof(number), "%ld", slot->number);
	if (row->type == TYPE_FLAG)
		print_line(row, slot->number != 0 ? "yes" : "no", out);
	else if (row->type == TYPE_TIME || row->type == TYPE_INT ||
		 row->type == TYPE_PORT)
		print_line(row, number, out);
	/* Without the agent is not the same as with the default one. */
	else if (sshconf_text(c, kw) != NULL || kw == KW_IDENTITY_AGENT)
		print_line(row, slot->text, out);
	return 0;
}

int
sshconf_print(const struct sshconf *c, const char *host, FILE *out)
{
	int rc = 0;

	fprintf(out, "host %s\n", host);
	for (size_t i = 0; i < KW_COUNT && rc == 0; i++)
		if (c->slots[i].set)
			rc = print_row(c, (enum keyword)i, out);
	return rc;
}

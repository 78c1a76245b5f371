/*
 * Algorithm lists. Used by sshd and sshd-monitor on configuration and by
 * sshd-net on what the monitor sent; names are checked against known ones.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/option_impl.h"
#include "common/own.h"
#include "common/pattern.h"

static bool
list_has(const struct words *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], name) == 0)
			return true;
	return false;
}

static int
list_add(struct words *list, const char *name)
{
	return list_has(list, name) ? 0 : words_add(list, name);
}

static int
list_add_all(struct words *list, const struct words *names)
{
	int rc = 0;

	for (size_t i = 0; i < names->n && rc == 0; i++)
		rc = list_add(list, names->v[i]);
	return rc;
}

static int
list_split(const char *text, struct words *out_list)
{
	AUTOFREE char *copy = strdup(text);
	char *rest = copy, *name;
	int rc = copy != NULL ? 0 : -ENOMEM;

	while (rc == 0 && (name = strsep(&rest, ",")) != NULL)
		rc = words_add(out_list, name);
	return rc;
}

/* Put the known names that a word of spec stands for behind list. */
static int
expand_name(struct words *list, const char *name, const struct words *known,
    char why[OPTION_WHY_MAX])
{
	bool found = false;
	int rc = 0;

	for (size_t i = 0; i < known->n && rc == 0; i++) {
		if (!pattern_match(known->v[i], name, PATTERN_CASE))
			continue;
		found = true;
		rc = list_add(list, known->v[i]);
	}
	if (rc != 0 || found)
		return rc;
	snprintf(why, OPTION_WHY_MAX, "\"%.80s\" is no known algorithm", name);
	return -EBADMSG;
}

/* The names of spec, without its operator, wildcards replaced. */
static int
expand(const char *spec, const char *known, char why[OPTION_WHY_MAX],
    struct words *out_list)
{
	AUTO(words_done) struct words all = { NULL, 0 };
	AUTO(words_done) struct words names = { NULL, 0 };
	int rc = list_split(known, &all);

	if (rc == 0)
		rc = list_split(spec + strspn(spec, "+-^"), &names);
	if (rc == 0 && strspn(spec, "+-^") > 1) {
		snprintf(why, OPTION_WHY_MAX, "only one of +, - and ^");
		rc = -EBADMSG;
	}
	for (size_t i = 0; i < names.n && rc == 0; i++)
		rc = expand_name(out_list, names.v[i], &all, why);
	return rc;
}

int
option_algs_check(const char *spec, const char *known, char why[OPTION_WHY_MAX])
{
	AUTO(words_done) struct words list = { NULL, 0 };

	return expand(spec, known, why, &list);
}

/* names and def, put together as the operator says. */
static int
combine(char operator, const struct words * names, const struct words *def,
    struct words *out_list)
{
	int rc = 0;

	switch (operator) {
	case '-':
		for (size_t i = 0; i < def->n && rc == 0; i++)
			if (!list_has(names, def->v[i]))
				rc = list_add(out_list, def->v[i]);
		return rc;
	case '+':
		rc = list_add_all(out_list, def);
		return rc != 0 ? rc : list_add_all(out_list, names);
	case '^':
		rc = list_add_all(out_list, names);
		return rc != 0 ? rc : list_add_all(out_list, def);
	default:
		return list_add_all(out_list, names);
	}
}

/* Those that are available, with commas between them; owned. */
static int
join(const struct words *list, const char *available, char **out_text)
{
	AUTO(words_done) struct words there = { NULL, 0 };
	size_t size = 1;
	char *text, *p;

	if (available != NULL && list_split(available, &there) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		size += strlen(list->v[i]) + 1;
	text = calloc(1, size);
	if (text == NULL)
		return -ENOMEM;
	p = text;
	for (size_t i = 0; i < list->n; i++) {
		size_t len = strlen(list->v[i]);

		if (available != NULL && !list_has(&there, list->v[i]))
			continue;
		if (p != text)
			*p++ = ',';
		memcpy(p, list->v[i], len);
		p += len;
	}
	*out_text = text;
	return 0;
}

int
option_algs_resolve(
    const struct option_algs *algs, char why[OPTION_WHY_MAX], char **out_list)
{
	bool changed = algs->spec != NULL && *algs->spec != '\0';
	AUTO(words_done) struct words names = { NULL, 0 };
	AUTO(words_done) struct words def = { NULL, 0 };
	AUTO(words_done) struct words list = { NULL, 0 };
	AUTOFREE char *text = NULL;
	int rc = list_split(algs->def, &def);

	if (rc == 0 && changed)
		rc = expand(algs->spec, algs->known, why, &names);
	if (rc == 0)
		rc = combine(changed ? *algs->spec : '+', &names, &def, &list);
	if (rc == 0)
		rc = join(&list, algs->available, &text);
	if (rc != 0)
		return rc;
	if (*text == '\0') {
		snprintf(why, OPTION_WHY_MAX,
		    "\"%.80s\" leaves no algorithm that is available",
		    changed ? algs->spec : algs->def);
		return -EBADMSG;
	}
	*out_list = take_ptr(&text);
	return 0;
}

static int
algs_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	char detail[OPTION_WHY_MAX];
	const char *word = in->words->v[0];
	int rc = option_algs_check(word, in->row->names, detail);
	char *copy;

	if (rc == -EBADMSG)
		return option_bad(in, why, "%.200s", detail);
	copy = rc == 0 ? strdup(word) : NULL;
	if (copy == NULL)
		return -ENOMEM;
	*(char **)out = copy;
	return 0;
}

static int
algs_print(const struct option *row, const void *value, FILE *out)
{
	const char *text = *(char *const *)value;
	int rc;

	if (text == NULL)
		return 0;
	option_print_keyword(row, out);
	rc = option_print_word(text, out);
	fputc('\n', out);
	return rc;
}

static void
algs_done(void *value)
{
	char **text = value;

	free(*text);
	*text = NULL;
}

const struct option_type option_type_algs = { 1, 1, sizeof(char *), algs_parse,
	NULL, algs_print, algs_done };

/*
 * Options whose value is a list of words: files, patterns, variables. Used by
 * sshd and sshd-monitor; words come from configuration.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/option_impl.h"
#include "common/own.h"
#include "common/pattern.h"

/* One word: 0, or an error with its sentence. */
typedef int word_check(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX]);

void
option_done_words(void *value)
{
	words_done(value);
}

static int
list_merge(void *into, void *from)
{
	return words_append(into, from);
}

/* All words of the line, each checked. */
static int
list_take(const struct option_in *in, word_check *check, void *out,
    char why[OPTION_WHY_MAX])
{
	AUTO(words_done) struct words list = { NULL, 0 };

	for (size_t i = 0; i < in->words->n; i++) {
		int rc = check != NULL ? check(in, in->words->v[i], why) : 0;

		if (rc == 0)
			rc = words_add(&list, in->words->v[i]);
		if (rc != 0)
			return rc;
	}
	*(struct words *)out = list;
	list = (struct words){ NULL, 0 };
	return 0;
}

/* Whether the words are only "none". */
static bool
is_none(const struct words *w)
{
	return w->n == 1 && strcasecmp(w->v[0], "none") == 0;
}

static int
words_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	return list_take(in, NULL, out, why);
}

static int
words_print_all(const struct option *row, const struct words *w, FILE *out)
{
	option_print_keyword(row, out);
	for (size_t i = 0; i < w->n; i++)
		if (option_print_word(w->v[i], out) != 0)
			return -ENOMEM;
	fputc('\n', out);
	return 0;
}

/* All on one line: a second line of the keyword would be ignored. */
int
option_print_words(const struct option *row, const void *value, FILE *out)
{
	const struct words *w = value;

	return w->n != 0 ? words_print_all(row, w, out) : 0;
}

/* A line each. */
static int
list_print(const struct option *row, const void *value, FILE *out)
{
	const struct words *w = value;
	int rc = 0;

	for (size_t i = 0; i < w->n && rc == 0; i++)
		rc = words_print_all(row, &(struct words){ &w->v[i], 1 }, out);
	return rc;
}

static int
print_none(const struct option *row, FILE *out)
{
	option_print_keyword(row, out);
	fputs(" none\n", out);
	return 0;
}

static int
files_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	AUTO(words_done) struct words list = { NULL, 0 };
	AUTOFREE char *path = NULL;
	int rc = 0;

	if (!is_none(in->words)) {
		rc = option_absolute(in, in->words->v[0], why, &path);
		if (rc == 0)
			rc = words_add(&list, path);
	}
	if (rc != 0)
		return rc;
	*(struct words *)out = list;
	list = (struct words){ NULL, 0 };
	return 0;
}

static int
files_print(const struct option *row, const void *value, FILE *out)
{
	const struct words *w = value;

	return w->n != 0 ? list_print(row, w, out) : print_none(row, out);
}

static int
homefile_check(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	if (strcasecmp(word, "none") == 0)
		return option_bad(in, why, "none has to stand alone");
	if (*word == '~')
		return option_bad(in, why,
		    "\"%.64s\" begins with ~; write a path relative to the "
		    "user's home, or %%h",
		    word);
	return option_home_tokens(in, word, why);
}

static int
homefiles_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	if (!is_none(in->words))
		return list_take(in, homefile_check, out, why);
	*(struct words *)out = (struct words){ NULL, 0 };
	return 0;
}

int
option_print_files(const struct option *row, const void *value, FILE *out)
{
	const struct words *w = value;

	return w->n != 0 ? words_print_all(row, w, out) : print_none(row, out);
}

/* Lists of patterns are not lists for pattern_list_match(): no negation. */
static int
name_check(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	if (*word == '!')
		return option_bad(in, why,
		    "\"%.64s\" is negated, which has no meaning here", word);
	if (strlen(word) > PATTERN_MAX)
		return option_bad(in, why,
		    "a pattern is longer than %d characters", PATTERN_MAX);
	return 0;
}

static int
user_check(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	const char *at = strrchr(word, '@');
	int rc = name_check(in, word, why);

	if (rc != 0 || at == NULL)
		return rc;
	if (at == word || at[1] == '\0')
		return option_bad(in, why,
		    "\"%.64s\" has nothing on one side of its @", word);
	switch (pattern_peer_check(at + 1)) {
	case 0:
		return 0;
	case -ERANGE:
		return option_bad(in, why,
		    "the network of \"%.64s\" has bits behind its mask, or too "
		    "long a mask",
		    word);
	default:
		return option_bad(in, why,
		    "\"%.64s\" has no good host pattern behind its @", word);
	}
}

static int
users_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	return list_take(in, user_check, out, why);
}

static int
names_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	return list_take(in, name_check, out, why);
}

static int
envname_check(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	if (strchr(word, '=') != NULL)
		return option_bad(
		    in, why, "\"%.64s\" is not the name of a variable", word);
	return name_check(in, word, why);
}

static int
envnames_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	return list_take(in, envname_check, out, why);
}

static bool
env_has(const struct words *env, const char *word, size_t len)
{
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], word, len + 1) == 0)
			return true;
	return false;
}

static int
env_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	AUTO(words_done) struct words list = { NULL, 0 };

	for (size_t i = 0; i < in->words->n; i++) {
		const char *word = in->words->v[i];
		size_t len = strcspn(word, "=");

		if (len == 0 || word[len] == '\0')
			return option_bad(
			    in, why, "\"%.64s\" is not NAME=value", word);
		if (!env_has(&list, word, len) && words_add(&list, word) != 0)
			return -ENOMEM;
	}
	*(struct words *)out = list;
	list = (struct words){ NULL, 0 };
	return 0;
}

const struct option_type option_type_words = { 1, 0, sizeof(struct words),
	words_parse, NULL, option_print_words, option_done_words };
const struct option_type option_type_files = { 1, 1, sizeof(struct words),
	files_parse, list_merge, files_print, option_done_words };
const struct option_type option_type_homefiles = { 1, 0, sizeof(struct words),
	homefiles_parse, NULL, option_print_files, option_done_words };
const struct option_type option_type_users = { 1, 0, sizeof(struct words),
	users_parse, list_merge, list_print, option_done_words };
const struct option_type option_type_names = { 1, 0, sizeof(struct words),
	names_parse, list_merge, list_print, option_done_words };
const struct option_type option_type_envnames = { 1, 0, sizeof(struct words),
	envnames_parse, list_merge, list_print, option_done_words };
const struct option_type option_type_env = { 1, 0, sizeof(struct words),
	env_parse, NULL, option_print_words, option_done_words };

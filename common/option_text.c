/*
 * Options whose value is one text: a name, a path, a command. Used by sshd
 * and sshd-monitor; words come from configuration.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/option_impl.h"
#include "common/own.h"

void
option_done_text(void *value)
{
	char **text = value;

	free(*text);
	*text = NULL;
}

/* A copy of the text, or NULL when it says that there is none. */
static int
text_take(const char *text, void *out)
{
	char *copy = NULL;

	if (strcasecmp(text, "none") != 0) {
		copy = strdup(text);
		if (copy == NULL)
			return -ENOMEM;
	}
	*(char **)out = copy;
	return 0;
}

static int
string_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	(void)why;
	return text_take(in->words->v[0], out);
}

static int
string_print(const struct option *row, const void *value, FILE *out)
{
	const char *text = *(char *const *)value;

	option_print_keyword(row, out);
	if (option_print_word(text != NULL ? text : "none", out) != 0)
		return -ENOMEM;
	fputc('\n', out);
	return 0;
}

int
option_absolute(const struct option_in *in, const char *word,
    char why[OPTION_WHY_MAX], char **out_path)
{
	char *path = NULL;

	if (*word == '~')
		return option_bad(in, why,
		    "\"%.64s\" begins with ~, but a server has no home", word);
	if (*word != '/' && in->dir == NULL)
		return option_bad(in, why,
		    "\"%.64s\" is no absolute path, and the current directory "
		    "is not known",
		    word);
	if (*word == '/')
		path = strdup(word);
	else if (asprintf(&path, "%s/%s",
		     strcmp(in->dir, "/") == 0 ? "" : in->dir, word) < 0)
		path = NULL;
	if (path == NULL)
		return -ENOMEM;
	*out_path = path;
	return 0;
}

static int
path_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];

	if (strcasecmp(word, "none") == 0)
		return text_take(word, out);
	return option_absolute(in, word, why, out);
}

bool
option_has_tokens(const char *word, const char *letters)
{
	for (const char *p = strchr(word, '%'); p != NULL;
	     p = strchr(p + 2, '%'))
		if (p[1] == '\0' || strchr(letters, p[1]) == NULL)
			return false;
	return true;
}

int
option_home_tokens(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	if (option_has_tokens(word, in->row->names))
		return 0;
	return option_bad(in, why,
	    "\"%.64s\" has a %% that is not one of %%%%, %%h, %%U and %%u",
	    word);
}

/* A path that is absolute once its tokens stand for something. */
static int
rootdir_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	int rc;

	if (strcasecmp(word, "none") == 0)
		return text_take(word, out);
	if (*word != '/' && strncmp(word, "%h", 2) != 0)
		return option_bad(in, why,
		    "\"%.64s\" is neither an absolute path nor begins with "
		    "%%h",
		    word);
	rc = option_home_tokens(in, word, why);
	return rc != 0 ? rc : text_take(word, out);
}

static int
command_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	(void)why;
	return text_take(in->rest, out);
}

int
option_print_command(const struct option *row, const void *value, FILE *out)
{
	const char *text = *(char *const *)value;

	if (text == NULL)
		text = "none";
	option_print_keyword(row, out);
	/* Or it would be taken for the one between keyword and value. */
	fprintf(out, " %s%s\n", *text == '=' ? "= " : "", text);
	return 0;
}

/* The words from the second on as one command line. */
static int
command_join(const struct words *w, char **out_command)
{
	AUTOFREE char *line = strdup("");

	for (size_t i = 1; i < w->n && line != NULL; i++) {
		AUTOFREE char *word = lex_quote(w->v[i]);
		char *longer = NULL;

		if (word == NULL || asprintf(&longer, "%s%s%s", line,
					i > 1 ? " " : "", word) < 0)
			return -ENOMEM;
		free(line);
		line = longer;
	}
	if (line == NULL)
		return -ENOMEM;
	*out_command = take_ptr(&line);
	return 0;
}

static void
subsystem_done(void *value)
{
	struct subsystems *s = value;

	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].command);
	}
	free(s->v);
	*s = (struct subsystems){ NULL, 0 };
}

static int
subsystem_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	AUTO(subsystem_done) struct subsystems s = { NULL, 0 };
	int rc;

	(void)why;
	s.v = calloc(1, sizeof(*s.v));
	if (s.v == NULL)
		return -ENOMEM;
	s.n = 1;
	s.v[0].name = strdup(in->words->v[0]);
	rc = command_join(in->words, &s.v[0].command);
	if (s.v[0].name == NULL || rc != 0)
		return -ENOMEM;
	*(struct subsystems *)out = s;
	s = (struct subsystems){ NULL, 0 };
	return 0;
}

static bool
subsystem_has(const struct subsystems *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, name) == 0)
			return true;
	return false;
}

/* The first of a name wins; value_done() frees the one that comes late. */
static int
subsystem_merge(void *into, void *from)
{
	struct subsystems *a = into, *b = from;
	struct subsystem *v;

	if (subsystem_has(a, b->v[0].name))
		return 0;
	v = reallocarray(a->v, a->n + 1, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	a->v = v;
	a->v[a->n++] = b->v[0];
	b->n = 0;
	return 0;
}

static int
subsystem_print(const struct option *row, const void *value, FILE *out)
{
	const struct subsystems *s = value;

	for (size_t i = 0; i < s->n; i++) {
		option_print_keyword(row, out);
		if (option_print_word(s->v[i].name, out) != 0)
			return -ENOMEM;
		fprintf(out, " %s\n", s->v[i].command);
	}
	return 0;
}

static int
userenv_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const char *word = in->words->v[0];
	struct user_environment env = { true, NULL };

	(void)why;
	if (strcasecmp(word, "no") == 0) {
		env.on = false;
	} else if (strcasecmp(word, "yes") != 0) {
		env.names = strdup(word);
		if (env.names == NULL)
			return -ENOMEM;
	}
	*(struct user_environment *)out = env;
	return 0;
}

static int
userenv_print(const struct option *row, const void *value, FILE *out)
{
	const struct user_environment *env = value;
	int rc;

	option_print_keyword(row, out);
	rc = option_print_word(
	    env->names != NULL ? env->names : (env->on ? "yes" : "no"), out);
	fputc('\n', out);
	return rc;
}

static void
userenv_done(void *value)
{
	option_done_text(&((struct user_environment *)value)->names);
}

const struct option_type option_type_string = { 1, 1, sizeof(char *),
	string_parse, NULL, string_print, option_done_text };
const struct option_type option_type_path = { 1, 1, sizeof(char *), path_parse,
	NULL, string_print, option_done_text };
const struct option_type option_type_rootdir = { 1, 1, sizeof(char *),
	rootdir_parse, NULL, string_print, option_done_text };
const struct option_type option_type_command = { 1, 0, sizeof(char *),
	command_parse, NULL, option_print_command, option_done_text };
const struct option_type option_type_subsystem = { 2, 0,
	sizeof(struct subsystems), subsystem_parse, subsystem_merge,
	subsystem_print, subsystem_done };
const struct option_type option_type_userenv = { 1, 1,
	sizeof(struct user_environment), userenv_parse, NULL, userenv_print,
	userenv_done };

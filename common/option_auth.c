/*
 * Options about logging in: chains of methods, files, and programs that are
 * asked. Used by sshd and sshd-monitor; words come from configuration.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "common/err.h"
#include "common/option_impl.h"
#include "common/own.h"

/* --- AuthenticationMethods */

static const char *const methods[] = { "none", "publickey", "password",
	"keyboard-interactive", "hostbased", "gssapi-with-mic",
	"gssapi-keyex" };

static bool
is_method(const char *name, size_t len)
{
	for (size_t i = 0; i < nitems_of(methods); i++)
		if (strlen(methods[i]) == len &&
		    memcmp(methods[i], name, len) == 0)
			return true;
	return false;
}

/* "method[:sub],method[:sub]" */
static int
chain_check(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	for (const char *p = word;; p++) {
		size_t len = strcspn(p, ",:");

		if (!is_method(p, len))
			return option_bad(in, why,
			    "\"%.*s\" is no authentication method; there are "
			    "publickey, password and keyboard-interactive",
			    (int)(len < 64 ? len : 64), p);
		p += strcspn(p, ",");
		if (*p == '\0')
			return 0;
	}
}

static int
chains_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	AUTO(words_done) struct words list = { NULL, 0 };
	const struct words *w = in->words;

	for (size_t i = 0; i < w->n; i++) {
		bool any = strcmp(w->v[i], "any") == 0;
		int rc;

		if (any && w->n != 1)
			return option_bad(in, why, "any has to stand alone");
		rc = any ? 0 : chain_check(in, w->v[i], why);
		if (rc == 0)
			rc = words_add(&list, w->v[i]);
		if (rc != 0)
			return rc;
	}
	*(struct words *)out = list;
	list = (struct words){ NULL, 0 };
	return 0;
}

/* --- a program and its arguments */

/* Arguments may have the tokens of the row; the program itself none. */
static int
tokens_check(
    const struct option_in *in, const char *word, char why[OPTION_WHY_MAX])
{
	if (option_has_tokens(word, in->row->names))
		return 0;
	return option_bad(in, why, "\"%.64s\" has a %% that is not one of %%%s",
	    word, in->row->names);
}

static int
program_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	const struct words *w = in->words;

	if (w->n == 1 && strcasecmp(w->v[0], "none") == 0) {
		*(char **)out = NULL;
		return 0;
	}
	if (w->v[0][0] != '/')
		return option_bad(in, why,
		    "\"%.64s\" is no absolute path of a program", w->v[0]);
	for (size_t i = 1; i < w->n; i++) {
		int rc = tokens_check(in, w->v[i], why);

		if (rc != 0)
			return rc;
	}
	*(char **)out = strdup(in->rest);
	return *(char **)out != NULL ? 0 : -ENOMEM;
}

/* --- files of the administrator's, all on one line */

static int
paths_parse(const struct option_in *in, void *out, char why[OPTION_WHY_MAX])
{
	AUTO(words_done) struct words list = { NULL, 0 };
	const struct words *w = in->words;

	for (size_t i = 0; i < w->n; i++) {
		AUTOFREE char *path = NULL;
		int rc;

		if (strcasecmp(w->v[i], "none") == 0) {
			if (w->n == 1)
				continue;
			return option_bad(in, why, "none has to stand alone");
		}
		rc = option_absolute(in, w->v[i], why, &path);
		if (rc == 0)
			rc = words_add(&list, path);
		if (rc != 0)
			return rc;
	}
	*(struct words *)out = list;
	list = (struct words){ NULL, 0 };
	return 0;
}

const struct option_type option_type_chains = { 1, 0, sizeof(struct words),
	chains_parse, NULL, option_print_words, option_done_words };
const struct option_type option_type_program = { 1, 0, sizeof(char *),
	program_parse, NULL, option_print_command, option_done_text };
const struct option_type option_type_paths = { 1, 0, sizeof(struct words),
	paths_parse, NULL, option_print_files, option_done_words };

/*
 * Files of ssh_config(5): lines, Host, Match, Include. Runs as the user, on
 * files that only they or root may have written.
 */
#include "config.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/sshconf.h"
#include "client/expand.h"
#include "client/file.h"
#include "client/run.h"
#include "client/target.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"

#define DEPTH_MAX 16     /* Includes within Includes */
#define ERRORS_MAX 64    /* bad lines that are named */
#define CRITERION_MAX 32 /* bytes of a criterion of Match */
#define SYSTEM_DIR "/etc/ssh"

struct loader {
	struct sshconf *conf;
	const char *host; /* as it was typed */
	const char *dir;  /* of relative Includes */
	const char *path;
	unsigned line;
	unsigned depth;
	unsigned errors;
	bool check;  /* the file must be the user's or root's alone */
	bool active; /* the block that we are in applies */
	bool never;  /* included from a block that does not */
	bool final;  /* the second reading, for Match final */
	bool wants_final;
	bool too_deep; /* read no more: it would be read for ever */
};

static int load_file(struct loader *ld, const char *path, bool must);

static void
load_error(struct loader *ld, const char *why)
{
	if (ld->errors++ < ERRORS_MAX)
		log_error("%s: line %u: %s", ld->path, ld->line, why);
}

/* --- Host */

static bool
host_matches(const struct loader *ld, const struct words *patterns)
{
	bool found = false;

	for (size_t i = 0; i < patterns->n; i++) {
		const char *p = patterns->v[i];
		bool negated = *p == '!';

		if (!pattern_match(ld->host, p + negated, PATTERN_CASE))
			continue;
		if (negated)
			return false;
		found = true;
	}
	return found;
}

static void
take_host(struct loader *ld, const struct words *words)
{
	if (words->n == 0)
		load_error(ld, "Host: a pattern is missing");
	ld->active = !ld->never && host_matches(ld, words);
}

/* --- Match */

/* The host's name as it is known by now; owned. */
static char *
current_host(const struct loader *ld)
{
	const char *name = sshconf_text(ld->conf, KW_HOSTNAME);
	struct expand e = { .host = ld->host, .original = ld->host };
	char why[EXPAND_WHY_MAX], *out;

	if (name == NULL || expand_tokens(&e, name, why, &out) != 0)
		return strdup(ld->host);
	return out;
}

/*
 * Whether user and host may stand in a shell's command; NULL, or why not. The
 * command line may have them from a stranger: a link, a submodule's URL.
 */
static const char *
unsafe_names(const struct loader *ld)
{
	AUTOFREE char *host = current_host(ld);
	const char *user = sshconf_text(ld->conf, KW_USER);

	if (user != NULL && !target_is_user(user))
		return "remote username contains invalid characters";
	if (host == NULL || !target_is_host(host) || !target_is_host(ld->host))
		return "hostname contains invalid characters";
	return NULL;
}

/* The user wrote the command, in a file that nobody else may write. */
static bool
exec_matches(struct loader *ld, const char *text)
{
	AUTOFREE char *host = current_host(ld);
	AUTOFREE char *command = NULL;
	const char *user = sshconf_text(ld->conf, KW_USER);
	bool said = sshconf_is_set(ld->conf, KW_PORT);
	struct expand e = { .host = host, .original = ld->host };
	const char *unsafe = unsafe_names(ld);
	char why[EXPAND_WHY_MAX], port[8];

	if (unsafe != NULL) {
		load_error(ld, unsafe);
		return false;
	}
	e.user = user != NULL ? user : expand_user();
	snprintf(port, sizeof(port), "%ld",
	    said ? sshconf_number(ld->conf, KW_PORT) : 22);
	e.port = port;
	if (expand_tokens(&e, text, why, &command) != 0) {
		load_error(ld, why);
		return false;
	}
	return run_question(command) == 0;
}

static bool
text_matches(const char *text, const char *list, enum pattern_case c)
{
	return pattern_list_match(text, list, c) == 1;
}

static bool
criterion(struct loader *ld, const char *name, const char *arg)
{
	AUTOFREE char *host = current_host(ld);
	const char *user = sshconf_text(ld->conf, KW_USER);
	const char *tag = sshconf_text(ld->conf, KW_TAG);

	if (strcasecmp(name, "host") == 0)
		return host != NULL && text_matches(host, arg, PATTERN_NOCASE);
	if (strcasecmp(name, "originalhost") == 0)
		return text_matches(ld->host, arg, PATTERN_NOCASE);
	if (strcasecmp(name, "user") == 0)
		return text_matches(
		    user != NULL ? user : expand_user(), arg, PATTERN_CASE);
	if (strcasecmp(name, "localuser") == 0)
		return text_matches(expand_user(), arg, PATTERN_CASE);
	if (strcasecmp(name, "tagged") == 0)
		return text_matches(tag != NULL ? tag : "", arg, PATTERN_CASE);
	return exec_matches(ld, arg);
}

static bool
takes_argument(const char *name)
{
	static const char *const names[] = { "host", "originalhost", "user",
		"localuser", "tagged", "exec" };

	for (size_t i = 0; i < nitems_of(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

/* all, final, canonical: what needs no argument. False: there is no such. */
static bool
plain_criterion(struct loader *ld, const char *name, bool *out_match)
{
	if (strcasecmp(name, "all") == 0) {
		*out_match = true;
		return true;
	}
	if (strcasecmp(name, "final") == 0)
		ld->wants_final = true;
	/* Names are never made canonical: only the second reading is left. */
	else if (strcasecmp(name, "canonical") != 0)
		return false;
	*out_match = ld->final;
	return true;
}

/* As OpenSSH, "host=NAME" beside "host NAME"; NULL if there is no "=". */
static const char *
cut_argument(const char *word, char name[CRITERION_MAX])
{
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);

	snprintf(name, CRITERION_MAX, "%.*s", (int)len, word);
	return equals != NULL ? equals + 1 : NULL;
}

static void
take_match(struct loader *ld, const struct words *words)
{
	bool all = words->n > 0;

	if (!all)
		load_error(ld, "Match: a criterion is missing");
	for (size_t i = 0; i < words->n; i++) {
		bool negated = *words->v[i] == '!', match = false;
		char name[CRITERION_MAX];
		const char *arg = cut_argument(words->v[i] + negated, name);

		if (arg == NULL && takes_argument(name) && i + 1 < words->n)
			arg = words->v[++i];
		if (arg != NULL && takes_argument(name)) {
			/* A command runs only if it can still matter. */
			if (all && !ld->never)
				match = criterion(ld, name, arg);
		} else if (strcasecmp(name, "all") == 0 && i + 1 < words->n) {
			load_error(ld, "Match: nothing may follow all");
			all = false;
		} else if (arg != NULL || !plain_criterion(ld, name, &match)) {
			load_error(ld, takes_argument(name)
					   ? "Match: an argument is missing"
					   : "Match: there are host, "
					     "originalhost, user, localuser, "
					     "tagged, exec, final and all");
			all = false;
		}
		all = all && match != negated;
	}
	ld->active = all && !ld->never;
}

/* --- Include */

static void
glob_done(glob_t *found)
{
	globfree(found);
}

static void
load_glob(struct loader *ld, const char *pattern)
{
	AUTO(glob_done) glob_t found = { 0 };
	struct loader inner = *ld;

	/* Files that are not there are no error, as with a shell's wildcard. */
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && !inner.too_deep; i++) {
		inner.depth = ld->depth + 1;
		inner.active = ld->active;
		inner.never = !ld->active;
		(void)load_file(&inner, found.gl_pathv[i], false);
	}
	ld->errors = inner.errors;
	ld->wants_final = inner.wants_final;
	ld->too_deep = inner.too_deep;
}

static void
take_include(struct loader *ld, const struct words *words)
{
	if (ld->depth + 1 > DEPTH_MAX) {
		load_error(ld, "Include: files include each other too deeply");
		ld->too_deep = true;
		return;
	}
	if (words->n == 0)
		load_error(ld, "Include: a file is missing");
	for (size_t i = 0; i < words->n && !ld->too_deep; i++) {
		struct expand e = { .original = ld->host, .host = ld->host };
		AUTOFREE char *path = NULL;
		char why[EXPAND_WHY_MAX], full[PATH_MAX];

		if (expand_path(&e, words->v[i], why, &path) != 0) {
			load_error(ld, why);
			continue;
		}
		snprintf(full, sizeof(full), "%s%s%s",
		    *path == '/' ? "" : ld->dir, *path == '/' ? "" : "/", path);
		load_glob(ld, full);
	}
}

/* --- lines and files */

static void
take_setting(struct loader *ld, const struct lex_line *line)
{
	AUTO(sshconf_done) struct sshconf *scratch = NULL;
	char why[SSHCONF_WHY_MAX] = "";
	struct sshconf *into = ld->conf;
	int rc;

	/* A block that does not apply is still checked, as OpenSSH does. */
	if (!ld->active)
		into = scratch = sshconf_new();
	if (into == NULL)
		return;
	rc = sshconf_take(into, line, why);
	if (rc == -ENOENT && !ld->active &&
	    sshconf_take(ld->conf, line, why) == 0)
		return; /* IgnoreUnknown, which only the real one knows */
	/* What we cannot do, another host may still want of another client. */
	if (rc == -ENOTSUP && !ld->active)
		return;
	if (rc < 0)
		load_error(ld, rc == -ENOMEM ? err_str(rc) : why);
	else if (*why != '\0' && ld->active && !ld->final)
		log_at(rc == SSHCONF_QUIET ? LEVEL_DEBUG : LEVEL_INFO,
		    "%s: line %u: %s", ld->path, ld->line, why);
}

static void
take_line(struct loader *ld, struct span text)
{
	AUTO(lex_line_done) struct lex_line line = { 0 };
	const char *why = NULL;
	int rc = lex_split(text, &line, &why);

	if (rc != 0)
		load_error(ld, why != NULL ? why : err_str(rc));
	else if (line.keyword == NULL)
		return;
	else if (strcasecmp(line.keyword, "Host") == 0)
		take_host(ld, &line.words);
	else if (strcasecmp(line.keyword, "Match") == 0)
		take_match(ld, &line.words);
	else if (strcasecmp(line.keyword, "Include") == 0)
		take_include(ld, &line.words);
	else
		take_setting(ld, &line);
}

/* Whoever can write the file can run commands as the user. */
static bool
is_safe(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) &&
	       (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int
load_file(struct loader *ld, const char *path, bool must)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	struct stat st;
	struct lex lx;
	struct span line;
	int rc = file_read(path, &text, &st);

	if (rc == -ENOENT && !must)
		return 0;
	if (rc == 0 && ld->check && !is_safe(&st)) {
		log_error("Bad owner or permissions on %s: it must be yours, "
			  "and others must not be able to write it (chmod "
			  "go-w)",
		    path);
		ld->errors++;
		return -EACCES;
	}
	if (rc != 0) {
		log_error(
		    "Can't open user config file %s: %s", path, err_str(rc));
		ld->errors++;
		return rc;
	}
	log_debug("Reading configuration data %s", path);
	ld->path = path;
	lex_init(&lx, span_of(text.p, text.len));
	while (!ld->too_deep && lex_next(&lx, &line)) {
		ld->line = lx.line;
		take_line(ld, line);
	}
	return 0;
}

/* All files once; true if there was a Match final. */
static bool
load_all(struct loader *ld, const char *file)
{
	char path[PATH_MAX + 16], dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/.ssh", expand_home());
	snprintf(path, sizeof(path), "%s/config", dir);
	ld->dir = dir;
	ld->active = true;
	if (file != NULL) {
		(void)load_file(ld, file, true);
		return ld->wants_final;
	}
	ld->check = true;
	(void)load_file(ld, path, false);
	ld->check = false;
	ld->active = true;
	ld->dir = SYSTEM_DIR;
	(void)load_file(ld, SYSTEM_DIR "/ssh_config", false);
	return ld->wants_final;
}

int
sshconf_load(struct sshconf *c, const char *file, const char *host)
{
	struct loader ld = { .conf = c, .host = host };
	const char *unsafe = unsafe_names(&ld);

	if (unsafe != NULL) {
		log_error("%s", unsafe);
		return -EBADMSG;
	}
	if (file != NULL && strcasecmp(file, "none") == 0)
		return 0;
	if (load_all(&ld, file) && ld.errors == 0) {
		ld.final = true;
		(void)load_all(&ld, file);
	}
	if (ld.errors == 0)
		return 0;
	log_error("terminating, %u bad configuration option%s", ld.errors,
	    ld.errors == 1 ? "" : "s");
	return -EBADMSG;
}

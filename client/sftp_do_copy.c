/*
 * get and put: which files, to which names, as OpenSSH's sftp decides it. Runs
 * in the client; names that match a pattern are the server's, of which the
 * listing let only such through as are one component.
 */
#include "config.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/interrupt.h"
#include "client/scp_names.h"
#include "client/sftp.h"
#include "client/sftp_call.h"
#include "client/sftp_list.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

/* One get or put under way. */
struct transfer {
	struct sftp *s;
	struct xfer_options options;
	struct xfer *x;
	char *to; /* as given, or NULL */
	bool to_is_dir;
	const char *verb;
};

static void
set_options(struct transfer *t, const struct sftp_args *a, bool resume)
{
	t->options = t->s->options;
	t->options.resume |= resume || a->flag['a'];
	t->options.sync |= a->flag['f'];
	t->options.preserve |= a->flag['p'] || a->flag['P'];
	t->options.recursive |= a->flag['r'] || a->flag['R'];
	t->options.list = true;
}

static int
add(struct transfer *t, const char *from, const char *to, bool chosen)
{
	if (!t->s->quiet)
		show_print(stdout, "%s %s to %s\n",
		    t->options.resume ? "Resuming" : t->verb, from, to);
	return xfer_add(t->x, from, to, chosen);
}

/* The one name at the other end, or the name in the directory there. */
static char *
destination(const struct transfer *t, const char *from, size_t n)
{
	AUTOFREE char *name = scp_last_name(from);

	if (name == NULL)
		return NULL;
	if (t->to == NULL)
		return take_ptr(&name);
	if (n == 1 && !t->to_is_dir)
		return strdup(t->to);
	return list_join(t->to, name);
}

static int
run(struct transfer *t)
{
	const struct xfer_result *r;
	int rc;

	fflush(stdout);
	rc = xfer_run(t->x);
	r = xfer_result(t->x);
	if (rc == 0 && (r->failed != 0 || r->stopped))
		rc = -EIO;
	if (r->stopped)
		show_error("Interrupt");
	xfer_free(t->x);
	return rc;
}

/* --- get ----------------------------------------------------------------- */

static int
open_local(struct transfer *t, const char *word)
{
	struct stat st;

	if (word == NULL)
		return 0;
	t->to = strdup(word);
	if (t->to == NULL)
		return -ENOMEM;
	list_unescape(t->to);
	t->to_is_dir = stat(t->to, &st) == 0 && S_ISDIR(st.st_mode);
	return 0;
}

static int
add_matches(struct transfer *t, const struct list *paths, bool chosen)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < paths->n; i++) {
		const char *from = paths->entries[i].name;
		AUTOFREE char *to = destination(t, from, paths->n);

		rc = to != NULL ? add(t, from, to,
				      chosen && (t->to == NULL || t->to_is_dir))
				: -ENOMEM;
	}
	return rc;
}

static int
find_remote(struct transfer *t, const char *pattern, struct list *out_paths)
{
	struct sftp_attrs a = { 0 };
	int rc = list_glob(t->s->peer, pattern, out_paths);

	if (rc == 0 && out_paths->n > 0 && !list_has_magic(pattern))
		rc = call_stat(
		    t->s->peer, out_paths->entries[0].name, CALL_FOLLOW, &a);
	if (rc == SSH_FX_NO_SUCH_FILE || (rc == 0 && out_paths->n == 0)) {
		show_error("File \"%s\" not found.", pattern);
		return SSH_FX_NO_SUCH_FILE;
	}
	if (sftp_failed(t->s, rc, "remote", pattern) != 0)
		return rc;
	if (out_paths->n > 1 && t->to != NULL && !t->to_is_dir) {
		show_error("Multiple source paths, but destination \"%s\" is "
			   "not a directory",
		    t->to);
		return -ENOTDIR;
	}
	return 0;
}

static int
get(struct sftp *s, const struct sftp_args *a, bool resume)
{
	AUTO(list_done) struct list paths = LIST_INIT;
	AUTOFREE char *pattern = sftp_absolute_pattern(s, a->word[0]);
	struct transfer t = { .s = s, .verb = "Fetching" };
	int rc = pattern != NULL ? open_local(&t, a->word[1]) : -ENOMEM;

	set_options(&t, a, resume);
	if (rc == 0)
		rc = find_remote(&t, pattern, &paths);
	if (rc == 0) {
		t.x = xfer_new(s->peer, NULL, &t.options, s->progress);
		rc = t.x == NULL
			 ? -ENOMEM
			 : add_matches(&t, &paths, list_has_magic(pattern));
	}
	if (rc == 0)
		rc = run(&t);
	free(t.to);
	return rc;
}

int
sftp_do_get(struct sftp *s, const struct sftp_args *a)
{
	return get(s, a, false);
}

int
sftp_do_reget(struct sftp *s, const struct sftp_args *a)
{
	return get(s, a, true);
}

/* --- put ----------------------------------------------------------------- */

static int
open_remote(struct transfer *t, const char *word)
{
	AUTOFREE char *path = strdup(word != NULL ? word : t->s->cwd);

	if (path == NULL)
		return -ENOMEM;
	if (word != NULL)
		list_unescape(path);
	t->to = sftp_absolute(t->s, path);
	if (t->to == NULL)
		return -ENOMEM;
	t->to_is_dir = word == NULL || call_is_dir(t->s->peer, t->to);
	return 0;
}

static int
add_local(struct transfer *t, const char *path, size_t n)
{
	AUTOFREE char *to = destination(t, path, n);
	struct stat st;

	if (to == NULL)
		return -ENOMEM;
	if (stat(path, &st) != 0) {
		show_error("stat %s: %s", path, strerror(errno));
		return -errno;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		show_error("skipping non-regular file %s", path);
		return 0;
	}
	return add(t, path, to, false);
}

static int
add_locals(struct transfer *t, const char *pattern, const glob_t *g)
{
	int rc = 0;

	if (g->gl_pathc > 1 && !t->to_is_dir) {
		show_error("Multiple paths match, but destination \"%s\" is "
			   "not a directory",
		    t->to);
		return -ENOTDIR;
	}
	if (g->gl_pathc == 0)
		show_error("File \"%s\" not found.", pattern);
	for (size_t i = 0; i < g->gl_pathc; i++) {
		int one = add_local(t, g->gl_pathv[i], g->gl_pathc);

		rc = one != 0 ? one : rc;
	}
	return g->gl_pathc != 0 ? rc : -ENOENT;
}

static int
put(struct sftp *s, const struct sftp_args *a, bool resume)
{
	struct transfer t = { .s = s, .verb = "Uploading" };
	int rc = open_remote(&t, a->word[1]), rc_run;
	glob_t g = { 0 };

	set_options(&t, a, resume);
	if (rc == 0)
		t.x = xfer_new(NULL, s->peer, &t.options, s->progress);
	if (rc == 0 && t.x == NULL)
		rc = -ENOMEM;
	if (rc == 0) {
		(void)glob(a->word[0], GLOB_MARK | GLOB_NOMAGIC | GLOB_TILDE,
		    NULL, &g);
		rc = add_locals(&t, a->word[0], &g);
		globfree(&g);
	}
	/* The others are sent also if one could not be found. */
	if (t.x != NULL) {
		rc_run = run(&t);
		rc = rc != 0 ? rc : rc_run;
	}
	free(t.to);
	return rc;
}

int
sftp_do_put(struct sftp *s, const struct sftp_args *a)
{
	return put(s, a, false);
}

int
sftp_do_reput(struct sftp *s, const struct sftp_args *a)
{
	return put(s, a, true);
}

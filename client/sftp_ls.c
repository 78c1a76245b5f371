/*
 * ls of the sftp shell: columns, long lines, sorting. Runs in the client; all
 * that it prints is the server's text, and is shown with show_text().
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "client/interrupt.h"
#include "client/sftp.h"
#include "client/sftp_call.h"
#include "client/sftp_list.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

#define WIDTH_DEFAULT 80
#define COLUMN_GAP 2
/* Older than this, a file's line has its year and no time of day. */
#define RECENT_SECONDS (365 * 24 * 60 * 60 / 2)
#define WHEN_MAX 32

struct order {
	bool by_size, by_time, reverse;
};

static int
compare(const void *a, const void *b, void *arg)
{
	const struct list_entry *x = a, *y = b;
	const struct order *o = arg;
	int n = 0;

	if (o->by_size)
		n = (x->attrs.size < y->attrs.size) -
		    (x->attrs.size > y->attrs.size);
	else if (o->by_time)
		n = (x->attrs.mtime < y->attrs.mtime) -
		    (x->attrs.mtime > y->attrs.mtime);
	if (n == 0)
		n = strcmp(x->name, y->name);
	return o->reverse ? -n : n;
}

static void
sort(struct list *l, const struct sftp_args *a)
{
	struct order o = { .by_size = a->flag['S'],
		.by_time = a->flag['t'],
		.reverse = a->flag['r'] };

	if (!a->flag['f'] && l->n > 1)
		qsort_r(l->entries, l->n, sizeof(l->entries[0]), compare, &o);
}

/* --- long lines ---------------------------------------------------------- */

static void
format_when(uint32_t mtime, char out[WHEN_MAX])
{
	time_t t = (time_t)mtime, now = time(NULL);
	struct tm tm;

	out[0] = '\0';
	if (localtime_r(&t, &tm) == NULL)
		return;
	strftime(out, WHEN_MAX,
	    t > now - RECENT_SECONDS && t <= now ? "%b %e %H:%M" : "%b %e  %Y",
	    &tm);
}

/* Names as wide as those of the server's own lines; they are its text. */
static void
print_attrs(struct sftp *s, const struct list_entry *e, const char *name,
    const struct sftp_args *a)
{
	static const struct owners none;
	const struct owners *known = a->flag['n'] ? &none : &s->owners;
	char mode[12] = "?????????? ", when[WHEN_MAX], size[SHOW_SIZE_MAX];
	char uid[OWNER_NUMBER_MAX], gid[OWNER_NUMBER_MAX];
	const struct sftp_attrs *at = &e->attrs;

	if (at->flags & SSH_FILEXFER_ATTR_PERMISSIONS)
		strmode((mode_t)at->perm, mode);
	format_when(at->mtime, when);
	if (a->flag['h'])
		show_size(at->size, "", size);
	else
		snprintf(
		    size, sizeof(size), "%llu", (unsigned long long)at->size);
	show_print(stdout, "%s   ? %-8s %-8s %8s %s %s\n", mode,
	    owners_name(known, OWNER_USER, at->uid, uid),
	    owners_name(known, OWNER_GROUP, at->gid, gid), size, when, name);
}

/*
 * The server's own line, unless something else was asked for, or the server
 * tells who owns files: then ours, which has the path. As OpenSSH's.
 */
static bool
is_own_line(
    const struct sftp *s, const struct list_entry *e, const struct sftp_args *a)
{
	return e->longname != NULL && !a->flag['n'] && !a->flag['h'] &&
	       !peer_has(s->peer, PEER_OWNERS);
}

/* What was asked for by an absolute path is shown by one. */
static const char *
shown_name(
    const struct sftp *s, const struct list_entry *e, const struct sftp_args *a)
{
	bool absolute = a->n > 0 && a->word[0][0] == '/';

	return absolute ? e->name : sftp_relative(s, e->name);
}

static void
print_long(struct sftp *s, const struct list *l, const struct sftp_args *a)
{
	bool all_own = true;

	for (size_t i = 0; i < l->n; i++)
		all_own &= is_own_line(s, &l->entries[i], a);
	if (!all_own && !a->flag['n'])
		owners_learn(&s->owners, s->peer, l);
	for (size_t i = 0; i < l->n && !interrupt_seen(); i++) {
		const struct list_entry *e = &l->entries[i];

		if (is_own_line(s, e, a))
			show_print(stdout, "%s\n", e->longname);
		else
			print_attrs(s, e, shown_name(s, e, a), a);
	}
}

/* --- columns ------------------------------------------------------------- */

static size_t
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col;
}

static void
print_columns(char *const shown[], size_t n)
{
	size_t widest = 1, columns, width;

	for (size_t i = 0; i < n; i++)
		if (show_width(shown[i]) > widest)
			widest = show_width(shown[i]);
	columns = terminal_width() / (widest + COLUMN_GAP);
	columns = columns > 0 ? columns : 1;
	width = terminal_width() / columns;
	for (size_t i = 0; i < n; i++) {
		bool last = (i + 1) % columns == 0 || i + 1 == n;
		size_t used = show_width(shown[i]);

		printf("%s%*s%s", shown[i],
		    !last && used < width ? (int)(width - used) : 0, "",
		    last ? "\n" : "");
	}
}

static int
print_short(struct sftp *s, const struct list *l, const struct sftp_args *a)
{
	char **shown = calloc(l->n + 1, sizeof(*shown));
	bool ok = shown != NULL;

	for (size_t i = 0; ok && i < l->n; i++) {
		shown[i] = show_text(shown_name(s, &l->entries[i], a));
		ok = shown[i] != NULL;
	}
	if (ok && a->flag['1'])
		for (size_t i = 0; i < l->n; i++)
			puts(shown[i]);
	else if (ok)
		print_columns(shown, l->n);
	for (size_t i = 0; shown != NULL && i < l->n; i++)
		free(shown[i]);
	free(shown);
	return ok ? 0 : -ENOMEM;
}

static int
print_list(struct sftp *s, struct list *l, const struct sftp_args *a)
{
	sort(l, a);
	if (!a->flag['l'] && !a->flag['n'])
		return print_short(s, l, a);
	print_long(s, l, a);
	return 0;
}

/* --- what to list -------------------------------------------------------- */

/* Entries as paths, so that `ls dir` prints dir/name as OpenSSH's does. */
static int
list_dir(struct sftp *s, const char *path, const struct sftp_args *a)
{
	AUTO(list_done) struct list all = { .dots = a->flag['a'] };
	AUTO(list_done) struct list shown = LIST_INIT;
	int rc = sftp_failed(
	    s, list_read(s->peer, path, &all), "remote readdir", path);

	for (size_t i = 0; rc == 0 && i < all.n; i++) {
		const struct list_entry *e = &all.entries[i];
		AUTOFREE char *full = NULL;

		if (e->name[0] == '.' && !a->flag['a'])
			continue;
		full = list_join(path, e->name);
		rc = full != NULL
			 ? list_add(&shown, full, e->longname, &e->attrs)
			 : -ENOMEM;
	}
	return rc == 0 ? print_list(s, &shown, a) : rc;
}

/* The attributes of what a link leads to; its own if that is nothing. */
static int
follow(struct sftp *s, struct list_entry *e)
{
	int rc = call_stat(s->peer, e->name, CALL_FOLLOW, &e->attrs);

	return rc > 0 ? call_stat(s->peer, e->name, CALL_NOFOLLOW, &e->attrs)
		      : rc;
}

static bool
is(const struct list_entry *e, mode_t type)
{
	return (e->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS) != 0 &&
	       (e->attrs.perm & S_IFMT) == type;
}

/* One path: a directory's entries, or the file itself. */
static int
list_one(struct sftp *s, struct list *paths, const struct sftp_args *a)
{
	struct list_entry *e = &paths->entries[0];
	int rc = follow(s, e);

	if (rc == SSH_FX_NO_SUCH_FILE) {
		show_error("Can't ls: \"%s\" not found", e->name);
		return rc;
	}
	if (sftp_failed(s, rc, "stat remote", e->name) != 0)
		return rc;
	return is(e, S_IFDIR) ? list_dir(s, e->name, a)
			      : print_list(s, paths, a);
}

/* Several: links are followed, and directories have a slash, as OpenSSH's. */
static int
list_several(struct sftp *s, struct list *paths, const struct sftp_args *a)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < paths->n && !interrupt_seen(); i++) {
		struct list_entry *e = &paths->entries[i];
		char *marked;

		if (is(e, S_IFLNK))
			rc = follow(s, e);
		if (rc < 0 || !is(e, S_IFDIR))
			continue;
		marked = list_join(e->name, "");
		if (marked == NULL)
			return -ENOMEM;
		free(e->name);
		e->name = marked;
	}
	if (rc < 0)
		return sftp_failed(s, rc, "stat remote", a->word[0]);
	return print_list(s, paths, a);
}

int
sftp_do_ls(struct sftp *s, const struct sftp_args *a)
{
	AUTO(list_done) struct list paths = LIST_INIT;
	AUTOFREE char *pattern = NULL;
	int rc;

	if (a->n == 0)
		return list_dir(s, s->cwd, a);
	pattern = sftp_absolute_pattern(s, a->word[0]);
	if (pattern == NULL)
		return -ENOMEM;
	rc = sftp_failed(
	    s, list_glob(s->peer, pattern, &paths), "Can't ls:", pattern);
	if (rc != 0)
		return rc;
	if (paths.n == 0) {
		show_error("Can't ls: \"%s\" not found", pattern);
		return SSH_FX_NO_SUCH_FILE;
	}
	return paths.n == 1 ? list_one(s, &paths, a)
			    : list_several(s, &paths, a);
}

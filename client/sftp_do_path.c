/*
 * Commands of the sftp shell about the server's paths. Runs in the client.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/interrupt.h"
#include "client/sftp.h"
#include "client/sftp_call.h"
#include "client/sftp_list.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

#define MODE_DIR 0777
#define MODE_MOST 07777
#define KIB 1024

int
sftp_failed(struct sftp *s, int rc, const char *what, const char *path)
{
	if (rc != 0)
		show_error("%s \"%s\": %s", what, path, peer_text(s->peer, rc));
	return rc;
}

char *
sftp_absolute(const struct sftp *s, const char *path)
{
	return path[0] == '/' ? strdup(path) : list_join(s->cwd, path);
}

char *
sftp_absolute_pattern(const struct sftp *s, const char *pattern)
{
	AUTOFREE char *cwd = NULL;

	if (pattern[0] == '/')
		return strdup(pattern);
	cwd = words_quote(s->cwd, '\0');
	return cwd != NULL ? list_join(cwd, pattern) : NULL;
}

const char *
sftp_relative(const struct sftp *s, const char *path)
{
	size_t len = strlen(s->cwd);

	if (strncmp(path, s->cwd, len) != 0)
		return path;
	if (len > 0 && s->cwd[len - 1] == '/')
		return path[len] != '\0' ? path + len : path;
	return path[len] == '/' && path[len + 1] != '\0' ? path + len + 1
							 : path;
}

/* A word that is a path and no pattern; to be freed. */
static char *
plain(const struct sftp *s, const char *word)
{
	AUTOFREE char *path = strdup(word);

	if (path == NULL)
		return NULL;
	list_unescape(path);
	return sftp_absolute(s, path);
}

int
sftp_do_cd(struct sftp *s, const struct sftp_args *a)
{
	AUTOFREE char *path =
	    plain(s, a->n > 0 && *a->word[0] != '\0' ? a->word[0] : s->start);
	AUTOFREE char *real = NULL;
	struct sftp_attrs attrs = { 0 };
	int rc;

	if (path == NULL)
		return -ENOMEM;
	rc = sftp_failed(
	    s, call_realpath(s->peer, path, &real), "realpath", path);
	if (rc == 0)
		rc = sftp_failed(s,
		    call_stat(s->peer, real, CALL_FOLLOW, &attrs),
		    "stat remote", real);
	if (rc != 0)
		return rc;
	if ((attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS) == 0 ||
	    !S_ISDIR(attrs.perm)) {
		show_error(
		    "Can't change directory: \"%s\" is not a directory", real);
		return -ENOTDIR;
	}
	free(s->cwd);
	s->cwd = take_ptr(&real);
	return 0;
}

int
sftp_do_pwd(struct sftp *s, const struct sftp_args *a)
{
	(void)a;
	show_print(stdout, "Remote working directory: %s\n", s->cwd);
	return 0;
}

int
sftp_do_mkdir(struct sftp *s, const struct sftp_args *a)
{
	AUTOFREE char *path = plain(s, a->word[0]);

	return path == NULL
		   ? -ENOMEM
		   : sftp_failed(s, call_mkdir(s->peer, path, MODE_DIR),
			 "remote mkdir", path);
}

int
sftp_do_rmdir(struct sftp *s, const struct sftp_args *a)
{
	AUTOFREE char *path = plain(s, a->word[0]);

	return path == NULL ? -ENOMEM
			    : sftp_failed(s, call_rmdir(s->peer, path),
				  "remote rmdir", path);
}

/* --- two paths ----------------------------------------------------------- */

static int
with_two(struct sftp *s, const struct sftp_args *a, const char *what,
    int (*call)(struct peer *, const char *, const char *))
{
	AUTOFREE char *from = plain(s, a->word[0]);
	AUTOFREE char *to = plain(s, a->word[1]);
	int rc;

	if (from == NULL || to == NULL)
		return -ENOMEM;
	rc = call(s->peer, from, to);
	if (rc != 0)
		show_error("%s \"%s\" to \"%s\": %s", what, from, to,
		    peer_text(s->peer, rc));
	return rc;
}

int
sftp_do_rename(struct sftp *s, const struct sftp_args *a)
{
	return with_two(s, a, "remote rename",
	    a->flag['l'] ? call_rename_old : call_rename);
}

int
sftp_do_cp(struct sftp *s, const struct sftp_args *a)
{
	return with_two(s, a, "remote copy", call_copy);
}

/* What a symbolic link holds is text: it is sent as it was typed. */
int
sftp_do_symlink(struct sftp *s, const struct sftp_args *a)
{
	AUTOFREE char *target = strdup(a->word[0]);
	AUTOFREE char *path = plain(s, a->word[1]);

	if (target == NULL || path == NULL)
		return -ENOMEM;
	list_unescape(target);
	return sftp_failed(
	    s, call_symlink(s->peer, target, path), "remote symlink", path);
}

int
sftp_do_ln(struct sftp *s, const struct sftp_args *a)
{
	return a->flag['s'] ? sftp_do_symlink(s, a)
			    : with_two(s, a, "remote link", call_hardlink);
}

/* --- patterns ------------------------------------------------------------ */

typedef int each_fn(
    struct sftp *s, const char *path, const struct sftp_args *a);

/* For each path that matches; a pattern without a match is a path. */
static int
for_each(
    struct sftp *s, const struct sftp_args *a, const char *word, each_fn *each)
{
	AUTO(list_done) struct list paths = LIST_INIT;
	AUTOFREE char *pattern = sftp_absolute_pattern(s, word);
	int rc, result = 0;

	if (pattern == NULL)
		return -ENOMEM;
	rc = sftp_failed(s, list_glob(s->peer, pattern, &paths), "list", word);
	if (rc == 0 && paths.n == 0) {
		list_unescape(pattern);
		rc = list_add(&paths, pattern, NULL, NULL);
	}
	for (size_t i = 0; rc == 0 && i < paths.n && !interrupt_seen(); i++) {
		int one = each(s, paths.entries[i].name, a);

		result = one != 0 ? one : result;
		if (one != 0 && s->batch)
			break;
	}
	return rc != 0 ? rc : result;
}

static int
remove_one(struct sftp *s, const char *path, const struct sftp_args *a)
{
	(void)a;
	if (!s->quiet)
		show_print(stdout, "Removing %s\n", path);
	return sftp_failed(
	    s, call_remove(s->peer, path), "remote delete", path);
}

int
sftp_do_rm(struct sftp *s, const struct sftp_args *a)
{
	return for_each(s, a, a->word[0], remove_one);
}

static enum call_links
links_of(const struct sftp_args *a)
{
	return a->flag['h'] ? CALL_NOFOLLOW : CALL_FOLLOW;
}

static int
chmod_one(struct sftp *s, const char *path, const struct sftp_args *a)
{
	struct sftp_attrs attrs = { .flags = SSH_FILEXFER_ATTR_PERMISSIONS,
		.perm = (uint32_t)a->number };

	if (!s->quiet)
		show_print(stdout, "Changing mode on %s\n", path);
	return sftp_failed(s, call_setstat(s->peer, path, links_of(a), &attrs),
	    "remote setstat", path);
}

int
sftp_do_chmod(struct sftp *s, const struct sftp_args *a)
{
	if (a->number > MODE_MOST) {
		show_error("chmod: a mode has four octal digits at most");
		return -EINVAL;
	}
	return for_each(s, a, a->word[1], chmod_one);
}

/* Both ids are set at once: the other one stays what it is. */
static int
chown_one(struct sftp *s, const char *path, const struct sftp_args *a)
{
	bool is_group = a->command->run == sftp_do_chgrp;
	struct sftp_attrs attrs = { 0 };
	int rc = sftp_failed(s, call_stat(s->peer, path, links_of(a), &attrs),
	    "stat remote", path);

	if (rc != 0)
		return rc;
	if ((attrs.flags & SSH_FILEXFER_ATTR_UIDGID) == 0) {
		show_error(
		    "Can't get current ownership of remote file \"%s\"", path);
		return -ENOTSUP;
	}
	if (!s->quiet)
		show_print(stdout, "Changing %s on %s\n",
		    is_group ? "group" : "owner", path);
	attrs.flags = SSH_FILEXFER_ATTR_UIDGID;
	if (is_group)
		attrs.gid = (uint32_t)a->number;
	else
		attrs.uid = (uint32_t)a->number;
	return sftp_failed(s, call_setstat(s->peer, path, links_of(a), &attrs),
	    "remote setstat", path);
}

int
sftp_do_chown(struct sftp *s, const struct sftp_args *a)
{
	return for_each(s, a, a->word[1], chown_one);
}

int
sftp_do_chgrp(struct sftp *s, const struct sftp_args *a)
{
	return for_each(s, a, a->word[1], chown_one);
}

/* --- df ------------------------------------------------------------------ */

static unsigned
percent(uint64_t used, uint64_t total)
{
	if (used >= total)
		return total != 0 ? 100 : 0;
	return (unsigned)((double)used * 100 / (double)total);
}

static void
print_space(const struct statvfs *v)
{
	uint64_t unit = (v->f_frsize != 0 ? v->f_frsize : v->f_bsize);

	printf("        Size         Used        Avail       (root)    "
	       "%%Capacity\n");
	printf("%12llu %12llu %12llu %12llu         %3u%%\n",
	    (unsigned long long)(unit * v->f_blocks / KIB),
	    (unsigned long long)(unit * (v->f_blocks - v->f_bfree) / KIB),
	    (unsigned long long)(unit * v->f_bavail / KIB),
	    (unsigned long long)(unit * v->f_bfree / KIB),
	    percent(v->f_blocks - v->f_bfree, v->f_blocks));
}

static void
print_human(const struct statvfs *v)
{
	uint64_t unit = v->f_frsize != 0 ? v->f_frsize : v->f_bsize;
	char size[SHOW_SIZE_MAX], used[SHOW_SIZE_MAX], avail[SHOW_SIZE_MAX],
	    root[SHOW_SIZE_MAX];

	printf("    Size     Used    Avail   (root)    %%Capacity\n");
	printf("%8s %8s %8s %8s         %3u%%\n",
	    show_size(unit * v->f_blocks, "B", size),
	    show_size(unit * (v->f_blocks - v->f_bfree), "B", used),
	    show_size(unit * v->f_bavail, "B", avail),
	    show_size(unit * v->f_bfree, "B", root),
	    percent(v->f_blocks - v->f_bfree, v->f_blocks));
}

static void
print_inodes(const struct statvfs *v)
{
	uint64_t used = v->f_files - v->f_ffree;

	printf("     Inodes        Used       Avail      (root)    "
	       "%%Capacity\n");
	printf("%11llu %11llu %11llu %11llu         %3u%%\n",
	    (unsigned long long)v->f_files, (unsigned long long)used,
	    (unsigned long long)v->f_favail, (unsigned long long)v->f_ffree,
	    percent(used, v->f_files));
}

int
sftp_do_df(struct sftp *s, const struct sftp_args *a)
{
	AUTOFREE char *path = plain(s, a->n > 0 ? a->word[0] : s->cwd);
	struct statvfs v = { 0 };
	int rc;

	if (path == NULL)
		return -ENOMEM;
	rc = call_statvfs(s->peer, path, &v);
	if (rc == SSH_FX_OP_UNSUPPORTED) {
		show_error("Server does not support statvfs@openssh.com "
			   "extension");
		return rc;
	}
	if (sftp_failed(s, rc, "remote statvfs", path) != 0)
		return rc;
	if (a->flag['i'])
		print_inodes(&v);
	else if (a->flag['h'])
		print_human(&v);
	else
		print_space(&v);
	return 0;
}

int
sftp_do_version(struct sftp *s, const struct sftp_args *a)
{
	(void)a;
	printf("SFTP protocol version %u\n", peer_version(s->peer));
	return 0;
}

int
sftp_do_quit(struct sftp *s, const struct sftp_args *a)
{
	(void)a;
	s->quit = true;
	return 0;
}

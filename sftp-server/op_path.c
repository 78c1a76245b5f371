/*
 * Making, removing and renaming. Runs in sftp-server, jailed, as the user;
 * paths are the client's, and the kernel says what the user may do with them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/op.h"
#include "sftp-server/place.h"
#include "sftp-server/reply.h"
#include "sftp-server/resolve.h"

#define MODE_BITS 07777u
#define MODE_DEFAULT 0777u

/* 0 or -errno, of a call that returns -1 on errors. */
static int
result_of(int returned)
{
	return returned == 0 ? 0 : -errno;
}

/* The calls that are about one entry: 0 or -errno, flags as unlinkat(2)'s. */
static int
entry_remove(struct server *s, const char *path, int flags)
{
	AUTO(place_leave) struct entry_at at;
	int error = place_enter(s, path, &at);

	return error != 0 ? error : result_of(unlinkat(at.dir, at.leaf, flags));
}

int
op_remove(struct server *s, const struct request *q)
{
	slog(SLOG_INFO, "remove name \"%s\"", slog_name(q->path[0]));
	return entry_remove(s, q->path[0], 0);
}

int
op_rmdir(struct server *s, const struct request *q)
{
	slog(SLOG_INFO, "rmdir name \"%s\"", slog_name(q->path[0]));
	return entry_remove(s, q->path[0], AT_REMOVEDIR);
}

int
op_mkdir(struct server *s, const struct request *q)
{
	AUTO(place_leave) struct entry_at at;
	uint32_t mode = MODE_DEFAULT;
	int error;

	if (q->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS)
		mode = q->attrs.perm & MODE_BITS;
	slog(SLOG_INFO, "mkdir name \"%s\" mode 0%o", slog_name(q->path[0]),
	    mode);
	error = place_enter(s, q->path[0], &at);
	return error != 0 ? error
			  : result_of(mkdirat(at.dir, at.leaf, (mode_t)mode));
}

static bool
is_unsupported(int error)
{
	return error == -ENOSYS || error == -EINVAL || error == -EOPNOTSUPP ||
	       error == -EXDEV;
}

/* Rename by link and unlink, which replaces nothing. What has come to have the
 * old name meanwhile stays. */
static int
rename_by_link(const struct entry_at *from, const struct entry_at *to)
{
	struct stat a, b;
	int error =
	    result_of(linkat(from->dir, from->leaf, to->dir, to->leaf, 0));

	if (error != 0)
		return error;
	if (fstatat(from->dir, from->leaf, &a, AT_SYMLINK_NOFOLLOW) != 0 ||
	    fstatat(to->dir, to->leaf, &b, AT_SYMLINK_NOFOLLOW) != 0)
		error = -errno;
	else if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		error = -EBUSY;
	if (error == 0)
		error = result_of(unlinkat(from->dir, from->leaf, 0));
	if (error != 0)
		(void)unlinkat(to->dir, to->leaf, 0);
	return error;
}

/*
 * For file systems without RENAME_NOREPLACE. A link fails if the new name is
 * taken; where there are no links either, there is a moment between the look
 * and the rename.
 */
static int
rename_fallback(const struct entry_at *from, const struct entry_at *to)
{
	struct stat st;
	int error;

	if (fstatat(from->dir, from->leaf, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	if (S_ISREG(st.st_mode)) {
		error = rename_by_link(from, to);
		if (!is_unsupported(error) && error != -EPERM)
			return error;
	}
	if (fstatat(to->dir, to->leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (errno != ENOENT)
		return -errno;
	return result_of(renameat(from->dir, from->leaf, to->dir, to->leaf));
}

/* A call on two entries. */
typedef int (*pair_call)(
    const struct entry_at *from, const struct entry_at *to);
typedef int (*entry_find)(
    struct server *s, const char *path, struct entry_at *out_at);

static int
pair_run(
    struct server *s, const struct request *q, entry_find find, pair_call call)
{
	AUTO(place_leave) struct entry_at from = { .opened = -1 };
	AUTO(place_leave) struct entry_at to = { .opened = -1 };
	int error = find(s, q->path[0], &from);

	if (error == 0)
		error = find(s, q->path[1], &to);
	return error != 0 ? error : call(&from, &to);
}

static int
call_rename_new(const struct entry_at *from, const struct entry_at *to)
{
	return result_of(renameat2(
	    from->dir, from->leaf, to->dir, to->leaf, RENAME_NOREPLACE));
}

static int
call_rename(const struct entry_at *from, const struct entry_at *to)
{
	return result_of(renameat(from->dir, from->leaf, to->dir, to->leaf));
}

static int
call_link(const struct entry_at *from, const struct entry_at *to)
{
	return result_of(linkat(from->dir, from->leaf, to->dir, to->leaf, 0));
}

static void
pair_log(const char *what, const struct request *q)
{
	slog(SLOG_INFO, "%s old \"%s\" new \"%s\"", what, slog_name(q->path[0]),
	    slog_name(q->path[1]));
}

/* Version 3's RENAME replaces nothing (draft section 6.5). */
int
op_rename(struct server *s, const struct request *q)
{
	int error;

	pair_log("rename", q);
	error = pair_run(s, q, place_enter, call_rename_new);
	/* It takes several calls then, which must be about the same two. */
	return is_unsupported(error)
		   ? pair_run(s, q, place_hold, rename_fallback)
		   : error;
}

int
op_posix_rename(struct server *s, const struct request *q)
{
	pair_log("posix-rename", q);
	return pair_run(s, q, place_enter, call_rename);
}

int
op_hardlink(struct server *s, const struct request *q)
{
	pair_log("hardlink", q);
	return pair_run(s, q, place_enter, call_link);
}

int
op_symlink(struct server *s, const struct request *q)
{
	AUTO(place_leave) struct entry_at at;
	const char *target = q->path[0], *path = q->path[1];
	int error;

	slog(SLOG_INFO, "symlink old \"%s\" new \"%s\"", slog_name(target),
	    slog_name(path));
	error = place_enter(s, path, &at);
	return error != 0 ? error
			  : result_of(symlinkat(target, at.dir, at.leaf));
}

int
op_readlink(struct server *s, const struct request *q)
{
	AUTO(place_leave) struct entry_at at;
	char target[SFTP_PATH_MAX + 1];
	ssize_t n;
	int error;

	slog(SLOG_VERBOSE, "readlink \"%s\"", slog_name(q->path[0]));
	error = place_enter(s, q->path[0], &at);
	if (error != 0)
		return error;
	n = readlinkat(at.dir, at.leaf, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return reply_path(s, q->id, target);
}

int
op_realpath(struct server *s, const struct request *q)
{
	char path[SFTP_PATH_MAX + 1];
	int error;

	slog(SLOG_VERBOSE, "realpath \"%s\"",
	    slog_name(q->path[0][0] != '\0' ? q->path[0] : "."));
	error = resolve_path(q->path[0], path);
	return error != 0 ? error : reply_path(s, q->id, path);
}

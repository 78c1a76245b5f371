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

#include "sftp-server/op.h"
#include "sftp-server/reply.h"
#include "sftp-server/resolve.h"

#define MODE_BITS 07777u
#define MODE_DEFAULT 0777u

int
op_remove(struct server *s, const struct request *q)
{
	(void)s;
	slog(SLOG_INFO, "remove name \"%s\"", slog_name(q->path[0]));
	return unlinkat(AT_FDCWD, q->path[0], 0) == 0 ? 0 : -errno;
}

int
op_mkdir(struct server *s, const struct request *q)
{
	uint32_t mode = MODE_DEFAULT;

	(void)s;
	if (q->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS)
		mode = q->attrs.perm & MODE_BITS;
	slog(SLOG_INFO, "mkdir name \"%s\" mode 0%o", slog_name(q->path[0]),
	    mode);
	return mkdirat(AT_FDCWD, q->path[0], (mode_t)mode) == 0 ? 0 : -errno;
}

int
op_rmdir(struct server *s, const struct request *q)
{
	(void)s;
	slog(SLOG_INFO, "rmdir name \"%s\"", slog_name(q->path[0]));
	return unlinkat(AT_FDCWD, q->path[0], AT_REMOVEDIR) == 0 ? 0 : -errno;
}

static bool
is_unsupported(int error)
{
	return error == ENOSYS || error == EINVAL || error == EOPNOTSUPP ||
	       error == EXDEV;
}

/* Rename by link and unlink, which replaces nothing. */
static int
rename_by_link(const char *from, const char *to)
{
	int error;

	if (linkat(AT_FDCWD, from, AT_FDCWD, to, 0) != 0)
		return -errno;
	if (unlinkat(AT_FDCWD, from, 0) == 0)
		return 0;
	error = -errno;
	(void)unlinkat(AT_FDCWD, to, 0);
	return error;
}

/*
 * For file systems without RENAME_NOREPLACE. A link fails if the new name is
 * taken; where there are no links either, there is a moment between the look
 * and the rename.
 */
static int
rename_fallback(const char *from, const char *to)
{
	struct stat st;
	int error;

	if (fstatat(AT_FDCWD, from, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	if (S_ISREG(st.st_mode)) {
		error = rename_by_link(from, to);
		if (!is_unsupported(-error) && error != -EPERM)
			return error;
	}
	if (fstatat(AT_FDCWD, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (errno != ENOENT)
		return -errno;
	return renameat(AT_FDCWD, from, AT_FDCWD, to) == 0 ? 0 : -errno;
}

/* Version 3's RENAME replaces nothing (draft section 6.5). */
int
op_rename(struct server *s, const struct request *q)
{
	const char *from = q->path[0], *to = q->path[1];

	(void)s;
	slog(SLOG_INFO, "rename old \"%s\" new \"%s\"", slog_name(from),
	    slog_name(to));
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	return is_unsupported(errno) ? rename_fallback(from, to) : -errno;
}

int
op_posix_rename(struct server *s, const struct request *q)
{
	const char *from = q->path[0], *to = q->path[1];

	(void)s;
	slog(SLOG_INFO, "posix-rename old \"%s\" new \"%s\"", slog_name(from),
	    slog_name(to));
	return renameat(AT_FDCWD, from, AT_FDCWD, to) == 0 ? 0 : -errno;
}

int
op_hardlink(struct server *s, const struct request *q)
{
	const char *from = q->path[0], *to = q->path[1];

	(void)s;
	slog(SLOG_INFO, "hardlink old \"%s\" new \"%s\"", slog_name(from),
	    slog_name(to));
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0) == 0 ? 0 : -errno;
}

int
op_symlink(struct server *s, const struct request *q)
{
	const char *target = q->path[0], *path = q->path[1];

	(void)s;
	slog(SLOG_INFO, "symlink old \"%s\" new \"%s\"", slog_name(target),
	    slog_name(path));
	return symlinkat(target, AT_FDCWD, path) == 0 ? 0 : -errno;
}

int
op_readlink(struct server *s, const struct request *q)
{
	char target[SFTP_PATH_MAX + 1];
	ssize_t n;

	slog(SLOG_VERBOSE, "readlink \"%s\"", slog_name(q->path[0]));
	n = readlinkat(AT_FDCWD, q->path[0], target, sizeof(target) - 1);
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

/*
 * Attributes of files and of file systems. Runs in sftp-server, jailed, as the
 * user; names and values are the client's.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/digest.h"
#include "sftp-server/op.h"
#include "sftp-server/reply.h"

#define MODE_BITS 07777u

static int
do_stat(struct server *s, const struct request *q, int flags)
{
	struct stat st;

	if (fstatat(AT_FDCWD, q->path[0], &st, flags) != 0)
		return -errno;
	return reply_attrs(s, q->id, &st);
}

int
op_stat(struct server *s, const struct request *q)
{
	slog(SLOG_VERBOSE, "stat name \"%s\"", slog_name(q->path[0]));
	return do_stat(s, q, 0);
}

int
op_lstat(struct server *s, const struct request *q)
{
	slog(SLOG_VERBOSE, "lstat name \"%s\"", slog_name(q->path[0]));
	return do_stat(s, q, AT_SYMLINK_NOFOLLOW);
}

int
op_fstat(struct server *s, const struct request *q)
{
	struct handle *h = handles_get(&s->handles, q->handle[0]);
	struct stat st;

	if (h == NULL)
		return REQUEST_NO_HANDLE;
	if (fstat(h->fd, &st) != 0)
		return -errno;
	return reply_attrs(s, q->id, &st);
}

/* What attributes are set on: an open file, or a path. */
struct target {
	int fd; /* -1: by path */
	const char *path;
	int nofollow; /* AT_SYMLINK_NOFOLLOW or 0 */
};

static int
set_size(const struct target *t, const struct sftp_attrs *a)
{
	int result;

	slog(SLOG_INFO, "set \"%s\" size %llu", slog_name(t->path),
	    (unsigned long long)a->size);
	if (a->size > INT64_MAX)
		return -EINVAL;
	if (t->fd >= 0)
		result = ftruncate(t->fd, (off_t)a->size);
	else
		result = truncate(t->path, (off_t)a->size);
	return result == 0 ? 0 : -errno;
}

static int
set_owner(const struct target *t, const struct sftp_attrs *a)
{
	int result;

	slog(SLOG_INFO, "set \"%s\" owner %lu group %lu", slog_name(t->path),
	    (unsigned long)a->uid, (unsigned long)a->gid);
	if (t->fd >= 0)
		result = fchown(t->fd, a->uid, a->gid);
	else
		result =
		    fchownat(AT_FDCWD, t->path, a->uid, a->gid, t->nofollow);
	return result == 0 ? 0 : -errno;
}

/* Where neither kernel nor /proc can: a link itself has no mode, and opening
 * refuses to follow one. */
static int
chmod_opened(const char *path, mode_t mode)
{
	AUTOCLOSE int fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return errno == ELOOP ? -EOPNOTSUPP : -errno;
	return fchmod(fd, mode) == 0 ? 0 : -errno;
}

static int
set_mode(const struct target *t, const struct sftp_attrs *a)
{
	mode_t mode = a->perm & MODE_BITS;
	int result;

	slog(SLOG_INFO, "set \"%s\" mode %04o", slog_name(t->path), a->perm);
	if (t->fd >= 0)
		result = fchmod(t->fd, mode);
	else
		result = fchmodat(AT_FDCWD, t->path, mode, t->nofollow);
	if (result != 0 && errno == EOPNOTSUPP && t->nofollow != 0)
		return chmod_opened(t->path, mode);
	return result == 0 ? 0 : -errno;
}

static void
times_log(const struct target *t, time_t mtime)
{
	char when[64] = "?";
	struct tm tm;

	if (localtime_r(&mtime, &tm) != NULL)
		strftime(when, sizeof(when), "%Y%m%d-%H:%M:%S", &tm);
	slog_line(SLOG_INFO, "set \"%s\" modtime %s", slog_name(t->path), when);
}

static int
set_times(const struct target *t, const struct sftp_attrs *a)
{
	struct timespec ts[2] = {
		{ .tv_sec = (time_t)a->atime },
		{ .tv_sec = (time_t)a->mtime },
	};
	int result;

	if (slog_enabled(SLOG_INFO))
		times_log(t, (time_t)a->mtime);
	if (t->fd >= 0)
		result = futimens(t->fd, ts);
	else
		result = utimensat(AT_FDCWD, t->path, ts, t->nofollow);
	return result == 0 ? 0 : -errno;
}

static const struct {
	uint32_t flag;
	int (*set)(const struct target *t, const struct sftp_attrs *a);
} setters[] = {
	{ SSH_FILEXFER_ATTR_SIZE, set_size },
	{ SSH_FILEXFER_ATTR_PERMISSIONS, set_mode },
	{ SSH_FILEXFER_ATTR_ACMODTIME, set_times },
	{ SSH_FILEXFER_ATTR_UIDGID, set_owner },
};

/*
 * Each attribute is tried, in OpenSSH's order, and the last error is told. The
 * owner comes last, which clears a file's set-id bits again (chown(2)).
 */
static int
set_attrs(const struct target *t, const struct sftp_attrs *a)
{
	int error = 0, result;

	for (size_t i = 0; i < nitems_of(setters); i++) {
		if ((a->flags & setters[i].flag) == 0)
			continue;
		result = setters[i].set(t, a);
		if (result != 0)
			error = result;
	}
	return error;
}

int
op_setstat(struct server *s, const struct request *q)
{
	struct target t = { .fd = -1, .path = q->path[0] };

	(void)s;
	return set_attrs(&t, &q->attrs);
}

int
op_lsetstat(struct server *s, const struct request *q)
{
	struct target t = {
		.fd = -1,
		.path = q->path[0],
		.nofollow = AT_SYMLINK_NOFOLLOW,
	};

	(void)s;
	/* A link has no size to set. */
	if (q->attrs.flags & SSH_FILEXFER_ATTR_SIZE)
		return -EINVAL;
	return set_attrs(&t, &q->attrs);
}

int
op_fsetstat(struct server *s, const struct request *q)
{
	struct handle *h = handles_get(&s->handles, q->handle[0]);
	struct target t = { .fd = -1 };

	if (h == NULL)
		return REQUEST_NO_HANDLE;
	if (h->digest != NULL && (q->attrs.flags & SSH_FILEXFER_ATTR_SIZE) != 0)
		digest_spoil(h->digest);
	t.fd = h->fd;
	t.path = h->name;
	return set_attrs(&t, &q->attrs);
}

static int
reply_statvfs(
    struct server *s, const struct request *q, const struct statvfs *vfs)
{
	size_t mark = reply_start(s, SSH_FXP_EXTENDED_REPLY, q->id);

	sftp_statvfs_write(&s->out, vfs);
	sftp_finish(&s->out, mark);
	return REQUEST_REPLIED;
}

int
op_statvfs(struct server *s, const struct request *q)
{
	struct statvfs vfs;

	slog(SLOG_INFO, "statvfs \"%s\"", slog_name(q->path[0]));
	if (statvfs(q->path[0], &vfs) != 0)
		return -errno;
	return reply_statvfs(s, q, &vfs);
}

int
op_fstatvfs(struct server *s, const struct request *q)
{
	struct handle *h = handles_get(&s->handles, q->handle[0]);
	struct statvfs vfs;

	if (h == NULL)
		return REQUEST_NO_HANDLE;
	if (fstatvfs(h->fd, &vfs) != 0)
		return -errno;
	return reply_statvfs(s, q, &vfs);
}

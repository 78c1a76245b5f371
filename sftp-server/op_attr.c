/*
 * Attributes of files and of file systems. Runs in sftp-server, jailed, as the
 * user; names and values are the client's.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/digest.h"
#include "sftp-server/op.h"
#include "sftp-server/place.h"
#include "sftp-server/reply.h"

#define MODE_BITS 07777u
/* fchmodat2(2), as headers may be older than the kernel. */
#define NR_FCHMODAT2 452

static int
do_stat(struct server *s, const struct request *q, int flags)
{
	struct stat st;
	int error = place_stat(s, q->path[0], flags, &st);

	return error != 0 ? error : reply_attrs(s, q->id, &st);
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

/*
 * What attributes are set on: an open file, or what a path led to when it was
 * looked up, once for all of them.
 */
struct target {
	struct server *s;
	int fd;
	bool is_pin; /* fd is place_pin()'s, of this path */
	const char *path;
	int error; /* nothing was found, and there is no fd */
};

#define PIN_NAME_SIZE sizeof("/proc/self/fd/4294967295")

/* The pinned file by a name, where there is a /proc. */
static const char *
pin_name(const struct target *t, char *name)
{
	snprintf(name, PIN_NAME_SIZE, "/proc/self/fd/%d", t->fd);
	return name;
}

static bool
is_pinned(const struct target *t, const struct stat *st)
{
	struct stat pinned;

	return fstat(t->fd, &pinned) == 0 && pinned.st_dev == st->st_dev &&
	       pinned.st_ino == st->st_ino;
}

/* Open the pinned file by its path again, which may be another's by now. */
static int
pin_open(const struct target *t, int flags)
{
	AUTOCLOSE int fd = place_open(
	    t->s, t->path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) != 0)
		return -errno;
	return is_pinned(t, &st) ? take_fd(&fd) : -ESTALE;
}

static int
pin_truncate(const struct target *t, off_t size)
{
	AUTOCLOSE int fd = -1;
	struct stat st;
	int error;

	if (fstat(t->fd, &st) != 0)
		return -errno;
	/* A device is not opened, as that may be all that it waits for. */
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	fd = pin_open(t, O_WRONLY);
	if (fd < 0)
		return fd;
	error = lend_await(t->s);
	if (error != 0)
		return error;
	return ftruncate(fd, size) == 0 ? 0 : -errno;
}

static void
size_log(const struct target *t, const struct sftp_attrs *a)
{
	slog_line(SLOG_INFO, "set \"%s\" size %llu", slog_name(t->path),
	    (unsigned long long)a->size);
}

static int
set_size(const struct target *t, const struct sftp_attrs *a)
{
	if (a->size > INT64_MAX)
		return -EINVAL;
	if (t->is_pin)
		return pin_truncate(t, (off_t)a->size);
	return ftruncate(t->fd, (off_t)a->size) == 0 ? 0 : -errno;
}

static void
owner_log(const struct target *t, const struct sftp_attrs *a)
{
	slog_line(SLOG_INFO, "set \"%s\" owner %lu group %lu",
	    slog_name(t->path), (unsigned long)a->uid, (unsigned long)a->gid);
}

static int
set_owner(const struct target *t, const struct sftp_attrs *a)
{
	return fchownat(t->fd, "", a->uid, a->gid, AT_EMPTY_PATH) == 0 ? 0
								       : -errno;
}

/*
 * For kernels before 6.6 where there is no /proc: by a descriptor that reads,
 * or writes; and if the file may be opened for neither, by its path, which may
 * come to be another's in between.
 */
static int
pin_chmod_opened(const struct target *t, mode_t mode)
{
	AUTO(place_leave) struct entry_at at = { .opened = -1 };
	AUTOCLOSE int fd = pin_open(t, O_RDONLY);
	struct stat st;

	if (fd == -EACCES)
		fd = pin_open(t, O_WRONLY);
	if (fd >= 0)
		return fchmod(fd, mode) == 0 ? 0 : -errno;
	if (fd != -EACCES || place_enter(t->s, t->path, &at) != 0)
		return fd;
	if (fstatat(at.dir, at.leaf, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	if (!is_pinned(t, &st))
		return -ESTALE;
	return fchmodat(at.dir, at.leaf, mode, 0) == 0 ? 0 : -errno;
}

static int
pin_chmod(const struct target *t, mode_t mode)
{
	char name[PIN_NAME_SIZE];
	struct stat st;

	if (syscall(NR_FCHMODAT2, t->fd, "", mode, AT_EMPTY_PATH) == 0)
		return 0;
	if (fstat(t->fd, &st) != 0)
		return -errno;
	/* What this name leads to on a link is the link's own matter. */
	if (S_ISLNK(st.st_mode))
		return -EOPNOTSUPP;
	if (chmod(pin_name(t, name), mode) == 0)
		return 0;
	return errno == ENOENT ? pin_chmod_opened(t, mode) : -errno;
}

static void
mode_log(const struct target *t, const struct sftp_attrs *a)
{
	slog_line(
	    SLOG_INFO, "set \"%s\" mode %04o", slog_name(t->path), a->perm);
}

static int
set_mode(const struct target *t, const struct sftp_attrs *a)
{
	mode_t mode = a->perm & MODE_BITS;

	if (t->is_pin)
		return pin_chmod(t, mode);
	return fchmod(t->fd, mode) == 0 ? 0 : -errno;
}

static void
times_log(const struct target *t, const struct sftp_attrs *a)
{
	time_t mtime = (time_t)a->mtime;
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
	char name[PIN_NAME_SIZE];

	if (!t->is_pin)
		return futimens(t->fd, ts) == 0 ? 0 : -errno;
	if (utimensat(t->fd, "", ts, AT_EMPTY_PATH) == 0)
		return 0;
	/* Before Linux 5.8. */
	if (errno == EINVAL &&
	    utimensat(AT_FDCWD, pin_name(t, name), ts, 0) == 0)
		return 0;
	return -errno;
}

static const struct {
	uint32_t flag;
	void (*log)(const struct target *t, const struct sftp_attrs *a);
	int (*set)(const struct target *t, const struct sftp_attrs *a);
} setters[] = {
	{ SSH_FILEXFER_ATTR_SIZE, size_log, set_size },
	{ SSH_FILEXFER_ATTR_PERMISSIONS, mode_log, set_mode },
	{ SSH_FILEXFER_ATTR_ACMODTIME, times_log, set_times },
	{ SSH_FILEXFER_ATTR_UIDGID, owner_log, set_owner },
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
		if (slog_enabled(SLOG_INFO))
			setters[i].log(t, a);
		result = t->error != 0 ? t->error : setters[i].set(t, a);
		if (result != 0)
			error = result;
	}
	return error;
}

static int
set_by_path(struct server *s, const struct request *q, int nofollow)
{
	AUTOCLOSE int fd = place_pin(s, q->path[0], nofollow);
	struct target t = {
		.s = s,
		.fd = fd,
		.is_pin = true,
		.path = q->path[0],
		.error = fd < 0 ? fd : 0,
	};

	return set_attrs(&t, &q->attrs);
}

int
op_setstat(struct server *s, const struct request *q)
{
	return set_by_path(s, q, 0);
}

int
op_lsetstat(struct server *s, const struct request *q)
{
	/* A link has no size to set. */
	if (q->attrs.flags & SSH_FILEXFER_ATTR_SIZE)
		return -EINVAL;
	return set_by_path(s, q, AT_SYMLINK_NOFOLLOW);
}

int
op_fsetstat(struct server *s, const struct request *q)
{
	struct handle *h = handles_get(&s->handles, q->handle[0]);
	struct target t = { .s = s };

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
	AUTOCLOSE int fd = -1;
	struct statvfs vfs;

	slog(SLOG_INFO, "statvfs \"%s\"", slog_name(q->path[0]));
	fd = place_pin(s, q->path[0], 0);
	if (fd < 0)
		return fd;
	if (fstatvfs(fd, &vfs) != 0)
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

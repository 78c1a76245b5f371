/*
 * Reading and writing through file handles. Runs in sftp-server, jailed, as
 * the user; names, offsets and lengths are the client's.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/digest.h"
#include "sftp-server/op.h"
#include "sftp-server/place.h"
#include "sftp-server/reply.h"

#define MODE_BITS 07777u
#define MODE_DEFAULT 0666u
#define OPEN_CHANGES (SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC)
/* Leases are broken within /proc/sys/fs/lease-break-time, 45 seconds. */
#define LEASE_PAUSE_MS 50
#define LEASE_TRIES (50 * 1000 / LEASE_PAUSE_MS)

static const struct {
	uint32_t pflag;
	int flag;
	const char *name;
} open_flags[] = {
	{ SSH_FXF_READ, 0, "READ" },
	{ SSH_FXF_WRITE, 0, "WRITE" },
	{ SSH_FXF_APPEND, 0, "APPEND" },
	{ SSH_FXF_CREAT, O_CREAT, "CREATE" },
	{ SSH_FXF_TRUNC, O_TRUNC, "TRUNCATE" },
	{ SSH_FXF_EXCL, O_EXCL, "EXCL" },
};

static int
flags_of(uint32_t pflags)
{
	/* Nobody waits here for the other end of a FIFO. */
	int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	if ((pflags & SSH_FXF_WRITE) != 0)
		flags |= (pflags & SSH_FXF_READ) != 0 ? O_RDWR : O_WRONLY;
	/* Means nothing on a handle to read from. */
	if ((pflags & SSH_FXF_WRITE) != 0 && (pflags & SSH_FXF_APPEND) != 0)
		flags |= O_APPEND;
	for (size_t i = 0; i < nitems_of(open_flags); i++)
		if ((pflags & open_flags[i].pflag) != 0)
			flags |= open_flags[i].flag;
	return flags;
}

void
op_flags_text(uint32_t pflags, char *words)
{
	words[0] = '\0';
	for (size_t i = 0; i < nitems_of(open_flags); i++) {
		if ((pflags & open_flags[i].pflag) == 0)
			continue;
		if (words[0] != '\0')
			strlcat(words, ",", OP_FLAGS_SIZE);
		strlcat(words, open_flags[i].name, OP_FLAGS_SIZE);
	}
}

static void
open_log(const struct request *q, uint32_t mode)
{
	char words[OP_FLAGS_SIZE];

	op_flags_text((uint32_t)q->number[0], words);
	slog_line(SLOG_INFO, "open \"%s\" flags %s mode 0%o",
	    slog_name(q->path[0]), words, mode);
}

/*
 * A descriptor or -errno. Another's lease on a file (fcntl(2)) is worth a wait,
 * but not in open(2): by then it may be a FIFO that has the name.
 */
static int
open_path(struct server *s, const char *path, int flags, mode_t mode)
{
	int fd = place_open(s, path, flags, mode), error = 0;

	for (int i = 0; i < LEASE_TRIES && fd == -EWOULDBLOCK; i++) {
		error = server_pause(s, LEASE_PAUSE_MS);
		if (error != 0)
			return error;
		fd = place_open(s, path, flags, mode);
	}
	return fd;
}

/*
 * Root may write to its own memory by way of /proc, and so do what -P forbids;
 * and a user to that of another sftp-server, while it is on its way into its
 * jail and until then like any program, where there is no Landlock.
 */
static bool
may_write(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC;
}

/*
 * With a digest to make, a file that is written may have to be read again: it
 * is opened for both if it may be. The handle does not read for the client.
 */
static int
open_wanted(struct server *s, const char *path, int flags, mode_t mode)
{
	AUTOCLOSE int fd = -1;
	struct stat st;

	if (!s->audit.with_digest || (flags & O_ACCMODE) != O_WRONLY)
		return open_path(s, path, flags, mode);
	fd = open_path(s, path, (flags & ~O_ACCMODE) | O_RDWR, mode);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return take_fd(&fd);
	return open_path(s, path, flags, mode);
}

int
op_open(struct server *s, const struct request *q)
{
	uint32_t pflags = (uint32_t)q->number[0];
	uint32_t mode = MODE_DEFAULT;
	AUTOCLOSE int fd = -1;
	struct handle proto = {
		.kind = HANDLE_FILE,
		.flags = flags_of(pflags),
		.name = (char *)(uintptr_t)q->path[0],
	};
	uint64_t id;
	int error;

	if (q->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS)
		mode = q->attrs.perm;
	if (slog_enabled(SLOG_INFO))
		open_log(q, mode);
	if (s->opt->readonly && (pflags & OPEN_CHANGES) != 0) {
		slog(SLOG_VERBOSE, "Refusing open request in read-only mode");
		return -EACCES;
	}
	fd = open_wanted(s, q->path[0], proto.flags, mode & MODE_BITS);
	if (fd < 0)
		return fd;
	if ((pflags & SSH_FXF_WRITE) != 0 && !may_write(fd))
		return -EACCES;
	error = handles_add(&s->handles, &proto, &fd, &id);
	if (error != 0)
		return error;
	audit_opened(s, handles_get(&s->handles, id));
	return reply_handle(s, q->id, id);
}

static int
close_told(struct server *s, struct handle *h, const char *before)
{
	int error;

	if (h->kind == HANDLE_FILE)
		slog(SLOG_INFO, "%sclose \"%s\" bytes read %llu written %llu",
		    before, slog_name(h->name), (unsigned long long)h->nread,
		    (unsigned long long)h->nwritten);
	else
		slog(
		    SLOG_INFO, "%sclosedir \"%s\"", before, slog_name(h->name));
	audit_closing(s, h, before[0] != '\0');
	error = handles_close(&s->handles, h);
	audit_closed(s, error);
	return error;
}

void
op_close_forced(struct server *s, struct handle *h)
{
	(void)close_told(s, h, "forced ");
}

int
op_close(struct server *s, const struct request *q)
{
	struct handle *h = handles_get(&s->handles, q->handle[0]);

	if (h == NULL)
		return -EBADF;
	return close_told(s, h, "");
}

ssize_t
op_file_read(int fd, uint8_t *to, size_t n, off_t at)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = pread(fd, to + done, n - done, at + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return done != 0 ? (ssize_t)done : -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int
op_file_write(
    int fd, const uint8_t *from, size_t n, off_t at, uint64_t *out_done)
{
	ssize_t put;

	*out_done = 0;
	do {
		put = pwrite(
		    fd, from + *out_done, n - *out_done, at + (off_t)*out_done);
		if (put < 0 && errno != EINTR)
			return -errno;
		if (put == 0 && n != 0)
			return -EIO;
		if (put > 0)
			*out_done += (uint64_t)put;
	} while (*out_done < n);
	return 0;
}

/* Whether n bytes at an offset of the client's have offsets of off_t. */
static bool
is_range(uint64_t at, uint64_t n)
{
	return at <= INT64_MAX && n <= INT64_MAX - at;
}

/* Told once a handle, so that a client cannot fill the log with one. */
static int
io_failed(struct handle *h, const char *what, int error)
{
	if (!h->is_failed)
		slog(SLOG_ERROR, "process_%s: %s \"%s\": %s", what, what,
		    slog_name(h->name), strerror(-error));
	h->is_failed = true;
	return error;
}

int
op_read(struct server *s, const struct request *q)
{
	struct handle *h =
	    handles_get_kind(&s->handles, q->handle[0], HANDLE_FILE);
	size_t want = (size_t)q->number[1];
	size_t mark;
	uint8_t *len;
	ssize_t n;

	if (h == NULL)
		return REQUEST_NO_HANDLE;
	if (want > SFTP_DATA_MAX)
		want = SFTP_DATA_MAX;
	if (!is_range(q->number[0], want))
		return -EINVAL;
	if (want != 0 && (h->flags & O_ACCMODE) == O_WRONLY)
		return io_failed(h, "read", -EBADF);
	if (lend_read(s, h, q->id, q->number[0], want)) {
		h->nread += want;
		return REQUEST_REPLIED;
	}
	lend_settle(s);
	mark = reply_start(s, SSH_FXP_DATA, q->id);
	len = reply_space(s, sizeof(uint32_t) + want);
	n = op_file_read(
	    h->fd, len + sizeof(uint32_t), want, (off_t)q->number[0]);
	if (n < 0)
		return io_failed(h, "read", (int)n);
	if (n == 0 && want != 0)
		return REQUEST_EOF;
	reply_poke(len, (uint32_t)n);
	reply_advance(s, sizeof(uint32_t) + (size_t)n);
	sftp_finish(&s->out, mark);
	h->nread += (uint64_t)n;
	if ((size_t)n == want)
		lend_consider(s, h, want);
	if (h->digest != NULL)
		digest_add(
		    h->digest, q->number[0], len + sizeof(uint32_t), (size_t)n);
	return REQUEST_REPLIED;
}

int
op_write(struct server *s, const struct request *q)
{
	struct handle *h =
	    handles_get_kind(&s->handles, q->handle[0], HANDLE_FILE);
	uint64_t at = q->number[0], done;
	int error;

	if (h == NULL)
		return REQUEST_NO_HANDLE;
	/* The kernel writes at the end then, wherever the client says. */
	if ((h->flags & O_APPEND) != 0)
		at = 0;
	if (!is_range(at, q->data[0].len))
		return -EINVAL;
	if (ahead_did(s, q, h)) {
		done = q->data[0].len;
		error = 0;
	} else
		error = op_file_write(
		    h->fd, q->data[0].p, q->data[0].len, (off_t)at, &done);
	h->nwritten += done;
	if (h->digest != NULL)
		digest_add(h->digest, at, q->data[0].p, done);
	return error != 0 ? io_failed(h, "write", error) : 0;
}

int
op_fsync(struct server *s, const struct request *q)
{
	struct handle *h =
	    handles_get_kind(&s->handles, q->handle[0], HANDLE_FILE);

	if (h == NULL)
		return -ENOENT;
	slog(SLOG_VERBOSE, "fsync \"%s\"", slog_name(h->name));
	return fsync(h->fd) == 0 ? 0 : -errno;
}

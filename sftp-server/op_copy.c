/*
 * The copy-data extension (draft-ietf-secsh-filexfer-extensions-00, section
 * 7). Runs in sftp-server, jailed, as the user; offsets and lengths are the
 * client's.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sftp-server/digest.h"
#include "sftp-server/op.h"
#include "sftp-server/reply.h"

/* Between two looks at whether the client still wants a long copy. */
#define COPY_STEP (64u << 20)
#define COPY_BUFFER (128u * 1024)

struct copy {
	struct handle *from, *to;
	off_t from_at, to_at;
	uint64_t left;
	bool by_hand, without_holes, has_skipped;
};

/* For what copy_file_range(2) cannot do: appending, some file systems. */
static ssize_t
copy_by_hand(struct copy *c, size_t n)
{
	static uint8_t buffer[COPY_BUFFER];
	uint64_t done = 0;
	ssize_t got;
	int error;

	if (n > sizeof(buffer))
		n = sizeof(buffer);
	got = op_file_read(c->from->fd, buffer, n, c->from_at);
	if (got <= 0)
		return got;
	error = op_file_write(c->to->fd, buffer, (size_t)got, c->to_at, &done);
	c->from_at += (off_t)done;
	c->to_at += (off_t)done;
	return error != 0 ? error : (ssize_t)done;
}

static bool
is_unsupported(int error)
{
	return error == EBADF || error == EINVAL || error == ENOSYS ||
	       error == EXDEV || error == EOPNOTSUPP;
}

/*
 * A hole need not be written where there is nothing to overwrite. How many
 * bytes of one are skipped, or 0; *n is cut so that it does not reach into the
 * next one.
 */
static ssize_t
skip_hole(struct copy *c, size_t *n)
{
	struct stat from, to;
	off_t data, end;

	if (c->without_holes || fstat(c->from->fd, &from) != 0 ||
	    fstat(c->to->fd, &to) != 0 || to.st_size > c->to_at ||
	    !S_ISREG(to.st_mode))
		return 0;
	data = lseek(c->from->fd, c->from_at, SEEK_DATA);
	/* A hole up to the end, or behind it. */
	if (data < 0 && errno == ENXIO)
		data = from.st_size;
	if (data > c->from_at)
		return data - c->from_at < (off_t)c->left ? data - c->from_at
							  : (ssize_t)c->left;
	end = lseek(c->from->fd, c->from_at, SEEK_HOLE);
	if (data < 0 || end < 0)
		c->without_holes = true;
	else if (end > c->from_at && (off_t)*n > end - c->from_at)
		*n = (size_t)(end - c->from_at);
	return 0;
}

static ssize_t
copy_step(struct copy *c)
{
	size_t n = c->left < COPY_STEP ? (size_t)c->left : COPY_STEP;
	ssize_t done = skip_hole(c, &n);

	if (done > 0) {
		c->has_skipped = true;
		c->from_at += done;
		c->to_at += done;
		return done;
	}
	if (c->by_hand)
		return copy_by_hand(c, n);
	done = copy_file_range(
	    c->from->fd, &c->from_at, c->to->fd, &c->to_at, n, 0);
	/* 0 may mean that the file has no size, as those of /proc. */
	if (done > 0 || (done < 0 && !is_unsupported(errno)))
		return done < 0 ? -errno : done;
	c->by_hand = true;
	return copy_by_hand(c, n);
}

/* What ends in a hole has its size from this. */
static int
copy_end(const struct copy *c, int result)
{
	struct stat to;

	if (!c->has_skipped || fstat(c->to->fd, &to) != 0 ||
	    to.st_size >= c->to_at)
		return result;
	return ftruncate(c->to->fd, c->to_at) == 0 ? result : -errno;
}

static int
copy_run(struct server *s, struct copy *c, bool to_end)
{
	ssize_t n = 0;
	int error;

	for (; c->left > 0; c->left -= (uint64_t)n) {
		error = server_still_wanted(s);
		if (error != 0)
			return error;
		n = copy_step(c);
		if (n == 0)
			return copy_end(c, to_end ? 0 : REQUEST_EOF);
		if (n < 0 && n != -EINTR)
			return (int)n;
		if (n < 0)
			n = 0;
		c->from->nread += (uint64_t)n;
		c->to->nwritten += (uint64_t)n;
		s->moved += (uint64_t)n;
	}
	return copy_end(c, 0);
}

static int
is_same_file(int a, int b)
{
	struct stat x, y;

	if (fstat(a, &x) != 0 || fstat(b, &y) != 0)
		return -errno;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What the kernel moves is not seen by a digest. */
static void
spoil(struct handle *h)
{
	if (h->digest != NULL)
		digest_spoil(h->digest);
}

int
op_copy_data(struct server *s, const struct request *q)
{
	struct copy c = {
		.from =
		    handles_get_kind(&s->handles, q->handle[0], HANDLE_FILE),
		.to = handles_get_kind(&s->handles, q->handle[1], HANDLE_FILE),
		.from_at = (off_t)q->number[0],
		.to_at = (off_t)q->number[2],
	};
	int same;

	if (c.from == NULL || c.to == NULL)
		return REQUEST_NO_HANDLE;
	if (q->number[0] > INT64_MAX || q->number[2] > INT64_MAX)
		return -EINVAL;
	/* Appended is what is written, and nothing else. */
	c.without_holes = (c.to->flags & O_APPEND) != 0;
	spoil(c.from);
	spoil(c.to);
	same = is_same_file(c.from->fd, c.to->fd);
	if (same < 0)
		return same;
	if (same == 1)
		return reply_error(s, q->id, SSH_FX_FAILURE, "Same file");
	c.left = INT64_MAX -
		 (q->number[0] > q->number[2] ? q->number[0] : q->number[2]);
	/* 0 is all that there is. */
	if (q->number[1] == 0)
		return copy_run(s, &c, true);
	if (c.left > q->number[1])
		c.left = q->number[1];
	return copy_run(s, &c, false);
}

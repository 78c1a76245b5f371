/*
 * This machine as a sink. Runs in the client, as the user. A name that the
 * server chose is one component (list_name_read()), is opened below its
 * directory's descriptor, and no link that lies there is followed: whatever
 * the server says, nothing is written outside of what the user named.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/file.h"
#include "client/xfer_impl.h"
#include "common/err.h"
#include "common/own.h"

/* Set-id bits and the like are never taken over. */
#define MODE_FILE 0777
#define MODE_DIR 01777
#define MODE_DEFAULT 0666

static int
base_of(const struct job *j)
{
	return j->up != NULL ? j->up->to_fd : AT_FDCWD;
}

static const char *
name_of(const struct job *j)
{
	return j->up != NULL ? j->name : j->to;
}

static mode_t
mode_of(const struct job *j, mode_t mask)
{
	if ((j->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS) == 0)
		return j->is_dir ? MODE_FILE : MODE_DEFAULT;
	return (mode_t)j->attrs.perm & mask;
}

/* Where a transfer that was cut off is to go on. */
static void
find_start(struct job *j)
{
	struct stat st;

	if (fstat(j->to_fd, &st) != 0)
		job_fail(j, NULL, -errno, "stat local \"%s\"", j->to);
	else if ((j->attrs.flags & SSH_FILEXFER_ATTR_SIZE) != 0 &&
		 (uint64_t)st.st_size > j->attrs.size)
		job_fail(j, NULL, 0,
		    "Unable to resume download of \"%s\": local file is larger "
		    "than remote",
		    j->to);
	else
		j->start = (uint64_t)st.st_size;
}

/* What the user named is opened as it is: /dev/stdout, a FIFO with a reader. */
static int
open_file(const struct job *j)
{
	int flags = O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC;
	mode_t mode = mode_of(j, MODE_FILE) | S_IWUSR;
	int fd;

	if (!j->x->options.resume)
		flags |= O_TRUNC;
	if (j->chosen)
		return file_open_chosen(base_of(j), name_of(j), flags, mode);
	fd = openat(base_of(j), name_of(j), flags, mode);
	return fd >= 0 ? fd : -errno;
}

static void
open_sink(struct job *j)
{
	int fd = open_file(j);

	j->to_fd = fd >= 0 ? fd : -1;
	if (j->chosen && (fd == -ELOOP || fd == -EEXIST))
		job_fail(j, NULL, 0,
		    "open local \"%s\": is %s; a name that the server chose is "
		    "not written %s",
		    j->to, fd == -ELOOP ? "a symbolic link" : "not a file",
		    fd == -ELOOP ? "through one" : "to it");
	else if (fd < 0)
		job_fail(j, NULL, fd, "open local \"%s\"", j->to);
	else if (j->x->options.resume)
		find_start(j);
	job_ready(j);
}

static void
make_dir(struct job *j)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	j->created = mkdirat(base_of(j), name_of(j),
			 mode_of(j, MODE_DIR) | S_IRWXU) == 0;
	if (!j->created && errno != EEXIST) {
		job_fail(j, NULL, -errno, "mkdir %s", j->to);
		job_ready(j);
		return;
	}
	j->to_fd = openat(
	    base_of(j), name_of(j), flags | (j->chosen ? O_NOFOLLOW : 0));
	if (j->to_fd < 0)
		job_fail(j, NULL, -errno, "\"%s\" exists and is no directory",
		    j->to);
	job_ready(j);
}

/* --- data ---------------------------------------------------------------- */

static int
write_all(const struct job *j, uint64_t at, struct span data)
{
	while (data.len > 0) {
		ssize_t n = pwrite(j->to_fd, data.p, data.len, (off_t)at);

		/* A pipe or a terminal takes what comes in order. */
		if (n < 0 && errno == ESPIPE && at == j->contiguous)
			n = write(j->to_fd, data.p, data.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data.p += n;
		data.len -= (size_t)n;
		if (at != j->contiguous || data.len > 0)
			at += (uint64_t)n;
	}
	return 0;
}

static void
write_data(struct job *j, uint64_t at, struct span data)
{
	int rc = write_all(j, at, data);

	if (rc == 0)
		rc = extent_note(j, at, at + data.len);
	if (rc != 0)
		job_fail(j, NULL, rc, "write local \"%s\"", j->to);
	job_written(j, (uint32_t)data.len);
}

/* --- the end ------------------------------------------------------------- */

static struct timespec
seconds(uint32_t t)
{
	return (struct timespec){ .tv_sec = (time_t)t };
}

static void
keep_attrs(struct job *j)
{
	struct timespec times[2] = { seconds(j->attrs.atime),
		seconds(j->attrs.mtime) };

	if ((j->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS) != 0 &&
	    fchmod(j->to_fd, mode_of(j, j->is_dir ? MODE_DIR : MODE_FILE)) != 0)
		job_fail(j, NULL, -errno, "local chmod \"%s\"", j->to);
	if ((j->attrs.flags & SSH_FILEXFER_ATTR_ACMODTIME) != 0 &&
	    futimens(j->to_fd, times) != 0)
		job_fail(j, NULL, -errno, "local set times \"%s\"", j->to);
}

static void
finish_dir(struct job *j)
{
	mode_t mode = mode_of(j, MODE_DIR);

	if (j->x->options.preserve)
		keep_attrs(j);
	else if (j->created && (mode & S_IRWXU) != S_IRWXU &&
		 fchmod(j->to_fd, mode & ~j->x->umask) != 0)
		job_fail(
		    j, NULL, -errno, "local chmod directory \"%s\"", j->to);
}

static void
finish_file(struct job *j)
{
	if (!j->failed && j->islands != NULL)
		job_fail(j, NULL, 0,
		    "\"%s\": the server ended the file and sent data from "
		    "beyond its end",
		    j->from);
	/* A hole would be taken for data when the transfer is resumed. */
	if (j->failed && j->islands != NULL &&
	    ftruncate(j->to_fd, (off_t)j->contiguous) != 0)
		job_fail(j, NULL, -errno, "local truncate \"%s\"", j->to);
	if (!j->failed && j->x->options.preserve)
		keep_attrs(j);
	if (!j->failed && j->x->options.sync && fsync(j->to_fd) != 0)
		job_fail(j, NULL, -errno, "local sync \"%s\"", j->to);
}

static void
finish(struct job *j)
{
	if (j->to_fd >= 0 && j->is_dir && !j->failed)
		finish_dir(j);
	else if (j->to_fd >= 0 && !j->is_dir)
		finish_file(j);
	if (j->to_fd >= 0 && close(j->to_fd) != 0)
		job_fail(j, NULL, -errno, "close local \"%s\"", j->to);
	job_over(j);
}

const struct to_ops to_local = { open_sink, make_dir, write_data, finish };

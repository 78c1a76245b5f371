/*
 * This machine as a source. Runs in the client, with the user's rights; what
 * lies here is the user's own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/xfer_stripe.h"
#include "common/own.h"

/* Entries read of one directory before other work gets its turn. */
#define ENTRIES_PER_TURN 512

static int
base_of(const struct job *j)
{
	return j->up != NULL ? j->up->from_fd : AT_FDCWD;
}

static const char *
name_of(const struct job *j)
{
	return j->up != NULL ? j->name : j->from;
}

/*
 * Links are followed, as by OpenSSH's clients; entries that are links do not
 * get here unless the options say so. O_NONBLOCK: a FIFO must not hold us.
 */
static void
open_source(struct job *j)
{
	struct stat st;

	j->from_fd =
	    openat(base_of(j), name_of(j), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (j->from_fd < 0 || fstat(j->from_fd, &st) != 0) {
		job_fail(j, NULL, -errno, "open local \"%s\"", j->from);
	} else if (!S_ISREG(st.st_mode) &&
		   (!S_ISDIR(st.st_mode) || (j->up != NULL && !j->is_dir))) {
		/* A link to a directory, in a tree, may go round in circles. */
		job_fail(
		    j, NULL, 0, "local \"%s\" is not a regular file", j->from);
	} else {
		j->attrs = sftp_attrs_of(&st);
		j->is_dir = S_ISDIR(st.st_mode);
	}
	job_opened(j);
}

static void
read_entries(struct job *dir)
{
	struct dirent *entry;

	for (int i = 0; i < ENTRIES_PER_TURN; i++) {
		struct stat st;
		struct sftp_attrs a;

		errno = 0;
		entry = readdir(dir->from_dir);
		if (entry == NULL) {
			if (errno != 0)
				job_fail(dir, NULL, -errno,
				    "read local directory \"%s\"", dir->from);
			job_listed(dir);
			return;
		}
		if (!list_name_ok(entry->d_name))
			continue;
		if (fstatat(dir->from_fd, entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) != 0)
			continue; /* gone since */
		a = sftp_attrs_of(&st);
		job_entry(dir, entry->d_name, &a);
	}
}

static void
list(struct job *dir)
{
	/* The stream gets a descriptor of its own: ours opens the children. */
	int fd = openat(dir->from_fd, ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);

	dir->from_dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir->from_dir != NULL)
		return;
	job_fail(dir, NULL, -errno, "local dir \"%s\"", dir->from);
	if (fd >= 0)
		close(fd);
	job_listed(dir);
}

static void
list_more(struct job *dir)
{
	if (dir->x->stopping)
		job_listed(dir);
	else if (dir->from_dir != NULL)
		read_entries(dir);
}

static bool
pull(struct job *j, uint32_t len)
{
	ssize_t n;

	if (stripe_holds(j, len))
		return false;
	do
		n = pread(j->from_fd, j->x->buffer, len, (off_t)j->next_at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		job_fail(j, NULL, -errno, "read local \"%s\"", j->from);
	if (n <= 0) {
		j->source_end = n == 0;
		return false;
	}
	window_asked(j->x, (uint32_t)n);
	j->next_at += (uint64_t)n;
	job_data(j, j->next_at - (uint64_t)n, span_of(j->x->buffer, (size_t)n));
	/* The end, without asking once more. */
	if (j->next_at == j->attrs.size && (size_t)n < len)
		j->source_end = true;
	return true;
}

static void
close_source(struct job *j)
{
	if (j->from_dir != NULL)
		closedir(j->from_dir);
	j->from_dir = NULL;
	if (j->from_fd >= 0)
		close(j->from_fd);
	j->from_fd = -1;
}

const struct from_ops from_local = { .open = open_source,
	.list = list,
	.list_more = list_more,
	.pull = pull,
	.close = close_source };

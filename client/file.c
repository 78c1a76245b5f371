/*
 * Small files of the user. Runs as the user; other processes may read and
 * write the same files at any time.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/file.h"
#include "common/err.h"
#include "common/nofile.h"
#include "common/own.h"

#define READ_SIZE 65536 /* bytes of one read(2) */

int
file_read(const char *path, struct writer *out, struct stat *out_st)
{
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTOFREE char *buf = malloc(READ_SIZE);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (buf == NULL)
		return -ENOMEM;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	while ((n = read(fd, buf, READ_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (out->len + (size_t)n > FILE_TEXT_MAX)
			return -EMSGSIZE;
		writer_bytes(out, buf, (size_t)n);
	}
	if (out_st != NULL)
		*out_st = st;
	return writer_end(out);
}

int
file_open_chosen(int dir, const char *name, int flags, mode_t mode)
{
	AUTOCLOSE int fd =
	    openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK, mode);
	struct stat st;

	if (fd < 0)
		return errno == ENXIO ? -EEXIST : -errno;
	if (fstat(fd, &st) != 0)
		return -errno;
	return S_ISREG(st.st_mode) ? take_fd(&fd) : -EEXIST;
}

int
file_write(int fd, struct span content)
{
	while (content.len > 0) {
		ssize_t n = write(fd, content.p, content.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		content.p += n;
		content.len -= (size_t)n;
	}
	return 0;
}

/* Fill the new file and put it in the old one's place. */
static int
fill_and_rename(int fd, const char *temp, const char *path, struct span content)
{
	int rc = file_write(fd, content);

	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	if (rc == 0 && rename(temp, path) != 0)
		rc = -errno;
	return rc;
}

int
file_replace(const char *path, struct span content, mode_t mode)
{
	char temp[PATH_MAX];
	AUTOFREE char *real = realpath(path, NULL);
	AUTOCLOSE int fd = -1;
	struct stat st;
	int rc = 0;

	if (real != NULL)
		path = real;
	if ((size_t)snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >=
	    sizeof(temp))
		return -ENAMETOOLONG;
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (stat(path, &st) == 0) {
		mode = st.st_mode & 07777;
		/* root may edit another's file, which then stays theirs */
		if (st.st_uid != geteuid() || st.st_gid != getegid())
			rc = fchown(fd, st.st_uid, st.st_gid) == 0 ? 0 : -errno;
	}
	if (rc == 0 && fchmod(fd, mode) != 0)
		rc = -errno;
	if (rc == 0)
		rc = fill_and_rename(fd, temp, path, content);
	if (rc != 0)
		unlink(temp);
	return rc;
}

int
file_append(const char *path, struct span content, mode_t mode)
{
	AUTOCLOSE int fd = open(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, mode);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, content.p, content.len);
	if (n < 0)
		return -errno;
	return (size_t)n == content.len ? 0 : -ENOSPC;
}

int
file_make_parent(const char *path)
{
	AUTOFREE char *copy = strdup(path);

	if (copy == NULL)
		return -ENOMEM;
	for (char *p = strchr(copy + 1, '/'); p != NULL; p = strchr(p, '/')) {
		*p = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST &&
		    errno != EROFS && errno != EACCES)
			return -errno;
		*p++ = '/';
	}
	return 0;
}

unsigned
file_limit(unsigned most, unsigned others)
{
	most = nofile_raise(most);
	return most > others + FILE_LEAST ? most - others : FILE_LEAST;
}

/*
 * Users' files. Runs in sshd-monitor; paths are the administrator's patterns,
 * contents are the user's: hostile.
 */
#include "config.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/token.h"
#include "monitor/userfile.h"

int
userfile_expand(
    const struct account *a, const char *pattern, char *out, size_t size)
{
	char uid[24];
	const struct token tokens[] = {
		{ 'h', a->home },
		{ 'u', a->name },
		{ 'U', uid },
	};
	AUTOFREE char *path = NULL;
	bool absolute;
	int rc;

	snprintf(uid, sizeof(uid), "%lu", (unsigned long)a->uid);
	rc = token_expand(pattern, tokens, nitems_of(tokens), &path);
	if (rc != 0)
		return rc;
	absolute = *path == '/';
	if ((size_t)snprintf(out, size, "%s%s%s", absolute ? "" : a->home,
		absolute ? "" : "/", path) >= size)
		return -ENAMETOOLONG;
	return 0;
}

static bool
sound(const struct stat *st, uid_t uid)
{
	return (st->st_uid == 0 || st->st_uid == uid) &&
	       (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int
userfile_check_modes(int fd, const char *path, uid_t uid, const char *top)
{
	char real[PATH_MAX], home[PATH_MAX];
	struct stat st;

	if (fstat(fd, &st) != 0 || !sound(&st, uid))
		return -EPERM;
	if (realpath(path, real) == NULL)
		return -errno;
	if (realpath(top, home) == NULL)
		home[0] = '\0';
	for (;;) {
		char *parent = dirname(real);

		if (parent != real)
			memmove(real, parent, strlen(parent) + 1);
		if (stat(real, &st) != 0 || !sound(&st, uid))
			return -EPERM;
		if (strcmp(real, home) == 0 || strcmp(real, "/") == 0)
			return 0;
	}
}

/* A FIFO or device of the user's must not hold us up. */
static int
open_file(const struct account *a, const struct options *o, const char *path)
{
	AUTOCLOSE int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0) {
		int rc = -errno;

		log_info("Could not open user '%s' file '%s': %s", a->name,
		    path, err_str(rc));
		return rc;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		log_info("User %s: %s is not a regular file", a->name, path);
		return -EINVAL;
	}
	if (o->strict_modes &&
	    userfile_check_modes(fd, path, a->uid, a->home) != 0) {
		log_info("Authentication refused: bad ownership or modes "
			 "for file %s or a directory above it",
		    path);
		return -EPERM;
	}
	return take_fd(&fd);
}

/* To the end of the file. 0, -EFBIG, or another -errno. */
static int
read_all(int fd, size_t most, struct writer *out)
{
	uint8_t buf[8192];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (out->len + (size_t)n > most)
			return -EFBIG;
		writer_bytes(out, buf, (size_t)n);
	}
	return n < 0 ? -errno : writer_end(out);
}

int
userfile_read(const struct account *a, const struct options *o,
    const char *path, struct writer *out)
{
	AUTOCLOSE int fd = open_file(a, o, path);
	int rc;

	if (fd < 0)
		return fd;
	rc = read_all(fd, USERFILE_MAX, out);
	if (rc != 0)
		log_info("%s: not read: %s", path,
		    rc == -EFBIG ? "larger than 16 MiB" : err_str(rc));
	return rc;
}

int
userfile_slurp(const char *path, size_t most, struct writer *out)
{
	AUTOCLOSE int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : read_all(fd, most, out);
}

bool
userfile_line(struct span *text, struct span *out_line)
{
	const uint8_t *end;
	size_t len;

	if (text->len == 0)
		return false;
	end = memchr(text->p, '\n', text->len);
	len = end != NULL ? (size_t)(end - text->p) : text->len;
	*out_line = span_of(text->p, len);
	len += end != NULL;
	*text = span_of(text->p + len, text->len - len);
	return true;
}

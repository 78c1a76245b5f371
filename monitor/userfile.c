/*
 * Users' files. Runs in sshd-monitor; paths are the administrator's patterns,
 * contents are the user's: hostile.
 */
#include "config.h"

#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
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

/* Whether group(5) lists nobody else. */
static bool
lists_only(const struct group *gr, uid_t uid)
{
	for (char **name = gr->gr_mem; *name != NULL; name++) {
		const struct passwd *pw = getpwnam(*name);

		if (pw == NULL || pw->pw_uid != uid)
			return false;
	}
	return true;
}

/*
 * Whether the group is the user's alone, as the groups are that Debian makes
 * with its users: files made under umask 002 are then nobody else's to write,
 * and Debian's sshd takes them. Who is in it by passwd(5) has to be found
 * among all accounts.
 */
static bool
is_private(gid_t gid, uid_t uid)
{
	const struct group *gr = getgrgid(gid);
	const struct passwd *pw;
	bool alone = gr != NULL && lists_only(gr, uid);
	bool any = gr != NULL && gr->gr_mem[0] != NULL;

	setpwent();
	while (alone && (pw = getpwent()) != NULL) {
		if (pw->pw_gid != gid)
			continue;
		any = true;
		alone = pw->pw_uid == uid;
	}
	endpwent();
	return alone && any;
}

static bool
sound(const struct stat *st, uid_t uid)
{
	return (st->st_uid == 0 || st->st_uid == uid) &&
	       (st->st_mode & S_IWOTH) == 0 &&
	       ((st->st_mode & S_IWGRP) == 0 || is_private(st->st_gid, uid));
}

static int
unsound(const char *kind, const char *path, char why[USERFILE_WHY_MAX])
{
	snprintf(why, USERFILE_WHY_MAX, "bad ownership or modes for %s %s",
	    kind, path);
	return -EPERM;
}

int
userfile_check_modes(int fd, const char *path, uid_t uid, const char *top,
    char why[USERFILE_WHY_MAX])
{
	char real[PATH_MAX], home[PATH_MAX];
	struct stat st;

	if (fstat(fd, &st) != 0 || !sound(&st, uid))
		return unsound("file", path, why);
	if (realpath(path, real) == NULL)
		return unsound("file", path, why);
	if (realpath(top, home) == NULL)
		home[0] = '\0';
	for (;;) {
		char *parent = dirname(real);

		if (parent != real)
			memmove(real, parent, strlen(parent) + 1);
		if (stat(real, &st) != 0 || !sound(&st, uid))
			return unsound("directory", real, why);
		if (strcmp(real, home) == 0 || strcmp(real, "/") == 0)
			return 0;
	}
}

/* A FIFO or device of the user's must not hold us up. */
static int
open_file(
    const struct account *a, const struct options *o, const struct userfile *f)
{
	const char *path = f->path;
	char why[USERFILE_WHY_MAX];
	AUTOCLOSE int fd =
	    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0) {
		int rc = -errno;

		log_bounded(LEVEL_INFO, "Could not open user '%s' %s '%s': %s",
		    a->name, f->kind, path, err_str(rc));
		return rc;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		log_bounded(LEVEL_INFO,
		    "User '%s' %s '%s' is not a regular file", a->name, f->kind,
		    path);
		return -EINVAL;
	}
	if (o->strict_modes &&
	    userfile_check_modes(fd, path, a->uid, a->home, why) != 0) {
		log_bounded(LEVEL_INFO, "Authentication refused: %s", why);
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
    const struct userfile *f, struct writer *out)
{
	AUTOCLOSE int fd = open_file(a, o, f);
	int rc;

	if (fd < 0)
		return fd;
	rc = read_all(fd, USERFILE_MAX, out);
	if (rc != 0)
		log_bounded(LEVEL_INFO, "%s: not read: %s", f->path,
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

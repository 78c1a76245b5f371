/*
 * Finds files by path for sftp-server, jailed, as the user; paths are the
 * client's, and links on the way anybody's who may write there.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/jail.h"
#include "sftp-server/place.h"
#include "sftp-server/resolve.h"
#include "sftp-server/server.h"

/* openat2(2), as headers may be older than the kernel. */
#define NR_OPENAT2 437
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_IN_ROOT 0x10

struct open_how {
	uint64_t flags, mode, resolve;
};

/* When something is moved while a path is walked, the kernel asks for another
 * try. */
#define TRIES_MAX 16

#define DIR_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

int
place_begin(struct server *s)
{
	AUTOCLOSE int fd = open("/", DIR_FLAGS);

	if (fd < 0)
		return -errno;
	if (fd != PLACE_ROOT_FD &&
	    dup3(fd, PLACE_ROOT_FD, O_CLOEXEC) != PLACE_ROOT_FD)
		return -errno;
	if (fd == PLACE_ROOT_FD)
		take_fd(&fd);
	if (getcwd(s->cwd, sizeof(s->cwd)) == NULL)
		return -errno;
	s->is_confined = true;
	return 0;
}

/* From the root on, as relative paths of a confined session are taken. */
static int
absolute(const struct server *s, const char *path, char *out_path)
{
	int n;

	if (path[0] == '\0')
		return -ENOENT;
	if (path[0] == '/')
		n = snprintf(out_path, SFTP_PATH_MAX + 1, "%s", path);
	else
		n = snprintf(
		    out_path, SFTP_PATH_MAX + 1, "%s/%s", s->cwd, path);
	return n <= SFTP_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int
open_beneath(const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)flags,
		.mode = (flags & O_CREAT) != 0 ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	errno = EAGAIN;
	for (int i = 0; i < TRIES_MAX && fd < 0 && errno == EAGAIN; i++)
		fd =
		    syscall(NR_OPENAT2, PLACE_ROOT_FD, path, &how, sizeof(how));
	return fd >= 0 ? (int)fd : -errno;
}

/*
 * Without openat2(2): name by name, from the root. The path has no links and
 * no "..", and what has become one meanwhile is an error.
 */
static int
descend(const char *path, int flags, mode_t mode)
{
	AUTOCLOSE int dir = -1;
	char name[SFTP_PATH_MAX + 1];
	size_t len;
	int fd;

	for (;;) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		if (path[strspn(path, "/")] == '\0')
			break;
		fd = openat(dir < 0 ? PLACE_ROOT_FD : dir, name,
		    DIR_FLAGS | O_NOFOLLOW);
		if (fd < 0)
			return -errno;
		own_close(&dir);
		dir = fd;
	}
	fd = openat(dir < 0 ? PLACE_ROOT_FD : dir, len != 0 ? name : ".",
	    flags | O_NOFOLLOW, mode);
	return fd >= 0 ? fd : -errno;
}

/* The jail of -R has no openat2(2), as its flags cannot be looked at there. */
static int
open_confined(struct server *s, const char *path, int flags, mode_t mode)
{
	char whole[SFTP_PATH_MAX + 1], real[SFTP_PATH_MAX + 1];
	int fd = absolute(s, path, whole);

	if (fd != 0)
		return fd;
	if (!s->opt->readonly) {
		fd = open_beneath(whole, flags, mode);
		if (fd != -ENOSYS)
			return fd;
	}
	fd = resolve_path(whole, real);
	return fd == 0 ? descend(real, flags, mode) : fd;
}

int
place_open(struct server *s, const char *path, int flags, mode_t mode)
{
	int fd;

	if (s->is_confined)
		return open_confined(s, path, flags, mode);
	fd = open(path, flags, mode);
	return fd >= 0 ? fd : -errno;
}

/* Split off the last name: false when it is none of an entry. */
static bool
split(const char *path, char *out_dir, const char **out_leaf)
{
	size_t end = strlen(path), at;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (at = end; at > 0 && path[at - 1] != '/';)
		at--;
	if (at == end || strncmp(path + at, "..", end - at) == 0)
		return false;
	memcpy(out_dir, path, at);
	strlcpy(out_dir + at, at == 0 ? "." : "", sizeof("."));
	*out_leaf = path + at;
	return true;
}

int
place_hold(struct server *s, const char *path, struct entry_at *out_at)
{
	char dir[SFTP_PATH_MAX + 1];

	out_at->opened = -1;
	if (path[0] == '\0')
		return -ENOENT;
	if (!split(path, dir, &out_at->leaf))
		return -EBUSY;
	out_at->dir = out_at->opened = place_open(s, dir, DIR_FLAGS, 0);
	return out_at->opened < 0 ? out_at->opened : 0;
}

int
place_enter(struct server *s, const char *path, struct entry_at *out_at)
{
	if (s->is_confined)
		return place_hold(s, path, out_at);
	out_at->opened = -1;
	out_at->dir = AT_FDCWD;
	out_at->leaf = path;
	return 0;
}

void
place_leave(struct entry_at *at)
{
	own_close(&at->opened);
	at->opened = -1;
}

int
place_pin(struct server *s, const char *path, int flags)
{
	AUTO(place_leave) struct entry_at at = { .opened = -1 };
	size_t len = strlen(path);
	int error = -EBUSY, fd;

	/* Behind a link, a slash means what it leads to. */
	if ((flags & AT_SYMLINK_NOFOLLOW) != 0 && len > 0 &&
	    path[len - 1] != '/')
		error = place_enter(s, path, &at);
	if (error == -EBUSY)
		return place_open(s, path, O_PATH | O_CLOEXEC, 0);
	if (error != 0)
		return error;
	fd = openat(at.dir, at.leaf, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

int
place_stat(struct server *s, const char *path, int flags, struct stat *out_st)
{
	AUTOCLOSE int fd = -1;
	struct stat st;

	if (!s->is_confined) {
		if (fstatat(AT_FDCWD, path, &st, flags) != 0)
			return -errno;
		*out_st = st;
		return 0;
	}
	fd = place_pin(s, path, flags);
	if (fd < 0)
		return fd;
	if (fstatat(fd, "", &st, AT_EMPTY_PATH) != 0)
		return -errno;
	*out_st = st;
	return 0;
}

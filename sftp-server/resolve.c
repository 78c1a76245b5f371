/*
 * Walks a path for SSH_FXP_REALPATH. Not realpath(3): the last component may
 * be missing, and /proc, which would know, is not there in a chroot.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "sftp-server/resolve.h"

/* As many links in one walk as the kernel follows (path_resolution(7)). */
#define LINKS_MAX 40

struct walk {
	char done[SFTP_PATH_MAX + 1]; /* canonical; no slash at its end but / */
	char left[SFTP_PATH_MAX + 1];
	unsigned nlinks;
};

static void
done_pop(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	slash[slash == w->done ? 1 : 0] = '\0';
}

static int
done_push(struct walk *w, const char *name, size_t len)
{
	size_t at = strlen(w->done);

	if (at > 1)
		w->done[at++] = '/';
	if (at + len > SFTP_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(w->done + at, name, len);
	w->done[at + len] = '\0';
	return 0;
}

/* The link at the end of done is replaced by where it points. */
static int
link_follow(struct walk *w, const char *target, const char *rest)
{
	char left[SFTP_PATH_MAX + 1];

	if (++w->nlinks > LINKS_MAX)
		return -ELOOP;
	if (strlcpy(left, target, sizeof(left)) >= sizeof(left) ||
	    strlcat(left, rest, sizeof(left)) >= sizeof(left))
		return -ENAMETOOLONG;
	memcpy(w->left, left, sizeof(left));
	if (target[0] == '/')
		w->done[1] = '\0';
	else
		done_pop(w);
	return 0;
}

/* Take one name from the front of left. */
static int
walk_step(struct walk *w)
{
	char target[SFTP_PATH_MAX + 1];
	size_t len = strcspn(w->left, "/");
	const char *rest = w->left + len;
	ssize_t n;
	int error;

	if (len == 2 && memcmp(w->left, "..", 2) == 0)
		done_pop(w);
	else if (len > 1 || (len == 1 && w->left[0] != '.')) {
		error = done_push(w, w->left, len);
		if (error != 0)
			return error;
		n = readlink(w->done, target, sizeof(target) - 1);
		if (n >= 0) {
			target[n] = '\0';
			return link_follow(w, target, rest);
		}
		/* EINVAL: is there, and no link. */
		if (errno != EINVAL && (errno != ENOENT || *rest != '\0'))
			return -errno;
	}
	rest += strspn(rest, "/");
	memmove(w->left, rest, strlen(rest) + 1);
	return 0;
}

int
resolve_path(const char *path, char *out_path)
{
	struct walk w = { .done = "/" };
	int error = 0;

	if (path[0] == '\0')
		path = ".";
	if (strlcpy(w.left, path, sizeof(w.left)) >= sizeof(w.left))
		return -ENAMETOOLONG;
	if (path[0] != '/' && getcwd(w.done, sizeof(w.done)) == NULL)
		return -errno;
	/* A directory that was removed, or lies outside the root. */
	if (w.done[0] != '/')
		return -ENOENT;
	while (error == 0 && w.left[0] != '\0')
		error = walk_step(&w);
	if (error == 0)
		strlcpy(out_path, w.done, SFTP_PATH_MAX + 1);
	return error;
}

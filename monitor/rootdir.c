/*
 * Root directories of sessions. Runs in sshd-monitor as root, and in sshd -t.
 * The path is the administrator's, but for the names that tokens stand for.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/rootdir.h"
#include "monitor/token.h"

static int
check_part(const char *part, bool whole, char why[OPTION_WHY_MAX])
{
	struct stat st;

	if (stat(part, &st) != 0) {
		int rc = -errno;

		snprintf(why, OPTION_WHY_MAX, "stat(\"%.200s\"): %s", part,
		    err_str(rc));
		return rc;
	}
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		snprintf(why, OPTION_WHY_MAX,
		    "bad ownership or modes for chroot directory %s\"%.100s\"",
		    whole ? "" : "component ", part);
		return -EPERM;
	}
	if (!S_ISDIR(st.st_mode)) {
		snprintf(why, OPTION_WHY_MAX,
		    "chroot path %s\"%.100s\" is not a directory",
		    whole ? "" : "component ", part);
		return -ENOTDIR;
	}
	return 0;
}

/* The length of the path with one more part than the first len bytes have. */
static size_t
next_part(const char *path, size_t len)
{
	len += strspn(path + len, "/");
	return len + strcspn(path + len, "/");
}

int
rootdir_check(const char *path, char why[OPTION_WHY_MAX])
{
	char part[PATH_MAX];
	int rc = 0;

	if (*path != '/') {
		snprintf(why, OPTION_WHY_MAX,
		    "chroot path \"%.200s\" does not begin at root", path);
		return -EINVAL;
	}
	/* "/", "/a", "/a/b": each part, and then the whole. */
	for (size_t len = 1; rc == 0; len = next_part(path, len)) {
		if (len >= sizeof(part)) {
			snprintf(
			    why, OPTION_WHY_MAX, "chroot path is too long");
			return -ENAMETOOLONG;
		}
		memcpy(part, path, len);
		part[len] = '\0';
		rc = check_part(part, path[len] == '\0', why);
		if (path[len] == '\0')
			break;
	}
	return rc;
}

int
rootdir_find(const struct options *o, const struct account *a,
    char why[OPTION_WHY_MAX], char **out_path)
{
	char uid[24];
	const struct token tokens[] = {
		{ 'h', a->home },
		{ 'u', a->name },
		{ 'U', uid },
	};
	AUTOFREE char *path = NULL;
	int rc = 0;

	snprintf(uid, sizeof(uid), "%lu", (unsigned long)a->uid);
	if (o->chroot_directory != NULL) {
		rc = token_expand(
		    o->chroot_directory, tokens, nitems_of(tokens), &path);
		if (rc == 0)
			rc = rootdir_check(path, why);
		else
			snprintf(why, OPTION_WHY_MAX, "%s", err_str(rc));
	}
	if (rc == 0)
		*out_path = take_ptr(&path);
	return rc;
}

/*
 * The files of known hosts, as the check and omniedge known-hosts see them.
 */
#ifndef CLIENT_HOSTCHECK_H
#define CLIENT_HOSTCHECK_H

#include "client/knownhosts.h"

/* What a line is called for, with where it is. Return true to stop. */
typedef bool hostcheck_visit(void *arg, const char *path, unsigned line_number,
    const struct known_line *line);

/* Each good line of the file, in order. 0; -errno of reading it. */
int hostcheck_each(const char *path, hostcheck_visit *visit, void *arg);

#define HOSTCHECK_KIND_MAX 64 /* name of a key's type, with its NUL */

/* "ED25519" of a blob; the type's own name, in buf, when we do not have it. */
const char *hostcheck_kind(struct span blob, char buf[HOSTCHECK_KIND_MAX]);

/*
 * Add a line at the end, on a line of its own; makes ~/.ssh if need be. 0 or
 * -errno.
 */
int hostcheck_append(const char *path, const char *line);

/* The picture of a blob's SHA-256, owned, or NULL. */
char *hostcheck_picture(struct span blob);

#endif

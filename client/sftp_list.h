/*
 * A directory of the server, listed; and names that match a pattern. The names
 * are the server's: one with a slash or a NUL, "", "." or ".." is never handed
 * on.
 */
#ifndef CLIENT_SFTP_LIST_H
#define CLIENT_SFTP_LIST_H

#include <stdbool.h>

#include "client/xfer_peer.h"

/* Entries of one directory, and the bytes of their names, that we keep. */
#define LIST_ENTRIES_MAX (2u << 20)
#define LIST_BYTES_MAX (256u << 20)
/* READDIR requests in flight for one directory. */
#define LIST_AHEAD 16

struct list_entry {
	char *name;
	char *longname; /* as the server wrote it; NULL where not kept */
	struct sftp_attrs attrs;
};

/* Release with list_done(). */
struct list {
	struct list_entry *entries;
	size_t n, size;
	size_t bytes;
	bool dots; /* list_read() keeps "." and ".." */
};
#define LIST_INIT \
	{ \
		NULL, 0, 0, 0, false \
	}

/*
 * The entries of a directory, in the server's order; "." and ".." are left out
 * unless out_list->dots is set. Results are those of client/xfer_peer.h;
 * -E2BIG and -ENOMEM as list_add(). Released after an error, too.
 */
int list_read(struct peer *p, const char *path, struct list *out_list);
void list_done(struct list *l);
/* Add a copy; 0, -ENOMEM, or -E2BIG over the limits above. */
int list_add(struct list *l, const char *name, const char *longname,
    const struct sftp_attrs *attrs);
/* By name, as strcmp(3) orders. */
void list_sort(struct list *l);

/*
 * One entry of a NAME answer. 0; -EAGAIN: skip it, it is "." or ".."; -EBADMSG
 * if it is malformed or no name of a file in a directory. out_name has room
 * for LIST_NAME_MAX + 1 bytes; longname borrows from the answer.
 */
#define LIST_NAME_MAX 1023
int list_name_read(struct reader *r, char *out_name, struct span *out_longname,
    struct sftp_attrs *out_attrs);
/* Whether a name may be one component of a path below a target. */
bool list_name_ok(const char *name);

/*
 * The paths that a pattern of glob(7) means, sorted, as names of the list,
 * with their attributes where a listing told them (flags 0: not known). A
 * backslash takes the next character's meaning. A pattern without a match is
 * no error: the list is empty. A slash at its end leaves directories. Without
 * wildcards: the path itself, unescaped, not looked for.
 */
int list_glob(struct peer *p, const char *pattern, struct list *out_paths);
/* Whether a pattern has a wildcard that is not escaped. */
bool list_has_magic(const char *pattern);
/* Take the backslashes out, in place. */
void list_unescape(char *pattern);
/* dir, a slash unless it ends in one, and name; to be freed. */
char *list_join(const char *dir, const char *name);

#endif

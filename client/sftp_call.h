/*
 * Requests one at a time, for those who have nothing else to do until the
 * answer is here: the commands of the sftp shell, and the questions before a
 * transfer. Results are those of client/xfer_peer.h.
 */
#ifndef CLIENT_SFTP_CALL_H
#define CLIENT_SFTP_CALL_H

#include <stdbool.h>

#include "client/xfer_peer.h"

/* Whether links are followed, by those calls that can do either. */
enum call_links {
	CALL_FOLLOW,
	CALL_NOFOLLOW,
};

/* All that the server tells of a path. */
int call_stat(struct peer *p, const char *path, enum call_links links,
    struct sftp_attrs *out_attrs);
/* Whether the path leads to a directory; false if it cannot be told. */
bool call_is_dir(struct peer *p, const char *path);
/* lsetstat@openssh.com for CALL_NOFOLLOW, where the server has it. */
int call_setstat(struct peer *p, const char *path, enum call_links links,
    const struct sftp_attrs *attrs);

/* The canonical path, to be freed by the caller. */
int call_realpath(struct peer *p, const char *path, char **out_path);
/* expand-path@openssh.com: a ~ at the beginning, as the server sees it. */
int call_expand(struct peer *p, const char *path, char **out_path);

/* Make a directory, with the bits of mode that the server grants. */
int call_mkdir(struct peer *p, const char *path, uint32_t mode);
/* Remove an empty directory; a file or link. */
int call_rmdir(struct peer *p, const char *path);
int call_remove(struct peer *p, const char *path);
/* Replaces what is there, where the server can (posix-rename@openssh.com). */
int call_rename(struct peer *p, const char *from, const char *to);
/* The protocol's own rename, which replaces nothing. */
int call_rename_old(struct peer *p, const char *from, const char *to);
int call_symlink(struct peer *p, const char *target, const char *path);
int call_hardlink(struct peer *p, const char *path, const char *link_path);
/* Copy a file within the server (copy-data). */
int call_copy(struct peer *p, const char *from, const char *to);
int call_statvfs(struct peer *p, const char *path, struct statvfs *out_vfs);

#endif

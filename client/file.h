/*
 * Small files of the user: read whole, replaced whole. For configuration and
 * known hosts.
 */
#ifndef CLIENT_FILE_H
#define CLIENT_FILE_H

#include <sys/stat.h>

#include "common/wire.h"

#define FILE_TEXT_MAX (16u << 20) /* bytes of a file that is read whole */

/*
 * Read all of a regular file (or a pipe, as /dev/stdin may be). out_st may be
 * NULL. -EMSGSIZE over FILE_TEXT_MAX; -EISDIR; -errno of open(2), read(2).
 */
int file_read(const char *path, struct writer *out, struct stat *out_st);

/* Write all of it, in as many writes as it takes. 0 or -errno of write(2). */
int file_write(int fd, struct span content);

/*
 * Replace a file by new content in one step, so that a reader sees the old or
 * the new and a failure leaves the old: written beside it, synced, renamed.
 * Mode and owner stay; a new file has mode. A symbolic link is followed, and
 * what it names is replaced. -errno.
 */
int file_replace(const char *path, struct span content, mode_t mode);

/* Append in one write, so that two of us do not mix lines; 0 or -errno. */
int file_append(const char *path, struct span content, mode_t mode);

/*
 * Open a file to write in it, the last component of whose name a stranger
 * chose; dir is as for openat(2). No link is followed there, and neither a FIFO
 * without a reader nor a device is waited for. A descriptor; -ELOOP: a link;
 * -EEXIST: something else that is no file; -errno.
 */
int file_open_chosen(int dir, const char *name, int flags, mode_t mode);

/*
 * How many files this process may have open besides others, when it has at most
 * this many descriptors; the soft limit is raised to that as far as the hard
 * one lets (setrlimit(2)). FILE_LEAST if there is no room.
 */
#define FILE_LEAST 64
unsigned file_limit(unsigned most, unsigned others);

/*
 * Make the directories above path that are missing, 0700 each. 0 or -errno; but
 * what we may not make, opening the file will tell.
 */
int file_make_parent(const char *path);

#endif

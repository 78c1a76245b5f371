/*
 * Where paths lead. With -C they are taken from a descriptor of the root
 * directory and cannot leave it: not by "..", not if a directory on the way is
 * moved out while it is passed, not by the links of a /proc in there. Without,
 * one system call looks a path up as a whole. What takes several calls holds on
 * to what the first one has found.
 */
#ifndef SFTP_SERVER_PLACE_H
#define SFTP_SERVER_PLACE_H

#include <sys/stat.h>
#include <sys/types.h>

struct server;

/* The root directory of a session with -C; the log has the one before. */
#define PLACE_ROOT_FD 4

/* With -C: after chroot(2), hold its root. -errno. */
int place_begin(struct server *s);

/* open(2), whose flags and errors these are: a descriptor, or -errno. */
int place_open(struct server *s, const char *path, int flags, mode_t mode);
/* stat(2), or with AT_SYMLINK_NOFOLLOW lstat(2). 0 or -errno. */
int place_stat(
    struct server *s, const char *path, int flags, struct stat *out_st);
/* A descriptor that stands for what stat(2) or lstat(2) would look at, for
 * calls with AT_EMPTY_PATH; nothing is opened by it (O_PATH). Or -errno. */
int place_pin(struct server *s, const char *path, int flags);

/*
 * A directory, and a name in it for the calls that end in at(2): nothing but
 * the name is looked up by them, and it may be missing or a link.
 */
struct entry_at {
	int dir;          /* maybe AT_FDCWD */
	const char *leaf; /* borrowed from the path; slashes may be behind it */
	int opened;       /* what place_leave() closes */
};

/*
 * Find it; the caller leaves it, found or not. 0 or -errno; -EBUSY: "/", "."
 * and "..", which are names of no entry.
 */
int place_enter(struct server *s, const char *path, struct entry_at *out_at);
/* As above, held on to also without -C, for what takes several calls. */
int place_hold(struct server *s, const char *path, struct entry_at *out_at);
void place_leave(struct entry_at *at);

#endif

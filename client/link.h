/*
 * What an SFTP session runs over: a program's pipes or an SSH channel, behind
 * four functions. Neither end of it blocks: the loop above polls. Used by
 * `omniedge sftp` and `omniedge scp`; what comes out of a link is hostile.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct link;

struct link_ops {
	/* Bytes read, 0 at the end, -EAGAIN for "not now", or an error. */
	ssize_t (*read)(struct link *l, void *p, size_t len);
	/* Bytes taken, which may be fewer; errors as above. */
	ssize_t (*write)(struct link *l, const void *p, size_t len);
	/* What to poll for, to go on; want_write: there is more to write. */
	void (*want)(struct link *l, bool want_write, struct pollfd *out);
	/* Say that no more is written, and free l. Its exit status, or -1. */
	int (*close)(struct link *l);
};

struct link {
	const struct link_ops *ops;
};

/*
 * Run argv, its standard input and output being the link. 0 or -errno; the
 * caller owns *out_link and ends it with link_close().
 */
int link_spawn(char *const argv[], struct link **out_link);

/* End the link; NULL is fine. What ops->close() returns. */
int link_close(struct link *l);

#endif

/*
 * What an SFTP session runs over: a program's pipes, an SSH channel of our own
 * connection, or one of a connection that another process shares. Neither end
 * of it blocks: the loop above polls. Used by `omniedge sftp` and `omniedge
 * scp`; what comes out of a link is hostile.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct link;

struct link_ops {
	/* Bytes read, 0 at the end, -EAGAIN for "not now", or an error. */
	ssize_t (*read)(struct link *l, void *p, size_t len);
	/* Bytes taken, which may be fewer; errors as above. */
	ssize_t (*write)(struct link *l, const void *p, size_t len);
	/*
	 * What to poll for, to go on; want_write: there is more to write. True:
	 * something came since the last read, and nobody has to wait.
	 */
	bool (*want)(struct link *l, bool want_write, struct pollfd *out);
	/* Say that no more is written, and free l. Its exit status, or -1. */
	int (*close)(struct link *l);
	/* These are NULL where there is nothing to do. */
	/*
	 * Look after the connection: milliseconds until it wants to be called
	 * again, -1: never. -ETIMEDOUT: the server is silent for too long.
	 */
	int (*tend)(struct link *l);
	/*
	 * Another link of the same kind over the same connection. Returns at
	 * once; a server that grants none ends it. 0 or -errno.
	 */
	int (*twin)(struct link *l, struct link **out_link);
	/* Bytes that the other side takes before it has to answer. */
	size_t (*window)(const struct link *l);
	/* Milliseconds that it may be silent; 0: nobody said. */
	int64_t (*patience)(const struct link *l);
};

struct link {
	const struct link_ops *ops;
};

/*
 * Run argv, its standard input and output being the link. 0 or -errno; the
 * caller owns *out_link and ends it with link_close().
 */
int link_spawn(char *const argv[], struct link **out_link);

/*
 * For ops->close() of a link that is a socket: no more is written; what still
 * comes is read and dropped, to its end or for two seconds. A socket that is
 * closed with answers unread is an error to who sent them.
 */
void link_hear_rest(int fd);

/* End the link; NULL is fine. What ops->close() returns. */
int link_close(struct link *l);

/* What ops->tend() returns, or -1. */
int link_tend(struct link *l);

#endif

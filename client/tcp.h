/* Listening sockets, and connections that are made without waiting. */
#ifndef CLIENT_TCP_H
#define CLIENT_TCP_H

#include <stdbool.h>

#include "client/loop.h"
#include "client/resolve.h"

/*
 * Listen at the address; descriptors, not blocking. -errno. A port of 0 is
 * chosen by the kernel, *out_port says which.
 */
int tcp_listen(const struct address *at, int *out_port);

/*
 * The same for a Unix socket; mask is its umask, unlink_first replaces an old
 * one.
 */
int unix_listen(const char *path, unsigned mask, bool unlink_first);

/* A connection that is being made; one address after the other. */
struct connecting {
	struct loop *loop;
	struct addresses to;
	size_t at;
	struct watch watch;
	/* fd >= 0: it is there, and the callee's; else -errno. */
	void (*done)(void *arg, int fd);
	void *arg;
};

/* Begin. done() may be called before this returns. */
void connecting_start(struct connecting *c);
/* Never mind. */
void connecting_stop(struct connecting *c);

/* Connect to a Unix socket, not blocking. A descriptor or -errno. */
int unix_connect(const char *path);

#endif

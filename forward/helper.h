/*
 * What sshd-forward is doing for its connection, and how it answers. It is the
 * user, and is asked by the user's sshd-monitor only.
 */
#ifndef FORWARD_HELPER_H
#define FORWARD_HELPER_H

#include <netdb.h>
#include <poll.h>

#include "common/chan.h"
#include "forward/agent.h"
#include "forward/resolve.h"

#define HELPER_MONITOR_FD 3 /* the one descriptor besides 0, 1 and 2 */

/* Sockets one answer can carry: no more addresses of a name are bound. */
#define HELPER_SOCKETS_MAX MSG_MAX_FDS

struct dial;

struct helper {
	struct chan monitor;
	struct resolver resolver;
	struct agent agent;
	struct dial *dials; /* owned list */
};

/* What poll(2) is to look at; it grows, and is filled anew each time. */
struct pollset {
	struct pollfd *v; /* owned */
	size_t n, size;
};

/* Add a descriptor; its place, or SIZE_MAX without memory. */
size_t pollset_add(struct pollset *set, int fd, short events);
/* What poll(2) said of that place; 0 for SIZE_MAX. */
short pollset_ready(const struct pollset *set, size_t at);

/* AF_ value of a family of msg.h. */
int helper_family(uint64_t family);
/* The outcome that an errno of connect(2) or bind(2) is. */
enum forward_outcome helper_outcome(int error);

#endif

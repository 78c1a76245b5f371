/*
 * sshdctl(8)'s way to the listening sshd: a socket in the directory of
 * record.h, for root alone. Nothing that a client of it does or leaves undone
 * keeps sshd from its work.
 */
#ifndef MONITOR_CONTROL_H
#define MONITOR_CONTROL_H

#include <poll.h>
#include <time.h>

#include "common/chan.h"

#define CONTROL_PREFIX "sshd-" /* of sockets; the rest is the pid */
#define CONTROL_CLIENTS 4      /* at the same time; the oldest makes room */

/*
 * sshd speaks first: these bytes, msg_schema() as a uint32, its version as a
 * string (RFC 4251 section 5). The messages of msg.def follow if the other
 * end's schema is the same.
 */
#define CONTROL_MAGIC "SSHDCTL1"
#define CONTROL_GREETING_MAX 128

struct master;

struct control {
	int fd; /* listening; -1: there is none */
	time_t since;
	char name[32]; /* of the socket in its directory */
	struct chan clients[CONTROL_CLIENTS];
	size_t n;
};

/* Listen; a failure is logged and leaves sshd without this way in. */
void control_open(struct control *c);
/* Stop, and remove the socket. Safe when nothing was opened. */
void control_close(struct control *c);

/* What to wait for: fills at most CONTROL_CLIENTS + 1; how many. */
size_t control_pollfds(const struct control *c, struct pollfd *out);
/* Serve what the same descriptors are ready for. */
void control_handle(
    struct control *c, const struct pollfd *fds, struct master *m);

#endif

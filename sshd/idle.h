/*
 * How long channels and the connection may be idle: ChannelTimeout and
 * UnusedConnectionTimeout of sshd_config(5). For every kind of channel: those
 * who have one begin, touch and end its struct idle, and close the channel
 * once it has expired.
 */
#ifndef SSHD_IDLE_H
#define SSHD_IDLE_H

#include "sshd/net.h"

/* A channel's part. Zero is one that has not begun. */
struct idle {
	struct idle *next;
	bool open;     /* in the list of its connection */
	bool active;   /* moved bytes since the last turn of the loop */
	bool expired;  /* to be closed, by its owner */
	int64_t limit; /* milliseconds; 0: none */
	int64_t since; /* the last activity, monotonic, in milliseconds */
};

/*
 * A channel of this type is open: "session", "direct-tcpip",
 * "forwarded-tcpip", "agent-connection", "x11-connection". Must be ended.
 */
void idle_begin(struct net *n, struct idle *i, const char *type);
/* It turns out to be another type, such as "session:shell". */
void idle_retype(struct net *n, struct idle *i, const char *type);
/* Bytes were moved, in either direction. */
void idle_touch(struct idle *i);
/* It is closed. Twice is fine. */
void idle_end(struct net *n, struct idle *i);

/* Take the limits of TERMS_REPLY, for the process's life. 0 or -ENOMEM. */
int idle_init(struct net *n, const struct msg_terms_reply *terms);

/*
 * Find out who has expired, at this time; a connection that has is left. The
 * next time to look, or -1.
 */
int64_t idle_run(struct net *n, int64_t now);

#endif

/*
 * Channels that carry a forwarded connection (RFC 4254 sections 6.3 and 7.2):
 * a socket at one end, which others have made, and the client at the other.
 */
#ifndef SSHD_FORWARD_H
#define SSHD_FORWARD_H

#include <netinet/in.h>

#include "sshd/idle.h"
#include "sshd/relay.h"

struct forward;

/* A kind of channel that this side opens. */
struct forward_kind {
	const char *name; /* as ChannelTimeout, sshd_config(5), calls it */
	/* libssh's call, which asks the client, and later says how it went. */
	int (*open)(struct forward *f);
};
extern const struct forward_kind forward_tcpip;
extern const struct forward_kind forward_x11;
extern const struct forward_kind forward_agent;

/* Bits of net.told: each limit is said once in the log. */
enum forward_limit {
	TOLD_CHANNELS = 1 << 0,
	TOLD_GLOBALS = 1 << 1,
	TOLD_LISTENERS = 1 << 2,
	TOLD_UNKNOWN = 1 << 3, /* a channel that libssh cannot serve */
	TOLD_UNIX = 1 << 4,    /* a Unix socket to listen on, likewise */
};
/* Say so, if it has not been said on this connection. */
void forward_tell(struct net *n, enum forward_limit what);

/* Where a connection that was accepted came from, and who listened for it. */
struct forward_origin {
	const struct forward_kind *kind;
	const char *host; /* as the client asked for it; or NULL */
	unsigned port;    /* of the listener */
	char from[INET6_ADDRSTRLEN];
	unsigned from_port;
};

/* A direct-tcpip request: refused now, or kept, then true. */
bool forward_request(struct net *n, ssh_message m);
/* The monitor's answer to one; takes fd over. Only notes it. */
void forward_connected(struct net *n, const struct msg_connected *e, int fd);

/* Whether one channel more may be opened. */
bool forward_room(const struct net *n);
/* Ask the client to open a channel for a socket, which is taken over. */
void forward_accepted(struct net *n, const struct forward_origin *from, int fd);

/*
 * Move what can be moved, end what is at its end, and watch the rest. Whether
 * one has ended: then there is room for another.
 */
bool forward_run_all(struct net *n);
/* Close every descriptor; the channels are libssh's to free. */
void forward_free_all(struct net *n);

#endif

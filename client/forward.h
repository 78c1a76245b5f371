/*
 * Forwarded ports of a connection: what we listen on, what the server listens
 * on for us, and the agent.
 */
#ifndef CLIENT_FORWARD_H
#define CLIENT_FORWARD_H

#include <stdio.h>

#include "client/flow.h"
#include "client/forward_spec.h"

#define FORWARD_WHY_MAX 320

struct forwards;
struct x11;

struct forward_rules {
	bool gateway;      /* GatewayPorts */
	bool unlink;       /* StreamLocalBindUnlink */
	unsigned mask;     /* StreamLocalBindMask */
	const char *agent; /* the agent's socket, for -A; NULL: not forwarded */
	/* PermitRemoteOpen; borrowed, and outlives the trunk */
	const struct words *remote_open;
	/* the display, likewise; NULL: not forwarded */
	const struct x11 *x11;
};

/*
 * Begin, for a trunk that must outlive it; from here on channels that the
 * server opens are looked at. NULL without memory.
 */
struct forwards *forwards_new(
    struct trunk *l, const struct forward_rules *rules);
/* Stop listening; connections that are open are the trunk's. */
void forwards_free(struct forwards *fs);

/*
 * Add one. For FORWARD_REMOTE the server is asked, and waited for.
 * *out_port is the port that was chosen for 0. 0; -EBADMSG: not a forwarding;
 * -EEXIST; -EACCES: the server refuses; -errno of listening; why names the
 * port.
 */
int forwards_add(struct forwards *fs, enum forward_kind kind, const char *text,
    int *out_port, char why[FORWARD_WHY_MAX]);

/* Take one away. -ENOENT: there is none there. */
int forwards_cancel(struct forwards *fs, enum forward_kind kind,
    const char *text, char why[FORWARD_WHY_MAX]);

/* What there is, and what runs over it: lines for ~#, or JSON. */
void forwards_list(const struct forwards *fs, const char *line_end, FILE *out);
void forwards_json(const struct forwards *fs, FILE *out);

/* SSH_OK, SSH_AGAIN, SSH_ERROR: open a channel to host and port. */
int forward_open(struct flow *f, const char *host, int port);

#endif

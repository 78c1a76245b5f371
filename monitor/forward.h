/*
 * The connection's sshd-forward as the monitor has it: started when something
 * is first forwarded, asked, relayed, and stopped. It runs as the user, so its
 * answers are the user's words.
 */
#ifndef MONITOR_FORWARD_H
#define MONITOR_FORWARD_H

#include <poll.h>

#include "monitor/conn.h"

#define FORWARD_STARTS_MAX 8  /* times that it is started again, once gone */
#define FORWARD_WAIT_MS 10000 /* for what needs no name, before giving up */

/*
 * Ask for what CONNECT or LISTEN wants; may_connect() or may_listen() has said
 * yes. 0, and CONNECTED or LISTENING follows; requests that it has not read
 * wait in their order. Or -errno: -EBUSY for more than there may be channels
 * and listeners; -EEXIST for a number that is in use.
 */
int forward_connect(struct conn *c, const struct msg_connect *q);
int forward_listen(struct conn *c, const struct msg_listen *q);

/* Sockets that came for a request of the monitor's own; the caller's. */
struct forward_sockets {
	int fds[MSG_MAX_FDS];
	unsigned n;
	unsigned port;
};
void forward_sockets_done(struct forward_sockets *s);

/*
 * The agent's socket, and a display's. 0, or -errno: -EEXIST for a second
 * agent, -EBUSY, -ETIMEDOUT.
 */
int forward_agent(struct conn *c, struct forward_sockets *out);
int forward_x11(struct conn *c, struct forward_sockets *out);

/* SSH_AUTH_SOCK of this connection's sessions; NULL: none. Borrowed. */
const char *forward_agent_path(const struct conn *c);

/* What to poll for: fd is -1 when none runs. */
struct pollfd forward_poll(const struct conn *c);
/* It has something to say, takes what waits for it, or is gone. */
void forward_serve(struct conn *c);
/* After SIGCHLD. */
void forward_reap(struct conn *c);
/* Let it clean up, and end; or kill it, in time. Twice is fine. */
void forward_done(struct conn *c);

#endif

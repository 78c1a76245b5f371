/*
 * Listening sockets of a connection: tcpip-forward (RFC 4254 section 7.1), X11
 * displays (6.3.1) and the agent. Each was made by sshd-forward.
 */
#ifndef SSHD_LISTENER_H
#define SSHD_LISTENER_H

#include "sshd/forward.h"

struct session;

/* A global request: answered now, or kept, then true. */
bool listener_global(struct net *n, ssh_message m);
/* The monitor's answer to one; takes the descriptors over. Only notes it. */
void listener_listening(struct net *n, const struct msg_listening *e,
    const int *fds, unsigned nfds);

/*
 * libssh answers a request for the agent by itself, with yes if it knows whom
 * to tell: whether it should.
 */
bool listener_may_agent(struct net *n);
/* The socket for it, once; without one, sessions get no SSH_AUTH_SOCK. */
void listener_agent(struct net *n);

/* A display of a session; single: for one connection. Whether there is one. */
bool listener_x11(struct net *n, const struct session *s,
    const struct msg_x11_open *what, bool single);
/* The session is over, and so is its display. */
void listener_session_done(struct net *n, const struct session *s);

/* Accept what can be accepted, answer what can be answered, watch the rest. */
void listener_run_all(struct net *n);
void listener_free_all(struct net *n);

#endif

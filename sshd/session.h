/*
 * Session channels (RFC 4254 section 6): their requests, their life and end.
 */
#ifndef SSHD_SESSION_H
#define SSHD_SESSION_H

#include "sshd/idle.h"
#include "sshd/relay.h"

struct session {
	struct session *next;
	struct net *net;
	unsigned id;
	ssh_channel channel; /* libssh's */
	struct ssh_channel_callbacks_struct callbacks;
	bool pty; /* its descriptors are one terminal */
	bool started;
	bool client_closed;
	struct inlet in;
	struct outlet out;
	struct outlet err;
	struct idle idle;
	bool exited;
	struct msg_session_exit exit;
	char exit_signal[33];
	int64_t
	    eof_due; /* when EOF goes out without an exit status; ms, or 0 */
	bool eof_sent;
};

/* Open a channel for the request, or refuse it. */
void session_open(struct net *n, ssh_message m);
/* Answer a request on a channel. */
void session_request(struct net *n, ssh_message m);
/* The monitor says that its process ended. */
void session_exited(struct net *n, const struct msg_session_exit *e);

/*
 * Move what can be moved, end what is at its end, and watch the rest. now is
 * monotonic, in milliseconds; returns when it wants to be called again, or -1.
 */
int64_t session_run_all(struct net *n, int64_t now);

/* Close every descriptor and channel. */
void session_free_all(struct net *n);

#endif

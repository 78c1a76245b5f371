/* A link that is a channel of an SSH connection: a subsystem or a command. */
#ifndef CLIENT_LINK_SSH_H
#define CLIENT_LINK_SSH_H

#include <libssh/libssh.h>

#include "client/link.h"

enum link_kind {
	LINK_SUBSYSTEM,
	LINK_COMMAND,
};

struct link_spec {
	enum link_kind kind;
	const char *what;   /* the subsystem or command; borrowed */
	long alive_seconds; /* ServerAliveInterval; 0: none */
	long alive_most;    /* ServerAliveCountMax */
	bool ahead;         /* do not wait until it has been started */
};

/*
 * Open a channel of a session that is logged in, and start a subsystem or a
 * command on it. The session stays the caller's, has to live longer, and is in
 * non-blocking mode afterwards. What the other side writes to its standard
 * error is shown on ours. 0; -ECONNREFUSED: the server would not, which with
 * ahead is what the first read says; -ENOMEM.
 */
int link_ssh(
    ssh_session session, const struct link_spec *spec, struct link **out_link);

#endif

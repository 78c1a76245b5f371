/*
 * The server at the other end of `omniedge sftp` and `omniedge scp`: over our
 * own connection, over another ssh program (-S), or a server program started
 * right here (-D). What goes wrong is said on standard error.
 */
#ifndef CLIENT_REMOTE_H
#define CLIENT_REMOTE_H

#include "client/connect.h"
#include "client/link.h"
#include "client/link_ssh.h"
#include "client/xfer_peer.h"

/* How to get there. All borrowed. */
struct remote_options {
	const struct client *flags;      /* -o, -i, ... as they were given */
	const char *scheme;              /* of URIs: "sftp" or "scp" */
	const char *direct;              /* -D: server program and arguments */
	const char *program;             /* -S: an ssh(1) */
	const char *const *program_args; /* for it; ends with NULL */
	const char
	    *subsystem;    /* -s: a subsystem, or a server's path; or NULL */
	const char *label; /* the host, in messages; may be NULL */
};

/* A connection; release with remote_close(). */
struct remote {
	struct client *client; /* NULL with -D and -S */
	struct peer *peer;     /* of remote_sftp() */
	struct link *link;     /* of remote_command() */
	char *path;            /* of a URI, or NULL */
};

/*
 * A session of SFTP with the server of a target. It has been asked for, no
 * more: requests may follow, or remote_greet(). 0 or negative: said.
 */
int remote_sftp(const struct remote_options *o, const char *target,
    struct remote *out_remote);
/* Wait until it has begun. 0 or negative: said. */
int remote_greet(
    const struct remote_options *o, const char *target, struct remote *r);
/* Say why its session has ended. */
void remote_say_end(const struct remote_options *o, const char *target,
    const struct remote *r, int rc);
/* A command there. With -D, it is a command here. */
int remote_command(const struct remote_options *o, const char *target,
    const char *command, struct remote *out_remote);
/* The link's exit status, or -1. */
int remote_close(struct remote *r);

#endif

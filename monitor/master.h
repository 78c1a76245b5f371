/*
 * sshd's loop: accept, count, refuse, start, reap.
 */
#ifndef MONITOR_MASTER_H
#define MONITOR_MASTER_H

#include "monitor/child.h"
#include "monitor/control.h"
#include "monitor/door.h"
#include "monitor/startups.h"

struct master {
	const struct server_args *args;
	struct server_config config;
	struct spawn spawn;
	struct listeners listeners;
	struct child *children; /* owned list */
	struct startups startups;
	struct control control;
	unsigned nsockets; /* of a socket unit; systemd.h */
	struct seen seen;  /* sessions that logins by key were made in */
	bool stopping;
	bool once;     /* -d, -i: one connection, then the end */
	int client_fd; /* of -i, owned: the connection; else -1 */

	/* of omniedge-ssh-server, whose connections end with it: */
	struct door *door; /* borrowed; NULL in sshd, and all of this unused */
	struct lab
	    *lab; /* borrowed: the terms, for its password is forgotten */
	bool once_login; /* the first login is the last connection */
	bool served;     /* it has come */
	bool ending;     /* connections have been asked to end */
	int64_t end_at;  /* when to begin with that, or be done; monotonic
			    ms, 0: not by itself */
};

/* What a connection's processes are told. */
struct child_terms master_terms(const struct master *m);

/* Serve until SIGTERM. Returns the exit status. */
int master_serve(struct master *m);

#endif

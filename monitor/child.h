/*
 * sshd's children: the two processes of each connection, until both are gone.
 */
#ifndef MONITOR_CHILD_H
#define MONITOR_CHILD_H

#include <stdint.h>

#include "common/chan.h"
#include "monitor/seen.h"
#include "monitor/server.h"

struct source;

struct child {
	struct child *next;
	pid_t monitor; /* 0: reaped */
	pid_t net;
	struct chan chan; /* to the monitor; fd -1 once that is gone */
	struct listener_name peer;
	struct listener_name local;
	bool starting;         /* counted by startups.h, with: */
	struct source *source; /* or NULL */
	bool probe;
	bool logged_in;
	unsigned failures; /* wrong passwords and signatures */
	bool overdue;      /* LoginGraceTime is over */
	int64_t deadline;  /* for the login; monotonic ms, 0: none */
	int net_status;    /* as waitpid(2) gave it */
	int monitor_status;
	struct msg_proven proven; /* the probe's report */
};

/* What a connection's processes are told, besides the configuration. */
struct child_terms {
	const struct spawn *spawn;
	const struct server_config *config;
	unsigned log_level; /* CONN's, msg.def */
	bool stderr_log;
	bool probe;
};

/*
 * Start both processes for a client's socket, which stays the caller's; names
 * are filled in. 0: *out_child is owned; or -errno and nothing runs.
 */
int child_start(
    const struct child_terms *terms, int client_fd, struct child **out_child);

/*
 * Take one message of its monitor's; seen has the sessions that logins by key
 * were made in. 0; -EPIPE: the channel is closed now.
 */
int child_message(struct child *c, struct seen *seen);

/* End both processes at once. */
void child_kill(struct child *c);
/* Ask both to end. */
void child_terminate(struct child *c);
/*
 * Ask the monitor to end the connection, which tells the client; or end it at
 * once, and let the monitor hang up the sessions.
 */
void child_end(struct child *c);
void child_cut(struct child *c);

/* Note that a process is gone; whether it was one of these two. */
bool child_reaped(struct child *c, pid_t pid, int status);
/*
 * What an exit status of one of the two means that never got to its work, and
 * what to do: the end of a sentence that begins with its name. NULL: it did.
 */
const char *child_exit_text(int status);
/*
 * What a connection whose processes are gone has done that is punished, as its
 * monitor and the kernel have it; PENALTY_OFFENCES: nothing.
 */
enum penalty_time child_offence(const struct child *c);
bool child_gone(const struct child *c);
void child_free(struct child *c);

#endif

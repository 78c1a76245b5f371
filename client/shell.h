/*
 * What omniedge ssh does over a connection of its own: a session, a command, a
 * connection through it (-W), or only forwarding (-N).
 */
#ifndef CLIENT_SHELL_H
#define CLIENT_SHELL_H

#include "client/connect.h"
#include "client/forward_spec.h"
#include "client/session.h"

struct shell_job {
	struct session_spec spec; /* of a session; shell_run() takes it */
	bool no_session;          /* -N */
	const char *to;           /* -W: host:port; NULL: none */
	bool null_in;             /* -n */
	bool background;          /* -f */
	bool x11;                 /* lend the display */
};

/* Run it to its end over the client's session. The exit status. */
int shell_run(struct client *c, struct shell_job *job);

/* A forwarding that comes or goes. */
struct shell_change {
	enum forward_kind kind;
	const char *spec;
	bool cancel;
};

/* Make the change: NULL, or why it cannot be, owned. */
typedef char *shell_change_fn(void *arg, const struct shell_change *change);

/*
 * Add each forwarding of the configuration, and say of each that cannot be
 * added why. Whether one could not.
 */
bool shell_each_forward(struct client *c, shell_change_fn *fn, void *arg);

/* A line of ~C: the answer, owned; NULL: done. */
char *shell_command_line(const char *line, shell_change_fn *fn, void *arg);

/* -f: go on in the background. Only after what can fail or ask. */
int shell_background(void);

/* End as the signal would have ended us. */
void shell_die(int number);

/* Whether ForwardAgent says anything but no. */
bool shell_wants_agent(const struct sshconf *conf);

/*
 * The rules of forwarding of this client; *out_agent is owned. -EBADMSG: an
 * option's value is none, and was said.
 */
struct forward_rules;
int shell_rules(
    const struct client *c, struct forward_rules *out, char **out_agent);

#endif

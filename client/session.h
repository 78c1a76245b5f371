/*
 * A session channel (RFC 4254 section 6): what is asked for, and the requests
 * that ask for it, one after the other without waiting.
 */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "client/flow.h"
#include "common/lex.h"

struct x11;

struct session_spec {
	bool tty;
	bool agent;
	bool subsystem; /* command is a subsystem's name */
	char *term;
	int cols, rows;
	struct x11 *x11;  /* borrowed; NULL: no display */
	struct words env; /* NAME=VALUE */
	char *command;    /* NULL: a shell */
};

/* Release what the spec owns. */
void session_spec_done(struct session_spec *spec);

struct session {
	struct session_spec spec; /* owned */
	struct flow *flow;
	size_t step;
	size_t env_at;
	bool tty_refused;
	void *arg; /* the caller's */
};

/*
 * Begin a session on the trunk; takes spec. ops->setup is session_setup(), and
 * flow->arg is the session, which session_free() frees after ops->ended().
 * NULL without memory.
 */
struct session *session_new(struct trunk *l, const struct flow_ops *ops,
    struct session_spec *spec, void *arg);
void session_free(struct session *s);

/* For flow_ops. */
int session_setup(struct flow *f);

/* The terminal has another size; the user pressed ~B. */
void session_resize(struct session *s, int cols, int rows);
void session_break(struct session *s);

#endif

/*
 * The user's side of a session: their terminal, what they type, the signals
 * they send. It does not know whether the connection is ours or shared.
 */
#ifndef CLIENT_FRONT_H
#define CLIENT_FRONT_H

#include <stdio.h>

#include "client/escape.h"
#include "client/loop.h"

struct front_ops {
	/* The user has had enough: ~. or a signal. */
	void (*disconnect)(void *arg);
	void (*resize)(void *arg, int cols, int rows);
	void (*send_break)(void *arg);
	/* ~#: lines that end in line_end. */
	void (*list)(void *arg, const char *line_end, FILE *out);
	/*
	 * ~C: a command, as -L 8080:host:80; the answer, owned, or NULL when
	 * all is well.
	 */
	char *(*command)(void *arg, const char *line);
	/* ~&: go on without a terminal. NULL: not offered. */
	void (*background)(void *arg);
};

struct front {
	struct loop *loop;
	const struct front_ops *ops;
	void *arg;
	struct escape escape;
	bool tty;          /* the session has a terminal, and so have we */
	bool command_line; /* ~C is permitted */
	int signal;        /* that ended us, or 0 */
};

/* Begin: note signals. 0 or -errno. */
int front_init(
    struct front *f, struct loop *loop, const struct front_ops *ops, void *arg);

/* The session has started: the terminal becomes raw. */
void front_start(struct front *f);

/* Give the terminal back. */
void front_stop(struct front *f);

/* Take what was typed: act on escapes, leave the rest at out. Its length. */
size_t front_filter(
    struct front *f, const uint8_t *in, size_t len, uint8_t *out);

#endif

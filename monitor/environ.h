/*
 * The environment of a session's process: sshd(8), LOGIN PROCESS.
 */
#ifndef MONITOR_ENVIRON_H
#define MONITOR_ENVIRON_H

#include "monitor/usession.h"

#define ENVIRON_CLIENT_MAX 128 /* variables a client may set for a session */

struct environ_list {
	char **v; /* "NAME=value", NULL-terminated; owned */
	size_t n;
};

/* Set or replace. 0 or -ENOMEM. */
int environ_set(struct environ_list *e, const char *name, const char *value);
/* The same with "NAME=value"; what has no "=" is left out. */
int environ_put(struct environ_list *e, const char *assignment);
void environ_done(struct environ_list *e);

/* AcceptEnv, sshd_config(5). */
bool may_env(const struct options *o, const char *name);

/*
 * All that is known before the child is the user. What the client sent goes in
 * first, so that nothing it says replaces what we say. 0 or -ENOMEM.
 */
int environ_make(
    const struct conn *c, const struct usession *s, struct environ_list *out);

/*
 * Only what we say ourselves: nothing of the client's, the user's or PAM's.
 * For a program that the user shall not lead astray; what *out has is not
 * released. 0 or -ENOMEM.
 */
int environ_bare(
    const struct conn *c, const struct usession *s, struct environ_list *out);

/*
 * The rest, for the child once it is the user: ~/.ssh/environment as far as
 * PermitUserEnvironment takes it, and what may not be replaced by it: SetEnv
 * and the SSH_ variables. 0 or -ENOMEM.
 */
int environ_finish(
    const struct conn *c, const struct usession *s, struct environ_list *e);

#endif

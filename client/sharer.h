/* Using a connection that another process holds. */
#ifndef CLIENT_SHARER_H
#define CLIENT_SHARER_H

#include "client/shell.h"

/*
 * The socket of the client's shared connection; owned. NULL: none is wanted,
 * or *out_rc tells why not (said).
 */
char *sharer_path(const struct client *c, int *out_rc);

/*
 * A connection to the master at path, for mux_msgs; -1: there is none, or the
 * client's own connection is to be the shared one.
 */
int sharer_reach(const struct client *c, const char *path);

/* Whether the client's connection is to be shared. */
bool sharer_is_master(const struct client *c);

/* Do the job over the master at fd (mux_connect()), which is taken. */
int sharer_run(struct client *c, struct shell_job *job, int fd);

/* -O: tell the master something. The exit status. */
int sharer_control(struct client *c, const char *path, const char *command);

/* Whether there is such a command of -O; names is a list for usage. */
bool sharer_knows(const char *command);
extern const char sharer_commands[];

#endif

/*
 * The master of a shared connection: a process in the background that gives
 * sessions to other processes of the same user.
 */
#ifndef CLIENT_MASTER_H
#define CLIENT_MASTER_H

#include "client/connect.h"

/*
 * Listen at path and leave a master in the background that has the client's
 * session from now on: this process has none any more. 0; -EADDRINUSE:
 * somebody else shares at that path, and nothing was done; -errno.
 */
int master_start(struct client *c, const char *path);

#endif

/*
 * Places that connections may go to, as PermitRemoteOpen lists them: "any",
 * "none", or host:port with "*" for either. The list is the user's; the host
 * that is asked for is a stranger's.
 */
#ifndef CLIENT_PLACE_H
#define CLIENT_PLACE_H

#include <stdbool.h>

#include "common/lex.h"

/* Whether it is host:port; the port may be "*". */
bool place_is_good(const char *text);

/* Whether the list has the place. Names are compared, and never looked up. */
bool place_is_listed(const struct words *list, const char *host, int port);

#endif

/*
 * What a login may forward: DisableForwarding and its kin in sshd_config(5),
 * what the key's line grants in authorized_keys(5), and both lists of places.
 */
#ifndef MONITOR_PERMIT_H
#define MONITOR_PERMIT_H

#include "monitor/conn.h"

/* AllowTcpForwarding, PermitOpen, permitopen: a connection to there. */
bool may_connect(const struct conn *c, const char *host, unsigned port);
/* The same without the place: for the log, to say which of them refuses. */
bool may_connect_at_all(const struct conn *c);

/* AllowTcpForwarding, PermitListen, permitlisten; port 0: any free one. */
bool may_listen(const struct conn *c, const char *host, unsigned port);

/* AllowAgentForwarding. */
bool may_agent(const struct conn *c);

/* X11Forwarding. */
bool may_x11(const struct conn *c);

#endif

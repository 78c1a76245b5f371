/* A link over the connection that another process shares (client/mux.h). */
#ifndef CLIENT_LINK_MUX_H
#define CLIENT_LINK_MUX_H

#include "client/link_ssh.h"

/*
 * Ask the master at fd, which is taken (mux_connect()), for a subsystem or a
 * command. Keeping the connection alive is the master's. 0; -ECONNREFUSED: the
 * server would not, *out_why says why, owned, and may be NULL; -errno.
 */
int link_mux(int fd, const struct link_spec *spec, struct link **out_link,
    char **out_why);

#endif

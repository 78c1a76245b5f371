/*
 * Channels that this side has closed and the client may not have. libssh frees
 * one as soon as both have, whatever requests of the client it has queued and
 * not handed over: they point at it. So it is not told that we are done before
 * its queue is known to be empty.
 */
#ifndef SSHD_GRAVE_H
#define SSHD_GRAVE_H

#include "sshd/net.h"

/*
 * Close an open channel and let go of it; its callbacks must have been
 * removed. client_closed: the client has closed it already.
 */
void grave_bury(struct net *n, ssh_channel channel, bool client_closed);

/* Whether it was: then nothing may be sent on it, no answer either. */
bool grave_has(const struct net *n, ssh_channel channel);

/* Whether there are some that the client has closed as well. */
bool grave_any_closed(const struct net *n);

/* Free these. Only when libssh has no message queued. */
void grave_free_closed(struct net *n);

#endif

/*
 * Events of a connection, as release notes and log readers know them: who has
 * logged in, what ran, how it ended. Written only where the log has a device
 * (log_style()), which sshd's has not.
 */
#ifndef MONITOR_EVENT_H
#define MONITOR_EVENT_H

#include "monitor/usession.h"

/* Somebody is in. */
void event_authenticated(const struct conn *c, const char *method);
/* Somebody was not let in, by this connection's own fault. */
void event_rejected(const struct conn *c, const char *reason);
/* Who was in is gone. */
void event_closed(const struct conn *c);

/* A session's process runs; it is over. */
void event_session_started(const struct conn *c, const struct usession *s);
void event_session_ended(const struct conn *c, const struct usession *s);
/* What a client asked for, and did not get. */
void event_command_blocked(
    const struct conn *c, const char *command, const char *reason);

#endif

/*
 * The master of omniedge-ssh-server(1), as far as it differs from sshd's. All
 * of it does nothing where master.door is NULL.
 */
#ifndef MONITOR_MASTER_LAB_H
#define MONITOR_MASTER_LAB_H

#include "monitor/master.h"

/* Nobody new comes in; who is in is told, and has a moment to go. */
void master_lab_end(struct master *m);
/* SIGHUP: there is nothing to read again, the terminal is gone. */
void master_lab_hangup(struct master *m);

/*
 * A connection's monitor has sent a message: failures are the door's, a login
 * may be the one of --once and use up the one-time password.
 */
void master_lab_heard(
    struct master *m, struct child *c, unsigned failures_before);
/* LoginGraceTime is over for it. */
void master_lab_overdue(const struct child *c);

/* Milliseconds until master_lab_tick() has something to do; -1: nothing. */
int64_t master_lab_wait(const struct master *m, int64_t now);
/* What time brings: the end of refusals, of bans, of the server. */
void master_lab_tick(struct master *m);

#endif

/*
 * Acting as the user: for a moment (to read what is the user's) and for good.
 * Whatever the ids, the process stays undumpable.
 */
#ifndef MONITOR_USERID_H
#define MONITOR_USERID_H

#include "monitor/account.h"

/*
 * Take the user's effective uid, gid and groups, so that the kernel judges
 * every path as the user's. Undo with userid_leave(). When we are not root
 * there is nothing to do. 0 or -errno; then nothing was taken.
 */
int userid_enter(const struct account *a);
/* Ends the process if root's ids cannot be had back: nothing else is safe. */
void userid_leave(void);

/* The groups of a session's process, before userid_become(). 0 or -errno. */
int userid_groups(const struct account *a);

/*
 * Become the user for good: all of the real, effective and saved ids. 0, or
 * -errno; -EPERM when the old ids could be had back. The caller must exit then.
 */
int userid_become(const struct account *a);

/*
 * Send the group of a child the signal, with the rights of its user. 0 or
 * -errno; -EPERM also when the user kept it from being sent, for a second at
 * most.
 */
int userid_kill(const struct account *a, pid_t pgrp, int sig);

#endif

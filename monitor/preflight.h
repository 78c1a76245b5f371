/*
 * The start-up proof: a connection that sshd makes to itself, through the same
 * programs, jail and seam as a client's. What a machine's kernel or libraries
 * do not allow must show before the first user's login, and in sshd -t.
 */
#ifndef MONITOR_PREFLIGHT_H
#define MONITOR_PREFLIGHT_H

#include "monitor/child.h"

#define PREFLIGHT_WHY_MAX 512

/*
 * 0: the jails hold, and let through what sessions and forwardings need; host
 * signatures come from the monitor; users' signatures reach it. Else -errno
 * and a sentence that says what is wrong and what to do.
 */
int preflight(const struct child_terms *terms, char why[PREFLIGHT_WHY_MAX]);

#endif

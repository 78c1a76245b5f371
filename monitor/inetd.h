/*
 * sshd -i: one connection, from inetd(8), a systemd socket unit with
 * Accept=yes, or a program that has its ends in two pipes.
 */
#ifndef MONITOR_INETD_H
#define MONITOR_INETD_H

#include <stdbool.h>

/*
 * The client as one socket, the caller's from now on. At 0 and 1 /dev/null
 * takes its place, and at 2 too unless keep_stderr. Where it is not one socket
 * already, a process of PRIVSEP_USER without any right moves its bytes, until
 * either side is closed: call this before there is a secret in memory. 0, or
 * -errno; -ENOENT: there is no such user.
 */
int inetd_take(bool keep_stderr, int *out_fd);

#endif

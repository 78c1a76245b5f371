/* Pseudo-terminals: pty(7), made by root, given to the user. */
#ifndef MONITOR_PTY_H
#define MONITOR_PTY_H

#include <sys/ioctl.h>

#include "monitor/account.h"

/*
 * A terminal of the user's with this window. Both descriptors are the
 * caller's; the master does not block. 0 or -errno.
 */
struct pty {
	int master_fd;
	int slave_fd;
	char name[64];
};
int pty_make(
    const struct account *a, const struct winsize *size, struct pty *out_pty);

#endif

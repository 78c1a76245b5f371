/*
 * A session's process on its way from the monitor's fork to the user's
 * program: sshd(8), LOGIN PROCESS.
 */
#ifndef MONITOR_USERPROC_H
#define MONITOR_USERPROC_H

#include "monitor/environ.h"
#include "monitor/loginrec.h"

struct userproc {
	struct conn *conn;
	const struct usession *session;
	struct environ_list env;
	int fds[3]; /* become 0, 1 and 2 */
	char *root; /* ChrootDirectory, checked; or NULL. Owned */
	const struct loginrec_last *last; /* to tell the user; or NULL */
};

/* Become the user and run it. For the child; never returns. */
void userproc_run(struct userproc *p) __attribute__((noreturn));

/* Signals as a program expects them: none blocked, none ignored. */
void userproc_reset_signals(void);
/* The user's groups and PAM's credentials, before the ids. 0 or -errno. */
int userproc_credentials(struct conn *c);
/* Whether a command line is "internal-sftp", with or without arguments. */
bool userproc_is_sftp(const char *command);

#endif

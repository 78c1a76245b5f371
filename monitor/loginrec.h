/*
 * Records of logins: utmp(5), wtmp, btmp and lastlog, as login(1) keeps them.
 */
#ifndef MONITOR_LOGINREC_H
#define MONITOR_LOGINREC_H

#include <sys/types.h>
#include <time.h>

#include "monitor/conn.h"

/* A session got a terminal (tty without /dev/). Failures are not errors. */
void loginrec_login(const struct conn *c, const char *tty, pid_t pid);
void loginrec_logout(const char *tty, pid_t pid);

/* A password was wrong: btmp. */
void loginrec_failed(const struct conn *c);

/* When and from where the user last logged in; false if never or unknown. */
struct loginrec_last {
	time_t when;
	char host[257];
};
bool loginrec_last(const struct account *a, struct loginrec_last *out_last);

#endif

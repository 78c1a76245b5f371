/*
 * systemd-journald's own protocol, so that lines about logins have fields. Used
 * by log.c alone; journald hands the same line on to a syslog daemon.
 */
#ifndef COMMON_JOURNAL_H
#define COMMON_JOURNAL_H

#include <stdbool.h>

struct log_about;

/*
 * Whether journald is who reads what syslog(3) writes; only then it may get
 * the line by the other way.
 */
bool journal_is_syslog(void);

struct journal_line {
	const char *ident;
	int facility; /* as in syslog(3) */
	int priority;
	const char *text;              /* one line, encoded */
	const struct log_about *about; /* or NULL */
};
/* 0, or -errno: nothing was written. */
int journal_send(const struct journal_line *line);

#endif

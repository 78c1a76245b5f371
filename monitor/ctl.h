/*
 * What the commands of sshdctl(8) share.
 */
#ifndef MONITOR_CTL_H
#define MONITOR_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/chan.h"
#include "monitor/record.h"

#define CTL_EXIT_FAILED 1 /* also: there is nothing that was meant */
#define CTL_EXIT_USAGE 2
#define CTL_MANY 1024 /* names of one command line */

/* The command line. Texts are borrowed from it. */
struct ctl_args {
	bool json;
	bool all;
	const char *user;     /* or NULL, here and below */
	const char *addr;     /* a network or an address */
	const char *pid_file; /* only of the sshd with this PidFile */
	unsigned port;        /* only of this port; 0: any */
	char **names;         /* what is left of it */
	size_t n;
};

/* The commands: each returns the exit status. */
int ctl_sessions(const struct ctl_args *a);
int ctl_end(const struct ctl_args *a);
int ctl_status(const struct ctl_args *a);
int ctl_penalties(const struct ctl_args *a);
int ctl_lift(const struct ctl_args *a);

/*
 * Call each() with a channel to every sshd that runs and is meant, and with
 * its status. How many there were; what keeps one from answering is told.
 */
size_t ctl_servers(const struct ctl_args *a,
    void (*each)(struct chan *sshd, pid_t pid,
	const struct msg_ctl_status_reply *status, void *arg),
    void *arg);

/* Ask and wait for the answer; false, and it is told why there is none. */
bool ctl_ask(struct chan *sshd, const struct msg *q, struct msg *out_reply);

/* A line on standard error that begins with the program's name. */
void ctl_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, and exit with CTL_EXIT_FAILED. */
void ctl_fail(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* 2026-11-25 22:11:03, local time. */
#define CTL_TIME_MAX 32
void ctl_time(int64_t since, char out[CTL_TIME_MAX]);

#endif

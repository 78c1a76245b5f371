/*
 * Records of live sessions: one file each in a directory that only root may
 * enter, so that sshdctl(8) finds also those that an earlier sshd left running.
 * The files are root's own; a record is believed only while its process, known
 * by pid and start time, lives.
 */
#ifndef MONITOR_RECORD_H
#define MONITOR_RECORD_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#define RECORD_TEXT_MAX 64
#define RECORD_USER_MAX 320
#define RECORD_NAME_MAX 32       /* bytes of a file's name in the directory */
#define RECORD_PREFIX "session-" /* of records; the rest is the pid */

struct record {
	pid_t pid;      /* of its sshd-monitor: the session's number */
	uint64_t start; /* of that process, proc(5) starttime */
	int64_t since;  /* of the login, seconds since 1970 */
	pid_t sshd;     /* that started it */
	char user[RECORD_USER_MAX];
	char addr[RECORD_TEXT_MAX];
	unsigned port;
	char laddr[RECORD_TEXT_MAX];
	unsigned lport;
	char pid_file[PATH_MAX]; /* of sshd, or empty */
};

/*
 * The directory, made if it is missing, as a descriptor; -EPERM when it is not
 * root's alone; else -errno.
 */
int record_dir(void);

/*
 * Write down a session of this process; pid and start are filled in. 0 or
 * -errno, and nothing is written.
 */
int record_write(struct record *r);
/* Forget the session of a process, if there is one. */
void record_remove(pid_t pid);

/* Read a file of the directory. 0, -EBADMSG, or -errno. */
int record_read(int dir_fd, const char *name, struct record *out_r);
/* A pidfd of the record's process; -ESRCH when that is gone. */
int record_process(const struct record *r);

#endif

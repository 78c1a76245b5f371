/*
 * A user's session as the monitor has it: its terminal, its variables, its
 * process (RFC 4254 section 6).
 */
#ifndef MONITOR_USESSION_H
#define MONITOR_USESSION_H

#include "common/wire.h"
#include "monitor/conn.h"

struct usession {
	struct usession *next;
	unsigned id;
	bool has_pty;
	int slave_fd; /* owned until the process has it; else -1 */
	char tty[64]; /* "/dev/pts/3" */
	char term[65];
	char **env; /* "NAME=value" of the client; owned */
	size_t nenv;
	struct writer parts; /* of a command too long for one message */
	enum session_kind kind;
	char *command;  /* what will run; NULL: the login shell. Owned */
	char *original; /* what the client asked for, if that differs. Owned */
	pid_t pid;      /* 0: not started, or reaped */
	struct xauth *x11; /* its display; NULL: none. Owned */
	bool hung_up;      /* the client is gone from it */
	bool forced;       /* runs what the server or the key said */
	bool recorded;     /* in utmp(5), as logged in */
	bool reaped;       /* it ran, and has ended: */
	int status;        /* as waitpid(2) gave it */
	bool told;         /* its network process has said: */
	uint64_t bytes_in;
	uint64_t bytes_out;
};

/* The session of that number that the client still has; or NULL. */
struct usession *usession_find(struct conn *c, unsigned id);

/* The session, made if there is none yet; NULL: MaxSessions, or no memory. */
struct usession *usession_get(struct conn *c, unsigned id);
void usession_free(struct conn *c, struct usession *s);

/*
 * Start its process. *out_fds: its stdin, stdout and stderr, to be sent away
 * and closed; -1 where a terminal has them. 0 or -errno.
 */
int usession_start(struct conn *c, struct usession *s, int out_fds[3]);

/* SIGHUP to its process group, with the user's rights; then it is on its own */
void usession_hangup(struct conn *c, struct usession *s);

/*
 * What the network process says that a session has moved, which is the last
 * word on it: with the end of its process it makes an event.
 */
void usession_moved(struct conn *c, unsigned id, uint64_t in, uint64_t out);

/* No more will be known of any: make their events. */
void usession_end_all(struct conn *c);

/* After SIGCHLD: tell the network process whose processes have ended. */
void usession_reap(struct conn *c);

#endif

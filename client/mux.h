/*
 * Connection sharing: one process, the master, holds a connection; others of
 * the same user ask it for sessions over a Unix socket. The protocol is ours
 * (OpenSSH's programs find no partner in us, nor we in them): a message is a
 * datagram of a SOCK_SEQPACKET socket, descriptors travel with it.
 */
#ifndef CLIENT_MUX_H
#define CLIENT_MUX_H

#include <stdint.h>

#include "common/lex.h"

#define MUX_VERSION 1
#define MUX_MESSAGE_MAX (128u << 10) /* bytes */
#define MUX_FDS 3

enum mux_type {
	/* to the master */
	MUX_HELLO = 1, /* a: MUX_VERSION */
	MUX_SESSION,   /* a: MUX_ flags, b, c: columns, rows; text: TERM;
			* more: command; list: NAME=VALUE; 3 descriptors */
	MUX_DIRECT,    /* text: host, a: port; 3 descriptors */
	MUX_RESIZE,    /* b, c: columns, rows */
	MUX_BREAK,
	MUX_FORWARD, /* a: forward_kind; text: as -L has it */
	MUX_CANCEL,  /* the same */
	MUX_CHECK,
	MUX_STATS, /* a: 0 text, 1 JSON; text: how a line ends */
	MUX_STOP,  /* take no new ones */
	MUX_QUIT,
	/* from the master */
	MUX_OK,     /* text: a word to the user, or ""; a: a port, a process */
	MUX_FAIL,   /* text: why */
	MUX_OPENED, /* the session runs; a: 1, it has no terminal */
	MUX_EXIT,   /* a: status; text: a signal's name, or "" */
};

#define MUX_TTY 1u
#define MUX_SUBSYSTEM 2u
#define MUX_AGENT 4u
#define MUX_COMMAND 8u /* more is a command, not nothing */

/* Texts are owned; release with mux_msg_done(). */
struct mux_msg {
	enum mux_type type;
	uint32_t a, b, c;
	char *text;
	char *more;
	struct words list;
	int fds[MUX_FDS];
	size_t nfds;
};

/* Free texts, and close descriptors that nobody took. */
void mux_msg_done(struct mux_msg *m);

/*
 * Send; descriptors stay the caller's. 0; -EMSGSIZE; -EAGAIN when the other
 * side does not read and the socket does not block; -EPIPE and others.
 */
int mux_send(int fd, const struct mux_msg *m);

/* The next message. -EAGAIN; -EPIPE: the other side is gone; -EBADMSG. */
int mux_recv(int fd, struct mux_msg *out);

/* Listen, mode 0600; -EADDRINUSE when somebody else does. */
int mux_listen(const char *path);

/*
 * Connect, and see that the other side is our own user and speaks our
 * version. A descriptor that blocks; -ENOENT: nobody is there (a socket whose
 * master is gone is removed); -EPROTOTYPE: another program's; -EACCES:
 * another user's.
 */
int mux_connect(const char *path, uint32_t *out_pid);

/* Whether the process at the other end is our user's. */
bool mux_is_ours(int fd);

#endif

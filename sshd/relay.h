/*
 * Bytes between a channel and the descriptors of a user's process, with
 * back-pressure both ways: a descriptor is read only while the channel has a
 * window and the client's socket takes data; a channel's data stays in libssh,
 * unacknowledged, while the process does not read.
 */
#ifndef SSHD_RELAY_H
#define SSHD_RELAY_H

#include "sshd/net.h"

#define RELAY_READ_MAX 131072  /* bytes taken in one turn, one direction */
#define RELAY_WRITE_MAX 262144 /* bytes written at once, if they are there */

/*
 * libssh 0.10 takes data past its window, which it never lets grow over
 * 1.28 MB. More than this many bytes unread on one channel is an attack.
 */
#define RELAY_HELD_MAX (4u << 20)

struct inlet;

/*
 * From the user's process, or a forwarded socket, to the channel. Zero, with
 * fd -1, is closed.
 */
struct outlet {
	int fd;             /* owned; a socket together with its twin */
	struct inlet *twin; /* the other direction of a socket; or NULL */
	bool is_stderr;
	bool watched;
	bool ready; /* poll said that it can be read */
	bool ended;
	uint64_t moved; /* bytes that libssh has taken */
	uint8_t *buf;   /* owned: what libssh did not take; mostly NULL */
	size_t at, len;
};

/* From the channel to the user's process or a forwarded socket. */
struct inlet {
	int fd; /* owned, likewise */
	struct outlet *twin;
	bool watched;
	bool client_eof;
	uint64_t moved; /* bytes that were written */
	bool later;     /* not written yet, because more is about to come */
	size_t left;    /* bytes that libssh holds for us */
	uint8_t *buf;   /* owned: taken from libssh, and not yet written */
	size_t at, len;
};

/* Take what the client sent; how many bytes of it are done with. */
size_t relay_data(struct net *n, struct inlet *in, const void *p, size_t len);

/* Move what can be moved, then watch the descriptor if that may help. */
void relay_inlet(struct net *n, ssh_channel channel, struct inlet *in);
/* The bytes that libssh took from it. */
size_t relay_outlet(struct net *n, ssh_channel channel, struct outlet *out);

/*
 * Both directions of a connected socket, which is theirs from here on: the end
 * of one is a half-close, and the end of both closes it.
 */
void relay_socket(struct inlet *in, struct outlet *out, int fd);

/* Stop watching, close and free. Twice is fine. */
void relay_inlet_done(struct net *n, struct inlet *in);
void relay_outlet_done(struct net *n, struct outlet *out);

#endif

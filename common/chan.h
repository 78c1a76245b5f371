/*
 * One peer at the other end of a SOCK_SEQPACKET socket pair: send, receive,
 * pass descriptors, wipe. A message is a datagram, so none is ever partial.
 */
#ifndef COMMON_CHAN_H
#define COMMON_CHAN_H

#include "common/msg.h"

struct chan {
	int fd;          /* owned */
	enum peer me;    /* who holds this end */
	enum peer other; /* who is at the other one */
	unsigned phase;  /* enum phase, moved on by the holder */
	uint32_t counts[MSG_COUNT];
	int fds[MSG_MAX_FDS]; /* arrived with the last message; -1 if taken */
	unsigned nfds;
	uint8_t *buf;    /* what the last message's spans borrow from */
	size_t buf_len;  /* bytes of it that hold the last message */
	int patience_ms; /* of chan_send(); 0: as long as it takes */
	void (*trace)(void *arg, const char *line); /* or NULL */
	void *trace_arg;
};

/* Takes fd over. 0 or -ENOMEM (then fd is closed). */
int chan_init(struct chan *c, int fd, enum peer me, enum peer other);

/*
 * Send m with nfds descriptors, which stay the caller's. Blocks while the
 * other side has not read, but no longer than patience_ms: then -ETIMEDOUT,
 * and nothing was sent. 0, -EPIPE when it is gone, or another -errno.
 */
int chan_send(
    struct chan *c, const struct msg *m, const int *fds, unsigned nfds);

/*
 * As chan_send(), but never waits: -EAGAIN when the other side has not read
 * what fills its queue, and nothing was sent. For a peer who may stop reading
 * to hold us up.
 */
int chan_try_send(
    struct chan *c, const struct msg *m, const int *fds, unsigned nfds);

/*
 * Wait for the next message and check it: malformed -EBADMSG, not allowed
 * from that peer in this phase -EPROTO, too often -EDQUOT; -EPIPE when the
 * other side is gone. What the last message borrowed dies with this call, and
 * descriptors that nobody took are closed. After an error other than -EINTR
 * the peer is not to be trusted with another message.
 */
int chan_recv(struct chan *c, struct msg *out_m);

/* As chan_recv(), but -EAGAIN when none is waiting. */
int chan_try_recv(struct chan *c, struct msg *out_m);

/* Descriptor i of the last message, now the caller's; -1 if there is none. */
int chan_take_fd(struct chan *c, unsigned i);

/* Wipe the last message; its spans die. Call it when a SECRET is used up. */
void chan_wipe(struct chan *c);

/* Close, wipe and free. Safe on a zeroed channel whose fd is -1, and twice. */
void chan_done(struct chan *c);

#endif

/*
 * One SFTP session, asynchronous: requests are queued and their answers go to
 * functions, in whatever order the server sends them. Every byte of the server
 * is hostile: an answer that nobody asked for, or of the wrong shape, ends the
 * session with a reason.
 *
 * Results here are 0, a negative errno for what went wrong between us and the
 * server, or a positive enum sftp_status for what the server refused;
 * peer_text() says any of them in words.
 */
#ifndef CLIENT_XFER_PEER_H
#define CLIENT_XFER_PEER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/link.h"
#include "common/sftp.h"
#include "common/wire.h"

/* Requests whose answer is out; more than the largest window needs. */
#define PEER_REQUESTS 16384
/* Sessions of one transfer: both ends, and twins. */
#define PEERS_AT_ONCE 8
#define PEER_PATIENCE_MS 60000
/* Bytes queued for the server at which no more data is added. */
#define PEER_QUEUE_MAX (1u << 20)
/* Data in one READ or WRITE for a server that does not say, as OpenSSH's. */
#define PEER_DATA_DEFAULT 32768u

/* Extensions of OpenSSH's PROTOCOL, section 4, that we make use of. */
enum peer_ext {
	PEER_POSIX_RENAME = 1 << 0,
	PEER_HARDLINK = 1 << 1,
	PEER_STATVFS = 1 << 2,
	PEER_FSYNC = 1 << 3,
	PEER_LSETSTAT = 1 << 4,
	PEER_LIMITS = 1 << 5,
	PEER_EXPAND_PATH = 1 << 6,
	PEER_COPY_DATA = 1 << 7,
	PEER_OWNERS = 1 << 8,
};

/* An answer; all of it is borrowed, and gone when the function returns. */
struct answer {
	int rc;       /* 0; STATUS other than OK; or negative: no answer came */
	uint8_t type; /* SSH_FXP_STATUS, SSH_FXP_HANDLE, ... */
	struct reader body;
};

/* May begin further requests, and must not pump. */
typedef void peer_fn(void *arg, const struct answer *a);

/*
 * The handle that a request to open was answered with, appended to out. 0;
 * what the answer says; -EBADMSG: it is no handle, or longer than
 * SFTP_HANDLE_MAX; -ENOMEM.
 */
int answer_handle(const struct answer *a, struct writer *out);

struct peer;

/*
 * Begin a session: INIT. Requests may follow at once, since servers answer
 * that first; peer_has() and peer_version() hold after peer_greet(), or after
 * any answer, the limits one round trip later. The peer owns the link from now
 * on, also after an error. 0 or -ENOMEM.
 */
int peer_new(struct link *l, struct peer **out_peer);
/* Wait for VERSION. 0; or what ended the session. */
int peer_greet(struct peer *p);
/*
 * Another session beside p, over the same connection. Returns before it has
 * begun, and has to end before p does; a server that grants no more is no
 * error of p's: the twin is dead then. 0; -ENOTSUP: not over this link; -errno.
 */
int peer_twin(const struct peer *p, struct peer **out_twin);
/* Whether it has begun, and lives. */
bool peer_is_ready(const struct peer *p);
/* Bytes that the server takes before it has to answer: its channel's window. */
size_t peer_window(const struct peer *p);
/* Milliseconds without an answer; -1: none is due. */
int64_t peer_silence_ms(const struct peer *p);
/* How long the user would have it: ServerAliveInterval and CountMax, or
 * PEER_PATIENCE_MS. */
int64_t peer_patience_ms(const struct peer *p);
/*
 * Wait until fd can be read, and look after the session meanwhile; mask is as
 * for ppoll(2). 1; 0: call again; -EINTR: a signal; or what ended the session.
 */
int peer_await(struct peer *p, int fd, const sigset_t *mask);
/* End the session; NULL is fine. The link's exit status, or -1. */
int peer_free(struct peer *p);

/*
 * A request in the queue: append its fields to the writer, then peer_end().
 * fn is called once, with the answer or with the reason why there is none.
 */
struct writer *peer_begin(struct peer *p, uint8_t type, peer_fn *fn, void *arg);
void peer_end(struct peer *p);
/* The same for an extended request of this name. */
struct writer *peer_extended(
    struct peer *p, const char *name, peer_fn *fn, void *arg);

/*
 * Send and receive what can be had of n peers, PEERS_AT_ONCE at most; if there
 * is nothing, wait for timeout_ms at most, -1 for ever, or until a signal. 0,
 * or the error that ended a session; the end of a twin is none.
 */
int peer_pump(struct peer *const peers[], size_t n, int timeout_ms);

/* Whether the request table and the queue have room for more data. */
bool peer_has_room(const struct peer *p);
/* Bytes in the queue. */
size_t peer_queued(const struct peer *p);
/* The error that ended the session, or 0. */
int peer_dead(const struct peer *p);
/* End the session because of what the server said, with a reason. */
void peer_fault(struct peer *p, const char *why);

/* Whether it has an extension, in the version that we know. */
bool peer_has(const struct peer *p, enum peer_ext ext);
/* Of the protocol, as the server said it. */
unsigned peer_version(const struct peer *p);
/* Bytes for one READ, one WRITE; handles that may be open at once. */
uint32_t peer_read_max(const struct peer *p);
uint32_t peer_write_max(const struct peer *p);
unsigned peer_handles_max(const struct peer *p);

/*
 * A result in words, for messages. Of a session's end it says why; borrowed
 * until the next call or the peer's end.
 */
const char *peer_text(const struct peer *p, int rc);

#endif

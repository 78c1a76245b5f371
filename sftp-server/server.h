/*
 * One SFTP session: what its parts share. All of it lives in one struct server
 * of fixed size; only the handle table and the name tables grow, each to a
 * named limit.
 */
#ifndef SFTP_SERVER_SERVER_H
#define SFTP_SERVER_SERVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/sftp.h"
#include "common/wire.h"
#include "sftp-server/ahead.h"
#include "sftp-server/audit.h"
#include "sftp-server/handle.h"
#include "sftp-server/lend.h"
#include "sftp-server/names.h"
#include "sftp-server/option.h"
#include "sftp-server/request.h"

/* A whole packet is always there in one piece, and room for what follows. */
#define IN_SIZE (2 * (SFTP_PACKET_MAX + SFTP_LEN_SIZE))
/* The longest reply; no request is begun without room for it. */
#define REPLY_MAX (SFTP_PACKET_MAX + SFTP_LEN_SIZE)
#define OUT_SIZE (2 * REPLY_MAX)
/* Replies are sent off, if the client takes them, when so much waits. */
#define SEND_AT (64u * 1024)

struct server {
	const struct options *opt;
	uid_t uid;
	const char *peer; /* client's address, encoded for the log */
	struct names names;
	struct handles handles;

	bool is_confined; /* to PLACE_ROOT_FD: see place.h */
	char
	    cwd[SFTP_PATH_MAX + 1]; /* where a confined session's paths begin */

	bool init_done;
	uint32_t version;  /* the client's */
	unsigned nunknown; /* requests that were none, and are in the log */
	/* Verdict on each request type, by its place in the table. */
	enum op_verdict verdict[OPS_MAX];
	struct request request;
	uint32_t status; /* the client was told of the last request */
	uint64_t moved;  /* bytes, by the request in hand */
	struct audit audit;

	uint8_t *in;
	size_t in_head, in_tail;
	struct ahead ahead;
	/* Never grows: a request is only begun with REPLY_MAX to spare. */
	struct writer out;
	size_t out_sent;
	size_t mark; /* where the reply to the request in hand begins */
	struct lender lend;

	/* Signals that end the session are only taken while waiting. */
	sigset_t wait_mask;
};

/* Allocate the buffers; 0 or -ENOMEM. */
int server_init(struct server *s, const struct options *opt);
void server_done(struct server *s);

/*
 * Ready descriptors 0 and 1: pipes and sockets become non-blocking, pipes get
 * room for a whole packet. Terminals and files are left as they are.
 */
void server_prepare_fds(void);
/* SIGTERM, SIGHUP and SIGINT end server_run(); SIGPIPE and SIGXFSZ are
 * ignored. */
void server_prepare_signals(struct server *s);

/*
 * Speak until the client is done: 0. -EPIPE: it went away; -EINTR: a signal
 * asked us to stop; -EBADMSG, -EMSGSIZE, -EPROTO: it broke the protocol.
 */
int server_run(struct server *s);

/* Send what the client takes now; 0 or -EPIPE. */
int server_send(struct server *s);

/*
 * Whether the client has gone away or a signal has come: what takes long asks
 * now and then. 0, -EPIPE or -EINTR.
 */
int server_still_wanted(struct server *s);
/* As above, after so many milliseconds or when that changes. */
int server_pause(struct server *s, int milliseconds);

#endif

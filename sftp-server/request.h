/*
 * The requests of SFTP: one table row each. A row says how a request's bytes
 * are laid out, whether it changes anything, and what does it.
 */
#ifndef SFTP_SERVER_REQUEST_H
#define SFTP_SERVER_REQUEST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sftp.h"
#include "common/wire.h"

struct server;
struct options;
struct request;

/*
 * A shape is one letter a field, in the order on the wire:
 *	p path		h handle	a attributes
 *	n uint32	o uint64	d string
 */
struct op {
	uint8_t type;
	const char *name;    /* for -p, -P, -Q and the log */
	const char *ext;     /* name on the wire, of an extension */
	const char *version; /* and what VERSION says of it */
	const char *shape;
	bool does_write;
	/*
	 * Does it. REQUEST_REPLIED: has written its reply. 0: done, the
	 * caller sends the status OK. -errno: failed; what it has begun to
	 * write is taken back and a status sent.
	 */
	int (*run)(struct server *s, const struct request *q);
};

#define REQUEST_REPLIED 1
/* The end of a file or directory, as a result of run(). */
#define REQUEST_EOF (-ENODATA)
/* No such handle, or one of the wrong kind. */
#define REQUEST_NO_HANDLE (-EBADFD)

#define REQUEST_PATHS 2
#define REQUEST_HANDLES 2
#define REQUEST_NUMBERS 3
#define REQUEST_DATA 2

struct request {
	uint32_t id;
	const struct op *op;
	bool is_decoded; /* what follows is of this request */
	char path[REQUEST_PATHS][SFTP_PATH_MAX + 1];
	uint64_t handle[REQUEST_HANDLES]; /* 0 is never one */
	uint64_t number[REQUEST_NUMBERS];
	struct span data[REQUEST_DATA]; /* borrowed from the packet */
	struct sftp_attrs attrs;
};

/* Table rows, base operations first; NULL behind the last. */
#define OPS_MAX 32
const struct op *op_at(size_t i);

enum op_verdict {
	OP_ALLOWED,
	OP_READONLY,
	OP_DENIED,
	OP_NOT_ALLOWED,
};

/*
 * Whether a row may be used under these options; -P counts before -p, as with
 * OpenSSH's server.
 */
enum op_verdict may_op(const struct op *op, const struct options *opt);

/* Whether each name of a -p or -P list is a request; else the first bad one
 * in *out_unknown, borrowed from the list, and its length. */
bool op_list_ok(const char *list, struct span *out_unknown);

/*
 * Read the fields that shape names into q. Fields not named keep their value.
 * -EBADMSG: too short or a path with a NUL; -ENAMETOOLONG. Bytes behind the
 * last field are ignored, as some clients send them.
 */
int request_decode(struct reader *r, const char *shape, struct request *q);

/*
 * Handle one packet, without its length field: check, decode, run, reply. An
 * error is one of the framing and ends the session: -EBADMSG, -EPROTO.
 */
int request_run(struct server *s, struct span packet);

#endif

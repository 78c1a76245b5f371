/*
 * The audit record: one JSON object for each thing that a session does to
 * files, sent where the log goes (sftp-server(8), AUDIT).
 */
#ifndef SFTP_SERVER_AUDIT_H
#define SFTP_SERVER_AUDIT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/sftp.h"
#include "sftp-server/json.h"
#include "sftp-server/request.h"

struct server;
struct handle;

struct audit {
	bool is_on, with_digest;
	uint64_t nrecords, nlost;
	uint64_t nfiles; /* opened so far: numbers them */
	uint64_t nread, nwritten;
	struct timespec began, request_began;
	char cwd[SFTP_PATH_MAX + 1];
	/* Members of a request's record, by its place in the table. */
	unsigned members[OPS_MAX];
	struct json record;
};

/* Begin, as the options say, where relative paths begin. */
void audit_begin(struct server *s);
/* The session ends; result as of server_run(). */
void audit_end(struct server *s, int result);

/*
 * Before and behind each request. s->status is what the client was told; error
 * is why, as -errno, or 0.
 */
void audit_request_begin(struct server *s);
void audit_request(struct server *s, const struct op *op, int error);

/* A handle is there: it gets a number, and a digest if they are wanted. */
void audit_opened(struct server *s, struct handle *h);
/* Before it is closed, by the client or at the end, and behind. */
void audit_closing(struct server *s, struct handle *h, bool is_forced);
void audit_closed(struct server *s, int error);

#endif

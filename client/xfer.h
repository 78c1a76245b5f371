/*
 * The transfer engine: trees of files from a source to a sink, many files and
 * many requests at once. A source is this machine or a server, and so is a
 * sink; the engine itself opens nothing. Used by `omniedge sftp` and `scp`.
 *
 * A job is a file or directory with its place at the other end. Jobs of one
 * directory begin in its order, but the next ones are opened while the data of
 * the first still moves, so that a small file does not cost round trips of its
 * own. Memory does not depend on the number of files in one directory of the
 * source: a listing is not read ahead of what is being transferred.
 */
#ifndef CLIENT_XFER_H
#define CLIENT_XFER_H

#include <stdbool.h>
#include <stdint.h>

#include "client/progress.h"
#include "client/xfer_peer.h"

/* As OpenSSH's: deeper trees are loops, or meant to be harmful. */
#define XFER_DEPTH_MAX 64

struct xfer_options {
	bool recursive;
	bool preserve;   /* times and modes */
	bool resume;     /* go on where the sink's file ends */
	bool sync;       /* fsync each file at the sink */
	bool follow;     /* links in a tree are what they lead to */
	bool stripe;     /* a large file may go over several channels */
	bool list;       /* name each file as it begins (sftp's get and put) */
	uint32_t buffer; /* bytes a request; 0: what the server likes */
	uint32_t requests; /* at once; 0: what the path can carry */
	uint64_t rate;     /* bytes a second; 0: no limit */
};

/* What was done, for exit codes and --json. */
struct xfer_result {
	uint64_t files, directories, bytes;
	uint64_t failed; /* files and directories with an error */
	bool stopped;    /* by ^C */
	double seconds;
};

struct xfer;

/* A NULL peer is this machine. At least one is a server. */
struct xfer *xfer_new(struct peer *from, struct peer *to,
    const struct xfer_options *options, struct progress *progress);
void xfer_free(struct xfer *x);

/*
 * Add a job. chosen: the name comes from the server and not from the user, so
 * no link of this machine is followed to it. Nothing is sent yet.
 * 0 or -ENOMEM.
 */
int xfer_add(struct xfer *x, const char *from, const char *to, bool chosen);
/*
 * Work until all jobs are done. Errors of jobs are told on standard error and
 * counted; the result is 0, or negative when a session ended in the middle.
 */
int xfer_run(struct xfer *x);
/* Sums of all that was run. */
const struct xfer_result *xfer_result(const struct xfer *x);

#endif

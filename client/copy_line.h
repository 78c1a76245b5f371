/*
 * What the command lines of scp and sftp have in common: flags about copies,
 * and those of ssh, which are taken here and kept as words for the program of
 * -S.
 */
#ifndef CLIENT_COPY_LINE_H
#define CLIENT_COPY_LINE_H

#include "client/remote.h"
#include "client/xfer.h"

#define COPY_LINE_LETTERS "D:l:prS:X:" /* for getopt(3), besides ssh's */
#define COPY_LINE_PASSED_MAX 48        /* flags for the program of -S */

struct copy_line {
	struct client *flags;          /* owned */
	struct remote_options *remote; /* what the flags fill in, borrowed */
	struct xfer_options *options;
	bool quiet, verbose;
	char *passed[COPY_LINE_PASSED_MAX + 1]; /* owned, NULL at the end */
	size_t npassed;
};

/*
 * A line without flags; remote refers to it from now on. remote and options
 * are the caller's. 0 or -ENOMEM, and there is nothing to release.
 */
int copy_line_init(struct copy_line *l, enum client_program program,
    struct remote_options *remote, struct xfer_options *options);

/*
 * Take a flag of COPY_LINE_LETTERS or client_letters(); arg, which is kept, is
 * NULL for one without. 0; -E2BIG over COPY_LINE_PASSED_MAX; -ENOMEM; -EINVAL
 * and what client_flag() returns for a bad value, which has been said.
 */
int copy_line_flag(struct copy_line *l, int letter, const char *arg);

/* Never ask: BatchMode, also for the program of -S. As copy_line_flag(). */
int copy_line_batch(struct copy_line *l);

/* Free what it owns; remote must not be used after it. */
void copy_line_done(struct copy_line *l);

#endif

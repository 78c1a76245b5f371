/*
 * `omniedge scp`, between its files: the command line (scp_main.c), copying by
 * SFTP (scp_sftp.c), copying by the old protocol (scp_old_*.c).
 */
#ifndef CLIENT_SCP_H
#define CLIENT_SCP_H

#include <stdbool.h>

#include "client/progress.h"
#include "client/remote.h"
#include "client/scp_names.h"
#include "client/xfer.h"

struct scp {
	struct remote_options remote;
	struct xfer_options options;
	struct progress *progress;
	bool loose;      /* -T: names that were not asked for are taken too */
	bool verbose;    /* -v, for the other side of the old protocol */
	bool many;       /* more than one source: the target is a directory */
	unsigned failed; /* what went wrong beside result.failed */
	struct xfer_result result;
};

/* Copy sources to a target, at least one of them elsewhere. Said and counted
 * in s what goes wrong. */
void scp_sftp(struct scp *s, const struct scp_name *sources, size_t n,
    const struct scp_name *target);
void scp_old(struct scp *s, const struct scp_name *sources, size_t n,
    const struct scp_name *target);

#endif

/*
 * The command line of sftp-server(8).
 */
#ifndef SFTP_SERVER_OPTION_H
#define SFTP_SERVER_OPTION_H

#include <stdbool.h>

#include "sftp-server/slog.h"

struct options {
	bool readonly;
	bool log_stderr;
	enum slog_level log_level;
	int log_facility;
	int audit_facility; /* -1: no audit record */
	bool audit_digest;
	int umask;             /* -1: as inherited */
	const char *start_dir; /* with its tokens; NULL: as inherited */
	const char *root_dir;  /* NULL: as inherited */
	const char *allowed, *denied;
	bool query_requests;
	bool query_jail;
};

/*
 * Read the command line; strings are borrowed from argv. 0, or -EINVAL with a
 * sentence in *out_error (NULL: usage was asked for or is due).
 */
int options_parse(
    int argc, char **argv, struct options *out_opt, const char **out_error);

/*
 * Expand %d, %u, %U, %% and a leading ~ of -d. The caller frees. -EINVAL:
 * unknown token; -ENAMETOOLONG; -ENOENT: no such user.
 */
struct names;
int options_start_dir(
    const struct options *opt, struct names *names, char **out_path);

#endif

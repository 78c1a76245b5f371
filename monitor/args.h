/*
 * The command line of sshd(8).
 */
#ifndef MONITOR_ARGS_H
#define MONITOR_ARGS_H

#include "common/conf.h"

struct server_args {
	const char *config_file;
	const char **overrides; /* -o, and -g, -h, -p, -4, -6 in its form */
	size_t noverrides;
	bool foreground; /* -D */
	bool test;       /* -t */
	bool dump;       /* -T */
	bool version;    /* -V */
	bool quiet;      /* -q */
	unsigned debug;  /* -d, times */
	bool stderr_log; /* -e, -d, or -E */
	bool has_match;  /* -C */
	struct match_ctx match;
};

/*
 * Read the arguments. Bad ones, and a log file that cannot be opened, end the
 * program with status 1 and a text on stderr.
 */
void server_args_parse(int argc, char **argv, struct server_args *out_args);
/* Free what they own. */
void server_args_done(struct server_args *args);

#endif

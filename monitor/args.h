/*
 * The command line of sshd(8).
 */
#ifndef MONITOR_ARGS_H
#define MONITOR_ARGS_H

#include "common/conf.h"

struct server_args {
	char *config_file;      /* owned; NULL: none */
	const char **overrides; /* -o; -4, -6, -c, -g, -h, -p in its form */
	size_t noverrides;
	bool foreground; /* -D */
	bool test;       /* -t */
	bool dump;       /* -T, -G */
	bool inetd;      /* -i */
	unsigned dead;   /* bits: options without effect that were there */
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
/* Tell of options that have no effect. */
void server_args_log(const struct server_args *args);
/* Free what they own. */
void server_args_done(struct server_args *args);

#endif

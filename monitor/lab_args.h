/*
 * The command line of omniedge-ssh-server(1): rows of lab_args.c.
 */
#ifndef MONITOR_LAB_ARGS_H
#define MONITOR_LAB_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define LAB_LIST_MAX 256 /* times that a repeatable option may stand */

/* The exit status of omniedge-ssh-server(1). */
enum lab_exit {
	LAB_EXIT_END = 0,   /* served, and ended as it was asked to */
	LAB_EXIT_FAIL = 1,  /* could not begin or go on */
	LAB_EXIT_USAGE = 2, /* an argument is wrong */
};

/* Values of a repeatable option; borrowed from argv. */
struct lab_list {
	const char *v[LAB_LIST_MAX];
	size_t n;
};

enum lab_auth {
	LAB_AUTH_ANY,
	LAB_AUTH_KEYS,
	LAB_AUTH_PASSWORD,
	LAB_AUTH_NONE,
};

struct lab_args {
	/* where it listens, and to whom */
	int port;
	struct lab_list bind;
	bool permissive;
	bool localhost_only;
	struct lab_list allow_network;
	/* who logs in, and how */
	struct lab_list user_map;
	const char *default_user;
	struct lab_list authorized_keys;
	bool password;
	int password_fd; /* -1: not given */
	int auth;        /* enum lab_auth */
	const char *host_key_path;
	/* what a login may do */
	bool read_only;
	bool sftp_only;
	bool no_forwarding;
	const char *command;
	/* limits; times in seconds, 0: none */
	bool once;
	int time_limit;
	int idle_timeout;
	int handshake_timeout;
	int auth_timeout;
	int max_connections;
	int rate_limit;
	int max_failures;
	int ban_time;
	/* the program */
	const char *device_id;
	bool quiet;
	bool log_json;
	const char *log_file;
	bool daemon;
	const char *pid_file;
	int verbose;
	bool print_config;
	bool version;
	bool help;
};

/*
 * Read the arguments into *out_args. 0; or -EINVAL, and one sentence that
 * says what is wrong has been written to err.
 */
int lab_args_parse(int argc, char **argv, struct lab_args *out_args, FILE *err);

/* What --help prints. */
void lab_args_help(FILE *out);

#endif

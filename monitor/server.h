/*
 * What sshd holds for all its connections, made anew at SIGHUP.
 */
#ifndef MONITOR_SERVER_H
#define MONITOR_SERVER_H

#include "common/conf.h"
#include "monitor/args.h"
#include "monitor/hostkey.h"
#include "monitor/listener.h"
#include "monitor/spawn.h"

/* What one reading of the configuration gives. */
struct server_config {
	struct conf *conf;
	struct options options;
	struct hostkeys hostkeys;
	int config_fd; /* sealed memory files for the monitors; owned */
	int hostkeys_fd;
	int lab_fd;  /* the same of omniedge-ssh-server's terms, lab.h; -1 */
	int once_fd; /* conn.h; owned; -1 */
};

/*
 * Read and check everything; what is wrong is logged, line by line. 0, or
 * -EBADMSG; then nothing is kept.
 */
int server_config_load(
    const struct server_args *args, struct server_config *out_config);
void server_config_done(struct server_config *config);

struct lab;

/* Seal the terms anew, as config->lab_fd. 0 or -errno. */
int server_seal_lab(struct server_config *config, const struct lab *lab);

/*
 * Descriptors 0, 1 and 2 are open from here on, whoever started us, and no
 * other but a socket unit's: what we are left by a shell is not for our
 * children.
 */
void server_hold_stdio(unsigned nsockets);

/* The level that -d and -q put in place of LogLevel, or none. */
#define SERVER_LEVEL_NONE 8 /* CONN's log_level, msg.def */
unsigned server_log_level(const struct server_args *args);

/* Open the log as arguments and options say. */
void server_log_open(
    const struct server_args *args, const struct server_config *config);

#endif

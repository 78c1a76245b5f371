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
};

/*
 * Read and check everything; what is wrong is logged, line by line. 0, or
 * -EBADMSG; then nothing is kept.
 */
int server_config_load(
    const struct server_args *args, struct server_config *out_config);
void server_config_done(struct server_config *config);

/* The level that -d and -q put in place of LogLevel, or none. */
#define SERVER_LEVEL_NONE 8 /* CONN's log_level, msg.def */
unsigned server_log_level(const struct server_args *args);

/* Open the log as arguments and options say. */
void server_log_open(
    const struct server_args *args, const struct server_config *config);

#endif

/*
 * A connection as the user asked for it: flags, configuration, name, address,
 * the server's key, the login. ssh, sftp and scp build on it; what comes out
 * is a libssh session that is logged in.
 *
 * What goes wrong is said on stderr, here and once: callers only stop, with
 * EXIT_OURS. The order of calls: client_new(), client_flag() for each flag,
 * client_target(), client_prepare(), client_connect(), client_free().
 */
#ifndef CLIENT_CONNECT_H
#define CLIENT_CONNECT_H

#include <libssh/libssh.h>
#include <stdio.h>

#include "client/sshconf.h"
#include "client/target.h"

enum client_program { /* bits: which of them a flag is for */
	CLIENT_SSH = 1,
	CLIENT_SFTP = 2,
	CLIENT_SCP = 4,
	CLIENT_ALL = 7,
};

struct client;

/*
 * A client without a target. Opens the log on stderr, and sees to it that no
 * core of this process is ever written. NULL without memory.
 */
struct client *client_new(enum client_program program);

/* Disconnect, end the proxy's process, free. NULL is fine. */
void client_free(struct client *c);

/* Another client with the same flags and no target. 0 or -ENOMEM. */
int client_copy(const struct client *c, struct client **out_copy);

/* Letters of the shared flags for getopt(3), with their colons; static. */
const char *client_letters(enum client_program program);

/*
 * Take a flag of client_letters(). arg is NULL for one without. 0; -ENOENT:
 * not one of them; -EBADMSG: a bad value, which has been said.
 */
int client_flag(struct client *c, int letter, const char *arg);

/* A line for each shared flag, as --help shows them. */
void client_flags_help(enum client_program program, FILE *out);

/*
 * Where to: a target as in target.h. scheme ("ssh", "sftp", "scp") permits
 * URIs; *out_path, owned, is the path of one, or NULL; out_path may be NULL.
 * 0; -EBADMSG: not a target, which has been said; -ENOMEM.
 */
int client_target(
    struct client *c, const char *text, const char *scheme, char **out_path);

/*
 * Read the configuration files for the target and settle all options. After
 * it client_conf() says how things are. 0; -EBADMSG: said. -ENOMEM.
 */
int client_prepare(struct client *c);

/*
 * Connect, check the host's key, log in. The session is in blocking mode, with
 * no time limit. 0; -ECONNREFUSED, -EKEYREJECTED (the host's key), -EACCES (the
 * login) and others: said.
 */
int client_connect(struct client *c);

/* The same without the login: is the host there, and the one we know? */
int client_reach(struct client *c);

/* The session, which stays the client's; NULL before client_connect(). */
ssh_session client_session(const struct client *c);

/* Its options; more may be put before client_prepare(). */
struct sshconf *client_conf(const struct client *c);

/* The target as the user typed it, the login's user. */
const char *client_host(const struct client *c);
const char *client_user(const struct client *c);

/*
 * What libssh says of the last error, encoded for a terminal: it may have the
 * server's bytes in it. Static; the next call overwrites it.
 */
const char *client_error(const struct client *c);

/* Encode text of a stranger for a terminal; static, as above. */
const char *client_safe(const char *text);

#endif

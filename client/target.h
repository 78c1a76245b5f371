/*
 * What the user typed for "where to": a host with perhaps a user and a port,
 * in the forms people use. The text is the user's own.
 */
#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include <stdbool.h>

#define TARGET_MAX 1024 /* bytes of a target; a host name has 253 at most */

struct target {
	char *user; /* NULL: not said */
	char *host; /* without brackets */
	char *path; /* of a URI, without its first "/"; NULL: none */
	int port;   /* 0: not said */
};

/*
 * Read [user@]host, [user@]host:port, [user@][v6]:port, a bare IPv6 literal,
 * or SCHEME://[user@]host[:port][/path] (percent-encoded). scheme may be NULL:
 * URIs are not looked for. 0: release with target_done(). -EBADMSG: not a
 * host, or one that a command line could take for an option or a shell for a
 * command; *out_why, a static text, says why. -EMSGSIZE, -ENOMEM.
 */
int target_parse(const char *text, const char *scheme, struct target *out,
    const char **out_why);
void target_done(struct target *t);

/*
 * Whether the name may be used: no control or white space character, no shell
 * metacharacter, and no "-" in front, because names get into commands by %h.
 */
bool target_is_host(const char *host);
/* The same for a user, by %r. */
bool target_is_user(const char *user);

/* A number from 1 to 65535, or the name of a TCP service; 0: no port. */
int target_port(const char *text);

#endif

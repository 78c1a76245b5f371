/*
 * Lines of known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): plain, hashed
 * and wildcard names, [host]:port, @cert-authority, @revoked. Reads texts,
 * decides nothing, touches no file.
 */
#ifndef CLIENT_KNOWNHOSTS_H
#define CLIENT_KNOWNHOSTS_H

#include <stdbool.h>

#include "common/wire.h"

#define KNOWN_NAME_MAX 300 /* bytes of "[host]:port", with its NUL */

enum known_marker {
	KNOWN_PLAIN,
	KNOWN_CA,      /* @cert-authority */
	KNOWN_REVOKED, /* @revoked */
};

/* One line; all spans borrow from it. */
struct known_line {
	enum known_marker marker;
	struct span hosts; /* names with commas, or one hash */
	struct span type;
	struct span key; /* base64 */
	struct span comment;
};

/*
 * Read a line without its newline. 0; -ENOENT: blank or a comment; -EBADMSG:
 * malformed, to be passed over (one bad line must not unlock or lock out).
 */
int known_parse(struct span line, struct known_line *out_line);

/* "host" or, for a port that is not 22, "[host]:port". */
void known_name(const char *host, int port, char name[KNOWN_NAME_MAX]);

/*
 * Whether the line is for the name: a hash of it, or a list of patterns with
 * * and ?, of which none that is negated matches.
 */
bool known_matches(const struct known_line *line, const char *name);

/* Whether the name is in the line as it is: no wildcard stands for it. */
bool known_names(const struct known_line *line, const char *name);

/* Whether its key is this blob. */
bool known_is_key(const struct known_line *line, struct span blob);

/* Whether the line's name is hashed. */
bool known_is_hashed(const struct known_line *line);

/*
 * A line, with its newline, for the name and the blob's key; with hashed the
 * name is hidden behind a salted hash. Owned. -EBADMSG: not a blob. -ENOMEM.
 */
int known_format(
    const char *name, struct span blob, bool hashed, char **out_line);

#endif

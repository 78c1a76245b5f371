/*
 * One line of authorized_keys: sshd(8), AUTHORIZED_KEYS FILE FORMAT. Runs in
 * the monitor; the file is the user's, its content is hostile. What cannot be
 * understood to its last byte lets nobody in.
 */
#ifndef COMMON_AUTHKEYS_H
#define COMMON_AUTHKEYS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/key.h"
#include "common/wire.h"

#define AUTHKEYS_LINE_MAX 16384 /* without the newline */
#define AUTHKEYS_LIST_MAX 512   /* members of each list of a line */
#define AUTHKEYS_WHY_MAX 128    /* text of an error, with its NUL */
#define AUTHKEYS_TUNNEL_ANY (-1)

/* What a key lets its user do. restrict begins with none of them. */
enum authkeys_grant {
	GRANT_PTY = 1 << 0,
	GRANT_PORT_FWD = 1 << 1,
	GRANT_AGENT_FWD = 1 << 2,
	GRANT_X11_FWD = 1 << 3,
	GRANT_USER_RC = 1 << 4,
};
#define GRANT_DEFAULT \
	(GRANT_PTY | GRANT_PORT_FWD | GRANT_AGENT_FWD | GRANT_X11_FWD | \
	    GRANT_USER_RC)

/* permitopen= or permitlisten=: host may be "*" (permitlisten: a pattern). */
struct authkeys_permit {
	char *host;    /* without brackets; "*" for a bare permitlisten port */
	uint16_t port; /* 0: any */
};

struct authkeys_permits {
	struct authkeys_permit *v;
	size_t n; /* 0: the option was not given, all is permitted */
};

/* Options of a line; strings are owned, NULL when not given. */
struct authkeys_opts {
	uint32_t grants; /* of enum authkeys_grant */
	bool restricted;
	bool cert_authority;
	bool no_touch_required;
	bool verify_required;
	bool has_expiry;
	time_t expiry; /* the key is good while now < expiry */
	int tunnel;    /* unit, or AUTHKEYS_TUNNEL_ANY */
	char *command;
	char *from;       /* a list for pattern_peer_match(), already checked */
	char *principals; /* comma-separated, never empty */
	char **environment; /* "NAME=value", each name once */
	size_t nenvironment;
	struct authkeys_permits permitopen;
	struct authkeys_permits permitlisten;
};

struct authkeys_line {
	struct key *key; /* NULL: blank line or comment */
	struct authkeys_opts opts;
	char *comment; /* may be empty; NULL with key */
};

/*
 * Read one line without its newline. rsa_bits_min as in key_parse_blob(). 0:
 * *out_line owns a key and its options, release with authkeys_line_done(), or
 * its key is NULL and there is nothing to do. Else the line admits nobody and
 * why (printable ASCII) says what was wrong in it: -EACCES: an option or a key
 * type that we do not know; -EBADMSG: malformed; -EDQUOT: an option twice;
 * -EKEYREJECTED, -ENOTSUP: as key_parse_blob(); -EMSGSIZE: a limit above;
 * -ENOMEM.
 */
int authkeys_parse_line(struct span line, unsigned rsa_bits_min,
    char why[AUTHKEYS_WHY_MAX], struct authkeys_line *out_line);

/*
 * Read only an option list, up to the first unquoted white space or the end:
 * for authorized principals files. *out_len is how many bytes it took.
 * Release with authkeys_opts_done(). Errors as above.
 */
int authkeys_parse_opts(struct span text, char why[AUTHKEYS_WHY_MAX],
    struct authkeys_opts *out_opts, size_t *out_len);

/* Options that restrict nothing, as of a login without a key. */
#define AUTHKEYS_OPTS_ALL \
	{ \
		.grants = GRANT_DEFAULT, .no_touch_required = true, \
		.tunnel = AUTHKEYS_TUNNEL_ANY \
	}

/*
 * Narrow opts to what more permits too; of lists, and of variables, those of
 * opts count if it has any, as in OpenSSH. more is used up. 0, or -EACCES: two
 * forced commands that differ, so that nothing may be run at all.
 */
int authkeys_merge(struct authkeys_opts *opts, struct authkeys_opts *more);

/* Release what a line or options own. Safe on zeroed ones, and twice. */
void authkeys_line_done(struct authkeys_line *line);
void authkeys_opts_done(struct authkeys_opts *opts);

/*
 * YYYYMMDD[HHMM[SS]][Z]: local time, or UTC with Z (or UTC), as ssh-keygen(1)
 * and sshd(8) expiry-time write it. Impossible dates give -EBADMSG.
 */
int authkeys_parse_time(struct span text, time_t *out_time);

#endif

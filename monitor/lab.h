/*
 * What omniedge-ssh-server(1) adds to a configuration: things that hold for a
 * connection and that sshd_config(5) has no word for. The program makes them of
 * its arguments and hands them, sealed, to each sshd-monitor, which decides by
 * them. sshd has none: conn.lab is NULL there.
 */
#ifndef MONITOR_LAB_H
#define MONITOR_LAB_H

#include <stdbool.h>

#include "common/wire.h"
#include "monitor/account.h"

#define LAB_PAIRS_MAX 1024 /* of a user map */
#define LAB_TEXT_MAX 1024  /* bytes of any text in it */
#define LAB_ANY "*"        /* in a pair: every name that has no pair */
#define LAB_SAME "="       /* in a pair: the name itself */

/* Who logs in as `from` is served as the account `to`. */
struct lab_pair {
	char *from;
	char *to;
};

struct lab {
	struct lab_pair *map; /* owned, as are the texts; each may be NULL */
	size_t nmap;
	char *default_user; /* for names that have no pair */
	char *only_user;    /* not as root: the one account that is served */
	char *hash;         /* crypt(5): opens every account, and no other
			       password does; NULL: accounts' own */
	bool one_time;      /* hash opens once: conn.once_fd is asked */
	bool auth_none;     /* nothing has to be proved */
	bool read_only;     /* sessions may change nothing (readonly.h) */
	unsigned handshake_seconds; /* to the end of the key exchange; 0: no
				       limit */
	bool json;                  /* how the log looks: log.h */
	char *mark;
	char *device;
};

/* Add a pair, which is copied. 0, -EDQUOT or -ENOMEM. */
int lab_add_pair(struct lab *lab, const char *from, const char *to);

/*
 * The account that a client's name stands for: its pair, else that of LAB_ANY,
 * else default_user, else the name itself. Borrows from lab or name.
 */
const char *lab_local_name(const struct lab *lab, const char *name);

/*
 * Whether the account may be served to who calls himself name. 0, or -EACCES
 * and why: root if no pair and no default names it, or if nothing was proved
 * or sessions are read-only; an account other than only_user.
 */
int may_use_lab(const struct lab *lab, const char *name,
    const struct account *a, const char **out_why);

/* All of it as bytes for a process of this build; secret. 0 or -ENOMEM. */
int lab_encode(const struct lab *lab, struct writer *w);
/* -EBADMSG when the bytes are not what lab_encode() wrote; -ENOMEM. */
int lab_decode(struct span bytes, struct lab **out_lab);

/* Wipe and free what it owns; twice is fine. */
void lab_done(struct lab *lab);
/* The same, and the struct. NULL is fine. */
void lab_free(struct lab *lab);

#endif

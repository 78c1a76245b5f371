/*
 * Names of users and groups as the server has them, by
 * users-groups-by-id@openssh.com, for the long lines of ls.
 */
#ifndef CLIENT_SFTP_OWNER_H
#define CLIENT_SFTP_OWNER_H

#include <stddef.h>
#include <stdint.h>

#include "client/sftp_list.h"
#include "client/xfer_peer.h"

enum owner_kind {
	OWNER_USER,
	OWNER_GROUP,
	OWNER_KINDS
};

struct owner {
	uint32_t id;
	char *name; /* "" where the server has none */
};

/* What is known of a server; all zero at first, release with owners_done(). */
struct owners {
	struct owner *of[OWNER_KINDS];
	size_t n[OWNER_KINDS];
};

#define OWNER_NUMBER_MAX 12

/* Ask for those of the entries that are not known. Without the extension, or
 * when the server does not answer it well, there are only numbers. */
void owners_learn(struct owners *o, struct peer *p, const struct list *l);

/* The name, or the number written into buf. It is the server's text. */
const char *owners_name(const struct owners *o, enum owner_kind kind,
    uint32_t id, char buf[OWNER_NUMBER_MAX]);

/* Free; what is known is forgotten. */
void owners_done(struct owners *o);

#endif

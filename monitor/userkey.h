/*
 * A key that somebody wants to log in with: plain, or certified by an
 * authority whose signature was found good. Nothing says yet that it may.
 */
#ifndef MONITOR_USERKEY_H
#define MONITOR_USERKEY_H

#include "common/cert.h"
#include "common/key.h"
#include "common/option.h"

struct userkey {
	const struct key *key; /* the plain or the certified one; borrowed */
	struct key *plain;     /* owned; NULL with a certificate */
	struct cert *cert;     /* owned; NULL: plain */
	char *print;           /* fingerprint of key, as configured; owned */
};

/*
 * Read what a client offered. 0: release with userkey_done(). -EBADMSG,
 * -ENOTSUP; -EKEYREJECTED: well formed, but too short or unsafe, or the
 * authority's signature is not good or by no algorithm of
 * CASignatureAlgorithms; -ENOMEM.
 */
int userkey_read(
    struct span blob, const struct options *o, struct userkey *out_key);
void userkey_done(struct userkey *k);

/* The bytes that the client offered; borrowed. */
struct span userkey_blob(const struct userkey *k);

/* Its type as in the blob, "ssh-ed25519-cert-v01@openssh.com". */
const char *userkey_type(const struct userkey *k);

/*
 * Owned text for the log: "ED25519 SHA256:..."; of a certificate also its id,
 * serial number and authority, as OpenSSH writes them. NULL: no memory.
 */
char *userkey_describe(const struct userkey *k, const struct options *o);

#endif

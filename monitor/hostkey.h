/*
 * The server's host keys: loading with OpenSSH's checks, handing them to each
 * monitor, signing with them. Private halves live in sshd and sshd-monitor and
 * nowhere else.
 */
#ifndef MONITOR_HOSTKEY_H
#define MONITOR_HOSTKEY_H

#include "common/key.h"

#define HOSTKEY_KINDS 3 /* ed25519, ecdsa, rsa: one of each, libssh's slots */
#define HOSTKEY_SALT_LEN 32 /* bytes */
#define HOSTKEY_WHY_MAX 512 /* of a sentence about a file */

struct hostkey {
	struct writer blob; /* public, RFC 4253 section 6.6; empty: no key */
	struct writer file; /* the private key file as it was read */
	struct key *key;    /* made of it when it is first needed */
};

struct hostkeys {
	struct hostkey slot[HOSTKEY_KINDS];
	/* Secret of this host, for what must differ from host to host. */
	uint8_t salt[HOSTKEY_SALT_LEN];
};

/*
 * Read a private key file into its slot; a slot that is taken keeps its key.
 * The file must be root's (or ours) and closed to others, as ssh-keygen(1)
 * makes it. 0, or why has a sentence that names the file and what to do;
 * -EEXIST: the slot was taken.
 */
int hostkeys_load(
    struct hostkeys *keys, const char *path, char why[HOSTKEY_WHY_MAX]);

/* Whether there is any. */
bool hostkeys_any(const struct hostkeys *keys);

/* The key of a slot, borrowed; NULL if there is none or memory ran out. */
const struct key *hostkeys_private(struct hostkeys *keys, size_t slot);

/* All of them as bytes for a process of this build; secret. 0 or -ENOMEM. */
int hostkeys_encode(const struct hostkeys *keys, struct writer *w);
/* Into a zeroed *out_keys. -EBADMSG or -ENOMEM; done() it in any case. */
int hostkeys_decode(struct span bytes, struct hostkeys *out_keys);

/* Wipe and free; twice is fine. */
void hostkeys_done(struct hostkeys *keys);

#endif

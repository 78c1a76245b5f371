/*
 * Logging in with a key (RFC 4252 section 7): is the key one of the user's,
 * and is the signature by it, over this connection and nothing else?
 */
#ifndef MONITOR_KEYAUTH_H
#define MONITOR_KEYAUTH_H

#include "monitor/conn.h"

/* Signature algorithms that a login may have at all. */
#define KEYAUTH_AVAILABLE \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," \
	"ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com," \
	"sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"

/*
 * Whether a signature by the key would be accepted. *out_info describes it for
 * the log ("ED25519 SHA256:..."), also when the answer is no; owned, may stay
 * NULL. 0, -EKEYREJECTED, or -ENOKEY.
 */
int keyauth_query(struct conn *c, struct span key, char **out_info);

/*
 * Verify, and find the options that the key's line gives. 0: *out_opts is the
 * caller's. Else nobody logs in: -EBADMSG, -EKEYREJECTED, -ENOKEY, -EACCES.
 */
int keyauth_verify(struct conn *c, const struct msg_auth_signature *q,
    struct authkeys_opts *out_opts, char **out_info);

#endif

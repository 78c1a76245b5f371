/*
 * Logging in with a key (RFC 4252 section 7): is the key one of the user's,
 * and is the signature by it, over this connection and nothing else?
 */
#ifndef MONITOR_KEYAUTH_H
#define MONITOR_KEYAUTH_H

#include "common/option_algs.h"
#include "monitor/conn.h"

/* Signature algorithms that a login may have at all. */
#define KEYAUTH_AVAILABLE OPTION_DEFAULT_PUBKEY_ALGS

/*
 * Whether a signature by the key would be accepted. *out_info describes it for
 * the log ("ED25519 SHA256:..."), also when the answer is no; owned, may stay
 * NULL. 0, -EKEYREJECTED, or -ENOKEY.
 */
int keyauth_query(struct conn *c, struct span key, char **out_info);

/* Of a key: both owned, and NULL where there is nothing to say. */
struct keyauth_say {
	char *info; /* as keyauth_query() */
	char *line; /* "publickey TYPE BASE64", for ExposeAuthInfo */
};

/*
 * Verify, and find the options that the key's line and its certificate give.
 * 0: *out_opts is the caller's, and the key cannot be used again on this
 * connection. Else nobody logs in: -EBADMSG, -EKEYREJECTED, -EKEYREVOKED,
 * -ENOKEY, -EACCES, -ENOMEM. *out_say may be filled in then too.
 */
int keyauth_verify(struct conn *c, const struct msg_auth_signature *q,
    struct authkeys_opts *out_opts, struct keyauth_say *out_say);

/*
 * What PubkeyAcceptedAlgorithms means for signatures, a certificate's among
 * the plain ones: the list that clients are told. Owned. 0, -EBADMSG, -ENOMEM.
 */
int keyauth_signatures(const struct options *o, char **out_list);

#endif

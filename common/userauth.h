/*
 * The bytes that a user's key signs to log in: RFC 4252 section 7, and the
 * host-bound form of OpenSSH's PROTOCOL. The monitor reads them as they come
 * from its hostile network process, and builds them anew where only a hash of
 * them was signed (security keys).
 */
#ifndef COMMON_USERAUTH_H
#define COMMON_USERAUTH_H

#include "common/key.h"
#include "common/wire.h"

#define USERAUTH_BLOB_MAX 32768
#define USERAUTH_SESSION_ID_MAX 64 /* the longest hash of a key exchange */
#define USERAUTH_SESSION_ID_MIN 32
#define USERAUTH_NAME_MAX 256  /* user and service names, in bytes */
#define USERAUTH_KEY_MAX 16384 /* a key or certificate */

/* Spans borrow from what was parsed. */
struct userauth_blob {
	struct span session_id;
	struct span user; /* may hold any byte: compare, never print raw */
	struct span service;
	struct span alg_name; /* as the client wrote it */
	struct span key;      /* public key or certificate blob */
	bool hostbound;       /* publickey-hostbound-v00@openssh.com */
	struct span host_key; /* only then */
	/* Out of the tables, consistent with each other: */
	const struct key_alg *alg;
	const struct key_kind *kind; /* of the key, or of the certified key */
	bool cert;
};

/*
 * Read the signed bytes to the last one and check that the algorithm belongs
 * to the type named in the key blob, a certificate's to a certificate. It says
 * nothing about whose session, user, service or key it is: compare all four.
 * -EBADMSG: malformed; -EKEYREJECTED: an algorithm that we do not accept or
 * that is not the key's; -EMSGSIZE.
 */
int userauth_parse(struct span signed_bytes, struct userauth_blob *out_blob);

/*
 * Append the bytes that userauth_parse() reads, from the spans and hostbound;
 * alg, kind and cert are not looked at. 0 or -ENOMEM.
 */
int userauth_build(const struct userauth_blob *blob, struct writer *out);

#endif

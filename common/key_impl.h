/*
 * What the files of key.h share: the key itself and the few steps between a
 * blob and libcrypto. No other file includes this.
 */
#ifndef COMMON_KEY_IMPL_H
#define COMMON_KEY_IMPL_H

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "common/key.h"
#include "common/wire.h"

#define KEY_ED25519_LEN 32
#define KEY_NAME_MAX 64   /* of key types and algorithms */
#define KEY_CURVE_MAX 16  /* "nistp521" */
#define KEY_POINT_MAX 133 /* P-521, uncompressed */

struct key {
	enum key_type type;
	EVP_PKEY *pkey;
	struct writer blob;      /* the public blob */
	struct span application; /* within blob */
	bool is_private;
};

/* Facts of a curve; NULL for types without one. */
struct key_curve {
	enum key_type type;
	const char *name;  /* RFC 5656 */
	const char *group; /* libcrypto's */
	size_t point_len;  /* uncompressed */
};
const struct key_curve *key_curve_of(enum key_type type);

/* For AUTO(). */
void key_bn_done(BIGNUM **bn);
void key_pkey_done(EVP_PKEY **pkey);
void key_pkey_ctx_done(EVP_PKEY_CTX **ctx);
void key_md_ctx_done(EVP_MD_CTX **ctx);
void key_param_bld_done(OSSL_PARAM_BLD **bld);

/*
 * A non-negative, minimal mpint (RFC 4251 section 5) of at most max bytes as
 * a number whose memory libcrypto wipes; the caller frees it with
 * BN_clear_free(). -EBADMSG or -ENOMEM.
 */
int key_read_mpint(struct reader *r, size_t max, BIGNUM **out_bn);
void key_write_mpint(struct writer *w, const BIGNUM *bn);

/*
 * The EVP_PKEY that the parameters describe. -EKEYREJECTED when libcrypto
 * does not take them.
 */
int key_import(const char *algorithm, OSSL_PARAM_BLD *bld, EVP_PKEY **out_pkey);

/* The parameters of a point on a curve; false: out of memory. */
bool key_push_curve(
    OSSL_PARAM_BLD *bld, const struct key_curve *curve, struct span point);

/*
 * Read the public fields behind the type name, as blobs and certificates have
 * them, and append the plain public blob. Errors as key_parse_blob().
 */
int key_read_public(struct reader *r, enum key_type type, unsigned rsa_bits_min,
    struct key **out_key);

/*
 * Give a key read from a public blob its private half, and prove with one
 * signature that they belong together. *pkey is taken (and NULL) on success.
 * -EKEYREJECTED, -ENOMEM.
 */
int key_adopt_private(struct key *key, EVP_PKEY **pkey);

/* The openssh-key-v1 part of key_load_private() and key_needs_passphrase(). */
bool key_openssh_is(struct span file);
int key_openssh_load(
    struct span file, unsigned rsa_bits_min, struct key **out_key);
bool key_openssh_is_encrypted(struct span file);

/* libcrypto's digest; NULL for KEY_DIGEST_NONE. */
const EVP_MD *key_digest_md(enum key_digest digest);

#endif

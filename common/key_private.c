/*
 * Private keys: loading by form, PEM and PKCS#8, and signing. Runs where the
 * keys are: in sshd at start, in the monitor (root) and in the client. Files
 * are the administrator's or the user's, and may still be wrong.
 */
#include "config.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/err.h"
#include "common/key.h"
#include "common/key_impl.h"
#include "common/own.h"

#define PROOF "these two halves belong together"

static const struct {
	enum key_digest digest;
	const EVP_MD *(*md)(void);
} digests[] = {
	{ KEY_DIGEST_SHA256, EVP_sha256 },
	{ KEY_DIGEST_SHA384, EVP_sha384 },
	{ KEY_DIGEST_SHA512, EVP_sha512 },
};

const EVP_MD *
key_digest_md(enum key_digest digest)
{
	for (size_t i = 0; i < nitems_of(digests); i++)
		if (digests[i].digest == digest)
			return digests[i].md();
	return NULL;
}

static int
sign_with(EVP_PKEY *pkey, enum key_digest digest, struct span data,
    struct writer *out)
{
	AUTO(key_md_ctx_done) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[KEY_SIG_MAX];
	size_t len = sizeof(sig);

	if (ctx == NULL)
		return -ENOMEM;
	if (EVP_DigestSignInit(ctx, NULL, key_digest_md(digest), NULL, pkey) !=
		1 ||
	    EVP_DigestSign(ctx, sig, &len, data.p, data.len) != 1) {
		ERR_clear_error();
		return -EIO;
	}
	writer_bytes(out, sig, len);
	return writer_end(out);
}

int
key_sign_raw(const struct key *key, enum key_digest digest, struct span data,
    struct writer *out)
{
	const struct key_alg *alg = key_alg_with(key->type, digest);

	if (digest == KEY_DIGEST_NONE && key->type != KEY_RSA)
		alg = key_alg_of(key->type);
	if (alg == NULL)
		return -EINVAL;
	if (!key->is_private)
		return -ENOKEY;
	return sign_with(key->pkey, alg->digest, data, out);
}

int
key_adopt_private(struct key *key, EVP_PKEY **pkey)
{
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	const struct key_alg *alg = key_alg_of(key->type);
	struct span proof = span_of(PROOF, sizeof(PROOF) - 1);
	int e;

	if (EVP_PKEY_eq(*pkey, key->pkey) != 1)
		return -EKEYREJECTED;
	e = sign_with(*pkey, alg->digest, proof, &sig);
	if (e == 0)
		e = key_verify_raw(key, alg, span_of(sig.p, sig.len), proof);
	if (e != 0)
		return e == -EIO ? -EKEYREJECTED : e;
	EVP_PKEY_free(key->pkey);
	key->pkey = take_ptr(pkey);
	key->is_private = true;
	return 0;
}

/* The first type whose curve libcrypto calls so. */
static int
type_of_group(const char *group, enum key_type *out_type)
{
	static const struct {
		const char *group;
		enum key_type type;
	} names[] = {
		{ "prime256v1", KEY_ECDSA_P256 },
		{ "secp384r1", KEY_ECDSA_P384 },
		{ "secp521r1", KEY_ECDSA_P521 },
	};

	for (size_t i = 0; i < nitems_of(names); i++) {
		if (strcmp(group, names[i].group) != 0)
			continue;
		*out_type = names[i].type;
		return 0;
	}
	return -ENOTSUP;
}

static int
put_ed25519(const EVP_PKEY *pkey, struct writer *w)
{
	uint8_t pub[KEY_ED25519_LEN];
	size_t len = sizeof(pub);

	if (EVP_PKEY_get_raw_public_key(pkey, pub, &len) != 1)
		return -EBADMSG;
	writer_cstring(w, key_kinds[KEY_ED25519].name);
	writer_string(w, pub, len);
	return writer_end(w);
}

static int
put_rsa(const EVP_PKEY *pkey, struct writer *w)
{
	AUTO(key_bn_done) BIGNUM *n = NULL;
	AUTO(key_bn_done) BIGNUM *e = NULL;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
		return -EBADMSG;
	if (BN_num_bits(n) > KEY_RSA_BITS_MAX ||
	    BN_num_bits(e) > KEY_RSA_BITS_MAX)
		return -EKEYREJECTED;
	writer_cstring(w, key_kinds[KEY_RSA].name);
	key_write_mpint(w, e);
	key_write_mpint(w, n);
	return writer_end(w);
}

static int
put_ecdsa(const EVP_PKEY *pkey, struct writer *w)
{
	AUTO(key_bn_done) BIGNUM *x = NULL;
	AUTO(key_bn_done) BIGNUM *y = NULL;
	uint8_t point[KEY_POINT_MAX] = { 4 };
	char group[32];
	enum key_type type;
	int half;

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 ||
	    type_of_group(group, &type) != 0)
		return -ENOTSUP;
	half = (int)(key_curve_of(type)->point_len / 2);
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) != 1 ||
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) != 1 ||
	    BN_bn2binpad(x, point + 1, half) != half ||
	    BN_bn2binpad(y, point + 1 + half, half) != half)
		return -EBADMSG;
	writer_cstring(w, key_kinds[type].name);
	writer_cstring(w, key_kinds[type].curve);
	writer_string(w, point, key_curve_of(type)->point_len);
	return writer_end(w);
}

static int
put_blob(const EVP_PKEY *pkey, struct writer *w)
{
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_ED25519:
		return put_ed25519(pkey, w);
	case EVP_PKEY_RSA:
		return put_rsa(pkey, w);
	case EVP_PKEY_EC:
		return put_ecdsa(pkey, w);
	default:
		return -ENOTSUP;
	}
}

static void
bio_done(BIO **bio)
{
	BIO_free(*bio);
}

/* Without this libcrypto would ask on the terminal. */
static int
no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)u;
	return -1;
}

static int
load_pem(struct span file, unsigned rsa_bits_min, struct key **out_key)
{
	AUTO(bio_done) BIO *bio = BIO_new_mem_buf(file.p, (int)file.len);
	AUTO(key_pkey_done) EVP_PKEY *pkey = NULL;
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;
	int e;

	if (bio == NULL) /* of nothing, there is none */
		return file.len == 0 ? -EBADMSG : -ENOMEM;
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	ERR_clear_error();
	if (pkey == NULL)
		return -EBADMSG;
	e = put_blob(pkey, &blob);
	if (e == 0)
		e = key_parse_blob(
		    span_of(blob.p, blob.len), rsa_bits_min, &key);
	if (e == 0)
		e = key_adopt_private(key, &pkey);
	if (e != 0)
		return e;
	*out_key = take_ptr(&key);
	return 0;
}

static bool
holds(struct span file, const char *text)
{
	return file.len != 0 &&
	       memmem(file.p, file.len, text, strlen(text)) != NULL;
}

bool
key_needs_passphrase(struct span file)
{
	if (file.len > KEY_FILE_MAX)
		return false;
	if (key_openssh_is(file))
		return key_openssh_is_encrypted(file);
	return holds(file, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
	       (holds(file, " PRIVATE KEY-----") &&
		   holds(file, "\nProc-Type: 4,ENCRYPTED"));
}

int
key_load_private(struct span file, unsigned rsa_bits_min, struct key **out_key)
{
	if (file.len > KEY_FILE_MAX)
		return -EMSGSIZE;
	if (key_needs_passphrase(file))
		return -EKEYREJECTED;
	if (key_openssh_is(file))
		return key_openssh_load(file, rsa_bits_min, out_key);
	return load_pem(file, rsa_bits_min, out_key);
}

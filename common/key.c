/*
 * The tables of key types and signature algorithms, and the facts of a key.
 * Runs in every program that handles keys; the names it looks up are hostile.
 */
#include "config.h"

#include "common/key.h"
#include "common/key_impl.h"
#include "common/own.h"

const struct key_kind key_kinds[KEY_TYPE_COUNT] = {
	[KEY_ED25519] = { KEY_ED25519, "ssh-ed25519",
	    "ssh-ed25519-cert-v01@openssh.com", "ED25519", NULL, false },
	[KEY_ECDSA_P256] = { KEY_ECDSA_P256, "ecdsa-sha2-nistp256",
	    "ecdsa-sha2-nistp256-cert-v01@openssh.com", "ECDSA", "nistp256",
	    false },
	[KEY_ECDSA_P384] = { KEY_ECDSA_P384, "ecdsa-sha2-nistp384",
	    "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ECDSA", "nistp384",
	    false },
	[KEY_ECDSA_P521] = { KEY_ECDSA_P521, "ecdsa-sha2-nistp521",
	    "ecdsa-sha2-nistp521-cert-v01@openssh.com", "ECDSA", "nistp521",
	    false },
	[KEY_RSA] = { KEY_RSA, "ssh-rsa", "ssh-rsa-cert-v01@openssh.com", "RSA",
	    NULL, false },
	[KEY_SK_ED25519] = { KEY_SK_ED25519, "sk-ssh-ed25519@openssh.com",
	    "sk-ssh-ed25519-cert-v01@openssh.com", "ED25519-SK", NULL, true },
	[KEY_SK_ECDSA] = { KEY_SK_ECDSA, "sk-ecdsa-sha2-nistp256@openssh.com",
	    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "ECDSA-SK",
	    "nistp256", true },
};

const struct key_alg key_algs[] = {
	{ "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", KEY_ED25519,
	    KEY_DIGEST_NONE },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
	    KEY_ECDSA_P256, KEY_DIGEST_SHA256 },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com",
	    KEY_ECDSA_P384, KEY_DIGEST_SHA384 },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
	    KEY_ECDSA_P521, KEY_DIGEST_SHA512 },
	{ "rsa-sha2-512", "rsa-sha2-512-cert-v01@openssh.com", KEY_RSA,
	    KEY_DIGEST_SHA512 },
	{ "rsa-sha2-256", "rsa-sha2-256-cert-v01@openssh.com", KEY_RSA,
	    KEY_DIGEST_SHA256 },
	{ "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com",
	    KEY_SK_ED25519, KEY_DIGEST_NONE },
	{ "sk-ecdsa-sha2-nistp256@openssh.com",
	    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", KEY_SK_ECDSA,
	    KEY_DIGEST_SHA256 },
};
const size_t key_nalgs = nitems_of(key_algs);

static const struct key_curve curves[] = {
	{ KEY_ECDSA_P256, "nistp256", "P-256", 65 },
	{ KEY_ECDSA_P384, "nistp384", "P-384", 97 },
	{ KEY_ECDSA_P521, "nistp521", "P-521", KEY_POINT_MAX },
	{ KEY_SK_ECDSA, "nistp256", "P-256", 65 },
};

const struct key_kind *
key_kind_named(struct span name, bool *out_cert)
{
	for (size_t i = 0; i < KEY_TYPE_COUNT; i++) {
		bool cert = span_is(name, key_kinds[i].cert_name);

		if (!cert && !span_is(name, key_kinds[i].name))
			continue;
		*out_cert = cert;
		return &key_kinds[i];
	}
	return NULL;
}

const struct key_alg *
key_alg_named(struct span name, bool *out_cert)
{
	for (size_t i = 0; i < key_nalgs; i++) {
		bool cert = span_is(name, key_algs[i].cert_name);

		if (!cert && !span_is(name, key_algs[i].name))
			continue;
		*out_cert = cert;
		return &key_algs[i];
	}
	return NULL;
}

const struct key_alg *
key_alg_of(enum key_type type)
{
	for (size_t i = 0; i < key_nalgs; i++)
		if (key_algs[i].type == type)
			return &key_algs[i];
	return NULL;
}

const struct key_alg *
key_alg_with(enum key_type type, enum key_digest digest)
{
	for (size_t i = 0; i < key_nalgs; i++)
		if (key_algs[i].type == type && key_algs[i].digest == digest)
			return &key_algs[i];
	return NULL;
}

const struct key_curve *
key_curve_of(enum key_type type)
{
	for (size_t i = 0; i < nitems_of(curves); i++)
		if (curves[i].type == type)
			return &curves[i];
	return NULL;
}

void
key_bn_done(BIGNUM **bn)
{
	BN_clear_free(*bn);
}

void
key_pkey_done(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

void
key_pkey_ctx_done(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

void
key_md_ctx_done(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

void
key_param_bld_done(OSSL_PARAM_BLD **bld)
{
	OSSL_PARAM_BLD_free(*bld);
}

void
key_free(struct key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	writer_done(&key->blob);
	free(key);
}

void
key_done(struct key **key)
{
	key_free(*key);
	*key = NULL;
}

enum key_type
key_type(const struct key *key)
{
	return key->type;
}

const struct key_kind *
key_kind(const struct key *key)
{
	return &key_kinds[key->type];
}

struct span
key_blob(const struct key *key)
{
	return span_of(key->blob.p, key->blob.len);
}

unsigned
key_bits(const struct key *key)
{
	/* libcrypto says 253 for Ed25519, everybody else 256. */
	if (key->type == KEY_ED25519 || key->type == KEY_SK_ED25519)
		return 256;
	return (unsigned)EVP_PKEY_get_bits(key->pkey);
}

struct evp_pkey_st *
key_evp(const struct key *key)
{
	return key->pkey;
}

bool
key_equal(const struct key *a, const struct key *b)
{
	return span_eq(key_blob(a), key_blob(b));
}

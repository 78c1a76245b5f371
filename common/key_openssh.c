/*
 * The private key file of OpenSSH's PROTOCOL.key, "openssh-key-v1", as far as
 * it has no cipher. Runs in sshd and the monitor (root) on files that may be
 * wrong; all buffers that held a private part are wiped.
 */
#include "config.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/key.h"
#include "common/key_impl.h"
#include "common/own.h"

#define MARK_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define MARK_END "-----END OPENSSH PRIVATE KEY-----"
#define MAGIC "openssh-key-v1" /* with its NUL */
#define BLOCK_LEN 8            /* of cipher "none" */
#define COMMENT_MAX 1024

bool
key_openssh_is(struct span file)
{
	return file.len >= sizeof(MARK_BEGIN) - 1 &&
	       memcmp(file.p, MARK_BEGIN, sizeof(MARK_BEGIN) - 1) == 0;
}

/* Characters that may stand around and in the base64 text. */
static bool
is_break(uint8_t c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* The bytes between the two marks; nothing but white space may follow. */
static int
armor_open(struct span file, struct writer *out)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	const uint8_t *p = file.p + sizeof(MARK_BEGIN) - 1;
	const uint8_t *file_end = file.p + file.len;
	const uint8_t *end =
	    memmem(p, (size_t)(file_end - p), MARK_END, sizeof(MARK_END) - 1);

	if (end == NULL)
		return -EBADMSG;
	for (; p < end; p++)
		if (!is_break(*p))
			writer_u8(&text, *p);
	for (p = end + sizeof(MARK_END) - 1; p < file_end; p++)
		if (!is_break(*p))
			return -EBADMSG;
	if (text.failed)
		return -ENOMEM;
	return base64_decode(span_of(text.p, text.len), out);
}

/* What stands before the (perhaps encrypted) private part. */
struct envelope {
	struct span cipher;
	struct span pub;
	struct span private;
};

static int
envelope_read(const struct writer *bytes, struct envelope *out_env)
{
	struct envelope env;
	struct reader r;
	struct span magic, kdf, kdf_options;
	uint32_t nkeys;

	reader_init(&r, bytes->p, bytes->len);
	magic = reader_bytes(&r, sizeof(MAGIC));
	env.cipher = reader_string(&r, KEY_NAME_MAX);
	kdf = reader_string(&r, KEY_NAME_MAX);
	kdf_options = reader_string(&r, KEY_NAME_MAX);
	nkeys = reader_u32(&r);
	env.pub = reader_string(&r, KEY_BLOB_MAX);
	env.private = reader_string(&r, KEY_FILE_MAX);
	if (r.failed || !span_eq(magic, span_of(MAGIC, sizeof(MAGIC))) ||
	    nkeys != 1)
		return -EBADMSG;
	if (span_is(env.cipher, "none") &&
	    (reader_end(&r) != 0 || !span_is(kdf, "none") ||
		kdf_options.len != 0))
		return -EBADMSG;
	*out_env = env;
	return 0;
}

bool
key_openssh_is_encrypted(struct span file)
{
	AUTO(writer_done) struct writer bytes = WRITER_INIT;
	struct envelope env;

	return armor_open(file, &bytes) == 0 &&
	       envelope_read(&bytes, &env) == 0 && !span_is(env.cipher, "none");
}

/* Ed25519: the public half, then seed and public half in one string. */
static int
read_ed25519(struct reader *r, const struct key *pub, EVP_PKEY **out_pkey)
{
	struct span outer = reader_string(r, KEY_ED25519_LEN);
	struct span both = reader_string(r, 2 * KEY_ED25519_LEN);
	uint8_t derived[KEY_ED25519_LEN];
	size_t len = sizeof(derived);
	AUTO(key_pkey_done) EVP_PKEY *pkey = NULL;

	(void)pub;
	if (r->failed || outer.len != KEY_ED25519_LEN ||
	    both.len != 2 * KEY_ED25519_LEN)
		return -EBADMSG;
	pkey = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, both.p, KEY_ED25519_LEN);
	if (pkey == NULL)
		return -ENOMEM;
	if (EVP_PKEY_get_raw_public_key(pkey, derived, &len) != 1 ||
	    memcmp(derived, both.p + KEY_ED25519_LEN, len) != 0 ||
	    memcmp(derived, outer.p, len) != 0)
		return -EKEYREJECTED;
	*out_pkey = take_ptr(&pkey);
	return 0;
}

static int
read_ecdsa(struct reader *r, const struct key *pub, EVP_PKEY **out_pkey)
{
	AUTO(key_param_bld_done) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	AUTO(key_bn_done) BIGNUM *d = NULL;
	const struct key_curve *curve = key_curve_of(pub->type);
	struct span name = reader_string(r, KEY_CURVE_MAX);
	struct span point = reader_string(r, KEY_POINT_MAX);
	int e = key_read_mpint(r, KEY_POINT_MAX, &d);

	if (e != 0)
		return e;
	if (!span_is(name, curve->name))
		return -EBADMSG;
	if (bld == NULL || !key_push_curve(bld, curve, point) ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1)
		return -ENOMEM;
	return key_import("EC", bld, out_pkey);
}

/* The numbers of an RSA key, in the order of the file, then two derived. */
enum rsa_part {
	RSA_N,
	RSA_E,
	RSA_D,
	RSA_IQMP,
	RSA_P,
	RSA_Q,
	RSA_DP,
	RSA_DQ
};
#define RSA_NREAD (RSA_Q + 1)
#define RSA_NPARTS (RSA_DQ + 1)

static const char *const rsa_names[RSA_NPARTS] = {
	[RSA_N] = OSSL_PKEY_PARAM_RSA_N,
	[RSA_E] = OSSL_PKEY_PARAM_RSA_E,
	[RSA_D] = OSSL_PKEY_PARAM_RSA_D,
	[RSA_IQMP] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	[RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
	[RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
	[RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
	[RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
};

struct rsa_parts {
	BIGNUM *bn[RSA_NPARTS];
};

static void
rsa_parts_done(struct rsa_parts *parts)
{
	for (size_t i = 0; i < RSA_NPARTS; i++)
		BN_clear_free(parts->bn[i]);
}

static void
bn_ctx_done(BN_CTX **ctx)
{
	BN_CTX_free(*ctx);
}

/* d mod (prime - 1) */
static int
rsa_exponent(const BIGNUM *d, const BIGNUM *prime, BN_CTX *ctx, BIGNUM **out)
{
	AUTO(key_bn_done) BIGNUM *less = BN_secure_new();
	AUTO(key_bn_done) BIGNUM *result = BN_secure_new();

	if (less == NULL || result == NULL)
		return -ENOMEM;
	if (BN_is_zero(prime) || BN_is_one(prime))
		return -EKEYREJECTED;
	if (BN_sub(less, prime, BN_value_one()) != 1)
		return -ENOMEM;
	BN_set_flags(less, BN_FLG_CONSTTIME);
	if (BN_mod(result, d, less, ctx) != 1)
		return -ENOMEM;
	*out = take_ptr(&result);
	return 0;
}

static int
rsa_derive(struct rsa_parts *parts)
{
	AUTO(bn_ctx_done) BN_CTX *ctx = BN_CTX_secure_new();
	AUTO(key_bn_done) BIGNUM *product = BN_secure_new();
	BIGNUM **bn = parts->bn;
	int e;

	if (ctx == NULL || product == NULL)
		return -ENOMEM;
	for (size_t i = RSA_D; i < RSA_NREAD; i++)
		BN_set_flags(bn[i], BN_FLG_CONSTTIME);
	if (BN_mul(product, bn[RSA_P], bn[RSA_Q], ctx) != 1)
		return -ENOMEM;
	if (BN_cmp(product, bn[RSA_N]) != 0)
		return -EKEYREJECTED;
	e = rsa_exponent(bn[RSA_D], bn[RSA_P], ctx, &bn[RSA_DP]);
	if (e != 0)
		return e;
	return rsa_exponent(bn[RSA_D], bn[RSA_Q], ctx, &bn[RSA_DQ]);
}

static int
read_rsa(struct reader *r, const struct key *pub, EVP_PKEY **out_pkey)
{
	AUTO(rsa_parts_done) struct rsa_parts parts = { { NULL } };
	AUTO(key_param_bld_done) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	int e = bld == NULL ? -ENOMEM : 0;

	for (size_t i = 0; e == 0 && i < RSA_NREAD; i++)
		e = key_read_mpint(r, KEY_SIG_MAX + 1, &parts.bn[i]);
	if (e == 0 && BN_num_bits(parts.bn[RSA_N]) != (int)key_bits(pub))
		e = -EKEYREJECTED;
	if (e == 0)
		e = rsa_derive(&parts);
	for (size_t i = 0; e == 0 && i < RSA_NPARTS; i++)
		if (OSSL_PARAM_BLD_push_BN(bld, rsa_names[i], parts.bn[i]) != 1)
			e = -ENOMEM;
	return e != 0 ? e : key_import("RSA", bld, out_pkey);
}

static int
read_type(struct reader *r, const struct key *pub, EVP_PKEY **out_pkey)
{
	switch (pub->type) {
	case KEY_ED25519:
		return read_ed25519(r, pub, out_pkey);
	case KEY_RSA:
		return read_rsa(r, pub, out_pkey);
	default:
		return read_ecdsa(r, pub, out_pkey);
	}
}

/* Comment, then padding 1, 2, 3 … up to the block length. */
static int
read_tail(struct reader *r)
{
	uint8_t expected = 1;

	reader_string(r, COMMENT_MAX);
	if (r->failed || r->left >= BLOCK_LEN)
		return -EBADMSG;
	while (r->left > 0)
		if (reader_u8(r) != expected++)
			return -EBADMSG;
	return 0;
}

static int
read_private(struct span private, const struct key *pub, EVP_PKEY **out_pkey)
{
	AUTO(key_pkey_done) EVP_PKEY *pkey = NULL;
	struct reader r;
	struct span name;
	uint32_t check;
	int e;

	if (private.len % BLOCK_LEN != 0)
		return -EBADMSG;
	reader_init(&r, private.p, private.len);
	check = reader_u32(&r);
	if (reader_u32(&r) != check)
		return -EBADMSG;
	name = reader_string(&r, KEY_NAME_MAX);
	if (r.failed || !span_is(name, key_kinds[pub->type].name))
		return -EBADMSG;
	e = read_type(&r, pub, &pkey);
	if (e == 0)
		e = read_tail(&r);
	if (e != 0)
		return e;
	*out_pkey = take_ptr(&pkey);
	return 0;
}

int
key_openssh_load(struct span file, unsigned rsa_bits_min, struct key **out_key)
{
	AUTO(writer_done) struct writer bytes = WRITER_INIT;
	AUTO(key_pkey_done) EVP_PKEY *pkey = NULL;
	AUTO(key_done) struct key *key = NULL;
	struct envelope env;
	int e = armor_open(file, &bytes);

	if (e == 0)
		e = envelope_read(&bytes, &env);
	if (e != 0)
		return e;
	if (!span_is(env.cipher, "none"))
		return -EKEYREJECTED;
	e = key_parse_blob(env.pub, rsa_bits_min, &key);
	if (e != 0)
		return e;
	if (key_kinds[key->type].sk)
		return -ENOTSUP;
	e = read_private(env.private, key, &pkey);
	if (e == 0)
		e = key_adopt_private(key, &pkey);
	ERR_clear_error();
	if (e != 0)
		return e;
	*out_key = take_ptr(&key);
	return 0;
}

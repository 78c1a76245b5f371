/*
 * Security keys and signatures in wire form. No token is needed: the test
 * makes the private halves itself and signs what a token would, so a wrong
 * flag, counter, application or message is really seen to be refused.
 */
#include "config.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#include "common/err.h"
#include "common/key.h"
#include "common/own.h"
#include "regress/unit/tap.h"

#define TEXT "what was signed"
#define APPLICATION "ssh:"
#define COUNTER 77u

static const enum key_type types[] = { KEY_SK_ED25519, KEY_SK_ECDSA,
	KEY_ED25519, KEY_ECDSA_P256, KEY_ECDSA_P384, KEY_ECDSA_P521, KEY_RSA };
#define NSK 2
#define NTYPES ((int)nitems_of(types))

static struct span
whole(const struct writer *w)
{
	return span_of(w->p, w->len);
}

static EVP_PKEY *
generate(enum key_type type)
{
	switch (type) {
	case KEY_ED25519:
	case KEY_SK_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case KEY_ECDSA_P384:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	case KEY_ECDSA_P521:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	case KEY_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	default:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	}
}

static void
put_mpint(struct writer *w, const BIGNUM *bn)
{
	uint8_t buf[300] = { 0 };
	size_t len = (size_t)BN_num_bytes(bn);

	BN_bn2bin(bn, buf + 1);
	if (buf[1] & 0x80)
		writer_string(w, buf, len + 1);
	else
		writer_string(w, buf + 1, len);
}

static void
put_numbers(struct writer *w, EVP_PKEY *pkey)
{
	BIGNUM *e = NULL, *n = NULL;

	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e);
	EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n);
	put_mpint(w, e);
	put_mpint(w, n);
	BN_free(e);
	BN_free(n);
}

/* The public key as PROTOCOL.u2f and the RFCs write it. */
static struct key *
public_of(EVP_PKEY *pkey, enum key_type type, const char *application)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct key *key = NULL;
	uint8_t pub[200];
	size_t len = sizeof(pub);

	writer_cstring(&w, key_kinds[type].name);
	if (type == KEY_RSA) {
		put_numbers(&w, pkey);
	} else if (key_kinds[type].curve == NULL) {
		EVP_PKEY_get_raw_public_key(pkey, pub, &len);
		writer_string(&w, pub, len);
	} else {
		EVP_PKEY_get_octet_string_param(
		    pkey, OSSL_PKEY_PARAM_PUB_KEY, pub, sizeof(pub), &len);
		writer_cstring(&w, key_kinds[type].curve);
		writer_string(&w, pub, len);
	}
	if (key_kinds[type].sk)
		writer_cstring(&w, application);
	ck_assert_int_eq(key_parse_blob(whole(&w), 0, &key), 0);
	ck_assert(span_eq(whole(&w), key_blob(key)));
	return key;
}

static const EVP_MD *
digest_of(const struct key_alg *alg)
{
	switch (alg->digest) {
	case KEY_DIGEST_SHA256:
		return EVP_sha256();
	case KEY_DIGEST_SHA384:
		return EVP_sha384();
	case KEY_DIGEST_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static void
sign(EVP_PKEY *pkey, const struct key_alg *alg, struct span data,
    struct writer *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[512];
	size_t len = sizeof(sig);

	ck_assert_int_eq(
	    EVP_DigestSignInit(ctx, NULL, digest_of(alg), NULL, pkey), 1);
	ck_assert_int_eq(EVP_DigestSign(ctx, sig, &len, data.p, data.len), 1);
	writer_bytes(out, sig, len);
	EVP_MD_CTX_free(ctx);
}

/* What the token does. */
static void
token_sign(EVP_PKEY *pkey, enum key_type type, struct key_sk_say say,
    struct span message, struct writer *out)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)APPLICATION, strlen(APPLICATION), hash);
	writer_bytes(&w, hash, sizeof(hash));
	writer_u8(&w, say.flags);
	writer_u32(&w, say.counter);
	SHA256(message.p, message.len, hash);
	writer_bytes(&w, hash, sizeof(hash));
	sign(pkey, key_alg_of(type), whole(&w), out);
}

START_TEST(token)
{
	EVP_PKEY *pkey = generate(types[_i]);
	AUTO(key_done)
	struct key *key = public_of(pkey, types[_i], APPLICATION);
	AUTO(key_done) struct key *other = public_of(pkey, types[_i], "ssh");
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	struct span text = span_of(TEXT, strlen(TEXT));
	struct key_sk_say say = { KEY_SK_TOUCHED, COUNTER };

	token_sign(pkey, types[_i], say, text, &sig);
	ck_assert_int_eq(key_verify_sk(key, whole(&sig), say, text), 0);
	/* Another application is another key. */
	ck_assert(!key_equal(key, other));
	ck_assert_int_eq(
	    key_verify_sk(other, whole(&sig), say, text), -EKEYREJECTED);
	ck_assert_int_eq(key_verify_sk(key, whole(&sig), say,
			     span_of(TEXT, strlen(TEXT) - 1)),
	    -EKEYREJECTED);
	/* Every other set of flags, so touch and PIN cannot be made up. */
	for (unsigned f = 0; f < 256; f++) {
		struct key_sk_say lie = { (uint8_t)f, COUNTER };

		ck_assert_int_eq(key_verify_sk(key, whole(&sig), lie, text),
		    f == KEY_SK_TOUCHED ? 0 : -EKEYREJECTED);
	}
	say.counter++;
	ck_assert_int_eq(
	    key_verify_sk(key, whole(&sig), say, text), -EKEYREJECTED);
	EVP_PKEY_free(pkey);
}
END_TEST

/* Without touch it still is a signature: the caller sees it in the flags. */
START_TEST(token_untouched)
{
	EVP_PKEY *pkey = generate(types[_i]);
	AUTO(key_done)
	struct key *key = public_of(pkey, types[_i], APPLICATION);
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	struct span text = span_of(TEXT, strlen(TEXT));
	struct key_sk_say say = { 0, 0 };

	token_sign(pkey, types[_i], say, text, &sig);
	ck_assert_int_eq(key_verify_sk(key, whole(&sig), say, text), 0);
	say.flags = KEY_SK_TOUCHED;
	ck_assert_int_eq(
	    key_verify_sk(key, whole(&sig), say, text), -EKEYREJECTED);
	say.flags = KEY_SK_VERIFIED;
	ck_assert_int_eq(
	    key_verify_sk(key, whole(&sig), say, text), -EKEYREJECTED);
	EVP_PKEY_free(pkey);
}
END_TEST

/* A security key's plain signature over the message is no login. */
START_TEST(token_is_not_plain)
{
	EVP_PKEY *pkey = generate(types[_i]);
	AUTO(key_done)
	struct key *key = public_of(pkey, types[_i], APPLICATION);
	enum key_type plain =
	    types[_i] == KEY_SK_ED25519 ? KEY_ED25519 : KEY_ECDSA_P256;
	AUTO(key_done) struct key *twin = public_of(pkey, plain, NULL);
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	struct span text = span_of(TEXT, strlen(TEXT));
	struct key_sk_say say = { KEY_SK_TOUCHED, COUNTER };
	char *pem = NULL;

	sign(pkey, key_alg_of(plain), text, &sig);
	ck_assert_int_eq(
	    key_verify_raw(twin, key_alg_of(plain), whole(&sig), text), 0);
	for (size_t i = 0; i < key_nalgs; i++)
		ck_assert_int_eq(
		    key_verify_raw(key, &key_algs[i], whole(&sig), text),
		    -EKEYREJECTED);
	ck_assert_int_eq(
	    key_verify_sk(key, whole(&sig), say, text), -EKEYREJECTED);
	ck_assert_int_eq(
	    key_verify_sk(twin, whole(&sig), say, text), -EKEYREJECTED);
	ck_assert_int_eq(key_hollow_pem(key, &pem), -ENOTSUP);
	EVP_PKEY_free(pkey);
}
END_TEST

static const struct {
	const char *application;
	size_t len;
	int error;
} applications[] = {
	{ "", 0, 0 },
	{ "ssh:", 4, 0 },
	{ "https://example.com/\xc3\xa9", 22, 0 },
	{ "ssh:\n", 5, -EBADMSG },
	{ "ssh:\0", 5, -EBADMSG },
	{ "\x1b[2J", 4, -EBADMSG },
};

START_TEST(application)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;
	uint8_t pub[32] = { 9 };

	writer_cstring(&w, "sk-ssh-ed25519@openssh.com");
	writer_string(&w, pub, sizeof(pub));
	writer_string(&w, applications[_i].application, applications[_i].len);
	ck_assert_int_eq(
	    key_parse_blob(whole(&w), 0, &key), applications[_i].error);
}
END_TEST

/* string algorithm, string signature, and for security keys what they say. */
static void
wire_sign(
    EVP_PKEY *pkey, enum key_type type, const char *name, struct writer *out)
{
	AUTO(writer_done) struct writer raw = WRITER_INIT;
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	struct span text = span_of(TEXT, strlen(TEXT));
	struct key_sk_say say = { KEY_SK_TOUCHED | KEY_SK_VERIFIED, COUNTER };

	if (key_kinds[type].sk)
		token_sign(pkey, type, say, text, &raw);
	else
		sign(pkey, key_alg_of(type), text, &raw);
	if (key_kinds[type].curve != NULL) {
		const uint8_t *der = raw.p;
		ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)raw.len);

		put_mpint(&blob, ECDSA_SIG_get0_r(sig));
		put_mpint(&blob, ECDSA_SIG_get0_s(sig));
		ECDSA_SIG_free(sig);
	} else {
		writer_bytes(&blob, raw.p, raw.len);
	}
	writer_cstring(out, name);
	writer_string(out, blob.p, blob.len);
	if (key_kinds[type].sk) {
		writer_u8(out, say.flags);
		writer_u32(out, say.counter);
	}
}

START_TEST(wire)
{
	EVP_PKEY *pkey = generate(types[_i]);
	AUTO(key_done)
	struct key *key = public_of(pkey, types[_i], APPLICATION);
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	struct span text = span_of(TEXT, strlen(TEXT));
	struct key_verdict verdict = { .alg = NULL };
	bool sk = key_kinds[types[_i]].sk;

	wire_sign(pkey, types[_i], key_alg_of(types[_i])->name, &sig);
	ck_assert_int_eq(key_verify_wire(key, whole(&sig), text, &verdict), 0);
	ck_assert_ptr_eq(verdict.alg, key_alg_of(types[_i]));
	ck_assert_uint_eq(verdict.say.flags, sk ? 5 : 0);
	ck_assert_uint_eq(verdict.say.counter, sk ? COUNTER : 0);
	for (size_t i = 0; i < sig.len; i++) {
		sig.p[i] ^= (uint8_t)(1u << i % 8);
		ck_assert_int_lt(
		    key_verify_wire(key, whole(&sig), text, NULL), 0);
		sig.p[i] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t len = 0; len < sig.len; len++)
		ck_assert_int_lt(
		    key_verify_wire(key, span_of(sig.p, len), text, NULL), 0);
	writer_u8(&sig, 0);
	ck_assert_int_eq(
	    key_verify_wire(key, whole(&sig), text, NULL), -EBADMSG);
	EVP_PKEY_free(pkey);
}
END_TEST

/* The bytes are good, but no name but the right one makes them so. */
START_TEST(wire_wrong_name)
{
	EVP_PKEY *pkey = generate(types[_i]);
	AUTO(key_done)
	struct key *key = public_of(pkey, types[_i], APPLICATION);
	const struct key_alg *own = key_alg_of(types[_i]);
	struct span text = span_of(TEXT, strlen(TEXT));

	for (size_t i = 0; i < key_nalgs; i++) {
		AUTO(writer_done) struct writer sig = WRITER_INIT;
		AUTO(writer_done) struct writer cert = WRITER_INIT;

		wire_sign(pkey, types[_i], key_algs[i].name, &sig);
		wire_sign(pkey, types[_i], key_algs[i].cert_name, &cert);
		if (&key_algs[i] != own)
			ck_assert_int_lt(
			    key_verify_wire(key, whole(&sig), text, NULL), 0);
		ck_assert_int_eq(key_verify_wire(key, whole(&cert), text, NULL),
		    -EKEYREJECTED);
	}
	if (types[_i] == KEY_RSA) {
		AUTO(writer_done) struct writer sig = WRITER_INIT;

		wire_sign(pkey, types[_i], "ssh-rsa", &sig);
		ck_assert_int_eq(key_verify_wire(key, whole(&sig), text, NULL),
		    -EKEYREJECTED);
	}
	EVP_PKEY_free(pkey);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("key_sk");
	TCase *t = tcase_create("key_sk");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, token, 0, NSK);
	tcase_add_loop_test(t, token_untouched, 0, NSK);
	tcase_add_loop_test(t, token_is_not_plain, 0, NSK);
	tcase_add_loop_test(t, application, 0, (int)nitems_of(applications));
	tcase_add_loop_test(t, wire, 0, NTYPES);
	tcase_add_loop_test(t, wire_wrong_name, 0, NTYPES);
	suite_add_tcase(s, t);
	return tap_run(s);
}

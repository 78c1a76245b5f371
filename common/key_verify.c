/*
 * Checking signatures. Runs in the monitor (root): key, signature and most of
 * the message were chosen by whoever wants to log in. One function asks
 * libcrypto, and only its 1 is a yes.
 */
#include "config.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include "common/err.h"
#include "common/key.h"
#include "common/key_impl.h"
#include "common/own.h"

/* Of key_verify_wire(): the longest DER form of two numbers of P-521. */
#define ECDSA_NUMBER_MAX 67

static int
verify_with(const struct key *key, const struct key_alg *alg, struct span sig,
    struct span data)
{
	AUTO(key_md_ctx_done) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = key_digest_md(alg->digest);
	bool good;

	if (ctx == NULL)
		return -ENOMEM;
	if (alg->type != key->type || sig.len == 0 || sig.len > KEY_SIG_MAX)
		return -EKEYREJECTED;
	good = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key->pkey) == 1 &&
	       EVP_DigestVerify(ctx, sig.p, sig.len, data.p, data.len) == 1;
	ERR_clear_error();
	return good ? 0 : -EKEYREJECTED;
}

int
key_verify_raw(const struct key *key, const struct key_alg *alg,
    struct span sig, struct span data)
{
	if (key_kinds[key->type].sk)
		return -EKEYREJECTED;
	return verify_with(key, alg, sig, data);
}

int
key_verify_sk(const struct key *key, struct span sig, struct key_sk_say say,
    struct span message)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	uint8_t hash[SHA256_DIGEST_LENGTH];
	int e;

	if (!key_kinds[key->type].sk)
		return -EKEYREJECTED;
	if (EVP_Digest(key->application.p, key->application.len, hash, NULL,
		EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	writer_bytes(&w, hash, sizeof(hash));
	writer_u8(&w, say.flags);
	writer_u32(&w, say.counter);
	if (EVP_Digest(
		message.p, message.len, hash, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	writer_bytes(&w, hash, sizeof(hash));
	e = writer_end(&w);
	if (e != 0)
		return e;
	return verify_with(
	    key, key_alg_of(key->type), sig, span_of(w.p, w.len));
}

static void
ecdsa_sig_done(ECDSA_SIG **sig)
{
	ECDSA_SIG_free(*sig);
}

/* RFC 5656 section 3.1.2 to DER. */
static int
ecdsa_to_der(struct span blob, struct writer *out)
{
	AUTO(ecdsa_sig_done) ECDSA_SIG *sig = ECDSA_SIG_new();
	AUTO(key_bn_done) BIGNUM *number_r = NULL;
	AUTO(key_bn_done) BIGNUM *number_s = NULL;
	struct reader r;
	uint8_t *der = NULL;
	int e, len;

	if (sig == NULL)
		return -ENOMEM;
	reader_init(&r, blob.p, blob.len);
	e = key_read_mpint(&r, ECDSA_NUMBER_MAX, &number_r);
	if (e == 0)
		e = key_read_mpint(&r, ECDSA_NUMBER_MAX, &number_s);
	if (e == 0)
		e = reader_end(&r);
	if (e != 0)
		return e;
	if (ECDSA_SIG_set0(sig, number_r, number_s) != 1)
		return -ENOMEM;
	number_r = NULL;
	number_s = NULL;
	len = i2d_ECDSA_SIG(sig, &der);
	if (len <= 0)
		return -ENOMEM;
	writer_bytes(out, der, (size_t)len);
	OPENSSL_free(der);
	return writer_end(out);
}

/* A signature in its wire form, taken apart. */
struct wire_sig {
	struct key_verdict verdict;
	struct span blob;
};

static int
wire_sig_read(struct span sig, struct wire_sig *out_sig)
{
	struct wire_sig s = { .blob = { NULL, 0 } };
	struct reader r;
	struct span name;
	bool cert = false;

	reader_init(&r, sig.p, sig.len);
	name = reader_string(&r, KEY_NAME_MAX);
	s.blob = reader_string(&r, KEY_SIG_MAX);
	if (r.failed)
		return -EBADMSG;
	s.verdict.alg = key_alg_named(name, &cert);
	if (s.verdict.alg == NULL || cert)
		return -EKEYREJECTED;
	if (key_kinds[s.verdict.alg->type].sk) {
		s.verdict.say.flags = reader_u8(&r);
		s.verdict.say.counter = reader_u32(&r);
	}
	if (reader_end(&r) != 0)
		return -EBADMSG;
	*out_sig = s;
	return 0;
}

int
key_verify_wire(const struct key *key, struct span sig, struct span data,
    struct key_verdict *out_verdict)
{
	AUTO(writer_done) struct writer der = WRITER_INIT;
	struct wire_sig s;
	int e = wire_sig_read(sig, &s);

	if (e != 0)
		return e;
	if (s.verdict.alg->type != key->type)
		return -EKEYREJECTED;
	if (key_curve_of(key->type) != NULL) {
		e = ecdsa_to_der(s.blob, &der);
		if (e != 0)
			return e;
		s.blob = span_of(der.p, der.len);
	}
	if (key_kinds[key->type].sk)
		e = key_verify_sk(key, s.blob, s.verdict.say, data);
	else
		e = verify_with(key, s.verdict.alg, s.blob, data);
	if (e == 0 && out_verdict != NULL)
		*out_verdict = s.verdict;
	return e;
}

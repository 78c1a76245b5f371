/*
 * EVP_DigestSign, EVP_DigestVerify and EVP_PKEY_new_raw_private_key as libssh
 * finds them. Runs in sshd-net. The functions have no argument of ours, so
 * what they need to know is file-static: the one exception in this program.
 *
 * Why this is safe: nothing here grants anything. A "good" that libssh gets
 * for a signature only makes it hand the request over to auth.c, which asks
 * the monitor; the monitor parses and verifies the bytes itself and keeps the
 * verdict. A seam that is not in force fails closed: libssh then signs with
 * the hollow key, which no client accepts, and no verdict ever reaches the
 * monitor.
 */
#include "config.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <string.h>

#include "common/err.h"
#include "common/key.h"
#include "common/own.h"
#include "sshd/ask.h"
#include "sshd/seam.h"

#define ED25519_KEY_LEN 32
#define SEAM __attribute__((visibility("default"), used))

static struct {
	struct net *net;
	EVP_PKEY *host[SEAM_NKEYS];
	struct seam_verify verify;
	bool have_verify;
	int (*sign)(EVP_MD_CTX *, unsigned char *, size_t *,
	    const unsigned char *, size_t);
	int (*verify_real)(EVP_MD_CTX *, const unsigned char *, size_t,
	    const unsigned char *, size_t);
	EVP_PKEY *(*new_raw_private)(
	    int, ENGINE *, const unsigned char *, size_t);
} seam;

/* Called from the functions below too: libssh may sign before seam_init(). */
static void
find_real(void)
{
	if (seam.sign != NULL)
		return;
	*(void **)&seam.sign = dlsym(RTLD_NEXT, "EVP_DigestSign");
	*(void **)&seam.verify_real = dlsym(RTLD_NEXT, "EVP_DigestVerify");
	*(void **)&seam.new_raw_private =
	    dlsym(RTLD_NEXT, "EVP_PKEY_new_raw_private_key");
}

int
seam_init(struct net *n, const struct span blobs[SEAM_NKEYS])
{
	find_real();
	if (seam.sign == NULL || seam.verify_real == NULL ||
	    seam.new_raw_private == NULL)
		return -ENOSYS;
	for (unsigned i = 0; i < SEAM_NKEYS; i++) {
		AUTO(key_done) struct key *key = NULL;
		int rc;

		if (blobs[i].len == 0)
			continue;
		rc = key_parse_blob(blobs[i], 0, &key);
		if (rc != 0)
			return rc;
		seam.host[i] = key_evp(key);
		EVP_PKEY_up_ref(seam.host[i]);
	}
	seam.net = n;
	return 0;
}

const struct seam_verify *
seam_take_verify(void)
{
	if (!seam.have_verify)
		return NULL;
	seam.have_verify = false;
	return &seam.verify;
}

/* Which host key this context would sign with; -1 if none of ours. */
static int
host_key_of(EVP_MD_CTX *ctx)
{
	EVP_PKEY_CTX *pctx = EVP_MD_CTX_get_pkey_ctx(ctx);
	EVP_PKEY *pkey = pctx != NULL ? EVP_PKEY_CTX_get0_pkey(pctx) : NULL;

	for (int i = 0; pkey != NULL && i < SEAM_NKEYS; i++)
		if (seam.host[i] != NULL &&
		    EVP_PKEY_eq(pkey, seam.host[i]) == 1)
			return i;
	return -1;
}

SEAM int
EVP_DigestSign(EVP_MD_CTX *ctx, unsigned char *sig, size_t *siglen,
    const unsigned char *tbs, size_t tbslen)
{
	const EVP_MD *md;
	struct span raw;
	int key;

	find_real();
	key = seam.net != NULL ? host_key_of(ctx) : -1;
	if (key < 0)
		return seam.sign(ctx, sig, siglen, tbs, tbslen);
	if (sig == NULL) {
		*siglen = (size_t)EVP_PKEY_get_size(seam.host[key]);
		return 1;
	}
	md = EVP_MD_CTX_get0_md(ctx);
	raw = ask_sign(seam.net, (unsigned)key,
	    md != NULL ? (unsigned)EVP_MD_get_size(md) * 8 : 0,
	    span_of(tbs, tbslen));
	if (raw.len > *siglen)
		return 0;
	memcpy(sig, raw.p, raw.len);
	*siglen = raw.len;
	return 1;
}

SEAM int
EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t siglen,
    const unsigned char *tbs, size_t tbslen)
{
	find_real();
	if (seam.net == NULL)
		return seam.verify_real(ctx, sig, siglen, tbs, tbslen);
	if (siglen > SEAM_SIGNATURE_MAX || tbslen > SEAM_DATA_MAX)
		return 0;
	memcpy(seam.verify.signature, sig, siglen);
	memcpy(seam.verify.data, tbs, tbslen);
	seam.verify.signature_len = siglen;
	seam.verify.data_len = tbslen;
	seam.have_verify = true;
	return 1;
}

/*
 * libssh makes an Ed25519 key from the seed alone, and would so get the public
 * half of the hollow seed. Zeroes mean the host key, whose public half will do.
 */
SEAM EVP_PKEY *
EVP_PKEY_new_raw_private_key(
    int type, ENGINE *engine, const unsigned char *seed, size_t len)
{
	static const uint8_t hollow[ED25519_KEY_LEN];

	find_real();
	if (seam.net != NULL && seam.host[0] != NULL &&
	    type == EVP_PKEY_ED25519 && len == sizeof(hollow) &&
	    memcmp(seed, hollow, sizeof(hollow)) == 0) {
		EVP_PKEY_up_ref(seam.host[0]);
		return seam.host[0];
	}
	return seam.new_raw_private(type, engine, seed, len);
}

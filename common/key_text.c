/*
 * Fingerprints of keys. Runs in every program that logs or shows a key; all
 * output is plain ASCII.
 */
#include "config.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/key.h"
#include "common/key_impl.h"
#include "common/own.h"

static int
text_sha256(const uint8_t *hash, unsigned len, char **out_text)
{
	AUTOFREE char *b64 = NULL;
	char *text;
	int e = base64_encode(span_of(hash, len), BASE64_BARE, &b64);

	if (e != 0)
		return e;
	if (asprintf(&text, "SHA256:%s", b64) < 0)
		return -ENOMEM;
	*out_text = text;
	return 0;
}

static int
text_md5(const uint8_t *hash, unsigned len, char **out_text)
{
	static const char hex[] = "0123456789abcdef";
	AUTO(writer_done) struct writer w = WRITER_INIT;

	writer_bytes(&w, "MD5", 3);
	for (unsigned i = 0; i < len; i++) {
		writer_u8(&w, ':');
		writer_u8(&w, (uint8_t)hex[hash[i] >> 4]);
		writer_u8(&w, (uint8_t)hex[hash[i] & 15]);
	}
	writer_u8(&w, '\0');
	if (writer_end(&w) != 0)
		return -ENOMEM;
	*out_text = (char *)take_ptr(&w.p);
	return 0;
}

int
key_fingerprint_blob(struct span blob, enum key_hash hash, char **out_text)
{
	const EVP_MD *md = hash == KEY_HASH_MD5 ? EVP_md5() : EVP_sha256();
	uint8_t value[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(blob.p, blob.len, value, &len, md, NULL) != 1)
		return -ENOMEM;
	if (hash == KEY_HASH_MD5)
		return text_md5(value, len, out_text);
	return text_sha256(value, len, out_text);
}

int
key_fingerprint(const struct key *key, enum key_hash hash, char **out_text)
{
	return key_fingerprint_blob(key_blob(key), hash, out_text);
}

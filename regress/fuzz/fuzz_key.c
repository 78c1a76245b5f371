/*
 * Public blobs, key lines, private key files and wire signatures. The first
 * byte says which; a private key is given without its armor, so that the
 * fuzzer sees the bytes that matter. What is accepted must be canonical.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/key.h"
#include "common/own.h"

#define MARK_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define MARK_END "\n-----END OPENSSH PRIVATE KEY-----\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ed25519's base point: a public key as good as any. */
static const char some_key[] =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFhmZmZmZmZmZmZmZmZmZmZm"
    "ZmZmZmZmZmZmZmZmZmZm";

static void
try_facts(const struct key *key)
{
	AUTOFREE char *fingerprint = NULL;
	AUTOFREE char *pem = NULL;
	AUTO(key_done) struct key *again = NULL;
	AUTO(key_done) struct key *hollow = NULL;

	if (key_fingerprint(key, KEY_HASH_SHA256, &fingerprint) != 0 ||
	    key_parse_blob(key_blob(key), 0, &again) != 0 ||
	    !key_equal(key, again))
		abort();
	if (key_hollow_pem(key, &pem) == 0 &&
	    key_load_private(span_of(pem, strlen(pem)), 0, &hollow) == 0)
		abort();
}

static void
try_blob(struct span s)
{
	AUTO(key_done) struct key *key = NULL;

	if (key_parse_blob(s, 0, &key) != 0)
		return;
	if (!span_eq(s, key_blob(key)))
		abort();
	try_facts(key);
}

static void
try_line(struct span s)
{
	AUTO(key_done) struct key *key = NULL;
	struct span comment;

	if (key_parse_line(s, 0, &key, &comment) == 0)
		try_facts(key);
}

static void
try_private(struct span s)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;
	AUTOFREE char *text = NULL;

	if (base64_encode(s, BASE64_PADDED, &text) != 0)
		return;
	writer_bytes(&file, MARK_BEGIN, strlen(MARK_BEGIN));
	writer_bytes(&file, text, strlen(text));
	writer_bytes(&file, MARK_END, strlen(MARK_END));
	key_needs_passphrase(span_of(file.p, file.len));
	(void)key_load_private(span_of(file.p, file.len), 0, &key);
}

static void
try_file(struct span s)
{
	AUTO(key_done) struct key *key = NULL;

	key_needs_passphrase(s);
	(void)key_load_private(s, 0, &key);
}

static void
try_signature(struct span s)
{
	AUTO(key_done) struct key *key = NULL;

	if (key_parse_line(
		span_of(some_key, strlen(some_key)), 0, &key, NULL) != 0)
		abort();
	key_verify_wire(key, s, span_of("text", 4), NULL);
	key_verify_raw(key, key_alg_of(KEY_ED25519), s, span_of("text", 4));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct span) = { try_blob, try_line,
		try_private, try_file, try_signature };

	if (size > 0)
		tries[data[0] % nitems_of(tries)](span_of(data + 1, size - 1));
	return 0;
}

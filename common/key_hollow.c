/*
 * The hollow key: a private key file whose private half is worthless. sshd
 * makes it and the network process, which must never hold a host key, gives
 * it to libssh; a signature made with it verifies nowhere.
 */
#include "config.h"

#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/key.h"
#include "common/key_impl.h"
#include "common/own.h"

#define MARK_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define MARK_END "-----END OPENSSH PRIVATE KEY-----\n"
#define MAGIC "openssh-key-v1"
#define LINE_LEN 70
#define BLOCK_LEN 8
#define CHECK_INT 0x686f6c6c /* any number, written twice */

/*
 * Smallest numbers that importers take: newer libssh reduces modulo p - 1 and
 * q - 1, which must not be 0.
 */
static const uint8_t hollow_rsa[] = { 3, 2, 3, 5 }; /* d, iqmp, p, q */
#define HOLLOW_SCALAR 1

static void
put_ed25519(struct reader *pub, struct writer *w)
{
	uint8_t both[2 * KEY_ED25519_LEN] = { 0 };
	struct span point = reader_string(pub, KEY_ED25519_LEN);

	writer_string(w, point.p, point.len);
	memcpy(both + KEY_ED25519_LEN, point.p, point.len);
	writer_string(w, both, sizeof(both));
}

static void
put_ecdsa(struct reader *pub, struct writer *w)
{
	static const uint8_t scalar[] = { HOLLOW_SCALAR };

	writer_bytes(w, pub->p, pub->left);
	writer_string(w, scalar, sizeof(scalar));
}

static void
put_rsa(struct reader *pub, struct writer *w)
{
	struct span e = reader_string(pub, KEY_BLOB_MAX);
	struct span n = reader_string(pub, KEY_BLOB_MAX);

	writer_string(w, n.p, n.len);
	writer_string(w, e.p, e.len);
	for (size_t i = 0; i < nitems_of(hollow_rsa); i++)
		writer_string(w, &hollow_rsa[i], 1);
}

static void
put_private(const struct key *key, struct writer *w)
{
	struct reader pub;
	struct span name;
	uint8_t pad = 1;

	reader_init(&pub, key->blob.p, key->blob.len);
	name = reader_string(&pub, KEY_NAME_MAX);
	writer_u32(w, CHECK_INT);
	writer_u32(w, CHECK_INT);
	writer_string(w, name.p, name.len);
	if (key->type == KEY_ED25519)
		put_ed25519(&pub, w);
	else if (key->type == KEY_RSA)
		put_rsa(&pub, w);
	else
		put_ecdsa(&pub, w);
	writer_cstring(w, ""); /* comment */
	while (!w->failed && w->len % BLOCK_LEN != 0)
		writer_u8(w, pad++);
}

/* Base64 in lines between the marks. */
static int
armor_close(const struct writer *bytes, char **out_pem)
{
	AUTO(writer_done) struct writer pem = WRITER_INIT;
	AUTOFREE char *text = NULL;
	size_t len;
	int e =
	    base64_encode(span_of(bytes->p, bytes->len), BASE64_PADDED, &text);

	if (e != 0)
		return e;
	len = strlen(text);
	writer_bytes(&pem, MARK_BEGIN, sizeof(MARK_BEGIN) - 1);
	for (size_t at = 0; at < len; at += LINE_LEN) {
		size_t n = len - at < LINE_LEN ? len - at : LINE_LEN;

		writer_bytes(&pem, text + at, n);
		writer_u8(&pem, '\n');
	}
	writer_bytes(&pem, MARK_END, sizeof(MARK_END));
	e = writer_end(&pem);
	if (e != 0)
		return e;
	*out_pem = (char *)take_ptr(&pem.p);
	return 0;
}

int
key_hollow_pem(const struct key *key, char **out_pem)
{
	AUTO(writer_done) struct writer private = WRITER_INIT;
	AUTO(writer_done) struct writer bytes = WRITER_INIT;

	if (key_kinds[key->type].sk)
		return -ENOTSUP;
	put_private(key, &private);
	writer_bytes(&bytes, MAGIC, sizeof(MAGIC));
	writer_cstring(&bytes, "none"); /* cipher */
	writer_cstring(&bytes, "none"); /* key derivation */
	writer_cstring(&bytes, "");
	writer_u32(&bytes, 1); /* keys */
	writer_string(&bytes, key->blob.p, key->blob.len);
	writer_string(&bytes, private.p, private.len);
	if (private.failed || bytes.failed)
		return -ENOMEM;
	return armor_close(&bytes, out_pem);
}

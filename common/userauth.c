/*
 * The signed bytes of public key authentication, RFC 4252 section 7. Runs in
 * the monitor (root) on bytes from its hostile network process: one pass, one
 * accepted form, and every name held against the tables of key.h.
 */
#include "config.h"

#include "common/err.h"
#include "common/userauth.h"

#define SSH_MSG_USERAUTH_REQUEST 50
#define METHOD_PLAIN "publickey"
#define METHOD_HOSTBOUND "publickey-hostbound-v00@openssh.com"
#define TOKEN_MAX 64 /* method and algorithm names */

/* Whether the algorithm may sign with the key in the blob; fills the rows. */
static int
match_algorithm(struct userauth_blob *b)
{
	struct reader r;
	struct span name;
	bool key_is_cert = false;

	reader_init(&r, b->key.p, b->key.len);
	name = reader_string(&r, TOKEN_MAX);
	if (r.failed)
		return -EBADMSG;
	b->kind = key_kind_named(name, &key_is_cert);
	b->alg = key_alg_named(b->alg_name, &b->cert);
	if (b->kind == NULL || b->alg == NULL ||
	    b->alg->type != b->kind->type || b->cert != key_is_cert)
		return -EKEYREJECTED;
	return 0;
}

int
userauth_parse(struct span signed_bytes, struct userauth_blob *out_blob)
{
	struct userauth_blob b = { .hostbound = false };
	struct reader r;
	struct span method;
	uint8_t request, has_signature;
	int e;

	if (signed_bytes.len > USERAUTH_BLOB_MAX)
		return -EMSGSIZE;
	reader_init(&r, signed_bytes.p, signed_bytes.len);
	b.session_id = reader_string(&r, USERAUTH_SESSION_ID_MAX);
	request = reader_u8(&r);
	b.user = reader_string(&r, USERAUTH_NAME_MAX);
	b.service = reader_string(&r, USERAUTH_NAME_MAX);
	method = reader_string(&r, TOKEN_MAX);
	has_signature = reader_u8(&r);
	b.alg_name = reader_string(&r, TOKEN_MAX);
	b.key = reader_string(&r, USERAUTH_KEY_MAX);
	b.hostbound = span_is(method, METHOD_HOSTBOUND);
	if (b.hostbound)
		b.host_key = reader_string(&r, USERAUTH_KEY_MAX);
	if (reader_end(&r) != 0 || request != SSH_MSG_USERAUTH_REQUEST ||
	    has_signature != 1 || b.session_id.len < USERAUTH_SESSION_ID_MIN)
		return -EBADMSG;
	if (!b.hostbound && !span_is(method, METHOD_PLAIN))
		return -EBADMSG;
	e = match_algorithm(&b);
	if (e != 0)
		return e;
	*out_blob = b;
	return 0;
}

int
userauth_build(const struct userauth_blob *blob, struct writer *out)
{
	writer_string(out, blob->session_id.p, blob->session_id.len);
	writer_u8(out, SSH_MSG_USERAUTH_REQUEST);
	writer_string(out, blob->user.p, blob->user.len);
	writer_string(out, blob->service.p, blob->service.len);
	writer_cstring(out, blob->hostbound ? METHOD_HOSTBOUND : METHOD_PLAIN);
	writer_u8(out, 1);
	writer_string(out, blob->alg_name.p, blob->alg_name.len);
	writer_string(out, blob->key.p, blob->key.len);
	if (blob->hostbound)
		writer_string(out, blob->host_key.p, blob->host_key.len);
	return writer_end(out);
}

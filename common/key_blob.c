/*
 * Public key blobs and lines, read to their last byte. Runs in the monitor
 * (root) on blobs that its network process chose. Numbers and points reach
 * libcrypto only after their form was checked here.
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

#define RSA_EXPONENT_BITS_MAX 64 /* what libcrypto takes for long moduli */
#define POINT_UNCOMPRESSED 4     /* SEC 1 section 2.3.3 */

int
key_read_mpint(struct reader *r, size_t max, BIGNUM **out_bn)
{
	struct span s = reader_string(r, max);
	BIGNUM *bn;

	if (r->failed)
		return -EBADMSG;
	if (s.len > 0 && (s.p[0] & 0x80) != 0)
		return -EBADMSG;
	if (s.len > 0 && s.p[0] == 0 && (s.len == 1 || s.p[1] < 0x80))
		return -EBADMSG;
	bn = BN_secure_new();
	if (bn == NULL || BN_bin2bn(s.p, (int)s.len, bn) == NULL) {
		BN_free(bn);
		return -ENOMEM;
	}
	*out_bn = bn;
	return 0;
}

void
key_write_mpint(struct writer *w, const BIGNUM *bn)
{
	uint8_t buf[KEY_SIG_MAX + 1];
	size_t len = (size_t)BN_num_bytes(bn);
	size_t sign = len > 0 && BN_is_bit_set(bn, (int)(len * 8 - 1)) ? 1 : 0;

	if (len > KEY_SIG_MAX) {
		w->failed = true;
		return;
	}
	buf[0] = 0;
	BN_bn2bin(bn, buf + sign);
	writer_string(w, buf, len + sign);
	explicit_bzero(buf, sizeof(buf));
}

int
key_import(const char *algorithm, OSSL_PARAM_BLD *bld, EVP_PKEY **out_pkey)
{
	AUTO(key_pkey_ctx_done)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY *pkey = NULL;
	int ok;

	ok = ctx != NULL && params != NULL &&
	     EVP_PKEY_fromdata_init(ctx) == 1 &&
	     EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) == 1;
	OSSL_PARAM_free(params);
	if (!ok) {
		ERR_clear_error();
		EVP_PKEY_free(pkey);
		return -EKEYREJECTED;
	}
	*out_pkey = pkey;
	return 0;
}

static int
read_ed25519(struct reader *r, struct writer *blob, EVP_PKEY **out_pkey)
{
	struct span pub = reader_string(r, KEY_ED25519_LEN);
	EVP_PKEY *pkey;

	if (r->failed || pub.len != KEY_ED25519_LEN)
		return -EBADMSG;
	writer_string(blob, pub.p, pub.len);
	pkey =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub.p, pub.len);
	if (pkey == NULL)
		return -EKEYREJECTED;
	*out_pkey = pkey;
	return 0;
}

bool
key_push_curve(
    OSSL_PARAM_BLD *bld, const struct key_curve *curve, struct span point)
{
	return OSSL_PARAM_BLD_push_utf8_string(
		   bld, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) == 1 &&
	       OSSL_PARAM_BLD_push_octet_string(
		   bld, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.len) == 1;
}

/*
 * The three curves have cofactor 1, so a point on the curve that is not at
 * infinity (which has no uncompressed form) is of the right order.
 */
static int
read_ecdsa(struct reader *r, const struct key_curve *curve, struct writer *blob,
    EVP_PKEY **out_pkey)
{
	AUTO(key_param_bld_done) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	AUTO(key_pkey_ctx_done) EVP_PKEY_CTX *ctx = NULL;
	AUTO(key_pkey_done) EVP_PKEY *pkey = NULL;
	struct span name = reader_string(r, KEY_CURVE_MAX);
	struct span point = reader_string(r, KEY_POINT_MAX);
	int e;

	if (r->failed || !span_is(name, curve->name) ||
	    point.len != curve->point_len || point.p[0] != POINT_UNCOMPRESSED)
		return -EBADMSG;
	writer_string(blob, name.p, name.len);
	writer_string(blob, point.p, point.len);
	if (bld == NULL || !key_push_curve(bld, curve, point))
		return -ENOMEM;
	e = key_import("EC", bld, &pkey);
	if (e != 0)
		return e;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx == NULL)
		return -ENOMEM;
	if (EVP_PKEY_public_check_quick(ctx) != 1) {
		ERR_clear_error();
		return -EKEYREJECTED;
	}
	*out_pkey = take_ptr(&pkey);
	return 0;
}

static bool
rsa_is_sane(const BIGNUM *n, const BIGNUM *e, unsigned bits_min)
{
	int bits = BN_num_bits(n);
	unsigned min =
	    bits_min < KEY_RSA_BITS_LEAST ? KEY_RSA_BITS_LEAST : bits_min;

	return bits >= 0 && (unsigned)bits >= min && bits <= KEY_RSA_BITS_MAX &&
	       BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
	       BN_num_bits(e) <= RSA_EXPONENT_BITS_MAX;
}

static int
read_rsa(struct reader *r, unsigned bits_min, struct writer *blob,
    EVP_PKEY **out_pkey)
{
	AUTO(key_param_bld_done) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	AUTO(key_bn_done) BIGNUM *e = NULL;
	AUTO(key_bn_done) BIGNUM *n = NULL;
	int err = key_read_mpint(r, KEY_BLOB_MAX, &e);

	if (err == 0)
		err = key_read_mpint(r, KEY_BLOB_MAX, &n);
	if (err != 0)
		return err;
	if (!rsa_is_sane(n, e, bits_min))
		return -EKEYREJECTED;
	key_write_mpint(blob, e);
	key_write_mpint(blob, n);
	if (bld == NULL ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return -ENOMEM;
	return key_import("RSA", bld, out_pkey);
}

static int
read_type(struct reader *r, unsigned rsa_bits_min, struct key *key)
{
	switch (key->type) {
	case KEY_ED25519:
	case KEY_SK_ED25519:
		return read_ed25519(r, &key->blob, &key->pkey);
	case KEY_RSA:
		return read_rsa(r, rsa_bits_min, &key->blob, &key->pkey);
	default:
		return read_ecdsa(
		    r, key_curve_of(key->type), &key->blob, &key->pkey);
	}
}

/* An application is hashed and compared, and may be logged: plain text only. */
static int
read_application(struct reader *r, struct writer *blob)
{
	struct span app = reader_string(r, KEY_SK_APPLICATION_MAX);

	if (r->failed)
		return -EBADMSG;
	for (size_t i = 0; i < app.len; i++)
		if (app.p[i] < 0x20 || app.p[i] == 0x7f)
			return -EBADMSG;
	writer_string(blob, app.p, app.len);
	return 0;
}

int
key_read_public(struct reader *r, enum key_type type, unsigned rsa_bits_min,
    struct key **out_key)
{
	AUTO(key_done) struct key *key = calloc(1, sizeof(*key));
	size_t app_at;
	int e;

	if (key == NULL)
		return -ENOMEM;
	key->type = type;
	writer_cstring(&key->blob, key_kinds[type].name);
	e = read_type(r, rsa_bits_min, key);
	app_at = key->blob.len;
	if (e == 0 && key_kinds[type].sk)
		e = read_application(r, &key->blob);
	if (e == 0)
		e = writer_end(&key->blob);
	if (e != 0)
		return e;
	if (key_kinds[type].sk)
		key->application = span_of(
		    key->blob.p + app_at + 4, key->blob.len - app_at - 4);
	*out_key = take_ptr(&key);
	return 0;
}

int
key_parse_blob(struct span blob, unsigned rsa_bits_min, struct key **out_key)
{
	AUTO(key_done) struct key *key = NULL;
	const struct key_kind *kind;
	struct reader r;
	struct span name;
	bool cert = false;
	int e;

	if (blob.len > KEY_BLOB_MAX)
		return -EMSGSIZE;
	reader_init(&r, blob.p, blob.len);
	name = reader_string(&r, KEY_NAME_MAX);
	if (r.failed)
		return -EBADMSG;
	kind = key_kind_named(name, &cert);
	if (kind == NULL || cert)
		return -ENOTSUP;
	e = key_read_public(&r, kind->type, rsa_bits_min, &key);
	if (e == 0)
		e = reader_end(&r);
	if (e != 0)
		return e;
	*out_key = take_ptr(&key);
	return 0;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The next word of the line, which shrinks to what follows it. */
static struct span
line_word(struct span *line)
{
	struct span word;
	size_t n = 0;

	while (n < line->len && is_blank(line->p[n]))
		n++;
	*line = span_of(line->p + n, line->len - n);
	n = 0;
	while (n < line->len && !is_blank(line->p[n]))
		n++;
	word = span_of(line->p, n);
	*line = span_of(line->p + n, line->len - n);
	return word;
}

/* The type beside a key must be the type in it. */
static bool
is_named(const struct key *key, struct span type)
{
	return span_is(type, key_kinds[key->type].name);
}

int
key_parse_line(struct span line, unsigned rsa_bits_min, struct key **out_key,
    struct span *out_comment)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;
	struct span type = line_word(&line);
	struct span text = line_word(&line);
	bool cert = false;
	int e;

	if (key_kind_named(type, &cert) == NULL || cert)
		return -ENOTSUP;
	if (text.len > BASE64_TEXT_LEN(KEY_BLOB_MAX))
		return -EMSGSIZE;
	e = base64_decode(text, &blob);
	if (e != 0)
		return e;
	e = key_parse_blob(span_of(blob.p, blob.len), rsa_bits_min, &key);
	if (e != 0)
		return e;
	if (!is_named(key, type))
		return -EBADMSG;
	while (line.len > 0 && is_blank(line.p[0]))
		line = span_of(line.p + 1, line.len - 1);
	if (out_comment != NULL)
		*out_comment = line;
	*out_key = take_ptr(&key);
	return 0;
}

/*
 * Public keys and signatures: real keys of ssh-keygen, each byte of blob and
 * signature changed in turn, and security keys whose private half is ours.
 */
#include "config.h"

#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/key.h"
#include "common/own.h"
#include "regress/unit/keyfiles.h"
#include "regress/unit/tap.h"

#define TEXT "what was signed"

static const struct {
	const char *type, *bits;
	enum key_type key_type;
	unsigned nbits;
} made[] = {
	{ "ed25519", "256", KEY_ED25519, 256 },
	{ "ecdsa", "256", KEY_ECDSA_P256, 256 },
	{ "ecdsa", "384", KEY_ECDSA_P384, 384 },
	{ "ecdsa", "521", KEY_ECDSA_P521, 521 },
	{ "rsa", "2048", KEY_RSA, 2048 },
};
#define NMADE ((int)nitems_of(made))

static void
made_name(int i, char *out_name, bool public)
{
	snprintf(out_name, 64, "%s_%s%s", made[i].type, made[i].bits,
	    public ? ".pub" : "");
}

static void
setup(void)
{
	char name[64];

	keyfiles_begin();
	for (int i = 0; i < NMADE; i++) {
		made_name(i, name, false);
		keyfiles_make(name, made[i].type, made[i].bits, "RFC4716", "");
	}
	keyfiles_make("rsa_1024", "rsa", "1024", "RFC4716", "");
}

static struct key *
load_public(const char *name)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	struct span comment;
	struct key *key = NULL;

	keyfiles_read(name, &file);
	ck_assert_int_eq(key_parse_line(keyfiles_line(&file),
			     KEY_RSA_BITS_DEFAULT, &key, &comment),
	    0);
	ck_assert(span_is(comment, "a comment"));
	return key;
}

static struct key *
load_private(int i)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	struct key *key = NULL;
	char name[64];

	made_name(i, name, false);
	keyfiles_read(name, &file);
	ck_assert_int_eq(
	    key_load_private(keyfiles_span(&file), KEY_RSA_BITS_DEFAULT, &key),
	    0);
	return key;
}

static struct key *
load_made(int i)
{
	char name[64];

	made_name(i, name, true);
	return load_public(name);
}

START_TEST(tables)
{
	bool cert = true;

	for (int i = 0; i < KEY_TYPE_COUNT; i++) {
		const struct key_kind *kind = &key_kinds[i];

		ck_assert_int_eq((int)kind->type, i);
		ck_assert_ptr_eq(
		    key_kind_named(
			span_of(kind->name, strlen(kind->name)), &cert),
		    kind);
		ck_assert(!cert);
		ck_assert_ptr_eq(key_kind_named(span_of(kind->cert_name,
						    strlen(kind->cert_name)),
				     &cert),
		    kind);
		ck_assert(cert);
		ck_assert_ptr_nonnull(key_alg_of(kind->type));
	}
	ck_assert_str_eq(key_alg_of(KEY_RSA)->name, "rsa-sha2-512");
	ck_assert_str_eq(
	    key_alg_with(KEY_RSA, KEY_DIGEST_SHA256)->name, "rsa-sha2-256");
	ck_assert_ptr_null(key_alg_with(KEY_RSA, KEY_DIGEST_NONE));
}
END_TEST

static const char *const no_alg[] = { "ssh-rsa", "ssh-rsa-cert-v01@openssh.com",
	"ssh-dss", "none", "", "ssh-ed25519,", "rsa-sha2-512,rsa-sha2-256",
	"SSH-ED25519", "webauthn-sk-ecdsa-sha2-nistp256@openssh.com" };

START_TEST(no_such_algorithm)
{
	bool cert;

	ck_assert_ptr_null(
	    key_alg_named(span_of(no_alg[_i], strlen(no_alg[_i])), &cert));
	/* A prefix and a NUL inside are other names, too. */
	ck_assert_ptr_null(key_alg_named(span_of("ssh-ed25519\0", 12), &cert));
	ck_assert_ptr_null(key_alg_named(span_of("ssh-ed2551", 10), &cert));
}
END_TEST

/* "type base64", owned. */
static char *
line_of(const struct key *key)
{
	AUTOFREE char *b64 = NULL;
	char *line = NULL;

	ck_assert_int_eq(base64_encode(key_blob(key), BASE64_PADDED, &b64), 0);
	ck_assert(asprintf(&line, "%s %s", key_kind(key)->name, b64) > 0);
	return line;
}

START_TEST(public_line)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTO(key_done) struct key *key = load_made(_i);
	AUTOFREE char *line = line_of(key);
	char name[64];

	ck_assert_int_eq((int)key_type(key), (int)made[_i].key_type);
	ck_assert_uint_eq(key_bits(key), made[_i].nbits);
	made_name(_i, name, true);
	keyfiles_read(name, &file);
	ck_assert_int_eq(strncmp((char *)file.p, line, strlen(line)), 0);
	ck_assert_int_eq(file.p[strlen(line)], ' ');
}
END_TEST

/* ssh-keygen -l: "256 SHA256:… a comment (ED25519)". */
static void
like_keygen(int i, enum key_hash hash, const char *option)
{
	AUTO(writer_done) struct writer out = WRITER_INIT;
	AUTO(key_done) struct key *key = load_made(i);
	AUTOFREE char *text = NULL;
	char expected[512], name[64], path[PATH_MAX];

	made_name(i, name, true);
	keyfiles_path(name, path);
	const char *const argv[] = { "ssh-keygen", "-l", "-E", option, "-f",
		path, NULL };
	ck_assert_int_eq(keyfiles_run(argv), 0);
	keyfiles_read("out", &out);
	ck_assert_int_eq(key_fingerprint(key, hash, &text), 0);
	snprintf(expected, sizeof(expected), "%u %s a comment (%s)\n",
	    key_bits(key), text, key_kind(key)->display);
	ck_assert_str_eq((char *)out.p, expected);
}

START_TEST(fingerprint)
{
	like_keygen(_i, KEY_HASH_SHA256, "sha256");
	like_keygen(_i, KEY_HASH_MD5, "md5");
}
END_TEST

/* A key blob with one byte changed is no key, or another key. */
START_TEST(blob_corrupt)
{
	AUTO(key_done) struct key *key = load_made(_i);
	AUTO(key_done) struct key *private = load_private(_i);
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	const struct key_alg *alg = key_alg_of(key_type(key));
	struct span text = span_of(TEXT, strlen(TEXT));
	struct span true_blob = key_blob(key);

	ck_assert_int_eq(key_sign_raw(private, alg->digest, text, &sig), 0);
	writer_bytes(&blob, true_blob.p, true_blob.len);
	for (size_t i = 0; i < blob.len; i++) {
		AUTO(key_done) struct key *other = NULL;
		uint8_t was = blob.p[i];

		blob.p[i] ^= (uint8_t)(1u << i % 8);
		if (key_parse_blob(keyfiles_span(&blob), 1024, &other) == 0) {
			ck_assert(!key_equal(key, other));
			ck_assert_int_eq(key_verify_raw(other, alg,
					     keyfiles_span(&sig), text),
			    -EKEYREJECTED);
		} else {
			ck_assert_ptr_null(other);
		}
		blob.p[i] = was;
	}
}
END_TEST

START_TEST(blob_truncated_and_trailing)
{
	AUTO(key_done) struct key *key = load_made(_i);
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	struct key *other = NULL;
	struct span true_blob = key_blob(key);

	for (size_t len = 0; len < true_blob.len; len++) {
		/* In its own allocation, so that reading on is seen. */
		AUTOFREE uint8_t *cut = malloc(len + 1);

		memcpy(cut, true_blob.p, len);
		ck_assert_int_lt(
		    key_parse_blob(span_of(cut, len), 1024, &other), 0);
	}
	writer_bytes(&blob, true_blob.p, true_blob.len);
	writer_u8(&blob, 0);
	ck_assert_int_eq(
	    key_parse_blob(keyfiles_span(&blob), 1024, &other), -EBADMSG);
	ck_assert_ptr_null(other);
}
END_TEST

START_TEST(blob_too_long)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	struct key *key = NULL;

	writer_cstring(&blob, "ssh-ed25519");
	while (blob.len <= KEY_BLOB_MAX)
		writer_u8(&blob, 0);
	ck_assert_int_eq(
	    key_parse_blob(keyfiles_span(&blob), 1024, &key), -EMSGSIZE);
}
END_TEST

START_TEST(line_type_mismatch)
{
	AUTO(key_done) struct key *key = load_made(0);
	AUTOFREE char *line = line_of(key);
	struct key *other = NULL;
	char text[512];

	snprintf(text, sizeof(text), "ssh-rsa %s", strchr(line, ' ') + 1);
	ck_assert_int_eq(
	    key_parse_line(span_of(text, strlen(text)), 1024, &other, NULL),
	    -EBADMSG);
	snprintf(text, sizeof(text), "ssh-dss %s", strchr(line, ' ') + 1);
	ck_assert_int_eq(
	    key_parse_line(span_of(text, strlen(text)), 1024, &other, NULL),
	    -ENOTSUP);
	snprintf(text, sizeof(text), "%s=", line);
	ck_assert_int_eq(
	    key_parse_line(span_of(text, strlen(text)), 1024, &other, NULL),
	    -EBADMSG);
	ck_assert_int_eq(
	    key_parse_line(span_of("ssh-ed25519", 11), 1024, &other, NULL),
	    -EBADMSG);
	ck_assert_int_eq(
	    key_parse_line(span_of("", 0), 1024, &other, NULL), -ENOTSUP);
	snprintf(text, sizeof(text), " \t %s\t two words", line);
	ck_assert_int_eq(
	    key_parse_line(span_of(text, strlen(text)), 1024, &other, NULL), 0);
	ck_assert(key_equal(key, other));
	key_free(other);
}
END_TEST

START_TEST(rsa_1024)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;
	struct span line;

	keyfiles_read("rsa_1024.pub", &file);
	line = keyfiles_line(&file);
	ck_assert_int_eq(key_parse_line(line, KEY_RSA_BITS_DEFAULT, &key, NULL),
	    -EKEYREJECTED);
	ck_assert_int_eq(key_parse_line(line, 1025, &key, NULL), -EKEYREJECTED);
	ck_assert_int_eq(key_parse_line(line, 1024, &key, NULL), 0);
}
END_TEST

/* An RSA blob of any numbers: size bytes of 0xff, the lowest byte given. */
static int
rsa_parse(size_t size, uint8_t low, struct span e)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;

	writer_cstring(&blob, "ssh-rsa");
	writer_string(&blob, e.p, e.len);
	writer_u32(&blob, (uint32_t)size + 1);
	writer_u8(&blob, 0);
	for (size_t i = 0; i + 1 < size; i++)
		writer_u8(&blob, 0xff);
	writer_u8(&blob, low);
	return key_parse_blob(keyfiles_span(&blob), 0, &key);
}

START_TEST(rsa_bounds)
{
	struct span e3 = span_of("\x03", 1);

	ck_assert_int_eq(rsa_parse(2048 / 8, 0xff, e3), 0);
	ck_assert_int_eq(rsa_parse(16384 / 8, 0xff, e3), 0);
	ck_assert_int_eq(rsa_parse(16384 / 8 + 1, 0xff, e3), -EKEYREJECTED);
	/* 0 asks for the least that there is. */
	ck_assert_int_eq(rsa_parse(1024 / 8, 0xff, e3), 0);
	ck_assert_int_eq(rsa_parse(1024 / 8 - 1, 0xff, e3), -EKEYREJECTED);
	ck_assert_int_eq(rsa_parse(2048 / 8, 0xfe, e3), -EKEYREJECTED);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	int error;
} exponents[] = {
	{ "\x01\x00\x01", 3, 0 },
	{ "\x25", 1, 0 },
	{ "\x01", 1, -EKEYREJECTED },
	{ "\x02", 1, -EKEYREJECTED },
	{ "", 0, -EKEYREJECTED },
	{ "\x00", 1, -EBADMSG },
	{ "\x00\x03", 2, -EBADMSG },
	{ "\x83", 1, -EBADMSG },
	{ "\x00\xff\xff\xff\xff\xff\xff\xff\xff", 9, 0 },
	{ "\x01\xff\xff\xff\xff\xff\xff\xff\xff", 9, -EKEYREJECTED },
};

START_TEST(rsa_exponents)
{
	ck_assert_int_eq(rsa_parse(2048 / 8, 0xff,
			     span_of(exponents[_i].bytes, exponents[_i].len)),
	    exponents[_i].error);
}
END_TEST

/* A P-256 blob with this curve name and point. */
static int
point_parse(const char *curve, struct span point)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;

	writer_cstring(&blob, "ecdsa-sha2-nistp256");
	writer_cstring(&blob, curve);
	writer_string(&blob, point.p, point.len);
	return key_parse_blob(keyfiles_span(&blob), 0, &key);
}

START_TEST(points)
{
	AUTO(key_done) struct key *key = load_made(1);
	uint8_t point[65];

	memcpy(point, key_blob(key).p + key_blob(key).len - 65, 65);
	ck_assert_int_eq(point_parse("nistp256", span_of(point, 65)), 0);
	ck_assert_int_eq(point_parse("nistp384", span_of(point, 65)), -EBADMSG);
	ck_assert_int_eq(point_parse("nistp256", span_of(point, 64)), -EBADMSG);
	ck_assert_int_eq(point_parse("nistp256", span_of("", 0)), -EBADMSG);
	ck_assert_int_eq(point_parse("nistp256", span_of("\0", 1)), -EBADMSG);
	point[0] = point[64] & 1 ? 3 : 2;
	ck_assert_int_eq(point_parse("nistp256", span_of(point, 33)), -EBADMSG);
	point[0] = point[64] & 1 ? 7 : 6;
	ck_assert_int_eq(point_parse("nistp256", span_of(point, 65)), -EBADMSG);
	point[0] = 4;
	point[64] ^= 1;
	ck_assert_int_eq(
	    point_parse("nistp256", span_of(point, 65)), -EKEYREJECTED);
	memset(point + 1, 0, 64);
	ck_assert_int_eq(
	    point_parse("nistp256", span_of(point, 65)), -EKEYREJECTED);
	memset(point + 1, 0xff, 64);
	ck_assert_int_eq(
	    point_parse("nistp256", span_of(point, 65)), -EKEYREJECTED);
}
END_TEST

START_TEST(sign_and_verify)
{
	AUTO(key_done) struct key *private = load_private(_i);
	AUTO(key_done) struct key *key = load_made(_i);
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	struct span text = span_of(TEXT, strlen(TEXT));
	const struct key_alg *alg = key_alg_of(key_type(key));

	ck_assert(key_equal(key, private));
	ck_assert_int_eq(key_sign_raw(private, alg->digest, text, &sig), 0);
	ck_assert_int_eq(key_sign_raw(key, alg->digest, text, &sig), -ENOKEY);
	ck_assert_int_eq(
	    key_verify_raw(key, alg, keyfiles_span(&sig), text), 0);
	ck_assert_int_eq(key_verify_raw(key, alg, keyfiles_span(&sig),
			     span_of(TEXT, strlen(TEXT) - 1)),
	    -EKEYREJECTED);
	for (size_t i = 0; i < key_nalgs; i++)
		if (&key_algs[i] != alg)
			ck_assert_int_eq(key_verify_raw(key, &key_algs[i],
					     keyfiles_span(&sig), text),
			    -EKEYREJECTED);
	for (size_t i = 0; i < sig.len; i++) {
		sig.p[i] ^= (uint8_t)(1u << i % 8);
		ck_assert_int_eq(
		    key_verify_raw(key, alg, keyfiles_span(&sig), text),
		    -EKEYREJECTED);
		sig.p[i] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t len = 0; len < sig.len; len++)
		ck_assert_int_eq(
		    key_verify_raw(key, alg, span_of(sig.p, len), text),
		    -EKEYREJECTED);
	writer_u8(&sig, 0);
	ck_assert_int_eq(
	    key_verify_raw(key, alg, keyfiles_span(&sig), text), -EKEYREJECTED);
}
END_TEST

START_TEST(sign_digests)
{
	AUTO(key_done) struct key *private = load_private(_i);
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	struct span text = span_of(TEXT, strlen(TEXT));

	for (int d = KEY_DIGEST_NONE; d <= KEY_DIGEST_SHA512; d++) {
		const struct key_alg *alg =
		    key_alg_with(key_type(private), (enum key_digest)d);
		bool own = alg != NULL || (d == KEY_DIGEST_NONE &&
					      key_type(private) != KEY_RSA);

		sig.len = 0;
		ck_assert_int_eq(
		    key_sign_raw(private, (enum key_digest)d, text, &sig),
		    own ? 0 : -EINVAL);
		if (alg != NULL)
			ck_assert_int_eq(key_verify_raw(private, alg,
					     keyfiles_span(&sig), text),
			    0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("key");
	TCase *t = tcase_create("key");

	tcase_add_unchecked_fixture(t, setup, keyfiles_end);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, tables);
	tcase_add_loop_test(t, no_such_algorithm, 0, (int)nitems_of(no_alg));
	tcase_add_loop_test(t, public_line, 0, NMADE);
	tcase_add_loop_test(t, fingerprint, 0, NMADE);
	tcase_add_loop_test(t, blob_corrupt, 0, NMADE);
	tcase_add_loop_test(t, blob_truncated_and_trailing, 0, NMADE);
	tcase_add_test(t, blob_too_long);
	tcase_add_test(t, line_type_mismatch);
	tcase_add_test(t, rsa_1024);
	tcase_add_test(t, rsa_bounds);
	tcase_add_loop_test(t, rsa_exponents, 0, (int)nitems_of(exponents));
	tcase_add_test(t, points);
	tcase_add_loop_test(t, sign_and_verify, 0, NMADE);
	tcase_add_loop_test(t, sign_digests, 0, NMADE);
	suite_add_tcase(s, t);
	return tap_run(s);
}

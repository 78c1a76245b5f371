/*
 * Private key files in every form that ssh-keygen writes, with and without a
 * passphrase, damaged byte by byte, and with halves of two different keys.
 */
#include "config.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/key.h"
#include "common/own.h"
#include "regress/unit/keyfiles.h"
#include "regress/unit/tap.h"

#define TEXT "what was signed"
#define MARK_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define MARK_END "-----END OPENSSH PRIVATE KEY-----"

static const struct {
	const char *type, *bits, *format;
} made[] = {
	{ "ed25519", "256", "RFC4716" },
	{ "ecdsa", "256", "RFC4716" },
	{ "ecdsa", "384", "RFC4716" },
	{ "ecdsa", "521", "RFC4716" },
	{ "rsa", "2048", "RFC4716" },
	{ "ecdsa", "256", "PKCS8" },
	{ "ecdsa", "384", "PKCS8" },
	{ "ecdsa", "521", "PKCS8" },
	{ "rsa", "2048", "PKCS8" },
	{ "ecdsa", "256", "PEM" },
	{ "rsa", "2048", "PEM" },
};
#define NMADE ((int)nitems_of(made))
#define NOPENSSH 5 /* the first ones */

static void
made_name(int i, char *out_name, const char *prefix, const char *suffix)
{
	snprintf(out_name, 64, "%s%s_%s_%s%s", prefix, made[i].type,
	    made[i].bits, made[i].format, suffix);
}

static void
setup(void)
{
	char name[64];

	keyfiles_begin();
	for (int i = 0; i < NMADE; i++) {
		made_name(i, name, "", "");
		keyfiles_make(
		    name, made[i].type, made[i].bits, made[i].format, "");
		made_name(i, name, "secret_", "");
		keyfiles_make(name, made[i].type, made[i].bits, made[i].format,
		    "a passphrase");
	}
	keyfiles_make("other_ed25519", "ed25519", "256", "RFC4716", "");
	keyfiles_make("rsa_1024", "rsa", "1024", "PEM", "");
}

static void
proves(const struct key *private, const struct key *public)
{
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	const struct key_alg *alg = key_alg_of(key_type(private));
	struct span text = span_of(TEXT, strlen(TEXT));

	ck_assert(key_equal(private, public));
	ck_assert_int_eq(key_sign_raw(private, alg->digest, text, &sig), 0);
	ck_assert_int_eq(
	    key_verify_raw(public, alg, keyfiles_span(&sig), text), 0);
}

static struct key *
load_public(int i)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	struct key *key = NULL;
	char name[64];

	made_name(i, name, "", ".pub");
	keyfiles_read(name, &file);
	ck_assert_int_eq(
	    key_parse_line(keyfiles_line(&file), 0, &key, NULL), 0);
	return key;
}

START_TEST(loaded)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTO(key_done) struct key *public = load_public(_i);
	AUTO(key_done) struct key *key = NULL;
	char name[64];

	made_name(_i, name, "", "");
	keyfiles_read(name, &file);
	ck_assert(!key_needs_passphrase(keyfiles_span(&file)));
	ck_assert_int_eq(
	    key_load_private(keyfiles_span(&file), KEY_RSA_BITS_DEFAULT, &key),
	    0);
	proves(key, public);
}
END_TEST

START_TEST(encrypted)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	struct key *key = NULL;
	char name[64];

	made_name(_i, name, "secret_", "");
	keyfiles_read(name, &file);
	ck_assert(key_needs_passphrase(keyfiles_span(&file)));
	ck_assert_int_eq(
	    key_load_private(keyfiles_span(&file), 0, &key), -EKEYREJECTED);
	ck_assert_ptr_null(key);
}
END_TEST

static const char *const bad[] = {
	"",
	"\n",
	"hello",
	"-----BEGIN RSA PRIVATE KEY-----\n",
	"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE "
	"KEY-----\n",
	MARK_BEGIN,
	MARK_BEGIN MARK_END,
	MARK_BEGIN "\nAAAA\n" MARK_END "\n",
	MARK_BEGIN "\nb3BlbnNzaC1rZXktdjEA\n" MARK_END "\n",
	MARK_BEGIN "\n!!!!\n" MARK_END "\n",
};

START_TEST(not_a_key)
{
	struct key *key = NULL;
	struct span text = span_of(bad[_i], strlen(bad[_i]));

	ck_assert(!key_needs_passphrase(text));
	ck_assert_int_eq(key_load_private(text, 0, &key), -EBADMSG);
	ck_assert_ptr_null(key);
}
END_TEST

START_TEST(too_long)
{
	AUTOFREE uint8_t *big = calloc(1, KEY_FILE_MAX + 1);
	struct key *key = NULL;

	ck_assert_int_eq(
	    key_load_private(span_of(big, KEY_FILE_MAX + 1), 0, &key),
	    -EMSGSIZE);
}
END_TEST

START_TEST(rsa_1024)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;

	keyfiles_read("rsa_1024", &file);
	ck_assert_int_eq(
	    key_load_private(keyfiles_span(&file), KEY_RSA_BITS_DEFAULT, &key),
	    -EKEYREJECTED);
	ck_assert_int_eq(key_load_private(keyfiles_span(&file), 1024, &key), 0);
}
END_TEST

/* The bytes inside an openssh-key-v1 file. */
static void
armor_open(const char *name, struct writer *out)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTO(writer_done) struct writer text = WRITER_INIT;
	const char *end;

	keyfiles_read(name, &file);
	end = strstr((char *)file.p, MARK_END);
	for (const char *p = (char *)file.p + strlen(MARK_BEGIN); p < end; p++)
		if (*p != '\n')
			writer_u8(&text, (uint8_t)*p);
	ck_assert_int_eq(base64_decode(keyfiles_span(&text), out), 0);
}

static int
armor_load(struct span bytes, struct key **out_key)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTOFREE char *text = NULL;

	ck_assert_int_eq(base64_encode(bytes, BASE64_PADDED, &text), 0);
	writer_bytes(&file, MARK_BEGIN "\n", strlen(MARK_BEGIN) + 1);
	writer_bytes(&file, text, strlen(text));
	writer_bytes(&file, "\r\n" MARK_END "\n \n", strlen(MARK_END) + 5);
	return key_load_private(keyfiles_span(&file), 0, out_key);
}

/*
 * A file with one byte changed is refused, or what changed does not matter:
 * the comment, or a CRT number that libcrypto can do without.
 */
START_TEST(corrupt)
{
	AUTO(writer_done) struct writer bytes = WRITER_INIT;
	AUTO(key_done) struct key *public = load_public(_i);
	size_t refused = 0;
	char name[64];

	made_name(_i, name, "", "");
	armor_open(name, &bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		AUTO(key_done) struct key *key = NULL;

		bytes.p[i] ^= (uint8_t)(1u << i % 8);
		if (armor_load(keyfiles_span(&bytes), &key) != 0)
			refused++;
		else
			proves(key, public);
		bytes.p[i] ^= (uint8_t)(1u << i % 8);
	}
	/* 9 bytes of comment, and iqmp of half the modulus. */
	ck_assert_uint_ge(refused, bytes.len - 9 - 128);
	if (key_type(public) != KEY_RSA)
		ck_assert_uint_ge(refused, bytes.len - 9);
}
END_TEST

START_TEST(truncated_and_trailing)
{
	AUTO(writer_done) struct writer bytes = WRITER_INIT;
	AUTO(key_done) struct key *whole = NULL;
	struct key *key = NULL;
	char name[64];

	made_name(_i, name, "", "");
	armor_open(name, &bytes);
	ck_assert_int_eq(armor_load(keyfiles_span(&bytes), &whole), 0);
	for (size_t len = 0; len < bytes.len; len++)
		ck_assert_int_eq(
		    armor_load(span_of(bytes.p, len), &key), -EBADMSG);
	writer_u8(&bytes, 0);
	ck_assert_int_eq(armor_load(keyfiles_span(&bytes), &key), -EBADMSG);
}
END_TEST

START_TEST(behind_the_end)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	struct key *key = NULL;
	char name[64];

	made_name(0, name, "", "");
	keyfiles_read(name, &file);
	writer_bytes(&file, "x", 1);
	ck_assert_int_eq(
	    key_load_private(keyfiles_span(&file), 0, &key), -EBADMSG);
}
END_TEST

/* The public half of one key outside, another whole key inside. */
START_TEST(halves_of_two_keys)
{
	AUTO(writer_done) struct writer bytes = WRITER_INIT;
	AUTO(writer_done) struct writer other = WRITER_INIT;
	struct key *key = NULL;
	char name[64];
	size_t at = sizeof("openssh-key-v1") + 4 + 4 + 4 + 4 + 4 + 4 + 4;

	made_name(0, name, "", "");
	armor_open(name, &bytes);
	armor_open("other_ed25519", &other);
	ck_assert_uint_eq(bytes.len, other.len);
	/* string "ssh-ed25519", string public: 51 bytes behind the lengths. */
	memcpy(bytes.p + at, other.p + at, 51);
	ck_assert_int_eq(
	    armor_load(keyfiles_span(&bytes), &key), -EKEYREJECTED);
	ck_assert_ptr_null(key);
}
END_TEST

/* The right scalar, but beside it a point of another key. */
START_TEST(point_of_another_key)
{
	AUTO(writer_done) struct writer bytes = WRITER_INIT;
	AUTO(key_done) struct key *public = load_public(1);
	AUTO(key_done) struct key *stranger = load_public(5);
	struct key *key = NULL;
	uint8_t *point = NULL;
	char name[64];

	made_name(1, name, "", "");
	armor_open(name, &bytes);
	for (size_t i = 0; i + 65 <= bytes.len; i++)
		if (memcmp(bytes.p + i,
			key_blob(public).p + key_blob(public).len - 65,
			65) == 0)
			point = bytes.p + i;
	ck_assert_ptr_nonnull(point);
	memcpy(point, key_blob(stranger).p + key_blob(stranger).len - 65, 65);
	ck_assert_int_eq(
	    armor_load(keyfiles_span(&bytes), &key), -EKEYREJECTED);
}
END_TEST

/* PKCS#8 that libcrypto wrote, of kinds that ssh-keygen does not write. */
static const struct {
	const char *algorithm, *group;
	int error;
} pkcs8[] = {
	{ "ED25519", NULL, 0 },
	{ "X25519", NULL, -ENOTSUP },
	{ "ED448", NULL, -ENOTSUP },
	{ "EC", "P-256", 0 },
	{ "EC", "secp256k1", -ENOTSUP },
};

START_TEST(pkcs8_kinds)
{
	EVP_PKEY *pkey =
	    pkcs8[_i].group != NULL
		? EVP_PKEY_Q_keygen(
		      NULL, NULL, pkcs8[_i].algorithm, pkcs8[_i].group)
		: EVP_PKEY_Q_keygen(NULL, NULL, pkcs8[_i].algorithm);
	AUTO(key_done) struct key *key = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	ck_assert_int_eq(
	    PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	ck_assert_int_eq(key_load_private(span_of(text, (size_t)len), 0, &key),
	    pkcs8[_i].error);
	if (key != NULL)
		proves(key, key);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("key_private");
	TCase *t = tcase_create("key_private");

	tcase_add_unchecked_fixture(t, setup, keyfiles_end);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, loaded, 0, NMADE);
	tcase_add_loop_test(t, encrypted, 0, NMADE);
	tcase_add_loop_test(t, not_a_key, 0, (int)nitems_of(bad));
	tcase_add_test(t, too_long);
	tcase_add_test(t, rsa_1024);
	tcase_add_loop_test(t, corrupt, 0, NOPENSSH);
	tcase_add_loop_test(t, truncated_and_trailing, 0, NOPENSSH);
	tcase_add_test(t, behind_the_end);
	tcase_add_test(t, halves_of_two_keys);
	tcase_add_test(t, point_of_another_key);
	tcase_add_loop_test(t, pkcs8_kinds, 0, (int)nitems_of(pkcs8));
	suite_add_tcase(s, t);
	return tap_run(s);
}

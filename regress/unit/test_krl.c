/*
 * Lists of revoked keys: each section that PROTOCOL.krl has, written byte by
 * byte, cut at each byte, and lists as text. What ssh-keygen -k makes is tried
 * by regress/system/revoked-keys.py.
 */
#include "config.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/err.h"
#include "common/krl.h"
#include "common/own.h"
#include "regress/unit/tap.h"

#define SERIAL 1000
#define EXTENSION 255

static const char *const lines[] = {
	"ssh-ed25519 "
	"AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8"
	"CGmj3B1Ea",
	"ssh-ed25519 "
	"AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMD"
	"Vpj+wXHgi",
};
static struct key *keys[2];
static struct cert cert;

static void
setup(void)
{
	for (size_t i = 0; i < nitems_of(keys); i++)
		ck_assert_int_eq(
		    key_parse_line(
			span_of(lines[i], strlen(lines[i])), 0, &keys[i], NULL),
		    0);
	/* As cert_parse() would make it: only these parts are looked at. */
	cert = (struct cert){ .key = keys[0], .ca = keys[1] };
	cert.serial = SERIAL;
	cert.key_id = span_of("some one", 8);
}

static void
teardown(void)
{
	for (size_t i = 0; i < nitems_of(keys); i++)
		key_done(&keys[i]);
}

/* --- writing */

static void
header(struct writer *w, uint32_t version)
{
	writer_bytes(w, "SSHKRL\n", 8);
	writer_u32(w, version);
	writer_u64(w, 1);
	writer_u64(w, 0);
	writer_u64(w, 0);
	writer_cstring(w, "");
	writer_cstring(w, "a comment");
}

static void
section(struct writer *w, uint8_t type, const struct writer *body)
{
	writer_u8(w, type);
	writer_string(w, body->p != NULL ? (void *)body->p : "", body->len);
}

/* A section for certificates of an authority (NULL: any), with one part. */
static void
certificates(struct writer *w, const struct key *ca, uint8_t type,
    const struct writer *part)
{
	AUTO(writer_done) struct writer body = WRITER_INIT;
	struct span blob = ca != NULL ? key_blob(ca) : span_of("", 0);

	writer_string(&body, blob.p, blob.len);
	writer_cstring(&body, "");
	section(&body, type, part);
	section(w, 1, &body);
}

static int
check(const struct writer *w, const struct cert *c)
{
	return krl_check(span_of(w->p, w->len), keys[0], c);
}

/*
 * The whole list revokes; cut anywhere it is malformed, but where a section
 * ends: that is a list too, which says less.
 */
static void
revokes(const struct writer *w, const struct cert *c)
{
	size_t whole = 0;

	ck_assert_int_eq(check(w, c), -EKEYREVOKED);
	for (size_t len = 0; len < w->len; len++) {
		int rc = krl_check(span_of(w->p, len), keys[0], c);

		ck_assert(rc == -EBADMSG || rc == 0);
		whole += rc == 0;
	}
	ck_assert_uint_eq(whole, 1); /* the header alone */
}

/* --- keys */

static void
blob_list(struct writer *w, uint8_t type, const struct key *key)
{
	AUTO(writer_done) struct writer body = WRITER_INIT;
	struct span blob = key_blob(key);
	const EVP_MD *md = type == 3 ? EVP_sha1() : EVP_sha256();
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	header(w, 1);
	if (type == 2) {
		writer_string(&body, blob.p, blob.len);
	} else {
		EVP_Digest(blob.p, blob.len, hash, &len, md, NULL);
		writer_string(&body, hash, len);
	}
	section(w, type, &body);
}

START_TEST(keys_and_hashes)
{
	static const uint8_t types[] = { 2, 3, 5 };
	AUTO(writer_done) struct writer hers = WRITER_INIT;
	AUTO(writer_done) struct writer other = WRITER_INIT;

	blob_list(&hers, types[_i], keys[0]);
	revokes(&hers, NULL);
	revokes(&hers, &cert);
	blob_list(&other, types[_i], keys[1]);
	ck_assert_int_eq(check(&other, NULL), 0);
	/* The authority's own key is asked about by itself. */
	ck_assert_int_eq(check(&other, &cert), 0);
}
END_TEST

START_TEST(hash_of_wrong_length)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(writer_done) struct writer body = WRITER_INIT;

	header(&w, 1);
	writer_string(&body, "0123456789012345678", 19);
	section(&w, _i == 0 ? 3 : 5, &body);
	ck_assert_int_eq(check(&w, NULL), -EBADMSG);
}
END_TEST

/* --- certificates */

/* The part with these serial numbers, or the key id. */
static void
make_part(uint8_t type, uint64_t first, uint64_t last, struct writer *out)
{
	static const uint8_t bits[] = { 0x40, 0, 0, 1 }; /* bits 0 and 30 */

	if (type == 0x23) {
		writer_cstring(out, "nobody");
		writer_cstring(out, first == SERIAL ? "some one" : "some two");
		return;
	}
	writer_u64(out, first);
	if (type == 0x22)
		writer_string(out, bits, sizeof(bits));
	else
		writer_u64(out, last);
}

static const struct {
	uint8_t type;
	uint64_t first, last;
	bool revoked;
} parts[] = {
	{ 0x20, 1, SERIAL, true },
	{ 0x20, 1, SERIAL + 1, false },
	{ 0x21, SERIAL, SERIAL, true },
	{ 0x21, 1, UINT64_MAX, true },
	{ 0x21, 1, SERIAL - 1, false },
	{ 0x21, SERIAL + 1, UINT64_MAX, false },
	{ 0x22, SERIAL, 0, true },
	{ 0x22, SERIAL - 30, 0, true },
	{ 0x22, SERIAL - 1, 0, false },
	{ 0x22, SERIAL - 31, 0, false },
	{ 0x22, SERIAL + 1, 0, false },
	{ 0x23, SERIAL, 0, true },
	{ 0x23, 0, 0, false },
};

START_TEST(serials_and_ids)
{
	AUTO(writer_done) struct writer part = WRITER_INIT;
	const struct key *const cas[] = { keys[1], NULL };

	make_part(parts[_i].type, parts[_i].first, parts[_i].last, &part);
	for (size_t i = 0; i < nitems_of(cas); i++) {
		AUTO(writer_done) struct writer w = WRITER_INIT;

		header(&w, 1);
		certificates(&w, cas[i], parts[_i].type, &part);
		if (parts[_i].revoked)
			revokes(&w, &cert);
		else
			ck_assert_int_eq(check(&w, &cert), 0);
		/* A plain key has neither. */
		ck_assert_int_eq(check(&w, NULL), 0);
	}
}
END_TEST

START_TEST(another_authority)
{
	AUTO(writer_done) struct writer part = WRITER_INIT;
	AUTO(writer_done) struct writer w = WRITER_INIT;

	make_part(parts[_i].type, parts[_i].first, parts[_i].last, &part);
	header(&w, 1);
	certificates(&w, keys[0], parts[_i].type, &part);
	ck_assert_int_eq(check(&w, &cert), 0);
}
END_TEST

/* An authority that gives no serial numbers gives 0. */
START_TEST(no_serial)
{
	AUTO(writer_done) struct writer part = WRITER_INIT;
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct cert none = cert;

	none.serial = 0;
	make_part(0x21, 0, UINT64_MAX, &part);
	header(&w, 1);
	certificates(&w, NULL, 0x21, &part);
	ck_assert_int_eq(check(&w, &none), 0);
	ck_assert_int_eq(check(&w, &cert), -EKEYREVOKED);
}
END_TEST

static void
bad_part(uint8_t type, const void *p, size_t len, int rc)
{
	AUTO(writer_done) struct writer part = WRITER_INIT;
	AUTO(writer_done) struct writer w = WRITER_INIT;

	writer_bytes(&part, p, len);
	header(&w, 1);
	certificates(&w, keys[1], type, &part);
	ck_assert_int_eq(check(&w, &cert), rc);
}

START_TEST(bad_parts)
{
	static const uint8_t backwards[16] = { [7] = 9, [15] = 8 };
	static const uint8_t negative[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1,
		0x80 };
	static const uint8_t wraps[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0, 0, 0, 1, 2 };

	bad_part(0x20, backwards, 7, -EBADMSG);
	bad_part(0x21, backwards, 16, -EBADMSG);
	bad_part(0x21, backwards, 15, -EBADMSG);
	bad_part(0x22, negative, sizeof(negative), -EBADMSG);
	bad_part(0x22, wraps, sizeof(wraps), -EBADMSG);
	bad_part(0x24, "", 0, -ENOTSUP);
	bad_part(0x39, "\0\0\0\1x\1\0\0\0\0", 10, -ENOTSUP);
	bad_part(0x39, "\0\0\0\1x\0\0\0\0\0", 10, 0);
	bad_part(0x39, "\0\0\0\1x\0\0\0\0\0y", 11, -EBADMSG);
}
END_TEST

/* --- the whole */

START_TEST(other_sections)
{
	AUTO(writer_done) struct writer body = WRITER_INIT;
	AUTO(writer_done) struct writer w = WRITER_INIT;
	size_t len;

	blob_list(&w, 2, keys[1]);
	writer_bytes(&body, "\0\0\0\1x\0\0\0\0\0", 10);
	section(&w, EXTENSION, &body); /* not critical */
	ck_assert_int_eq(check(&w, NULL), 0);
	/* Signatures are passed over, and nothing may follow them. */
	writer_u8(&w, 4);
	writer_cstring(&w, "key");
	writer_cstring(&w, "signature");
	ck_assert_int_eq(check(&w, NULL), 0);
	len = w.len;
	section(&w, 2, &body);
	ck_assert_int_eq(check(&w, NULL), -EBADMSG);
	w.len = len;
	writer_u8(&w, 4);
	ck_assert_int_eq(check(&w, NULL), -EBADMSG);
}
END_TEST

START_TEST(not_ours)
{
	AUTO(writer_done) struct writer version = WRITER_INIT;
	AUTO(writer_done) struct writer critical = WRITER_INIT;
	AUTO(writer_done) struct writer unknown = WRITER_INIT;
	AUTO(writer_done) struct writer body = WRITER_INIT;

	header(&version, 2);
	ck_assert_int_eq(check(&version, NULL), -ENOTSUP);
	writer_bytes(&body, "\0\0\0\1x\1\0\0\0\0", 10);
	header(&critical, 1);
	section(&critical, EXTENSION, &body);
	ck_assert_int_eq(check(&critical, NULL), -ENOTSUP);
	header(&unknown, 1);
	section(&unknown, 9, &body);
	ck_assert_int_eq(check(&unknown, NULL), -ENOTSUP);
}
END_TEST

/* --- text */

static const struct {
	const char *text;
	int rc;
	unsigned line;
} texts[] = {
	{ "", 0, 0 },
	{ "\n\n# nothing\n \t\n", 0, 0 },
	{ "KEY0", -EKEYREVOKED, 0 },
	{ "  KEY0 a comment\r\n", -EKEYREVOKED, 0 },
	{ "KEY1\n# x\nKEY0\n", -EKEYREVOKED, 0 },
	{ "KEY1\n", 0, 0 },
	{ "ssh-dss AAAAB3NzaC1kc3MAAAABAA==\n", 0, 0 },
	{ "PRINT0\n", -EKEYREVOKED, 0 },
	{ "SHA256:AAAA\n", 0, 0 },
	{ "nonsense\n", -EBADMSG, 1 },
	{ "KEY1\nssh-ed25519\n", -EBADMSG, 2 },
	{ "KEY0\nssh-ed25519 %%\n", -EBADMSG, 2 },
	{ "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv\n", -EBADMSG, 1 },
};

/* The text with its words in capitals filled in. */
static void
fill(const char *text, struct writer *out)
{
	AUTOFREE char *print = NULL;

	ck_assert_int_eq(key_fingerprint(keys[0], KEY_HASH_SHA256, &print), 0);
	while (*text != '\0') {
		const char *word = strncmp(text, "KEY0", 4) == 0     ? lines[0]
				   : strncmp(text, "KEY1", 4) == 0   ? lines[1]
				   : strncmp(text, "PRINT0", 6) == 0 ? print
								     : NULL;

		if (word == NULL) {
			writer_bytes(out, text++, 1);
			continue;
		}
		writer_bytes(out, word, strlen(word));
		text += word == print ? 6 : 4;
	}
}

START_TEST(text)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	unsigned line = 0;

	fill(texts[_i].text, &w);
	ck_assert(!krl_is_binary(span_of(w.p, w.len)));
	ck_assert_int_eq(
	    krl_check_text(span_of(w.p, w.len), keys[0], &line), texts[_i].rc);
	ck_assert_uint_eq(line, texts[_i].line);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("krl");
	TCase *t = tcase_create("krl");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, keys_and_hashes, 0, 3);
	tcase_add_loop_test(t, hash_of_wrong_length, 0, 2);
	tcase_add_loop_test(t, serials_and_ids, 0, nitems_of(parts));
	tcase_add_loop_test(t, another_authority, 0, nitems_of(parts));
	tcase_add_test(t, no_serial);
	tcase_add_test(t, bad_parts);
	tcase_add_test(t, other_sections);
	tcase_add_test(t, not_ours);
	tcase_add_loop_test(t, text, 0, nitems_of(texts));
	suite_add_tcase(s, t);
	return tap_run(s);
}

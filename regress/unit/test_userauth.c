/*
 * The signed bytes of public key authentication: what RFC 4252 section 7
 * says, each field wrong in turn, and each algorithm against each key type.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/userauth.h"
#include "regress/unit/tap.h"

#define KEY_FILL 40 /* bytes behind the type name; not looked at here */

static struct span
text_span(const char *text)
{
	return span_of(text, strlen(text));
}

static struct span
whole(const struct writer *w)
{
	return span_of(w->p, w->len);
}

/* Something that begins as a key of this type does. */
static void
put_key(struct writer *w, const char *type)
{
	writer_cstring(w, type);
	for (int i = 0; i < KEY_FILL; i++)
		writer_u8(w, (uint8_t)i);
}

/* The parts of a blob, each of which a test may change. */
struct parts {
	size_t session_id_len;
	uint8_t request;
	const char *user, *service, *method;
	uint8_t has_signature;
	const char *alg, *key_type;
	const char *host_key_type; /* NULL: no such field */
};

static const struct parts plain = { 32, 50, "alice", "ssh-connection",
	"publickey", 1, "ssh-ed25519", "ssh-ed25519", NULL };
static const struct parts hostbound = { 64, 50, "alice", "ssh-connection",
	"publickey-hostbound-v00@openssh.com", 1, "ssh-ed25519", "ssh-ed25519",
	"ssh-rsa" };

static void
put_parts(struct writer *w, const struct parts *p)
{
	AUTO(writer_done) struct writer key = WRITER_INIT;
	AUTO(writer_done) struct writer host_key = WRITER_INIT;
	uint8_t id[128];

	memset(id, 0x5a, sizeof(id));
	writer_string(w, id, p->session_id_len);
	writer_u8(w, p->request);
	writer_cstring(w, p->user);
	writer_cstring(w, p->service);
	writer_cstring(w, p->method);
	writer_u8(w, p->has_signature);
	writer_cstring(w, p->alg);
	put_key(&key, p->key_type);
	writer_string(w, key.p, key.len);
	if (p->host_key_type == NULL)
		return;
	put_key(&host_key, p->host_key_type);
	writer_string(w, host_key.p, host_key.len);
}

static int
parse_parts(const struct parts *p, struct userauth_blob *out_blob)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	put_parts(&w, p);
	return userauth_parse(whole(&w), out_blob);
}

static void
round_trip(const struct parts *p)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(writer_done) struct writer again = WRITER_INIT;
	struct userauth_blob b;

	put_parts(&w, p);
	ck_assert_int_eq(userauth_parse(whole(&w), &b), 0);
	ck_assert_uint_eq(b.session_id.len, p->session_id_len);
	ck_assert(span_is(b.user, p->user));
	ck_assert(span_is(b.service, p->service));
	ck_assert(span_is(b.alg_name, p->alg));
	ck_assert(b.hostbound == (p->host_key_type != NULL));
	ck_assert_str_eq(b.alg->name, "ssh-ed25519");
	ck_assert_int_eq((int)b.kind->type, KEY_ED25519);
	ck_assert(!b.cert);
	ck_assert_int_eq(userauth_build(&b, &again), 0);
	ck_assert(span_eq(whole(&w), whole(&again)));
}

START_TEST(both_forms)
{
	round_trip(&plain);
	round_trip(&hostbound);
}
END_TEST

/* Every truncation, in its own allocation so that reading on is seen. */
static void
truncate_all(const struct parts *p)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct userauth_blob b;

	put_parts(&w, p);
	for (size_t len = 0; len < w.len; len++) {
		AUTOFREE uint8_t *cut = malloc(len + 1);

		memcpy(cut, w.p, len);
		ck_assert_int_eq(
		    userauth_parse(span_of(cut, len), &b), -EBADMSG);
	}
	writer_u8(&w, 0);
	ck_assert_int_eq(userauth_parse(whole(&w), &b), -EBADMSG);
}

START_TEST(truncated_and_trailing)
{
	truncate_all(&plain);
	truncate_all(&hostbound);
}
END_TEST

/* A changed byte is refused or gives other fields: never the same again. */
START_TEST(corrupt)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	put_parts(&w, &plain);
	for (size_t i = 0; i < w.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			AUTO(writer_done) struct writer again = WRITER_INIT;
			struct userauth_blob b;

			w.p[i] ^= (uint8_t)(1u << bit);
			if (userauth_parse(whole(&w), &b) == 0) {
				userauth_build(&b, &again);
				ck_assert(span_eq(whole(&w), whole(&again)));
			}
			w.p[i] ^= (uint8_t)(1u << bit);
		}
	}
}
END_TEST

START_TEST(wrong_fields)
{
	struct userauth_blob b = { .alg = NULL };
	struct parts p = plain;

	p.request = 51;
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	p = plain;
	p.has_signature = 0;
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	p.has_signature = 2;
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	p = plain;
	p.method = "password";
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	p.method = "";
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	p = plain;
	p.session_id_len = USERAUTH_SESSION_ID_MIN - 1;
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	p.session_id_len = USERAUTH_SESSION_ID_MAX + 1;
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	/* The host key must be there exactly when the method says so. */
	p = plain;
	p.host_key_type = "ssh-rsa";
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	p = hostbound;
	p.host_key_type = NULL;
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	ck_assert_ptr_null(b.alg);
}
END_TEST

START_TEST(limits)
{
	struct userauth_blob b;
	struct parts p = plain;
	char name[USERAUTH_NAME_MAX + 2];
	AUTOFREE uint8_t *big = calloc(1, USERAUTH_BLOB_MAX + 1);

	memset(name, 'u', sizeof(name));
	name[USERAUTH_NAME_MAX] = '\0';
	p.user = name;
	ck_assert_int_eq(parse_parts(&p, &b), 0);
	name[USERAUTH_NAME_MAX] = 'u';
	name[USERAUTH_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(parse_parts(&p, &b), -EBADMSG);
	ck_assert_int_eq(
	    userauth_parse(span_of(big, USERAUTH_BLOB_MAX + 1), &b), -EMSGSIZE);
}
END_TEST

/* Every algorithm name with every key type, plain and certificate. */
START_TEST(algorithm_belongs_to_key)
{
	unsigned accepted = 0;

	for (size_t a = 0; a < 2 * key_nalgs; a++) {
		for (size_t k = 0; k < 2 * (size_t)KEY_TYPE_COUNT; k++) {
			const struct key_alg *alg = &key_algs[a / 2];
			const struct key_kind *kind = &key_kinds[k / 2];
			bool fits = alg->type == kind->type && a % 2 == k % 2;
			struct userauth_blob b = { .alg = NULL };
			struct parts p = plain;

			p.alg = a % 2 ? alg->cert_name : alg->name;
			p.key_type = k % 2 ? kind->cert_name : kind->name;
			ck_assert_int_eq(
			    parse_parts(&p, &b), fits ? 0 : -EKEYREJECTED);
			if (!fits)
				continue;
			accepted++;
			ck_assert_ptr_eq(b.alg, alg);
			ck_assert_ptr_eq(b.kind, kind);
			ck_assert(b.cert == (a % 2 == 1));
		}
	}
	ck_assert_uint_eq(accepted, 2 * key_nalgs);
}
END_TEST

static const struct {
	const char *alg, *key_type;
} refused[] = {
	{ "ssh-rsa", "ssh-rsa" }, /* SHA-1 */
	{ "ssh-rsa-cert-v01@openssh.com", "ssh-rsa-cert-v01@openssh.com" },
	{ "rsa-sha2-256", "rsa-sha2-256" }, /* no type of key */
	{ "ssh-dss", "ssh-dss" },
	{ "none", "ssh-ed25519" },
	{ "", "ssh-ed25519" },
	{ "ssh-ed25519", "" },
	{ "ssh-ed25519,rsa-sha2-256", "ssh-ed25519" },
	{ "SSH-ED25519", "ssh-ed25519" },
};

START_TEST(algorithm_refused)
{
	struct userauth_blob b;
	struct parts p = plain;

	p.alg = refused[_i].alg;
	p.key_type = refused[_i].key_type;
	ck_assert_int_eq(parse_parts(&p, &b), -EKEYREJECTED);
}
END_TEST

START_TEST(key_without_type)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct userauth_blob b = { .session_id = text_span(
				       "0123456789abcdef0123456789abcdef"),
		.user = text_span("alice"),
		.service = text_span("ssh-connection"),
		.alg_name = text_span("ssh-ed25519"),
		.key = span_of("\0\0\0\xffssh-ed25519", 15) };

	ck_assert_int_eq(userauth_build(&b, &w), 0);
	ck_assert_int_eq(userauth_parse(whole(&w), &b), -EBADMSG);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("userauth");
	TCase *t = tcase_create("userauth");

	tcase_add_test(t, both_forms);
	tcase_add_test(t, truncated_and_trailing);
	tcase_add_test(t, corrupt);
	tcase_add_test(t, wrong_fields);
	tcase_add_test(t, limits);
	tcase_add_test(t, algorithm_belongs_to_key);
	tcase_add_loop_test(t, algorithm_refused, 0, (int)nitems_of(refused));
	tcase_add_test(t, key_without_type);
	suite_add_tcase(s, t);
	return tap_run(s);
}

/*
 * Certificates made by ssh-keygen, of every type of key and authority, each
 * byte changed in turn; and their options.
 */
#include "config.h"

#include <string.h>

#include "common/authkeys.h"
#include "common/base64.h"
#include "common/cert.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/keyfiles.h"
#include "regress/unit/tap.h"

/* FROM and TO are seconds since 1970. */
#define FROM "19700101000100Z"
#define TO "20300101000000Z"
#define FROM_SECONDS 60
#define TO_SECONDS 1893456000

static const struct {
	const char *name, *type, *bits;
} keys[] = {
	{ "ed", "ed25519", "256" },
	{ "ec", "ecdsa", "256" },
	{ "ec384", "ecdsa", "384" },
	{ "ec521", "ecdsa", "521" },
	{ "rsa", "rsa", "2048" },
};
#define NKEYS ((int)nitems_of(keys))

/* Public keys of tokens that nobody has. */
static const char sk_ed[] = "sk-ssh-ed25519@openssh.com";

static void
make_token(void)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTOFREE char *text = NULL;
	char path[PATH_MAX];
	uint8_t pub[32] = { 9 };
	FILE *f;

	writer_cstring(&w, sk_ed);
	writer_string(&w, pub, sizeof(pub));
	writer_cstring(&w, "ssh:");
	ck_assert_int_eq(
	    base64_encode(keyfiles_span(&w), BASE64_PADDED, &text), 0);
	keyfiles_path("sk.pub", path);
	f = fopen(path, "we");
	fprintf(f, "%s %s\n", sk_ed, text);
	fclose(f);
}

static void
setup(void)
{
	char name[64];

	keyfiles_begin();
	for (int i = 0; i < NKEYS; i++) {
		keyfiles_make(
		    keys[i].name, keys[i].type, keys[i].bits, "RFC4716", "");
		snprintf(name, sizeof(name), "ca_%s", keys[i].name);
		keyfiles_make(name, keys[i].type, keys[i].bits, "RFC4716", "");
	}
	make_token();
}

/*
 * Certify NAME.pub: with up to six more arguments for ssh-keygen, of which a
 * NULL ends the list. *out_blob holds the certificate.
 */
static void
certify(const char *ca, const char *name, const char *const more[6],
    struct writer *out_blob)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	char ca_path[PATH_MAX], pub_path[PATH_MAX], file_name[64];
	const char *argv[20] = { "ssh-keygen", "-q", "-s", ca_path, "-I",
		"the id", "-z", "7", "-V", FROM ":" TO };
	size_t n = 10;
	uint8_t *end;

	keyfiles_path(ca, ca_path);
	snprintf(file_name, sizeof(file_name), "%s.pub", name);
	keyfiles_path(file_name, pub_path);
	for (size_t i = 0; i < 6 && more[i] != NULL; i++)
		argv[n++] = more[i];
	argv[n++] = pub_path;
	argv[n] = NULL;
	ck_assert_int_eq(keyfiles_run(argv), 0);
	snprintf(file_name, sizeof(file_name), "%s-cert.pub", name);
	keyfiles_read(file_name, &file);
	end = (uint8_t *)strchr((char *)file.p, ' ') + 1;
	ck_assert_int_eq(
	    base64_decode(span_of(end, strcspn((char *)end, " \n")), out_blob),
	    0);
}

#define NONE ((const char *const[6]){ NULL })
#define WITH(...) ((const char *const[6]){ __VA_ARGS__, NULL })

static int
parse(const struct writer *blob, struct cert **out_cert)
{
	return cert_parse(
	    keyfiles_span(blob), KEY_RSA_BITS_DEFAULT, "*", out_cert);
}

static struct key *
load_public(const char *name)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	struct key *key = NULL;
	char file_name[64];

	snprintf(file_name, sizeof(file_name), "%s.pub", name);
	keyfiles_read(file_name, &file);
	ck_assert_int_eq(
	    key_parse_line(keyfiles_line(&file), 0, &key, NULL), 0);
	return key;
}

static void
check_fields(const char *ca_name, const char *name)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(cert_done) struct cert *cert = NULL;
	AUTO(key_done) struct key *key = load_public(name);
	AUTO(key_done) struct key *ca = load_public(ca_name);

	certify(ca_name, name, WITH("-n", "alice,bob"), &blob);
	ck_assert_int_eq(parse(&blob, &cert), 0);
	ck_assert(key_equal(cert->key, key));
	ck_assert(key_equal(cert->ca, ca));
	ck_assert_ptr_eq(cert->ca_alg, key_alg_of(key_type(ca)));
	ck_assert_int_eq((int)cert->type, CERT_USER);
	ck_assert_uint_eq(cert->serial, 7);
	ck_assert(span_is(cert->key_id, "the id"));
	ck_assert_uint_eq(cert->nprincipals, 2);
	ck_assert_uint_eq(cert->valid_after, FROM_SECONDS);
	ck_assert_uint_eq(cert->valid_before, TO_SECONDS);
}

START_TEST(of_each_key)
{
	check_fields("ca_ed", keys[_i].name);
}
END_TEST

START_TEST(by_each_authority)
{
	char name[64];

	snprintf(name, sizeof(name), "ca_%s", keys[_i].name);
	check_fields(name, "ed");
}
END_TEST

START_TEST(of_a_token)
{
	check_fields("ca_ed", "sk");
}
END_TEST

/* All is signed: no byte may change, be missing, or be added. */
START_TEST(corrupt)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	struct cert *cert = NULL;

	certify("ca_ed", keys[_i].name, WITH("-n", "alice"), &blob);
	for (size_t i = 0; i < blob.len; i++) {
		blob.p[i] ^= (uint8_t)(1u << i % 8);
		ck_assert_int_lt(parse(&blob, &cert), 0);
		blob.p[i] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t len = 0; len < blob.len; len++) {
		AUTOFREE uint8_t *cut = malloc(len + 1);

		memcpy(cut, blob.p, len);
		ck_assert_int_lt(
		    cert_parse(span_of(cut, len), 0, "*", &cert), 0);
	}
	writer_u8(&blob, 0);
	ck_assert_int_eq(parse(&blob, &cert), -EBADMSG);
	ck_assert_ptr_null(cert);
}
END_TEST

START_TEST(names)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(writer_done) struct writer none = WRITER_INIT;
	AUTO(cert_done) struct cert *cert = NULL;
	AUTO(cert_done) struct cert *nobody = NULL;

	certify("ca_ed", "ed", WITH("-n", "alice,bob"), &blob);
	ck_assert_int_eq(parse(&blob, &cert), 0);
	ck_assert(cert_names(cert, span_text("alice")));
	ck_assert(cert_names(cert, span_text("bob")));
	ck_assert(!cert_names(cert, span_text("al")));
	ck_assert(!cert_names(cert, span_text("alice,bob")));
	ck_assert(!cert_names(cert, span_text("")));
	certify("ca_ed", "ed", NONE, &none);
	ck_assert_int_eq(parse(&none, &nobody), 0);
	ck_assert_uint_eq(nobody->nprincipals, 0);
	ck_assert(!cert_names(nobody, span_text("alice")));
	ck_assert(!cert_names(nobody, span_text("")));
}
END_TEST

START_TEST(dates)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(cert_done) struct cert *cert = NULL;

	certify("ca_ed", "ed", NONE, &blob);
	ck_assert_int_eq(parse(&blob, &cert), 0);
	ck_assert(!cert_is_current(cert, FROM_SECONDS - 1));
	ck_assert(cert_is_current(cert, FROM_SECONDS));
	ck_assert(cert_is_current(cert, TO_SECONDS - 1));
	ck_assert(!cert_is_current(cert, TO_SECONDS));
	ck_assert(!cert_is_current(cert, -1));
	cert->valid_after = 0;
	cert->valid_before = UINT64_MAX;
	ck_assert(!cert_is_current(cert, -2));
	ck_assert(cert_is_current(cert, INT64_MAX));
}
END_TEST

START_TEST(host)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(cert_done) struct cert *cert = NULL;

	certify("ca_ed", "ed", WITH("-h", "-n", "h.example"), &blob);
	ck_assert_int_eq(parse(&blob, &cert), 0);
	ck_assert_int_eq((int)cert->type, CERT_HOST);
}
END_TEST

START_TEST(authority_algorithms)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(writer_done) struct writer sha1 = WRITER_INIT;
	AUTO(cert_done) struct cert *cert = NULL;
	struct span s;

	certify("ca_rsa", "ed", WITH("-t", "rsa-sha2-256"), &blob);
	s = keyfiles_span(&blob);
	ck_assert_int_eq(
	    cert_parse(s, 0, "rsa-sha2-512,ssh-ed25519", &cert), -EKEYREJECTED);
	ck_assert_int_eq(
	    cert_parse(s, 0, "*,!rsa-sha2-256", &cert), -EKEYREJECTED);
	ck_assert_int_eq(cert_parse(s, 0, "", &cert), -EKEYREJECTED);
	/* The authority's key is held to the same size. */
	ck_assert_int_eq(cert_parse(s, 2049, "*", &cert), -EKEYREJECTED);
	ck_assert_int_eq(cert_parse(s, 2048, "rsa-sha2-256", &cert), 0);
	ck_assert_str_eq(cert->ca_alg->name, "rsa-sha2-256");
	cert_done(&cert);
	certify("ca_rsa", "ed", WITH("-t", "ssh-rsa"), &sha1);
	ck_assert_int_eq(parse(&sha1, &cert), -EKEYREJECTED);
}
END_TEST

START_TEST(not_a_certificate)
{
	AUTO(key_done) struct key *key = load_public("ed");
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTOFREE uint8_t *big = calloc(1, CERT_BLOB_MAX + 1);
	struct cert *cert = NULL;
	struct key *plain = NULL;

	ck_assert_int_eq(cert_parse(key_blob(key), 0, "*", &cert), -ENOTSUP);
	ck_assert_int_eq(
	    cert_parse(span_of(big, CERT_BLOB_MAX + 1), 0, "*", &cert),
	    -EMSGSIZE);
	certify("ca_ed", "ed", NONE, &blob);
	ck_assert_int_eq(
	    key_parse_blob(keyfiles_span(&blob), 0, &plain), -ENOTSUP);
}
END_TEST

static void
read_opts(const char *const more[6], int error, struct cert_opts *out_opts)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTO(cert_done) struct cert *cert = NULL;

	certify("ca_ed", "ed", more, &blob);
	ck_assert_int_eq(parse(&blob, &cert), 0);
	ck_assert_int_eq(cert_read_opts(cert, out_opts), error);
}

START_TEST(options)
{
	AUTO(cert_opts_done) struct cert_opts o = { .grants = 0 };

	read_opts(NONE, 0, &o);
	ck_assert_uint_eq(o.grants, GRANT_DEFAULT);
	ck_assert(!o.verify_required && !o.no_touch_required);
	ck_assert_ptr_null(o.force_command);
	ck_assert_ptr_null(o.source_address);
	cert_opts_done(&o);
	read_opts(WITH("-O", "clear", "-O", "permit-pty"), 0, &o);
	ck_assert_uint_eq(o.grants, GRANT_PTY);
	cert_opts_done(&o);
	read_opts(
	    WITH("-O", "verify-required", "-O", "no-touch-required"), 0, &o);
	ck_assert(o.verify_required && o.no_touch_required);
	cert_opts_done(&o);
	read_opts(WITH("-O", "force-command=say \"hi\"", "-O",
		      "source-address=10.0.0.0/8,::1"),
	    0, &o);
	ck_assert_str_eq(o.force_command, "say \"hi\"");
	ck_assert_str_eq(o.source_address, "10.0.0.0/8,::1");
}
END_TEST

START_TEST(unknown_options)
{
	AUTO(cert_opts_done) struct cert_opts o = { .grants = 0 };

	read_opts(WITH("-O", "critical:x@example=1"), -EACCES, &o);
	/* An extension's name is no critical option's, nor the reverse. */
	read_opts(WITH("-O", "critical:permit-pty"), -EACCES, &o);
	read_opts(WITH("-O", "extension:x@example=1"), 0, &o);
	ck_assert_uint_eq(o.grants, GRANT_DEFAULT);
	cert_opts_done(&o);
	read_opts(WITH("-O", "extension:force-command=x"), 0, &o);
	ck_assert_ptr_null(o.force_command);
	cert_opts_done(&o);
	read_opts(
	    WITH("-O", "clear", "-O", "extension:permit-pty=1"), -EBADMSG, &o);
}
END_TEST

/* Options that ssh-keygen would not write, put into a cut certificate. */
static int
read_critical(const char *name, struct span value)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(cert_opts_done) struct cert_opts o = { .grants = 0 };
	struct cert cert = { .extensions = span_of("", 0) };

	writer_cstring(&w, name);
	writer_string(&w, value.p, value.len);
	cert.critical = keyfiles_span(&w);
	return cert_read_opts(&cert, &o);
}

START_TEST(bad_values)
{
	ck_assert_int_eq(
	    read_critical("force-command", span_of("\0\0\0\1x", 5)), 0);
	ck_assert_int_eq(
	    read_critical("force-command", span_of("", 0)), -EBADMSG);
	ck_assert_int_eq(
	    read_critical("force-command", span_of("\0\0\0\2x", 5)), -EBADMSG);
	ck_assert_int_eq(
	    read_critical("force-command", span_of("\0\0\0\1xy", 6)), -EBADMSG);
	ck_assert_int_eq(
	    read_critical("force-command", span_of("\0\0\0\1\0", 5)), -EBADMSG);
	ck_assert_int_eq(
	    read_critical("source-address", span_of("\0\0\0\1*", 5)), -EBADMSG);
	ck_assert_int_eq(
	    read_critical("source-address", span_of("\0\0\0\0", 4)), -EBADMSG);
	ck_assert_int_eq(
	    read_critical("verify-required", span_of("\0\0\0\0", 4)), -EBADMSG);
}
END_TEST

/* cert_parse() lets none through, and nothing may leak if one came. */
START_TEST(given_twice)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(cert_opts_done) struct cert_opts o = { .grants = 0 };
	struct cert cert = { .extensions = span_of("", 0) };

	for (int i = 0; i < 2; i++) {
		writer_cstring(&w, "force-command");
		writer_string(&w, "\0\0\0\1x", 5);
	}
	cert.critical = keyfiles_span(&w);
	ck_assert_int_eq(cert_read_opts(&cert, &o), -EBADMSG);
}
END_TEST

/* A certificate by hand, for what ssh-keygen would not write. */
struct hand {
	uint32_t type;
	struct span principals, critical, extensions;
	bool ca_is_cert;
};

static int
parse_hand(const struct hand *h)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(writer_done) struct writer raw = WRITER_INIT;
	AUTO(writer_done) struct writer sig = WRITER_INIT;
	AUTO(writer_done) struct writer signer = WRITER_INIT;
	AUTO(key_done) struct key *ca = NULL;
	AUTO(cert_done) struct cert *cert = NULL;
	uint8_t pub[32] = { 9 };

	keyfiles_read("ca_ed", &file);
	ck_assert_int_eq(key_load_private(keyfiles_span(&file), 0, &ca), 0);
	writer_cstring(&w, "ssh-ed25519-cert-v01@openssh.com");
	writer_cstring(&w, "nonce");
	writer_string(&w, pub, sizeof(pub));
	writer_u64(&w, 1);
	writer_u32(&w, h->type);
	writer_cstring(&w, "id");
	writer_string(&w, h->principals.p, h->principals.len);
	writer_u64(&w, 0);
	writer_u64(&w, UINT64_MAX);
	writer_string(&w, h->critical.p, h->critical.len);
	writer_string(&w, h->extensions.p, h->extensions.len);
	writer_cstring(&w, "");
	if (h->ca_is_cert)
		certify("ca_ec", "ca_ed", NONE, &signer);
	else
		writer_bytes(&signer, key_blob(ca).p, key_blob(ca).len);
	writer_string(&w, signer.p, signer.len);
	ck_assert_int_eq(
	    key_sign_raw(ca, KEY_DIGEST_NONE, keyfiles_span(&w), &raw), 0);
	writer_cstring(&sig, "ssh-ed25519");
	writer_string(&sig, raw.p, raw.len);
	writer_string(&w, sig.p, sig.len);
	return parse(&w, &cert);
}

/* Names in this order, each with an empty value (or none). */
static int
parse_list(const char *const list[3], bool values, int which)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct hand h = { .type = CERT_USER };
	struct span *const lists[] = { &h.principals, &h.critical,
		&h.extensions };

	for (size_t i = 0; i < 3 && list[i] != NULL; i++) {
		writer_cstring(&w, list[i]);
		if (values)
			writer_cstring(&w, "");
	}
	*lists[which] = keyfiles_span(&w);
	return parse_hand(&h);
}

#define NAMES(...) ((const char *const[3]){ __VA_ARGS__ })

START_TEST(by_hand)
{
	struct hand h = { .type = CERT_USER };
	struct hand none = { .type = 0 };
	struct hand third = { .type = 3 };
	struct hand by_cert = { .type = CERT_USER, .ca_is_cert = true };
	struct hand nul = { .type = CERT_USER,
		.principals = span_of("\0\0\0\3a\0b", 7) };
	struct hand cut = { .type = CERT_USER,
		.principals = span_of("\0\0\0\3ab", 6) };

	ck_assert_int_eq(parse_hand(&h), 0);
	ck_assert_int_eq(parse_hand(&none), -EBADMSG);
	ck_assert_int_eq(parse_hand(&third), -EBADMSG);
	ck_assert_int_eq(parse_hand(&by_cert), -EKEYREJECTED);
	ck_assert_int_eq(parse_hand(&nul), -EBADMSG);
	ck_assert_int_eq(parse_hand(&cut), -EBADMSG);
	ck_assert_int_eq(parse_list(NAMES("b", "a", "a"), false, 0), 0);
	for (int i = 1; i <= 2; i++) {
		ck_assert_int_eq(parse_list(NAMES("a", "b", "bb"), true, i), 0);
		ck_assert_int_eq(
		    parse_list(NAMES("a", "a", NULL), true, i), -EBADMSG);
		ck_assert_int_eq(
		    parse_list(NAMES("b", "a", NULL), true, i), -EBADMSG);
		ck_assert_int_eq(
		    parse_list(NAMES("bb", "b", NULL), true, i), -EBADMSG);
		ck_assert_int_eq(
		    parse_list(NAMES("", NULL, NULL), true, i), -EBADMSG);
		ck_assert_int_eq(
		    parse_list(NAMES("a", NULL, NULL), false, i), -EBADMSG);
	}
}
END_TEST

START_TEST(principals_limit)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct hand h = { .type = CERT_USER };

	for (size_t i = 0; i < CERT_PRINCIPALS_MAX; i++)
		writer_cstring(&w, "p");
	h.principals = keyfiles_span(&w);
	ck_assert_int_eq(parse_hand(&h), 0);
	writer_cstring(&w, "p");
	h.principals = keyfiles_span(&w);
	ck_assert_int_eq(parse_hand(&h), -EMSGSIZE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cert");
	TCase *t = tcase_create("cert");

	tcase_add_unchecked_fixture(t, setup, keyfiles_end);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, of_each_key, 0, NKEYS);
	tcase_add_loop_test(t, by_each_authority, 0, NKEYS);
	tcase_add_test(t, of_a_token);
	tcase_add_loop_test(t, corrupt, 0, NKEYS);
	tcase_add_test(t, names);
	tcase_add_test(t, dates);
	tcase_add_test(t, host);
	tcase_add_test(t, authority_algorithms);
	tcase_add_test(t, not_a_certificate);
	tcase_add_test(t, options);
	tcase_add_test(t, unknown_options);
	tcase_add_test(t, bad_values);
	tcase_add_test(t, given_twice);
	tcase_add_test(t, by_hand);
	tcase_add_test(t, principals_limit);
	suite_add_tcase(s, t);
	return tap_run(s);
}

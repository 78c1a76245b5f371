/*
 * The hollow key against the libssh that is linked: it must import it, give
 * back the true public half, and sign with it nothing that verifies. The one
 * unit test that links libssh.
 */
#include "config.h"

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/key.h"
#include "common/own.h"
#include "regress/unit/keyfiles.h"
#include "regress/unit/tap.h"

static const struct {
	const char *type, *bits;
} made[] = {
	{ "ed25519", "256" },
	{ "ecdsa", "256" },
	{ "ecdsa", "384" },
	{ "ecdsa", "521" },
	{ "rsa", "2048" },
	{ "rsa", "3072" },
	{ "rsa", "4096" },
};
#define NMADE ((int)nitems_of(made))

static void
made_name(int i, char *out_name)
{
	snprintf(out_name, 64, "%s_%s", made[i].type, made[i].bits);
}

static void
setup(void)
{
	char name[64];

	keyfiles_begin();
	for (int i = 0; i < NMADE; i++) {
		made_name(i, name);
		keyfiles_make(name, made[i].type, made[i].bits, "RFC4716", "");
	}
}

static struct key *
load_made(int i)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;
	struct key *key = NULL;
	char name[64];

	made_name(i, name);
	keyfiles_read(name, &file);
	ck_assert_int_eq(key_load_private(keyfiles_span(&file), 0, &key), 0);
	return key;
}

START_TEST(imported)
{
	AUTO(key_done) struct key *key = load_made(_i);
	AUTOFREE char *pem = NULL;
	AUTOFREE char *expected = NULL;
	char *given = NULL;
	ssh_key hollow = NULL, public = NULL;

	ck_assert_int_eq(key_hollow_pem(key, &pem), 0);
	ck_assert_int_eq(
	    ssh_pki_import_privkey_base64(pem, NULL, NULL, NULL, &hollow),
	    SSH_OK);
	ck_assert_int_eq(ssh_key_is_private(hollow), 1);
	ck_assert_int_eq(
	    ssh_pki_export_privkey_to_pubkey(hollow, &public), SSH_OK);
	ck_assert_int_eq(ssh_pki_export_pubkey_base64(public, &given), SSH_OK);
	ck_assert_int_eq(
	    base64_encode(key_blob(key), BASE64_PADDED, &expected), 0);
	ck_assert_str_eq(given, expected);
	ssh_string_free_char(given);
	ssh_key_free(public);
	ssh_key_free(hollow);
}
END_TEST

/* The same key offered to a server's bind, as the network process does. */
START_TEST(bound)
{
	AUTO(key_done) struct key *key = load_made(_i);
	AUTOFREE char *pem = NULL;
	ssh_bind bind = ssh_bind_new();
	ssh_key hollow = NULL;
	bool process_config = false;

	ck_assert_int_eq(key_hollow_pem(key, &pem), 0);
	ck_assert_int_eq(
	    ssh_pki_import_privkey_base64(pem, NULL, NULL, NULL, &hollow),
	    SSH_OK);
	ssh_bind_options_set(
	    bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_config);
	ck_assert_int_eq(
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, hollow),
	    SSH_OK);
	ssh_bind_free(bind);
}
END_TEST

/* Our own loader finds out, as it would find out a damaged file. */
START_TEST(worthless)
{
	AUTO(key_done) struct key *key = load_made(_i);
	AUTOFREE char *pem = NULL;
	struct key *loaded = NULL;

	ck_assert_int_eq(key_hollow_pem(key, &pem), 0);
	ck_assert_int_eq(
	    key_load_private(span_of(pem, strlen(pem)), 0, &loaded),
	    -EKEYREJECTED);
	ck_assert_ptr_null(loaded);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hollow");
	TCase *t = tcase_create("hollow");

	tcase_add_unchecked_fixture(t, setup, keyfiles_end);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, imported, 0, NMADE);
	tcase_add_loop_test(t, bound, 0, NMADE);
	tcase_add_loop_test(t, worthless, 0, NMADE);
	suite_add_tcase(s, t);
	return tap_run(s);
}

/*
 * Chains of authentication methods: what may come next, what is complete, and
 * which chains there are to begin with.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/chain.h"
#include "regress/unit/tap.h"

#define P METHOD_PUBLICKEY
#define W METHOD_PASSWORD
#define K METHOD_KBDINT

static struct conn conn;

static void
setup(void)
{
	log_open("test", SINK_STDERR, 0, LEVEL_QUIET);
	conn = (struct conn){ .options = { .pubkey_authentication = true,
				  .password_authentication = true,
				  .kbd_interactive_authentication = true,
				  .use_pam = true } };
}

static void
teardown(void)
{
	words_done(&conn.options.authentication_methods);
	words_done(&conn.chains);
}

/* Words with blanks between them are the lists. */
static int
begin(const char *text)
{
	AUTOFREE char *copy = strdup(text);
	char *save = NULL;

	for (char *word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		ck_assert_int_eq(
		    words_add(&conn.options.authentication_methods, word), 0);
	return chain_begin(&conn);
}

START_TEST(any)
{
	ck_assert_int_eq(begin(_i == 0 ? "" : "any"), 0);
	ck_assert_uint_eq(chain_methods(&conn), P | W | K);
	ck_assert(chain_completes(&conn, P));
	ck_assert(chain_completes(&conn, W));
	conn.options.permit_empty_passwords = true;
	ck_assert_uint_eq(chain_methods(&conn), P | W | K | CHAIN_NONE);
	conn.options.use_pam = false;
	conn.options.password_authentication = false;
	ck_assert_uint_eq(chain_methods(&conn), P);
}
END_TEST

START_TEST(one_after_the_other)
{
	ck_assert_int_eq(begin("publickey,password"), 0);
	ck_assert_uint_eq(chain_methods(&conn), P);
	ck_assert(!chain_completes(&conn, P));
	ck_assert(!chain_completes(&conn, W));
	chain_advance(&conn, P);
	ck_assert_uint_eq(chain_methods(&conn), W);
	ck_assert(chain_completes(&conn, W));
	ck_assert(!chain_completes(&conn, P));
}
END_TEST

START_TEST(alternatives)
{
	ck_assert_int_eq(begin("publickey,keyboard-interactive:pam,password "
			       "password,publickey keyboard-interactive"),
	    0);
	ck_assert_uint_eq(chain_methods(&conn), P | W | K);
	ck_assert(chain_completes(&conn, K));
	ck_assert(!chain_completes(&conn, P));
	chain_advance(&conn, P); /* the others wait for theirs */
	ck_assert_uint_eq(chain_methods(&conn), K | W);
	ck_assert(chain_completes(&conn, K));
	ck_assert(!chain_completes(&conn, W));
	chain_advance(&conn, W);
	ck_assert_uint_eq(chain_methods(&conn), P | K);
	ck_assert(chain_completes(&conn, P));
}
END_TEST

START_TEST(twice_the_same)
{
	ck_assert_int_eq(begin("publickey,publickey"), 0);
	ck_assert(!chain_completes(&conn, P));
	chain_advance(&conn, P);
	ck_assert(chain_completes(&conn, P));
}
END_TEST

/* A chain with what is not offered is no chain, and none is no login. */
static const struct {
	const char *text;
	int rc;
	unsigned methods;
} less[] = {
	{ "publickey,password publickey", 0, P },
	{ "password publickey,publickey", 0, P },
	{ "password", -EACCES, 0 },
	{ "publickey,password", -EACCES, 0 },
	{ "hostbased", -EACCES, 0 },
	{ "publickey,gssapi-with-mic", -EACCES, 0 },
	{ "keyboard-interactive:bsdauth", -EACCES, 0 },
	{ "publickey:x", -EACCES, 0 },
	{ "none,publickey", -EACCES, 0 },
};

START_TEST(what_is_not_offered)
{
	conn.options.password_authentication = false;
	ck_assert_int_eq(begin(less[_i].text), less[_i].rc);
	ck_assert_uint_eq(chain_methods(&conn), less[_i].methods);
	ck_assert(chain_possible(&conn.options) == (less[_i].rc == 0));
	ck_assert(!chain_completes(&conn, W));
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(chain_name(P), "publickey");
	ck_assert_str_eq(chain_name(W), "password");
	ck_assert_str_eq(chain_name(K), "keyboard-interactive/pam");
	ck_assert_str_eq(chain_name(0), "unreadable");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("chain");
	TCase *t = tcase_create("chain");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, any, 0, 2);
	tcase_add_test(t, one_after_the_other);
	tcase_add_test(t, alternatives);
	tcase_add_test(t, twice_the_same);
	tcase_add_loop_test(t, what_is_not_offered, 0, nitems_of(less));
	tcase_add_test(t, names);
	suite_add_tcase(s, t);
	return tap_run(s);
}

/* Two sets of options that both hold, as authkeys_merge() puts them together.
 */
#include "config.h"

#include <string.h>

#include "common/authkeys.h"
#include "common/err.h"
#include "regress/unit/tap.h"

static void
parse_options(const char *text, struct authkeys_opts *out_opts)
{
	char why[AUTHKEYS_WHY_MAX];
	size_t len;

	ck_assert_int_eq(authkeys_parse_opts(
			     span_of(text, strlen(text)), why, out_opts, &len),
	    0);
}

START_TEST(merge_narrows)
{
	struct authkeys_opts a, b;

	parse_options(
	    "restrict,pty,no-touch-required,expiry-time=\"20300101Z\","
	    "permitopen=\"a:1\",environment=\"A=1\"",
	    &a);
	parse_options("no-user-rc,verify-required,expiry-time=\"20290101Z\","
		      "permitopen=\"b:2\",permitlisten=\"3\",tunnel=\"4\","
		      "command=\"x\",environment=\"B=2\"",
	    &b);
	ck_assert_int_eq(authkeys_merge(&a, &b), 0);
	ck_assert_uint_eq(a.grants, GRANT_PTY);
	ck_assert(a.verify_required && !a.no_touch_required && a.restricted);
	ck_assert_int_eq(a.expiry, 1861920000);
	ck_assert_str_eq(a.command, "x");
	ck_assert_int_eq(a.tunnel, 4);
	ck_assert_uint_eq(a.nenvironment, 1);
	ck_assert_str_eq(a.environment[0], "A=1");
	ck_assert_uint_eq(a.permitopen.n, 1);
	ck_assert_str_eq(a.permitopen.v[0].host, "a");
	ck_assert_uint_eq(a.permitlisten.n, 1);
	ck_assert_ptr_null(b.command); /* it is used up */
	authkeys_opts_done(&a);
}
END_TEST

START_TEST(merge_commands)
{
	static const struct {
		const char *a, *b;
		int rc;
	} cases[] = {
		{ "command=\"x\"", "command=\"x\"", 0 },
		{ "command=\"x\"", "command=\"x \"", -EACCES },
		{ "command=\"x\"", "pty", 0 },
		{ "pty", "command=\"x\"", 0 },
	};
	struct authkeys_opts a, b;

	parse_options(cases[_i].a, &a);
	parse_options(cases[_i].b, &b);
	ck_assert_int_eq(authkeys_merge(&a, &b), cases[_i].rc);
	ck_assert_str_eq(a.command, "x");
	authkeys_opts_done(&a);
}
END_TEST

/* What restricts nothing changes nothing. */
START_TEST(merge_all)
{
	struct authkeys_opts a = AUTHKEYS_OPTS_ALL;
	struct authkeys_opts b;

	parse_options("no-pty,no-touch-required,from=\"192.0.2.1\"", &b);
	ck_assert_int_eq(authkeys_merge(&a, &b), 0);
	ck_assert_uint_eq(a.grants, GRANT_DEFAULT & ~GRANT_PTY);
	ck_assert(a.no_touch_required && !a.verify_required);
	ck_assert_str_eq(a.from, "192.0.2.1");
	authkeys_opts_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("authkeys_merge");
	TCase *t = tcase_create("authkeys_merge");

	tcase_add_test(t, merge_narrows);
	tcase_add_loop_test(t, merge_commands, 0, 4);
	tcase_add_test(t, merge_all);
	suite_add_tcase(s, t);
	return tap_run(s);
}

/* What -L, -R and -D are given. */
#include "config.h"

#include <stdlib.h>

#include "client/forward_spec.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static const struct {
	enum forward_kind kind;
	const char *text, *shown;
} goods[] = {
	{ FORWARD_LOCAL, "80:host:81", "[localhost]:80 -> host:81" },
	{ FORWARD_LOCAL, "80 host:81", "[localhost]:80 -> host:81" },
	{ FORWARD_LOCAL, "*:80:host:81", "[*]:80 -> host:81" },
	{ FORWARD_LOCAL, ":80:host:81", "[*]:80 -> host:81" },
	{ FORWARD_LOCAL, "[::1]:80:[::2]:81", "[::1]:80 -> ::2:81" },
	{ FORWARD_LOCAL, "1.2.3.4:80:h:81", "[1.2.3.4]:80 -> h:81" },
	{ FORWARD_LOCAL, "/a/b:h:81", "/a/b -> h:81" },
	{ FORWARD_LOCAL, "/a/b:/c/d", "/a/b -> /c/d" },
	{ FORWARD_LOCAL, "80:/c/d", "[localhost]:80 -> /c/d" },
	{ FORWARD_LOCAL, "x:80:/c/d", "[x]:80 -> /c/d" },
	{ FORWARD_REMOTE, "0:h:81", "[localhost]:0 -> h:81" },
	{ FORWARD_REMOTE, "80:/c/d", "[localhost]:80 -> /c/d" },
	{ FORWARD_REMOTE, "1080", "[localhost]:1080 -> SOCKS" },
	{ FORWARD_REMOTE, "*:0", "[*]:0 -> SOCKS" },
	{ FORWARD_DYNAMIC, "1080", "[localhost]:1080 -> SOCKS" },
	{ FORWARD_DYNAMIC, "[::]:1080", "[::]:1080 -> SOCKS" },
};

START_TEST(good)
{
	AUTO(forward_spec_done) struct forward_spec s = { .bind = NULL };
	char text[FORWARD_TEXT_MAX];
	const char *why;

	ck_assert_int_eq(
	    forward_parse(goods[_i].kind, goods[_i].text, &s, &why), 0);
	forward_text(&s, text);
	ck_assert_str_eq(text, goods[_i].shown);
	ck_assert(forward_same(&s, &s));
}
END_TEST

START_TEST(not_offered)
{
	static const char *const texts[] = { "/a/b:h:81", "/a/b" };

	for (size_t i = 0; i < nitems_of(texts); i++) {
		AUTO(forward_spec_done)
		struct forward_spec s = { .bind = NULL };
		const char *why = NULL;

		ck_assert_int_eq(
		    forward_parse(FORWARD_REMOTE, texts[i], &s, &why),
		    -ENOTSUP);
		ck_assert_ptr_nonnull(strstr(why, "Unix socket"));
	}
}
END_TEST

/* As a file has it: with a blank between the two ends. */
static const struct {
	enum forward_kind kind;
	const char *text, *setting;
} settings[] = {
	{ FORWARD_LOCAL, "80:h:81", "80 [h]:81" },
	{ FORWARD_LOCAL, "[::1]:80:[::2]:81", "[::1]:80 [::2]:81" },
	{ FORWARD_LOCAL, ":80:h:81", "[*]:80 [h]:81" },
	{ FORWARD_LOCAL, "/a:/b", "/a /b" },
	{ FORWARD_REMOTE, "0:h:81", "0 [h]:81" },
	{ FORWARD_REMOTE, "x:80", "[x]:80" },
	{ FORWARD_DYNAMIC, "x:80", "[x]:80" },
};

START_TEST(setting)
{
	AUTO(forward_spec_done) struct forward_spec s = { .bind = NULL };
	AUTO(forward_spec_done) struct forward_spec again = { .bind = NULL };
	AUTOFREE char *text = NULL;
	const char *why;

	ck_assert_int_eq(
	    forward_parse(settings[_i].kind, settings[_i].text, &s, &why), 0);
	text = forward_setting(&s);
	ck_assert_str_eq(text, settings[_i].setting);
	ck_assert_int_eq(
	    forward_parse(settings[_i].kind, text, &again, &why), 0);
	ck_assert(forward_same(&s, &again));
}
END_TEST

static const struct {
	enum forward_kind kind;
	const char *text;
} bads[] = {
	{ FORWARD_LOCAL, "" },
	{ FORWARD_LOCAL, "80" },
	{ FORWARD_LOCAL, "80:host" },
	{ FORWARD_LOCAL, "0:host:81" },
	{ FORWARD_LOCAL, "80:host:0" },
	{ FORWARD_LOCAL, "80:host:81:82:83" },
	{ FORWARD_LOCAL, "80:-host:81" },
	{ FORWARD_LOCAL, "80:ho;st:81" },
	{ FORWARD_LOCAL, "99999:host:81" },
	{ FORWARD_LOCAL, "[::1:80:h:81" },
	{ FORWARD_REMOTE, "80:host" },
	{ FORWARD_REMOTE, "1 80" },
	{ FORWARD_REMOTE, "" },
	{ FORWARD_DYNAMIC, "0" },
	{ FORWARD_DYNAMIC, "" },
	{ FORWARD_DYNAMIC, "a:b:c" },
	{ FORWARD_DYNAMIC, "/a/b" },
};

START_TEST(bad)
{
	AUTO(forward_spec_done) struct forward_spec s = { .bind = NULL };
	const char *why = NULL;

	ck_assert_int_eq(
	    forward_parse(bads[_i].kind, bads[_i].text, &s, &why), -EBADMSG);
	ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(host_and_port)
{
	AUTOFREE char *host = NULL;
	int port;

	ck_assert_int_eq(forward_parse_host("[::1]:22", &host, &port), 0);
	ck_assert_str_eq(host, "::1");
	ck_assert_int_eq(port, 22);
	ck_assert_int_eq(forward_parse_host("host", &host, &port), -EBADMSG);
	ck_assert_int_eq(forward_parse_host("host:", &host, &port), -EBADMSG);
	ck_assert_int_eq(forward_parse_host("-x:1", &host, &port), -EBADMSG);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("forward_spec");
	TCase *tc = tcase_create("forward_spec");

	tcase_add_loop_test(tc, good, 0, nitems_of(goods));
	tcase_add_test(tc, not_offered);
	tcase_add_loop_test(tc, setting, 0, nitems_of(settings));
	tcase_add_loop_test(tc, bad, 0, nitems_of(bads));
	tcase_add_test(tc, host_and_port);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

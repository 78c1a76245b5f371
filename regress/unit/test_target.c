/* Targets: what people type, and what must not get into a command line. */
#include "config.h"

#include "client/target.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

struct good {
	const char *text, *scheme, *user, *host, *path;
	int port;
};

static const struct good goods[] = {
	{ "host", NULL, NULL, "host", NULL, 0 },
	{ "me@host", NULL, "me", "host", NULL, 0 },
	{ "me@host:22", NULL, "me", "host", NULL, 22 },
	{ "a@b@host", NULL, "a@b", "host", NULL, 0 },
	{ "::1", NULL, NULL, "::1", NULL, 0 },
	{ "fe80::1%eth0", NULL, NULL, "fe80::1%eth0", NULL, 0 },
	{ "[::1]", NULL, NULL, "::1", NULL, 0 },
	{ "me@[2001:db8::1]:2222", NULL, "me", "2001:db8::1", NULL, 2222 },
	{ "ssh://host", "ssh", NULL, "host", NULL, 0 },
	{ "ssh://me@host:65535/", "ssh", "me", "host", NULL, 65535 },
	{ "sftp://me%40x@[::1]:1/a%20b/c", "sftp", "me@x", "::1", "a b/c", 1 },
	{ "ssh://me@host:domain", "ssh", "me", "host", NULL, 53 },
	{ "me@[::1]:domain", NULL, "me", "::1", NULL, 53 },
	{ "SSH://host", "ssh", NULL, "host", NULL, 0 },
};

START_TEST(good)
{
	const struct good *g = &goods[_i];
	AUTO(target_done) struct target t = { .user = NULL };
	const char *why = NULL;

	ck_assert_int_eq(target_parse(g->text, g->scheme, &t, &why), 0);
	ck_assert_str_eq(t.host, g->host);
	ck_assert_int_eq(t.port, g->port);
	ck_assert_pstr_eq(t.user, g->user);
	ck_assert_pstr_eq(t.path, g->path);
}
END_TEST

static const char *const bads[] = { "", "@host", "me@", "-oProxyCommand=x",
	"me@-host", "host:", "host:0", "host:65536", "host:22x", "[::1",
	"[::1]x", "a b", "ho`id`st", "$(id)", "x;y", "-l@host", "a'b@host",
	"a`b@host", "h\nost", "h\tost", "h\x7fost", "a\\@host", "h|x",
	"h:22:33", "[h:22]:33", "ssh://host:99999", "ssh://%zz@host",
	"ssh://a%00b@host", "ssh://host/%2" };

START_TEST(bad)
{
	AUTO(target_done) struct target t = { .user = NULL };
	const char *why = NULL;

	ck_assert_int_eq(target_parse(bads[_i], "ssh", &t, &why), -EBADMSG);
	ck_assert_ptr_nonnull(why);
}
END_TEST

START_TEST(too_long)
{
	AUTO(target_done) struct target t = { .user = NULL };
	const char *why = NULL;
	char text[TARGET_MAX + 2];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(target_parse(text, NULL, &t, &why), -EMSGSIZE);
}
END_TEST

START_TEST(ports)
{
	ck_assert_int_eq(target_port("1"), 1);
	ck_assert_int_eq(target_port("65535"), 65535);
	ck_assert_int_eq(target_port("0"), 0);
	ck_assert_int_eq(target_port("65536"), 0);
	ck_assert_int_eq(target_port("+1"), 0);
	ck_assert_int_eq(target_port(" 1"), 0);
	ck_assert_int_eq(target_port("99999999999999999999"), 0);
	ck_assert_int_eq(target_port(""), 0);
	ck_assert_int_eq(target_port("domain"), 53);
	ck_assert_int_eq(target_port("Domain"), 0);
	ck_assert_int_eq(target_port("tftp"), 0); /* of UDP alone */
	ck_assert_int_eq(target_port("22x"), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("target");
	TCase *tc = tcase_create("target");

	tcase_add_loop_test(tc, good, 0, nitems_of(goods));
	tcase_add_loop_test(tc, bad, 0, nitems_of(bads));
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, ports);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

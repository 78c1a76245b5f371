/*
 * Lines of authorized_keys: every option of sshd(8), what OpenSSH's quoting
 * means, and that a line which is wrong anywhere admits nobody.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/authkeys.h"
#include "common/err.h"
#include "common/own.h"
#include "common/pattern.h"
#include "regress/unit/keyfiles.h"
#include "regress/unit/tap.h"

/* A valid key; its private half was thrown away. */
#define KEY \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbHHt8lSc9LFiFvvVXTegdAx3" \
	"IN/hLOO5OFc3BK5Sge"

static char why[AUTHKEYS_WHY_MAX];

static int
parse(const char *text, struct authkeys_line *out_line)
{
	why[0] = '\0';
	return authkeys_parse_line(
	    span_of(text, strlen(text)), KEY_RSA_BITS_DEFAULT, why, out_line);
}

/* Options in front of the key. */
static int
parse_with(const char *options, struct authkeys_line *out_line)
{
	char text[AUTHKEYS_LINE_MAX];

	ck_assert_int_lt(
	    snprintf(text, sizeof(text), "%s " KEY " me@home", options),
	    (int)sizeof(text));
	return parse(text, out_line);
}

static const char *const nothing[] = { "", " ", "\t \t", "#", "# " KEY,
	"  # indented", "\r", "#\xff\x1b[2J" };

START_TEST(skipped)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(parse(nothing[_i], &l), 0);
	ck_assert_ptr_null(l.key);
}
END_TEST

static const struct {
	const char *line, *comment;
} plain[] = {
	{ KEY, "" },
	{ KEY " ", "" },
	{ KEY "\r", "" },
	{ KEY " me@home", "me@home" },
	{ " \t" KEY "\t me at home  ", "me at home" },
	{ KEY " # not a comment of ours", "# not a comment of ours" },
};

START_TEST(plain_key)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(parse(plain[_i].line, &l), 0);
	ck_assert_ptr_nonnull(l.key);
	ck_assert_str_eq(l.comment, plain[_i].comment);
	ck_assert_uint_eq(l.opts.grants, GRANT_DEFAULT);
	ck_assert_int_eq(l.opts.tunnel, AUTHKEYS_TUNNEL_ANY);
	ck_assert(!l.opts.restricted && !l.opts.cert_authority);
	ck_assert(!l.opts.no_touch_required && !l.opts.verify_required);
	ck_assert(!l.opts.has_expiry);
	ck_assert_ptr_null(l.opts.command);
	ck_assert_ptr_null(l.opts.from);
	ck_assert_ptr_null(l.opts.principals);
	ck_assert_uint_eq(l.opts.nenvironment, 0);
	ck_assert_uint_eq(l.opts.permitopen.n, 0);
	ck_assert_uint_eq(l.opts.permitlisten.n, 0);
}
END_TEST

static const struct {
	const char *options;
	uint32_t grants;
} grants[] = {
	{ "restrict", 0 },
	{ "RESTRICT", 0 },
	{ "restrict,pty", GRANT_PTY },
	{ "pty,restrict", 0 },
	{ "restrict,port-forwarding", GRANT_PORT_FWD },
	{ "restrict,agent-forwarding", GRANT_AGENT_FWD },
	{ "restrict,X11-forwarding", GRANT_X11_FWD },
	{ "restrict,x11-FORWARDING", GRANT_X11_FWD },
	{ "restrict,user-rc", GRANT_USER_RC },
	{ "restrict,pty,no-pty", 0 },
	{ "no-pty", GRANT_DEFAULT & ~GRANT_PTY },
	{ "No-Pty", GRANT_DEFAULT & ~GRANT_PTY },
	{ "no-port-forwarding", GRANT_DEFAULT & ~GRANT_PORT_FWD },
	{ "no-agent-forwarding", GRANT_DEFAULT & ~GRANT_AGENT_FWD },
	{ "no-X11-forwarding", GRANT_DEFAULT & ~GRANT_X11_FWD },
	{ "no-user-rc", GRANT_DEFAULT & ~GRANT_USER_RC },
	{ "no-pty,pty", GRANT_DEFAULT },
	{ "cert-authority", GRANT_DEFAULT },
};

START_TEST(granted)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(parse_with(grants[_i].options, &l), 0);
	ck_assert_uint_eq(l.opts.grants, grants[_i].grants);
	ck_assert(l.opts.restricted ==
		  (strcasestr(grants[_i].options, "restrict") != NULL));
	ck_assert_str_eq(l.comment, "me@home");
}
END_TEST

START_TEST(flags)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(
	    parse_with("cert-authority,no-touch-required,verify-required", &l),
	    0);
	ck_assert(l.opts.cert_authority);
	ck_assert(l.opts.no_touch_required);
	ck_assert(l.opts.verify_required);
	authkeys_line_done(&l);
	ck_assert_int_eq(
	    parse_with("no-touch-required,touch-required,verify-required,"
		       "no-verify-required",
		&l),
	    0);
	ck_assert(!l.opts.no_touch_required);
	ck_assert(!l.opts.verify_required);
}
END_TEST

static const struct {
	const char *option, *value;
} commands[] = {
	{ "command=\"\"", "" },
	{ "command=\"dump /home\"", "dump /home" },
	{ "Command=\"a, b # c\"", "a, b # c" },
	{ "command=\"say \\\"hi\\\"\"", "say \"hi\"" },
	{ "command=\"back\\slash\\\\.\"", "back\\slash\\\\." },
	{ "command=\"tab\there\"", "tab\there" },
	{ "pty,command=\"x\",no-pty", "x" },
};

START_TEST(command)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(parse_with(commands[_i].option, &l), 0);
	ck_assert_str_eq(l.opts.command, commands[_i].value);
}
END_TEST

START_TEST(values)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(
	    parse_with("from=\"!10.1.*,10.0.0.0/8\",principals=\"a,b\","
		       "tunnel=\"3\",environment=\"A=1\",environment=\"B=\","
		       "environment=\"A=2\",environment=\"AB=3=4\"",
		&l),
	    0);
	ck_assert_int_eq(pattern_peer_match(l.opts.from, "10.2.0.1", NULL), 1);
	ck_assert_int_eq(pattern_peer_match(l.opts.from, "10.1.0.1", NULL), 0);
	ck_assert_str_eq(l.opts.principals, "a,b");
	ck_assert_int_eq(l.opts.tunnel, 3);
	ck_assert_uint_eq(l.opts.nenvironment, 3);
	ck_assert_str_eq(l.opts.environment[0], "A=1");
	ck_assert_str_eq(l.opts.environment[1], "B=");
	ck_assert_str_eq(l.opts.environment[2], "AB=3=4");
}
END_TEST

static const struct {
	const char *value, *host;
	int port;
	bool listen; /* permitlisten= takes it, too */
	bool open;
} permits[] = {
	{ "localhost:80", "localhost", 80, true, true },
	{ "192.0.2.1:*", "192.0.2.1", 0, true, true },
	{ "*:443", "*", 443, true, true },
	{ "[::1]:65535", "::1", 65535, true, true },
	{ "[host]:1", "host", 1, true, true },
	{ "8080", "*", 8080, true, false },
	{ "*", "*", 0, true, false },
	{ "host:0", NULL, 0, false, false },
	{ "host:65536", NULL, 0, false, false },
	{ "host:", NULL, 0, false, false },
	{ "host:http", NULL, 0, false, false },
	{ "host:-1", NULL, 0, false, false },
	{ "host: 1", NULL, 0, false, false },
	{ "::1:80", NULL, 0, false, false },
	{ ":80", NULL, 0, false, false },
	{ "[]:80", NULL, 0, false, false },
	{ "[::1]80", NULL, 0, false, false },
	{ "[::1]", NULL, 0, false, false },
	{ "[::1", NULL, 0, false, false },
	{ "a b:80", NULL, 0, false, false },
	{ "a,b:80", NULL, 0, false, false },
	{ "", NULL, 0, false, false },
	{ "0", NULL, 0, false, false },
};

static void
permit(const char *option, bool accepted, size_t at)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };
	const char *value = permits[at].value;
	struct authkeys_permits *list;
	char text[128];

	snprintf(text, sizeof(text), "%s=\"%s\"", option, value);
	ck_assert_int_eq(parse_with(text, &l), accepted ? 0 : -EBADMSG);
	if (!accepted)
		return;
	list = strcmp(option, "permitopen") == 0 ? &l.opts.permitopen
						 : &l.opts.permitlisten;
	ck_assert_uint_eq(list->n, 1);
	ck_assert_uint_eq(l.opts.permitopen.n + l.opts.permitlisten.n, 1);
	ck_assert_str_eq(list->v[0].host, permits[at].host);
	ck_assert_int_eq(list->v[0].port, permits[at].port);
}

START_TEST(permitted)
{
	permit("permitopen", permits[_i].open, (size_t)_i);
	permit("permitlisten", permits[_i].listen, (size_t)_i);
}
END_TEST

/* Text that must be refused with this error and named in the reason. */
static const struct {
	const char *options;
	int error;
	const char *reason;
} refused[] = {
	{ "frobnicate", -EACCES, "\"frobnicate\"" },
	{ "pty,frobnicate", -EACCES, "\"frobnicate\"" },
	{ "frobnicate=\"x\"", -EACCES, "\"frobnicate\"" },
	{ "no-restrict", -EACCES, "\"no-restrict\"" },
	{ "no-command=\"x\"", -EACCES, "\"no-command\"" },
	{ "no-cert-authority", -EACCES, "\"no-cert-authority\"" },
	{ "no-", -EACCES, "\"no-\"" },
	{ "no-no-pty", -EACCES, "\"no-no-pty\"" },
	{ "pt", -EACCES, "\"pt\"" },
	{ "ptyx", -EACCES, "\"ptyx\"" },
	{ "\x1b[2J", -EACCES, "\"?[2J\"" },
	{ "ssh-dss AAAAB3NzaC1kc3MAAAAA", -EACCES, "\"ssh-dss\"" },
	{ "pty,", -EBADMSG, "missing" },
	{ ",pty", -EBADMSG, "missing" },
	{ "pty,,pty", -EBADMSG, "missing" },
	{ "=\"x\"", -EBADMSG, "missing" },
	{ "pty=\"yes\"", -EBADMSG, "\"pty\" takes no value" },
	{ "command", -EBADMSG, "\"command\" needs a value" },
	{ "command=", -EBADMSG, "quote" },
	{ "command=x", -EBADMSG, "quote" },
	{ "command=\"x", -EBADMSG, "quote" },
	{ "command=\"x\\\"", -EBADMSG, "quote" },
	{ "command=\"x\\\\\"", -EBADMSG, "quote" }, /* OpenSSH's way */
	{ "command=\"x\"y", -EBADMSG, "comma" },
	{ "command=\"x\"\"y\"", -EBADMSG, "comma" },
	{ "pty\"x\"", -EBADMSG, "comma" },
	{ "command=\"x\",command=\"x\"", -EDQUOT, "\"command\": given twice" },
	{ "from=\"*\",from=\"*\"", -EDQUOT, "\"from\": given twice" },
	{ "principals=\"a\",principals=\"a\"", -EDQUOT, "\"principals\"" },
	{ "from=\"\"", -EBADMSG, "\"from\"" },
	{ "from=\"10.0.0.1/8\"", -EBADMSG, "\"from\"" },
	{ "from=\"a,,b\"", -EBADMSG, "\"from\"" },
	{ "principals=\"\"", -EBADMSG, "\"principals\"" },
	{ "principals=\"a,,b\"", -EBADMSG, "\"principals\"" },
	{ "principals=\",a\"", -EBADMSG, "\"principals\"" },
	{ "principals=\"a,\"", -EBADMSG, "\"principals\"" },
	{ "environment=\"A\"", -EBADMSG, "\"environment\"" },
	{ "environment=\"=1\"", -EBADMSG, "\"environment\"" },
	{ "environment=\"A B=1\"", -EBADMSG, "\"environment\"" },
	{ "environment=\"\xc3\x84=1\"", -EBADMSG, "\"environment\"" },
	{ "environment=\"\"", -EBADMSG, "\"environment\"" },
	{ "tunnel=\"\"", -EBADMSG, "\"tunnel\"" },
	{ "tunnel=\"-1\"", -EBADMSG, "\"tunnel\"" },
	{ "tunnel=\"2147483647\"", -EBADMSG, "\"tunnel\"" },
	{ "tunnel=\"99999999999999999999\"", -EBADMSG, "\"tunnel\"" },
	{ "expiry-time=\"\"", -EBADMSG, "\"expiry-time\"" },
	{ "expiry-time=\"never\"", -EBADMSG, "\"expiry-time\"" },
	{ "pty " KEY, 0, "" }, /* a key, and a comment that is one */
	{ "pty pty", -ENOTSUP, "supported" },
};

START_TEST(option_refused)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(
	    parse_with(refused[_i].options, &l), refused[_i].error);
	ck_assert_msg(strstr(why, refused[_i].reason) != NULL, "%s", why);
	ck_assert((l.key != NULL) == (refused[_i].error == 0));
	for (const char *p = why; *p != '\0'; p++)
		ck_assert(*p >= ' ' && *p < 0x7f);
}
END_TEST

static const struct {
	const char *line;
	int error;
} bad_keys[] = {
	{ "pty", -ENOTSUP },
	{ "pty ", -ENOTSUP },
	{ "ssh-ed25519", -EBADMSG },
	{ "ssh-ed25519 !", -EBADMSG },
	{ "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGbHHt8lSc9LFiFvvVXTegdAx3"
	  "IN/hLOO5OFc3BK5Sge",
	    -EBADMSG },
	{ "ssh-ed25519-cert-v01@openssh.com AAAA", -ENOTSUP },
	{ "restrict ssh-dss AAAA", -ENOTSUP },
	{ KEY "A", -EBADMSG },
	{ KEY "=", -EBADMSG },
};

START_TEST(key_refused)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(parse(bad_keys[_i].line, &l), bad_keys[_i].error);
	ck_assert_ptr_null(l.key);
	ck_assert_str_ne(why, "");
}
END_TEST

START_TEST(nul_refused)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };
	static const char text[] = KEY " a\0b";
	static const char blank[] = "\0";

	ck_assert_int_eq(
	    authkeys_parse_line(span_of(text, sizeof(text) - 1), 0, why, &l),
	    -EBADMSG);
	ck_assert_int_eq(
	    authkeys_parse_line(span_of(blank, 1), 0, why, &l), -EBADMSG);
}
END_TEST

/* A good line cut anywhere is refused until its key is whole. */
START_TEST(truncated)
{
	static const char text[] =
	    "restrict,command=\"say \\\"hi\\\"\",permitopen=\"[::1]:80\" " KEY;

	for (size_t len = 1; len < sizeof(text) - 1; len++) {
		AUTO(authkeys_line_done)
		struct authkeys_line l = { .comment = NULL };
		AUTOFREE char *cut = malloc(len);

		memcpy(cut, text, len);
		ck_assert_int_lt(
		    authkeys_parse_line(span_of(cut, len), 0, why, &l), 0);
	}
}
END_TEST

/* The option n times, each with another number, then the key. */
static int
parse_many(const char *option, size_t n, size_t *out_listed)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };
	AUTO(writer_done) struct writer w = WRITER_INIT;
	int e;

	for (size_t i = 0; i < n; i++) {
		char one[64];

		snprintf(one, sizeof(one), "%s%zu%s\"", option, i + 1,
		    strchr(option, 'A') != NULL ? "=" : "");
		writer_bytes(&w, i > 0 ? "," : "", i > 0 ? 1 : 0);
		writer_bytes(&w, one, strlen(one));
	}
	writer_bytes(&w, " " KEY, sizeof(KEY));
	e = authkeys_parse_line(span_of(w.p, w.len), 0, why, &l);
	*out_listed =
	    l.opts.permitopen.n + l.opts.permitlisten.n + l.opts.nenvironment;
	return e;
}

START_TEST(limits)
{
	static const char *const lists[] = {
		"permitopen=\"a:", "permitlisten=\"", "environment=\"A"
	};
	size_t n = 0;

	for (size_t i = 0; i < nitems_of(lists); i++) {
		ck_assert_int_eq(
		    parse_many(lists[i], AUTHKEYS_LIST_MAX, &n), 0);
		ck_assert_uint_eq(n, AUTHKEYS_LIST_MAX);
		ck_assert_int_eq(
		    parse_many(lists[i], AUTHKEYS_LIST_MAX + 1, &n), -EMSGSIZE);
	}
	ck_assert_int_eq(parse_many("permitopen=\"aaaaaaaaaaaaaaaaaaa:",
			     AUTHKEYS_LIST_MAX, &n),
	    -EMSGSIZE);
	ck_assert_str_eq(why, "the line is too long");
}
END_TEST

static const struct {
	const char *text;
	int error;
	time_t when; /* in UTC */
} times[] = {
	{ "19700101Z", 0, 0 },
	{ "20240229Z", 0, 1709164800 },
	{ "202402291230Z", 0, 1709209800 },
	{ "20240229123045Z", 0, 1709209845 },
	{ "20240229123045z", 0, 1709209845 },
	{ "20240229123045UTC", 0, 1709209845 },
	{ "20240229", 0, 1709164800 - 7200 },
	{ "202402291230", 0, 1709209800 - 7200 },
	{ "20990101Z", 0, 4070908800 },
	{ "20230229Z", -EBADMSG, 0 },
	{ "20230431Z", -EBADMSG, 0 },
	{ "20231301Z", -EBADMSG, 0 },
	{ "20230001Z", -EBADMSG, 0 },
	{ "20230100Z", -EBADMSG, 0 },
	{ "202301012400Z", -EBADMSG, 0 },
	{ "202301011260Z", -EBADMSG, 0 },
	{ "20230101120060Z", -EBADMSG, 0 },
	{ "2023010112Z", -EBADMSG, 0 },
	{ "2023010Z", -EBADMSG, 0 },
	{ "2023-01-01", -EBADMSG, 0 },
	{ "+2023101", -EBADMSG, 0 },
	{ " 2023101", -EBADMSG, 0 },
	{ "20230101ZZ", -EBADMSG, 0 },
	{ "Z", -EBADMSG, 0 },
	{ "", -EBADMSG, 0 },
};

START_TEST(parse_time)
{
	time_t when = -1;

	/* Two hours east, so that local time and UTC differ. */
	setenv("TZ", "TEST-2", 1);
	tzset();
	ck_assert_int_eq(
	    authkeys_parse_time(
		span_of(times[_i].text, strlen(times[_i].text)), &when),
	    times[_i].error);
	ck_assert(times[_i].error != 0 || when == times[_i].when);
}
END_TEST

START_TEST(earliest_expiry)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };

	ck_assert_int_eq(
	    parse_with("expiry-time=\"20240229Z\",expiry-time=\"19700102Z\","
		       "expiry-time=\"20990101Z\"",
		&l),
	    0);
	ck_assert(l.opts.has_expiry);
	ck_assert_int_eq(l.opts.expiry, 86400);
}
END_TEST

START_TEST(opts_alone)
{
	AUTO(authkeys_opts_done) struct authkeys_opts o = { .grants = 0 };
	static const char text[] = "restrict,command=\"a b\" alice";
	size_t len = 0;

	ck_assert_int_eq(
	    authkeys_parse_opts(span_of(text, strlen(text)), why, &o, &len), 0);
	ck_assert_uint_eq(len, strlen(text) - strlen(" alice"));
	ck_assert_str_eq(o.command, "a b");
	authkeys_opts_done(&o);
	ck_assert_int_eq(authkeys_parse_opts(span_of("", 0), why, &o, &len), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(o.grants, GRANT_DEFAULT);
}
END_TEST

static void
setup(void)
{
	keyfiles_begin();
	keyfiles_make("rsa_1024", "rsa", "1024", "RFC4716", "");
	keyfiles_make("rsa_2048", "rsa", "2048", "RFC4716", "");
}

START_TEST(rsa_minimum)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };
	AUTO(writer_done) struct writer small = WRITER_INIT;
	AUTO(writer_done) struct writer big = WRITER_INIT;

	keyfiles_read("rsa_1024.pub", &small);
	keyfiles_read("rsa_2048.pub", &big);
	ck_assert_int_eq(
	    authkeys_parse_line(keyfiles_line(&small), 2048, why, &l),
	    -EKEYREJECTED);
	ck_assert_int_eq(
	    authkeys_parse_line(keyfiles_line(&big), 2049, why, &l),
	    -EKEYREJECTED);
	ck_assert_int_eq(
	    authkeys_parse_line(keyfiles_line(&big), 2048, why, &l), 0);
	ck_assert_str_eq(l.comment, "a comment");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("authkeys");
	TCase *t = tcase_create("authkeys");

	tcase_add_unchecked_fixture(t, setup, keyfiles_end);
	tcase_add_loop_test(t, skipped, 0, (int)nitems_of(nothing));
	tcase_add_loop_test(t, plain_key, 0, (int)nitems_of(plain));
	tcase_add_loop_test(t, granted, 0, (int)nitems_of(grants));
	tcase_add_test(t, flags);
	tcase_add_loop_test(t, command, 0, (int)nitems_of(commands));
	tcase_add_test(t, values);
	tcase_add_loop_test(t, permitted, 0, (int)nitems_of(permits));
	tcase_add_loop_test(t, option_refused, 0, (int)nitems_of(refused));
	tcase_add_loop_test(t, key_refused, 0, (int)nitems_of(bad_keys));
	tcase_add_test(t, nul_refused);
	tcase_add_test(t, truncated);
	tcase_add_test(t, limits);
	tcase_add_loop_test(t, parse_time, 0, (int)nitems_of(times));
	tcase_add_test(t, earliest_expiry);
	tcase_add_test(t, opts_alone);
	tcase_add_test(t, rsa_minimum);
	suite_add_tcase(s, t);
	return tap_run(s);
}

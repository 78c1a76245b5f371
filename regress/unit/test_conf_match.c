/* Match blocks, and the bytes that go from sshd to sshd-monitor. */
#include "config.h"

#include "regress/unit/conffiles.h"
#include "regress/unit/tap.h"

static const struct match_ctx alice = { .user = "alice",
	.groups = (const char *const[]){ "alice", "staff" },
	.ngroups = 2,
	.addr = "192.0.2.7",
	.laddr = "2001:db8::1",
	.lport = 2022,
	.rdomain = "vrf-mgmt" };
static const struct match_ctx nobody = { .user = "x",
	.invalid_user = true,
	.host = "Host.Example.ORG",
	.addr = "::ffff:10.1.2.3" };
static const struct match_ctx empty = { .user = NULL };

static const struct {
	const char *criteria;
	const struct match_ctx *ctx;
	bool holds;
} matches[] = {
	{ "All", &empty, true },
	{ "all", &alice, true },
	{ "User alice", &alice, true },
	{ "User=alice", &alice, true },
	{ "user bob,al*", &alice, true },
	{ "User bob", &alice, false },
	{ "User ALICE", &alice, false },
	{ "User *,!alice", &alice, false },
	{ "User !alice", &nobody, false },
	{ "User *,!alice", &nobody, true },
	{ "User *", &empty, false },
	{ "Group staff", &alice, true },
	{ "Group st*", &alice, true },
	{ "Group wheel", &alice, false },
	{ "Group alice,!staff", &alice, false },
	{ "Group *", &nobody, false },
	{ "Host *.example.org", &nobody, true },
	{ "Host *.example.org", &alice, false },
	{ "Host 192.0.2.*", &alice, true },
	{ "Host *", &empty, false },
	{ "Address 192.0.2.0/24", &alice, true },
	{ "Address 192.0.2.*", &alice, true },
	{ "Address 10.0.0.0/8,192.0.2.7", &alice, true },
	{ "Address 192.0.2.0/24,!192.0.2.7", &alice, false },
	{ "Address 10.0.0.0/8", &nobody, true },
	{ "Address ::/0", &alice, false },
	{ "Address *", &empty, false },
	{ "LocalAddress 2001:db8::/32", &alice, true },
	{ "LocalAddress 2001:db9::/32", &alice, false },
	{ "LocalAddress *", &empty, false },
	{ "LocalPort 2022", &alice, true },
	{ "LocalPort 22", &alice, false },
	{ "LocalPort 22", &empty, false },
	{ "RDomain vrf-*", &alice, true },
	{ "RDomain vrf-*,!vrf-mgmt", &alice, false },
	{ "RDomain vrf-*", &nobody, false },
	{ "RDomain *", &empty, false },
	{ "Invalid-User", &nobody, true },
	{ "Invalid-User", &alice, false },
	{ "User alice Address 192.0.2.0/24", &alice, true },
	{ "User alice Address 192.0.3.0/24", &alice, false },
	{ "Address 192.0.3.0/24 User alice", &alice, false },
	{ "Invalid-User User x", &nobody, true },
	{ "User alice # and her group", &alice, true },
};

START_TEST(match)
{
	char text[256];
	struct options o;

	snprintf(text, sizeof(text), "Match %s\nMaxSessions 7\n",
	    matches[_i].criteria);
	resolve(text, matches[_i].ctx, &o);
	ck_assert_int_eq(o.max_sessions, matches[_i].holds ? 7 : 10);
	options_free(&o);
	/* Without a connection no block holds. */
	resolve(text, NULL, &o);
	ck_assert_int_eq(o.max_sessions, 10);
	options_free(&o);
}
END_TEST

static const struct {
	const char *text, *note;
} bad_matches[] = {
	{ "Match", "line 1: Match: a criterion is missing\n" },
	{ "Match # c", "line 1: Match: a criterion is missing\n" },
	{ "Match All User a", "line 1: Match: All has to stand alone\n" },
	{ "Match User a All", "line 1: Match: All has to stand alone\n" },
	{ "Match User", "line 1: Match: a pattern is missing behind User\n" },
	{ "Match User=", "line 1: Match: a pattern is missing behind User\n" },
	{ "Match User \"\"",
	    "line 1: Match: a pattern is missing behind User\n" },
	{ "Match Address 10.0.0.1/8",
	    "line 1: Match: a network of \"10.0.0.1/8\" has bits behind its "
	    "mask, or too long a mask\n" },
	{ "Match LocalPort 0",
	    "line 1: Match: \"0\" is not a port number from 1 to 65535\n" },
	{ "Match Nonsense x",
	    "line 1: Match: \"Nonsense\" is none of All, Invalid-User, User, "
	    "Group, Host, Address, LocalAddress, LocalPort, Version and "
	    "RDomain\n" },
	{ "Match version",
	    "line 1: Match: a pattern is missing behind Version\n" },
	{ "Match User a\nPort 22",
	    "line 2: Directive 'Port' is not allowed within a Match block\n" },
	{ "Match User a\nMaxSessions x",
	    "line 2: MaxSessions: \"x\" is not a number from 0 to 65535\n" },
	{ "Match User a\nChrootDirectory srv",
	    "line 2: ChrootDirectory: \"srv\" is neither an absolute path nor "
	    "begins with %h\n" },
};

START_TEST(bad_match)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "main %s", bad_matches[_i].note);
	expect_notes(bad_matches[_i].text, -EBADMSG, wanted);
}
END_TEST

/* Blocks outweigh the global part; the first that sets a keyword wins. */
START_TEST(match_order)
{
	static const char text[] =
	    "MaxSessions 1\nAllowUsers g\nAcceptEnv G\nSubsystem s global\n"
	    "Subsystem t global\n"
	    "Match User bob\nMaxSessions 2\nAllowUsers bob\n"
	    "Match User alice\nMaxSessions 3\nAllowUsers m1\n"
	    "Subsystem s block\n"
	    "Match Group staff\nMaxSessions 4\nAllowUsers m2\n"
	    "MaxAuthTries 4\n";
	struct options o;

	resolve(text, &alice, &o);
	ck_assert_int_eq(o.max_sessions, 3);
	ck_assert_int_eq(o.max_auth_tries, 4);
	ck_assert_uint_eq(o.allow_users.n, 2);
	ck_assert_str_eq(o.allow_users.v[0], "m1");
	ck_assert_str_eq(o.allow_users.v[1], "m2");
	ck_assert_uint_eq(o.accept_env.n, 1);
	ck_assert_uint_eq(o.subsystem.n, 2);
	ck_assert_str_eq(o.subsystem.v[0].command, "block");
	ck_assert_str_eq(o.subsystem.v[1].command, "global");
	options_free(&o);
	resolve(text, NULL, &o);
	ck_assert_int_eq(o.max_sessions, 1);
	ck_assert_uint_eq(o.allow_users.n, 1);
	options_free(&o);
}
END_TEST

/* A file that a block includes belongs to it, and its own blocks as well. */
START_TEST(match_include)
{
	static const char text[] = "Match User bob\nInclude inner\n"
				   "MaxStartups 5\n";
	struct options o;

	put("inner", "MaxSessions 2\nMatch Address *\nMaxAuthTries 2\n");
	put("outer", "Match User bob\nMaxSessions 3\n");
	expect_notes(text, -EBADMSG,
	    "main line 3: Directive 'MaxStartups' is not allowed within a "
	    "Match block\n");
	resolve("Match User bob\nInclude inner\nClientAliveCountMax 1\n",
	    &alice, &o);
	ck_assert_int_eq(o.max_sessions, 10);
	ck_assert_int_eq(o.max_auth_tries, 6);
	ck_assert_int_eq(o.client_alive_count_max, 3);
	options_free(&o);
	resolve("Match User alice\nInclude inner\nClientAliveCountMax 1\n",
	    &alice, &o);
	ck_assert_int_eq(o.max_sessions, 2);
	ck_assert_int_eq(o.max_auth_tries, 2);
	ck_assert_int_eq(o.client_alive_count_max, 1);
	options_free(&o);
	/* Its last block ends with it. */
	resolve("Include outer\nMaxSessions 4\nPort 23\n", &alice, &o);
	ck_assert_int_eq(o.max_sessions, 4);
	ck_assert_uint_eq(o.port.v[0], 23);
	options_free(&o);
}
END_TEST

START_TEST(uses)
{
	struct conf *conf = NULL;
	char notes[NOTES_MAX];

	put("main", "Match User a Group b\nMaxSessions 1\n");
	ck_assert_int_eq(load(NULL, 0, &conf, notes), 0);
	ck_assert(conf_uses(conf, MATCH_GROUP));
	ck_assert(conf_uses(conf, MATCH_USER));
	ck_assert(!conf_uses(conf, MATCH_HOST));
	conf_free(conf);
}
END_TEST

static void
encode(const char *text, struct conf **out_conf, struct writer *w)
{
	char notes[NOTES_MAX];

	put("main", text);
	ck_assert_int_eq(load(NULL, 0, out_conf, notes), 0);
	ck_assert_int_eq(conf_encode(*out_conf, w), 0);
}

START_TEST(wire)
{
	static const char text[] =
	    "Banner x\nMatch User alice Address 192.0.2.0/24\nMaxSessions 2\n"
	    "SetEnv \"A=b c\"\nMatch Invalid-User\nForceCommand a \"b\"\n";
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(writer_done) struct writer again = WRITER_INIT;
	AUTOFREE char *one = NULL, *two = NULL;
	struct conf *conf = NULL, *copy = NULL;

	encode(text, &conf, &w);
	ck_assert_int_eq(conf_decode(span_of(w.p, w.len), &copy), 0);
	one = dump(conf, &alice);
	two = dump(copy, &alice);
	ck_assert_str_eq(one, two);
	ck_assert_ptr_nonnull(strstr(one, "maxsessions 2\n"));
	ck_assert_int_eq(conf_encode(copy, &again), 0);
	ck_assert(span_eq(span_of(w.p, w.len), span_of(again.p, again.len)));
	conf_free(conf);
	conf_free(copy);
}
END_TEST

/* Truncated anywhere, or with a byte too many, nothing is decoded. */
START_TEST(wire_cut)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct conf *conf = NULL, *copy = NULL;

	encode("Port 1\nMatch User a\nMaxSessions 2\n", &conf, &w);
	for (size_t i = 0; i < w.len; i++)
		ck_assert_int_eq(conf_decode(span_of(w.p, i), &copy), -EBADMSG);
	writer_u8(&w, 0);
	ck_assert_int_eq(conf_decode(span_of(w.p, w.len), &copy), -EBADMSG);
	conf_free(conf);
}
END_TEST

/* No changed byte makes anything worse than an error. */
START_TEST(wire_changed)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct conf *conf = NULL, *copy;
	struct options o;

	encode("Port 1\nMatch User a\nMaxSessions 2\n", &conf, &w);
	for (size_t i = 0; i < 8 * w.len; i++) {
		w.p[i / 8] ^= (uint8_t)(1 << (i % 8));
		copy = NULL;
		if (conf_decode(span_of(w.p, w.len), &copy) == 0) {
			if (conf_resolve(copy, &alice, &o) == 0)
				options_free(&o);
			conf_free(copy);
		}
		w.p[i / 8] ^= (uint8_t)(1 << (i % 8));
	}
	conf_free(conf);
}
END_TEST

START_TEST(cwd)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct conf *conf = NULL, *copy = NULL;
	struct options o;
	char wanted[128], here[256];

	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	ck_assert_int_eq(chdir(dir), 0);
	encode("Banner x\n", &conf, &w);
	ck_assert_int_eq(chdir(here), 0);
	ck_assert_int_eq(conf_decode(span_of(w.p, w.len), &copy), 0);
	ck_assert_int_eq(conf_resolve(copy, NULL, &o), 0);
	snprintf(wanted, sizeof(wanted), "%s/x", dir);
	ck_assert_str_eq(o.banner, wanted);
	options_free(&o);
	conf_free(conf);
	conf_free(copy);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf_match");
	TCase *t = group(s, "match");

	tcase_add_loop_test(t, match, 0, nitems_of(matches));
	tcase_add_loop_test(t, bad_match, 0, nitems_of(bad_matches));
	tcase_add_test(t, match_order);
	tcase_add_test(t, match_include);
	tcase_add_test(t, uses);
	t = group(s, "wire");
	tcase_add_test(t, wire);
	tcase_add_test(t, wire_cut);
	tcase_add_test(t, wire_changed);
	tcase_add_test(t, cwd);
	return tap_run(s);
}

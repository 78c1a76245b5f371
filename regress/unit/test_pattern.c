/* Patterns and address ranges, each rule of ssh_config(5) PATTERNS by rows. */
#include "config.h"

#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/own.h"
#include "common/pattern.h"
#include "regress/unit/tap.h"

static const struct {
	const char *text, *pattern;
	bool match;
} globs[] = {
	{ "", "", true },
	{ "a", "", false },
	{ "", "*", true },
	{ "", "?", false },
	{ "", "**", true },
	{ "abc", "abc", true },
	{ "abc", "ABC", false },
	{ "abc", "ab", false },
	{ "abc", "abcd", false },
	{ "abc", "a?c", true },
	{ "abc", "a??c", false },
	{ "abc", "*", true },
	{ "abc", "*c", true },
	{ "abc", "a*", true },
	{ "abc", "*b*", true },
	{ "abc", "*d*", false },
	{ "abcbc", "*bc", true },
	{ "aXbXc", "a*X*c", true },
	{ "aaab", "*aab", true },
	{ "mississippi", "m*iss*ip*i", true },
	{ "mississippi", "m*iss*ip*x", false },
	{ "a*b", "a*b", true },
	{ "ab", "a*b", true },
	{ "a", "a**", true },
	{ "a", "a*?", false },
	{ "a\xff", "a?", true },
};

START_TEST(glob)
{
	ck_assert(pattern_match(globs[_i].text, globs[_i].pattern,
		      PATTERN_CASE) == globs[_i].match);
}
END_TEST

START_TEST(glob_nocase)
{
	ck_assert(pattern_match("Host.EXAMPLE", "hOST.*ple", PATTERN_NOCASE));
	ck_assert(!pattern_match("Host.EXAMPLE", "hOST.*ple", PATTERN_CASE));
}
END_TEST

/* Many stars against a long text: would not end if it were tried naively. */
START_TEST(glob_hostile)
{
	char text[4001];
	char pattern[2002];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 2);
	memcpy(pattern + sizeof(pattern) - 2, "b", 2);
	ck_assert(!pattern_match(text, pattern, PATTERN_CASE));
}
END_TEST

static const struct {
	const char *text, *list;
	int verdict;
} lists[] = {
	{ "a", "a", 1 },
	{ "a", "b,a", 1 },
	{ "a", "b,c", 0 },
	{ "a", "", 0 },
	{ "", "", 1 },
	{ "a", "!a", -1 },
	{ "a", "*,!a", -1 },
	{ "a", "!a,*", -1 },
	{ "b", "!a,*", 1 },
	{ "host3", "!host1,!host2", 0 },
	{ "host3", "!host1,!host2,*", 1 },
	{ "a", "a,", 1 },
	{ "a", "!", 0 },
	{ "!a", "!!a", -1 },
};

START_TEST(list)
{
	ck_assert_int_eq(
	    pattern_list_match(lists[_i].text, lists[_i].list, PATTERN_CASE),
	    lists[_i].verdict);
}
END_TEST

/* A member too long to try never lets anybody in. */
START_TEST(list_long_member)
{
	char longest[PATTERN_MAX + 16];
	char text[PATTERN_MAX + 16];

	memset(longest, '*', PATTERN_MAX);
	strlcpy(longest + PATTERN_MAX, ",b", sizeof(longest) - (PATTERN_MAX));
	ck_assert_int_eq(pattern_list_match("a", longest, PATTERN_CASE), 1);
	memset(longest, '*', PATTERN_MAX + 1);
	strlcpy(longest + PATTERN_MAX + 1, ",b",
	    sizeof(longest) - (PATTERN_MAX + 1));
	ck_assert_int_eq(pattern_list_match("a", longest, PATTERN_CASE), 0);
	ck_assert_int_eq(pattern_list_match("b", longest, PATTERN_CASE), 1);
	memset(text, 'x', sizeof(text));
	text[0] = '!';
	strlcpy(text + PATTERN_MAX + 2, ",*", sizeof(text) - (PATTERN_MAX + 2));
	ck_assert_int_eq(pattern_list_match("b", text, PATTERN_CASE), -1);
}
END_TEST

static const struct {
	const char *text;
	int error;
	int family;
	unsigned bits;
} ranges[] = {
	{ "10.0.0.0/8", 0, AF_INET, 8 },
	{ "10.1.2.3", 0, AF_INET, 32 },
	{ "0.0.0.0/0", 0, AF_INET, 0 },
	{ "::/0", 0, AF_INET6, 0 },
	{ "::1", 0, AF_INET6, 128 },
	{ "2001:db8::/32", 0, AF_INET6, 32 },
	{ "::ffff:10.0.0.0/104", 0, AF_INET, 8 },
	{ "::ffff:1.2.3.4", 0, AF_INET, 32 },
	{ "10.0.0.1/8", -ERANGE, 0, 0 },
	{ "10.0.0.0/33", -ERANGE, 0, 0 },
	{ "10.0.0.0/999", -ERANGE, 0, 0 },
	{ "10.0.0.0/1000", -ERANGE, 0, 0 },
	{ "2001:db8::1/32", -ERANGE, 0, 0 },
	{ "::/129", -ERANGE, 0, 0 },
	{ "::ffff:0:0/80", -ERANGE, 0, 0 },
	{ "10.0.0.0/", -EBADMSG, 0, 0 },
	{ "10.0.0.0/-1", -EBADMSG, 0, 0 },
	{ "10.0.0.0/+8", -EBADMSG, 0, 0 },
	{ "10.0.0.0/8 ", -EBADMSG, 0, 0 },
	{ "10.0.0.0/8/8", -EBADMSG, 0, 0 },
	{ "10.0.0.0/0x8", -EBADMSG, 0, 0 },
	{ "10.0.0", -EBADMSG, 0, 0 },
	{ "10.0.0.*", -EBADMSG, 0, 0 },
	{ "010.0.0.1", -EBADMSG, 0, 0 },
	{ "fe80::1%eth0", -EBADMSG, 0, 0 },
	{ "", -EBADMSG, 0, 0 },
	{ "/8", -EBADMSG, 0, 0 },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/128",
	    -EBADMSG, 0, 0 },
};

START_TEST(range)
{
	struct cidr c = { .family = -1 };

	ck_assert_int_eq(cidr_parse(ranges[_i].text, &c), ranges[_i].error);
	if (ranges[_i].error != 0) {
		ck_assert_int_eq(c.family, -1);
		return;
	}
	ck_assert_int_eq(c.family, ranges[_i].family);
	ck_assert_uint_eq(c.bits, ranges[_i].bits);
}
END_TEST

static const struct {
	const char *addr, *range;
	int verdict;
} members[] = {
	{ "10.255.0.1", "10.0.0.0/8", 1 },
	{ "11.0.0.0", "10.0.0.0/8", 0 },
	{ "10.0.0.127", "10.0.0.0/25", 1 },
	{ "10.0.0.128", "10.0.0.0/25", 0 },
	{ "1.2.3.4", "1.2.3.4", 1 },
	{ "1.2.3.5", "1.2.3.4", 0 },
	{ "1.2.3.4", "0.0.0.0/0", 1 },
	{ "1.2.3.4", "::/0", 0 },
	{ "::1", "0.0.0.0/0", 0 },
	{ "::ffff:10.9.9.9", "10.0.0.0/8", 1 },
	{ "10.9.9.9", "::ffff:10.0.0.0/104", 1 },
	{ "2001:db8:1::5", "2001:db8::/32", 1 },
	{ "2001:db9::5", "2001:db8::/32", 0 },
	{ "fe80::1%eth0", "fe80::/10", 1 },
	{ "2001:DB8::A", "2001:db8::a", 1 },
	{ "no address", "0.0.0.0/0", 0 },
	{ "", "0.0.0.0/0", 0 },
	{ "1.2.3.4", "1.2.3.4/31", 1 },
	{ "1.2.3.4", "1.2.3.5/31", -ERANGE },
	{ "1.2.3.4", "x", -EBADMSG },
};

START_TEST(member)
{
	ck_assert_int_eq(cidr_match(members[_i].addr, members[_i].range),
	    members[_i].verdict);
}
END_TEST

static const struct {
	const char *list, *addr, *host;
	int verdict;
} peers[] = {
	{ "10.0.0.0/8", "10.1.1.1", NULL, 1 },
	{ "10.0.0.0/8", "11.1.1.1", NULL, 0 },
	{ "10.0.0.0/8,!10.1.0.0/16", "10.1.1.1", NULL, 0 },
	{ "!10.1.0.0/16,10.0.0.0/8", "10.2.1.1", NULL, 1 },
	{ "!10.0.0.0/8,*", "10.1.1.1", "a.example", 0 },
	{ "!10.0.0.0/8", "11.1.1.1", NULL, 0 },
	{ "10.1.1.?", "10.1.1.1", NULL, 1 },
	{ "10.1.*", "::ffff:10.1.1.1", NULL, 1 },
	{ "::ffff:10.1.*", "::ffff:10.1.1.1", NULL, 0 },
	{ "*.example.com", "10.1.1.1", "Pc.Example.COM", 1 },
	{ "*.example.com", "10.1.1.1", NULL, 0 },
	{ "!*.dialup.example.com,*.example.com", "10.1.1.1",
	    "a.dialup.example.com", 0 },
	{ "!*.dialup.example.com,*.example.com", "10.1.1.1", "a.example.com",
	    1 },
	{ "!bad.example,10.0.0.0/8", "10.1.1.1", "bad.example", 0 },
	{ "*", "10.1.1.1", NULL, 1 },
	{ "192.168.*", "10.1.1.1", "192.168.0.1", 0 },
	{ "192.168.0.1", "10.1.1.1", "192.168.0.1", 0 },
	{ "10.0.0.1/8", "10.0.0.1", NULL, -ERANGE },
	{ "10.0.0.1,10.0.0.1/8", "10.0.0.1", NULL, -ERANGE },
	{ "!10.0.0.1,10.0.0.1/8", "10.0.0.1", NULL, -ERANGE },
	{ "", "10.0.0.1", NULL, -EBADMSG },
	{ "10.0.0.1,", "10.0.0.1", NULL, -EBADMSG },
	{ ",10.0.0.1", "10.0.0.1", NULL, -EBADMSG },
	{ "!", "10.0.0.1", NULL, -EBADMSG },
	{ "fe80::/10", "fe80::1%eth0", NULL, 1 },
	{ "fe80::1%eth0", "fe80::1%eth0", NULL, 1 },
	{ "UNKNOWN", "UNKNOWN", NULL, 1 },
};

START_TEST(peer)
{
	ck_assert_int_eq(
	    pattern_peer_match(peers[_i].list, peers[_i].addr, peers[_i].host),
	    peers[_i].verdict);
	ck_assert_int_eq(pattern_peer_check(peers[_i].list),
	    peers[_i].verdict < 0 ? peers[_i].verdict : 0);
}
END_TEST

START_TEST(cidr_lists)
{
	ck_assert_int_eq(cidr_list_match("10.0.0.1", "10.0.0.0/8"), 1);
	ck_assert_int_eq(cidr_list_match("::1", "10.0.0.0/8,::1"), 1);
	ck_assert_int_eq(cidr_list_match("::2", "10.0.0.0/8,::1"), 0);
	ck_assert_int_eq(cidr_list_match(NULL, "10.0.0.0/8,::1"), 0);
	ck_assert_int_eq(cidr_list_match("10.0.0.1", "!10.0.0.0/8"), -EBADMSG);
	ck_assert_int_eq(cidr_list_match("10.0.0.1", "*"), -EBADMSG);
	ck_assert_int_eq(cidr_list_match("10.0.0.1", ""), -EBADMSG);
	ck_assert_int_eq(
	    cidr_list_match("10.0.0.1", "10.0.0.1,10.0.0.1/8"), -ERANGE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pattern");
	TCase *t = tcase_create("pattern");

	tcase_add_loop_test(t, glob, 0, (int)nitems_of(globs));
	tcase_add_test(t, glob_nocase);
	tcase_add_test(t, glob_hostile);
	tcase_add_loop_test(t, list, 0, (int)nitems_of(lists));
	tcase_add_test(t, list_long_member);
	tcase_add_loop_test(t, range, 0, (int)nitems_of(ranges));
	tcase_add_loop_test(t, member, 0, (int)nitems_of(members));
	tcase_add_loop_test(t, peer, 0, (int)nitems_of(peers));
	tcase_add_test(t, cidr_lists);
	suite_add_tcase(s, t);
	return tap_run(s);
}

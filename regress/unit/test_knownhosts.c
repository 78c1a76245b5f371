/* Lines of known_hosts: names, hashes, patterns, markers, pictures. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/knownhosts.h"
#include "client/randomart.h"
#include "common/base64.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

#define KEY \
	"AAAAC3NzaC1lZDI1NTE5AAAAIONyofRUz5rsUwrukyiIL/xFTpKr7Xs0HX/RhEQ2jHFX"
#define ED " ssh-ed25519 " KEY

static struct known_line
parsed(const char *text)
{
	struct known_line line;

	ck_assert_int_eq(known_parse(span_of(text, strlen(text)), &line), 0);
	return line;
}

START_TEST(parts)
{
	struct known_line l = parsed("  a,b\tssh-ed25519  " KEY " who why \r");

	ck_assert_int_eq(l.marker, KNOWN_PLAIN);
	ck_assert(span_is(l.hosts, "a,b"));
	ck_assert(span_is(l.type, "ssh-ed25519"));
	ck_assert(span_is(l.key, KEY));
	ck_assert(span_is(l.comment, "who why"));
	ck_assert_int_eq(parsed("@revoked *" ED).marker, KNOWN_REVOKED);
	ck_assert_int_eq(parsed("@cert-authority *" ED).marker, KNOWN_CA);
}
END_TEST

static const struct {
	const char *text;
	int rc;
} odd[] = {
	{ "", -ENOENT },
	{ "   ", -ENOENT },
	{ "# comment", -ENOENT },
	{ "host", -EBADMSG },
	{ "host ssh-ed25519", -EBADMSG },
	{ "host 1024 35 1234567", -EBADMSG }, /* protocol 1 */
	{ "@other host" ED, -EBADMSG },
	{ "@revoked", -EBADMSG },
};

START_TEST(odd_lines)
{
	struct known_line line;
	struct span s = span_of(odd[_i].text, strlen(odd[_i].text));

	ck_assert_int_eq(known_parse(s, &line), odd[_i].rc);
}
END_TEST

static const struct {
	const char *hosts, *name;
	bool matches, names;
} lookups[] = {
	{ "host", "host", true, true },
	{ "HOST", "host", true, true },
	{ "a,host,b", "host", true, true },
	{ "hos", "host", false, false },
	{ "hostx", "host", false, false },
	{ "*", "host", true, false },
	{ "h?st", "host", true, false },
	{ "*.x,!bad.x", "good.x", true, false },
	{ "*.x,!bad.x", "bad.x", false, false },
	{ "[host]:2222", "[host]:2222", true, true },
	{ "[host]:2222", "host", false, false },
	{ "[*]:2222", "[host]:2222", true, false },
	{ "|1|", "host", false, false },
	{ "|1|AAAA|BBBB", "host", false, false },
	{ "|1|====|====", "host", false, false },
	{ "|2|x|y", "|2|x|y", true, true },
};

START_TEST(names)
{
	AUTOFREE char *text = NULL;
	struct known_line line;

	ck_assert_int_gt(asprintf(&text, "%s" ED, lookups[_i].hosts), 0);
	line = parsed(text);
	ck_assert_int_eq(
	    known_matches(&line, lookups[_i].name), lookups[_i].matches);
	ck_assert_int_eq(
	    known_names(&line, lookups[_i].name), lookups[_i].names);
}
END_TEST

/* ssh-keygen -H made this of "example.org". */
START_TEST(known_answer)
{
	struct known_line line = parsed("|1|V56fgyoOfq8RLWVs0idE3fdhnyg=|"
					"vCi0pzYmIvnuW4Ffnyg5NSZmQ+k=" ED);

	ck_assert(known_is_hashed(&line));
	ck_assert(known_matches(&line, "[127.0.0.1]:2299"));
	ck_assert(!known_matches(&line, "127.0.0.1"));
}
END_TEST

START_TEST(format)
{
	AUTO(writer_done) struct writer blob = WRITER_INIT;
	AUTOFREE char *plain = NULL;
	AUTOFREE char *hashed = NULL;
	struct known_line line;

	ck_assert_int_eq(base64_decode(span_of(KEY, strlen(KEY)), &blob), 0);
	ck_assert_int_eq(
	    known_format("[h]:1", span_of(blob.p, blob.len), false, &plain), 0);
	ck_assert_str_eq(plain, "[h]:1" ED "\n");
	ck_assert_int_eq(
	    known_format("[h]:1", span_of(blob.p, blob.len), true, &hashed), 0);
	hashed[strlen(hashed) - 1] = '\0';
	line = parsed(hashed);
	ck_assert(known_is_hashed(&line));
	ck_assert(known_matches(&line, "[h]:1"));
	ck_assert(!known_matches(&line, "h"));
	ck_assert(known_is_key(&line, span_of(blob.p, blob.len)));
	ck_assert(!known_is_key(&line, span_of(blob.p, blob.len - 1)));
	ck_assert_int_eq(
	    known_format("h", span_of("\0\0\0\4ab", 6), false, &plain),
	    -EBADMSG);
}
END_TEST

START_TEST(ports)
{
	char name[KNOWN_NAME_MAX];

	known_name("host", 22, name);
	ck_assert_str_eq(name, "host");
	known_name("::1", 2222, name);
	ck_assert_str_eq(name, "[::1]:2222");
}
END_TEST

/* ssh-keygen -lv's picture of KEY. */
START_TEST(picture)
{
	static const char want[] = "+--[ED25519 256]--+\n"
				   "|  .*=o*+...o .   |\n"
				   "| ....=... o +    |\n"
				   "| .o +.o  . + .   |\n"
				   "|.  =o  .  = o    |\n"
				   "| .  +o. S. = .   |\n"
				   "|  E+ =. o = o o  |\n"
				   "|    + .o = + o . |\n"
				   "|      . o   +    |\n"
				   "|         ... .   |\n"
				   "+----[SHA256]-----+\n";
	static const char print[] =
	    "wETTUL100KmzcvM1OD4qUZeqGDBFQu72pMxBwhfEkPo=";
	AUTO(writer_done) struct writer hash = WRITER_INIT;
	AUTOFREE char *got = NULL;

	ck_assert_int_eq(
	    base64_decode(span_of(print, strlen(print)), &hash), 0);
	got = randomart(span_of(hash.p, hash.len), "ED25519 256", "SHA256");
	ck_assert_str_eq(got, want);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("knownhosts");
	TCase *tc = tcase_create("lines");

	tcase_add_test(tc, parts);
	tcase_add_loop_test(tc, odd_lines, 0, nitems_of(odd));
	tcase_add_loop_test(tc, names, 0, nitems_of(lookups));
	tcase_add_test(tc, known_answer);
	tcase_add_test(tc, format);
	tcase_add_test(tc, ports);
	tcase_add_test(tc, picture);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

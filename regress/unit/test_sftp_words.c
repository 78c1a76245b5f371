/*
 * Words of the sftp shell's lines, arguments of scp, and text made harmless:
 * what the user types, and what a server may send.
 */
#include "config.h"

#include <errno.h>
#include <locale.h>
#include <string.h>

#include "client/scp_names.h"
#include "client/sftp_list.h"
#include "client/sftp_words.h"
#include "client/show.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static const struct {
	const char *line;
	const char *words[5];
} good[] = {
	{ "", { NULL } },
	{ "  get  a\tb ", { "get", "a", "b" } },
	{ "a'b c'd", { "ab cd" } },
	{ "'a b' \"c d\"", { "a b", "c d" } },
	{ "\"it's\" 'say \"x\"'", { "it's", "say \"x\"" } },
	{ "a\\ b", { "a b" } },
	{ "'it\\'s'", { "it's" } },
	{ "*.c '*.c' \\*.c", { "*.c", "\\*.c", "\\*.c" } },
	{ "a # b c", { "a" } },
	{ "'#' \\#", { "#", "#" } },
	{ "\"\" x", { "", "x" } },
	{ "a\\\\b", { "a\\\\b" } },
};

START_TEST(words)
{
	AUTO(words_free) struct sftp_words w = { .n = 0 };
	size_t n = 0;

	ck_assert_int_eq(words_split(good[_i].line, false, &w), 0);
	for (; good[_i].words[n] != NULL; n++) {
		ck_assert_uint_lt(n, w.n);
		ck_assert_str_eq(w.word[n], good[_i].words[n]);
	}
	ck_assert_uint_eq(w.n, n);
}
END_TEST

START_TEST(open_quotes)
{
	AUTO(words_free) struct sftp_words w = { .n = 0 };

	ck_assert_int_eq(words_split("get 'a b", false, &w), -EBADMSG);
	ck_assert_int_eq(words_split("get a\\", false, &w), -EBADMSG);
	ck_assert_int_eq(words_split("get 'a b", true, &w), 0);
	ck_assert(w.open && w.quote == '\'' && !w.blank);
	ck_assert_str_eq(w.word[1], "a b");
}
END_TEST

START_TEST(too_many_words)
{
	AUTO(words_free) struct sftp_words w = { .n = 0 };
	char line[2 * (WORDS_MAX + 1) + 1];

	for (size_t i = 0; i + 1 < sizeof(line); i += 2)
		memcpy(line + i, "x ", 2);
	line[sizeof(line) - 1] = '\0';
	ck_assert_int_eq(words_split(line, false, &w), -E2BIG);
}
END_TEST

static const char *const names[] = { "plain", "a b", "it's", "x\"y", "*?[",
	"back\\slash", "#hash", "-dash", "tab\there" };

/* What is quoted is read back as it was, bare and in either quote. */
START_TEST(quoting)
{
	static const char quotes[] = { '\0', '"', '\'' };

	for (size_t i = 0; i < sizeof(quotes); i++) {
		AUTO(words_free) struct sftp_words w = { .n = 0 };
		AUTOFREE char *text = words_quote(names[_i], quotes[i]);
		AUTOFREE char *line = NULL;

		ck_assert_int_ge(
		    asprintf(&line, "%.*s%s%.*s", quotes[i] != 0, &quotes[i],
			text, quotes[i] != 0, &quotes[i]),
		    0);
		ck_assert_int_eq(words_split(line, false, &w), 0);
		ck_assert_uint_eq(w.n, 1);
		list_unescape(w.word[0]);
		ck_assert_str_eq(w.word[0], names[_i]);
	}
}
END_TEST

static const struct {
	const char *text, *host, *path;
	bool is_uri;
} arguments[] = {
	{ "file", NULL, "file", false },
	{ "./a:b", NULL, "./a:b", false },
	{ ":a", NULL, ":a", false },
	{ "/x/a:b", NULL, "/x/a:b", false },
	{ "h:", "h", "", false },
	{ "h:a:b", "h", "a:b", false },
	{ "u@h:/x", "u@h", "/x", false },
	{ "[::1]:f", "[::1]", "f", false },
	{ "u@[fe80::1]:f", "u@[fe80::1]", "f", false },
	{ "scp://u@h:22/f", "scp://u@h:22/f", "", true },
	{ "sftp://h/f", "sftp", "//h/f", false },
};

START_TEST(scp_arguments)
{
	struct scp_name n;

	ck_assert_int_eq(scp_name_parse(arguments[_i].text, "scp", &n), 0);
	ck_assert_pstr_eq(n.host, arguments[_i].host);
	ck_assert_str_eq(n.path, arguments[_i].path);
	ck_assert_int_eq(n.is_uri, arguments[_i].is_uri);
	scp_name_done(&n);
}
END_TEST

static const struct {
	const char *path, *name;
} lasts[] = { { "a", "a" }, { "/a/b//", "b" }, { "..", "." }, { "a/..", "." },
	{ ".", "." }, { "/", "." }, { "", "." }, { "...", "..." },
	{ "a/.b", ".b" } };

START_TEST(last_names)
{
	AUTOFREE char *name = scp_last_name(lasts[_i].path);

	ck_assert_str_eq(name, lasts[_i].name);
}
END_TEST

START_TEST(shown)
{
	AUTOFREE char *text = show_text("a\033[1m\r\nb\xff");
	AUTOFREE char *plain = show_text("n\xc3\xa4me");

	ck_assert_str_eq(text, "a\\033[1m\\015\\012b\\377");
	ck_assert_str_eq(plain, "n\xc3\xa4me");
	ck_assert_uint_eq(show_width(plain), 4);
}
END_TEST

START_TEST(names_of_servers)
{
	ck_assert(list_name_ok("a") && list_name_ok("...") &&
		  list_name_ok("a\\b") && list_name_ok(" "));
	ck_assert(!list_name_ok("") && !list_name_ok(".") &&
		  !list_name_ok("..") && !list_name_ok("a/b") &&
		  !list_name_ok("/"));
	ck_assert(list_has_magic("a*") && list_has_magic("[a]") &&
		  !list_has_magic("a\\*") && !list_has_magic("a"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sftp_words");
	TCase *tc = tcase_create("words");

	setlocale(LC_CTYPE, "C.UTF-8");
	tcase_add_loop_test(tc, words, 0, nitems_of(good));
	tcase_add_test(tc, open_quotes);
	tcase_add_test(tc, too_many_words);
	tcase_add_loop_test(tc, quoting, 0, nitems_of(names));
	tcase_add_loop_test(tc, scp_arguments, 0, nitems_of(arguments));
	tcase_add_loop_test(tc, last_names, 0, nitems_of(lasts));
	tcase_add_test(tc, shown);
	tcase_add_test(tc, names_of_servers);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

/* Lines and words of configuration, each rule of quoting by a row. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/lex.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static const struct {
	const char *line;
	const char *keyword; /* NULL: a blank line */
	const char *words;   /* with "|" behind each */
	const char *rest;
} lines[] = {
	{ "", NULL, "", "" },
	{ " \t ", NULL, "", "" },
	{ "# comment", NULL, "", "" },
	{ "  # comment", NULL, "", "" },
	{ "Port 22", "Port", "22|", "22" },
	{ "  Port\t22  ", "Port", "22|", "22" },
	{ "Port=22", "Port", "22|", "22" },
	{ "Port = 22", "Port", "22|", "22" },
	{ "Port =22", "Port", "22|", "22" },
	{ "Port==22", "Port", "=22|", "=22" },
	{ "Port", "Port", "", "" },
	{ "Port # 22", "Port", "", "# 22" },
	{ "Port 22 # the usual", "Port", "22|", "22 # the usual" },
	{ "Port 22#", "Port", "22#|", "22#" },
	{ "Port 22\r", "Port", "22|", "22" },
	{ "Port 22 \f", "Port", "22|", "22" },
	{ "A a  b\tc", "A", "a|b|c|", "a  b\tc" },
	{ "A \"a b\" c", "A", "a b|c|", "\"a b\" c" },
	{ "A 'a b'c", "A", "a bc|", "'a b'c" },
	{ "A \"it's\"", "A", "it's|", "\"it's\"" },
	{ "A '\"'", "A", "\"|", "'\"'" },
	{ "A \"\"", "A", "|", "\"\"" },
	{ "A x\\ y", "A", "x y|", "x\\ y" },
	{ "A \"x\\ y\"", "A", "x\\ y|", "\"x\\ y\"" },
	{ "A \\\"x\\'", "A", "\"x'|", "\\\"x\\'" },
	{ "A a\\\\b", "A", "a\\b|", "a\\\\b" },
	{ "A a\\nb", "A", "a\\nb|", "a\\nb" },
	{ "A a\\", "A", "a\\|", "a\\" },
	{ "A \"# no comment\"", "A", "# no comment|", "\"# no comment\"" },
	{ "A \"#\" #x \"", "A", "#|", "\"#\" #x \"" },
	{ "A m\xc3\xbcller", "A", "m\xc3\xbcller|", "m\xc3\xbcller" },
};

static void
join(const struct words *w, char out[256])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < w->n; i++)
		len += (size_t)snprintf(out + len, 256 - len, "%s|", w->v[i]);
}

START_TEST(split)
{
	struct lex_line line = { 0 };
	const char *why = NULL;
	const char *text = lines[_i].line;
	char got[256];

	ck_assert_int_eq(
	    lex_split(span_of(text, strlen(text)), &line, &why), 0);
	if (lines[_i].keyword == NULL) {
		ck_assert_ptr_null(line.keyword);
	} else {
		ck_assert_str_eq(line.keyword, lines[_i].keyword);
		ck_assert_str_eq(line.rest, lines[_i].rest);
	}
	join(&line.words, got);
	ck_assert_str_eq(got, lines[_i].words);
	lex_line_done(&line);
}
END_TEST

static const struct {
	const char *line;
	size_t len;
	const char *why;
} bad[] = {
	{ "A \"x", 4, "quote" },
	{ "A 'x\"", 5, "quote" },
	{ "A \"x\\\"", 6, "quote" },
	{ "A x\0y", 5, "control" },
	{ "\0", 1, "control" },
	{ "A x\033[0m", 7, "control" },
	{ "A x\ry", 5, "control" },
	{ "A \x7f", 3, "control" },
};

START_TEST(refused)
{
	struct lex_line line = { 0 };
	const char *why = "";
	struct span text = span_of(bad[_i].line, bad[_i].len);

	ck_assert_int_eq(lex_split(text, &line, &why), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(why, bad[_i].why));
	ck_assert_ptr_null(line.keyword);
}
END_TEST

START_TEST(longest)
{
	AUTOFREE char *text = malloc(LEX_LINE_MAX + 1);
	struct lex_line line = { 0 };
	const char *why = "";

	memset(text, 'x', LEX_LINE_MAX + 1);
	text[1] = ' ';
	ck_assert_int_eq(
	    lex_split(span_of(text, LEX_LINE_MAX + 1), &line, &why), -EMSGSIZE);
	ck_assert_int_eq(
	    lex_split(span_of(text, LEX_LINE_MAX), &line, &why), 0);
	ck_assert_uint_eq(strlen(line.words.v[0]), LEX_LINE_MAX - 2);
	lex_line_done(&line);
}
END_TEST

START_TEST(numbers)
{
	static const char text[] = "one\n\nthree\nfour";
	static const size_t lengths[] = { 3, 0, 5, 4 };
	struct lex lx;
	struct span line;

	lex_init(&lx, span_of(text, strlen(text)));
	for (unsigned i = 0; i < nitems_of(lengths); i++) {
		ck_assert(lex_next(&lx, &line));
		ck_assert_uint_eq(lx.line, i + 1);
		ck_assert_uint_eq(line.len, lengths[i]);
	}
	ck_assert(!lex_next(&lx, &line));
}
END_TEST

static const char *const words[] = {
	"plain",
	"",
	"a b",
	"a\tb",
	"'",
	"\"",
	"\\",
	"\\\\",
	"\\\"",
	"a\\nb",
	"#x",
	"x#",
	"=x",
	"=",
	"\\ ",
	"it's \"it\"",
	"m\xc3\xbc",
};

/* What is quoted and read back is the same, also as the first word. */
START_TEST(quote)
{
	AUTOFREE char *quoted = lex_quote(words[_i]);
	struct lex_line line = { 0 };
	const char *why = "";
	char text[64];

	snprintf(text, sizeof(text), "A %s %s", quoted, quoted);
	ck_assert_int_eq(
	    lex_split(span_of(text, strlen(text)), &line, &why), 0);
	ck_assert_uint_eq(line.words.n, 2);
	ck_assert_str_eq(line.words.v[0], words[_i]);
	ck_assert_str_eq(line.words.v[1], words[_i]);
	lex_line_done(&line);
}
END_TEST

START_TEST(lists)
{
	struct words a = { NULL, 0 }, b = { NULL, 0 };
	char got[256];

	ck_assert_int_eq(words_append(&a, &b), 0);
	ck_assert_int_eq(words_add(&a, "1"), 0);
	ck_assert_int_eq(words_add(&b, "2"), 0);
	ck_assert_int_eq(words_add(&b, "3"), 0);
	ck_assert_int_eq(words_append(&a, &b), 0);
	ck_assert_uint_eq(b.n, 0);
	join(&a, got);
	ck_assert_str_eq(got, "1|2|3|");
	words_done(&a);
	words_done(&a);
	words_done(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("lex");
	TCase *t = tcase_create("lines");

	tcase_add_loop_test(t, split, 0, nitems_of(lines));
	tcase_add_loop_test(t, refused, 0, nitems_of(bad));
	tcase_add_test(t, longest);
	tcase_add_test(t, numbers);
	suite_add_tcase(s, t);
	t = tcase_create("words");
	tcase_add_loop_test(t, quote, 0, nitems_of(words));
	tcase_add_test(t, lists);
	suite_add_tcase(s, t);
	return tap_run(s);
}

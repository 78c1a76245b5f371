/*
 * JSON lines: whatever a text holds, and however little room there is, the
 * line is one object.
 */
#include "config.h"

#include <string.h>

#include "common/jsonline.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static const struct {
	const char *text;
	const char *json;
} texts[] = {
	{ "plain", "{\"a\":\"plain\"}" },
	{ "", "{\"a\":\"\"}" },
	{ "q\"b\\", "{\"a\":\"q\\u0022b\\u005c\"}" },
	{ "\n\t\x7f", "{\"a\":\"\\u000a\\u0009\\u007f\"}" },
	{ "\xc3\xa9", "{\"a\":\"\\u00c3\\u00a9\"}" },
	{ NULL, "{}" },
};

START_TEST(every_text)
{
	char line[128];
	struct jsonline j;

	jsonline_begin(&j, line, sizeof(line));
	jsonline_text(&j, "a", texts[_i].text, 64);
	ck_assert_uint_eq(jsonline_end(&j), strlen(texts[_i].json));
	ck_assert_str_eq(line, texts[_i].json);
}

START_TEST(cut_and_counted)
{
	char line[128];
	struct jsonline j;

	jsonline_begin(&j, line, sizeof(line));
	jsonline_text(&j, "a", "abcdef", 3);
	jsonline_number(&j, "n", UINT64_MAX);
	(void)jsonline_end(&j);
	ck_assert_str_eq(line, "{\"a\":\"abc\",\"n\":18446744073709551615}");
}

/* A member finds room whole, or is not there. */
START_TEST(little_room)
{
	static const char *const whole[] = { "{}", "{\"a\":\"b\\u0022\"}",
		"{\"n\":7}", "{\"a\":\"b\\u0022\",\"n\":7}" };
	bool known = false;
	char line[64];
	struct jsonline j;

	memset(line, 'X', sizeof(line));
	jsonline_begin(&j, line, (size_t)_i);
	jsonline_text(&j, "a", "b\"", 64);
	jsonline_number(&j, "n", 7);
	ck_assert_uint_lt(jsonline_end(&j), (size_t)_i);
	for (size_t i = 0; i < nitems_of(whole); i++)
		known |= strcmp(line, whole[i]) == 0;
	ck_assert_msg(known, "%s", line);
	ck_assert_int_eq(line[_i], 'X');
}

int
main(void)
{
	Suite *s = suite_create("jsonline");
	TCase *t = tcase_create("lines");

	tcase_add_loop_test(t, every_text, 0, (int)nitems_of(texts));
	tcase_add_test(t, cut_and_counted);
	tcase_add_loop_test(t, little_room, 4, 40);
	suite_add_tcase(s, t);
	return tap_run(s);
}

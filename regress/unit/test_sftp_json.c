/* The JSON of sftp-server's audit record: whole, plain and not to be forged. */
#include "config.h"

#include <string.h>

#include "common/own.h"
#include "regress/unit/tap.h"
#include "sftp-server/json.h"

static const struct {
	const char *name, *want;
} names[] = {
	{ "", "{\"n\":\"\"}" },
	{ "plain", "{\"n\":\"plain\"}" },
	{ "a\"b\\c", "{\"n\":\"a\\\"b\\\\c\"}" },
	{ "new\nline\t\x7f", "{\"n\":\"new\\u000aline\\u0009\\u007f\"}" },
	{ "\xc3\xbc", "{\"n\":\"\\u00fc\"}" },
	{ "\xe2\x82\xac", "{\"n\":\"\\u20ac\"}" },
	{ "\xf0\x9f\x98\x80", "{\"n\":\"\\ud83d\\ude00\"}" },
	{ "\xc2\x85\xe2\x80\xa8", "{\"n\":\"\\u0085\\u2028\"}" },
	/* no UTF-8: alone, cut short, overlong, a surrogate, too far */
	{ "\xff", "{\"n\":\"\\ufffd\",\"n_hex\":\"ff\"}" },
	{ "\x80", "{\"n\":\"\\ufffd\",\"n_hex\":\"80\"}" },
	{ "a\xc3", "{\"n\":\"a\\ufffd\",\"n_hex\":\"61c3\"}" },
	{ "\xe2\x82z", "{\"n\":\"\\ufffd\\ufffdz\",\"n_hex\":\"e2827a\"}" },
	{ "\xc0\xaf", "{\"n\":\"\\ufffd\\ufffd\",\"n_hex\":\"c0af\"}" },
	{ "\xed\xa0\x80",
	    "{\"n\":\"\\ufffd\\ufffd\\ufffd\",\"n_hex\":\"eda080\"}" },
	{ "\xf4\x90\x80\x80",
	    "{\"n\":\"\\ufffd\\ufffd\\ufffd\\ufffd\",\"n_hex\":\"f4908080\"}" },
};

START_TEST(text)
{
	struct json j;

	json_begin(&j);
	json_name(&j, "n", names[_i].name);
	ck_assert_str_eq(json_end(&j), names[_i].want);
}
END_TEST

START_TEST(members)
{
	struct json j;

	json_begin(&j);
	json_string(&j, "s", "x");
	json_number(&j, "n", UINT64_MAX);
	json_bool(&j, "b");
	ck_assert_str_eq(json_end(&j),
	    "{\"s\":\"x\",\"n\":18446744073709551615,\"b\":true}");
	json_begin(&j);
	ck_assert_str_eq(json_end(&j), "{}");
}
END_TEST

/* A name is cut at its limit, and two of the worst and more still fit. */
START_TEST(cut)
{
	static const char fill[] = { 'a', '\n', '\xff' };
	char name[4096], end[64];
	struct json j;

	memset(name, fill[_i], sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	json_begin(&j);
	json_name(&j, "x", name);
	json_name(&j, "y", name);
	json_string(&j, "last", "here");
	snprintf(
	    end, sizeof(end), "\"y_cut\":%zu,\"last\":\"here\"}", strlen(name));
	ck_assert_ptr_nonnull(strstr(json_end(&j), end));
	ck_assert_ptr_nonnull(strstr(j.text, "\"x_cut\":4095,"));
	ck_assert_uint_lt(strlen(j.text), JSON_MAX);
}
END_TEST

/* What does not fit is left out whole. */
START_TEST(full)
{
	struct json j;
	size_t before;

	json_begin(&j);
	do {
		before = j.len;
		json_string(&j, "key", "0123456789");
	} while (j.len != before);
	json_end(&j);
	ck_assert_str_eq(j.text + j.len - 11, "0123456789\"}");
	ck_assert_uint_gt(j.len, JSON_MAX - 32);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sftp_json");
	TCase *tc = tcase_create("json");

	tcase_add_loop_test(tc, text, 0, nitems_of(names));
	tcase_add_test(tc, members);
	tcase_add_loop_test(tc, cut, 0, 3);
	tcase_add_test(tc, full);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

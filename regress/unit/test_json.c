/*
 * The JSON writer: what it prints is JSON, whatever the texts are.
 */
#include "config.h"

#include <string.h>

#include "common/own.h"
#include "monitor/json.h"
#include "regress/unit/tap.h"

static const struct {
	const char *value;
	const char *text;
} texts[] = {
	{ "", "\"\"" }, { "plain", "\"plain\"" },
	{ "a \"b\" \\c", "\"a \\\"b\\\" \\\\c\"" },
	{ "\n\t\033\177", "\"\\u000a\\u0009\\u001b\\u007f\"" },
	{ "\303\251 \342\202\254 \360\237\220\201",
	    "\"\303\251 \342\202\254 \360\237\220\201\"" },
	{ "\351t\351", "\"\\ufffdt\\ufffd\"" },
	{ "\303", "\"\\ufffd\"" },            /* cut short */
	{ "\300\257", "\"\\ufffd\\ufffd\"" }, /* too long a form */
	{ "\340\237\277", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\355\240\200", "\"\\ufffd\\ufffd\\ufffd\"" }, /* a surrogate */
	{ "\364\220\200\200",
	    "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* beyond U+10FFFF */
};

static char *out;
static size_t out_len;

static struct json
begin(void)
{
	return (struct json){ .out = open_memstream(&out, &out_len) };
}

static void
end(struct json *j, const char *want)
{
	fclose(j->out);
	ck_assert_str_eq(out, want);
	free(out);
}

START_TEST(strings)
{
	AUTOFREE char *want = NULL;
	struct json j = begin();

	json_text(&j, "x", texts[_i].value);
	ck_assert_int_gt(asprintf(&want, "\"x\": %s", texts[_i].text), 0);
	end(&j, want);
}
END_TEST

START_TEST(nested)
{
	struct json j = begin();

	json_open(&j, '[');
	for (int i = 0; i < 2; i++) {
		json_open(&j, '{');
		json_number(&j, "n", i == 0 ? INT64_MIN : INT64_MAX);
		json_flag(&j, "f", i == 0);
		json_time(&j, "t", 1764110000);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	end(&j, "[{\"n\": -9223372036854775808, \"f\": true, "
		"\"t\": \"2025-11-25T22:33:20Z\"}, "
		"{\"n\": 9223372036854775807, \"f\": false, "
		"\"t\": \"2025-11-25T22:33:20Z\"}]");
}
END_TEST

START_TEST(empty)
{
	struct json j = begin();

	json_open(&j, '[');
	json_close(&j, ']');
	end(&j, "[]");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");

	tcase_add_loop_test(t, strings, 0, (int)nitems_of(texts));
	tcase_add_test(t, nested);
	tcase_add_test(t, empty);
	suite_add_tcase(s, t);
	return tap_run(s);
}

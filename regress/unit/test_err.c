/* Words for errors: for each value one sentence, whichever its sign. */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

#define ERRNO_MOST 140

/* The meanings that err.h gives to errno's values. */
static const struct {
	int code;
	const char *text;
} ours[] = {
	{ EBADMSG, "malformed" },
	{ EPROTO, "not allowed at this point" },
	{ EDQUOT, "more often than allowed" },
	{ EKEYREJECTED, "key or signature not acceptable" },
	{ EMSGSIZE, "too long" },
};

START_TEST(ours_have_our_words)
{
	for (size_t i = 0; i < nitems_of(ours); i++) {
		ck_assert_str_eq(err_str(-ours[i].code), ours[i].text);
		ck_assert_str_eq(err_str(ours[i].code), ours[i].text);
	}
}
END_TEST

START_TEST(others_have_libc_words)
{
	ck_assert_str_eq(err_str(-EACCES), strerror(EACCES));
	ck_assert_str_eq(err_str(-ENOENT), strerror(ENOENT));
	ck_assert_str_eq(err_str(0), strerror(0));
}
END_TEST

START_TEST(every_value_has_words)
{
	for (int code = -ERRNO_MOST; code <= ERRNO_MOST; code++) {
		const char *text = err_str(code);

		ck_assert_ptr_nonnull(text);
		ck_assert_uint_gt(strlen(text), 0);
		ck_assert_ptr_null(strchr(text, '\n'));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("err");
	TCase *t = tcase_create("err");

	tcase_add_test(t, ours_have_our_words);
	tcase_add_test(t, others_have_libc_words);
	tcase_add_test(t, every_value_has_words);
	suite_add_tcase(s, t);
	return tap_run(s);
}

/* Places of PermitRemoteOpen: what is one, and which are listed. */
#include "config.h"

#include "client/place.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static const char *const goods[] = { "h:1", "h:*", "*:65535", "*:*", "[::1]:80",
	"h:domain", "[h]:80" };
static const char *const bads[] = { "", "h", "h:", ":1", "h:0", "h:65536",
	"h:x y", "::1:80", "[::1]", "[]:80", "h:**", "none", "any" };

START_TEST(good)
{
	ck_assert(place_is_good(goods[_i]));
}
END_TEST

START_TEST(bad)
{
	ck_assert(!place_is_good(bads[_i]));
}
END_TEST

static const struct {
	const char *list[3];
	const char *host;
	int port;
	bool listed;
} rows[] = {
	{ { "any" }, "h", 1, true },
	{ { "none" }, "h", 1, false },
	{ { "none" }, "none", 1, false },
	{ { NULL }, "h", 1, false },
	{ { "h:1" }, "h", 1, true },
	{ { "h:1" }, "h", 2, false },
	{ { "h:1" }, "h2", 1, false },
	{ { "h:1" }, "H", 1, false },
	{ { "h:1" }, "*", 1, false },
	{ { "h:1", "*:2" }, "x", 2, true },
	{ { "h:*" }, "h", 65535, true },
	{ { "h:*" }, "x", 65535, false },
	{ { "*:*" }, "x", 3, true },
	{ { "[::1]:80" }, "::1", 80, true },
	{ { "[::1]:80" }, "[::1]", 80, false },
	{ { "h*:1" }, "hh", 1, false },
	{ { "bad", "h:1" }, "h", 1, true },
};

START_TEST(listed)
{
	struct words list = { .n = 0 };

	for (size_t i = 0; i < 3 && rows[_i].list[i] != NULL; i++)
		ck_assert_int_eq(words_add(&list, rows[_i].list[i]), 0);
	ck_assert(place_is_listed(&list, rows[_i].host, rows[_i].port) ==
		  rows[_i].listed);
	words_done(&list);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("place");
	TCase *tc = tcase_create("place");

	tcase_add_loop_test(tc, good, 0, nitems_of(goods));
	tcase_add_loop_test(tc, bad, 0, nitems_of(bads));
	tcase_add_loop_test(tc, listed, 0, nitems_of(rows));
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

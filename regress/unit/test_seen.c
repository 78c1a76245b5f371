/* The memory of sessions: each is new once, and the oldest are forgotten. */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "monitor/seen.h"
#include "regress/unit/tap.h"

static struct seen seen;

static bool
claim(uint64_t number)
{
	uint8_t id[64] = { 0 };

	memcpy(id, &number, sizeof(number));
	return seen_claim(&seen, span_of(id, sizeof(id)));
}

START_TEST(new_once)
{
	for (uint64_t i = 0; i < 10000; i++)
		ck_assert(claim(i));
	for (uint64_t i = 0; i < 10000; i++)
		ck_assert(!claim(i));
	seen_done(&seen);
	ck_assert(claim(1));
	seen_done(&seen);
}
END_TEST

/* Another length is another identifier. */
START_TEST(lengths_count)
{
	static const uint8_t zeroes[64];

	ck_assert(seen_claim(&seen, span_of(zeroes, 32)));
	ck_assert(seen_claim(&seen, span_of(zeroes, 48)));
	ck_assert(seen_claim(&seen, span_of(zeroes, 64)));
	ck_assert(!seen_claim(&seen, span_of(zeroes, 48)));
	seen_done(&seen);
}
END_TEST

/* What is forgotten is a whole generation, and never the last one. */
START_TEST(forgets_the_oldest)
{
	for (uint64_t i = 0; i < 2 * SEEN_GENERATION + 1; i++)
		ck_assert(claim(i));
	ck_assert(!claim(2 * SEEN_GENERATION));
	ck_assert(!claim(2 * SEEN_GENERATION - 1));
	ck_assert(!claim(SEEN_GENERATION));
	ck_assert(claim(SEEN_GENERATION - 1));
	seen_done(&seen);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("seen");
	TCase *t = tcase_create("seen");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, new_once);
	tcase_add_test(t, lengths_count);
	tcase_add_test(t, forgets_the_oldest);
	suite_add_tcase(s, t);
	return tap_run(s);
}

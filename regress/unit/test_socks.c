/* SOCKS requests: whole, in pieces, malformed. */
#include "config.h"

#include <string.h>

#include "client/socks.h"
#include "common/own.h"
#include "regress/unit/tap.h"

/* Bytes of a C string with NULs in it. */
#define RAW(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t len;
	enum socks_verdict verdict;
	const char *host;
	int port;
	size_t behind; /* bytes behind the request */
} requests[] = {
	{ RAW("\4\1\0\26\177\0\0\1me\0"), SOCKS_READY, "127.0.0.1", 22, 0 },
	{ RAW("\4\1\1\1\0\0\0\1\0a.b\0xyz"), SOCKS_READY, "a.b", 257, 3 },
	{ RAW("\4\2\0\26\177\0\0\1\0"), SOCKS_BAD, NULL, 0, 0 },
	{ RAW("\4\1\0\26\0\0\0\1\0\0"), SOCKS_BAD, NULL, 0, 0 },
	{ RAW("\4\1\0\26\0\0\0\1\0a b\0"), SOCKS_BAD, NULL, 0, 0 },
	{ RAW("\5\1\0\5\1\0\1\1\2\3\4\0\26"), SOCKS_READY, "1.2.3.4", 22, 0 },
	{ RAW("\5\2\1\0\5\1\0\3\1a\0\26!"), SOCKS_READY, "a", 22, 1 },
	{ RAW("\5\1\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\26"),
	    SOCKS_READY, "::1", 22, 0 },
	{ RAW("\5\1\1"), SOCKS_BAD, NULL, 0, 0 },
	{ RAW("\5\1\0\5\2\0\1\1\2\3\4\0\26"), SOCKS_BAD, NULL, 0, 0 },
	{ RAW("\5\1\0\5\1\0\2\1\2\3\4\0\26"), SOCKS_BAD, NULL, 0, 0 },
	{ RAW("\5\1\0\5\1\0\3\0\0\26"), SOCKS_BAD, NULL, 0, 0 },
	{ RAW("\5\1\0\4\1\0\1\1\2\3\4\0\26"), SOCKS_BAD, NULL, 0, 0 },
	{ RAW("G"), SOCKS_BAD, NULL, 0, 0 },
};

static enum socks_verdict
run(struct socks *s)
{
	uint8_t reply[SOCKS_REPLY_MAX];
	enum socks_verdict verdict;
	size_t len;

	do {
		verdict = socks_parse(s, reply, &len);
		ck_assert_uint_le(len, sizeof(reply));
	} while (verdict == SOCKS_REPLY);
	return verdict;
}

static void
check(struct socks *s, int i)
{
	ck_assert_int_eq(run(s), requests[i].verdict);
	if (requests[i].verdict != SOCKS_READY)
		return;
	ck_assert_str_eq(s->host, requests[i].host);
	ck_assert_int_eq(s->port, requests[i].port);
	ck_assert_uint_eq(s->len, requests[i].behind);
}

START_TEST(whole)
{
	struct socks s = { .len = requests[_i].len };

	memcpy(s.in, requests[_i].bytes, requests[_i].len);
	check(&s, _i);
}
END_TEST

START_TEST(byte_by_byte)
{
	struct socks s = { .len = 0 };
	enum socks_verdict verdict = SOCKS_MORE;
	size_t at = 0;

	while (at < requests[_i].len && verdict == SOCKS_MORE) {
		s.in[s.len++] = (uint8_t)requests[_i].bytes[at++];
		verdict = run(&s);
	}
	ck_assert_int_eq(verdict, requests[_i].verdict);
	if (verdict == SOCKS_READY)
		ck_assert_str_eq(s.host, requests[_i].host);
}
END_TEST

START_TEST(endless)
{
	struct socks s = { .len = sizeof(s.in) };

	memset(s.in, 'x', sizeof(s.in));
	s.in[0] = 4;
	s.in[1] = 1;
	ck_assert_int_eq(run(&s), SOCKS_BAD);
}
END_TEST

START_TEST(answers)
{
	struct socks four = { .version = 4 }, five = { .version = 5 };
	uint8_t out[SOCKS_REPLY_MAX];

	ck_assert_uint_eq(socks_answer(&four, 1, out), 8);
	ck_assert_int_eq(out[1], 90);
	ck_assert_uint_eq(socks_answer(&four, 0, out), 8);
	ck_assert_int_eq(out[1], 91);
	ck_assert_uint_eq(socks_answer(&five, 1, out), 10);
	ck_assert_int_eq(out[1], 0);
	ck_assert_uint_eq(socks_answer(&five, 0, out), 10);
	ck_assert_int_eq(out[1], 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socks");
	TCase *tc = tcase_create("socks");

	tcase_add_loop_test(tc, whole, 0, nitems_of(requests));
	tcase_add_loop_test(tc, byte_by_byte, 0, nitems_of(requests));
	tcase_add_test(tc, endless);
	tcase_add_test(tc, answers);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

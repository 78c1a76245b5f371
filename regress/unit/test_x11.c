/* DISPLAY, and the first packet of an X11 connection. */
#include "config.h"

#include <string.h>

#include "client/x11.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static const struct {
	const char *text, *host;
	int number, screen;
} displays[] = {
	{ ":0", "", 0, 0 },
	{ ":1.2", "", 1, 2 },
	{ "unix:3", "", 3, 0 },
	{ "localhost:10.0", "localhost", 10, 0 },
	{ "a-b.example:59535.255", "a-b.example", 59535, 255 },
	{ "::1:5", "::1", 5, 0 },
	{ "unix2:5", "unix2", 5, 0 },
};

START_TEST(display)
{
	struct x11_display d;

	ck_assert_int_eq(x11_parse(displays[_i].text, &d), 0);
	ck_assert_str_eq(d.host, displays[_i].host);
	ck_assert_int_eq(d.number, displays[_i].number);
	ck_assert_int_eq(d.screen, displays[_i].screen);
}
END_TEST

static const char *const bads[] = { "", "h", ":", ":x", ":1x", ":1.", ":1.x",
	":-1", ":59536", ":1.256", "-h:1", "h;x:1", "h x:1", "/tmp/x:0",
	"h:1\n", ":99999999999999999999", ":1.2.3", ": 1" };

START_TEST(no_display)
{
	struct x11_display d;

	ck_assert_int_eq(x11_parse(bads[_i], &d), -EBADMSG);
}
END_TEST

/* A good packet; its lengths are in this order. */
static void
make(const struct x11 *x, char order, uint8_t out[X11_SETUP_SIZE])
{
	bool big = order == 'B';

	memset(out, 0, X11_SETUP_SIZE);
	out[0] = (uint8_t)order;
	out[big ? 7 : 6] = sizeof(X11_PROTOCOL) - 1;
	out[big ? 9 : 8] = X11_COOKIE_SIZE;
	memcpy(out + X11_HEAD_SIZE, X11_PROTOCOL, sizeof(X11_PROTOCOL) - 1);
	memcpy(
	    out + X11_SETUP_SIZE - X11_COOKIE_SIZE, x->fake, X11_COOKIE_SIZE);
}

START_TEST(admit)
{
	const struct x11 x = { .real = "the real cookie",
		.fake = "a fake cooki" };
	const char orders[] = { 'B', 'l' };
	uint8_t setup[X11_SETUP_SIZE], before[X11_SETUP_SIZE];
	const size_t at = X11_SETUP_SIZE - X11_COOKIE_SIZE;

	for (size_t i = 0; i < sizeof(orders); i++) {
		make(&x, orders[i], setup);
		memcpy(before, setup, sizeof(setup));
		ck_assert(x11_admit(&x, setup));
		ck_assert_mem_eq(setup, before, at);
		ck_assert_mem_eq(setup + at, x.real, X11_COOKIE_SIZE);
	}
}
END_TEST

/* Every byte that says anything says it. */
START_TEST(change)
{
	const struct x11 x = { .real = "the real cookie",
		.fake = "a fake cooki" };
	const size_t name = X11_HEAD_SIZE + sizeof(X11_PROTOCOL) - 1;
	uint8_t setup[X11_SETUP_SIZE], before[X11_SETUP_SIZE];

	for (size_t i = 0; i < X11_SETUP_SIZE; i++) {
		bool counts = i == 0 || (i >= 6 && i < 10) ||
			      (i >= X11_HEAD_SIZE && i < name) ||
			      i >= X11_SETUP_SIZE - X11_COOKIE_SIZE;

		make(&x, 'l', setup);
		setup[i] ^= 1;
		memcpy(before, setup, sizeof(setup));
		ck_assert(x11_admit(&x, setup) == !counts);
		if (counts)
			ck_assert_mem_eq(setup, before, sizeof(setup));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("x11");
	TCase *tc = tcase_create("x11");

	tcase_add_loop_test(tc, display, 0, nitems_of(displays));
	tcase_add_loop_test(tc, no_display, 0, nitems_of(bads));
	tcase_add_test(tc, admit);
	tcase_add_test(tc, change);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

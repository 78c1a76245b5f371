/* Base 64: the vectors of RFC 4648 section 10, and what must be refused. */
#include "config.h"

#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static const struct {
	const char *data, *padded, *bare;
} vectors[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/", "+/+/" },
};

static struct span
text_span(const char *text)
{
	return span_of(text, strlen(text));
}

START_TEST(vectors_both_ways)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTOFREE char *padded = NULL;
	AUTOFREE char *bare = NULL;
	struct span data = text_span(vectors[_i].data);

	ck_assert_int_eq(base64_encode(data, BASE64_PADDED, &padded), 0);
	ck_assert_int_eq(base64_encode(data, BASE64_BARE, &bare), 0);
	ck_assert_str_eq(padded, vectors[_i].padded);
	ck_assert_str_eq(bare, vectors[_i].bare);
	ck_assert_uint_eq(strlen(padded), BASE64_TEXT_LEN(data.len));
	ck_assert_int_eq(base64_decode(text_span(padded), &w), 0);
	ck_assert(span_eq(span_of(w.p, w.len), data));
}
END_TEST

static const char *const bad[] = {
	"Z",
	"Zg",
	"Zg=",
	"Zm9",
	"Zg===",
	"====",
	"=",
	"==",
	"Zg=g",
	"Z===",
	"=m9v",
	"Zm9v\n",
	"Zm 9",
	"Zm9v=",
	"Zm9vYg",
	"Zm9-",
	"Zm9_",
	"Zh==", /* unused bits */
	"Zm9=", /* unused bits */
	"Zg==Zg==",
	"Zm\x80v",
	"\xff\xff\xff\xff",
};

START_TEST(refused)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	ck_assert_int_eq(base64_decode(text_span(bad[_i]), &w), -EBADMSG);
	ck_assert_uint_eq(w.len, 0);
}
END_TEST

START_TEST(nul_refused)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	ck_assert_int_eq(base64_decode(span_of("Zm9\0", 4), &w), -EBADMSG);
}
END_TEST

/* Each single byte and pair comes back, so each value and position is met. */
START_TEST(round_trip)
{
	for (unsigned v = 0; v < 65536; v++) {
		AUTO(writer_done) struct writer w = WRITER_INIT;
		AUTOFREE char *text = NULL;
		uint8_t data[3] = { (uint8_t)(v >> 8), (uint8_t)v,
			(uint8_t)(v * 7) };
		struct span s = span_of(data, 1 + v % 3);

		ck_assert_int_eq(base64_encode(s, BASE64_PADDED, &text), 0);
		ck_assert_int_eq(base64_decode(text_span(text), &w), 0);
		ck_assert(span_eq(span_of(w.p, w.len), s));
	}
}
END_TEST

/* Of all 4-character texts with two digits set, one per value is accepted. */
START_TEST(one_text_per_value)
{
	unsigned accepted = 0;

	for (unsigned v = 0; v < 65536; v++) {
		AUTO(writer_done) struct writer w = WRITER_INIT;
		uint8_t text[4] = { (uint8_t)(v >> 8), (uint8_t)v, '=', '=' };

		if (base64_decode(span_of(text, 4), &w) == 0)
			accepted++;
	}
	ck_assert_uint_eq(accepted, 256);
}
END_TEST

START_TEST(appends)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	writer_u8(&w, 'x');
	ck_assert_int_eq(base64_decode(text_span("Zm9v"), &w), 0);
	ck_assert(span_is(span_of(w.p, w.len), "xfoo"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base64");
	TCase *t = tcase_create("base64");

	tcase_add_loop_test(t, vectors_both_ways, 0, (int)nitems_of(vectors));
	tcase_add_loop_test(t, refused, 0, (int)nitems_of(bad));
	tcase_add_test(t, nul_refused);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, one_text_per_value);
	tcase_add_test(t, appends);
	suite_add_tcase(s, t);
	return tap_run(s);
}

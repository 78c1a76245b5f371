/*
 * Readers and writers of RFC 4251's types: what is short stays failed, what
 * grows keeps its bytes, and what was written is gone after writer_done().
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/wire.h"
#include "regress/unit/tap.h"

#define SECRET "a secret of some length, which is not to be found"
#define MANY 300000

START_TEST(integers)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	static const uint8_t wire[] = { 0xfe, 0xfe, 0xdc, 0xba, 0x98, 0xfe,
		0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
	struct reader r;

	writer_u8(&w, 0xfe);
	writer_u32(&w, 0xfedcba98);
	writer_u64(&w, 0xfedcba9876543210);
	ck_assert_int_eq(writer_end(&w), 0);
	ck_assert(span_eq(span_of(w.p, w.len), span_of(wire, sizeof(wire))));
	reader_init(&r, w.p, w.len);
	ck_assert_uint_eq(reader_u8(&r), 0xfe);
	ck_assert_uint_eq(reader_u32(&r), 0xfedcba98);
	ck_assert_uint_eq(reader_u64(&r), 0xfedcba9876543210);
	ck_assert_int_eq(reader_end(&r), 0);
}
END_TEST

START_TEST(strings)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct span s;
	struct reader r;

	writer_cstring(&w, "text");
	writer_string(&w, "a\0b", 3);
	writer_string(&w, NULL, 0);
	writer_bytes(&w, "raw", 3);
	reader_init(&r, w.p, w.len);
	ck_assert(span_is(reader_string(&r, 4), "text"));
	s = reader_string(&r, 3);
	ck_assert_uint_eq(s.len, 3);
	ck_assert_int_eq(memcmp(s.p, "a\0b", 3), 0);
	ck_assert(!span_is(s, "a"));
	s = reader_string(&r, 0);
	ck_assert_uint_eq(s.len, 0);
	ck_assert(span_is(s, ""));
	ck_assert(span_is(reader_bytes(&r, 3), "raw"));
	ck_assert_int_eq(reader_end(&r), 0);
}
END_TEST

/* Each length short of the whole, for each type; the bytes are on the heap. */
START_TEST(short_input_stays_failed)
{
	static const uint8_t wire[] = { 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3,
		0, 0, 0, 4, 'a', 'b', 'c', 'd' };

	for (size_t len = 0; len <= sizeof(wire); len++) {
		AUTOFREE uint8_t *p = malloc(len + (len == 0));
		struct reader r;
		struct span s;

		memcpy(p, wire, len);
		reader_init(&r, p, len);
		(void)reader_u8(&r);
		(void)reader_u32(&r);
		(void)reader_u64(&r);
		s = reader_string(&r, 100);
		if (len == sizeof(wire)) {
			ck_assert_int_eq(reader_end(&r), 0);
			ck_assert(span_is(s, "abcd"));
			continue;
		}
		ck_assert(r.failed);
		ck_assert_ptr_nonnull(s.p);
		ck_assert_uint_eq(s.len, 0);
		ck_assert_int_eq(reader_end(&r), -EBADMSG);
		/* Not even what would still fit. */
		ck_assert_uint_eq(reader_bytes(&r, 0).len, 0);
		ck_assert_uint_eq(reader_u8(&r), 0);
		ck_assert_int_eq(reader_end(&r), -EBADMSG);
	}
}
END_TEST

START_TEST(trailing_bytes_fail)
{
	struct reader r;

	reader_init(&r, "ab", 2);
	(void)reader_u8(&r);
	ck_assert_int_eq(reader_end(&r), -EBADMSG);
	(void)reader_u8(&r);
	ck_assert_int_eq(reader_end(&r), 0);
	reader_init(&r, NULL, 0);
	ck_assert_int_eq(reader_end(&r), 0);
}
END_TEST

START_TEST(too_long_strings_fail)
{
	static const uint8_t three[] = { 0, 0, 0, 3, 'a', 'b', 'c' };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 'a' };
	struct reader r;

	reader_init(&r, three, sizeof(three));
	ck_assert_uint_eq(reader_string(&r, 2).len, 0);
	ck_assert_int_eq(reader_end(&r), -EBADMSG);
	reader_init(&r, huge, sizeof(huge));
	ck_assert_uint_eq(reader_string(&r, SIZE_MAX).len, 0);
	ck_assert_int_eq(reader_end(&r), -EBADMSG);
	reader_init(&r, three, sizeof(three));
	ck_assert_uint_eq(reader_bytes(&r, SIZE_MAX).len, 0);
	ck_assert(r.failed);
}
END_TEST

START_TEST(spans_compare)
{
	struct span none = { NULL, 0 };

	ck_assert(span_eq(none, none));
	ck_assert(span_eq(none, span_of("", 0)));
	ck_assert(span_eq(span_of("a\0b", 3), span_of("a\0b", 3)));
	ck_assert(!span_eq(span_of("a\0b", 3), span_of("a\0c", 3)));
	ck_assert(!span_eq(span_of("ab", 2), span_of("abc", 3)));
	ck_assert(!span_is(span_of("ab", 2), "abc"));
	ck_assert(!span_is(span_of("abc", 3), "ab"));
	ck_assert(span_is(none, ""));
}
END_TEST

START_TEST(writer_grows)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	for (uint32_t i = 0; i < MANY; i++)
		writer_u32(&w, i);
	ck_assert_int_eq(writer_end(&w), 0);
	ck_assert_uint_eq(w.len, 4 * (size_t)MANY);
	for (uint32_t i = 0; i < MANY; i += 997) {
		struct reader r;

		reader_init(&r, w.p + 4 * (size_t)i, 4);
		ck_assert_uint_eq(reader_u32(&r), i);
	}
}
END_TEST

START_TEST(writer_has_a_limit)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTOFREE uint8_t *big = calloc(1, WRITER_MAX);

	ck_assert_ptr_nonnull(big);
	writer_u8(&w, 1);
	writer_bytes(&w, big, WRITER_MAX);
	ck_assert_int_eq(writer_end(&w), -ENOMEM);
	ck_assert_uint_eq(w.len, 1);
	/* Once over, nothing more goes in. */
	writer_u8(&w, 2);
	ck_assert_uint_eq(w.len, 1);
	writer_done(&w);
	writer_bytes(&w, big, WRITER_MAX);
	ck_assert_int_eq(writer_end(&w), 0);
	writer_u8(&w, 1);
	ck_assert_int_eq(writer_end(&w), -ENOMEM);
	writer_done(&w);
	writer_string(&w, big, (size_t)UINT32_MAX + 1);
	ck_assert_int_eq(writer_end(&w), -ENOMEM);
}
END_TEST

START_TEST(done_twice_is_fine)
{
	struct writer w = WRITER_INIT;

	writer_done(&w);
	writer_cstring(&w, "x");
	writer_done(&w);
	ck_assert_ptr_null(w.p);
	ck_assert_uint_eq(w.len, 0);
	ck_assert(!w.failed);
	writer_done(&w);
}
END_TEST

/* Whether memory that was let go still has it: the kernel does not mind. */
static bool
leaves(const uint8_t *p, size_t len)
{
	AUTOCLOSE int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	AUTOFREE uint8_t *copy = malloc(len);
	const char *part =
	    &SECRET[32]; /* what a free list does not overwrite */
	ssize_t n = pread(fd, copy, len, (off_t)(uintptr_t)p);

	ck_assert_int_ge(fd, 0);
	return n > 0 && memmem(copy, (size_t)n, part, strlen(part)) != NULL;
}

START_TEST(done_wipes)
{
	struct writer w = WRITER_INIT;
	const uint8_t *p;
	size_t size;

	writer_cstring(&w, SECRET);
	p = w.p;
	size = w.size;
	ck_assert(leaves(p, size));
	writer_done(&w);
	ck_assert(!leaves(p, size));
}
END_TEST

START_TEST(growing_wipes)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	const uint8_t *p;
	size_t size;

	writer_cstring(&w, SECRET);
	p = w.p;
	size = w.size;
	while (w.p == p)
		writer_u64(&w, 0);
	ck_assert(!leaves(p, size));
	ck_assert(leaves(w.p, w.len));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("wire");
	TCase *t = tcase_create("wire");

	tcase_add_test(t, integers);
	tcase_add_test(t, strings);
	tcase_add_test(t, short_input_stays_failed);
	tcase_add_test(t, trailing_bytes_fail);
	tcase_add_test(t, too_long_strings_fail);
	tcase_add_test(t, spans_compare);
	tcase_add_test(t, writer_grows);
	tcase_add_test(t, writer_has_a_limit);
	tcase_add_test(t, done_twice_is_fine);
	tcase_add_test(t, done_wipes);
	tcase_add_test(t, growing_wipes);
	suite_add_tcase(s, t);
	return tap_run(s);
}

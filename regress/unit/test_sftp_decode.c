/* Requests by their shape: every field, and every place where one may end. */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"
#include "sftp-server/request.h"

static struct request q;

static void
put_handle(struct writer *w, uint64_t id)
{
	writer_u32(w, sizeof(id));
	writer_u64(w, id);
}

START_TEST(every_kind_of_field)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct reader r;

	writer_cstring(&w, "first");
	writer_cstring(&w, "second");
	put_handle(&w, 0x100000002);
	put_handle(&w, 0x300000004);
	writer_u32(&w, 5);
	writer_u64(&w, 6);
	writer_u64(&w, 7);
	writer_cstring(&w, "data");
	writer_cstring(&w, "more");
	writer_u32(&w, SSH_FILEXFER_ATTR_PERMISSIONS);
	writer_u32(&w, 0700);
	reader_init(&r, w.p, w.len);
	ck_assert_int_eq(request_decode(&r, "pphhnoodda", &q), 0);
	ck_assert_str_eq(q.path[0], "first");
	ck_assert_str_eq(q.path[1], "second");
	ck_assert_uint_eq(q.handle[0], 0x100000002);
	ck_assert_uint_eq(q.handle[1], 0x300000004);
	ck_assert_uint_eq(q.number[0], 5);
	ck_assert_uint_eq(q.number[1], 6);
	ck_assert_uint_eq(q.number[2], 7);
	ck_assert(span_is(q.data[0], "data"));
	ck_assert(span_is(q.data[1], "more"));
	ck_assert_uint_eq(q.attrs.perm, 0700);
	for (size_t len = 0; len < w.len; len++) {
		reader_init(&r, w.p, len);
		ck_assert_int_eq(
		    request_decode(&r, "pphhnoodda", &q), -EBADMSG);
	}
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	uint64_t id;
} handles[] = {
	{ "\0\0\0\10\0\0\0\1\0\0\0\2", 12, 0x100000002 },
	{ "\0\0\0\0", 4, 0 },
	{ "\0\0\0\4\0\0\0\1", 8, 0 },
	{ "\0\0\0\11\0\0\0\1\0\0\0\2x", 13, 0 },
};

START_TEST(handles_of_other_makers_are_none)
{
	struct reader r;

	q.handle[0] = 99;
	reader_init(&r, handles[_i].bytes, handles[_i].len);
	ck_assert_int_eq(request_decode(&r, "h", &q), 0);
	ck_assert_uint_eq(q.handle[0], handles[_i].id);
}
END_TEST

START_TEST(bad_paths)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	char path[SFTP_PATH_MAX + 1];
	struct reader r;

	memset(path, 'x', sizeof(path));
	writer_string(&w, path, sizeof(path));
	reader_init(&r, w.p, w.len);
	ck_assert_int_eq(request_decode(&r, "p", &q), -ENAMETOOLONG);
	w.len = 0;
	writer_cstring(&w, "good");
	writer_string(&w, "b\0d", 3);
	reader_init(&r, w.p, w.len);
	ck_assert_int_eq(request_decode(&r, "pp", &q), -EBADMSG);
}
END_TEST

START_TEST(more_than_the_shape_is_left_alone)
{
	struct reader r;

	reader_init(&r, "\0\0\0\7rest", 8);
	ck_assert_int_eq(request_decode(&r, "n", &q), 0);
	ck_assert_uint_eq(q.number[0], 7);
	ck_assert_uint_eq(r.left, 4);
	ck_assert_int_eq(request_decode(&r, "", &q), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sftp_decode");
	TCase *tc = tcase_create("decode");

	tcase_add_test(tc, every_kind_of_field);
	tcase_add_loop_test(
	    tc, handles_of_other_makers_are_none, 0, nitems_of(handles));
	tcase_add_test(tc, bad_paths);
	tcase_add_test(tc, more_than_the_shape_is_left_alone);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

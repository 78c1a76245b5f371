/* The SFTP codec: framing at its bounds, attributes both ways, forged counts.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/sftp.h"
#include "regress/unit/tap.h"

#define ALL_FIELDS \
	(SSH_FILEXFER_ATTR_SIZE | SSH_FILEXFER_ATTR_UIDGID | \
	    SSH_FILEXFER_ATTR_PERMISSIONS | SSH_FILEXFER_ATTR_ACMODTIME)

static const struct sftp_attrs full = {
	.flags = ALL_FIELDS,
	.size = 0x1122334455667788,
	.uid = 1000,
	.gid = 0xfffffffe,
	.perm = 0104755,
	.atime = 1,
	.mtime = 0xffffffff,
};

static const struct {
	const char *bytes;
	size_t len;
	int error;
	size_t size;
} frames[] = {
	{ "", 0, -EAGAIN, 4 },
	{ "\0\0\0", 3, -EAGAIN, 4 },
	{ "\0\0\0\0", 4, -EBADMSG, 99 },
	{ "\0\0\0\1", 4, -EAGAIN, 5 },
	{ "\0\0\0\1\7", 5, 0, 5 },
	{ "\0\0\0\1\7\7", 6, 0, 5 },
	{ "\0\4\0\0", 4, -EAGAIN, SFTP_PACKET_MAX + 4 },
	{ "\0\4\0\1", 4, -EMSGSIZE, 99 },
	{ "\377\377\377\377", 4, -EMSGSIZE, 99 },
};

START_TEST(frame_bounds)
{
	size_t size = 99;

	ck_assert_int_eq(sftp_frame(frames[_i].bytes, frames[_i].len, &size),
	    frames[_i].error);
	ck_assert_uint_eq(size, frames[_i].size);
}
END_TEST

START_TEST(packet_is_framed)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct reader r;
	size_t size, mark;

	sftp_status_write(&w, 1, SSH_FX_EOF, NULL);
	mark = sftp_start(&w, SSH_FXP_HANDLE, 0x01020304);
	writer_cstring(&w, "h");
	sftp_finish(&w, mark);
	ck_assert_int_eq(sftp_frame(w.p, w.len, &size), 0);
	ck_assert_uint_eq(size, mark);
	ck_assert_int_eq(sftp_frame(w.p + mark, w.len - mark, &size), 0);
	ck_assert_uint_eq(size, w.len - mark);
	reader_init(&r, w.p + mark + SFTP_LEN_SIZE, size - SFTP_LEN_SIZE);
	ck_assert_uint_eq(reader_u8(&r), SSH_FXP_HANDLE);
	ck_assert_uint_eq(reader_u32(&r), 0x01020304);
	ck_assert(span_is(reader_string(&r, 1), "h"));
	ck_assert_int_eq(reader_end(&r), 0);
}
END_TEST

START_TEST(status_has_words)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct reader r;

	sftp_status_write(&w, 7, SSH_FX_NO_SUCH_FILE, NULL);
	reader_init(&r, w.p, w.len);
	ck_assert_uint_eq(reader_u32(&r), w.len - SFTP_LEN_SIZE);
	ck_assert_uint_eq(reader_u8(&r), SSH_FXP_STATUS);
	ck_assert_uint_eq(reader_u32(&r), 7);
	ck_assert_uint_eq(reader_u32(&r), SSH_FX_NO_SUCH_FILE);
	ck_assert(span_is(reader_string(&r, 99), "No such file"));
	ck_assert(span_is(reader_string(&r, 99), ""));
	ck_assert_int_eq(reader_end(&r), 0);
	ck_assert_str_eq(sftp_status_text(0xffffffff), "Unknown error");
}
END_TEST

/* Every set of fields, and every place where one may end. */
START_TEST(attrs_both_ways)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct sftp_attrs a = full, got = { .perm = 99 };
	struct reader r;

	a.flags = (uint32_t)_i;
	sftp_attrs_write(&w, &a);
	reader_init(&r, w.p, w.len);
	sftp_attrs_read(&r, &got);
	ck_assert_int_eq(reader_end(&r), 0);
	ck_assert_uint_eq(got.flags, a.flags);
	ck_assert_uint_eq(got.size, _i & 1 ? full.size : 0);
	ck_assert_uint_eq(got.uid, _i & 2 ? full.uid : 0);
	ck_assert_uint_eq(got.gid, _i & 2 ? full.gid : 0);
	ck_assert_uint_eq(got.perm, _i & 4 ? full.perm : 0);
	ck_assert_uint_eq(got.atime, _i & 8 ? full.atime : 0);
	ck_assert_uint_eq(got.mtime, _i & 8 ? full.mtime : 0);
	for (size_t len = 0; len < w.len; len++) {
		reader_init(&r, w.p, len);
		got.perm = 99;
		sftp_attrs_read(&r, &got);
		ck_assert(r.failed);
		ck_assert_uint_eq(got.perm, 99);
	}
}
END_TEST

START_TEST(attrs_extended_are_skipped)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct sftp_attrs a = full, got;
	struct reader r;

	writer_u32(
	    &w, SSH_FILEXFER_ATTR_EXTENDED | SSH_FILEXFER_ATTR_PERMISSIONS);
	writer_u32(&w, 0600);
	writer_u32(&w, 2);
	for (int i = 0; i < 4; i++)
		writer_cstring(&w, "text");
	writer_u8(&w, 42);
	reader_init(&r, w.p, w.len);
	sftp_attrs_read(&r, &got);
	ck_assert_uint_eq(got.perm, 0600);
	ck_assert_uint_eq(reader_u8(&r), 42);
	/* 4 billion pairs end with the bytes that there are. */
	memset(w.p + 8, 0xff, 4);
	reader_init(&r, w.p, w.len);
	sftp_attrs_read(&r, &got);
	ck_assert(r.failed);
	/* Never sent, whatever the caller's flags. */
	w.len = 0;
	a.flags = SSH_FILEXFER_ATTR_EXTENDED;
	sftp_attrs_write(&w, &a);
	ck_assert_uint_eq(w.len, 4);
	ck_assert_uint_eq(w.p[0], 0);
}
END_TEST

START_TEST(attrs_of_a_file)
{
	struct stat st = {
		.st_mode = S_IFREG | 0644,
		.st_size = (off_t)5 << 32,
		.st_uid = 3,
		.st_gid = 4,
	};
	struct sftp_attrs a;

	st.st_atime = -1;
	st.st_mtime = (time_t)1 << 33;
	a = sftp_attrs_of(&st);
	ck_assert_uint_eq(a.flags, ALL_FIELDS);
	ck_assert_uint_eq(a.size, 5ULL << 32);
	ck_assert_uint_eq(a.perm, S_IFREG | 0644);
	ck_assert_uint_eq(a.uid, 3);
	ck_assert_uint_eq(a.gid, 4);
	ck_assert_uint_eq(a.atime, 0);
	ck_assert_uint_eq(a.mtime, UINT32_MAX);
}
END_TEST

static int
read_path(const void *bytes, size_t len, char *out_path)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct reader r;

	writer_string(&w, bytes, len);
	reader_init(&r, w.p, w.len);
	return sftp_path_read(&r, out_path);
}

START_TEST(paths)
{
	char longest[SFTP_PATH_MAX + 2], path[SFTP_PATH_MAX + 1] = "before";
	struct reader r;

	memset(longest, 'x', sizeof(longest));
	ck_assert_int_eq(read_path("", 0, path), 0);
	ck_assert_str_eq(path, "");
	ck_assert_int_eq(read_path("a\nb", 3, path), 0);
	ck_assert_str_eq(path, "a\nb");
	ck_assert_int_eq(read_path("a\0b", 3, path), -EBADMSG);
	ck_assert_int_eq(read_path("a\0", 2, path), -EBADMSG);
	ck_assert_str_eq(path, "a\nb");
	ck_assert_int_eq(read_path(longest, SFTP_PATH_MAX, path), 0);
	ck_assert_uint_eq(strlen(path), SFTP_PATH_MAX);
	ck_assert_int_eq(
	    read_path(longest, SFTP_PATH_MAX + 1, path), -ENAMETOOLONG);
	reader_init(&r, "\0\0\0\4abc", 7);
	ck_assert_int_eq(sftp_path_read(&r, path), -EBADMSG);
}
END_TEST

START_TEST(statvfs_both_ways)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct statvfs in = {
		.f_bsize = 1,
		.f_frsize = 2,
		.f_blocks = 3,
		.f_bfree = 4,
		.f_bavail = 5,
		.f_files = 6,
		.f_ffree = 7,
		.f_favail = 8,
		.f_fsid = 9,
		.f_flag = ST_RDONLY | ST_NOSUID | ST_NOATIME,
		.f_namemax = 255,
	};
	struct statvfs out;
	struct reader r;

	sftp_statvfs_write(&w, &in);
	ck_assert_uint_eq(w.len, 11 * sizeof(uint64_t));
	reader_init(&r, w.p, w.len);
	sftp_statvfs_read(&r, &out);
	ck_assert_int_eq(reader_end(&r), 0);
	ck_assert_uint_eq(out.f_bsize, 1);
	ck_assert_uint_eq(out.f_favail, 8);
	ck_assert_uint_eq(out.f_fsid, 9);
	ck_assert_uint_eq(out.f_flag, ST_RDONLY | ST_NOSUID);
	ck_assert_uint_eq(out.f_namemax, 255);
}
END_TEST

START_TEST(limits_both_ways)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct sftp_limits in = { 1, 2, 3, 4 }, out;
	struct reader r;

	sftp_limits_write(&w, &in);
	reader_init(&r, w.p, w.len);
	sftp_limits_read(&r, &out);
	ck_assert_int_eq(reader_end(&r), 0);
	ck_assert_uint_eq(out.packet_max, 1);
	ck_assert_uint_eq(out.read_max, 2);
	ck_assert_uint_eq(out.write_max, 3);
	ck_assert_uint_eq(out.handles_max, 4);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sftp");
	TCase *tc = tcase_create("codec");

	tcase_add_loop_test(tc, frame_bounds, 0, nitems_of(frames));
	tcase_add_test(tc, packet_is_framed);
	tcase_add_test(tc, status_has_words);
	tcase_add_loop_test(tc, attrs_both_ways, 0, ALL_FIELDS + 1);
	tcase_add_test(tc, attrs_extended_are_skipped);
	tcase_add_test(tc, attrs_of_a_file);
	tcase_add_test(tc, paths);
	tcase_add_test(tc, statvfs_both_ways);
	tcase_add_test(tc, limits_both_ways);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

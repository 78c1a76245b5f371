/* The handle table: ids that were closed or made up are none; its limit. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/own.h"
#include "regress/unit/tap.h"
#include "sftp-server/handle.h"

static char name[] = "name";
static const struct handle file = {
	.kind = HANDLE_FILE, .flags = O_RDONLY, .name = name
};

static uint64_t
add(struct handles *h)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t id = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(handles_add(h, &file, &fd, &id), 0);
	ck_assert_int_eq(fd, -1);
	return id;
}

START_TEST(added_found_closed)
{
	AUTO(handles_done) struct handles h;
	struct handle *found;
	uint64_t id;
	int fd;

	handles_init(&h);
	id = add(&h);
	found = handles_get(&h, id);
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found->name, "name");
	ck_assert_ptr_ne(found->name, name);
	ck_assert_ptr_eq(handles_get_kind(&h, id, HANDLE_FILE), found);
	ck_assert_ptr_null(handles_get_kind(&h, id, HANDLE_DIR));
	fd = found->fd;
	ck_assert_int_eq(handles_close(&h, found), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_ptr_null(handles_get(&h, id));
}
END_TEST

START_TEST(stale_and_forged)
{
	AUTO(handles_done) struct handles h;
	uint64_t old, id;

	handles_init(&h);
	ck_assert_ptr_null(handles_get(&h, 0));
	ck_assert_ptr_null(handles_get(&h, 1));
	old = add(&h);
	ck_assert_int_eq(handles_close(&h, handles_get(&h, old)), 0);
	id = add(&h);
	ck_assert_uint_eq(id >> 32, old >> 32);
	ck_assert_uint_ne(id, old);
	ck_assert_ptr_null(handles_get(&h, old));
	ck_assert_ptr_null(handles_get(&h, 0));
	ck_assert_ptr_null(handles_get(&h, id + 1));
	ck_assert_ptr_null(handles_get(&h, id + ((uint64_t)1 << 32)));
	ck_assert_ptr_null(handles_get(&h, UINT64_MAX));
	ck_assert_ptr_nonnull(handles_get(&h, id));
	/* The generation goes round without ever being 0. */
	handles_get(&h, id)->generation = UINT32_MAX;
	handles_close(&h, handles_get(&h, (id | UINT32_MAX)));
	ck_assert_uint_eq((uint32_t)add(&h), 1);
}
END_TEST

START_TEST(full)
{
	AUTO(handles_done) struct handles h;
	uint64_t id[40];
	uint64_t more = 99;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), kept = fd;

	handles_init(&h);
	h.max = nitems_of(id);
	for (size_t i = 0; i < nitems_of(id); i++) {
		id[i] = add(&h);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(id[i], id[j]);
	}
	ck_assert_int_eq(handles_add(&h, &file, &fd, &more), -EMFILE);
	ck_assert_int_eq(fd, kept);
	ck_assert_uint_eq(more, 99);
	ck_assert_uint_le(h.nslots, h.max);
	handles_close(&h, handles_get(&h, id[7]));
	ck_assert_int_eq(handles_add(&h, &file, &fd, &more), 0);
	ck_assert_uint_eq(more >> 32, id[7] >> 32);
	for (size_t i = 0; i < nitems_of(id); i++)
		ck_assert((handles_get(&h, id[i]) != NULL) == (i != 7));
}
END_TEST

START_TEST(limit_of_descriptors)
{
	struct rlimit before, limit;
	struct handles few, one;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	handles_init(&few);
	limit.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	handles_init(&one);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_uint_eq(few.max, 64 - HANDLE_RESERVE);
	ck_assert_uint_eq(one.max, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sftp_handle");
	TCase *tc = tcase_create("handle");

	tcase_add_test(tc, added_found_closed);
	tcase_add_test(tc, stale_and_forged);
	tcase_add_test(tc, full);
	tcase_add_test(tc, limit_of_descriptors);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

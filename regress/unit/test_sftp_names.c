/* Names out of passwd(5) and group(5), and the ls -l lines that show them. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/own.h"
#include "regress/unit/tap.h"
#include "sftp-server/longname.h"
#include "sftp-server/names.h"

#define NOW 1700000000 /* 14 November 2023, 22:13:20 UTC */
#define LONG_NAME "a-name-of-some-forty-characters-no-less"

static const char passwd[] =
    "root:x:0:0:root:/root:/bin/sh\n"
    "# comment:x:8:8::/:\n"
    "+nis:x:9:9::/:\n"
    "\n"
    "broken:x:\n"
    "number:x:12x:1::/:\n"
    "huge:x:4294967296:1::/:\n"
    "zoe:x:1000:1000:Zo\xc3\xab:/home/zoe:/bin/sh\n"
    "alias:x:1000:1000::/elsewhere:/bin/sh\n" LONG_NAME ":x:1001:1::/l:\n"
    "ev\x1bil\n:x:1002:1::/:\n"
    "top:x:4294967295:1::/top:/bin/sh"; /* and no newline */
static const char group[] = "root:x:0:\nstaff:x:50:zoe,root\nevil\ttab:x:60:\n";

static struct names names;
/* What teardown() removes: never names.*.path, which a test may point at what
 * is the machine's. */
static char made[2][32];

static const char *
file_of(char *path, const char *text, size_t len)
{
	AUTOCLOSE int fd = -1;

	strlcpy(path, "/tmp/test_sftp_names.XXXXXX", sizeof(made[0]));
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	return path;
}

static void
setup(void)
{
	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	ck_assert_int_eq(names_init(&names), 0);
	/* As for a user that only the name service knows. */
	names.users.own[0].id = 777;
	names.users.path = file_of(made[0], passwd, sizeof(passwd) - 1);
	names.groups.path = file_of(made[1], group, sizeof(group) - 1);
}

static void
teardown(void)
{
	unlink(made[0]);
	unlink(made[1]);
	names_done(&names);
}

START_TEST(users)
{
	ck_assert_str_eq(names_user(&names, 0), "root");
	ck_assert_str_eq(names_user(&names, 1000), "zoe");
	ck_assert_str_eq(names_user(&names, 1001), LONG_NAME);
	ck_assert_str_eq(names_user(&names, UINT32_MAX), "top");
	ck_assert_ptr_null(names_user(&names, 1));
	ck_assert_ptr_null(names_user(&names, 8));
	ck_assert_ptr_null(names_user(&names, 9));
	ck_assert_ptr_null(names_user(&names, 12));
	ck_assert_str_eq(names_user(&names, 777), names.user);
	ck_assert_str_eq(names_group(&names, 50), "staff");
	ck_assert_ptr_null(names_group(&names, 51));
}
END_TEST

START_TEST(homes)
{
	ck_assert_str_eq(names_home(&names, "zoe"), "/home/zoe");
	ck_assert_str_eq(names_home(&names, "alias"), "/elsewhere");
	ck_assert_str_eq(names_home(&names, names.user), names.home);
	ck_assert_ptr_null(names_home(&names, "nobody here"));
	ck_assert_ptr_null(names_home(&names, ""));
}
END_TEST

START_TEST(no_files)
{
	names.users.path = names.groups.path = "/nowhere/at/all";
	ck_assert_ptr_null(names_user(&names, 1000));
	ck_assert_ptr_null(names_group(&names, 50));
	ck_assert_str_eq(names_user(&names, 777), names.user);
	names.users.loaded = names.groups.loaded = 0;
	names.users.path = "/";
	ck_assert_ptr_null(names_user(&names, 1000));
}
END_TEST

static const struct {
	struct stat st;
	time_t mtime;
	const char *line;
} lines[] = {
	{ { .st_mode = S_IFREG | 0644, .st_nlink = 1, .st_size = 5 }, NOW,
	    "-rw-r--r--    1 root     root            5 Nov 14 22:13 " },
	{ { .st_mode = S_IFDIR | 01777,
	      .st_nlink = 12345,
	      .st_uid = 1000,
	      .st_gid = 50,
	      .st_size = 4096 },
	    NOW - 86400,
	    "drwxrwxrwt  12345 zoe      staff        4096 Nov 13 22:13 " },
	{ { .st_mode = S_IFLNK | 0777,
	      .st_nlink = 1,
	      .st_uid = 4000000000,
	      .st_gid = 5,
	      .st_size = 12345678901 },
	    86400 * 8,
	    "lrwxrwxrwx    1 4000000000 5        12345678901 Jan  9  1970 " },
	{ { .st_mode = S_IFREG | 06755, .st_nlink = 1 }, NOW + 60,
	    "-rwsr-sr-x    1 root     root            0 Nov 14  2023 " },
	{ { .st_mode = S_IFIFO, .st_nlink = 1, .st_uid = 1001, .st_gid = 60 },
	    NOW,
	    "p---------    1 a-name-of-some-forty-characters- evil?tab"
	    "        0 Nov 14 22:13 " },
};

START_TEST(longnames)
{
	struct longname l = { .names = &names, .now = NOW };
	char head[LONGNAME_HEAD_MAX];
	struct stat st = lines[_i].st;

	/* Twice: the second date comes from what the first left. */
	for (int i = 0; i < 2; i++) {
		st.st_mtime = lines[_i].mtime;
		head[longname_head(&l, &st, head)] = '\0';
		ck_assert_str_eq(head, lines[_i].line);
	}
}
END_TEST

/* A date that was kept must not be shown for another. */
START_TEST(longname_dates)
{
	struct longname l = { .names = &names, .now = NOW };
	char head[LONGNAME_HEAD_MAX];
	struct stat st;

	for (int i = 0; i < 2 * (int)nitems_of(lines); i++) {
		st = lines[i % nitems_of(lines)].st;
		st.st_mtime = lines[i % nitems_of(lines)].mtime;
		head[longname_head(&l, &st, head)] = '\0';
		ck_assert_str_eq(head, lines[i % nitems_of(lines)].line);
	}
	/* The same minute, seen from later and from before. */
	st = lines[0].st;
	st.st_mtime = NOW;
	l.now = NOW - 1;
	head[longname_head(&l, &st, head)] = '\0';
	ck_assert_ptr_nonnull(strstr(head, "Nov 14  2023 "));
}
END_TEST

START_TEST(longname_widest)
{
	struct longname l = { .names = &names, .now = NOW };
	char head[LONGNAME_HEAD_MAX + 64];
	struct stat st = {
		.st_mode = S_IFREG,
		.st_uid = 1001,
		.st_gid = 60,
		.st_size = INT64_MAX,
	};

	st.st_nlink = (nlink_t)-1;
	st.st_mtime = INT64_MAX;
	memset(head, 'x', sizeof(head));
	ck_assert_uint_le(longname_head(&l, &st, head), LONGNAME_HEAD_MAX);
	ck_assert_int_eq(head[LONGNAME_HEAD_MAX], 'x');
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sftp_names");
	TCase *tc = tcase_create("names");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, users);
	tcase_add_test(tc, homes);
	tcase_add_test(tc, no_files);
	tcase_add_loop_test(tc, longnames, 0, nitems_of(lines));
	tcase_add_test(tc, longname_dates);
	tcase_add_test(tc, longname_widest);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

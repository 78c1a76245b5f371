/* Acting as the user, who may do to such a process what is the user's to do. */
#include "config.h"

#include <signal.h>
#include <unistd.h>

#include "common/err.h"
#include "monitor/userid.h"
#include "regress/unit/tap.h"

#define SOMEBODY 65533 /* nobody's process: it may signal itself alone */
#define PATIENCE 20    /* seconds, many times what it should take */

static const gid_t groups[] = { SOMEBODY };
static const struct account somebody = {
	.exists = true,
	.uid = SOMEBODY,
	.gid = SOMEBODY,
	.gids = (gid_t *)(uintptr_t)groups,
	.ngids = 1,
};

START_TEST(kill_is_judged_as_the_users)
{
	if (getuid() != 0)
		return;
	ck_assert_int_eq(setpgid(0, 0), 0);
	/* Of this group the child alone is somebody's. */
	ck_assert_int_eq(userid_kill(&somebody, getpgrp(), 0), 0);
	ck_assert_int_eq(userid_kill(&somebody, getppid(), SIGTERM), -EPERM);
}
END_TEST

START_TEST(kill_ends_though_the_child_is_stopped)
{
	if (getuid() != 0)
		return;
	ck_assert_int_eq(setpgid(0, 0), 0);
	/* The child stops itself: a user's kill -STOP -1 in its midst. */
	ck_assert_int_eq(userid_kill(&somebody, getpgrp(), SIGSTOP), -EPERM);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("userid");
	TCase *words = tcase_create("userid");

	tcase_set_timeout(words, PATIENCE);
	tcase_add_test(words, kill_is_judged_as_the_users);
	tcase_add_test(words, kill_ends_though_the_child_is_stopped);
	suite_add_tcase(suite, words);
	return tap_run(suite);
}

/*
 * What sshd does with the messages of a monitor, should one ever be hostile:
 * three of them count, once each; after any other the channel is closed,
 * nothing stays open, and sshd goes on.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/child.h"
#include "regress/unit/msgfill.h"
#include "regress/unit/tap.h"

#define FDS_MAX 253 /* SCM_MAX_FD of the kernel */

static struct child child;
static struct seen seen;
static int monitor_fd;
static int lowest_fd; /* that is free, which tells of any that is left open */

static int
next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

static void
begin(void)
{
	int pair[2];

	log_open("test", SINK_STDERR, 0, LEVEL_QUIET);
	lowest_fd = next_fd();
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	child = (struct child){ .deadline = 1 };
	ck_assert_int_eq(chan_init(&child.chan, pair[0], SSHD, MONITOR), 0);
	monitor_fd = pair[1];
}

static void
push(const void *p, size_t len, unsigned nfds)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds != 0) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		for (unsigned i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(&control.align) + i * sizeof(int),
			    &monitor_fd, sizeof(int));
	}
	ck_assert_int_eq(sendmsg(monitor_fd, &hdr, MSG_NOSIGNAL), (int)len);
}

static void
push_msg(enum msg_id id, unsigned nfds)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = msgfill(id, MSGFILL_MAX);

	msgfill_put_raw(&m, &w);
	push(w.p, w.len, nfds);
}

/* The channel is closed, and with it all that came through it. */
static void
ends(void)
{
	ck_assert_int_eq(child_message(&child, &seen), -EPIPE);
	ck_assert_int_eq(child.chan.fd, -1);
	close(monitor_fd);
	ck_assert_int_eq(next_fd(), lowest_fd);
}

START_TEST(only_three_rows_count)
{
	enum msg_id id = (enum msg_id)_i;

	begin();
	push_msg(id, 0);
	if (id != MSG_LOGIN && id != MSG_PROVEN && id != MSG_CLAIM) {
		ends();
		ck_assert(!child.logged_in);
		ck_assert_uint_eq(child.proven.signs, 0);
		ck_assert_int_eq(child.deadline, 1);
		return;
	}
	ck_assert_int_eq(child_message(&child, &seen), 0);
	ck_assert(child.logged_in == (id == MSG_LOGIN));
	ck_assert_int_eq(child.deadline, id != MSG_LOGIN);
	ck_assert_uint_eq(child.proven.signs, id == MSG_PROVEN ? 1000 : 0);
	if (id == MSG_LOGIN) { /* nothing can undo it: nobody listens */
		ck_assert_int_eq(child.chan.fd, -1);
		close(monitor_fd);
		return;
	}
	push_msg(id, 0);
	ends();
}
END_TEST

START_TEST(no_descriptors)
{
	static const unsigned counts[] = { 1, 2, 3, 4, FDS_MAX };

	begin();
	push_msg(MSG_LOGIN, counts[_i]);
	ends();
	ck_assert(!child.logged_in);
}
END_TEST

START_TEST(no_garbage)
{
	static uint8_t bytes[2 * MSG_MAX_LEN];
	static const size_t sizes[] = { 0, 1, 2, 100, MSG_MAX_LEN,
		MSG_MAX_LEN + 1, 2 * MSG_MAX_LEN };

	memset(bytes, MSG_LOGIN, sizeof(bytes));
	bytes[0] = MSG_VERSION;
	begin();
	push(bytes, sizes[_i], 1);
	ends();
}
END_TEST

START_TEST(monitor_goes)
{
	begin();
	close(monitor_fd);
	ck_assert_int_eq(child_message(&child, &seen), -EPIPE);
	ck_assert_int_eq(child.chan.fd, -1);
	ck_assert_int_eq(next_fd(), lowest_fd);
}
END_TEST

/* The answer to a claim of the session identifier that msgfill() gives. */
static bool
claim(unsigned fill)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = msgfill(MSG_CLAIM, fill);
	struct chan monitor;
	struct msg got;

	msgfill_put_raw(&m, &w);
	begin();
	push(w.p, w.len, 0);
	ck_assert_int_eq(child_message(&child, &seen), 0);
	ck_assert_int_eq(chan_init(&monitor, monitor_fd, MONITOR, SSHD), 0);
	ck_assert_int_eq(chan_recv(&monitor, &got), 0);
	ck_assert_int_eq(got.id, MSG_CLAIMED);
	chan_done(&monitor);
	chan_done(&child.chan);
	return got.u.claimed.fresh;
}

/* Whichever connection asks. */
START_TEST(a_session_is_claimed_once)
{
	seen_done(&seen);
	ck_assert(claim(MSGFILL_MIN));
	ck_assert(!claim(MSGFILL_MIN));
	ck_assert(claim(MSGFILL_MAX));
	ck_assert(!claim(MSGFILL_MAX));
	ck_assert(!claim(MSGFILL_MIN));
	seen_done(&seen);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("child");
	TCase *t = tcase_create("child");

	tcase_add_loop_test(t, only_three_rows_count, 1, MSG_COUNT);
	tcase_add_loop_test(t, no_descriptors, 0, 5);
	tcase_add_loop_test(t, no_garbage, 0, 7);
	tcase_add_test(t, monitor_goes);
	tcase_add_test(t, a_session_is_claimed_once);
	suite_add_tcase(s, t);
	return tap_run(s);
}

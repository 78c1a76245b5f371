/*
 * What sshd does with the messages of a monitor, should one ever be hostile:
 * four of them count, three once each; after any other the channel is closed,
 * nothing stays open, and sshd goes on.
 */
#include "config.h"

#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/child.h"
#include "monitor/conn.h"
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

START_TEST(only_four_rows_count)
{
	enum msg_id id = (enum msg_id)_i;

	begin();
	push_msg(id, 0);
	if (id != MSG_LOGIN && id != MSG_PROVEN && id != MSG_CLAIM &&
	    id != MSG_AUTH_FAILED) {
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
	ck_assert_uint_eq(child.failures, id == MSG_AUTH_FAILED);
	push_msg(id, 0);
	if (id == MSG_AUTH_FAILED) { /* as often as one may fail */
		ck_assert_int_eq(child_message(&child, &seen), 0);
		ck_assert_uint_eq(child.failures, 2);
		chan_done(&child.chan);
		close(monitor_fd);
		return;
	}
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

/* --- how it ended */

static const struct {
	int net, monitor; /* exit status, or minus a signal */
	bool logged_in, overdue;
	enum penalty_time offence;
} deaths[] = {
	{ 0, 0, true, false, PENALTY_OFFENCES },
	{ 0, 0, false, false, PENALTY_OFFENCES },
	{ 1, CONN_EXIT_OFFENCE + PENALTY_NOAUTH, false, false, PENALTY_NOAUTH },
	{ 1, CONN_EXIT_OFFENCE + PENALTY_AUTHFAIL, false, false,
	    PENALTY_AUTHFAIL },
	{ 1, CONN_EXIT_OFFENCE + PENALTY_AUTHFAIL, true, false,
	    PENALTY_OFFENCES },
	{ 1, CONN_EXIT_OFFENCE + PENALTY_CRASH, true, false, PENALTY_CRASH },
	{ 1, CONN_EXIT_OFFENCE + PENALTY_OFFENCES, false, false,
	    PENALTY_OFFENCES },
	{ 1, CONN_EXIT_OFFENCE - 1, false, false, PENALTY_OFFENCES },
	{ 1, 255, false, false, PENALTY_OFFENCES },
	{ -SIGKILL, -SIGKILL, false, true, PENALTY_GRACE_EXCEEDED },
	{ -SIGKILL, -SIGTERM, false, false, PENALTY_OFFENCES },
	{ -SIGSYS, 0, false, false, PENALTY_CRASH },
	{ -SIGSEGV, 0, true, false, PENALTY_CRASH },
	{ -SIGABRT, -SIGKILL, false, true, PENALTY_CRASH },
	{ 0, -SIGBUS, false, false, PENALTY_CRASH },
};

static int
status_of(int how)
{
	return how < 0 ? -how : how << 8;
}

START_TEST(offences)
{
	struct child c = {
		.net = 7,
		.monitor = 8,
		.logged_in = deaths[_i].logged_in,
		.overdue = deaths[_i].overdue,
	};

	log_open("test", SINK_STDERR, 0, LEVEL_QUIET);
	ck_assert(!child_reaped(&c, 9, 0));
	ck_assert(child_reaped(&c, 7, status_of(deaths[_i].net)));
	ck_assert(!child_gone(&c));
	ck_assert(child_reaped(&c, 8, status_of(deaths[_i].monitor)));
	ck_assert(child_gone(&c));
	ck_assert_int_eq(child_offence(&c), deaths[_i].offence);
}
END_TEST

/* What keeps everybody out is told, with what to do, once. */
START_TEST(exits)
{
	static const struct {
		int status;
		const char *text;
	} cases[] = {
		{ NET_EXIT_JAIL, "cannot enter its jail: .* must be empty" },
		{ SPAWN_EXIT_FDS, "raise LimitNOFILE=" },
		{ SPAWN_EXIT_IDS, "needs CAP_SETUID" },
		{ SPAWN_EXIT_EXEC, "Install it again" },
	};
	char line[LOG_LINE_MAX] = "";
	int pair[2];
	regex_t re;

	ck_assert_int_eq(pipe(pair), 0);
	ck_assert_int_eq(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
	log_open("test", SINK_STDERR, 0, LEVEL_ERROR);
	for (int i = 0; i < 3; i++) {
		struct child c = { .net = 7, .monitor = 8 };

		child_reaped(&c, 7, cases[_i].status << 8);
		child_reaped(&c, 8, CONN_EXIT_OFFENCE << 8);
	}
	ck_assert_int_gt(read(pair[0], line, sizeof(line) - 1), 0);
	ck_assert_int_eq(
	    regcomp(&re, cases[_i].text, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&re, line, 0, NULL, 0) == 0, "%s", line);
	regfree(&re);
	ck_assert_str_eq(strchr(line, '\n'), "\n");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("child");
	TCase *t = tcase_create("child");

	tcase_add_loop_test(t, only_four_rows_count, 1, MSG_COUNT);
	tcase_add_loop_test(t, no_descriptors, 0, 5);
	tcase_add_loop_test(t, no_garbage, 0, 7);
	tcase_add_test(t, monitor_goes);
	tcase_add_test(t, a_session_is_claimed_once);
	tcase_add_loop_test(t, offences, 0, (int)nitems_of(deaths));
	tcase_add_loop_test(t, exits, 0, 4);
	suite_add_tcase(s, t);
	return tap_run(s);
}

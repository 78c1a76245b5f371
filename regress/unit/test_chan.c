/*
 * Channels: what passes, and that nothing which must not pass leaves a
 * descriptor or a secret behind.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "common/chan.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/msgfill.h"
#include "regress/unit/tap.h"

#define PASSWORD "correct horse battery staple"
#define FDS_MAX 253 /* SCM_MAX_FD of the kernel */

/* One end that is under test, and the bare socket of its peer. */
struct bench {
	struct chan chan;
	int peer_fd;
	int fds_before;
};

static int
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
bench_init(struct bench *b, enum peer me, enum peer other, unsigned phase)
{
	int pair[2];

	b->fds_before = count_fds();
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(chan_init(&b->chan, pair[0], me, other), 0);
	ck_assert_uint_eq(b->chan.phase, PH_START);
	b->chan.phase = phase;
	b->peer_fd = pair[1];
}

/* Nothing that was opened on the way is still open. */
static void
bench_done(struct bench *b)
{
	chan_done(&b->chan);
	ck_assert_int_eq(b->chan.fd, -1);
	chan_done(&b->chan);
	if (b->peer_fd >= 0)
		close(b->peer_fd);
	ck_assert_int_eq(count_fds(), b->fds_before);
}

/* A datagram of the peer's, with n descriptors, good or not. */
static void
push(struct bench *b, const void *p, size_t len, unsigned nfds)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	AUTOCLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_uint_le(nfds, FDS_MAX);
	if (nfds != 0) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
	}
	for (unsigned i = 0; i < nfds; i++)
		memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &null_fd,
		    sizeof(int));
	ck_assert_int_eq(sendmsg(b->peer_fd, &hdr, MSG_NOSIGNAL), (int)len);
}

static void
push_msg(struct bench *b, enum msg_id id, unsigned nfds)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = msgfill(id, MSGFILL_MIN);

	msgfill_put_raw(&m, &w);
	push(b, w.p, w.len, nfds);
}

/* --- what passes */

START_TEST(every_row_arrives)
{
	const struct msg_rule *r = msg_rule((enum msg_id)_i);
	struct bench b;
	struct chan peer;
	struct msg m, got;
	int fds[MSG_MAX_FDS];

	bench_init(&b, r->receiver, r->sender, r->phases & ~(r->phases - 1));
	ck_assert_int_eq(
	    chan_init(&peer, take_fd(&b.peer_fd), r->sender, r->receiver), 0);
	for (unsigned i = 0; i < r->fds; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	m = msgfill((enum msg_id)_i, MSGFILL_MAX);
	ck_assert_int_eq(chan_send(&peer, &m, fds, r->fds), 0);
	for (unsigned i = 0; i < r->fds; i++)
		close(fds[i]);
	ck_assert_int_eq(chan_recv(&b.chan, &got), 0);
	ck_assert_int_eq(got.id, _i);
	ck_assert_uint_eq(b.chan.counts[got.id], 1);
	ck_assert_uint_eq(b.chan.nfds, r->fds);
	chan_done(&peer);
	bench_done(&b);
}
END_TEST

START_TEST(descriptors_are_handed_over)
{
	struct bench b;
	struct chan peer;
	struct msg m = { .id = MSG_SESSION_STARTED };
	struct stat sent, got;
	int pipes[2], fd;

	bench_init(&b, NET, MONITOR, PH_START);
	ck_assert_int_eq(
	    chan_init(&peer, take_fd(&b.peer_fd), MONITOR, NET), 0);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	ck_assert_int_eq(chan_send(&peer, &m, pipes, 2), 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), 0);
	fd = chan_take_fd(&b.chan, 1);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(chan_take_fd(&b.chan, 1), -1);
	ck_assert_int_eq(chan_take_fd(&b.chan, 2), -1);
	ck_assert_int_eq(chan_take_fd(&b.chan, MSG_MAX_FDS + 1), -1);
	ck_assert_int_eq(fstat(pipes[1], &sent), 0);
	ck_assert_int_eq(fstat(fd, &got), 0);
	ck_assert_uint_eq(sent.st_ino, got.st_ino);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	/* The one not taken goes with the next message, ours stays. */
	m.id = MSG_SESSION_STARTED;
	ck_assert_int_eq(chan_send(&peer, &m, NULL, 0), 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), 0);
	ck_assert_uint_eq(b.chan.nfds, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	chan_done(&peer);
	bench_done(&b);
}
END_TEST

START_TEST(try_does_not_wait)
{
	struct bench b;
	struct msg m;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	ck_assert_int_eq(chan_try_recv(&b.chan, &m), -EAGAIN);
	push_msg(&b, MSG_AUTH_NONE, 0);
	ck_assert_int_eq(chan_try_recv(&b.chan, &m), 0);
	ck_assert_int_eq(m.id, MSG_AUTH_NONE);
	ck_assert_int_eq(chan_try_recv(&b.chan, &m), -EAGAIN);
	bench_done(&b);
}
END_TEST

START_TEST(try_send_does_not_wait)
{
	struct msg m = msgfill(MSG_AUTH_RESULT, MSGFILL_MIN);
	struct bench b;
	int rc;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	do
		rc = chan_try_send(&b.chan, &m, NULL, 0);
	while (rc == 0);
	ck_assert_int_eq(rc, -EAGAIN);
	while (recv(b.peer_fd, &m, sizeof(m), MSG_DONTWAIT) > 0)
		continue;
	m = msgfill(MSG_AUTH_RESULT, MSGFILL_MIN);
	ck_assert_int_eq(chan_try_send(&b.chan, &m, NULL, 0), 0);
	close(take_fd(&b.peer_fd));
	ck_assert_int_eq(chan_try_send(&b.chan, &m, NULL, 0), -EPIPE);
	bench_done(&b);
}
END_TEST

/* Who does not read is waited for, but not for ever. */
START_TEST(send_has_patience)
{
	struct msg m = msgfill(MSG_AUTH_RESULT, MSGFILL_MIN);
	struct bench b;
	int rc;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	b.chan.patience_ms = 10;
	do
		rc = chan_send(&b.chan, &m, NULL, 0);
	while (rc == 0);
	ck_assert_int_eq(rc, -ETIMEDOUT);
	/* One message less is not the room that is waited for. */
	ck_assert_int_gt(recv(b.peer_fd, &m, sizeof(m), MSG_DONTWAIT), 0);
	m = msgfill(MSG_AUTH_RESULT, MSGFILL_MIN);
	ck_assert_int_eq(chan_send(&b.chan, &m, NULL, 0), 0);
	ck_assert_int_eq(chan_send(&b.chan, &m, NULL, 0), -ETIMEDOUT);
	close(take_fd(&b.peer_fd));
	ck_assert_int_eq(chan_send(&b.chan, &m, NULL, 0), -EPIPE);
	bench_done(&b);
}
END_TEST

static void
on_alarm(int sig)
{
	(void)sig;
}

START_TEST(signal_interrupts)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct itimerval soon = { { 0, 1000 }, { 0, 1000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct bench b;
	struct msg m;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EINTR);
	setitimer(ITIMER_REAL, &never, NULL);
	push_msg(&b, MSG_AUTH_NONE, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), 0);
	bench_done(&b);
}
END_TEST

/* --- what does not */

START_TEST(too_many_descriptors)
{
	static const unsigned counts[] = { 1, 2, 3, 4, 5, 17, FDS_MAX };
	unsigned n = counts[_i];
	struct bench b;
	struct msg m = { .id = MSG_NONE };

	bench_init(&b, MONITOR, NET, PH_AUTH);
	push_msg(&b, MSG_AUTH_NONE, n);
	ck_assert_int_eq(
	    chan_recv(&b.chan, &m), n <= MSG_MAX_FDS ? -EPROTO : -EBADMSG);
	bench_done(&b);
}
END_TEST

/* The row that may carry the most, with that many and with one more. */
START_TEST(one_descriptor_too_many)
{
	struct bench b;
	struct msg m = { .id = MSG_NONE };

	bench_init(&b, MONITOR, SSHD, PH_START);
	push_msg(&b, MSG_CONN, MSG_MAX_FDS);
	ck_assert_int_eq(chan_recv(&b.chan, &m), 0);
	push_msg(&b, MSG_CONN, MSG_MAX_FDS + 1);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EBADMSG);
	bench_done(&b);
}
END_TEST

START_TEST(refused_ones_hold_nothing)
{
	static const unsigned counts[] = { 1, 2, 3, 4, 5, 17, FDS_MAX };
	unsigned n = counts[_i];
	struct bench b;
	struct msg m = { .id = MSG_NONE };

	bench_init(&b, MONITOR, NET, PH_AUTH);
	push_msg(&b, MSG_AUTH_NONE, n);
	ck_assert_int_ne(chan_recv(&b.chan, &m), 0);
	ck_assert_uint_eq(b.chan.counts[MSG_AUTH_NONE], 0);
	ck_assert_int_le(count_fds(), b.fds_before + 2 + MSG_MAX_FDS);
	bench_done(&b);
}
END_TEST

START_TEST(descriptors_with_garbage)
{
	struct bench b;
	struct msg m;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	for (int i = 0; i < 50; i++) {
		push(&b, "garbage", 7, MSG_MAX_FDS);
		ck_assert_int_eq(chan_recv(&b.chan, &m), -EBADMSG);
	}
	ck_assert_int_le(count_fds(), b.fds_before + 2 + MSG_MAX_FDS);
	ck_assert_int_eq(chan_try_recv(&b.chan, &m), -EAGAIN);
	ck_assert_int_eq(count_fds(), b.fds_before + 2);
	bench_done(&b);
}
END_TEST

START_TEST(datagram_sizes)
{
	static const size_t sizes[] = { 1, 2, 3, MSG_MAX_LEN - 1, MSG_MAX_LEN,
		MSG_MAX_LEN + 1, MSG_MAX_LEN + 2, 2 * MSG_MAX_LEN };
	AUTOFREE uint8_t *p = malloc(sizes[_i]);
	struct bench b;
	struct msg m;

	ck_assert_ptr_nonnull(p);
	/* A message of that number there is none. */
	memset(p, 0xff, sizes[_i]);
	p[0] = MSG_VERSION;
	bench_init(&b, MONITOR, NET, PH_AUTH);
	push(&b, p, sizes[_i], 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EBADMSG);
	bench_done(&b);
}
END_TEST

/* A message that is good but for what stands behind the largest one. */
START_TEST(cut_datagram_is_refused)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = msgfill(MSG_LOG, MSGFILL_MIN);
	struct bench b;

	msgfill_put_raw(&m, &w);
	writer_bytes(&w, msgfill_text(), MSG_MAX_LEN + 1 - w.len);
	bench_init(&b, MONITOR, NET, PH_AUTH);
	push(&b, w.p, w.len, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EBADMSG);
	bench_done(&b);
}
END_TEST

START_TEST(empty_datagram_is_the_end)
{
	struct bench b;
	struct msg m;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	push(&b, "", 0, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EPIPE);
	bench_done(&b);
}
END_TEST

START_TEST(end_of_the_peer)
{
	struct bench b;
	struct msg m = { .id = MSG_AUTH_NONE };

	bench_init(&b, MONITOR, NET, PH_AUTH);
	close(take_fd(&b.peer_fd));
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EPIPE);
	ck_assert_int_eq(chan_try_recv(&b.chan, &m), -EPIPE);
	m = msgfill(MSG_AUTH_METHODS, MSGFILL_MIN);
	/* No SIGPIPE either: that would end the test. */
	ck_assert_int_eq(chan_send(&b.chan, &m, NULL, 0), -EPIPE);
	bench_done(&b);
}
END_TEST

START_TEST(peer_ends_with_unread)
{
	struct bench b;
	struct msg m = msgfill(MSG_AUTH_METHODS, MSGFILL_MIN);

	bench_init(&b, MONITOR, NET, PH_AUTH);
	ck_assert_int_eq(chan_send(&b.chan, &m, NULL, 0), 0);
	close(take_fd(&b.peer_fd));
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EPIPE);
	bench_done(&b);
}
END_TEST

START_TEST(wrong_phase_and_number)
{
	struct bench b;
	struct msg m = { .id = MSG_NONE };

	bench_init(&b, MONITOR, NET, PH_KEX);
	push_msg(&b, MSG_AUTH_USER, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EPROTO);
	b.chan.phase = PH_AUTH;
	push_msg(&b, MSG_AUTH_USER, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), 0);
	push_msg(&b, MSG_AUTH_USER, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EDQUOT);
	ck_assert_uint_eq(b.chan.counts[MSG_AUTH_USER], 1);
	/* What only the other side may say. */
	push_msg(&b, MSG_AUTH_METHODS, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EPROTO);
	bench_done(&b);
}
END_TEST

START_TEST(bad_sends_send_nothing)
{
	struct bench b;
	struct msg m = { .id = MSG_PTY_REPLY };
	int fds[MSG_MAX_FDS + 1] = { 0, 0, 0, 0 };
	char byte;

	bench_init(&b, MONITOR, NET, PH_SESSION);
	ck_assert_int_eq(
	    chan_send(&b.chan, &m, fds, MSG_MAX_FDS + 1), -EBADMSG);
	m.u.pty_reply.ok = 2;
	ck_assert_int_eq(chan_send(&b.chan, &m, NULL, 0), -EBADMSG);
	ck_assert_int_eq(recv(b.peer_fd, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
	bench_done(&b);
}
END_TEST

/* --- secrets */

/*
 * Whether the secret is at p, live memory or freed: the kernel is asked, as
 * it minds neither. Its beginning may be overwritten, and it is still one.
 */
static bool
holds_secret(const uint8_t *p)
{
	AUTOCLOSE int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	AUTOFREE uint8_t *copy = malloc(MSG_MAX_LEN);
	const char *part = &PASSWORD[15];
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	ck_assert_ptr_nonnull(copy);
	n = pread(fd, copy, MSG_MAX_LEN, (off_t)(uintptr_t)p);
	return n > 0 && memmem(copy, (size_t)n, part, strlen(part)) != NULL;
}

static void
push_password(struct bench *b)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = { .id = MSG_AUTH_PASSWORD };
	struct msg got;

	m.u.auth_password.password = span_of(PASSWORD, strlen(PASSWORD));
	msgfill_put_raw(&m, &w);
	push(b, w.p, w.len, 0);
	ck_assert_int_eq(chan_recv(&b->chan, &got), 0);
	ck_assert(holds_secret(b->chan.buf));
}

START_TEST(wipe_clears)
{
	struct bench b;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	push_password(&b);
	chan_wipe(&b.chan);
	ck_assert(!holds_secret(b.chan.buf));
	chan_wipe(&b.chan);
	bench_done(&b);
}
END_TEST

START_TEST(next_message_wipes)
{
	struct bench b;
	struct msg m;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	push_password(&b);
	push_msg(&b, MSG_AUTH_NONE, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), 0);
	ck_assert(!holds_secret(b.chan.buf));
	push_password(&b);
	ck_assert_int_eq(chan_try_recv(&b.chan, &m), -EAGAIN);
	ck_assert(!holds_secret(b.chan.buf));
	bench_done(&b);
}
END_TEST

START_TEST(done_wipes)
{
	struct bench b;
	const uint8_t *p;

	bench_init(&b, MONITOR, NET, PH_AUTH);
	push_password(&b);
	p = b.chan.buf;
	bench_done(&b);
	ck_assert(!holds_secret(p));
}
END_TEST

/* --- the trace */

static char traced[4][128];
static unsigned ntraced;

static void
note_trace(void *arg, const char *line)
{
	ck_assert_ptr_eq(arg, traced);
	ck_assert_uint_lt(ntraced, nitems_of(traced));
	strlcpy(traced[ntraced++], line, sizeof(traced[0]));
}

START_TEST(both_ways_are_traced)
{
	struct bench b;
	struct msg m = { .id = MSG_AUTH_METHODS };

	ntraced = 0;
	bench_init(&b, MONITOR, NET, PH_AUTH);
	b.chan.trace = note_trace;
	b.chan.trace_arg = traced;
	push_password(&b);
	ck_assert_int_eq(chan_send(&b.chan, &m, NULL, 0), 0);
	/* Refused ones too: they are what one looks for in a log. */
	push_msg(&b, MSG_HANGUP, 0);
	ck_assert_int_eq(chan_recv(&b.chan, &m), -EPROTO);
	ck_assert_uint_eq(ntraced, 3);
	ck_assert_str_eq(traced[0], "sshd-net > sshd-monitor: AUTH_PASSWORD "
				    "password=<28 bytes hidden>");
	ck_assert_str_eq(traced[1],
	    "sshd-monitor > sshd-net: AUTH_METHODS methods=0 banner=");
	ck_assert_str_eq(
	    traced[2], "sshd-net > sshd-monitor: HANGUP session=0");
	bench_done(&b);
}
END_TEST

START_TEST(long_text_is_traced)
{
	struct bench b;
	struct msg m = msgfill(MSG_SETUP_REPLY, MSGFILL_MAX);

	bench_init(&b, MONITOR, NET, PH_START);
	b.chan.trace = note_trace;
	b.chan.trace_arg = traced;
	ck_assert_int_eq(chan_send(&b.chan, &m, NULL, 0), 0);
	bench_done(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("chan");
	TCase *t = tcase_create("pass");
	TCase *u = tcase_create("refuse");
	TCase *v = tcase_create("secret");

	tcase_add_loop_test(t, every_row_arrives, 1, MSG_COUNT);
	tcase_add_test(t, descriptors_are_handed_over);
	tcase_add_test(t, try_does_not_wait);
	tcase_add_test(t, try_send_does_not_wait);
	tcase_add_test(t, send_has_patience);
	tcase_add_test(t, signal_interrupts);
	suite_add_tcase(s, t);
	tcase_add_loop_test(u, too_many_descriptors, 0, 7);
	tcase_add_loop_test(u, refused_ones_hold_nothing, 0, 7);
	tcase_add_test(u, one_descriptor_too_many);
	tcase_add_test(u, descriptors_with_garbage);
	tcase_add_loop_test(u, datagram_sizes, 0, 8);
	tcase_add_test(u, cut_datagram_is_refused);
	tcase_add_test(u, empty_datagram_is_the_end);
	tcase_add_test(u, end_of_the_peer);
	tcase_add_test(u, peer_ends_with_unread);
	tcase_add_test(u, wrong_phase_and_number);
	tcase_add_test(u, bad_sends_send_nothing);
	suite_add_tcase(s, u);
	tcase_add_test(v, wipe_clears);
	tcase_add_test(v, next_message_wipes);
	tcase_add_test(v, done_wipes);
	tcase_add_test(v, both_ways_are_traced);
	tcase_add_test(v, long_text_is_traced);
	suite_add_tcase(s, v);
	return tap_run(s);
}

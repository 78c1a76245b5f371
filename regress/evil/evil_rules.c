/*
 * A hostile network process against the real sshd-monitor: what no row of
 * msg.def says by itself. Hashes that are none, keys that are missing, tries
 * before there is a user, configurations that are none, sessions twice.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/own.h"
#include "regress/evil/rig.h"
#include "regress/unit/msgfill.h"
#include "regress/unit/tap.h"

#define BLOB_TOO_BIG ((8 << 20) + 1)
#define FLOOD 5000    /* requests whose answers nobody reads */
#define STUCK_MS 1000 /* in which one that reads at all has read many */

/* --- the signing oracle */

static void
sign_refused(unsigned phase, unsigned key, unsigned digest, size_t len)
{
	struct msg m = { .id = MSG_SIGN };
	struct rig r;

	m.u.sign =
	    (struct msg_sign){ key, digest, span_of(msgfill_text(), len) };
	rig_bring(&r, phase);
	ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
	rig_ends_well(&r, RIG_BROKE);
}

/* First, after it, and after the login: never anything but a hash. */
START_TEST(signs_only_hashes)
{
	static const size_t lens[] = { 0, 1, 20, 28, 31, 33, 40, 47, 49, 63, 65,
		200, 20000 };
	static const unsigned phases[] = { PH_KEX, PH_AUTH, PH_SESSION };

	for (size_t i = 0; i < nitems_of(lens); i++)
		sign_refused(phases[_i], 0, 0, lens[i]);
}
END_TEST

START_TEST(signs_only_with_what_there_is)
{
	static const unsigned phases[] = { PH_KEX, PH_AUTH, PH_SESSION };
	static const unsigned digests[] = { 0, 1, 160, 255, 257, 384, 511 };

	sign_refused(phases[_i], 1, 256, 32); /* there is no ECDSA key */
	sign_refused(phases[_i], 3, 0, 32);
	for (size_t i = 0; i < nitems_of(digests); i++)
		sign_refused(phases[_i], 2, digests[i], 32);
}
END_TEST

START_TEST(signs_for_rekeying)
{
	static const size_t lens[] = { 32, 48, 64 };
	struct msg m = { .id = MSG_SIGN };
	struct rig r;

	rig_bring(&r, PH_SESSION);
	for (size_t i = 0; i < nitems_of(lens); i++) {
		struct msg got;

		m.u.sign =
		    (struct msg_sign){ 0, 0, span_of(msgfill_text(), lens[i]) };
		got = rig_ask(&r, &m);
		ck_assert_uint_eq(got.u.signature.raw.len, 64);
		m.u.sign.key = 2;
		m.u.sign.digest = i == 0 ? 256 : 512;
		got = rig_ask(&r, &m);
		ck_assert_uint_eq(got.u.signature.raw.len, 256);
	}
	rig_hang_up(&r);
	rig_ends_well(&r, RIG_GONE);
}
END_TEST

/* --- authentication */

START_TEST(no_try_without_a_user)
{
	static const enum msg_id tries[] = { MSG_AUTH_NONE, MSG_AUTH_PASSWORD,
		MSG_AUTH_KEY, MSG_AUTH_SIGNATURE, MSG_AUTH_DROPPED };

	for (size_t i = 0; i < nitems_of(tries); i++) {
		struct msg m = tries[i] == MSG_AUTH_SIGNATURE
				   ? rig_signature(NULL)
				   : rig_msg(tries[i]);
		struct rig r;

		rig_bring(&r, PH_AUTH);
		ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
		rig_ends_well(&r, RIG_BROKE);
	}
}
END_TEST

/*
 * Bytes all over signature and data count, as many of them as msg.def grants
 * tries; after that the whole one is good.
 */
START_TEST(no_login_by_a_damaged_signature)
{
	struct msg m;
	struct rig r;
	AUTO(writer_done) struct writer data = WRITER_INIT;
	AUTO(writer_done) struct writer signature = WRITER_INIT;
	struct msg_auth_signature *q = &m.u.auth_signature;

	rig_bring(&r, PH_AUTH);
	rig_user(&r);
	m = rig_signature(&r);
	writer_bytes(&data, q->data.p, q->data.len);
	writer_bytes(&signature, q->signature.p, q->signature.len);
	q->data = span_of(data.p, data.len);
	q->signature = span_of(signature.p, signature.len);
	for (size_t i = 0; i < data.len; i += data.len / 30 + 1) {
		struct msg got;

		data.p[i] ^= 1;
		got = rig_ask(&r, &m);
		ck_assert_uint_eq(got.u.auth_result.verdict, VERDICT_DENIED);
		data.p[i] ^= 1;
	}
	for (size_t i = 0; i < signature.len; i += 2) {
		struct msg got;

		signature.p[i] ^= 0x40;
		got = rig_ask(&r, &m);
		ck_assert_uint_eq(got.u.auth_result.verdict, VERDICT_DENIED);
		signature.p[i] ^= 0x40;
	}
	m = rig_ask(&r, &m);
	ck_assert_uint_eq(m.u.auth_result.verdict, VERDICT_GRANTED);
	r.logged_in = true;
	rig_hang_up(&r);
	rig_ends_well(&r, RIG_GONE);
}
END_TEST

/* --- sessions */

static bool
ask_start(struct rig *r, unsigned session)
{
	struct msg m = rig_msg(MSG_SESSION_START);

	m.u.session_start.session = session;
	m.u.session_start.kind = SESSION_EXEC;
	m.u.session_start.command = span_of("cat", 3);
	m = rig_ask(r, &m);
	ck_assert_uint_eq(r->net.nfds, m.u.session_started.ok != 0 ? 3 : 0);
	return m.u.session_started.ok != 0;
}

static bool
ask_pty(struct rig *r, unsigned session)
{
	struct msg m = rig_msg(MSG_PTY_OPEN);

	m.u.pty_open.session = session;
	m = rig_ask(r, &m);
	return m.u.pty_reply.ok != 0;
}

/* MaxSessions is 3; a number is one session, however often it is asked for. */
START_TEST(sessions_are_counted)
{
	struct rig r;

	rig_bring(&r, PH_SESSION);
	ck_assert(ask_start(&r, 0));
	ck_assert(!ask_start(&r, 0));
	ck_assert(!ask_pty(&r, 0));
	ck_assert(ask_start(&r, 65536));
	ck_assert(ask_pty(&r, 7));
	ck_assert(!ask_pty(&r, 7));
	ck_assert(!ask_start(&r, 1));
	ck_assert(!ask_pty(&r, 2));
	rig_hang_up(&r);
	/* All three processes end with the connection. */
	rig_ends_well(&r, RIG_GONE);
}
END_TEST

/* A fault ends what runs, as a hang-up does. */
START_TEST(fault_ends_sessions)
{
	struct msg m = rig_msg(MSG_SESSION_START);
	struct msg bad = rig_msg(MSG_CONN);
	struct span touch = m.u.session_start.command;
	char command[PATH_MAX];
	struct rig r;

	rig_bring(&r, PH_SESSION);
	/* Of what has not begun, nobody could tell whether it was ended. */
	snprintf(command, sizeof(command), "%.*s; exec tail -f /dev/null",
	    (int)touch.len, (const char *)touch.p);
	m.u.session_start.command = span_of(command, strlen(command));
	m = rig_ask(&r, &m);
	ck_assert_uint_eq(m.u.session_started.ok, 1);
	rig_wait_marked();
	ck_assert_int_eq(rig_push_msg(r.net.fd, &bad), 0);
	rig_ends_well(&r, RIG_BROKE);
}
END_TEST

/* The proof that all of the above would have been seen. */
START_TEST(an_honest_one_runs)
{
	struct msg m = rig_msg(MSG_SESSION_START);
	struct msg bye = rig_msg(MSG_BYE);
	struct rig r;

	rig_bring(&r, PH_SESSION);
	ck_assert(!rig_marked());
	m = rig_ask(&r, &m);
	ck_assert_uint_eq(m.u.session_started.ok, 1);
	ck_assert_uint_eq(r.net.nfds, 3);
	rig_wait_marked();
	while (m.id != MSG_SESSION_EXIT)
		ck_assert_int_eq(chan_recv(&r.net, &m), 0);
	ck_assert_uint_eq(m.u.session_exit.status, 0);
	ck_assert_int_eq(rig_push_msg(r.net.fd, &bye), 0);
	rig_ends_well(&r, RIG_SILENT);
}
END_TEST

START_TEST(odd_numbers_do_no_harm)
{
	static const enum msg_id rows[] = { MSG_SIGNAL, MSG_HANGUP };
	static const char *const names[] = { "TERM", "KILL", "STOP", "SIGKILL",
		"9", "-1", "" };
	struct rig r;

	rig_bring(&r, PH_SESSION);
	for (size_t i = 0; i < nitems_of(rows); i++)
		for (size_t k = 0; k < nitems_of(names); k++) {
			struct msg m = rig_msg(rows[i]);

			if (rows[i] == MSG_SIGNAL && *names[k] != '\0')
				m.u.signal.name =
				    span_of(names[k], strlen(names[k]));
			ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
		}
	ck_assert(ask_start(&r, 0));
	rig_hang_up(&r);
	rig_ends_well(&r, RIG_GONE);
}
END_TEST

/* So many questions that the monitor waits for its answers to be read. */
static void
flood(struct rig *r)
{
	struct pollfd pfd = { r->net.fd, POLLOUT, 0 };
	struct msg m = { .id = MSG_SIGN };
	AUTO(writer_done) struct writer w = WRITER_INIT;
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	int rc = 0;

	m.u.sign.hash = span_of(msgfill_text(), RIG_HASH_LEN);
	msgfill_put_raw(&m, &w);
	for (int i = 0; i < FLOOD && rc == 0; i++) {
		if (send(r->net.fd, w.p, w.len, flags) >= 0)
			continue;
		rc = -errno;
		if (rc == -EAGAIN && poll(&pfd, 1, STUCK_MS) == 1)
			rc = 0;
	}
	ck_assert_int_eq(rc, -EAGAIN);
}

/* Questions whose answers nobody reads hold up nobody but the asker. */
START_TEST(flood_without_reading)
{
	struct rig r;

	rig_bring(&r, PH_AUTH);
	flood(&r);
	rig_hang_up(&r);
	rig_ends_well(&r, RIG_GONE);
}
END_TEST

/* Who stays and reads nothing is given up, as is one that is to end. */
START_TEST(never_reads)
{
	static const unsigned phases[] = { PH_AUTH, PH_SESSION, PH_SESSION };
	struct rig r;

	rig_bring(&r, phases[_i]);
	flood(&r);
	if (_i == 2)
		ck_assert_int_eq(kill(r.pid, SIGTERM), 0);
	rig_ends_well(&r, RIG_SILENT);
	ck_assert_msg(strstr(r.log, "does not read what it is told") != NULL ||
			  strstr(r.log, "Exiting on signal") != NULL,
	    "log:\n%.2000s", r.log);
}
END_TEST

/* --- what sshd hands over: a monitor that gets less serves nobody */

static int
memory_file(const void *p, size_t len, size_t size)
{
	int fd = memfd_create("evil", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, len), (int)len);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void
conn_refused(const int *fds, unsigned nfds)
{
	struct rig r;

	rig_start(&r);
	rig_send_conn(&r, fds, nfds);
	rig_ends_well(&r, RIG_FATAL);
}

START_TEST(conn_needs_its_files)
{
	int good[RIG_CONN_FDS], bad[RIG_CONN_FDS], pipes[2];

	rig_conn_fds(good);
	ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
	for (unsigned n = 0; n < RIG_CONN_FDS; n++)
		conn_refused(good, n);
	bad[0] = good[1];
	bad[1] = good[0];
	bad[2] = good[2];
	conn_refused(bad, RIG_CONN_FDS);
	bad[0] = pipes[0];
	bad[1] = pipes[1];
	conn_refused(bad, RIG_CONN_FDS);
	bad[0] = good[0];
	conn_refused(bad, RIG_CONN_FDS);
	for (unsigned n = 0; n < RIG_CONN_FDS; n++)
		close(good[n]);
}
END_TEST

/* Each of the two, cut at some lengths and spoilt in its first bytes. */
START_TEST(conn_checks_its_files)
{
	int fds[RIG_CONN_FDS];
	uint8_t bytes[65536];
	ssize_t len;
	int whole;

	rig_conn_fds(fds);
	whole = fds[_i];
	len = pread(whole, bytes, sizeof(bytes), 0);
	ck_assert_int_gt(len, 0);
	ck_assert_int_lt(len, (int)sizeof(bytes));
	for (size_t cut = 0; cut < (size_t)len; cut += 1 + cut / 2) {
		fds[_i] = memory_file(bytes, cut, cut);
		conn_refused(fds, RIG_CONN_FDS);
		close(fds[_i]);
	}
	fds[_i] = memory_file(bytes, (size_t)len, (size_t)len + 1);
	conn_refused(fds, RIG_CONN_FDS);
	close(fds[_i]);
	fds[_i] = memory_file(bytes, (size_t)len, BLOB_TOO_BIG);
	conn_refused(fds, RIG_CONN_FDS);
	close(fds[_i]);
	bytes[0] ^= 0x80;
	fds[_i] = memory_file(bytes, (size_t)len, (size_t)len);
	conn_refused(fds, RIG_CONN_FDS);
	close(fds[_i]);
	close(whole);
	close(fds[1 - _i]);
	close(fds[2]);
}
END_TEST

/* The network process speaks first, or sshd says something else, or nothing */
START_TEST(conn_comes_first)
{
	static const enum msg_id others[] = { MSG_SETUP, MSG_LOGIN, MSG_PROVEN,
		MSG_SETUP_REPLY };
	struct rig r;

	for (size_t i = 0; i < nitems_of(others); i++) {
		struct msg m = rig_msg(others[i]);

		rig_start(&r);
		ck_assert_int_eq(rig_push_msg(r.sshd.fd, &m), 0);
		rig_ends_well(&r, RIG_FATAL);
	}
	rig_start(&r);
	chan_done(&r.sshd);
	rig_ends_well(&r, RIG_FATAL);
}
END_TEST

START_TEST(conn_comes_once)
{
	int fds[RIG_CONN_FDS];
	struct rig r;

	rig_bring(&r, PH_KEX);
	rig_conn_fds(fds);
	rig_send_conn(&r, fds, RIG_CONN_FDS);
	rig_ends_well(&r, RIG_SILENT);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("evil rules");
	TCase *t = tcase_create("net");
	TCase *u = tcase_create("sshd");

	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, rig_setup, rig_teardown);
	tcase_add_loop_test(t, signs_only_hashes, 0, 3);
	tcase_add_loop_test(t, signs_only_with_what_there_is, 0, 3);
	tcase_add_test(t, signs_for_rekeying);
	tcase_add_test(t, no_try_without_a_user);
	tcase_add_test(t, no_login_by_a_damaged_signature);
	tcase_add_test(t, sessions_are_counted);
	tcase_add_test(t, fault_ends_sessions);
	tcase_add_test(t, an_honest_one_runs);
	tcase_add_test(t, odd_numbers_do_no_harm);
	tcase_add_test(t, flood_without_reading);
	tcase_add_loop_test(t, never_reads, 0, 3);
	suite_add_tcase(s, t);
	tcase_set_timeout(u, 60);
	tcase_add_unchecked_fixture(u, rig_setup, rig_teardown);
	tcase_add_test(u, conn_needs_its_files);
	tcase_add_loop_test(u, conn_checks_its_files, 0, 2);
	tcase_add_test(u, conn_comes_first);
	tcase_add_test(u, conn_comes_once);
	suite_add_tcase(s, u);
	return tap_run(s);
}

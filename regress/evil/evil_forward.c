/*
 * Forwarding between two hostile processes: a network process that asks for
 * what it may not have and for more than there is, and a sshd-forward, which is
 * this program again, that answers as no honest one does. The monitor gives
 * nothing away, and the connection lives on.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/own.h"
#include "regress/evil/rig.h"
#include "regress/unit/msgfill.h"
#include "regress/unit/tap.h"

#define HELPER_FD 3
#define AGENT_PATH "/tmp/agent"
#define LONG_HOST 1000 /* bytes: few such fill the queue of a socket */
#define MANY 150
#define DISTURB_MS 20000
#define POLL_MS 10
/* Channels, listeners, and one of the monitor's own: monitor/forward.c. */
#define WAITING_MAX (FORWARD_CHANNELS_MAX + FORWARD_LISTENERS_MAX + 1)
#define BACKLOG_FILL 4 /* connections that a backlog of none lets wait */

/* --- the hostile sshd-forward: what DIAL's port makes it do */

enum trick {
	TRICK_HONEST = 1, /* the proof that an answer would get through */
	TRICK_OTHER_ID,
	TRICK_NO_SOCKET,
	TRICK_DATAGRAM,
	TRICK_NOTHING,
	TRICK_GARBAGE,
	TRICK_FOREIGN, /* a message that is not its own */
	TRICK_BOUND,   /* the answer to another question */
	TRICK_TWICE,
	TRICK_DIE,
	TRICK_STOP, /* as its user can make any: kill -STOP */
};

static void
answer(struct chan *c, uint64_t id, int fd)
{
	struct msg m = { .id = MSG_DIALLED };

	m.u.dialled = (struct msg_dialled){ id, FORWARD_DONE };
	(void)chan_send(c, &m, &fd, fd >= 0 ? 1 : 0);
}

static void
play(struct chan *c, const struct msg_dial *q)
{
	struct msg m = { .id = MSG_BOUND };
	int pair[2];

	/* No ck_assert(): this process is none of check's. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		_exit(1);
	switch (q->port) {
	case TRICK_HONEST:
		answer(c, q->id, pair[0]);
		break;
	case TRICK_OTHER_ID:
		answer(c, q->id + 1, pair[0]);
		break;
	case TRICK_NO_SOCKET:
		answer(c, q->id, open("/dev/null", O_RDWR | O_CLOEXEC));
		break;
	case TRICK_DATAGRAM:
		answer(c, q->id, socket(AF_INET, SOCK_DGRAM, 0));
		break;
	case TRICK_NOTHING:
		answer(c, q->id, -1);
		break;
	case TRICK_GARBAGE:
		(void)!write(c->fd, "garbage", 7);
		break;
	case TRICK_FOREIGN:
		m = rig_msg(MSG_SESSION_EXIT);
		(void)rig_push_msg(c->fd, &m);
		break;
	case TRICK_BOUND:
		m.u.bound.id = q->id;
		(void)chan_send(c, &m, pair, 2);
		break;
	case TRICK_TWICE:
		answer(c, q->id, pair[0]);
		answer(c, q->id, pair[1]);
		break;
	case TRICK_STOP:
		(void)raise(SIGSTOP);
		break;
	default:
		_exit(0);
	}
	close(pair[0]);
	close(pair[1]);
}

static void
answer_bind(struct chan *c, uint64_t id, bool agent)
{
	struct msg m = { .id = MSG_BOUND };
	int fd = socket(agent ? AF_UNIX : AF_INET, SOCK_STREAM, 0);

	m.u.bound.id = id;
	if (agent)
		m.u.bound.path = span_of(AGENT_PATH, strlen(AGENT_PATH));
	(void)chan_send(c, &m, &fd, 1);
	close(fd);
}

/* The name takes long to be looked up; the agent's socket needs none. */
static void
play_bind(struct chan *c, const struct msg_bind *q)
{
	static uint64_t slow;

	if (q->kind == BIND_TCP) {
		slow = q->id;
		return;
	}
	answer_bind(c, q->id, true);
	answer_bind(c, slow, false);
}

static void __attribute__((noreturn)) hostile_forward(void)
{
	struct chan c;
	struct msg m;

	if (chan_init(&c, HELPER_FD, FORWARD, MONITOR) != 0)
		_exit(1);
	while (chan_recv(&c, &m) == 0)
		if (m.id == MSG_DIAL)
			play(&c, &m.u.dial);
		else if (m.id == MSG_BIND)
			play_bind(&c, &m.u.bind);
	_exit(0);
}

/* --- the network process */

static void
ask_connect(struct rig *r, uint64_t id, uint64_t port)
{
	struct msg m = rig_msg(MSG_CONNECT);

	m.u.connect.id = id;
	m.u.connect.host = span_of("127.0.0.1", 9);
	m.u.connect.port = port;
	ck_assert_int_eq(rig_push_msg(r->net.fd, &m), 0);
}

/* The outcome of the next answer, which has to be to that number. */
static uint64_t
outcome(struct rig *r, enum msg_id id, uint64_t number)
{
	struct msg m;

	ck_assert_int_eq(chan_recv(&r->net, &m), 0);
	ck_assert_int_eq(m.id, id);
	if (id == MSG_CONNECTED) {
		ck_assert_uint_eq(m.u.connected.id, number);
		ck_assert_uint_eq(
		    r->net.nfds, m.u.connected.outcome == FORWARD_DONE);
		return m.u.connected.outcome;
	}
	ck_assert_uint_eq(m.u.listening.id, number);
	return m.u.listening.outcome;
}

static void
lives_on(struct rig *r)
{
	struct msg m = rig_msg(MSG_PTY_OPEN);

	m = rig_ask(r, &m);
	ck_assert_uint_eq(m.u.pty_reply.ok, 1);
	rig_hang_up(r);
	rig_ends_well(r, RIG_GONE);
}

static void
use_hostile_forward(void)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	ck_assert_int_gt(len, 0);
	self[len] = '\0';
	rig_use_forward(self);
}

START_TEST(hostile_answers)
{
	struct rig r;

	use_hostile_forward();
	rig_bring(&r, PH_SESSION);
	ask_connect(&r, 7, (uint64_t)_i);
	ck_assert_uint_eq(outcome(&r, MSG_CONNECTED, 7),
	    _i == TRICK_HONEST || _i == TRICK_TWICE ? FORWARD_DONE
						    : FORWARD_FAILED);
	lives_on(&r);
}
END_TEST

/* The one socket of the last message is of this family. */
static void
has_socket(struct rig *r, int family)
{
	AUTOCLOSE int fd = chan_take_fd(&r->net, 0);
	int is = -1;
	socklen_t len = sizeof(is);

	ck_assert_uint_eq(r->net.nfds, 1);
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &is, &len), 0);
	ck_assert_int_eq(is, family);
}

/* Answers out of order: nobody gets the agent's socket as a listener. */
START_TEST(agent_overtakes_listener)
{
	struct msg m = rig_msg(MSG_LISTEN);
	struct rig r;

	use_hostile_forward();
	rig_configure("AllowAgentForwarding yes\n");
	rig_bring(&r, PH_SESSION);
	m.u.listen.id = (uint64_t)_i;
	m.u.listen.host = span_of("localhost", 9);
	ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
	m = rig_msg(MSG_AGENT_OPEN);
	ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(chan_recv(&r.net, &m), 0);
		if (m.id == MSG_AGENT_REPLY) {
			ck_assert_uint_eq(m.u.agent_reply.ok, 1);
			has_socket(&r, AF_UNIX);
			continue;
		}
		ck_assert_int_eq(m.id, MSG_LISTENING);
		ck_assert_uint_eq(m.u.listening.id, (uint64_t)_i);
		ck_assert_uint_eq(m.u.listening.outcome, FORWARD_DONE);
		has_socket(&r, AF_INET);
	}
	lives_on(&r);
}
END_TEST

/* Signals meanwhile, as of a child that is stopped again and again. */
static void
disturb_to_the_end(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	for (int ms = 0; ms < DISTURB_MS && info.si_pid == 0; ms += POLL_MS) {
		ck_assert_int_eq(kill(pid, SIGCHLD), 0);
		(void)poll(NULL, 0, POLL_MS);
		ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info,
				     WEXITED | WNOHANG | WNOWAIT),
		    0);
	}
	ck_assert_int_eq(info.si_pid, pid);
}

/* One that has stopped, and more requests than its socket has room for. */
static void
bring_stopped(struct rig *r)
{
	static char host[LONG_HOST];
	struct msg m = rig_msg(MSG_CONNECT);

	use_hostile_forward();
	rig_configure("PermitOpen any\nAllowAgentForwarding yes\n");
	rig_bring(r, PH_SESSION);
	ask_connect(r, 0, TRICK_STOP);
	memset(host, 'x', sizeof(host));
	m.u.connect.host = span_of(host, sizeof(host));
	m.u.connect.port = TRICK_HONEST;
	for (uint64_t id = 1; id < MANY; id++) {
		m.u.connect.id = id;
		ck_assert_int_eq(rig_push_msg(r->net.fd, &m), 0);
	}
	/* Answered when the monitor is through with them. */
	m = rig_msg(MSG_PTY_OPEN);
	m.u.pty_open.session = 1;
	m = rig_ask(r, &m);
	ck_assert_uint_eq(m.u.pty_reply.ok, 1);
}

/* One that reads nothing any more holds up neither sessions nor the end. */
START_TEST(stopped_forward)
{
	struct rig r;

	bring_stopped(&r);
	ck_assert_int_eq(kill(r.pid, SIGTERM), 0);
	disturb_to_the_end(r.pid);
	rig_ends_well(&r, RIG_SILENT);
}
END_TEST

/* What is waited for is not waited for without end, and takes all along. */
START_TEST(agent_of_a_stopped_forward)
{
	struct msg m = rig_msg(MSG_AGENT_OPEN);
	struct rig r;

	bring_stopped(&r);
	m = rig_ask(&r, &m);
	ck_assert_uint_eq(m.u.agent_reply.ok, 0);
	lives_on(&r);
}
END_TEST

static pid_t
child_of(pid_t pid)
{
	char path[64];
	long child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid,
	    (long)pid);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%ld", &child), 1);
	fclose(f);
	return (pid_t)child;
}

static bool
is_stopped(pid_t pid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
	fclose(f);
	return state == 'T';
}

static void
let_go_on(pid_t pid)
{
	for (int ms = 0; ms < DISTURB_MS && !is_stopped(pid); ms += POLL_MS)
		(void)poll(NULL, 0, POLL_MS);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
}

/* What it has had no room for comes to it later, in the order of asking. */
START_TEST(requests_wait_in_order)
{
	struct rig r;

	bring_stopped(&r);
	let_go_on(child_of(r.pid));
	for (uint64_t id = 1; id < MANY; id++)
		ck_assert_uint_eq(outcome(&r, MSG_CONNECTED, id), FORWARD_DONE);
	lives_on(&r);
}
END_TEST

/* rig.c permits 127.0.0.1 and localhost only, and no agent. */
START_TEST(not_without_permission)
{
	static const char *const hosts[] = { "localhost", "127.0.0.2", "0",
		"127.0.0.1 ", "127.000.0.1", "::1", "127.0.0.1:80" };
	struct msg m;
	struct rig r;

	rig_bring(&r, PH_SESSION);
	for (size_t i = 0; i < nitems_of(hosts); i++) {
		m = rig_msg(MSG_CONNECT);
		m.u.connect.id = i;
		m.u.connect.port = 80;
		m.u.connect.host = span_of(hosts[i], strlen(hosts[i]));
		ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
		ck_assert_uint_eq(
		    outcome(&r, MSG_CONNECTED, i), FORWARD_DENIED);
		if (i == 0) /* where it may listen */
			continue;
		m = rig_msg(MSG_LISTEN);
		m.u.listen.id = i;
		m.u.listen.host = span_of(hosts[i], strlen(hosts[i]));
		ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
		ck_assert_uint_eq(
		    outcome(&r, MSG_LISTENING, i), FORWARD_DENIED);
	}
	ask_connect(&r, 9, 0);
	ck_assert_uint_eq(outcome(&r, MSG_CONNECTED, 9), FORWARD_DENIED);
	m = rig_msg(MSG_AGENT_OPEN);
	m = rig_ask(&r, &m);
	ck_assert_uint_eq(m.u.agent_reply.ok, 0);
	ck_assert_uint_eq(r.net.nfds, 0);
	m = rig_msg(MSG_X11_OPEN);
	m = rig_ask(&r, &m);
	ck_assert_uint_eq(m.u.x11_reply.ok, 0);
	ck_assert_uint_eq(r.net.nfds, 0);
	lives_on(&r);
}
END_TEST

/* A port whose backlog is full: who connects waits. */
static uint16_t
deaf_port(int fds[BACKLOG_FILL + 1])
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);

	for (int i = 0; i <= BACKLOG_FILL; i++)
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(fds[0], (struct sockaddr *)&addr, len), 0);
	ck_assert_int_eq(listen(fds[0], 0), 0);
	ck_assert_int_eq(
	    getsockname(fds[0], (struct sockaddr *)&addr, &len), 0);
	for (int i = 1; i <= BACKLOG_FILL; i++)
		(void)connect(fds[i], (struct sockaddr *)&addr, len);
	return ntohs(addr.sin_port);
}

/* Numbers twice, and one request more than there may be. */
START_TEST(not_more_than_the_limit)
{
	int fds[BACKLOG_FILL + 1];
	uint16_t port = deaf_port(fds);
	struct rig r;

	rig_bring(&r, PH_SESSION);
	ask_connect(&r, 0, port);
	ask_connect(&r, 0, port);
	ck_assert_uint_eq(outcome(&r, MSG_CONNECTED, 0), FORWARD_LIMIT);
	for (uint64_t id = 1; id < WAITING_MAX; id++)
		ask_connect(&r, id, port);
	ask_connect(&r, UINT32_MAX, port);
	ck_assert_uint_eq(
	    outcome(&r, MSG_CONNECTED, UINT32_MAX), FORWARD_LIMIT);
	lives_on(&r);
	for (int i = 0; i <= BACKLOG_FILL; i++)
		close(fds[i]);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *s = suite_create("evil forward");
	TCase *t = tcase_create("forward");

	if (argc == 1 && strcmp(argv[0], "sshd-forward") == 0)
		hostile_forward();
	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, rig_setup, rig_teardown);
	tcase_add_loop_test(t, hostile_answers, TRICK_HONEST, TRICK_STOP);
	tcase_add_loop_test(t, agent_overtakes_listener, 0, 2);
	tcase_add_test(t, stopped_forward);
	tcase_add_test(t, agent_of_a_stopped_forward);
	tcase_add_test(t, requests_wait_in_order);
	tcase_add_test(t, not_without_permission);
	tcase_add_test(t, not_more_than_the_limit);
	suite_add_tcase(s, t);
	return tap_run(s);
}

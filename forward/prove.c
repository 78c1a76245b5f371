/*
 * Runs in sshd-forward, as the unprivileged user, before anybody is served:
 * plays the monitor to the helper's loop, which runs in a thread, and tries
 * the calls that whoever owned it would want.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/err.h"
#include "common/own.h"
#include "forward/jail.h"
#include "forward/loop.h"
#include "forward/prove.h"

#define LOOPBACK "127.0.0.1"
#define NAME "localhost"
/* A name service that takes longer without the jail proves nothing. */
#define FREE_MS 3000
#define JAILED_MS (4 * FREE_MS) /* it was quicker without: a busy machine */

/* What is tried, one after the other; a listener's port is used by others. */
struct trial {
	struct chan helper;
	int patience_ms; /* for one answer */
	uint64_t port;
};

/* Send, and wait for the answer: whether there is one. */
static bool
ask(struct trial *t, const struct msg *question, struct msg *out_answer)
{
	struct pollfd pfd = { t->helper.fd, POLLIN, 0 };

	return chan_send(&t->helper, question, NULL, 0) == 0 &&
	       poll(&pfd, 1, t->patience_ms) == 1 &&
	       chan_recv(&t->helper, out_answer) == 0;
}

static bool
binds(struct trial *t)
{
	struct msg m = { .id = MSG_BIND };

	m.u.bind = (struct msg_bind){
		.kind = BIND_TCP,
		.family = FAMILY_INET,
		.where = WHERE_LOOPBACK,
	};
	if (!ask(t, &m, &m) || m.id != MSG_BOUND ||
	    m.u.bound.outcome != FORWARD_DONE)
		return false;
	t->port = m.u.bound.port;
	/* Held open to the end of the process: others connect to it. */
	return chan_take_fd(&t->helper, 0) >= 0;
}

static bool
dials(struct trial *t, const char *host)
{
	struct msg m = { .id = MSG_DIAL };

	m.u.dial.host = span_text(host);
	m.u.dial.family = FAMILY_INET;
	m.u.dial.port = t->port;
	return t->port != 0 && ask(t, &m, &m) && m.id == MSG_DIALLED &&
	       m.u.dialled.outcome == FORWARD_DONE;
}

static bool
connects(struct trial *t)
{
	return dials(t, LOOPBACK);
}

static bool
makes_agent(struct trial *t)
{
	struct msg m = { .id = MSG_BIND };

	m.u.bind.kind = BIND_AGENT;
	return ask(t, &m, &m) && m.id == MSG_BOUND &&
	       m.u.bound.outcome == FORWARD_DONE;
}

/* Last: it may still be on its way when others are answered. */
static bool
looks_up(struct trial *t)
{
	return dials(t, NAME);
}

static bool (*const trials[])(struct trial *t) = {
	[FORWARD_CAN_BIND] = binds,
	[FORWARD_CAN_CONNECT] = connects,
	[FORWARD_CAN_AGENT] = makes_agent,
	[FORWARD_CAN_LOOK_UP] = looks_up,
};
_Static_assert(nitems_of(trials) == FORWARD_CAN_COUNT, "one a bit");

static void *
serve(void *arg)
{
	loop_serve(arg);
	return NULL;
}

static int
run_trials(struct helper *h, int fd, int patience_ms)
{
	struct trial t = { .patience_ms = patience_ms };
	pthread_t thread;
	unsigned can = 0;

	if (chan_init(&t.helper, fd, MONITOR, FORWARD) != 0 ||
	    pthread_create(&thread, NULL, serve, h) != 0)
		return FORWARD_EXIT_TRIED;
	t.helper.phase = PH_SESSION;
	for (size_t i = 0; i < nitems_of(trials); i++)
		if (trials[i](&t))
			can |= 1u << i;
	(void)shutdown(t.helper.fd, SHUT_RDWR);
	(void)pthread_join(thread, NULL);
	return FORWARD_EXIT_TRIED + (int)can;
}

/* --- what the jail must not let through */

/* With these arguments they fail, whoever makes them, and not with EPERM. */
static const struct {
	long call;
	long args[4];
} forbidden[] = {
	{ SYS_execve, { 0, 0, 0 } },
	{ SYS_execveat, { -1, 0, 0, 0 } },
	{ SYS_clone, { CLONE_SIGHAND } },
	{ SYS_unshare, { CLONE_SIGHAND } },
	{ SYS_ptrace, { PTRACE_PEEKDATA, 0 } },
	{ SYS_process_vm_readv, { 0, 0, 1, 0 } },
	{ SYS_kill, { INT_MIN, 0 } },
	{ SYS_openat, { AT_FDCWD, 0, O_WRONLY } },
	{ SYS_openat, { AT_FDCWD, 0, O_RDONLY | O_CREAT } },
	{ SYS_fchmod, { -1, 0 } },
	{ SYS_fchown, { -1, 0, 0 } },
	{ SYS_ftruncate, { -1, 0 } },
	{ SYS_linkat, { -1, 0, -1, 0 } },
	{ SYS_symlinkat, { 0, -1, 0 } },
	{ SYS_mmap,
	    { 0, 0, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS } },
	{ SYS_mprotect, { 1, 0, PROT_EXEC } },
	{ SYS_socket, { AF_MAX } },
	{ SYS_setresuid, { -1, -1, -1 } },
};

static bool
is_closed(void)
{
	for (size_t i = 0; i < nitems_of(forbidden); i++) {
		const long *args = forbidden[i].args;

		if (syscall(forbidden[i].call, args[0], args[1], args[2],
			args[3]) != -1 ||
		    errno != EPERM)
			return false;
	}
	return true;
}

int
prove(bool jailed)
{
	struct helper h = { .dials = NULL };
	int pair[2];

	/* A jail without socketpair(2) is entered later. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return FORWARD_EXIT_TRIED;
	if (jailed && forward_jail() != 0)
		return FORWARD_EXIT_JAIL;
	if (jailed && !is_closed())
		return FORWARD_EXIT_OPEN;
	if (loop_init(&h, pair[0]) != 0)
		return FORWARD_EXIT_TRIED;
	return run_trials(&h, pair[1], jailed ? JAILED_MS : FREE_MS);
}

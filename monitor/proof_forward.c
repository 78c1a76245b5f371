/*
 * What sshd-forward can do in its jail on this machine. Runs in sshd as root,
 * which learns two exit statuses and nothing else.
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/msg.h"
#include "common/own.h"
#include "monitor/child.h"
#include "monitor/proof_forward.h"

enum {
	FREE,
	JAILED
};
static const enum spawn_role roles[] = { SPAWN_TRY, SPAWN_PROVE };

/* The process holds the other end of a pipe, and closes it by ending. */
static int
begin(struct proof_run *r, const struct spawn *spawn, enum spawn_role role)
{
	int fds[2];
	int rc;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	rc = spawn_run(spawn, role, &fds[1], 1);
	close(fds[1]);
	r->end_fd = fds[0];
	if (rc < 0)
		return rc;
	r->pid = rc;
	return 0;
}

int
proof_forward_begin(struct proof_forward *p, const struct spawn *spawn)
{
	int rc = 0;

	for (size_t i = 0; i < nitems_of(p->run); i++)
		p->run[i] = (struct proof_run){ 0, -1 };
	for (size_t i = 0; i < nitems_of(p->run) && rc == 0; i++)
		rc = begin(&p->run[i], spawn, roles[i]);
	return rc;
}

/* Its exit status, or -1: a signal, such as ours when it is out of time. */
static int
end(struct proof_run *r, int64_t until)
{
	struct pollfd pfd = { r->end_fd, POLLIN, 0 };
	int64_t left;
	int status, n;

	do {
		left = until - clock_ms();
		n = poll(&pfd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	own_close(&r->end_fd);
	if (r->pid == 0)
		return -1;
	if (n <= 0)
		(void)kill(r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	r->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Bits of enum forward_can; none if it came to no result. */
static unsigned
can(int status)
{
	return status >= FORWARD_EXIT_TRIED &&
		       status < FORWARD_EXIT_TRIED + (1 << FORWARD_CAN_COUNT)
		   ? (unsigned)(status - FORWARD_EXIT_TRIED)
		   : 0;
}

static int
say_lacks(unsigned lacks, char why[PREFLIGHT_WHY_MAX])
{
	static const char *const words[FORWARD_CAN_COUNT] = {
		[FORWARD_CAN_BIND] = "listen on a port",
		[FORWARD_CAN_CONNECT] = "connect to a port",
		[FORWARD_CAN_AGENT] = "make the agent's socket in /tmp",
		[FORWARD_CAN_LOOK_UP] = "look up a name",
	};
	size_t i = 0;

	while ((lacks >> i & 1) == 0)
		i++;
	snprintf(why, PREFLIGHT_WHY_MAX,
	    "sshd-forward cannot %s in its jail, and could without: it stops a "
	    "call that this machine's libraries need; see sshd(8), JAIL",
	    words[i]);
	return -EPERM;
}

static int
judge(const int status[2], char why[PREFLIGHT_WHY_MAX])
{
	unsigned lacks = can(status[FREE]) & ~can(status[JAILED]);

	if (status[JAILED] == FORWARD_EXIT_JAIL)
		snprintf(why, PREFLIGHT_WHY_MAX,
		    "sshd-forward cannot enter its jail: the kernel has to "
		    "have seccomp filters; see sshd(8), JAIL");
	else if (status[JAILED] == FORWARD_EXIT_OPEN)
		snprintf(why, PREFLIGHT_WHY_MAX,
		    "the jail of sshd-forward lets calls through that it has "
		    "to stop; see sshd(8), JAIL");
	else if (lacks != 0)
		return say_lacks(lacks, why);
	else
		return 0;
	return -EPERM;
}

int
proof_forward_end(
    struct proof_forward *p, int64_t until, char why[PREFLIGHT_WHY_MAX])
{
	int status[2];

	for (size_t i = 0; i < nitems_of(p->run); i++)
		status[i] = end(&p->run[i], until);
	return judge(status, why);
}

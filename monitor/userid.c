/*
 * Changing ids. Runs in sshd-monitor as root, and in its children on their way
 * to being the user.
 */
#include "config.h"

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/userid.h"

#define KILLER_SECONDS 1 /* that a child has to send one signal */

/* Each change of ids makes a process as dumpable as fs.suid_dumpable says. An
 * exec makes the user's program the user's again. */
static void
hide(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static bool
is_root(void)
{
	return getuid() == 0;
}

int
userid_enter(const struct account *a)
{
	if (!is_root())
		return 0;
	if (setgroups(a->ngids, a->gids) != 0)
		return -errno;
	if (setegid(a->gid) != 0 || seteuid(a->uid) != 0) {
		int rc = -errno;

		userid_leave();
		return rc;
	}
	hide();
	return 0;
}

void
userid_leave(void)
{
	if (!is_root())
		return;
	if (seteuid(0) != 0 || setegid(0) != 0 || setgroups(0, NULL) != 0)
		fatal("cannot take root's ids back: %s", err_str(-errno));
	hide();
}

int
userid_groups(const struct account *a)
{
	if (!is_root())
		return 0;
	if (setgid(a->gid) != 0 || setgroups(a->ngids, a->gids) != 0)
		return -errno;
	hide();
	return 0;
}

int
userid_become(const struct account *a)
{
	if (!is_root())
		return a->uid == getuid() ? 0 : -EPERM;
	if (setresgid(a->gid, a->gid, a->gid) != 0 ||
	    setresuid(a->uid, a->uid, a->uid) != 0)
		return -errno;
	hide();
	/* The argument for all that follows: there is no way back. */
	if (a->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return -EPERM;
	return getuid() == a->uid && geteuid() == a->uid &&
		       getgid() == a->gid && getegid() == a->gid
		   ? 0
		   : -EPERM;
}

/*
 * The end of a child that is the user, who can stop it as soon as it is: this
 * waits no longer than it takes to do what the child is there for.
 */
static int
reap(pid_t pid)
{
	const struct timespec limit = { .tv_sec = KILLER_SECONDS };
	AUTOCLOSE int pid_fd = pidfd_open(pid, 0);
	struct pollfd pfd = { pid_fd, POLLIN, 0 };
	sigset_t all;
	int status = -1;

	sigfillset(&all);
	/* Without a descriptor it waits for the whole time. */
	if (ppoll(&pfd, 1, &limit, &all) != 1)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

int
userid_kill(const struct account *a, pid_t pgrp, int sig)
{
	pid_t pid;

	if (!is_root() || a->uid == 0)
		return killpg(pgrp, sig) == 0 ? 0 : -errno;
	/*
	 * A setuid program in the group is root's, and the user may not end
	 * it. kill(2) looks at the real id too, so it takes a process that is
	 * the user in every way.
	 */
	pid = fork();
	if (pid == 0)
		_exit(userid_become(a) == 0 && killpg(pgrp, sig) == 0 ? 0 : 1);
	return pid < 0 ? -errno : reap(pid);
}

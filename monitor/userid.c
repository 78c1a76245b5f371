/*
 * Changing ids. Runs in sshd-monitor as root, and in its children on their way
 * to being the user.
 */
#include "config.h"

#include <grp.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/userid.h"

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
	return 0;
}

void
userid_leave(void)
{
	if (!is_root())
		return;
	if (seteuid(0) != 0 || setegid(0) != 0 || setgroups(0, NULL) != 0)
		fatal("cannot take root's ids back: %s", err_str(-errno));
}

int
userid_groups(const struct account *a)
{
	if (!is_root())
		return 0;
	if (setgid(a->gid) != 0 || setgroups(a->ngids, a->gids) != 0)
		return -errno;
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
	/* The argument for all that follows: there is no way back. */
	if (a->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return -EPERM;
	return getuid() == a->uid && geteuid() == a->uid &&
		       getgid() == a->gid && getegid() == a->gid
		   ? 0
		   : -EPERM;
}

int
userid_kill(const struct account *a, pid_t pgrp, int sig)
{
	pid_t pid;
	int status;

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
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

/*
 * fork and exec. Runs in sshd as root; takes nothing from any stranger.
 */
#include "config.h"

#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <paths.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/err.h"
#include "common/msg.h"
#include "common/own.h"
#include "monitor/caps.h"
#include "monitor/spawn.h"

#define FIRST_FD 3
#define PARK_FD 32  /* where descriptors wait while 0 and up are set */
#define TZ_SIZE 256 /* bytes of TZ=NAME that are handed on */
/* What the sanitizers find in sshd-net must have somewhere to go. */
#ifdef WITH_SANITIZERS
#define NET_REPORTS true
#else
#define NET_REPORTS false
#endif

static const struct {
	const char *name;
	enum spawn_role program; /* whose it is */
	bool unprivileged;
	bool may_chroot;
	const char *arg; /* its only one; or NULL */
} roles[SPAWN_COUNT] = {
	[SPAWN_MONITOR] = { "sshd-monitor", SPAWN_MONITOR, false, false, NULL },
	[SPAWN_NET] = { "sshd-net", SPAWN_NET, true, true, NULL },
	[SPAWN_PROBE] = { "sshd-probe", SPAWN_PROBE, true, false, NULL },
	[SPAWN_FORWARD] = { "sshd-forward", SPAWN_FORWARD, false, false, NULL },
	[SPAWN_TRY] = { "sshd-forward", SPAWN_FORWARD, true, false,
	    FORWARD_TRY },
	[SPAWN_PROVE] = { "sshd-forward", SPAWN_FORWARD, true, false,
	    FORWARD_PROVE },
};

/* --- opening */

static int
open_program(const char *path, char why[SPAWN_WHY_MAX], int *out_fd)
{
	/* To be executed with descriptors of ours: not through a symlink of
	 * somebody else's, so the directory is the administrator's to guard. */
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0) {
		rc = -errno;
		snprintf(why, SPAWN_WHY_MAX,
		    "%.300s: %s; is the suite installed whole (make install)?",
		    path, err_str(rc));
		return rc;
	}
	*out_fd = take_fd(&fd);
	return 0;
}

/* Open a program that stands beside another one. */
static int
open_beside(const char *other, enum spawn_role role, char why[SPAWN_WHY_MAX],
    int *out_fd)
{
	char copy[PATH_MAX], path[PATH_MAX];

	strlcpy(copy, other, sizeof(copy));
	if (snprintf(path, sizeof(path), "%s/%s", dirname(copy),
		roles[role].name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return open_program(path, why, out_fd);
}

static int
find_user(struct spawn *s, char why[SPAWN_WHY_MAX])
{
	const struct passwd *pw = getpwnam(PRIVSEP_USER);

	if (pw == NULL) {
		snprintf(why, SPAWN_WHY_MAX,
		    "Privilege separation user " PRIVSEP_USER
		    " does not exist; run: useradd --system --no-create-home "
		    "--home-dir %s --shell /usr/sbin/nologin " PRIVSEP_USER,
		    PRIVSEP_PATH);
		return -ENOENT;
	}
	if (pw->pw_uid == 0) {
		snprintf(why, SPAWN_WHY_MAX,
		    "Privilege separation user " PRIVSEP_USER " is root");
		return -EPERM;
	}
	s->uid = pw->pw_uid;
	s->gid = pw->pw_gid;
	return 0;
}

int
spawn_init(
    struct spawn *s, const struct spawn_paths *paths, char why[SPAWN_WHY_MAX])
{
	const char *monitor = paths->monitor != NULL ? paths->monitor
						     : PKGLIBEXECDIR
				  "/sshd-monitor";
	const char *net =
	    paths->net != NULL ? paths->net : PKGLIBEXECDIR "/sshd-net";
	int rc;

	for (size_t i = 0; i < SPAWN_COUNT; i++)
		s->program_fd[i] = -1;
	s->root_fd = -1;
	rc = paths->alone ? spawn_alone(s, why) : find_user(s, why);
	if (rc == 0)
		rc = open_program(monitor, why, &s->program_fd[SPAWN_MONITOR]);
	if (rc == 0)
		rc = open_program(net, why, &s->program_fd[SPAWN_NET]);
	if (rc == 0)
		rc = open_beside(
		    net, SPAWN_PROBE, why, &s->program_fd[SPAWN_PROBE]);
	if (rc == 0)
		rc = open_beside(
		    monitor, SPAWN_FORWARD, why, &s->program_fd[SPAWN_FORWARD]);
	if (rc != 0)
		spawn_done(s);
	return rc;
}

void
spawn_done(struct spawn *s)
{
	for (size_t i = 0; i < SPAWN_COUNT; i++)
		if (s->program_fd[i] >= 0)
			close(take_fd(&s->program_fd[i]));
	if (s->root_fd >= 0)
		close(take_fd(&s->root_fd));
}

/* --- the child, up to exec */

/* Put the descriptors where the program expects them; all else is CLOEXEC. */
static int
place_fds(bool keep_log, const int *fds, size_t nfds)
{
	int null_fd = open(_PATH_DEVNULL, O_RDWR | O_CLOEXEC);
	int parked[8];

	if (null_fd < 0 || nfds > nitems_of(parked))
		return -EBADF;
	for (size_t i = 0; i < nfds; i++) {
		parked[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, PARK_FD);
		if (parked[i] < 0)
			return -errno;
	}
	for (int fd = 0; fd < FIRST_FD; fd++)
		if ((fd != STDERR_FILENO || !keep_log) && dup2(null_fd, fd) < 0)
			return -errno;
	for (size_t i = 0; i < nfds; i++)
		if (dup2(parked[i], FIRST_FD + (int)i) < 0)
			return -errno;
	return 0;
}

/* From here to its exit, no line of this process runs as root. */
static int
drop_root(const struct spawn *s, bool may_chroot)
{
	if (may_chroot && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return -errno;
	if (setgroups(0, NULL) != 0 || setresgid(s->gid, s->gid, s->gid) != 0 ||
	    setresuid(s->uid, s->uid, s->uid) != 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return may_chroot ? caps_keep_chroot() : 0;
}

/*
 * Without root there is no other id to take: a namespace in which ours is
 * nobody's, and the one capability there that enters an empty root.
 */
static int
drop_user(const struct spawn *s, bool may_chroot)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	if (!may_chroot || !s->namespaces)
		return 0;
	return unshare(SPAWN_NAMESPACES) == 0 ? caps_keep_chroot() : -errno;
}

static int
drop(const struct spawn *s, enum spawn_role role)
{
	if (!roles[role].unprivileged)
		return 0;
	return s->as_user ? drop_user(s, roles[role].may_chroot)
			  : drop_root(s, roles[role].may_chroot);
}

/* Run a program with an empty environment, or with one variable in it. */
static void __attribute__((noreturn))
become(int program_fd, const char *name, const char *arg, const char *variable)
{
	char *argv[] = { (char *)(uintptr_t)name, (char *)(uintptr_t)arg,
		NULL };
	/* setproctitle(3) writes over what execve(2) put there: make room. */
	static char room[] =
	    "SSHD_TITLE_ROOM="
	    "                                                              "
	    "                                                              ";
	char *envp[] = { room, (char *)(uintptr_t)variable, NULL };

	fexecve(program_fd, argv, envp);
	_exit(SPAWN_EXIT_EXEC);
}

void
spawn_exec(int program_fd, const char *name, int chan_fd)
{
	if (setsid() < 0 || place_fds(NET_REPORTS, &chan_fd, 1) != 0 ||
	    dup3(program_fd, FIRST_FD + 1, O_CLOEXEC) < 0)
		_exit(SPAWN_EXIT_FDS);
	/* PAM's modules may have left some that would survive. */
	closefrom(FIRST_FD + 2);
	become(FIRST_FD + 1, name, NULL, NULL);
}

/* What a role has in its environment, if anything. */
static const char *
variable_of(enum spawn_role role, char buf[TZ_SIZE])
{
	const char *zone = getenv("TZ");

	/* libssh's client wants a home, which an id without account lacks. */
	if (role == SPAWN_PROBE)
		return "HOME=/";
	/* Sessions get the time zone of the server, and so does its log. */
	if (roles[role].unprivileged || zone == NULL)
		return NULL;
	return (size_t)snprintf(buf, TZ_SIZE, "TZ=%s", zone) < TZ_SIZE ? buf
								       : NULL;
}

static void __attribute__((noreturn)) run_child(
    const struct spawn *s, enum spawn_role role, const int *fds, size_t nfds)
{
	bool no_root = role == SPAWN_NET && s->as_user && !s->namespaces;
	char zone[TZ_SIZE];
	sigset_t none;
	bool keep_log;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Only who encodes what it writes may write to the log. */
	keep_log = s->stderr_log && (!roles[role].unprivileged || NET_REPORTS);
	/* What is signalled to sshd's group is not meant for live sessions. */
	if (setsid() < 0 || place_fds(keep_log, fds, nfds) != 0)
		_exit(SPAWN_EXIT_FDS);
	if (drop(s, role) != 0)
		_exit(SPAWN_EXIT_IDS);
	become(s->program_fd[roles[role].program], roles[role].name,
	    no_root ? NET_NO_ROOT : roles[role].arg, variable_of(role, zone));
}

pid_t
spawn_run(
    const struct spawn *s, enum spawn_role role, const int *fds, size_t nfds)
{
	pid_t pid = fork();

	if (pid == 0)
		run_child(s, role, fds, nfds);
	return pid < 0 ? -errno : pid;
}

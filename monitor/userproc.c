/*
 * The child of sshd-monitor that becomes the user. Until userid_become() it is
 * root, and touches nothing that the user chose; after it, it is the user, with
 * no_new_privs, seccomp and bounding set as the system gave them, so that sudo
 * and ping work in the session.
 */
#include "config.h"

#include <fcntl.h>
#include <paths.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/readonly.h"
#include "monitor/caps.h"
#include "monitor/pam.h"
#include "monitor/userid.h"
#include "monitor/userproc.h"
#include "monitor/xauth.h"

#define MOTD_FILE "/etc/motd"
#define RC_USER ".ssh/rc"
#define RC_SYSTEM SSHCONFDIR "/sshrc"
#define INTERNAL_SFTP "internal-sftp"
#define EXIT_SETUP 254  /* before the program ran; as OpenSSH's child */
#define EXIT_PASSWORD 1 /* it has to be changed, and cannot be here */
#define PASSWD_PROGRAM "/usr/bin/passwd"
#define SFTP_ARGS_MAX 32
#define INPUT_MAX 2048 /* bytes of xauth's script; less than PIPE_BUF */

static void
say(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

/* What is wrong is the server's to know and the user's to see. */
static void __attribute__((noreturn, format(printf, 1, 2)))
give_up(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(text);
	say("\n");
	_exit(EXIT_SETUP);
}

void
userproc_reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptors 0, 1 and 2, a session and process group of its own, no others */
static void
take_fds(const struct userproc *p)
{
	if (setsid() < 0)
		_exit(EXIT_SETUP);
	if (p->session->has_pty && ioctl(p->fds[0], TIOCSCTTY, 0) != 0)
		_exit(EXIT_SETUP);
	for (int i = 0; i < 3; i++)
		if (dup2(p->fds[i], i) < 0)
			_exit(EXIT_SETUP);
	closefrom(STDERR_FILENO + 1);
}

bool
userproc_is_sftp(const char *command)
{
	size_t len = strlen(INTERNAL_SFTP);

	return command != NULL && strncmp(command, INTERNAL_SFTP, len) == 0 &&
	       (command[len] == '\0' || command[len] == ' ' ||
		   command[len] == '\t');
}

/* Whether it runs our sftp-server, which is asked for as internal-sftp. */
static bool
is_sftp(const struct userproc *p)
{
	const struct usession *s = p->session;

	/* Only where the administrator, or the key's line, wrote it: a client's
	 * "internal-sftp" is the login shell's to judge, as any command. */
	return (s->forced || s->kind == SESSION_SUBSYSTEM) &&
	       userproc_is_sftp(s->command) && !p->conn->must_change;
}

/*
 * sftp-server enters the directory itself, once its libraries are loaded and
 * its log is open: the directory need not have them. Until then, and for
 * nothing else, it has CAP_SYS_CHROOT. Root has it anyway.
 */
static bool
keeps_chroot(const struct userproc *p)
{
	return p->root != NULL && is_sftp(p) && p->conn->account.uid != 0;
}

static int
enter_root(const struct userproc *p)
{
	if (is_sftp(p))
		return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 ? 0 : -errno;
	return chroot(p->root) == 0 && chdir("/") == 0 ? 0 : -errno;
}

int
userproc_credentials(struct conn *c)
{
	int rc = userid_groups(&c->account);

	if (rc == 0 && c->options.use_pam)
		rc = pam_child_credentials(c);
	return rc;
}

static void
become(const struct userproc *p)
{
	struct conn *c = p->conn;
	int rc = userproc_credentials(c);

	if (rc == 0 && p->root != NULL)
		rc = enter_root(p);
	if (rc == 0)
		rc = userid_become(&c->account);
	if (rc == 0 && keeps_chroot(p))
		rc = caps_keep_chroot();
	if (rc != 0)
		give_up("sshd: cannot become user %s: %s", c->account.name,
		    err_str(rc));
}

static void
go_home(const struct userproc *p)
{
	const char *home = p->conn->account.home;

	if (chdir(home) == 0)
		return;
	fprintf(stderr, "Could not chdir to home directory %s: %s\n", home,
	    strerror(errno));
	if (chdir("/") != 0)
		give_up("sshd: cannot enter /: %s", strerror(errno));
}

/* What omniedge-ssh-server takes from everything that runs from here on. */
static void
hold(const struct userproc *p)
{
	const struct lab *lab = p->conn->lab;
	int rc = lab != NULL && lab->read_only ? readonly_enter() : 0;

	if (rc != 0)
		give_up(
		    "sshd: cannot make the session read-only: %s", err_str(rc));
}

/* --- what a login shows */

static void
show_file(const char *path)
{
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char buf[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		(void)!write(STDOUT_FILENO, buf, (size_t)n);
}

static void
show_last(const struct loginrec_last *last)
{
	char when[64];
	struct tm tm;

	if (localtime_r(&last->when, &tm) == NULL ||
	    strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm) == 0)
		return;
	if (last->host[0] != '\0')
		printf("Last login: %s from %s\r\n", when, last->host);
	else
		printf("Last login: %s\r\n", when);
	fflush(stdout);
}

/* Only for a login shell on a terminal, whose owner has no ~/.hushlogin. */
static void
show_login(const struct userproc *p)
{
	const struct options *o = &p->conn->options;
	struct stat st;

	if (!p->session->has_pty || p->session->command != NULL ||
	    stat(".hushlogin", &st) == 0)
		return;
	fputs(pam_messages(p->conn), stdout);
	fflush(stdout);
	if (o->print_last_log && p->last != NULL)
		show_last(p->last);
	if (o->print_motd)
		show_file(MOTD_FILE);
}

/* --- ~/.ssh/rc */

/*
 * Run a program to its end with a text at its descriptor 0. The text fits the
 * pipe, and is in it before the program runs.
 */
static void
run_with_input(const struct userproc *p, char *const argv[], const char *text)
{
	size_t len = strlen(text);
	int fds[2];
	pid_t pid;
	int status;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return;
	if (write(fds[1], text, len) == (ssize_t)len) {
		pid = fork();
		if (pid == 0) {
			dup2(fds[0], STDIN_FILENO);
			execve(argv[0], argv, p->env.v);
			_exit(EXIT_SETUP);
		}
		close(fds[1]);
		while (
		    pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	} else {
		close(fds[1]);
	}
	close(fds[0]);
}

/* A script reads the client's X11 cookie, if there is one. */
static void
run_sh(const struct userproc *p, const char *script)
{
	char text[INPUT_MAX] = "";
	char *argv[] = { (char *)(uintptr_t)_PATH_BSHELL,
		(char *)(uintptr_t)script, NULL };

	if (p->session->x11 != NULL)
		xauth_rc_input(p->session->x11, text, sizeof(text));
	run_with_input(p, argv, text);
	explicit_bzero(text, sizeof(text));
}

/* Only where no script does it. Arguments can be read by others: no cookie. */
static void
run_xauth(const struct userproc *p)
{
	char text[INPUT_MAX];
	char *argv[] = { p->conn->options.xauth_location,
		(char *)(uintptr_t) "-q", (char *)(uintptr_t) "-", NULL };

	if (p->session->x11 == NULL)
		return;
	xauth_script(p->session->x11, text, sizeof(text));
	run_with_input(p, argv, text);
	explicit_bzero(text, sizeof(text));
}

static void
run_rc(const struct userproc *p)
{
	struct stat st;

	if (p->session->kind == SESSION_SUBSYSTEM)
		return;
	if ((p->conn->grants & GRANT_USER_RC) != 0 &&
	    p->conn->options.force_command == NULL && stat(RC_USER, &st) == 0)
		run_sh(p, RC_USER);
	else if (stat(RC_SYSTEM, &st) == 0)
		run_sh(p, RC_SYSTEM);
	else
		run_xauth(p);
}

/* --- a password that has expired */

static void __attribute__((noreturn)) exec_passwd(const struct userproc *p)
{
	say("WARNING: Your password has expired.\n");
	if (!p->session->has_pty) {
		say("Password change required but no TTY available.\n");
		_exit(EXIT_PASSWORD);
	}
	say("You must change your password now and login again!\n");
	execle(PASSWD_PROGRAM, "passwd", (char *)NULL, p->env.v);
	give_up("%s: %s", PASSWD_PROGRAM, strerror(errno));
}

/* --- the program */

/* To who wants a shell, an sftp-server would only seem to hang; as OpenSSH. */
static void
refuse_shell(const struct userproc *p)
{
	if (p->session->kind == SESSION_SUBSYSTEM || !is_sftp(p))
		return;
	puts("This service allows sftp connections only.");
	fflush(stdout);
	_exit(EXIT_FAILURE);
}

/*
 * Our own sftp-server, without a shell in between. What is behind its -C is
 * ours: the command may be out of the user's own authorized_keys, and a second
 * -C is an error of sftp-server's.
 */
static void __attribute__((noreturn)) exec_sftp(struct userproc *p)
{
	char *argv[SFTP_ARGS_MAX + 4] = { (char *)(uintptr_t) "sftp-server" };
	char *save = NULL;
	char *word = strtok_r(p->session->command, " \t", &save);
	size_t n = 1;

	if (p->root != NULL) {
		argv[n++] = (char *)(uintptr_t) "-C";
		argv[n++] = p->root;
	}
	while ((word = strtok_r(NULL, " \t", &save)) != NULL &&
	       n < SFTP_ARGS_MAX + 3)
		argv[n++] = word;
	execve(p->conn->sftp_path, argv, p->env.v);
	give_up("sshd: %s: %s", p->conn->sftp_path, strerror(errno));
}

static void __attribute__((noreturn)) exec_shell(const struct userproc *p)
{
	const char *shell = p->conn->account.shell;
	const char *base = strrchr(shell, '/');
	char argv0[256];

	base = base != NULL ? base + 1 : shell;
	if (p->session->command != NULL) {
		execle(shell, base, "-c", p->session->command, (char *)NULL,
		    p->env.v);
	} else {
		/* The dash makes it a login shell. */
		snprintf(argv0, sizeof(argv0), "-%s", base);
		execle(shell, argv0, (char *)NULL, p->env.v);
	}
	give_up("%s: %s", shell, strerror(errno));
}

/*
 * Nothing in the environment is the user's. They may have a say in it by
 * ~/.pam_environment and the like, and with LD_PRELOAD a program of theirs
 * would run in place of a server that is there so that they run none; with a
 * root directory, even with a capability.
 */
static void __attribute__((noreturn)) run_sftp(struct userproc *p)
{
	if (p->root == NULL) {
		go_home(p);
		hold(p);
	}
	if (environ_bare(p->conn, p->session, &p->env) != 0)
		give_up("sshd: out of memory");
	exec_sftp(p);
}

void
userproc_run(struct userproc *p)
{
	userproc_reset_signals();
	take_fds(p);
	become(p);
	refuse_shell(p);
	if (is_sftp(p))
		run_sftp(p);
	go_home(p);
	hold(p);
	if (environ_finish(p->conn, p->session, &p->env) != 0)
		give_up("sshd: out of memory");
	if (p->conn->must_change)
		exec_passwd(p);
	show_login(p);
	run_rc(p);
	exec_shell(p);
}

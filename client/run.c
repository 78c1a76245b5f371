/*
 * Match exec and LocalCommand. Runs as the user, on commands that stand in
 * files which only they or root may write.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/run.h"

#define EXIT_NOT_RUN 127 /* as a shell says it */

const char *
run_shell_path(void)
{
	const char *shell = getenv("SHELL");

	return shell != NULL && *shell != '\0' ? shell : "/bin/sh";
}

/* /dev/null for standard input and output; whether that worked. */
static bool
silence(void)
{
	int fd = open("/dev/null", O_RDWR);
	bool ok = fd >= 0 && dup2(fd, STDIN_FILENO) >= 0 &&
		  dup2(fd, STDOUT_FILENO) >= 0;

	if (fd > STDERR_FILENO)
		close(fd);
	return ok;
}

static int
wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
run(const char *command, bool silent)
{
	const char *shell = run_shell_path();
	pid_t pid = fork();

	if (pid == 0) {
		/* Ours is ignored, which a program would inherit. */
		(void)signal(SIGPIPE, SIG_DFL);
		if (silent && !silence())
			_exit(EXIT_NOT_RUN);
		execl(shell, shell, "-c", command, (char *)NULL);
		_exit(EXIT_NOT_RUN);
	}
	return pid >= 0 ? wait_status(pid) : -1;
}

int
run_shell(const char *command)
{
	return run(command, false);
}

int
run_question(const char *command)
{
	return run(command, true);
}

/* Standard output is fd; nothing else is the program's. */
static void __attribute__((noreturn)) become(const char *const argv[], int fd)
{
	(void)signal(SIGPIPE, SIG_DFL);
	if (silence() && dup2(STDIN_FILENO, STDERR_FILENO) >= 0 &&
	    dup2(fd, STDOUT_FILENO) >= 0)
		execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(EXIT_NOT_RUN);
}

int
run_read(const char *const argv[], char *out, size_t size)
{
	char rest[64];
	size_t len = 0;
	ssize_t n;
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become(argv, pair[1]);
	close(pair[1]);
	do {
		bool room = len + 1 < size;

		/* Without a process nobody can write, and this is the end. */
		n = read(pair[0], room ? out + len : rest,
		    room ? size - 1 - len : sizeof(rest));
		if (n > 0 && room)
			len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(pair[0]);
	out[len] = '\0';
	return pid >= 0 ? wait_status(pid) : -1;
}

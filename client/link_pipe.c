/*
 * A link to a program of this machine: sftp-server itself (-D), or an ssh(1)
 * that brings the session (-S). One socket pair is both directions.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/link.h"
#include "common/clock.h"
#include "common/own.h"

/* As a shell says that it could not run a command. */
#define EXIT_NOT_RUN 127
#define REST_MAX 4096
#define REST_MS 2000 /* for its last words */

struct pipe_link {
	struct link link; /* first: the two are cast into each other */
	int fd;
	pid_t pid;
};

static ssize_t
pipe_read(struct link *l, void *p, size_t len)
{
	ssize_t n = read(((struct pipe_link *)l)->fd, p, len);

	if (n >= 0)
		return n;
	/* Its process is gone: that is the end, not an error of ours. */
	if (errno == ECONNRESET)
		return 0;
	return errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t
pipe_write(struct link *l, const void *p, size_t len)
{
	ssize_t n = send(((struct pipe_link *)l)->fd, p, len, MSG_NOSIGNAL);

	if (n >= 0)
		return n;
	return errno == EINTR ? -EAGAIN : -errno;
}

static bool
pipe_want(struct link *l, bool want_write, struct pollfd *out)
{
	*out = (struct pollfd){ .fd = ((struct pipe_link *)l)->fd,
		.events = (short)(POLLIN | (want_write ? POLLOUT : 0)) };
	return false;
}

static int
pipe_close(struct link *l)
{
	struct pipe_link *pl = (struct pipe_link *)l;
	int status = 0;
	pid_t pid;

	link_hear_rest(pl->fd);
	close(pl->fd);
	do
		pid = waitpid(pl->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	free(pl);
	if (pid < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const struct link_ops pipe_ops = { .read = pipe_read,
	.write = pipe_write,
	.want = pipe_want,
	.close = pipe_close };

/* In the child. ^C stops a transfer, and is not for the program below it. */
static void
run_program(char *const argv[], int fd)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		execvp(argv[0], argv);
	_exit(EXIT_NOT_RUN);
}

int
link_spawn(char *const argv[], struct link **out_link)
{
	AUTOFREE struct pipe_link *pl = calloc(1, sizeof(*pl));
	int pair[2];

	if (pl == NULL)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	pl->link.ops = &pipe_ops;
	pl->fd = pair[0];
	pl->pid = fork();
	if (pl->pid == 0)
		run_program(argv, pair[1]);
	close(pair[1]);
	if (pl->pid < 0 || fcntl(pl->fd, F_SETFL, O_NONBLOCK) != 0) {
		int error = -errno;

		close(pair[0]);
		return error;
	}
	*out_link = &take_ptr(&pl)->link;
	return 0;
}

void
link_hear_rest(int fd)
{
	int64_t until = clock_ms() + REST_MS, left;
	struct pollfd in = { .fd = fd, .events = POLLIN };
	char rest[REST_MAX];
	ssize_t n = 1;

	(void)shutdown(fd, SHUT_WR);
	while (n != 0 && (left = until - clock_ms()) > 0) {
		if (poll(&in, 1, (int)left) > 0)
			n = read(fd, rest, sizeof(rest));
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
	}
}

int
link_close(struct link *l)
{
	return l != NULL ? l->ops->close(l) : 0;
}

int
link_tend(struct link *l)
{
	return l->ops->tend != NULL ? l->ops->tend(l) : -1;
}

/*
 * A client that inetd(8) or the like has accepted. Runs in sshd as root, which
 * reads no byte of it; where bytes must be moved, a child of its own does it,
 * as PRIVSEP_USER.
 */
#include "config.h"

#include <fcntl.h>
#include <grp.h>
#include <paths.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/inetd.h"

#define FLOW_BYTES 65536
#define FIRST_FREE_FD 3
#define PARK_FD 16 /* where descriptors wait while 3 and up are set */

/* The client, at descriptors of ours. */
struct ends {
	int in, out;
};

static int
take_stdio(struct ends *at, bool keep_stderr)
{
	AUTOCLOSE int null_fd = open(_PATH_DEVNULL, O_RDWR | O_CLOEXEC);
	AUTOCLOSE int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	AUTOCLOSE int out =
	    fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

	if (null_fd < 0 || in < 0 || out < 0)
		return -errno;
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		return -errno;
	/* inetd's is the client once more: no log line may go there. */
	if (!keep_stderr && dup2(null_fd, STDERR_FILENO) < 0)
		return -errno;
	at->in = take_fd(&in);
	at->out = take_fd(&out);
	return 0;
}

static void
unblock(int fd)
{
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static bool
is_one_socket(const struct ends *at)
{
	struct stat in, out;

	return fstat(at->in, &in) == 0 && fstat(at->out, &out) == 0 &&
	       S_ISSOCK(in.st_mode) && in.st_dev == out.st_dev &&
	       in.st_ino == out.st_ino;
}

/* --- the mover */

/* One direction; what was read and is not written yet. */
struct flow {
	int from, to; /* from is -1 once it has ended */
	bool ended;   /* and the other side knows */
	size_t at, len;
	uint8_t bytes[FLOW_BYTES];
};

static void
flow_read(struct flow *f)
{
	ssize_t n = read(f->from, f->bytes, sizeof(f->bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	f->at = 0;
	f->len = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		f->from = -1;
}

/* False when the other side takes no more. */
static bool
flow_write(struct flow *f)
{
	ssize_t n = write(f->to, f->bytes + f->at, f->len);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	f->at += (size_t)n;
	f->len -= (size_t)n;
	return true;
}

/* After its last byte; a pipe has only one direction to end. */
static void
flow_end(struct flow *f)
{
	f->ended = true;
	if (shutdown(f->to, SHUT_WR) != 0)
		close(f->to);
}

static void __attribute__((noreturn)) move(int in, int out, int sock)
{
	static struct flow up, down;
	struct flow *const flows[] = { &up, &down };

	up.from = in;
	up.to = down.from = sock;
	down.to = out;
	while (!down.ended) {
		struct pollfd fds[2];

		for (size_t i = 0; i < nitems_of(flows); i++) {
			struct flow *f = flows[i];

			if (f->len == 0 && f->from < 0 && !f->ended)
				flow_end(f);
			fds[i] = (struct pollfd){
				.fd = f->ended     ? -1
				      : f->len > 0 ? f->to
						   : f->from,
				.events = f->len > 0 ? POLLOUT : POLLIN,
			};
		}
		if (!down.ended && poll(fds, nitems_of(fds), -1) < 0 &&
		    errno != EINTR)
			break;
		for (size_t i = 0; i < nitems_of(flows); i++) {
			struct flow *f = flows[i];

			if (f->ended || fds[i].revents == 0)
				continue;
			if (f->len == 0)
				flow_read(f);
			else if (!flow_write(f))
				_exit(0);
		}
	}
	_exit(0);
}

/* From here on it has no right but to its three descriptors. */
static int
drop_all(const struct passwd *pw)
{
	if (setgroups(0, NULL) != 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -errno;
	return 0;
}

static void __attribute__((noreturn))
mover(const struct ends *at, const struct passwd *pw, int sock)
{
	const int kept[] = { at->in, at->out, sock };
	int fds[nitems_of(kept)];

	signal(SIGHUP, SIG_IGN);
	for (size_t i = 0; i < nitems_of(kept); i++) {
		fds[i] = fcntl(kept[i], F_DUPFD, PARK_FD);
		if (fds[i] < 0)
			_exit(1);
	}
	for (int i = 0; i < (int)nitems_of(fds); i++) {
		if (dup2(fds[i], FIRST_FREE_FD + i) < 0)
			_exit(1);
		unblock(FIRST_FREE_FD + i);
	}
	closefrom(FIRST_FREE_FD + (int)nitems_of(fds));
	if (drop_all(pw) != 0)
		_exit(1);
	setproctitle("[inetd]");
	move(FIRST_FREE_FD, FIRST_FREE_FD + 1, FIRST_FREE_FD + 2);
}

int
inetd_take(bool keep_stderr, int *out_fd)
{
	const struct passwd *pw = getpwnam(PRIVSEP_USER);
	struct ends at = { -1, -1 };
	int pair[2];
	pid_t pid;
	int rc = take_stdio(&at, keep_stderr);

	if (rc != 0)
		return rc;
	AUTOCLOSE int in = at.in;
	AUTOCLOSE int out = at.out;
	if (is_one_socket(&at)) {
		unblock(in);
		*out_fd = take_fd(&in);
		return 0;
	}
	if (pw == NULL)
		return -ENOENT;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		mover(&at, pw, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -EAGAIN;
	}
	unblock(pair[0]);
	*out_fd = pair[0];
	return 0;
}

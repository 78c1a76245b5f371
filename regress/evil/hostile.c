/*
 * A network process that is in the hands of its client: stands in the place of
 * sshd-net (SshdAuthPath) and passes each datagram on, both ways, unseen.
 * Stock clients and sshd's own proof get the real sshd-net, which must stand
 * beside it, so that one sshd serves both.
 *
 * The client's stream: "EVIL", then frames of 4 bytes length, 1 byte number of
 * descriptors, payload. A number of LINGER or DEAF is an order to this process.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/own.h"

#define MONITOR_FD 3 /* as sshd/net.h has them */
#define CLIENT_FD 4
#define FRAME_MAX (1u << 18)
#define FDS_MAX 8
#define GREETING "EVIL"
#define LINGER 254 /* stay when the monitor is gone */
#define DEAF 255   /* stay when the client is gone */

static bool linger, deaf;

static void __attribute__((noreturn)) become_honest(void)
{
	char *argv[] = { (char *)(uintptr_t) "sshd-net", NULL };
	char *envp[] = { NULL };
	char self[PATH_MAX], path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		_exit(90);
	self[n] = '\0';
	snprintf(path, sizeof(path), "%s/sshd-net", dirname(self));
	execve(path, argv, envp);
	_exit(91);
}

/* A stock client says SSH-; the proof comes over a pair of sockets. */
static bool
is_stock(void)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct pollfd pfd = { CLIENT_FD, POLLIN, 0 };
	char greeting[4] = "";

	if (getsockname(CLIENT_FD, (struct sockaddr *)&addr, &len) != 0 ||
	    addr.ss_family == AF_UNIX)
		return true;
	(void)poll(&pfd, 1, -1);
	return recv(CLIENT_FD, greeting, sizeof(greeting), MSG_PEEK) == 4 &&
	       memcmp(greeting, GREETING, 4) != 0;
}

static bool
read_all(void *to, size_t len)
{
	uint8_t *p = to;

	while (len != 0) {
		ssize_t n = read(CLIENT_FD, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
write_all(const void *from, size_t len)
{
	const uint8_t *p = from;

	while (len != 0) {
		ssize_t n = write(CLIENT_FD, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static union {
	char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	struct cmsghdr align;
} control;

/* One frame of the client's to the monitor; false: the client is gone. */
static bool
pass_down(uint8_t *buf)
{
	struct iovec iov = { buf, 0 };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint32_t len;
	uint8_t nfds;

	if (!read_all(&len, 4) || !read_all(&nfds, 1) ||
	    ntohl(len) > FRAME_MAX || !read_all(buf, ntohl(len)))
		return false;
	linger |= nfds == LINGER;
	deaf |= nfds == DEAF;
	if (nfds >= FDS_MAX)
		return true;
	iov.iov_len = ntohl(len);
	if (nfds != 0) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
	}
	for (unsigned i = 0; i < nfds; i++)
		memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &null_fd,
		    sizeof(int));
	(void)sendmsg(MONITOR_FD, &hdr, MSG_NOSIGNAL);
	close(null_fd);
	return true;
}

/* One answer to the client; descriptors stay open here, only counted. */
static bool
pass_up(uint8_t *buf)
{
	struct iovec iov = { buf, FRAME_MAX };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(MONITOR_FD, &hdr, 0);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
	uint32_t len = htonl((uint32_t)n);
	uint8_t nfds = 0;

	if (n <= 0)
		return false;
	if (cmsg != NULL && cmsg->cmsg_type == SCM_RIGHTS)
		nfds = (uint8_t)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	(void)(write_all(&len, 4) && write_all(&nfds, 1) &&
	       write_all(buf, (size_t)n));
	return true;
}

static void
relay(uint8_t *buf)
{
	struct pollfd fds[2] = { { MONITOR_FD, POLLIN, 0 },
		{ CLIENT_FD, POLLIN, 0 } };

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			_exit(93);
		if (fds[0].revents != 0 && !pass_up(buf)) {
			if (!linger)
				return;
			fds[0].fd = -1;
		}
		if (fds[1].revents != 0 && !pass_down(buf)) {
			if (!deaf)
				return;
			fds[1].fd = -1;
		}
	}
}

int
main(void)
{
	char greeting[4];
	uint8_t *buf;

	if (is_stock())
		become_honest();
	signal(SIGPIPE, SIG_IGN);
	/* It ignores what asks it to end, as an evil one would. */
	signal(SIGTERM, SIG_IGN);
	(void)fcntl(CLIENT_FD, F_SETFL, 0);
	buf = malloc(FRAME_MAX);
	if (buf == NULL || !read_all(greeting, sizeof(greeting)))
		return 92;
	relay(buf);
	free(buf);
	return 0;
}

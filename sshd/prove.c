/*
 * Runs in sshd-net, in the jail, only for the connection that sshd makes to
 * itself before it serves: a C library that asks for a call which the filter
 * lacks must show before the first user's connection.
 */
#include "config.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "sshd/prove.h"

#define NO_FD (-1) /* the call is made, and fails, which is enough */
#define PROVE_BLOCK (4u << 20)

void
prove_calls(void)
{
	struct winsize size = { 24, 80, 0, 0 };
	struct pollfd pfd = { NO_FD, POLLIN, 0 };
	struct timespec ts, no_wait = { 0, 0 };
	struct iovec iov = { NULL, 0 };
	struct msghdr hdr = { 0 };
	char byte = 0;
	const int on = 0;
	void *block = malloc(PROVE_BLOCK);

	if (block != NULL) {
		memset(block, 1, PROVE_BLOCK);
		block = realloc(block, 2 * PROVE_BLOCK);
	}
	free(block);
	(void)poll(&pfd, 1, 0);
	(void)!read(NO_FD, &byte, 1);
	(void)!write(NO_FD, &byte, 1);
	(void)recv(NO_FD, &byte, 1, 0);
	(void)send(NO_FD, &byte, 1, MSG_NOSIGNAL);
	(void)recvmsg(NO_FD, &hdr, 0);
	(void)sendmsg(NO_FD, &hdr, MSG_NOSIGNAL);
	(void)ioctl(NO_FD, TIOCSWINSZ, &size);
	(void)setsockopt(NO_FD, IPPROTO_IP, IP_TOS, &on, sizeof(on));
	(void)setsockopt(NO_FD, IPPROTO_IPV6, IPV6_TCLASS, &on, sizeof(on));
	(void)!writev(NO_FD, &iov, 1);
	(void)ppoll(&pfd, 1, &no_wait, NULL);
	(void)shutdown(NO_FD, SHUT_WR);
	(void)accept4(NO_FD, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	(void)close(NO_FD);
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	(void)time(NULL);
}

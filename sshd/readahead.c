/*
 * recv(2) and poll(2) as libssh finds them: it reads the client's socket 4 KiB
 * at a time, and asks poll(2) before each, so a MiB costs five hundred system
 * calls. Here one call reads what there is, and what libssh has not asked for
 * yet counts as readable. Runs in sshd-net; the bytes are ciphertext, and go
 * to libssh as they came. Like the seam, this has no argument of ours.
 *
 * A libssh that reads by other calls never fills the buffer, and is served by
 * the kernel as before.
 */
#include "config.h"

/* The fortified headers would define both of them first. */
#undef _FORTIFY_SOURCE
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/own.h"
#include "sshd/net.h"
#include "sshd/readahead.h"

#define TAKEN __attribute__((visibility("default"), used))
#define READ_AHEAD 262144 /* bytes: eight packets of the usual size */

static struct {
	bool begun; /* libssh has read something */
	uint8_t buf[READ_AHEAD];
	size_t at, len; /* what is held begins at at */
} held;

TAKEN ssize_t
recv(int fd, void *p, size_t len, int flags)
{
	ssize_t n;

	if (fd != NET_CLIENT_FD || flags != 0)
		return recvfrom(fd, p, len, flags, NULL, NULL);
	held.begun = true;
	if (held.len == 0) {
		n = recvfrom(fd, held.buf, sizeof(held.buf), 0, NULL, NULL);
		if (n <= 0)
			return n;
		held.at = 0;
		held.len = (size_t)n;
	}
	if (len > held.len)
		len = held.len;
	memcpy(p, held.buf + held.at, len);
	held.at += len;
	held.len -= len;
	return (ssize_t)len;
}

size_t
readahead_held(void)
{
	return held.len;
}

/* The place of the client's socket among these, if libssh wants its input. */
static struct pollfd *
find_client(struct pollfd *fds, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++)
		if (fds[i].fd == NET_CLIENT_FD && (fds[i].events & POLLIN) != 0)
			return &fds[i];
	return NULL;
}

/*
 * Who connects only to see who is there may have closed its side before libssh
 * has written its first line; libssh would read the end, and be silent. What
 * it has to say goes first.
 */
static void
speak_first(struct pollfd *client)
{
	const short gone = POLLERR | POLLHUP;

	if (!held.begun && client != NULL &&
	    (client->revents & (POLLOUT | gone)) == POLLOUT)
		client->revents = POLLOUT;
}

TAKEN int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };
	struct pollfd *client = find_client(fds, n);

	if (client == NULL || held.len == 0) {
		int rc = ppoll(fds, n, timeout < 0 ? NULL : &ts, NULL);

		speak_first(client);
		return rc;
	}
	/* The others' turn is when it is empty, after a few packets at most. */
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = 0;
	client->revents = POLLIN;
	return 1;
}

/*
 * recv(2) and poll(2) as libssh finds them: it reads a socket 4 KiB at a time,
 * and asks poll(2) before each, so a MiB costs five hundred system calls. Here
 * one call reads what there is, and what libssh has not asked for yet counts
 * as readable. Runs in sshd-net and in the client; the bytes are ciphertext,
 * and go to libssh as they came. These functions have no argument of ours, so
 * what they need to know is file-static: an exception in this folder.
 *
 * A libssh that reads by other calls never fills the buffer, and is served by
 * the kernel as before.
 */
#include "config.h"

/* The fortified headers would define both of them first. */
#undef _FORTIFY_SOURCE
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/own.h"
#include "common/readahead.h"

#define TAKEN __attribute__((visibility("default"), used))
#define READ_AHEAD 262144 /* bytes: eight packets of the usual size */

static struct held {
	int fd;
	bool taken;
	bool begun;     /* libssh has read something */
	size_t at, len; /* what is held begins at at */
	uint8_t buf[READ_AHEAD];
} sockets[READAHEAD_SOCKETS];

static struct held *
find(int fd)
{
	for (size_t i = 0; i < nitems_of(sockets); i++)
		if (sockets[i].taken && sockets[i].fd == fd)
			return &sockets[i];
	return NULL;
}

void
readahead_begin(int fd)
{
	for (size_t i = 0; fd >= 0 && find(fd) == NULL; i++) {
		if (i == nitems_of(sockets))
			return;
		if (sockets[i].taken)
			continue;
		sockets[i].fd = fd;
		sockets[i].taken = true;
		sockets[i].begun = false;
		sockets[i].len = 0;
	}
}

size_t
readahead_held(int fd)
{
	const struct held *h = find(fd);

	return h != NULL ? h->len : 0;
}

/* The number may be another socket's soon: what is held goes with this one. */
TAKEN int
close(int fd)
{
	struct held *h = find(fd);

	if (h != NULL)
		h->taken = false;
	return (int)syscall(SYS_close, fd);
}

TAKEN ssize_t
recv(int fd, void *p, size_t len, int flags)
{
	struct held *h = flags == 0 ? find(fd) : NULL;
	ssize_t n;

	if (h == NULL)
		return recvfrom(fd, p, len, flags, NULL, NULL);
	h->begun = true;
	if (h->len == 0) {
		n = recvfrom(fd, h->buf, sizeof(h->buf), 0, NULL, NULL);
		if (n <= 0)
			return n;
		h->at = 0;
		h->len = (size_t)n;
	}
	if (len > h->len)
		len = h->len;
	memcpy(p, h->buf + h->at, len);
	h->at += len;
	h->len -= len;
	return (ssize_t)len;
}

/* How many of these have input that is held, and was asked for: noted. */
static int
note_held(struct pollfd *fds, nfds_t n)
{
	int found = 0;

	for (nfds_t i = 0; i < n; i++) {
		bool held = (fds[i].events & POLLIN) != 0 &&
			    readahead_held(fds[i].fd) != 0;

		if (held)
			found++;
		fds[i].revents = held ? POLLIN : 0;
	}
	return found;
}

/*
 * Who connects only to see who is there may have closed its side before libssh
 * has written its first line; libssh would read the end, and be silent. What
 * it has to say goes first.
 */
static void
speak_first(struct pollfd *fds, nfds_t n)
{
	const short gone = POLLERR | POLLHUP;

	for (nfds_t i = 0; i < n; i++) {
		const struct held *h = find(fds[i].fd);

		if (h != NULL && !h->begun &&
		    (fds[i].revents & (POLLOUT | gone)) == POLLOUT)
			fds[i].revents = POLLOUT;
	}
}

TAKEN int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };
	int found = note_held(fds, n);

	/* The others' turn is when it is empty, after a few packets at most. */
	if (found == 0) {
		found = ppoll(fds, n, timeout < 0 ? NULL : &ts, NULL);
		speak_first(fds, n);
	}
	return found;
}

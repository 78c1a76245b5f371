/*
 * Standard input and output without blocking. Runs as the user; the other
 * ends are their shell's and programs'.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/stdio.h"
#include "common/err.h"

/* Flags to give back; -1: nothing was changed. */
static int saved_flags[3] = { -1, -1, -1 };

/* A pipe or device again, with an opening of our own. */
static int
open_again(int fd)
{
	char path[32];
	int flags = fd == STDIN_FILENO ? O_RDONLY : O_WRONLY;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static int
open_one(int fd)
{
	struct stat st;
	int copy = -1;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		copy = open_again(fd);
	if (copy >= 0)
		return copy;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && saved_flags[fd] < 0) {
		saved_flags[fd] = fcntl(fd, F_GETFL);
		(void)fcntl(fd, F_SETFL, saved_flags[fd] | O_NONBLOCK);
	}
	return copy;
}

int
stdio_open(int out_fds[3], bool null_in)
{
	for (int i = 0; i < 3; i++) {
		out_fds[i] = i == STDIN_FILENO && null_in
				 ? open("/dev/null", O_RDONLY | O_CLOEXEC)
				 : open_one(i);
		/* A closed one is as good as /dev/null. */
		if (out_fds[i] == -EBADF)
			out_fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (out_fds[i] < 0)
			return -EBADF;
	}
	return 0;
}

void
stdio_restore(void)
{
	for (int i = 0; i < 3; i++) {
		if (saved_flags[i] >= 0)
			(void)fcntl(i, F_SETFL, saved_flags[i]);
		saved_flags[i] = -1;
	}
}

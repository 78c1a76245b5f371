/* Messages between those who share a connection. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client/mux.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

static int ends[2];

static void
setup(void)
{
	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0, ends),
	    0);
}

static void
teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

START_TEST(whole)
{
	AUTO(mux_msg_done) struct mux_msg got = { .nfds = 0 };
	char text[] = "xterm", more[] = "ls -l", one[] = "A=b", two[] = "";
	char *list[] = { one, two };
	const struct mux_msg m = { .type = MUX_SESSION,
		.a = MUX_TTY,
		.b = 80,
		.c = UINT32_MAX,
		.text = text,
		.more = more,
		.list = { list, 2 },
		.fds = { ends[0], ends[1], STDERR_FILENO },
		.nfds = 3 };

	ck_assert_int_eq(mux_send(ends[0], &m), 0);
	ck_assert_int_eq(mux_recv(ends[1], &got), 0);
	ck_assert_int_eq(got.type, MUX_SESSION);
	ck_assert_uint_eq(got.a, MUX_TTY);
	ck_assert_uint_eq(got.b, 80);
	ck_assert_uint_eq(got.c, UINT32_MAX);
	ck_assert_str_eq(got.text, text);
	ck_assert_str_eq(got.more, more);
	ck_assert_uint_eq(got.list.n, 2);
	ck_assert_str_eq(got.list.v[0], one);
	ck_assert_str_eq(got.list.v[1], two);
	ck_assert_uint_eq(got.nfds, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_ne(fcntl(got.fds[i], F_GETFD) & FD_CLOEXEC, 0);
}
END_TEST

/* Every cut of a good message is refused, and so is a byte behind it. */
START_TEST(damaged)
{
	char text[] = "t", word[] = "w";
	char *list[] = { word };
	const struct mux_msg m = {
		.type = MUX_FORWARD, .text = text, .list = { list, 1 }
	};
	uint8_t buf[256];
	ssize_t len;

	ck_assert_int_eq(mux_send(ends[0], &m), 0);
	len = recv(ends[1], buf, sizeof(buf) - 1, 0);
	ck_assert_int_gt(len, 0);
	buf[len] = 0;
	for (ssize_t n = 1; n <= len + 1; n++) {
		AUTO(mux_msg_done) struct mux_msg got = { .nfds = 0 };
		int want = n == len ? 0 : -EBADMSG;

		ck_assert_int_eq(send(ends[0], buf, (size_t)n, 0), n);
		ck_assert_int_eq(mux_recv(ends[1], &got), want);
	}
}
END_TEST

/* Padding of the control message has room for one more than it may be. */
START_TEST(too_many_descriptors)
{
	AUTO(mux_msg_done) struct mux_msg got = { .nfds = 0 };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * (MUX_FDS + 1))];
	} control = { .buf = { 0 } };
	const struct mux_msg m = { .type = MUX_CHECK };
	uint8_t buf[256];
	struct iovec iov = { .iov_base = buf };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fds[MUX_FDS + 1] = { ends[0], ends[0], ends[0], ends[0] };
	int before = dup(ends[0]), after;

	close(before);
	ck_assert_int_eq(mux_send(ends[0], &m), 0);
	iov.iov_len = (size_t)recv(ends[1], buf, sizeof(buf), 0);
	ck_assert_uint_le(iov.iov_len, sizeof(buf));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	ck_assert_int_gt(sendmsg(ends[0], &msg, 0), 0);
	ck_assert_int_eq(mux_recv(ends[1], &got), -EBADMSG);
	after = dup(ends[0]);
	ck_assert_int_eq(after, before);
	close(after);
}
END_TEST

START_TEST(too_long)
{
	AUTOFREE char *text = malloc(MUX_MESSAGE_MAX + 1);
	struct mux_msg m = { .type = MUX_OK, .text = text };

	memset(text, 'x', MUX_MESSAGE_MAX);
	text[MUX_MESSAGE_MAX] = '\0';
	ck_assert_int_eq(mux_send(ends[0], &m), -EMSGSIZE);
}
END_TEST

START_TEST(gone)
{
	AUTO(mux_msg_done) struct mux_msg got = { .nfds = 0 };
	const struct mux_msg m = { .type = MUX_CHECK };

	ck_assert_int_eq(mux_recv(ends[1], &got), -EAGAIN);
	close(ends[0]);
	ends[0] = -1;
	ck_assert_int_eq(mux_recv(ends[1], &got), -EPIPE);
	ck_assert_int_eq(mux_send(ends[1], &m), -EPIPE);
}
END_TEST

START_TEST(paths)
{
	char dir[] = "/tmp/test-mux-XXXXXX", path[64];
	AUTOCLOSE int fd = -1;
	uint32_t pid;
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	ck_assert_int_eq(mux_connect(path, &pid), -ENOENT);
	fd = mux_listen(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(mux_listen(path), -EADDRINUSE);
	close(take_fd(&fd));
	/* Nobody listens any more: the socket goes. */
	ck_assert_int_eq(mux_connect(path, &pid), -ENOENT);
	ck_assert_int_ne(stat(path, &st), 0);
	/* A file is not ours to remove. */
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_eq(mux_connect(path, &pid), -ECONNREFUSED);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static char listen_path[64];
static bool early; /* the name was there before anybody listened */

/* In place of libc's, for mux.c too. */
int
listen(int fd, int backlog)
{
	if (*listen_path != '\0' && access(listen_path, F_OK) == 0)
		early = true;
	return (int)syscall(SYS_listen, fd, backlog);
}

static int
count_names(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2; /* "." and ".." */
}

/* Whoever finds the socket's name finds somebody who listens. */
START_TEST(no_window)
{
	char dir[] = "/tmp/test-mux-XXXXXX";
	AUTOCLOSE int fd = -1;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(listen_path, sizeof(listen_path), "%s/s", dir);
	fd = mux_listen(listen_path);
	ck_assert_int_ge(fd, 0);
	ck_assert(!early);
	ck_assert_int_eq(count_names(dir), 1);
	/* The second one finds the first, and leaves nothing behind. */
	ck_assert_int_eq(mux_listen(listen_path), -EADDRINUSE);
	ck_assert_int_eq(count_names(dir), 1);
	ck_assert_int_eq(unlink(listen_path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(long_path)
{
	char dir[] = "/tmp/test-mux-XXXXXX", path[256];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%0120d", dir, 1);
	ck_assert_int_eq(mux_listen(path), -ENAMETOOLONG);
	ck_assert_int_eq(count_names(dir), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mux");
	TCase *tc = tcase_create("mux");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, whole);
	tcase_add_test(tc, damaged);
	tcase_add_test(tc, too_many_descriptors);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, gone);
	tcase_add_test(tc, paths);
	tcase_add_test(tc, no_window);
	tcase_add_test(tc, long_path);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

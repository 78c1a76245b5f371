/*
 * The whole of sftp-server's loop on a stream of bytes: framing, each request,
 * real files in a directory of its own, replies. It is confined as with -C, and
 * of root it has the name only. Whatever comes in, replies are whole packets,
 * one for each request, and no longer than the protocol allows.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/place.h"
#include "sftp-server/reply.h"
#include "sftp-server/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOBODY 65534
#define KEEP_FROM 64
/* Bytes of a file, lest one fills the disk. */
#define FILE_SIZE_MAX (1u << 20)

static char top[] = "/tmp/fuzz_sftploop.XXXXXX";
static int in_fd, out_fd, root_fd;

static void
check(bool good)
{
	if (!good)
		abort();
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	if (ftw->level == 0)
		return 0;
	/* A directory of mode 0 is entered again after this. */
	if (kind == FTW_DNR && chmod(path, 0700) == 0)
		(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	(void)remove(path);
	return 0;
}

static void
empty_top(void)
{
	(void)nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
leave(void)
{
	empty_top();
	(void)rmdir(top);
}

static void
file_make(const char *name, size_t size)
{
	AUTOCLOSE int fd =
	    openat(PLACE_ROOT_FD, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	check(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
}

/* Out of the way of those that the server has a place for. */
static int
keep(int fd)
{
	int kept = fcntl(fd, F_DUPFD_CLOEXEC, KEEP_FROM);

	check(fd >= 0 && kept >= 0);
	(void)close(fd);
	return kept;
}

static void
first(void)
{
	struct rlimit size = { FILE_SIZE_MAX, FILE_SIZE_MAX };

	check(mkdtemp(top) != NULL && atexit(leave) == 0);
	if (getuid() == 0)
		check(chown(top, NOBODY, NOBODY) == 0);
	root_fd = keep(open(top, O_PATH | O_DIRECTORY));
	in_fd = keep(memfd_create("in", 0));
	out_fd = keep(memfd_create("out", 0));
	check(setrlimit(RLIMIT_FSIZE, &size) == 0);
	signal(SIGXFSZ, SIG_IGN);
}

/* How many packets the stream begins with, up to what ends a session. */
static size_t
packets_count(const uint8_t *data, size_t size, bool *out_broken)
{
	size_t n = 0, need;
	bool greeted = false;
	int error;

	*out_broken = true;
	while ((error = sftp_frame(data, size, &need)) == 0) {
		bool is_init = data[SFTP_LEN_SIZE] == SSH_FXP_INIT;

		if (need < SFTP_LEN_SIZE + 5 || (!greeted && !is_init))
			return n;
		greeted = greeted || is_init;
		data += need;
		size -= need;
		n++;
	}
	*out_broken = error != -EAGAIN;
	return n;
}

/* Descriptors that the server finds at their places, and whose they were. */
struct swap {
	int at, saved;
};

static struct swap
swap_in(int fd, int at)
{
	struct swap swap = { .at = at, .saved = dup(at) };

	check(dup2(fd, at) == at);
	return swap;
}

static void
swap_out(struct swap *swap)
{
	if (swap->saved < 0) {
		(void)close(swap->at);
		return;
	}
	check(dup2(swap->saved, swap->at) == swap->at);
	(void)close(swap->saved);
}

static void
check_replies(size_t want)
{
	off_t size = lseek(out_fd, 0, SEEK_END);
	size_t need, n = 0, left = (size_t)size;
	uint8_t *p, *at;

	check(size >= 0);
	p = at = malloc(left + 1);
	check(p != NULL && pread(out_fd, p, left, 0) == size);
	for (; left > 0; n++) {
		check(sftp_frame(at, left, &need) == 0 && need <= REPLY_MAX);
		at += need;
		left -= need;
	}
	check(n == want);
	free(p);
}

/* As sftp_main.c does, but for the jail. */
static int
serve(void)
{
	static struct server s;
	struct options opt = { .log_level = SLOG_QUIET, .audit_facility = -1 };
	struct name_entry me = { .name = (char[]){ "me" },
		.home = (char[]){ "/" } };
	int result;

	s = (struct server){ .opt = &opt, .peer = "nobody", .uid = NOBODY };
	s.names.user = me.name;
	s.names.home = me.home;
	s.names.users.path = "/etc/passwd";
	s.names.groups.path = "/etc/group";
	s.is_confined = true;
	strlcpy(s.cwd, "/", sizeof(s.cwd));
	sigemptyset(&s.wait_mask);
	check(server_init(&s, &opt) == 0);
	result = server_run(&s);
	server_done(&s);
	return result;
}

/* The stream as a session: what server_run() said. */
static int
session(void)
{
	AUTO(swap_out) struct swap root = swap_in(root_fd, PLACE_ROOT_FD);
	AUTO(swap_out) struct swap in = swap_in(in_fd, STDIN_FILENO);
	AUTO(swap_out) struct swap out = swap_in(out_fd, STDOUT_FILENO);
	int result;

	if (getuid() == 0)
		setfsuid(NOBODY);
	file_make("f", 0);
	file_make("g", 100);
	check(mkdirat(PLACE_ROOT_FD, "d", 0755) == 0);
	check(symlinkat("../../f", PLACE_ROOT_FD, "d/l") == 0);
	result = serve();
	setfsuid(getuid());
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_broken;
	size_t n;
	int result;

	if (in_fd == 0)
		first();
	if (size > FILE_SIZE_MAX / 2)
		return 0;
	empty_top();
	check(ftruncate(in_fd, 0) == 0 && ftruncate(out_fd, 0) == 0);
	check(pwrite(in_fd, data, size, 0) == (ssize_t)size);
	check(
	    lseek(in_fd, 0, SEEK_SET) == 0 && lseek(out_fd, 0, SEEK_SET) == 0);
	result = session();
	n = packets_count(data, size, &is_broken);
	check(is_broken ? result < 0 : result == 0);
	/* What is owed when a session breaks need not have been sent. */
	if (!is_broken)
		check_replies(n);
	return 0;
}

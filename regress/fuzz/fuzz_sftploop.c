/*
 * The whole of sftp-server's loop on a stream of bytes: framing, each request,
 * real files in a directory of its own, replies. It is confined as with -C, and
 * of root it has the name only. Whatever comes in, replies are whole packets,
 * one for each request, and no longer than the protocol allows. Each stream is
 * a session twice, with a file to answer into and with a pipe, to which blocks
 * are lent: what the client reads is the same.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
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
/* Bytes of a file, lest one fills the disk; and of a stream. */
#define FILE_SIZE_MAX (8u << 20)
#define STREAM_MAX (512u * 1024)
/* More would not fit a file of answers. */
#define READS_MAX 16
/* Large enough for blocks that are lent, and no multiple of a page. */
#define LENT_SIZE 100000

enum way {
	TO_FILE,
	TO_PIPE,
	WAYS
};

static char top[] = "/tmp/fuzz_sftploop.XXXXXX";
static int in_fd, out_fd[WAYS], root_fd;

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

/* One of which each block differs from the others. */
static void
file_fill(const char *name)
{
	static uint32_t words[LENT_SIZE / sizeof(uint32_t)];
	AUTOCLOSE int fd =
	    openat(PLACE_ROOT_FD, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	for (uint32_t i = 0; i < nitems_of(words); i++)
		words[i] = i;
	check(fd >= 0 &&
	      write(fd, words, sizeof(words)) == (ssize_t)sizeof(words));
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
	for (int i = 0; i < WAYS; i++)
		out_fd[i] = keep(memfd_create("out", 0));
	check(setrlimit(RLIMIT_FSIZE, &size) == 0);
	signal(SIGXFSZ, SIG_IGN);
}

/* What the stream begins with, up to what ends a session. */
struct stream {
	size_t npackets, nreads;
	bool is_broken;
};

static struct stream
stream_look(const uint8_t *data, size_t size)
{
	struct stream st = { .is_broken = true };
	size_t need;
	bool greeted = false;
	int error;

	while ((error = sftp_frame(data, size, &need)) == 0) {
		uint8_t type = data[SFTP_LEN_SIZE];

		if (need < SFTP_LEN_SIZE + 5 ||
		    (!greeted && type != SSH_FXP_INIT))
			return st;
		greeted = true;
		st.nreads += type == SSH_FXP_READ;
		st.npackets++;
		data += need;
		size -= need;
	}
	st.is_broken = error != -EAGAIN;
	return st;
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

/* All answers of a session; the caller's to free. */
static uint8_t *
answers(enum way way, size_t *out_size)
{
	off_t size = lseek(out_fd[way], 0, SEEK_END);
	uint8_t *p = malloc((size_t)size + 1);

	check(size >= 0 && p != NULL &&
	      pread(out_fd[way], p, (size_t)size, 0) == size);
	*out_size = (size_t)size;
	return p;
}

/* Both ways, the same answers; times in them may differ. */
static void
check_replies(size_t want)
{
	size_t left, size, need, n = 0;
	AUTOFREE uint8_t *a = answers(TO_FILE, &left);
	AUTOFREE uint8_t *b = answers(TO_PIPE, &size);
	size_t at = 0;

	check(left == size);
	for (; left > 0; n++) {
		check(
		    sftp_frame(a + at, left, &need) == 0 && need <= REPLY_MAX);
		check(memcmp(a + at, b + at, SFTP_LEN_SIZE + 1) == 0);
		if (a[at + SFTP_LEN_SIZE] == SSH_FXP_DATA)
			check(memcmp(a + at, b + at, need) == 0);
		at += need;
		left -= need;
	}
	check(n == want);
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
	lend_begin(&s);
	server_prepare_fds();
	result = server_run(&s);
	server_done(&s);
	return result;
}

/* The stream as a session with that as its output: what server_run() said. */
static int
session(int to_fd)
{
	AUTO(swap_out) struct swap root = swap_in(root_fd, PLACE_ROOT_FD);
	AUTO(swap_out) struct swap in = swap_in(in_fd, STDIN_FILENO);
	AUTO(swap_out) struct swap out = swap_in(to_fd, STDOUT_FILENO);
	AUTO(swap_out)
	struct swap stage_in = { STAGE_IN_FD, dup(STAGE_IN_FD) };
	AUTO(swap_out)
	struct swap stage_out = { STAGE_OUT_FD, dup(STAGE_OUT_FD) };
	int result;

	if (getuid() == 0)
		setfsuid(NOBODY);
	file_make("f", 0);
	file_make("g", 100);
	file_fill("h");
	check(mkdirat(PLACE_ROOT_FD, "d", 0755) == 0);
	check(symlinkat("../../f", PLACE_ROOT_FD, "d/l") == 0);
	result = serve();
	setfsuid(getuid());
	return result;
}

/* The client, who takes all there is from a pipe. */
static void *
drain(void *arg)
{
	const int *pipe_fd = arg;
	uint8_t buf[65536];
	ssize_t n;

	while ((n = read(*pipe_fd, buf, sizeof(buf))) > 0)
		check(write(out_fd[TO_PIPE], buf, (size_t)n) == n);
	return NULL;
}

static int
session_to_pipe(void)
{
	pthread_t thread;
	int fds[2], in, result;

	check(pipe(fds) == 0);
	in = keep(fds[0]);
	fds[1] = keep(fds[1]);
	check(pthread_create(&thread, NULL, drain, &in) == 0);
	result = session(fds[1]);
	close(fds[1]);
	check(pthread_join(thread, NULL) == 0);
	close(in);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream st = stream_look(data, size);

	if (in_fd == 0)
		first();
	if (size > STREAM_MAX || st.nreads > READS_MAX)
		return 0;
	check(ftruncate(in_fd, 0) == 0);
	check(pwrite(in_fd, data, size, 0) == (ssize_t)size);
	for (int way = 0; way < WAYS; way++) {
		int result;

		empty_top();
		check(ftruncate(out_fd[way], 0) == 0 &&
		      lseek(in_fd, 0, SEEK_SET) == 0 &&
		      lseek(out_fd[way], 0, SEEK_SET) == 0);
		result = way == TO_PIPE ? session_to_pipe()
					: session(out_fd[TO_FILE]);
		check(st.is_broken ? result < 0 : result == 0);
	}
	/* What is owed when a session breaks need not have been sent. */
	if (!st.is_broken)
		check_replies(st.npackets);
	return 0;
}

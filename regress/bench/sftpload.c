/*
 * Loads an SFTP server as a client that never waits for one reply: run by
 * bench.py, over ssh(1) or straight on the server's pipes. It trusts the
 * server to be one; what it measures it checks by counting.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "common/sftp.h"
#include "regress/bench/sftpload.h"

#define PIPE_SIZE (1 << 20)
#define IN_SIZE (4u << 20)
/* Requests are written when this much waits. */
#define OUT_FULL (1u << 20)
#define INIT_ID SFTP_VERSION
#define USEC 1000000.0
#define NSEC 1000000000.0

void
die(const char *what)
{
	fprintf(stderr, "sftpload: %s\n", what);
	exit(EXIT_FAILURE);
}

/* Put every free slot to use. */
static void
fill(struct load *l)
{
	for (unsigned i = 0; i < l->width; i++) {
		if (l->slot[i].is_busy)
			continue;
		if (l->out.len - l->sent > OUT_FULL)
			return;
		if (!l->job->next(l, &l->slot[i]))
			return;
		l->slot[i].is_busy = true;
		l->nbusy++;
	}
}

static void
take(struct load *l, struct span packet)
{
	struct slot *slot;
	struct reader r;
	uint8_t type;
	uint32_t id;

	reader_init(&r, packet.p, packet.len);
	type = reader_u8(&r);
	id = reader_u32(&r);
	if (id > SLOTS_MAX)
		die("a reply to nothing");
	if (id == SLOTS_MAX) {
		job_begun(l, type, &r);
		return;
	}
	slot = &l->slot[id];
	if (!l->job->took(l, slot, type, &r))
		return;
	slot->is_busy = false;
	l->nbusy--;
}

static void
take_all(struct load *l)
{
	size_t need;
	int error;

	for (;;) {
		error = sftp_frame(
		    l->in + l->in_head, l->in_tail - l->in_head, &need);
		if (error == -EAGAIN)
			break;
		if (error != 0)
			die("a broken packet");
		take(l, span_of(l->in + l->in_head + SFTP_LEN_SIZE,
			    need - SFTP_LEN_SIZE));
		l->in_head += need;
	}
	memmove(l->in, l->in + l->in_head, l->in_tail - l->in_head);
	l->in_tail -= l->in_head;
	l->in_head = 0;
}

static void
flush_out(struct load *l)
{
	ssize_t n;

	while (l->sent < l->out.len) {
		n = write(l->to, l->out.p + l->sent, l->out.len - l->sent);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			die("the server is gone");
		l->sent += (size_t)n;
	}
	if (l->sent < l->out.len && l->sent < OUT_FULL)
		return;
	memmove(l->out.p, l->out.p + l->sent, l->out.len - l->sent);
	l->out.len -= l->sent;
	l->sent = 0;
}

static void
move(struct load *l)
{
	struct pollfd fds[2] = {
		{ .fd = l->from, .events = POLLIN },
		{ .fd = l->to, .events = POLLOUT },
	};
	ssize_t n;

	flush_out(l);
	if (l->sent == l->out.len)
		fds[1].fd = -1;
	if (poll(fds, 2, -1) < 0)
		die("poll");
	if (fds[0].revents == 0)
		return;
	n = read(l->from, l->in + l->in_tail, IN_SIZE - l->in_tail);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("the server ended");
	l->in_tail += (size_t)n;
}

static void
greet(struct load *l)
{
	size_t mark = sftp_start(&l->out, SSH_FXP_INIT, INIT_ID);
	size_t need;

	sftp_finish(&l->out, mark);
	while (sftp_frame(l->in, l->in_tail, &need) == -EAGAIN)
		move(l);
	if (l->in[SFTP_LEN_SIZE] != SSH_FXP_VERSION)
		die("no version");
	l->in_head = need;
	take_all(l);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / NSEC;
}

static double
run(struct load *l)
{
	double began = now();

	job_begin(l);
	for (;;) {
		fill(l);
		if (l->is_open && l->nbusy == 0)
			break;
		move(l);
		take_all(l);
	}
	if (l->done < l->total)
		die("there is less than there should be");
	return now() - began;
}

/* Run argv on two pipes: from and to. */
static pid_t
start(char **argv, int *from, int *to)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		die("pipe");
	(void)fcntl(in[1], F_SETPIPE_SZ, PIPE_SIZE);
	(void)fcntl(out[1], F_SETPIPE_SZ, PIPE_SIZE);
	pid = fork();
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	*from = out[0];
	*to = in[1];
	(void)fcntl(*from, F_SETFL, O_NONBLOCK);
	(void)fcntl(*to, F_SETFL, O_NONBLOCK);
	return pid;
}

static double
seconds_of(const struct rusage *used)
{
	return (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) +
	       (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) / USEC;
}

static void
usage(void)
{
	fputs("usage: sftpload JOB PATH COUNT BLOCK WIDTH COMMAND...\n"
	      "       sftpload meter FILE COMMAND...\n",
	    stderr);
	jobs_print();
	exit(2);
}

/* Be the server's parent, and append the seconds of CPU it took to a file. */
static int
meter(const char *path, char **argv)
{
	struct rusage used;
	pid_t pid = fork();
	int status;
	FILE *out;

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &used) != pid)
		die("wait");
	out = fopen(path, "a");
	if (out == NULL || fprintf(out, "%.6f\n", seconds_of(&used)) < 0 ||
	    fclose(out) != 0)
		die("cannot write what was measured");
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static struct load l;
	struct rusage used;
	double took;
	pid_t pid;
	int status;

	signal(SIGPIPE, SIG_IGN);
	if (argc > 3 && strcmp(argv[1], "meter") == 0)
		return meter(argv[2], argv + 3);
	if (argc < 7)
		usage();
	l.job = job_find(argv[1]);
	l.path = argv[2];
	l.total = strtoull(argv[3], NULL, 10);
	l.block = (uint32_t)strtoul(argv[4], NULL, 10);
	l.width = (unsigned)strtoul(argv[5], NULL, 10);
	if (l.job == NULL || l.block > SFTP_DATA_MAX || l.width < 1 ||
	    l.width > SLOTS_MAX)
		usage();
	l.in = malloc(IN_SIZE);
	l.data = calloc(1, l.block + 1);
	if (l.in == NULL || l.data == NULL)
		die("no memory");
	pid = start(argv + 6, &l.from, &l.to);
	greet(&l);
	took = run(&l);
	close(l.to);
	if (wait4(pid, &status, 0, &used) != pid || status != 0)
		die("the command failed");
	printf("{\"seconds\": %.6f, \"cpu\": %.6f, \"requests\": %llu}\n", took,
	    seconds_of(&used), (unsigned long long)l.nrequests);
	return EXIT_SUCCESS;
}

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

#define PIPE_SIZE (1 << 20)
#define IN_SIZE (4u << 20)
/* Requests are written when this much waits. */
#define OUT_FULL (1u << 20)
#define SLOTS_MAX 1024
#define INIT_ID SFTP_VERSION
#define USEC 1000000.0
#define NSEC 1000000000.0

struct load;

/* One request in flight, and what comes after it. */
struct slot {
	uint32_t step;
	uint64_t at;
	uint8_t handle[SFTP_HANDLE_MAX];
	size_t handle_len;
	bool is_busy;
};

struct job {
	const char *name;
	const char *usage;
	/* Send what a free slot is for; false: nothing is left to send. */
	bool (*next)(struct load *l, struct slot *slot);
	/* Take a reply. true: the slot is free again. */
	bool (*took)(struct load *l, struct slot *slot, uint8_t type,
	    struct reader *r);
};

struct load {
	const struct job *job;
	const char *path;
	uint64_t total; /* bytes, files or, of a listing, entries */
	uint32_t block; /* bytes of a READ or WRITE */
	unsigned width; /* slots in use */

	struct slot slot[SLOTS_MAX];
	unsigned nbusy;
	struct slot shared; /* the one handle of a large file or directory */
	bool is_open, at_end;
	uint64_t next, done;
	uint64_t nrequests;

	int from, to;
	struct writer out;
	size_t sent;
	uint8_t *in;
	size_t in_head, in_tail;
	uint8_t *data; /* what is written, block bytes */
};

static void
die(const char *what)
{
	fprintf(stderr, "sftpload: %s\n", what);
	exit(EXIT_FAILURE);
}

static uint32_t
id_of(const struct load *l, const struct slot *slot)
{
	return slot == &l->shared ? SLOTS_MAX : (uint32_t)(slot - l->slot);
}

static size_t
begin(struct load *l, const struct slot *slot, uint8_t type)
{
	l->nrequests++;
	return sftp_start(&l->out, type, id_of(l, slot));
}

static void
send_open(struct load *l, struct slot *slot, const char *path, uint32_t flags)
{
	struct sftp_attrs attrs = { 0 };
	size_t mark = begin(l, slot, SSH_FXP_OPEN);

	writer_cstring(&l->out, path);
	writer_u32(&l->out, flags);
	sftp_attrs_write(&l->out, &attrs);
	sftp_finish(&l->out, mark);
}

/* CLOSE, READDIR, and the head of READ and WRITE. */
static size_t
send_handle(
    struct load *l, struct slot *slot, const struct slot *held, uint8_t type)
{
	size_t mark = begin(l, slot, type);

	writer_string(&l->out, held->handle, held->handle_len);
	return mark;
}

static void
send_bytes(struct load *l, struct slot *slot, const struct slot *held,
    uint8_t type, uint32_t n)
{
	size_t mark = send_handle(l, slot, held, type);

	writer_u64(&l->out, slot->at);
	if (type == SSH_FXP_READ)
		writer_u32(&l->out, n);
	else
		writer_string(&l->out, l->data, n);
	sftp_finish(&l->out, mark);
}

static void
keep_handle(struct slot *slot, uint8_t type, struct reader *r)
{
	struct span s = reader_string(r, sizeof(slot->handle));

	if (type != SSH_FXP_HANDLE || r->failed)
		die("no handle");
	memcpy(slot->handle, s.p, s.len);
	slot->handle_len = s.len;
}

static void
expect_ok(uint8_t type, struct reader *r)
{
	if (type != SSH_FXP_STATUS || reader_u32(r) != SSH_FX_OK)
		die("a request failed");
}

/* --- one large file */

static bool
large_next(struct load *l, struct slot *slot, uint8_t type)
{
	uint64_t left = l->total - l->next;

	if (!l->is_open || left == 0)
		return false;
	slot->at = l->next;
	slot->step = left < l->block ? (uint32_t)left : l->block;
	l->next += slot->step;
	send_bytes(l, slot, &l->shared, type, slot->step);
	return true;
}

static bool
get_next(struct load *l, struct slot *slot)
{
	return large_next(l, slot, SSH_FXP_READ);
}

static bool
put_next(struct load *l, struct slot *slot)
{
	return large_next(l, slot, SSH_FXP_WRITE);
}

static bool
get_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	struct span data = reader_string(r, SIZE_MAX);

	if (type != SSH_FXP_DATA || r->failed || data.len > slot->step)
		die("no data");
	l->done += data.len;
	slot->at += data.len;
	slot->step -= (uint32_t)data.len;
	/* A short read: the rest is asked for again. */
	if (slot->step != 0)
		send_bytes(l, slot, &l->shared, SSH_FXP_READ, slot->step);
	return slot->step == 0;
}

static bool
put_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	expect_ok(type, r);
	l->done += slot->step;
	return true;
}

/* --- many small files: each is opened, moved and closed by a slot */

static void
file_open(struct load *l, struct slot *slot, uint32_t flags)
{
	char path[SFTP_PATH_MAX + 1];

	snprintf(path, sizeof(path), "%s/%05llu", l->path,
	    (unsigned long long)l->next++);
	slot->step = 0;
	slot->at = 0;
	send_open(l, slot, path, flags);
}

static bool
gets_next(struct load *l, struct slot *slot)
{
	if (l->next == l->total)
		return false;
	file_open(l, slot, SSH_FXF_READ);
	return true;
}

static bool
puts_next(struct load *l, struct slot *slot)
{
	if (l->next == l->total)
		return false;
	file_open(l, slot, SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC);
	return true;
}

static bool
files_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r,
    uint8_t move)
{
	switch (slot->step++) {
	case 0:
		keep_handle(slot, type, r);
		send_bytes(l, slot, slot, move, l->block);
		return false;
	case 1:
		if (move == SSH_FXP_WRITE)
			expect_ok(type, r);
		else if (type != SSH_FXP_DATA)
			die("no data");
		sftp_finish(
		    &l->out, send_handle(l, slot, slot, SSH_FXP_CLOSE));
		return false;
	default:
		expect_ok(type, r);
		l->done++;
		return true;
	}
}

static bool
gets_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	return files_took(l, slot, type, r, SSH_FXP_READ);
}

static bool
puts_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	return files_took(l, slot, type, r, SSH_FXP_WRITE);
}

/* --- looking at many names */

static bool
stats_next(struct load *l, struct slot *slot)
{
	char path[SFTP_PATH_MAX + 1];
	size_t mark;

	if (l->next == l->total)
		return false;
	snprintf(path, sizeof(path), "%s/%05llu", l->path,
	    (unsigned long long)l->next++);
	mark = begin(l, slot, SSH_FXP_LSTAT);
	writer_cstring(&l->out, path);
	sftp_finish(&l->out, mark);
	return true;
}

static bool
stats_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	(void)slot;
	(void)r;
	if (type != SSH_FXP_ATTRS)
		die("no attributes");
	l->done++;
	return true;
}

/* --- one directory */

static bool
list_next(struct load *l, struct slot *slot)
{
	if (!l->is_open || l->at_end)
		return false;
	sftp_finish(
	    &l->out, send_handle(l, slot, &l->shared, SSH_FXP_READDIR));
	return true;
}

static bool
list_took(struct load *l, struct slot *slot, uint8_t type, struct reader *r)
{
	(void)slot;
	if (type == SSH_FXP_STATUS)
		l->at_end = true;
	else
		l->done += reader_u32(r);
	return true;
}

static const struct job jobs[] = {
	{ "get", "a file of COUNT bytes", get_next, get_took },
	{ "put", "a file of COUNT bytes", put_next, put_took },
	{ "gets", "COUNT files of a directory", gets_next, gets_took },
	{ "puts", "COUNT files of a directory", puts_next, puts_took },
	{ "stats", "COUNT files of a directory", stats_next, stats_took },
	{ "list", "a directory of COUNT entries", list_next, list_took },
};

/* --- the conversation */

static void
send_first(struct load *l)
{
	uint32_t flags = SSH_FXF_READ;
	size_t mark;

	if (l->job->next == list_next) {
		mark = begin(l, &l->shared, SSH_FXP_OPENDIR);
		writer_cstring(&l->out, l->path);
		sftp_finish(&l->out, mark);
		return;
	}
	if (l->job->next == put_next)
		flags = SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC;
	if (l->job->next == get_next || l->job->next == put_next)
		send_open(l, &l->shared, l->path, flags);
	else
		l->is_open = true;
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
	struct slot *slot = &l->shared;
	struct reader r;
	uint8_t type;
	uint32_t id;

	reader_init(&r, packet.p, packet.len);
	type = reader_u8(&r);
	id = reader_u32(&r);
	if (id > SLOTS_MAX)
		die("a reply to nothing");
	if (id == SLOTS_MAX) {
		keep_handle(slot, type, &r);
		l->is_open = true;
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
		take(l,
		    span_of(l->in + l->in_head + SFTP_LEN_SIZE,
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

	send_first(l);
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
	       (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) /
		   USEC;
}

static void
usage(void)
{
	fputs("usage: sftpload JOB PATH COUNT BLOCK WIDTH COMMAND...\n"
	      "       sftpload meter FILE COMMAND...\n",
	    stderr);
	for (size_t i = 0; i < nitems_of(jobs); i++)
		fprintf(stderr, "\t%s: %s\n", jobs[i].name, jobs[i].usage);
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
	for (size_t i = 0; i < nitems_of(jobs); i++)
		if (strcmp(argv[1], jobs[i].name) == 0)
			l.job = &jobs[i];
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
	printf("{\"seconds\": %.6f, \"cpu\": %.6f, \"requests\": %llu}\n",
	    took, seconds_of(&used), (unsigned long long)l.nrequests);
	return EXIT_SUCCESS;
}

/*
 * The loop of sftp-server: as many requests as are there, as few writes as
 * will do, and no read while the client does not take its replies. Bytes that
 * come in are the client's; descriptors 0 and 1 are all it has of us.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/server.h"

/* A packet that lacks more than this is read to its end and no further, so
 * that the next one begins at the front of the buffer and is never moved. */
#define READ_EXACT (32u * 1024)
/* Holds one packet of the largest size; a larger one uses up a user's share of
 * pipe memory (pipe(7), pipe-user-pages-soft). */
#define PIPE_SIZE (256 * 1024)

int
server_init(struct server *s, const struct options *opt)
{
	s->opt = opt;
	for (size_t i = 0; op_at(i) != NULL; i++)
		s->verdict[i] = may_op(op_at(i), opt);
	handles_init(&s->handles);
	s->in = malloc(IN_SIZE);
	s->out.p = malloc(OUT_SIZE);
	s->out.size = OUT_SIZE;
	return s->in != NULL && s->out.p != NULL ? 0 : -ENOMEM;
}

void
server_done(struct server *s)
{
	handles_done(&s->handles);
	names_done(&s->names);
	free(s->in);
	s->in = NULL;
	writer_done(&s->out);
}

/* Only what is ours alone: a terminal's flags are its other users' too. */
static void
pipe_prepare(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &st) != 0)
		return;
	if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
		return;
	(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	if (S_ISFIFO(st.st_mode))
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
}

void
server_prepare_fds(void)
{
	pipe_prepare(STDIN_FILENO);
	pipe_prepare(STDOUT_FILENO);
}

static bool
is_later(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* Replies that the client has not taken, in bytes. */
static size_t
out_owed(const struct server *s)
{
	return s->out.len - s->out_sent + s->lend.staged;
}

int
server_send(struct server *s)
{
	ssize_t n;

	while (s->out_sent < s->out.len) {
		n = write(STDOUT_FILENO, s->out.p + s->out_sent,
		    s->out.len - s->out_sent);
		if (n < 0 && is_later(errno))
			break;
		if (n <= 0)
			return -EPIPE;
		s->out_sent += (size_t)n;
	}
	if (s->out_sent != s->out.len)
		return 0;
	s->out_sent = s->out.len = 0;
	return lend_send(s);
}

static bool
out_has_room(struct server *s)
{
	size_t waiting = s->out.len - s->out_sent;
	/* What is staged may have to be taken back. */
	size_t need = REPLY_MAX + s->lend.staged;

	if (s->lend.staged >= SEND_AT)
		return false;
	if (s->out.size - s->out.len >= need)
		return true;
	if (s->out.size - waiting < need)
		return false;
	memmove(s->out.p, s->out.p + s->out_sent, waiting);
	s->out.len = waiting;
	s->out_sent = 0;
	return true;
}

enum progress {
	NEEDS_INPUT,
	NEEDS_ROOM, /* for replies */
};

/*
 * Handle the packets that are there whole. What stopped it, or an error;
 * *out_need is how much the first unhandled packet takes in all.
 */
static int
in_handle(struct server *s, size_t *out_need)
{
	struct span packet;
	int error;

	for (;;) {
		error = sftp_frame(
		    s->in + s->in_head, s->in_tail - s->in_head, out_need);
		if (error == -EAGAIN)
			return NEEDS_INPUT;
		if (error != 0)
			return error;
		if (!out_has_room(s))
			return NEEDS_ROOM;
		packet = span_of(s->in + s->in_head + SFTP_LEN_SIZE,
		    *out_need - SFTP_LEN_SIZE);
		error = request_run(s, packet);
		if (error != 0)
			return error;
		s->in_head += *out_need;
		if (out_owed(s) >= SEND_AT)
			error = server_send(s);
		if (error != 0)
			return error;
	}
}

/*
 * Read on for a packet of need bytes. 1: there may be more at once; 0: not
 * now; -ENODATA: the client has said all.
 */
static int
in_read(struct server *s, size_t need)
{
	size_t have = s->in_tail - s->in_head, want;
	ssize_t n;

	if (have == 0)
		s->in_head = s->in_tail = 0;
	else if (s->in_head + need > IN_SIZE || s->in_tail == IN_SIZE) {
		memmove(s->in, s->in + s->in_head, have);
		s->in_head = 0;
		s->in_tail = have;
	}
	want = IN_SIZE - s->in_tail;
	if (need - have >= READ_EXACT)
		want = need - have;
	n = read(STDIN_FILENO, s->in + s->in_tail, want);
	if (n == 0)
		return -ENODATA;
	if (n < 0)
		return is_later(errno) ? 0 : -EPIPE;
	s->in_tail += (size_t)n;
	return (size_t)n == want;
}

/* Signals are blocked but for the time in ppoll(2): see server_wait(). */
static volatile sig_atomic_t stop_wanted;

static void
stop_note(int signo)
{
	(void)signo;
	stop_wanted = 1;
}

void
server_prepare_signals(struct server *s)
{
	static const int stops[] = { SIGTERM, SIGHUP, SIGINT };
	struct sigaction action = { .sa_handler = stop_note };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < nitems_of(stops); i++) {
		sigaction(stops[i], &action, NULL);
		sigaddset(&blocked, stops[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, &s->wait_mask);
	for (size_t i = 0; i < nitems_of(stops); i++)
		sigdelset(&s->wait_mask, stops[i]);
	signal(SIGPIPE, SIG_IGN);
	/* A file over RLIMIT_FSIZE is an error of its request. */
	signal(SIGXFSZ, SIG_IGN);
}

/* Wait until stdin (if wanted) or stdout (if owed) is ready. */
static int
server_wait(struct server *s, bool may_read, bool *out_readable)
{
	struct pollfd fds[2] = {
		{ .fd = may_read ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = out_owed(s) > 0 ? STDOUT_FILENO : -1,
		    .events = POLLOUT },
	};

	*out_readable = false;
	/* All was sent meanwhile: nothing to wait for. */
	if (!may_read && out_owed(s) == 0)
		return 0;
	if (stop_wanted || ppoll(fds, 2, NULL, &s->wait_mask) < 0)
		return stop_wanted ? -EINTR : -errno;
	*out_readable = fds[0].revents != 0;
	return fds[1].revents != 0 ? server_send(s) : 0;
}

int
server_still_wanted(struct server *s)
{
	return server_pause(s, 0);
}

int
server_pause(struct server *s, int milliseconds)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = 0 };
	struct timespec pause = { .tv_nsec = milliseconds * 1000000L };

	if (ppoll(&out, 1, &pause, &s->wait_mask) < 0)
		return -errno;
	return (out.revents & (POLLERR | POLLHUP)) != 0 ? -EPIPE : 0;
}

/* Handle and send what can be now; see in_handle(). */
static int
server_step(struct server *s, size_t *out_need)
{
	int progress = in_handle(s, out_need);
	int error = progress < 0 ? progress : server_send(s);

	return error != 0 ? error : progress;
}

/* The client has closed its end: what is owed is still sent, if it reads. */
static int
server_finish(struct server *s)
{
	size_t need;
	bool readable;
	int result;

	for (;;) {
		result = server_step(s, &need);
		if (result < 0)
			return result;
		if (out_owed(s) == 0 && result == NEEDS_INPUT)
			return 0;
		if (out_owed(s) != 0)
			result = server_wait(s, false, &readable);
		if (result < 0)
			return result;
	}
}

int
server_run(struct server *s)
{
	bool readable = false;
	size_t need;
	int result;

	for (;;) {
		result = server_step(s, &need);
		if (result < 0)
			return result;
		if (result == NEEDS_ROOM || !readable)
			result =
			    server_wait(s, result == NEEDS_INPUT, &readable);
		if (result < 0)
			return result;
		if (!readable)
			continue;
		result = in_read(s, need);
		if (result == -ENODATA)
			return server_finish(s);
		if (result < 0)
			return result;
		readable = result == 1;
	}
}

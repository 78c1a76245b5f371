/*
 * delay PORT MILLISECONDS: a relay that makes a long path of loopback. Prints
 * the port that it listens on, and hands on what comes there to PORT of
 * 127.0.0.1, each way after half of the milliseconds. Run by the benches.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* On the way in one direction, at most: the path never is the window. */
#define PIPE_SIZE (64u << 20)
#define CHUNKS 65536
#define READ_MAX (256u << 10)
#define US 1000000u

struct chunk {
	uint64_t due;
	size_t len; /* 0: the end */
};

/* One direction: bytes in a ring, and when they are due. */
struct pipe {
	int from, to;
	uint8_t *ring;
	size_t head, used;
	struct chunk *chunks;
	size_t first, n;
	bool ended, closed;
};

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * US + (uint64_t)t.tv_nsec / 1000;
}

static void
take(struct pipe *p, uint64_t delay)
{
	size_t tail = (p->head + p->used) % PIPE_SIZE;
	size_t room = PIPE_SIZE - tail;
	ssize_t n;

	room = room < PIPE_SIZE - p->used ? room : PIPE_SIZE - p->used;
	room = room < READ_MAX ? room : READ_MAX;
	n = read(p->from, p->ring + tail, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	p->ended = n <= 0;
	p->chunks[(p->first + p->n++) % CHUNKS] =
	    (struct chunk){ .due = now() + delay,
		    .len = n > 0 ? (size_t)n : 0 };
	p->used += n > 0 ? (size_t)n : 0;
}

static bool
is_due(const struct pipe *p)
{
	return p->n > 0 && p->chunks[p->first].due <= now();
}

static void
give(struct pipe *p)
{
	struct chunk *c = &p->chunks[p->first];
	size_t len = PIPE_SIZE - p->head;
	ssize_t n;

	len = len < c->len ? len : c->len;
	n = len > 0 ? write(p->to, p->ring + p->head, len) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (c->len == 0 || n < 0) {
		shutdown(p->to, SHUT_WR);
		p->closed = p->ended = true;
		p->n = 0;
		return;
	}
	p->head = (p->head + (size_t)n) % PIPE_SIZE;
	p->used -= (size_t)n;
	c->len -= (size_t)n;
	if (c->len > 0)
		return;
	p->first = (p->first + 1) % CHUNKS;
	p->n--;
}

static bool
may_take(const struct pipe *p)
{
	return !p->ended && p->used < PIPE_SIZE && p->n < CHUNKS - 1;
}

/* Until the next chunk is due; -1: none is on its way. */
static int
pause_of(const struct pipe *p, int so_far)
{
	uint64_t t = now();
	int ms;

	if (p->n == 0 || p->chunks[p->first].due <= t)
		return so_far;
	ms = (int)((p->chunks[p->first].due - t + 999) / 1000);
	return so_far < 0 || ms < so_far ? ms : so_far;
}

static void
relay(int a, int b, uint64_t delay)
{
	struct pipe pipes[2] = { { .from = a, .to = b },
		{ .from = b, .to = a } };
	struct pollfd fds[4];
	int pause;

	for (size_t i = 0; i < 2; i++) {
		pipes[i].ring = malloc(PIPE_SIZE);
		pipes[i].chunks = calloc(CHUNKS, sizeof(struct chunk));
		if (pipes[i].ring == NULL || pipes[i].chunks == NULL)
			_exit(1);
	}
	while (!pipes[0].closed || !pipes[1].closed) {
		pause = -1;
		for (size_t i = 0; i < 2; i++) {
			struct pipe *p = &pipes[i];

			fds[2 * i] =
			    (struct pollfd){ .fd = may_take(p) ? p->from : -1,
				    .events = POLLIN };
			fds[2 * i + 1] =
			    (struct pollfd){ .fd = is_due(p) ? p->to : -1,
				    .events = POLLOUT };
			pause = pause_of(p, pause);
		}
		poll(fds, 4, pause);
		for (size_t i = 0; i < 2; i++) {
			if (fds[2 * i].revents != 0)
				take(&pipes[i], delay);
			if (fds[2 * i + 1].revents != 0)
				give(&pipes[i]);
		}
	}
}

static int
dial(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		_exit(1);
	return fd;
}

static void
serve(int client, uint16_t port, uint64_t delay)
{
	int server = dial(port), one = 1, big = 4 << 20;
	int fds[] = { client, server };

	for (size_t i = 0; i < 2; i++) {
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
		fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	relay(client, server, delay);
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 3 || listener < 0 ||
	    bind(listener, (struct sockaddr *)&at, len) != 0 ||
	    listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) != 0) {
		fputs("usage: delay PORT MILLISECONDS\n", stderr);
		return 1;
	}
	/* It ends with the bench that started it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		int client = accept(listener, NULL, NULL);

		if (client >= 0 && fork() == 0)
			serve(client, (uint16_t)strtoul(argv[1], NULL, 10),
			    strtoull(argv[2], NULL, 10) * 1000 / 2);
		if (client >= 0)
			close(client);
	}
}

/*
 * Waiting for SOCKS requests. Runs as the user; anybody on this machine may
 * connect, so each has a deadline and little room.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "client/forward_impl.h"
#include "client/sockspeer.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

struct sockspeer {
	struct forwards *fs;
	struct watch watch;
	struct timer deadline;
	struct socks socks;
	struct sockspeer *prev, *next;
};

/* Forget the peer; its descriptor is the caller's. */
static int
release(struct sockspeer *p)
{
	struct loop *loop = p->fs->trunk->loop;
	int fd = p->watch.fd;

	loop_unwatch(loop, &p->watch);
	loop_timer_stop(loop, &p->deadline);
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		p->fs->peers = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	free(p);
	return fd;
}

static void
on_deadline(void *arg)
{
	close(release(arg));
}

static void
go_on(struct sockspeer *p)
{
	struct socks socks = p->socks;
	struct forwards *fs = p->fs;
	struct tunnel_to to = {
		.host = socks.host, .port = socks.port, .socks = &socks
	};

	forward_tunnel(fs, release(p), &to);
}

static void
parse(struct sockspeer *p)
{
	uint8_t reply[SOCKS_REPLY_MAX];
	enum socks_verdict verdict;
	size_t len;

	do {
		verdict = socks_parse(&p->socks, reply, &len);
		if (len > 0)
			(void)!send(p->watch.fd, reply, len,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (verdict == SOCKS_REPLY);
	if (verdict == SOCKS_READY) {
		go_on(p);
	} else if (verdict == SOCKS_BAD) {
		log_debug("a SOCKS request is malformed or not a CONNECT");
		close(release(p));
	}
}

static void
on_input(void *arg, uint32_t events)
{
	struct sockspeer *p = arg;
	ssize_t n = recv(p->watch.fd, p->socks.in + p->socks.len,
	    sizeof(p->socks.in) - p->socks.len, MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(release(p));
		return;
	}
	p->socks.len += (size_t)n;
	parse(p);
}

void
sockspeer_new(struct forwards *fs, int fd)
{
	struct sockspeer *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		close(fd);
		return;
	}
	p->fs = fs;
	p->watch = (struct watch){ .fd = fd, .fn = on_input, .arg = p };
	p->deadline = (struct timer){ .fn = on_deadline, .arg = p };
	p->next = fs->peers;
	if (p->next != NULL)
		p->next->prev = p;
	fs->peers = p;
	loop_timer(fs->trunk->loop, &p->deadline, SOCKS_REQUEST_MS);
	if (loop_watch(fs->trunk->loop, &p->watch, EPOLLIN) != 0)
		close(release(p));
}

void
sockspeer_free_all(struct forwards *fs)
{
	while (fs->peers != NULL)
		close(release(fs->peers));
}

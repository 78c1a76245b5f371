/*
 * A pipe's length of buffer between two descriptors. Runs as the user.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/pump.h"
#include "common/err.h"

static void
set_interest(struct pump *p)
{
	(void)loop_watch(
	    p->loop, &p->in, p->len == 0 && !p->ended ? EPOLLIN : 0);
	(void)loop_watch(p->loop, &p->out, p->len != 0 ? EPOLLOUT : 0);
}

/* The other end hears that nothing more comes. */
static void
finish(struct pump *p)
{
	p->ended = true;
	p->len = 0;
	loop_unwatch(p->loop, &p->out);
	if (p->out.fd >= 0)
		close(p->out.fd);
	p->out.fd = -1;
	loop_unwatch(p->loop, &p->in);
}

static void
flush(struct pump *p)
{
	while (p->len != 0) {
		ssize_t n = write(p->out.fd, p->p, p->len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			finish(p);
			return;
		}
		p->p += n;
		p->len -= (size_t)n;
	}
	if (p->ended)
		finish(p);
}

static void
on_out(void *arg, uint32_t events)
{
	struct pump *p = arg;

	(void)events;
	flush(p);
	if (p->out.fd >= 0)
		set_interest(p);
}

static void
on_in(void *arg, uint32_t events)
{
	struct pump *p = arg;
	ssize_t n = read(p->in.fd, p->buf, PUMP_SIZE);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish(p);
		return;
	}
	p->p = p->buf;
	p->len = (size_t)n;
	if (p->filter != NULL) {
		p->p = p->buf + PUMP_SIZE;
		p->len = p->filter(p->arg, p->buf, (size_t)n, p->p);
	}
	flush(p);
	if (p->out.fd >= 0)
		set_interest(p);
}

int
pump_start(struct pump *p, int in, int out)
{
	p->in = (struct watch){ .fd = in, .fn = on_in, .arg = p };
	p->out = (struct watch){ .fd = out, .fn = on_out, .arg = p };
	p->buf = malloc(3 * (size_t)PUMP_SIZE);
	if (p->buf == NULL)
		return -ENOMEM;
	set_interest(p);
	return 0;
}

bool
pump_is_done(const struct pump *p)
{
	return p->ended && p->len == 0;
}

void
pump_stop(struct pump *p)
{
	if (p->buf == NULL)
		return;
	finish(p);
	if (p->in.fd >= 0)
		close(p->in.fd);
	p->in.fd = -1;
	free(p->buf);
	p->buf = NULL;
}

/*
 * X11 connections that the server opens. Runs as the user. Whoever gets in
 * sees the user's screen and types for them: no byte goes to the display, and
 * no connection is made to it, before the first packet had our cookie.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/forward_impl.h"
#include "client/resolve.h"
#include "client/x11.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"

#define BASE_PORT 6000 /* of display 0 */
#define SOCKET_PATH "/tmp/.X11-unix/X%d"
#define SETUP_MS 30000 /* for the first packet */

struct x11peer {
	const struct x11 *x11;
	struct flow *flow;
	uint8_t setup[X11_SETUP_SIZE];
	size_t len;
	struct connecting connecting;
	struct timer deadline;
};

/* The display is there, or -errno. */
static void
on_display(void *arg, int fd)
{
	struct x11peer *p = arg;

	if (fd < 0) {
		log_error("connect to the X11 display: %s", err_str(fd));
		flow_end(p->flow, err_str(fd));
		return;
	}
	/* A new socket has room for that much. */
	if (send(fd, p->setup, sizeof(p->setup), MSG_NOSIGNAL | MSG_DONTWAIT) !=
	    (ssize_t)sizeof(p->setup))
		flow_end(p->flow, "the X11 display takes nothing");
	explicit_bzero(p->setup, sizeof(p->setup));
	flow_socket(p->flow, fd);
}

static void
connect_display(struct x11peer *p)
{
	const struct x11_display *d = &p->x11->display;
	struct connecting *c = &p->connecting;
	const char *why = "";
	char path[64];

	snprintf(path, sizeof(path), SOCKET_PATH, d->number);
	if (*d->host == '\0')
		on_display(p, unix_connect(path));
	else if (resolve(d->host, BASE_PORT + d->number, AF_UNSPEC, &c->to,
		     &why) != 0)
		on_display(p, -EHOSTUNREACH);
	else
		connecting_start(c);
}

static void
reject(struct x11peer *p)
{
	log_info("X11 connection rejected because of wrong authentication.");
	flow_end(p->flow, "wrong authentication");
}

/* Byte by byte, so that what is behind the packet stays with the flow. */
static void
on_arrived(struct flow *f)
{
	struct x11peer *p = f->arg;
	int byte;

	while (p->len < X11_SETUP_SIZE && (byte = flow_take(f)) >= 0) {
		p->setup[p->len++] = (uint8_t)byte;
		if (p->len == X11_HEAD_SIZE && !x11_head_is_good(p->setup)) {
			reject(p);
			return;
		}
		if (p->len < X11_SETUP_SIZE)
			continue;
		loop_timer_stop(f->trunk->loop, &p->deadline);
		if (x11_admit(p->x11, p->setup))
			connect_display(p);
		else
			reject(p);
	}
	if (f->remote_eof && p->len < X11_SETUP_SIZE)
		flow_end(f, "it ended early");
}

static void
on_deadline(void *arg)
{
	struct x11peer *p = arg;

	flow_end(p->flow, "no X11 packet came");
}

static void
discard(struct flow *f)
{
	struct x11peer *p = f->arg;

	connecting_stop(&p->connecting);
	loop_timer_stop(f->trunk->loop, &p->deadline);
	explicit_bzero(p, sizeof(*p));
	free(p);
}

static const struct flow_ops x11_ops = {
	.arrived = on_arrived,
	.ended = discard,
	.discard = discard,
};

static bool
is_too_late(const struct x11 *x)
{
	return x->refuse_at != 0 && clock_ms() >= x->refuse_at;
}

ssh_channel
forward_on_x11(ssh_session ssh, const char *from, int port, void *arg)
{
	struct forwards *fs = arg;
	const struct x11 *x = fs->rules.x11;
	struct x11peer *p;

	(void)port;
	if (x == NULL || !x->asked)
		return NULL;
	if (is_too_late(x)) {
		log_info("Rejected X11 connection after ForwardX11Timeout "
			 "expired");
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->x11 = x;
	p->connecting = (struct connecting){ .loop = fs->trunk->loop,
		.watch = { .fd = -1 },
		.done = on_display,
		.arg = p };
	p->deadline = (struct timer){ .fn = on_deadline, .arg = p };
	p->flow =
	    flow_adopt(fs->trunk, ssh_channel_new(ssh), &x11_ops, "x11", p);
	if (p->flow == NULL) {
		free(p);
		return NULL;
	}
	snprintf(p->flow->name, sizeof(p->flow->name), "X11 of %s",
	    from != NULL ? from : "?");
	loop_timer(fs->trunk->loop, &p->deadline, SETUP_MS);
	return p->flow->channel;
}

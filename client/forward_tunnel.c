/*
 * Connections to ports that we listen on, each over a channel of its own. Runs
 * as the user; who connects may be anybody on this machine.
 */
#include "config.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/forward_impl.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

void
forward_tunnel_free(struct tunnel *t)
{
	if (t->connecting.loop != NULL)
		connecting_stop(&t->connecting);
	if (t->deadline.fn != NULL)
		loop_timer_stop(t->flow->trunk->loop, &t->deadline);
	own_close(&t->fd);
	free(t->host);
	free(t->path);
	free(t);
}

void
forward_tunnel_discard(struct flow *f)
{
	forward_tunnel_free(f->arg);
}

int
forward_open(struct flow *f, const char *host, int port)
{
	/* Asked already, and no answer: libssh need not look again. */
	if (f->asked && !f->trunk->denied &&
	    ssh_channel_is_open(f->channel) == 0)
		return SSH_AGAIN;
	f->asked = true;
	return ssh_channel_open_forward(
	    f->channel, host, port, f->origin, f->origin_port);
}

static int
tunnel_setup(struct flow *f)
{
	struct tunnel *t = f->arg;

	if (t->path == NULL)
		return forward_open(f, t->host, t->port);
	if (f->asked && !f->trunk->denied &&
	    ssh_channel_is_open(f->channel) == 0)
		return SSH_AGAIN;
	f->asked = true;
	return ssh_channel_open_forward_unix(
	    f->channel, t->path, f->origin, f->origin_port);
}

/* The SOCKS client hears that it may begin; what it sent already goes on. */
static void
tunnel_opened(struct flow *f)
{
	struct tunnel *t = f->arg;
	uint8_t reply[SOCKS_REPLY_MAX];

	if (!t->is_socks)
		return;
	(void)!send(t->fd, reply, socks_answer(&t->socks, 1, reply),
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	flow_socket(f, take_fd(&t->fd));
	if (t->socks.len > 0)
		flow_inject(f, t->socks.in, t->socks.len);
}

void
forward_tunnel_ended(struct flow *f)
{
	struct tunnel *t = f->arg;
	uint8_t reply[SOCKS_REPLY_MAX];

	if (!f->open) {
		log_error("forwarding to %s: %s", f->name,
		    *f->why != '\0' ? f->why : "refused");
		if (t->is_socks && t->fd >= 0)
			(void)!send(t->fd, reply,
			    socks_answer(&t->socks, 0, reply),
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	forward_tunnel_free(t);
}

static const struct flow_ops local_ops = {
	.setup = tunnel_setup,
	.opened = tunnel_opened,
	.ended = forward_tunnel_ended,
	.discard = forward_tunnel_discard,
};

static void
set_origin(struct flow *f, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char port[NI_MAXSERV];

	strlcpy(f->origin, "127.0.0.1", sizeof(f->origin));
	if (getpeername(fd, (struct sockaddr *)&sa, &len) != 0 ||
	    sa.ss_family == AF_UNIX ||
	    getnameinfo((struct sockaddr *)&sa, len, f->origin,
		sizeof(f->origin), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	f->origin_port = (int)strtol(port, NULL, 10);
}

/* Takes fd. host or path; socks may be NULL. */
void
forward_tunnel(struct forwards *fs, int fd, const struct tunnel_to *to)
{
	AUTOCLOSE int owned = fd;
	struct tunnel *t = calloc(1, sizeof(*t));
	struct flow *f;

	if (t == NULL)
		return;
	t->fd = -1;
	t->port = to->port;
	t->host = to->host != NULL ? strdup(to->host) : NULL;
	t->path = to->path != NULL ? strdup(to->path) : NULL;
	if (to->socks != NULL) {
		t->is_socks = true;
		t->socks = *to->socks;
	}
	f = t->host != NULL || t->path != NULL
		? flow_new(fs->trunk, &local_ops, "direct-tcpip", t)
		: NULL;
	if (f == NULL) {
		forward_tunnel_free(t);
		return;
	}
	set_origin(f, fd);
	snprintf(f->name, sizeof(f->name), "%s port %d",
	    to->path != NULL ? to->path : to->host, to->port);
	if (t->is_socks)
		t->fd = take_fd(&owned);
	else
		flow_socket(f, take_fd(&owned));
}

/*
 * The two directions of a flow: what a descriptor gives goes to the channel,
 * what the channel gives to a descriptor, each as far as the other end takes
 * it. The bytes are not looked at.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/flow_impl.h"
#include "common/err.h"
#include "common/own.h"

#define READ_MAX TRUNK_SCRATCH

static ssize_t
put(const struct port *p, const void *data, size_t len)
{
	return p->is_socket
		   ? send(p->watch.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT)
		   : write(p->watch.fd, data, len);
}

/* How much of data the sink takes: all of it when nobody reads any more. */
size_t
flow_sink_put(struct sink *s, const void *data, size_t len)
{
	ssize_t n;

	if (s->broken)
		return len;
	if (s->port == NULL) /* it is still being connected */
		return 0;
	n = put(s->port, data, len);
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	s->broken = true;
	return len;
}
/* --- from the descriptor to the channel */

static bool
source_send(struct flow *f, const uint8_t *p, size_t len, size_t *out_sent)
{
	int n = ssh_channel_write(f->channel, p, (uint32_t)len);

	if (n < 0) {
		/* The server has closed the channel: nobody wants the rest. */
		f->source.ended = true;
		f->source.eof_sent = true;
		f->source.len = 0;
		return false;
	}
	f->bytes_out += (uint64_t)n;
	f->trunk->stats.bytes_out += (uint64_t)n;
	*out_sent = (size_t)n;
	return true;
}

/* Put what the channel did not take aside: during a rekey it takes nothing. */
static void
source_keep(struct source *s, const uint8_t *p, size_t len)
{
	uint8_t *buf = malloc(len);

	if (buf == NULL) {
		s->ended = true;
		return;
	}
	memcpy(buf, p, len);
	free(s->buf);
	s->buf = buf;
	s->at = 0;
	s->len = len;
}

static void
source_flush(struct flow *f)
{
	struct source *s = &f->source;
	size_t n = 0;

	if (!source_send(f, s->buf + s->at, s->len, &n))
		return;
	s->at += n;
	s->len -= n;
	if (s->len != 0)
		return;
	free(s->buf);
	s->buf = NULL;
}

static ssize_t
take(const struct port *p, void *buf, size_t len)
{
	return p->is_socket ? recv(p->watch.fd, buf, len, MSG_DONTWAIT)
			    : read(p->watch.fd, buf, len);
}

static void
source_fill(struct flow *f, size_t most)
{
	struct source *s = &f->source;
	uint8_t *buf = f->trunk->scratch;
	ssize_t got = take(s->port, buf, most < READ_MAX ? most : READ_MAX);
	size_t len, n = 0;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		s->ended = true;
		/* A socket that failed takes nothing any more, either. */
		if (got < 0 && s->port->is_socket)
			f->sinks[FLOW_OUT].broken = true;
		return;
	}
	len = (size_t)got;
	if (f->ops->filter != NULL) {
		len = f->ops->filter(f, buf, len, buf + READ_MAX);
		buf += READ_MAX;
	}
	if (len == 0 || f->ending || !source_send(f, buf, len, &n))
		return;
	if (n < len)
		source_keep(s, buf + n, len - n);
}

void
flow_inject(struct flow *f, const void *p, size_t len)
{
	size_t n = 0;

	if (source_send(f, p, len, &n) && n < len)
		source_keep(&f->source, (const uint8_t *)p + n, len - n);
	flow_touch(f);
}

/* Whether the channel takes input now. */
bool
flow_source_has_room(const struct flow *f)
{
	return f->open && trunk_has_room(f->trunk) &&
	       ssh_channel_window_size(f->channel) > 0;
}

void
flow_source_ready(struct flow *f)
{
	struct source *s = &f->source;

	if (s->len == 0 && !s->ended && flow_source_has_room(f))
		source_fill(f, ssh_channel_window_size(f->channel));
}

void
flow_source_step(struct flow *f)
{
	struct source *s = &f->source;

	if (s->len != 0 && flow_source_has_room(f))
		source_flush(f);
	if (s->ended && s->len == 0 && !s->eof_sent && f->open) {
		s->eof_sent = true;
		(void)ssh_channel_send_eof(f->channel);
	}
}

/* --- from the channel to the descriptor */

/*
 * Take back from libssh what it kept when the descriptor was full: all of it,
 * and only when nothing of the last time is left. A read opens the window
 * anew; to read a part again and again would let the server send without end.
 */
static bool
sink_refill(struct flow *f, struct sink *s)
{
	int n;

	if (s->left == 0)
		return false;
	free(s->buf);
	s->buf = malloc(s->left);
	if (s->buf == NULL)
		return false;
	n = ssh_channel_read_nonblocking(
	    f->channel, s->buf, (uint32_t)s->left, s == &f->sinks[FLOW_ERR]);
	if (n <= 0) {
		s->left = 0;
		return false;
	}
	s->at = 0;
	s->len = (size_t)n;
	s->left = s->left > (size_t)n ? s->left - (size_t)n : 0;
	return true;
}

void
flow_sink_drain(struct flow *f, struct sink *s)
{
	while (s->len != 0 || sink_refill(f, s)) {
		size_t n = flow_sink_put(s, s->buf + s->at, s->len);

		if (n == 0)
			return;
		f->bytes_in += n;
		f->trunk->stats.bytes_in += n;
		s->at += n;
		s->len -= n;
	}
	free(s->buf);
	s->buf = NULL;
}

int
flow_take(struct flow *f)
{
	struct sink *s = &f->sinks[FLOW_OUT];

	if (s->port != NULL || (s->len == 0 && !sink_refill(f, s)))
		return -1;
	f->bytes_in++;
	f->trunk->stats.bytes_in++;
	s->len--;
	return s->buf[s->at++];
}

bool
flow_sink_is_empty(const struct sink *s)
{
	return s->broken || (s->len == 0 && s->left == 0);
}

/* Nobody reads the session's stdout any more: nobody wants the rest of it. */
static void
sink_give_up(struct flow *f, struct sink *s)
{
	if (!s->broken || s->shut || s != &f->sinks[FLOW_OUT] ||
	    s->port == NULL || s->port->is_socket)
		return;
	s->shut = true;
	(void)ssh_channel_close(f->channel);
}

/* The server has sent its last: so has the descriptor's other end. */
void
flow_sink_step(struct flow *f, struct sink *s)
{
	if (s->left != 0 || s->len != 0)
		flow_sink_drain(f, s);
	sink_give_up(f, s);
	if (!f->remote_eof || s->shut || s->port == NULL ||
	    !flow_sink_is_empty(s))
		return;
	s->shut = true;
	if (s->port->is_socket)
		(void)shutdown(s->port->watch.fd, SHUT_WR);
}

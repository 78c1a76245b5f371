/*
 * Bytes between channels and descriptors. What the server sends is hostile,
 * what comes from descriptors is the user's or their programs'; neither is
 * looked at here.
 */
#include "config.h"

#include <libssh/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/flow_impl.h"
#include "common/err.h"
#include "common/own.h"

/*
 * Bytes that libssh may hold for one stream: it takes data past the window, so
 * a server that lies about windows would fill our memory.
 */
#define HELD_MAX (16u << 20)

static void on_port(void *arg, uint32_t events);

/* --- the lists */

void
flow_touch(struct flow *f)
{
	if (f->dirty)
		return;
	f->dirty = true;
	f->next_dirty = f->trunk->dirty;
	f->trunk->dirty = f;
}

static void
await(struct flow *f)
{
	if (f->waiting)
		return;
	f->waiting = true;
	f->next_waiting = f->trunk->waiting;
	f->trunk->waiting = f;
}

static void
stop_waiting(struct flow *f)
{
	struct flow **p = &f->trunk->waiting;

	if (!f->waiting)
		return;
	while (*p != f)
		p = &(*p)->next_waiting;
	*p = f->next_waiting;
	f->waiting = false;
}

/* --- libssh's callbacks: they note, and write what can be written now */

/* lint-ok: libssh dictates the parameters */
static int
on_data(ssh_session ssh, ssh_channel channel, void *data, uint32_t len,
    int is_stderr, void *arg)
{
	struct flow *f = arg;
	struct sink *s = &f->sinks[is_stderr ? FLOW_ERR : FLOW_OUT];
	size_t n = 0;

	(void)ssh;
	(void)channel;
	if (s->len == 0)
		n = flow_sink_put(s, data, len);
	flow_touch(f);
	/* data is all that libssh holds, what was left the last time too */
	s->left = len - n;
	f->bytes_in += n;
	f->trunk->stats.bytes_in += n;
	if (s->left > HELD_MAX)
		trunk_lose(
		    f->trunk, "The server sends more than its window permits.");
	return (int)n;
}

static void
on_eof(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct flow *f = arg;

	(void)ssh;
	(void)channel;
	f->remote_eof = true;
	flow_touch(f);
}

static void
on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct flow *f = arg;

	(void)ssh;
	(void)channel;
	f->remote_eof = f->remote_closed = true;
	flow_touch(f);
}

static void
on_exit_status(ssh_session ssh, ssh_channel channel, int status, void *arg)
{
	struct flow *f = arg;

	(void)ssh;
	(void)channel;
	f->exited = true;
	f->exit_status = status & 0xff;
}

/* lint-ok: libssh dictates the parameters */
static void
on_exit_signal(ssh_session ssh, ssh_channel channel, const char *name, int core,
    const char *message, const char *lang, void *arg)
{
	struct flow *f = arg;

	(void)ssh;
	(void)channel;
	(void)core;
	(void)message;
	(void)lang;
	f->exited = true;
	strlcpy(
	    f->exit_signal, name != NULL ? name : "?", sizeof(f->exit_signal));
}

/* --- the life of a flow */

static void
listen_to(struct flow *f)
{
	f->callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = f,
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
		.channel_exit_status_function = on_exit_status,
		.channel_exit_signal_function = on_exit_signal,
	};
	ssh_callbacks_init(&f->callbacks);
	ssh_set_channel_callbacks(f->channel, &f->callbacks);
}

static struct flow *
make(struct trunk *l, ssh_channel channel)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (f == NULL || channel == NULL) {
		free(f);
		if (channel != NULL)
			ssh_channel_free(channel);
		return NULL;
	}
	f->trunk = l;
	f->channel = channel;
	for (size_t i = 0; i < nitems_of(f->ports); i++)
		f->ports[i].watch.fd = -1;
	f->next = l->flows;
	if (f->next != NULL)
		f->next->prev = f;
	l->flows = f;
	l->nflows++;
	l->stats.opened++;
	listen_to(f);
	await(f);
	flow_touch(f);
	return f;
}

struct flow *
flow_new(
    struct trunk *l, const struct flow_ops *ops, const char *kind, void *arg)
{
	struct flow *f = make(l, ssh_channel_new(l->ssh));

	if (f == NULL)
		return NULL;
	f->ops = ops;
	f->kind = kind;
	f->arg = arg;
	return f;
}

struct flow *
flow_adopt(struct trunk *l, ssh_channel channel, const struct flow_ops *ops,
    const char *kind, void *arg) /* lint-ok: the second is the one it takes */
{
	struct flow *f = make(l, channel);

	if (f == NULL)
		return NULL;
	f->ops = ops;
	f->kind = kind;
	f->arg = arg;
	f->open = true;
	return f;
}

static void
set_port(struct flow *f, struct port *p, int fd, bool keep)
{
	p->flow = f;
	p->keep = keep;
	p->watch = (struct watch){ .fd = fd, .fn = on_port, .arg = p };
}

void
flow_socket(struct flow *f, int fd)
{
	struct port *p = &f->ports[0];

	set_port(f, p, fd, false);
	p->is_socket = true;
	f->source.port = p;
	f->sinks[FLOW_OUT].port = p;
	f->sinks[FLOW_ERR].broken = true;
	flow_touch(f);
}

void
flow_stdio(struct flow *f, const int fds[3], bool keep)
{
	for (size_t i = 0; i < 3; i++)
		if (fds[i] >= 0)
			set_port(f, &f->ports[i], fds[i], keep);
	f->source.port = fds[0] >= 0 ? &f->ports[0] : NULL;
	f->source.ended = fds[0] < 0;
	f->sinks[FLOW_OUT].port = fds[1] >= 0 ? &f->ports[1] : NULL;
	f->sinks[FLOW_ERR].port = fds[2] >= 0 ? &f->ports[2] : NULL;
	f->sinks[FLOW_OUT].broken = fds[1] < 0;
	f->sinks[FLOW_ERR].broken = fds[2] < 0;
}

void
flow_end(struct flow *f, const char *why)
{
	if (f->ending)
		return;
	f->ending = true;
	strlcpy(f->why, why, sizeof(f->why));
	f->next_ended = f->trunk->ended;
	f->trunk->ended = f;
}

static void
close_port(struct trunk *l, struct port *p)
{
	if (p->watch.fd < 0)
		return;
	loop_unwatch(l->loop, &p->watch);
	if (!p->keep)
		close(p->watch.fd);
	p->watch.fd = -1;
}

static void
flow_free(struct flow *f)
{
	struct trunk *l = f->trunk;

	stop_waiting(f);
	for (size_t i = 0; i < nitems_of(f->ports); i++)
		close_port(l, &f->ports[i]);
	if (f->prev != NULL)
		f->prev->next = f->next;
	else
		l->flows = f->next;
	if (f->next != NULL)
		f->next->prev = f->prev;
	l->nflows--;
	ssh_remove_channel_callbacks(f->channel, &f->callbacks);
	ssh_channel_free(f->channel);
	free(f->source.buf);
	for (size_t i = 0; i < FLOW_SINKS; i++)
		free(f->sinks[i].buf);
	free(f);
}

static void
reap(struct trunk *l)
{
	while (l->ended != NULL) {
		struct flow *f = l->ended;

		l->ended = f->next_ended;
		if (f->ops->ended != NULL)
			f->ops->ended(f);
		flow_free(f);
	}
}

void
flow_free_all(struct trunk *l)
{
	l->ended = l->dirty = NULL;
	while (l->flows != NULL) {
		if (l->flows->ops->discard != NULL)
			l->flows->ops->discard(l->flows);
		flow_free(l->flows);
	}
}

/* --- opening */

static void
try_open(struct flow *f)
{
	int rc = f->ops->setup(f);

	if (rc == SSH_AGAIN)
		return;
	if (rc != SSH_OK) {
		f->trunk->stats.refused++;
		flow_end(f, ssh_get_error(f->trunk->ssh));
		return;
	}
	f->open = true;
	if (f->ops->opened != NULL)
		f->ops->opened(f);
	flow_touch(f);
}

/* --- both */

/* Input that cannot be sent now: room comes without an event of ours. */
static bool
is_stalled(const struct flow *f)
{
	const struct source *s = &f->source;

	/* Leftovers wait for the end of a rekey, even with room. */
	return f->open && (s->len != 0 || (s->port != NULL && !s->ended &&
					      !flow_source_has_room(f)));
}

static void
watch_port(struct flow *f, struct port *p)
{
	const struct source *s = &f->source;
	uint32_t events = 0;

	if (p->watch.fd < 0)
		return;
	if (p == s->port && s->len == 0 && !s->ended && flow_source_has_room(f))
		events |= EPOLLIN;
	for (size_t i = 0; i < FLOW_SINKS; i++)
		if (f->sinks[i].port == p &&
		    !flow_sink_is_empty(&f->sinks[i]) && !f->sinks[i].broken)
			events |= EPOLLOUT;
	if (loop_watch(f->trunk->loop, &p->watch, events) != 0)
		flow_end(f, "a descriptor cannot be watched");
}

static void
on_port(void *arg, uint32_t events)
{
	struct port *p = arg;
	struct flow *f = p->flow;

	if (f->ending)
		return;
	flow_touch(f);
	if (p == f->source.port &&
	    (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		flow_source_ready(f);
	for (size_t i = 0; i < FLOW_SINKS; i++)
		if (f->sinks[i].port == p)
			flow_sink_drain(f, &f->sinks[i]);
}

static bool
is_over(const struct flow *f)
{
	bool drained = flow_sink_is_empty(&f->sinks[FLOW_OUT]) &&
		       flow_sink_is_empty(&f->sinks[FLOW_ERR]);

	if (f->remote_closed)
		return drained;
	/* A socket: both directions have ended, or nobody reads our end. */
	return f->ports[0].is_socket && f->open && drained &&
	       f->source.eof_sent &&
	       (f->remote_eof || f->sinks[FLOW_OUT].broken);
}

static void
step(struct flow *f)
{
	flow_source_step(f);
	for (size_t i = 0; i < FLOW_SINKS; i++)
		flow_sink_step(f, &f->sinks[i]);
	if (f->ops->arrived != NULL && f->sinks[FLOW_OUT].port == NULL)
		f->ops->arrived(f);
	if (is_over(f)) {
		flow_end(f, "");
		return;
	}
	for (size_t i = 0; i < nitems_of(f->ports); i++)
		watch_port(f, &f->ports[i]);
	if (!f->open || is_stalled(f))
		await(f);
}

static void
run_waiting(struct trunk *l, bool heard)
{
	struct flow *f = l->waiting, *next;
	bool room = trunk_has_room(l);

	l->waiting = NULL;
	for (; f != NULL; f = next) {
		next = f->next_waiting;
		f->waiting = false;
		if (f->ending)
			continue;
		if (!f->open && (heard || f->dirty))
			try_open(f);
		if (!f->open)
			await(f);
		else if (room && ssh_channel_window_size(f->channel) > 0)
			flow_touch(f);
		else
			await(f);
	}
}

static void
run_dirty(struct trunk *l)
{
	while (l->dirty != NULL) {
		struct flow *f = l->dirty;

		l->dirty = f->next_dirty;
		f->dirty = false;
		if (!f->ending && !trunk_is_lost(l))
			step(f);
	}
}

void
flow_run(struct trunk *l, bool heard)
{
	run_waiting(l, heard);
	/* To end one is to hear, perhaps, of another. */
	do {
		run_dirty(l);
		reap(l);
	} while (l->dirty != NULL);
}

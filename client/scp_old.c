/*
 * Copies by the old protocol: the commands to run, the bytes to and from them.
 * Runs in the client.
 */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/alive.h"
#include "client/interrupt.h"
#include "client/scp_old.h"
#include "client/show.h"
#include "client/xfer_impl.h"
#include "common/err.h"
#include "common/own.h"

#define TICK_MS 500
#define US 1000000u

/* --- bytes --------------------------------------------------------------- */

static int
wait_for(struct old *o, bool to_write)
{
	struct pollfd fd;

	if (interrupt_seen())
		return -EINTR;
	if (link_tend(o->link) == -ETIMEDOUT)
		return -ETIMEDOUT;
	if (!o->link->ops->want(o->link, to_write, &fd))
		(void)poll(&fd, 1, TICK_MS);
	return 0;
}

/* -l: wait until as much may have passed as has. */
static void
pace(struct old *o, size_t n)
{
	uint64_t now = window_now();

	if (o->s->options.rate == 0)
		return;
	if (o->due_us < now)
		o->due_us = now;
	o->due_us += (uint64_t)n * US / o->s->options.rate;
	while (now < o->due_us && !interrupt_seen()) {
		(void)poll(NULL, 0, (int)((o->due_us - now) / 1000 + 1));
		now = window_now();
	}
}

static int
fill(struct old *o)
{
	while (o->at == o->len) {
		ssize_t n = o->link->ops->read(o->link, o->in, OLD_BUFFER);
		int rc;

		o->at = 0;
		o->len = n > 0 ? (size_t)n : 0;
		if (n > 0)
			break;
		if (n != -EAGAIN)
			return n == 0 ? -EPIPE : (int)n;
		rc = wait_for(o, false);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
old_read_some(struct old *o, void *p, size_t n, size_t *out_n)
{
	int rc = fill(o);

	if (rc != 0)
		return rc;
	*out_n = n < o->len - o->at ? n : o->len - o->at;
	memcpy(p, o->in + o->at, *out_n);
	o->at += *out_n;
	pace(o, *out_n);
	return 0;
}

int
old_read(struct old *o, void *p, size_t n)
{
	uint8_t *to = p;

	while (n > 0) {
		size_t got;
		int rc = old_read_some(o, to, n, &got);

		if (rc != 0)
			return rc;
		to += got;
		n -= got;
	}
	return 0;
}

int
old_write(struct old *o, const void *p, size_t n)
{
	const uint8_t *from = p;

	pace(o, n);
	while (n > 0) {
		ssize_t took = o->link->ops->write(o->link, from, n);
		int rc = 0;

		if (took > 0) {
			from += took;
			n -= (size_t)took;
			continue;
		}
		if (took != -EAGAIN && took != 0)
			return (int)took;
		/* Its answers must be read, or neither side goes on. */
		if (o->at == o->len) {
			ssize_t got =
			    o->link->ops->read(o->link, o->in, OLD_BUFFER);

			o->at = 0;
			o->len = got > 0 ? (size_t)got : 0;
			if (got == 0)
				return -EPIPE;
		}
		rc = wait_for(o, true);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
old_line(struct old *o, char out_line[OLD_LINE_MAX])
{
	size_t n = 0;
	int rc;

	for (;;) {
		rc = old_read(o, out_line + n, 1);
		if (rc != 0)
			return rc;
		if (out_line[n] == '\n')
			break;
		if (out_line[n] == '\0')
			return -EBADMSG;
		if (++n == OLD_LINE_MAX)
			return -EMSGSIZE;
	}
	out_line[n] = '\0';
	return 0;
}

int
old_say(struct old *o, const char *format, ...)
{
	AUTOFREE char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return old_write(o, text, (size_t)n);
}

int
old_complain(struct old *o, const char *name, int error)
{
	o->s->failed++;
	progress_clear(o->s->progress);
	show_error("%s: %s", name, strerror(-error));
	return old_say(o, "\001scp: %s: %s\n", name, strerror(-error));
}

int
old_response(struct old *o)
{
	char line[OLD_LINE_MAX];
	uint8_t code;
	int rc = old_read(o, &code, 1);

	if (rc != 0 || code == 0)
		return rc;
	/* 1 and 2 are errors with a text; anything else begins one. */
	rc = old_line(o, line);
	if (rc != 0)
		return rc;
	progress_clear(o->s->progress);
	o->s->failed++;
	if (code > 2)
		show_print(stderr, "%c%s\n", code, line);
	else
		show_print(stderr, "%s\n", line);
	return code == 1 ? 1 : -EPROTO;
}

/* --- commands ------------------------------------------------------------ */

/* The path is for the other side's shell, as it always was. */
static char *
command_for(const struct scp *s, char mode, const char *path)
{
	char *text = NULL;

	if (asprintf(&text, "scp%s%s%s%s -%c %s%s", s->verbose ? " -v" : "",
		s->options.recursive ? " -r" : "",
		s->options.preserve ? " -p" : "",
		s->many && mode == 't' ? " -d" : "", mode,
		path[0] == '-' ? "-- " : "", path[0] != '\0' ? path : ".") < 0)
		return NULL;
	return text;
}

/* A URI's path, or what stands behind the colon. */
static char *
path_of(const struct scp_name *name)
{
	const char *slash;

	if (!name->is_uri)
		return strdup(name->path);
	slash = strchr(strstr(name->host, "://") + 3, '/');
	return strdup(slash != NULL ? slash + 1 : "");
}

static int
start(struct scp *s, const struct scp_name *name, char mode,
    struct remote *out_remote)
{
	AUTOFREE char *path = path_of(name);
	AUTOFREE char *command =
	    path != NULL ? command_for(s, mode, path) : NULL;

	if (command == NULL)
		return -ENOMEM;
	return remote_command(&s->remote, name->host, command, out_remote);
}

static int
begin(struct old *o, struct scp *s, struct remote *r)
{
	*o = (struct old){ .s = s, .link = r->link, .in = malloc(OLD_BUFFER) };
	return o->in != NULL ? 0 : -ENOMEM;
}

static void
end(struct old *o, struct remote *r, int rc)
{
	free(o->in);
	if (rc == -EPIPE)
		show_error("lost connection");
	else if (rc < 0 && rc != -EINTR && rc != -EPROTO)
		show_error("protocol error: %s", err_str(rc));
	o->s->result.stopped |= rc == -EINTR;
	if (rc < 0)
		o->s->failed++;
	/* Its failure without a word of ours is a failure all the same. */
	if (remote_close(r) != 0 && rc == 0)
		o->s->failed++;
}

static void
to_remote(struct scp *s, const struct scp_name *sources, size_t n,
    const struct scp_name *target)
{
	struct remote r = { 0 };
	struct old o = { .s = s };
	int rc = start(s, target, 't', &r);

	if (rc != 0) {
		s->failed++;
		return;
	}
	rc = begin(&o, s, &r);
	if (rc == 0)
		rc = old_response(&o);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = old_send(&o, sources[i].path);
	end(&o, &r, rc);
}

static void
from_remote(
    struct scp *s, const struct scp_name *source, const struct scp_name *target)
{
	AUTOFREE char *path = path_of(source);
	struct remote r = { 0 };
	struct old o = { .s = s };
	int rc = path != NULL ? start(s, source, 'f', &r) : -ENOMEM;

	if (rc != 0) {
		s->failed++;
		return;
	}
	rc = begin(&o, s, &r);
	if (rc == 0)
		rc = old_take(&o, path, target->path[0] ? target->path : ".");
	end(&o, &r, rc);
}

/* --- from host to host --------------------------------------------------- */

/* One direction; what the sink would not take yet waits in buf. */
struct way {
	struct link *from, *to;
	uint8_t *buf;
	size_t at, len;
	bool ended;
};

static bool
move(struct way *w)
{
	ssize_t n;

	if (w->at == w->len && !w->ended) {
		n = w->from->ops->read(w->from, w->buf, OLD_BUFFER);
		w->ended = n <= 0 && n != -EAGAIN;
		w->at = 0;
		w->len = n > 0 ? (size_t)n : 0;
	}
	if (w->at == w->len)
		return false;
	n = w->to->ops->write(w->to, w->buf + w->at, w->len - w->at);
	if (n < 0 && n != -EAGAIN)
		w->ended = true;
	w->at += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* The two talk to each other; nothing of it concerns this machine's files. */
static void
relay(struct link *source, struct link *sink)
{
	struct way ways[] = { { .from = source, .to = sink },
		{ .from = sink, .to = source } };
	struct pollfd fds[2];

	ways[0].buf = malloc(OLD_BUFFER);
	ways[1].buf = malloc(OLD_BUFFER);
	while (
	    ways[0].buf != NULL && ways[1].buf != NULL && !interrupt_seen()) {
		bool moved = move(&ways[0]);

		moved |= move(&ways[1]);
		if ((ways[0].ended && ways[0].at == ways[0].len) ||
		    ways[1].ended)
			break;
		if (moved)
			continue;
		if (link_tend(source) == -ETIMEDOUT ||
		    link_tend(sink) == -ETIMEDOUT) {
			show_error("%s", ALIVE_LOST);
			break;
		}
		source->ops->want(source, ways[1].at < ways[1].len, &fds[0]);
		sink->ops->want(sink, ways[0].at < ways[0].len, &fds[1]);
		(void)poll(fds, 2, TICK_MS);
	}
	free(ways[0].buf);
	free(ways[1].buf);
}

static void
between(
    struct scp *s, const struct scp_name *source, const struct scp_name *target)
{
	struct remote from = { 0 }, to = { 0 };
	int rc = start(s, source, 'f', &from);

	if (rc == 0)
		rc = start(s, target, 't', &to);
	if (rc == 0)
		relay(from.link, to.link);
	s->result.stopped |= interrupt_seen();
	if (from.link != NULL && remote_close(&from) != 0)
		rc = -EIO;
	if (to.link != NULL && remote_close(&to) != 0)
		rc = -EIO;
	if (rc != 0)
		s->failed++;
}

void
scp_old(struct scp *s, const struct scp_name *sources, size_t n,
    const struct scp_name *target)
{
	if (target->host != NULL && sources[0].host == NULL) {
		to_remote(s, sources, n, target);
		return;
	}
	for (size_t i = 0; i < n && !interrupt_seen(); i++)
		if (target->host == NULL)
			from_remote(s, &sources[i], target);
		else if (sources[i].host != NULL)
			between(s, &sources[i], target);
		else
			to_remote(s, &sources[i], 1, target);
}

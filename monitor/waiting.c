/*
 * The queue in front of sshd-forward. Runs in sshd-monitor as root; numbers
 * and names are sshd-net's, and permitted already.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/waiting.h"

bool
waiting_is_own(const struct waiting *w)
{
	return w->id == FORWARD_OWN_ID;
}

struct waiting *
waiting_find(struct waitings *q, uint64_t id)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (q->v[i].used && q->v[i].id == id)
			return &q->v[i];
	return NULL;
}

int
waiting_new(struct waitings *q, uint64_t id, struct waiting **out_w)
{
	size_t i = 0;

	if (waiting_find(q, id) != NULL)
		return -EEXIST;
	while (i < WAITING_MAX && q->v[i].used)
		i++;
	if (i == WAITING_MAX)
		return -EBUSY;
	q->v[i] =
	    (struct waiting){ .used = true, .turn = q->turns++, .id = id };
	*out_w = &q->v[i];
	return 0;
}

void
waiting_forget(struct waitings *q, struct waiting *w)
{
	q->nunsent -= w->unsent;
	free(w->host);
	*w = (struct waiting){ .used = false };
}

/* --- what a request says */

/* AddressFamily holds for what is forwarded as well. */
enum forward_family
waiting_family(const struct conn *c)
{
	switch (c->options.address_family) {
	case AF_INET:
		return FAMILY_INET;
	case AF_INET6:
		return FAMILY_INET6;
	default:
		return FAMILY_ANY;
	}
}

/* GatewayPorts decides which of the client's addresses count. */
static enum forward_where
where_to_listen(const struct conn *c, struct span host)
{
	static const char *const exact[] = { "127.0.0.1", "::1" };
	bool any = host.len == 0 || span_is(host, "*");

	if (c->options.gateway_ports == GATEWAY_YES)
		return WHERE_ANY;
	for (size_t i = 0; i < nitems_of(exact); i++)
		if (span_is(host, exact[i]))
			return WHERE_HOST;
	if (c->options.gateway_ports == GATEWAY_NO ||
	    span_is(host, "localhost"))
		return WHERE_LOOPBACK;
	return any ? WHERE_ANY : WHERE_HOST;
}

/* What DIAL or BIND says of a request. */
static void
put_request(const struct conn *c, const struct waitings *q,
    const struct waiting *w, struct msg *out)
{
	struct span host;

	if (waiting_is_own(w)) {
		*out = *q->own;
		return;
	}
	host = span_text(w->host);
	if (!w->listen) {
		*out = (struct msg){ .id = MSG_DIAL };
		out->u.dial = (struct msg_dial){ w->id, waiting_family(c), host,
			w->port };
		return;
	}
	*out = (struct msg){ .id = MSG_BIND };
	out->u.bind = (struct msg_bind){
		.id = w->id,
		.kind = BIND_TCP,
		.family = waiting_family(c),
		.where = where_to_listen(c, host),
		.port = w->port,
	};
	if (out->u.bind.where == WHERE_HOST)
		out->u.bind.host = host;
}

static int
send_one(const struct conn *c, struct waitings *q, struct chan *chan,
    struct waiting *w)
{
	struct msg m;
	int rc;

	put_request(c, q, w, &m);
	rc = chan_try_send(chan, &m, NULL, 0);
	if (rc == 0) {
		q->nunsent -= w->unsent;
		w->unsent = false;
	}
	return rc;
}

int
waiting_submit(const struct conn *c, struct waitings *q, struct chan *chan,
    struct waiting *w)
{
	int rc = q->nunsent != 0 ? -EAGAIN : send_one(c, q, chan, w);

	if (rc == -EAGAIN) {
		w->unsent = true;
		q->nunsent++;
		return 0;
	}
	if (rc != 0)
		waiting_forget(q, w);
	return rc;
}

static struct waiting *
first_unsent(struct waitings *q)
{
	struct waiting *first = NULL;

	for (size_t i = 0; i < WAITING_MAX; i++) {
		struct waiting *w = &q->v[i];

		if (w->unsent && (first == NULL || w->turn < first->turn))
			first = w;
	}
	return first;
}

int
waiting_hand_on(const struct conn *c, struct waitings *q, struct chan *chan,
    struct waiting **out_failed)
{
	while (q->nunsent != 0) {
		struct waiting *w = first_unsent(q);
		int rc = send_one(c, q, chan, w);

		if (rc == -EAGAIN)
			return 0;
		if (rc != 0) {
			*out_failed = w;
			return rc;
		}
	}
	return 0;
}

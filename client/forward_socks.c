/*
 * -R with a port alone: who connects to it at the server says by SOCKS where
 * to go, and we connect there. Runs as the user. All of it comes from the
 * server's side, which reaches out from here by it: PermitRemoteOpen says how
 * far, and a request has a deadline and little room.
 */
#include "config.h"

#include "client/forward_impl.h"
#include "client/place.h"
#include "common/err.h"
#include "common/log.h"

static void
answer(struct tunnel *t, bool granted)
{
	uint8_t reply[SOCKS_REPLY_MAX];
	size_t len = socks_answer(&t->socks, granted, reply);

	flow_inject(t->flow, reply, len);
}

void
forward_socks_connected(struct tunnel *t, int fd)
{
	answer(t, fd >= 0);
}

static void
go_on(struct tunnel *t)
{
	const struct forward_spec to = { .host = t->socks.host,
		.host_port = t->socks.port };
	int rc = -EACCES;

	t->asked = true;
	loop_timer_stop(t->flow->trunk->loop, &t->deadline);
	snprintf(t->flow->name, sizeof(t->flow->name), "%s port %d", to.host,
	    to.host_port);
	if (place_is_listed(t->permitted, to.host, to.host_port))
		rc = forward_connect(t->flow->trunk->loop, t, &to);
	else
		log_info("Received request to connect to host %s port %d, but "
			 "the request was denied.",
		    to.host, to.host_port);
	if (rc == 0)
		return;
	if (rc != -EACCES)
		log_error("connect_to %s: %s", t->flow->name, err_str(rc));
	answer(t, false);
	flow_end(t->flow, err_str(rc));
}

/* False: no more bytes are wanted. */
static bool
parse(struct tunnel *t)
{
	uint8_t reply[SOCKS_REPLY_MAX];
	enum socks_verdict verdict;
	size_t len;

	do {
		verdict = socks_parse(&t->socks, reply, &len);
		if (len > 0)
			flow_inject(t->flow, reply, len);
	} while (verdict == SOCKS_REPLY);
	if (verdict == SOCKS_READY)
		go_on(t);
	else if (verdict == SOCKS_BAD)
		flow_end(t->flow, "a SOCKS request is malformed");
	return verdict == SOCKS_MORE;
}

/*
 * Byte by byte: what is behind the request stays with the flow, and is for the
 * place. SOCKS_MORE says that there is room for one.
 */
static void
on_arrived(struct flow *f)
{
	struct tunnel *t = f->arg;
	int byte;

	while (!t->asked && (byte = flow_take(f)) >= 0) {
		t->socks.in[t->socks.len++] = (uint8_t)byte;
		t->asked = !parse(t);
	}
	if (f->remote_eof && !t->asked)
		flow_end(f, "it ended early");
}

static void
on_deadline(void *arg)
{
	struct tunnel *t = arg;

	flow_end(t->flow, "no SOCKS request came");
}

const struct flow_ops forward_socks_ops = {
	.arrived = on_arrived,
	.ended = forward_tunnel_ended,
	.discard = forward_tunnel_discard,
};

void
forward_socks_start(struct tunnel *t)
{
	t->deadline = (struct timer){ .fn = on_deadline, .arg = t };
	loop_timer(t->flow->trunk->loop, &t->deadline, SOCKS_REQUEST_MS);
}

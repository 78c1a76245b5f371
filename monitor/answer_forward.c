/*
 * Forwarding (RFC 4254 sections 6.3 and 7), after the login. Runs in
 * sshd-monitor as root, which decides and hands on: sockets are made by
 * sshd-forward, with the user's rights. Every message is hostile.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/answer.h"
#include "monitor/forward.h"
#include "monitor/permit.h"
#include "monitor/usession.h"
#include "monitor/xauth.h"

int
answer_forward_terms(struct conn *c, const struct msg *m)
{
	struct msg reply = { .id = MSG_FORWARD_TERMS_REPLY };

	(void)m;
	reply.u.forward_terms_reply.agent = may_agent(c);
	return chan_send(&c->net, &reply, NULL, 0);
}

/* --- RFC 4254 section 7.2 */

static void
log_refused_connect(
    const struct conn *c, const char *host, const struct msg_connect *q)
{
	if (may_connect_at_all(c))
		log_bounded(LEVEL_INFO,
		    "Received request from %s port %u to connect to host "
		    "%s port %u, but the request was denied.",
		    c->addr, c->port, host, (unsigned)q->port);
	else
		log_bounded(LEVEL_INFO,
		    "refused local port forward: originator %.*s port %u, "
		    "target %s port %u",
		    (int)q->from.len, (const char *)q->from.p,
		    (unsigned)q->from_port, host, (unsigned)q->port);
}

/* What a request that goes no further is answered with. */
static enum forward_outcome
outcome_of(int rc)
{
	return rc == -EACCES                   ? FORWARD_DENIED
	       : rc == -EBUSY || rc == -EEXIST ? FORWARD_LIMIT
					       : FORWARD_FAILED;
}

static int
try_connect(struct conn *c, const struct msg_connect *q)
{
	AUTOFREE char *host = strndup((const char *)q->host.p, q->host.len);

	if (host == NULL)
		return -ENOMEM;
	log_debug("server_request_direct_tcpip: originator %.*s port %u, "
		  "target %s port %u",
	    (int)q->from.len, (const char *)q->from.p, (unsigned)q->from_port,
	    host, (unsigned)q->port);
	if (!may_connect(c, host, (unsigned)q->port)) {
		log_refused_connect(c, host, q);
		return -EACCES;
	}
	return forward_connect(c, q);
}

int
answer_connect(struct conn *c, const struct msg *m)
{
	const struct msg_connect *q = &m->u.connect;
	struct msg reply = { .id = MSG_CONNECTED };
	int rc = try_connect(c, q);

	if (rc == 0)
		return 0;
	if (rc != -EACCES)
		log_bounded(LEVEL_ERROR, "connect_to %.*s port %u: failed: %s",
		    (int)q->host.len, (const char *)q->host.p,
		    (unsigned)q->port, forward_str(outcome_of(rc)));
	reply.u.connected = (struct msg_connected){ q->id, outcome_of(rc) };
	return chan_send(&c->net, &reply, NULL, 0);
}

/* --- RFC 4254 section 7.1 */

static int
try_listen(struct conn *c, const struct msg_listen *q)
{
	AUTOFREE char *host = strndup((const char *)q->host.p, q->host.len);

	if (host == NULL)
		return -ENOMEM;
	if (!may_listen(c, host, (unsigned)q->port)) {
		log_bounded(LEVEL_INFO,
		    "Received request from %s port %u to remote forward "
		    "to host %s port %u, but the request was denied.",
		    c->addr, c->port, host, (unsigned)q->port);
		return -EACCES;
	}
	return forward_listen(c, q);
}

int
answer_listen(struct conn *c, const struct msg *m)
{
	const struct msg_listen *q = &m->u.listen;
	struct msg reply = { .id = MSG_LISTENING };
	int rc = try_listen(c, q);

	if (rc == 0)
		return 0;
	if (rc != -EACCES)
		log_bounded(LEVEL_ERROR, "cannot listen on port %u for %s: %s",
		    (unsigned)q->port, c->user, forward_str(outcome_of(rc)));
	reply.u.listening = (struct msg_listening){ q->id, outcome_of(rc), 0 };
	return chan_send(&c->net, &reply, NULL, 0);
}

/* --- the agent */

int
answer_agent_open(struct conn *c, const struct msg *m)
{
	struct msg reply = { .id = MSG_AGENT_REPLY };
	struct forward_sockets s = { .n = 0 };
	int rc = may_agent(c) ? forward_agent(c, &s) : -EACCES;

	(void)m;
	if (rc == -EACCES)
		log_debug("agent forwarding disabled for %s", c->user);
	reply.u.agent_reply.ok = rc == 0;
	/* One path, one socket: the row carries no more. */
	rc = chan_send(&c->net, &reply, s.fds, s.n != 0 ? 1 : 0);
	forward_sockets_done(&s);
	return rc;
}

/* --- RFC 4254 section 6.3 */

static int
open_x11(
    struct conn *c, const struct msg_x11_open *q, struct forward_sockets *out)
{
	struct usession *s;
	int rc;

	if (!may_x11(c))
		return -EACCES;
	rc = xauth_check(c, q);
	if (rc != 0)
		return rc;
	s = usession_get(c, (unsigned)q->session);
	if (s == NULL || s->x11 != NULL || s->pid != 0)
		return -EBUSY;
	rc = forward_x11(c, out);
	if (rc == 0)
		rc = xauth_new(c, q, out->port, &s->x11);
	return rc;
}

int
answer_x11_open(struct conn *c, const struct msg *m)
{
	struct msg reply = { .id = MSG_X11_REPLY };
	struct forward_sockets s = { .n = 0 };
	int rc = open_x11(c, &m->u.x11_open, &s);

	if (rc == -EACCES)
		log_debug("X11 forwarding disabled for %s", c->user);
	if (rc != 0)
		forward_sockets_done(&s);
	reply.u.x11_reply.ok = rc == 0;
	rc = chan_send(&c->net, &reply, s.fds, s.n);
	forward_sockets_done(&s);
	return rc;
}

/*
 * Channels that the server opens: connections to a port it listens on for us,
 * and to the agent. Runs as the user; the server's side is a stranger's.
 */
#include "config.h"

#include <libssh/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/forward_impl.h"
#include "client/resolve.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define REMOTE_SECONDS 30 /* for the server's word about -R */
#define CALL_SECONDS 86400

/* What the server is to bind, RFC 4254 section 7.1. */
const char *
forward_remote_bind(const struct forwards *fs, const struct forward_spec *s)
{
	if (s->bind == NULL)
		return fs->rules.gateway ? "" : "localhost";
	return strcmp(s->bind, "*") == 0 ? "" : s->bind;
}

/* The server's word is waited for, but not for ever. */
void
forward_begin_wait(struct trunk *l)
{
	long seconds = REMOTE_SECONDS;

	ssh_options_set(l->ssh, SSH_OPTIONS_TIMEOUT, &seconds);
	ssh_set_blocking(l->ssh, 1);
	trunk_settle(l);
}

void
forward_end_wait(struct trunk *l)
{
	long seconds = CALL_SECONDS;

	ssh_set_blocking(l->ssh, 0);
	ssh_options_set(l->ssh, SSH_OPTIONS_TIMEOUT, &seconds);
}

int
forward_listen_remote(
    struct forward *fw, int *out_port, char why[FORWARD_WHY_MAX])
{
	struct trunk *l = fw->fs->trunk;
	int port = fw->spec.port, rc;

	fw->remote_port = fw->spec.port;
	forward_begin_wait(l);
	rc = ssh_channel_listen_forward(l->ssh,
	    forward_remote_bind(fw->fs, &fw->spec), fw->spec.port, &port);
	forward_end_wait(l);
	if (rc != SSH_OK) {
		snprintf(why, FORWARD_WHY_MAX,
		    "remote port forwarding failed for listen port %d",
		    fw->spec.port);
		return -EACCES;
	}
	if (fw->spec.port == 0 && fw->spec.host_path == NULL)
		log_info("Allocated port %d for remote forward to %s:%d", port,
		    fw->spec.host != NULL ? fw->spec.host : "socks",
		    fw->spec.host_port);
	fw->remote_port = fw->spec.port != 0 ? fw->spec.port : port;
	*out_port = fw->spec.port == 0 ? port : 0;
	return 0;
}

static void
on_target(void *arg, int fd)
{
	struct tunnel *t = arg;

	if (t->flow == NULL) { /* at once: the channel is not accepted yet */
		t->fd = fd;
		return;
	}
	if (t->is_socks)
		forward_socks_connected(t, fd);
	if (fd >= 0) {
		flow_socket(t->flow, fd);
		return;
	}
	log_error("connect_to %s: %s", t->flow->name, err_str(fd));
	flow_end(t->flow, err_str(fd));
}

static const struct flow_ops remote_ops = {
	.ended = forward_tunnel_ended,
	.discard = forward_tunnel_discard,
};

static void
target_name(const struct forward_spec *s, char name[FLOW_NAME_MAX])
{
	if (s->host_path != NULL)
		strlcpy(name, s->host_path, FLOW_NAME_MAX);
	else
		snprintf(
		    name, FLOW_NAME_MAX, "%s port %d", s->host, s->host_port);
}

int
forward_connect(
    struct loop *loop, struct tunnel *t, const struct forward_spec *s)
{
	struct connecting *c = &t->connecting;
	const char *why;

	t->fd = -EINPROGRESS;
	c->loop = loop;
	c->watch.fd = -1;
	c->done = on_target;
	c->arg = t;
	if (s->host_path != NULL)
		t->fd = unix_connect(s->host_path);
	else if (resolve(s->host, s->host_port, AF_UNSPEC, &c->to, &why) != 0)
		t->fd = -EHOSTUNREACH;
	else
		connecting_start(c);
	return t->fd >= 0 || t->fd == -EINPROGRESS ? 0 : t->fd;
}

static struct forward *
find_remote(const struct forwards *fs, int port)
{
	/* 0 is one whose port the server has not said yet. */
	for (struct forward *fw = fs->list; fw != NULL && port != 0;
	     fw = fw->next)
		if (fw->spec.kind == FORWARD_REMOTE && fw->remote_port == port)
			return fw;
	return NULL;
}

static void
accept_channel(struct forwards *fs, ssh_message m, struct tunnel *t,
    const struct forward_spec *s)
{
	t->flow = flow_adopt(fs->trunk,
	    ssh_message_channel_request_open_reply_accept(m),
	    t->is_socks ? &forward_socks_ops : &remote_ops, "forwarded-tcpip",
	    t);
	if (t->flow == NULL) {
		forward_tunnel_free(t);
		return;
	}
	if (t->is_socks)
		forward_socks_start(t);
	else
		target_name(s, t->flow->name);
	if (t->fd >= 0)
		flow_socket(t->flow, take_fd(&t->fd));
}

/* Begin to connect, where it is known to what; NULL: refuse the channel. */
static struct tunnel *
begin_tunnel(const struct forwards *fs, const struct forward_spec *s)
{
	struct tunnel *t = calloc(1, sizeof(*t));
	char name[FLOW_NAME_MAX];
	int rc = 0;

	if (t == NULL)
		return NULL;
	t->fd = -1;
	t->is_socks = forward_is_socks(s);
	t->permitted = fs->rules.remote_open;
	if (!t->is_socks)
		rc = forward_connect(fs->trunk->loop, t, s);
	if (rc == 0)
		return t;
	target_name(s, name);
	log_error("connect_to %s: %s", name, err_str(rc));
	free(t);
	return NULL;
}

/* A channel of the server's. 1: refuse it. */
int
forward_on_message(ssh_session ssh, ssh_message m, void *arg)
{
	struct forwards *fs = arg;
	struct forward *fw;
	struct tunnel *t;

	(void)ssh;
	if (ssh_message_type(m) != SSH_REQUEST_CHANNEL_OPEN ||
	    ssh_message_subtype(m) != SSH_CHANNEL_FORWARDED_TCPIP)
		return 1;
	/* Only where we asked it to listen: else it could reach into our net.
	 */
	fw = find_remote(
	    fs, ssh_message_channel_request_open_destination_port(m));
	t = fw != NULL ? begin_tunnel(fs, &fw->spec) : NULL;
	if (t == NULL)
		return 1;
	fw->connections++;
	accept_channel(fs, m, t, &fw->spec);
	return 0;
}

/* --- the agent */

ssh_channel
forward_on_agent(ssh_session ssh, void *arg)
{
	struct forwards *fs = arg;
	struct tunnel *t;
	struct flow *f;
	int fd;

	if (fs->rules.agent == NULL)
		return NULL;
	fd = unix_connect(fs->rules.agent);
	if (fd < 0) {
		log_error("agent %s: %s", fs->rules.agent, err_str(fd));
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		close(fd);
		return NULL;
	}
	t->fd = -1;
	f = flow_adopt(fs->trunk, ssh_channel_new(ssh), &remote_ops,
	    "auth-agent@openssh.com", t);
	if (f == NULL) {
		free(t);
		close(fd);
		return NULL;
	}
	strlcpy(f->name, "agent", sizeof(f->name));
	flow_socket(f, fd);
	return f->channel;
}

/*
 * Forwarding. Runs as the user. Who connects to a port we listen on may be
 * anybody on this machine, or with GatewayPorts in the network; what comes
 * from the server's side is a stranger's.
 */
#include "config.h"

#include <libssh/server.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/forward_impl.h"
#include "client/resolve.h"
#include "client/sockspeer.h"
#include "client/tcp.h"
#include "common/err.h"
#include "common/log.h"
#include "common/nofile.h"
#include "common/own.h"

#define ACCEPT_MAX 64    /* connections taken in one go */
#define ACCEPT_PAUSE 200 /* ms, when there are no descriptors left */

/* --- listening */

static void
on_pause_end(void *arg)
{
	struct forward *fw = arg;

	for (size_t i = 0; i < fw->nlisten; i++)
		(void)loop_watch(
		    fw->fs->trunk->loop, &fw->listen[i].watch, EPOLLIN);
}

/* No descriptors: others may be closed soon. */
static void
pause_listening(struct forward *fw)
{
	for (size_t i = 0; i < fw->nlisten; i++)
		(void)loop_watch(fw->fs->trunk->loop, &fw->listen[i].watch, 0);
	loop_timer(fw->fs->trunk->loop, &fw->pause, ACCEPT_PAUSE);
}

static void
take_connection(struct forward *fw, int fd)
{
	struct tunnel_to to = { .host = fw->spec.host,
		.port = fw->spec.host_port,
		.path = fw->spec.host_path };

	fw->connections++;
	if (fw->spec.kind == FORWARD_DYNAMIC)
		sockspeer_new(fw->fs, fd);
	else
		forward_tunnel(fw->fs, fd, &to);
}

static void
on_listen(void *arg, uint32_t events)
{
	struct listening *l = arg;

	(void)events;
	for (int i = 0; i < ACCEPT_MAX; i++) {
		int fd = accept4(
		    l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take_connection(l->forward, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			log_error("accept: %s", err_str(-errno));
			pause_listening(l->forward);
		}
		return;
	}
}

static void
add_listening(struct forward *fw, int fd)
{
	struct listening *l = &fw->listen[fw->nlisten++];

	l->forward = fw;
	l->watch = (struct watch){ .fd = fd, .fn = on_listen, .arg = l };
	(void)loop_watch(fw->fs->trunk->loop, &l->watch, EPOLLIN);
}

/* "" and "*" are all addresses, nothing said is the loopback. */
static const char *
bind_host(const struct forwards *fs, const struct forward_spec *s)
{
	if (s->bind == NULL)
		return fs->rules.gateway ? "*" : "localhost";
	return s->bind;
}

static int
find_addresses(const char *host, int port, struct addresses *out)
{
	struct addresses six;
	const char *why;
	int rc;

	if (strcmp(host, "*") != 0)
		return resolve(host, port, AF_UNSPEC, out, &why);
	rc = resolve("0.0.0.0", port, AF_INET, out, &why);
	if (rc == 0 && resolve("::", port, AF_INET6, &six, &why) == 0)
		out->v[out->n++] = six.v[0];
	return rc;
}

static int
listen_tcp(struct forward *fw, int *out_port, char why[FORWARD_WHY_MAX])
{
	const char *host = bind_host(fw->fs, &fw->spec);
	struct addresses at;
	int rc = find_addresses(host, fw->spec.port, &at);

	if (rc != 0) {
		snprintf(why, FORWARD_WHY_MAX, "bind [%s]:%d: no such address",
		    host, fw->spec.port);
		return rc;
	}
	/* One family is enough: many machines have no ::1. */
	for (size_t i = 0; i < at.n && fw->nlisten < LISTEN_MAX; i++) {
		int fd = tcp_listen(&at.v[i], out_port);

		if (fd >= 0)
			add_listening(fw, fd);
		else
			rc = fd;
	}
	if (fw->nlisten > 0 && rc != -EADDRINUSE)
		return 0;
	snprintf(why, FORWARD_WHY_MAX, "cannot listen to port %d: [%s]: %s",
	    fw->spec.port, host, err_str(rc));
	return rc;
}

static int
listen_unix(struct forward *fw, char why[FORWARD_WHY_MAX])
{
	int fd = unix_listen(
	    fw->spec.listen_path, fw->fs->rules.mask, fw->fs->rules.unlink);

	if (fd < 0) {
		snprintf(why, FORWARD_WHY_MAX, "cannot listen on %s: %s",
		    fw->spec.listen_path, err_str(fd));
		return fd;
	}
	add_listening(fw, fd);
	return 0;
}

/* --- all of them */

struct forwards *
forwards_new(struct trunk *l, const struct forward_rules *rules)
{
	struct forwards *fs = calloc(1, sizeof(*fs));

	if (fs == NULL)
		return NULL;
	fs->trunk = l;
	fs->rules = *rules;
	fs->agent = rules->agent != NULL ? strdup(rules->agent) : NULL;
	fs->rules.agent = fs->agent;
	fs->callbacks = (struct ssh_callbacks_struct){
		.userdata = fs,
		.channel_open_request_auth_agent_function = forward_on_agent,
		.channel_open_request_x11_function = forward_on_x11,
	};
	ssh_callbacks_init(&fs->callbacks);
	ssh_set_callbacks(l->ssh, &fs->callbacks);
	ssh_set_message_callback(l->ssh, forward_on_message, fs);
	(void)nofile_raise(UINT_MAX);
	return fs;
}

static void
forward_free(struct forward *fw)
{
	struct loop *loop = fw->fs->trunk->loop;

	loop_timer_stop(loop, &fw->pause);
	for (size_t i = 0; i < fw->nlisten; i++) {
		loop_unwatch(loop, &fw->listen[i].watch);
		close(fw->listen[i].watch.fd);
	}
	if (fw->spec.listen_path != NULL && fw->nlisten > 0)
		(void)unlink(fw->spec.listen_path);
	forward_spec_done(&fw->spec);
	free(fw);
}

static int
refuse_all(ssh_session ssh, ssh_message m, void *arg)
{
	(void)ssh;
	(void)m;
	(void)arg;
	return 1;
}

/*
 * libssh reads packets to the very end of the connection: from here on it
 * calls nothing that knows of fs.
 */
static void
stop_taking(struct forwards *fs)
{
	static struct ssh_callbacks_struct nothing;

	ssh_callbacks_init(&nothing);
	ssh_set_callbacks(fs->trunk->ssh, &nothing);
	ssh_set_message_callback(fs->trunk->ssh, refuse_all, NULL);
}

void
forwards_free(struct forwards *fs)
{
	if (fs == NULL)
		return;
	stop_taking(fs);
	sockspeer_free_all(fs);
	while (fs->list != NULL) {
		struct forward *fw = fs->list;

		fs->list = fw->next;
		forward_free(fw);
	}
	free(fs->agent);
	free(fs);
}

static int
begin(struct forward *fw, int *out_port, char why[FORWARD_WHY_MAX])
{
	if (fw->spec.kind == FORWARD_REMOTE)
		return forward_listen_remote(fw, out_port, why);
	if (fw->spec.listen_path != NULL)
		return listen_unix(fw, why);
	return listen_tcp(fw, out_port, why);
}

static void
unlist(struct forward *fw)
{
	struct forward **p = &fw->fs->list;

	while (*p != fw)
		p = &(*p)->next;
	*p = fw->next;
}

/*
 * It is on the list before the server is asked: who connects to the server's
 * port at once comes together with its answer.
 */
static int
begin_listed(struct forward *fw, int *out_port, char why[FORWARD_WHY_MAX])
{
	int rc;

	fw->next = fw->fs->list;
	fw->fs->list = fw;
	rc = begin(fw, out_port, why);
	if (rc != 0)
		unlist(fw);
	return rc;
}

static struct forward *
find_same(const struct forwards *fs, const struct forward_spec *s)
{
	for (struct forward *fw = fs->list; fw != NULL; fw = fw->next)
		if (forward_same(&fw->spec, s))
			return fw;
	return NULL;
}

static int
parse(enum forward_kind kind, const char *text, struct forward_spec *out,
    char why[FORWARD_WHY_MAX])
{
	const char *reason = "";
	int rc = forward_parse(kind, text, out, &reason);

	if (rc != 0)
		snprintf(why, FORWARD_WHY_MAX,
		    "bad %s forwarding \"%.100s\": %s",
		    forward_kind_names[kind], text,
		    rc == -ENOMEM ? err_str(rc) : reason);
	return rc;
}

int
forwards_add(struct forwards *fs, enum forward_kind kind, const char *text,
    int *out_port, char why[FORWARD_WHY_MAX])
{
	struct forward *fw = calloc(1, sizeof(*fw));
	int rc = fw != NULL ? 0 : -ENOMEM;

	*out_port = 0;
	if (rc == 0)
		rc = parse(kind, text, &fw->spec, why);
	if (rc != 0) {
		free(fw);
		return rc;
	}
	fw->fs = fs;
	fw->pause = (struct timer){ .fn = on_pause_end, .arg = fw };
	if (fw->spec.port != 0 && find_same(fs, &fw->spec) != NULL) {
		snprintf(why, FORWARD_WHY_MAX, "port %d is forwarded already",
		    fw->spec.port);
		rc = -EEXIST;
	}
	if (rc == 0)
		rc = begin_listed(fw, out_port, why);
	if (rc != 0)
		forward_free(fw);
	return rc;
}

int
forwards_cancel(struct forwards *fs, enum forward_kind kind, const char *text,
    char why[FORWARD_WHY_MAX])
{
	AUTO(forward_spec_done) struct forward_spec s = { .bind = NULL };
	AUTOFREE char *whole = NULL;
	struct forward *fw;
	const char *reason;

	/* [bind:]port is enough to name one. */
	if (asprintf(&whole, "%s:localhost:1", text) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	if (forward_parse(kind, text, &s, &reason) != 0 &&
	    parse(kind, whole, &s, why) != 0)
		return -EBADMSG;
	fw = find_same(fs, &s);
	if (fw == NULL) {
		snprintf(why, FORWARD_WHY_MAX, "there is no such forwarding");
		return -ENOENT;
	}
	if (kind == FORWARD_REMOTE) {
		forward_begin_wait(fs->trunk);
		(void)ssh_channel_cancel_forward(fs->trunk->ssh,
		    forward_remote_bind(fs, &fw->spec), fw->remote_port);
		forward_end_wait(fs->trunk);
	}
	unlist(fw);
	forward_free(fw);
	return 0;
}

/*
 * Listeners and who connects to them. Runs in sshd-net, which was handed the
 * sockets and may do no more than accept: whoever connects is a stranger.
 */
#include "config.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/own.h"
#include "sshd/ask.h"
#include "sshd/listener.h"

#define HOST_MAX 1024 /* LISTEN's host, msg.def */
#define ACCEPT_MAX 16 /* connections taken from one socket in one turn */

struct listener {
	struct listener *next;
	const struct forward_kind *kind;
	int fds[MSG_MAX_FDS]; /* owned */
	unsigned nfds;
	bool watched;
	bool ready;                    /* poll said that somebody is there */
	char *host;                    /* owned; as the client wrote it */
	unsigned port;                 /* that was bound */
	const struct session *session; /* of a display; else NULL */
	bool single;                   /* ends with its first connection */
};

/*
 * A global request that waits. Answers carry no number, so they go out in the
 * order of the requests, also when a later one is ready sooner.
 */
struct global {
	struct global *next;
	ssh_message m;      /* owned */
	bool refused;       /* to be answered with no, in its turn */
	struct listener *l; /* owned, for tcpip-forward; else NULL */
	uint32_t id;        /* of LISTEN */
	bool waiting;       /* for LISTENING */
};

/* --- one listener */

static int
note(socket_t fd, int revents, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)revents;
	l->ready = true;
	return 0;
}

static void
watch(struct net *n, struct listener *l, bool wanted)
{
	if (wanted == l->watched)
		return;
	l->watched = wanted;
	for (unsigned i = 0; i < l->nfds; i++)
		if (wanted)
			ssh_event_add_fd(n->event, l->fds[i], POLLIN, note, l);
		else
			ssh_event_remove_fd(n->event, l->fds[i]);
}

static struct listener *
listener_new(const struct forward_kind *kind, const char *host)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->kind = kind;
	l->host = strdup(host);
	if (l->host != NULL)
		return l;
	free(l);
	return NULL;
}

static void
listener_free(struct net *n, struct listener *l)
{
	watch(n, l, false);
	for (unsigned i = 0; i < l->nfds; i++)
		close(l->fds[i]);
	free(l->host);
	free(l);
}

static void
take_fds(struct listener *l, const int *fds, unsigned nfds)
{
	for (unsigned i = 0; i < nfds; i++)
		l->fds[l->nfds++] = fds[i];
}

/* Whether there is room for one more; says so when there is not. */
static bool
has_room(struct net *n)
{
	if (n->nlisteners < FORWARD_LISTENERS_MAX)
		return true;
	forward_tell(n, TOLD_LISTENERS);
	return false;
}

/* nlisteners counts from the request on, for what waits as well. */
static void
put(struct net *n, struct listener *l)
{
	l->next = n->listeners;
	n->listeners = l;
}

static void
drop(struct net *n, struct listener **at)
{
	struct listener *l = *at;

	*at = l->next;
	n->nlisteners--;
	listener_free(n, l);
}

/* --- who connects */

static void
find_origin(const struct sockaddr_storage *addr, struct forward_origin *o)
{
	const struct sockaddr_in *v4 = (const void *)addr;
	const struct sockaddr_in6 *v6 = (const void *)addr;

	if (addr->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, o->from, sizeof(o->from));
		o->from_port = ntohs(v4->sin_port);
	} else if (addr->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, o->from, sizeof(o->from));
		o->from_port = ntohs(v6->sin6_port);
	}
}

/* Whether somebody was there, and somebody else may be. */
static bool
accept_one(struct net *n, const struct listener *l, int fd)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(addr);
	struct forward_origin o = { l->kind, l->host, l->port, "", 0 };
	int conn = accept4(
	    fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (conn >= 0) {
		find_origin(&addr, &o);
		forward_accepted(n, &o, conn);
		return true;
	}
	/* No descriptor is left, and the next try is for when one is closed. */
	if (errno == EMFILE || errno == ENFILE)
		n->max_forwards = n->nforwards;
	return errno == ECONNABORTED || errno == EINTR;
}

/* Whether the listener is at its end. */
static bool
accept_all(struct net *n, struct listener *l)
{
	for (unsigned i = 0; i < l->nfds; i++)
		for (unsigned k = 0; k < ACCEPT_MAX; k++) {
			if (!forward_room(n)) {
				forward_tell(n, TOLD_CHANNELS);
				return false;
			}
			if (!accept_one(n, l, l->fds[i]))
				break;
			if (l->single)
				return true;
		}
	/* Who is still there, poll tells again. */
	l->ready = false;
	return false;
}

static void
accept_everywhere(struct net *n)
{
	struct listener **at = &n->listeners;

	while (*at != NULL) {
		struct listener *l = *at;

		if (l->ready && accept_all(n, l)) {
			drop(n, at);
			continue;
		}
		/* Without room for a channel there is nothing to wait for. */
		watch(n, l, forward_room(n));
		at = &l->next;
	}
}

/* --- global requests */

/* Refuse, and say why in the client's debug log. */
static void
refuse(struct net *n, ssh_message m)
{
	ssh_send_debug(n->ssh, "Server has refused the forwarding.", 0);
	ssh_message_reply_default(m);
}

static void
cancel(struct net *n, ssh_message m)
{
	const char *host = ssh_message_global_request_address(m);
	unsigned port = (uint16_t)ssh_message_global_request_port(m);
	struct listener **at = &n->listeners;

	while (*at != NULL &&
	       ((*at)->kind != &forward_tcpip || (*at)->port != port ||
		   strcmp((*at)->host, host) != 0))
		at = &(*at)->next;
	if (*at == NULL) {
		ssh_message_reply_default(m);
		return;
	}
	drop(n, at);
	ssh_message_global_request_reply_success(m, 0);
}

static void
answer_listen(struct net *n, struct global *g)
{
	if (g->l->nfds == 0) {
		refuse(n, g->m);
		n->nlisteners--;
		listener_free(n, g->l);
		return;
	}
	put(n, g->l);
	ssh_message_global_request_reply_success(g->m, (uint16_t)g->l->port);
}

static void
answer_globals(struct net *n)
{
	while (n->globals != NULL && !n->globals->waiting) {
		struct global *g = n->globals;

		n->globals = g->next;
		n->nglobals--;
		if (g->refused)
			refuse(n, g->m);
		else if (g->l != NULL)
			answer_listen(n, g);
		else
			cancel(n, g->m);
		ssh_message_free(g->m);
		free(g);
	}
}

/* Put a request at the end of the queue; NULL without memory. */
static struct global *
enqueue(struct net *n, ssh_message m)
{
	struct global **at = &n->globals;
	struct global *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->m = m;
	while (*at != NULL)
		at = &(*at)->next;
	*at = g;
	n->nglobals++;
	return g;
}

/* Ask for what tcpip-forward wants; false: it is to be refused. */
static bool
begin_listen(struct net *n, struct global *g, const char *host)
{
	struct msg_listen what = {
		.id = n->next_request++,
		.host = span_of(host, strlen(host)),
		.port = (uint16_t)ssh_message_global_request_port(g->m),
	};

	if (!has_room(n))
		return false;
	g->l = listener_new(&forward_tcpip, host);
	if (g->l == NULL)
		return false;
	g->id = (uint32_t)what.id;
	g->waiting = true;
	n->nlisteners++;
	tell_listen(n, &what);
	return true;
}

bool
listener_global(struct net *n, ssh_message m)
{
	const char *host = ssh_message_global_request_address(m);
	int type = ssh_message_subtype(m);
	struct global *g = NULL;

	/* Queued ones count, or a client could have any number of them. */
	if (n->nglobals >= FORWARD_GLOBALS_MAX)
		forward_tell(n, TOLD_GLOBALS);
	else
		g = enqueue(n, m);
	if (g == NULL) {
		refuse(n, m);
		return false;
	}
	if (!n->authenticated || host == NULL || strlen(host) > HOST_MAX)
		g->refused = true;
	else if (type == SSH_GLOBAL_REQUEST_TCPIP_FORWARD)
		g->refused = !begin_listen(n, g, host);
	else
		g->refused = type != SSH_GLOBAL_REQUEST_CANCEL_TCPIP_FORWARD;
	return true;
}

void
listener_listening(
    struct net *n, const struct msg_listening *e, const int *fds, unsigned nfds)
{
	struct global *g = n->globals;

	while (g != NULL && (!g->waiting || g->id != e->id))
		g = g->next;
	if (g == NULL) {
		for (unsigned i = 0; i < nfds; i++)
			close(fds[i]);
		return;
	}
	g->waiting = false;
	g->l->port = (unsigned)e->port;
	take_fds(g->l, fds, nfds);
}

/* --- agent and X11 */

bool
listener_may_agent(struct net *n)
{
	if (!n->has_terms) {
		n->may_agent = ask_forward_terms(n);
		n->has_terms = true;
	}
	return n->may_agent;
}

static bool
has_agent(const struct net *n)
{
	for (const struct listener *l = n->listeners; l != NULL; l = l->next)
		if (l->kind == &forward_agent)
			return true;
	return false;
}

/* A listener that is there at once; takes the descriptors over. */
static struct listener *
put_now(struct net *n, const struct forward_kind *kind, const int *fds,
    unsigned nfds)
{
	struct listener *l = listener_new(kind, "");

	if (l == NULL) {
		for (unsigned i = 0; i < nfds; i++)
			close(fds[i]);
		return NULL;
	}
	take_fds(l, fds, nfds);
	n->nlisteners++;
	put(n, l);
	return l;
}

void
listener_agent(struct net *n)
{
	int fd;

	if (has_agent(n) || !has_room(n))
		return;
	fd = ask_agent_open(n);
	if (fd >= 0)
		(void)put_now(n, &forward_agent, &fd, 1);
}

bool
listener_x11(struct net *n, const struct session *s,
    const struct msg_x11_open *what, bool single)
{
	int fds[MSG_MAX_FDS];
	struct listener *l;
	unsigned nfds;

	if (!has_room(n))
		return false;
	nfds = ask_x11_open(n, what, fds);
	l = nfds != 0 ? put_now(n, &forward_x11, fds, nfds) : NULL;
	if (l == NULL)
		return false;
	l->session = s;
	l->single = single;
	return true;
}

void
listener_session_done(struct net *n, const struct session *s)
{
	struct listener **at = &n->listeners;

	while (*at != NULL)
		if ((*at)->session == s)
			drop(n, at);
		else
			at = &(*at)->next;
}

/* --- all of them */

void
listener_run_all(struct net *n)
{
	answer_globals(n);
	accept_everywhere(n);
}

void
listener_free_all(struct net *n)
{
	while (n->listeners != NULL)
		drop(n, &n->listeners);
	while (n->globals != NULL) {
		struct global *g = n->globals;

		n->globals = g->next;
		if (g->l != NULL)
			listener_free(n, g->l);
		ssh_message_free(g->m);
		free(g);
	}
}

/*
 * sshd-forward, seen from sshd-monitor. Runs as root, and makes no socket of
 * the network itself: what a service sees as its peer has to be the user
 * (CVE-2025-14282 was a root process that connected).
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/forward.h"
#include "monitor/pam.h"
#include "monitor/spawn.h"
#include "monitor/userid.h"
#include "monitor/userproc.h"
#include "monitor/waiting.h"

#define FORWARD_END_MS 2000 /* for the agent's socket to be removed */
#define X11_BASE_PORT 6000  /* of display 0 */

struct forward {
	struct chan chan; /* fd -1: none runs */
	pid_t pid;        /* 0: none runs, or reaped */
	unsigned starts;
	struct waitings waiting;
	char agent_path[108]; /* empty: none */
	/* the answer to a request of our own */
	bool own_done;
	enum forward_outcome own_outcome;
	struct forward_sockets own;
};

void
forward_sockets_done(struct forward_sockets *s)
{
	for (unsigned i = 0; i < s->n; i++)
		close(s->fds[i]);
	s->n = 0;
}

/* --- its start */

static struct forward *
forward_get(struct conn *c)
{
	if (c->forward != NULL)
		return c->forward;
	c->forward = calloc(1, sizeof(*c->forward));
	if (c->forward != NULL)
		c->forward->chan.fd = -1;
	return c->forward;
}

/* What the child does between the fork and the program, and never returns. */
static void __attribute__((noreturn)) run_child(struct conn *c, int chan_fd)
{
	userproc_reset_signals();
	if (userproc_credentials(c) != 0 || userid_become(&c->account) != 0)
		_exit(SPAWN_EXIT_IDS);
	spawn_exec(c->forward_fd, "sshd-forward", chan_fd);
}

static int
forward_start(struct conn *c)
{
	struct forward *f = c->forward;
	int pair[2];
	int rc;

	if (f->starts >= FORWARD_STARTS_MAX)
		return -EAGAIN;
	rc = c->options.use_pam ? pam_session(c, NULL) : 0;
	if (rc != 0)
		return rc;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	f->starts++;
	f->pid = fork();
	if (f->pid == 0)
		run_child(c, pair[1]);
	rc = f->pid < 0 ? -errno : 0;
	close(pair[1]);
	if (rc != 0) {
		f->pid = 0;
		close(pair[0]);
		return rc;
	}
	rc = chan_init(&f->chan, pair[0], MONITOR, FORWARD);
	f->chan.phase = PH_SESSION;
	f->chan.trace = c->net.trace;
	return rc;
}

static int
running(struct conn *c)
{
	if (forward_get(c) == NULL)
		return -ENOMEM;
	return c->forward->chan.fd >= 0 ? 0 : forward_start(c);
}

/* --- requests */

/* A place for a request of that number, once a sshd-forward runs; or NULL. */
static struct waiting *
remember(struct conn *c, uint64_t id, int *out_rc)
{
	struct waiting *w = NULL;

	*out_rc = running(c);
	if (*out_rc == 0)
		*out_rc = waiting_new(&c->forward->waiting, id, &w);
	return w;
}

static int
submit(struct conn *c, struct waiting *w)
{
	struct forward *f = c->forward;

	return waiting_submit(c, &f->waiting, &f->chan, w);
}

static int
submit_new(struct conn *c, struct waiting *w, struct span host, uint64_t port)
{
	w->host = strndup((const char *)host.p, host.len);
	w->port = (unsigned)port;
	if (w->host != NULL)
		return submit(c, w);
	waiting_forget(&c->forward->waiting, w);
	return -ENOMEM;
}

int
forward_connect(struct conn *c, const struct msg_connect *q)
{
	int rc;
	struct waiting *w = remember(c, q->id, &rc);

	return w != NULL ? submit_new(c, w, q->host, q->port) : rc;
}

int
forward_listen(struct conn *c, const struct msg_listen *q)
{
	int rc;
	struct waiting *w = remember(c, q->id, &rc);

	if (w == NULL)
		return rc;
	w->listen = true;
	return submit_new(c, w, q->host, q->port);
}

/* --- answers */

/*
 * Whatever the user's process sends, only a stream socket that does not block
 * goes on to the network process. Asked of the socket: fstat(2) would ask a
 * file system of the user's.
 */
static bool
is_stream(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

/* The sockets of the last message, checked; the caller's. */
static void
take_sockets(struct forward *f, struct forward_sockets *out)
{
	out->n = 0;
	for (unsigned i = 0; i < MSG_MAX_FDS; i++) {
		int fd = chan_take_fd(&f->chan, i);

		if (fd >= 0 && is_stream(fd))
			out->fds[out->n++] = fd;
		else if (fd >= 0)
			close(fd);
	}
}

static void
log_failure(const struct conn *c, const struct waiting *w, uint64_t outcome)
{
	if (w->listen)
		log_bounded(LEVEL_ERROR,
		    "cannot listen on %s port %u for %s: %s",
		    *w->host != '\0' ? w->host : "*", w->port, c->user,
		    forward_str(outcome));
	else if (outcome == FORWARD_UNKNOWN)
		log_bounded(
		    LEVEL_ERROR, "connect_to %s: unknown host", w->host);
	else
		log_bounded(LEVEL_ERROR, "connect_to %s port %u: failed: %s",
		    w->host, w->port, forward_str(outcome));
}

static void
tell_net(struct conn *c, const struct waiting *w, uint64_t outcome,
    const struct forward_sockets *s)
{
	struct msg m = { .id = MSG_CONNECTED };

	if (w->listen) {
		m.id = MSG_LISTENING;
		m.u.listening =
		    (struct msg_listening){ w->id, outcome, s->port };
	} else {
		m.u.connected = (struct msg_connected){ w->id, outcome };
	}
	conn_tell(c, &m, s->fds, s->n);
}

/* Pass an answer on to who asked, and be done with the request. */
static void
settle(struct conn *c, struct waiting *w, uint64_t outcome,
    struct forward_sockets *s)
{
	struct forward *f = c->forward;

	if (outcome == FORWARD_DONE && s->n == 0)
		outcome = FORWARD_FAILED;
	if (outcome != FORWARD_DONE)
		forward_sockets_done(s);
	if (waiting_is_own(w)) {
		f->own_done = true;
		f->own_outcome = (enum forward_outcome)outcome;
		f->own = *s;
		s->n = 0;
	} else {
		if (outcome != FORWARD_DONE)
			log_failure(c, w, outcome);
		tell_net(c, w, outcome, s);
	}
	forward_sockets_done(s);
	waiting_forget(&f->waiting, w);
}

/* What it takes now of what waits. 0, or -EPIPE when it is gone. */
static int
hand_on(struct conn *c)
{
	struct forward_sockets none = { .n = 0 };
	struct forward *f = c->forward;
	struct waiting *failed;
	int rc;

	while ((rc = waiting_hand_on(c, &f->waiting, &f->chan, &failed)) != 0 &&
	       rc != -EPIPE)
		settle(c, failed, FORWARD_FAILED, &none);
	return rc;
}

static int
on_dialled(struct conn *c, const struct msg_dialled *q)
{
	struct forward_sockets s = { .n = 0 };
	struct waiting *w = waiting_find(&c->forward->waiting, q->id);

	if (w == NULL || w->listen)
		return -EPROTO;
	take_sockets(c->forward, &s);
	settle(c, w, q->outcome, &s);
	return 0;
}

static int
on_bound(struct conn *c, const struct msg_bound *q)
{
	struct forward *f = c->forward;
	struct forward_sockets s = { .port = (unsigned)q->port };
	struct waiting *w = waiting_find(&f->waiting, q->id);

	if (w == NULL || !w->listen)
		return -EPROTO;
	take_sockets(f, &s);
	if (waiting_is_own(w) && q->path.len != 0 &&
	    q->path.len < sizeof(f->agent_path)) {
		memcpy(f->agent_path, q->path.p, q->path.len);
		f->agent_path[q->path.len] = '\0';
	}
	settle(c, w, q->outcome, &s);
	return 0;
}

/* It has gone, by itself or by the user's hand: so has what it was asked. */
static void
lost(struct conn *c)
{
	struct forward *f = c->forward;
	struct forward_sockets none = { .n = 0 };

	chan_done(&f->chan);
	f->agent_path[0] = '\0';
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (f->waiting.v[i].used)
			settle(c, &f->waiting.v[i], FORWARD_FAILED, &none);
}

static int
serve_one(struct conn *c)
{
	struct msg m;
	int rc = chan_try_recv(&c->forward->chan, &m);

	if (rc == -EINTR || rc == -EAGAIN)
		return 0;
	if (rc == 0)
		rc = m.id == MSG_DIALLED ? on_dialled(c, &m.u.dialled)
					 : on_bound(c, &m.u.bound);
	return rc;
}

void
forward_serve(struct conn *c)
{
	int rc = serve_one(c);

	if (rc == 0)
		rc = hand_on(c);
	if (rc == 0)
		return;
	if (rc != -EPIPE)
		log_error("sshd-forward of %s sent what it may not (%s); ended",
		    c->user, err_str(rc));
	else
		log_error("sshd-forward of %s is gone", c->user);
	lost(c);
}

/* --- waiting for it, which the user may have stopped (kill -STOP) */

/* Whether that has come before that time, whatever signals come as well. */
static bool
comes(const struct forward *f, short events, int64_t until)
{
	struct pollfd fd = { f->chan.fd, events, 0 };
	int64_t left;
	int n;

	do {
		left = until - clock_ms();
		n = poll(&fd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* It does not do what it should: it may be stopped, and would stay. */
static void
put_down(struct forward *f)
{
	if (f->pid != 0)
		(void)kill(f->pid, SIGKILL);
}

/* --- requests of the monitor's own */

/*
 * Wait for the answer, and serve the others meanwhile. Nothing here needs the
 * network; a user who stops the process holds up the own connection only.
 */
static int
wait_own(struct conn *c)
{
	struct forward *f = c->forward;
	int64_t until = clock_ms() + FORWARD_WAIT_MS;

	while (!f->own_done) {
		if (comes(f, forward_poll(c).events, until)) {
			forward_serve(c);
			continue;
		}
		log_error("sshd-forward of %s does not answer", c->user);
		put_down(f);
		lost(c);
		return -ETIMEDOUT;
	}
	return f->own_outcome == FORWARD_DONE ? 0 : -EIO;
}

static int
ask_own(struct conn *c, struct msg *m, struct forward_sockets *out)
{
	struct waiting *w;
	int rc;

	w = remember(c, FORWARD_OWN_ID, &rc);
	if (w == NULL)
		return rc;
	c->forward->own_done = false;
	c->forward->own_outcome = FORWARD_FAILED;
	c->forward->waiting.own = m;
	w->listen = true;
	m->u.bind.id = FORWARD_OWN_ID;
	rc = submit(c, w);
	if (rc == 0)
		rc = wait_own(c);
	if (rc == 0)
		*out = c->forward->own;
	else
		log_bounded(LEVEL_ERROR, "no socket for %s: %s", c->user,
		    forward_str(c->forward->own_outcome));
	return rc;
}

int
forward_agent(struct conn *c, struct forward_sockets *out)
{
	struct msg m = { .id = MSG_BIND };

	if (forward_agent_path(c) != NULL)
		return -EEXIST;
	m.u.bind.kind = BIND_AGENT;
	return ask_own(c, &m, out);
}

int
forward_x11(struct conn *c, struct forward_sockets *out)
{
	struct msg m = { .id = MSG_BIND };

	m.u.bind.kind = BIND_X11;
	m.u.bind.family = waiting_family(c);
	m.u.bind.where =
	    c->options.x11_use_localhost ? WHERE_LOOPBACK : WHERE_ANY;
	m.u.bind.port = X11_BASE_PORT + (unsigned)c->options.x11_display_offset;
	return ask_own(c, &m, out);
}

const char *
forward_agent_path(const struct conn *c)
{
	return c->forward != NULL && c->forward->agent_path[0] != '\0'
		   ? c->forward->agent_path
		   : NULL;
}

/* --- life and end */

struct pollfd
forward_poll(const struct conn *c)
{
	const struct forward *f = c->forward;
	short events =
	    f != NULL && f->waiting.nunsent != 0 ? POLLIN | POLLOUT : POLLIN;

	return (struct pollfd){ f != NULL ? f->chan.fd : -1, events, 0 };
}

void
forward_reap(struct conn *c)
{
	int status;

	if (c->forward == NULL || c->forward->pid == 0)
		return;
	if (waitpid(c->forward->pid, &status, WNOHANG) <= 0)
		return;
	c->forward->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == FORWARD_EXIT_JAIL)
		log_error("sshd-forward of %s cannot enter its jail: the "
			  "kernel has to have seccomp filters",
		    c->user);
	else if (status != 0)
		log_error("sshd-forward of %s ended with wait status %#x",
		    c->user, (unsigned)status);
}

void
forward_done(struct conn *c)
{
	struct forward *f = c->forward;

	if (f == NULL)
		return;
	if (f->chan.fd >= 0) {
		/* It ends when we are gone; PAM's session is to outlive it. */
		(void)shutdown(f->chan.fd, SHUT_WR);
		if (!comes(f, POLLRDHUP, clock_ms() + FORWARD_END_MS))
			put_down(f);
		lost(c);
	}
	forward_reap(c);
	free(f);
	c->forward = NULL;
}

/*
 * The listening sshd. Runs as root; it reads no byte of a client's, and no
 * message from a child can end it.
 */
#include "config.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/confcheck.h"
#include "monitor/master_lab.h"
#include "monitor/master.h"
#include "monitor/systemd.h"

#define STATUS_MAX 256
#define ACCEPT_PAUSE_MS 1000 /* when the process is out of descriptors */

/* Set by the handlers, which do nothing else (CVE-2024-6387 and its kind). */
static volatile sig_atomic_t got_hup, got_term, got_chld;

static void
note_signal(int sig)
{
	if (sig == SIGHUP)
		got_hup = 1;
	else if (sig == SIGCHLD)
		got_chld = 1;
	else
		got_term = sig;
}

static const int noted[] = { SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGCHLD };

/* Block them but while we wait; returns the mask to wait with. */
static sigset_t
take_signals(void)
{
	struct sigaction act = { .sa_handler = note_signal };
	sigset_t blocked, open_mask;

	sigemptyset(&blocked);
	for (size_t i = 0; i < nitems_of(noted); i++) {
		sigaddset(&blocked, noted[i]);
		sigaction(noted[i], &act, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, &open_mask);
	for (size_t i = 0; i < nitems_of(noted); i++)
		sigdelset(&open_mask, noted[i]);
	return open_mask;
}

struct child_terms
master_terms(const struct master *m)
{
	return (struct child_terms){
		.spawn = &m->spawn,
		.config = &m->config,
		.log_level = server_log_level(m->args),
		.stderr_log = m->args->stderr_log,
	};
}

/* --- connections */

/* What libssh does not set on a server's socket. Failure harms nobody. */
static void
tune_socket(const struct master *m, int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (m->config.options.tcp_keep_alive)
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* In place of its starting: whoever is in does not count. */
static void
leave(struct master *m, struct child *c)
{
	if (c->starting)
		startups_leave(&m->startups, take_ptr(&c->source));
	c->starting = false;
}

static void
start_child(struct master *m, int fd, struct source *source)
{
	struct child_terms terms = master_terms(m);
	struct child *c;
	int grace = m->config.options.login_grace_time;
	int rc = child_start(&terms, fd, &c);

	if (rc != 0) {
		log_error(
		    "cannot start a connection's processes: %s", err_str(rc));
		if (!m->args->inetd)
			startups_leave(&m->startups, source);
		return;
	}
	c->starting = true;
	c->source = source;
	c->deadline = grace > 0 ? clock_ms() + (int64_t)grace * 1000 : 0;
	c->next = m->children;
	m->children = c;
}

static unsigned
count_children(const struct master *m)
{
	unsigned n = 0;

	for (const struct child *c = m->children; c != NULL; c = c->next)
		n++;
	return n;
}

/* Whether it may begin; who may not has been told. */
static bool
admit(struct master *m, struct startup *at, struct source **out_source)
{
	int64_t now = clock_ms();

	if (m->door != NULL && !door_admit(m->door, at, count_children(m), now))
		return false;
	return startups_admit(&m->startups, at, now, out_source);
}

/* True when accepting has to pause. */
static bool
accept_one(struct master *m, int listen_fd)
{
	AUTO(startup_done)
	struct startup at = {
		.fd = accept4(
		    listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK),
	};
	struct source *source;

	if (at.fd < 0) {
		bool scarce = errno == EMFILE || errno == ENFILE ||
			      errno == ENOMEM || errno == ENOBUFS;

		if (scarce)
			log_error("accept: %s", err_str(-errno));
		return scarce;
	}
	listener_ends(at.fd, &at.peer, &at.local);
	if (!admit(m, &at, &source))
		return false;
	tune_socket(m, at.fd);
	start_child(m, at.fd, source);
	if (m->once)
		listeners_close(&m->listeners);
	return false;
}

static void
expire(struct master *m, int64_t now)
{
	for (struct child *c = m->children; c != NULL; c = c->next) {
		if (c->deadline == 0 || now < c->deadline)
			continue;
		log_info("Timeout before authentication for connection from %s "
			 "to %s, pid = %ld",
		    c->peer.addr, c->local.addr, (long)c->monitor);
		master_lab_overdue(c);
		c->deadline = 0;
		c->overdue = true;
		/* PAM may be in the middle of something: no politeness. */
		child_kill(c);
	}
}

/* Milliseconds until the next deadline; -1: none. */
static int
next_deadline(const struct master *m, int64_t now)
{
	int64_t next = -1;

	for (const struct child *c = m->children; c != NULL; c = c->next)
		if (c->deadline != 0 && (next < 0 || c->deadline < next))
			next = c->deadline;
	if (next < 0)
		return -1;
	return next <= now ? 0 : (int)(next - now);
}

/* A door counts its failures; all the rest of a connection is one. */
static void
judge(struct master *m, const struct child *c)
{
	enum penalty_time why = child_offence(c);

	if (m->door != NULL) {
		if (c->failures == 0 &&
		    (why == PENALTY_AUTHFAIL || why == PENALTY_INVALIDUSER))
			(void)door_failed(m->door, c->peer.addr, clock_ms());
		return;
	}

	if (why != PENALTY_OFFENCES)
		penalty_add(&m->startups.book, c->peer.addr, why, clock_ms());
}

static void
remove_gone(struct master *m)
{
	struct child **at = &m->children;

	while (*at != NULL) {
		struct child *c = *at;
		bool logged_in;

		if (!child_gone(c)) {
			at = &c->next;
			continue;
		}
		logged_in = c->logged_in;
		*at = c->next;
		leave(m, c);
		judge(m, c);
		child_free(c);
		m->stopping |= m->once || (m->served && logged_in);
	}
	m->stopping |= m->ending && m->children == NULL;
}

static void
reap(struct master *m)
{
	int status;
	pid_t pid;

	got_chld = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (struct child *c = m->children; c != NULL; c = c->next)
			if (child_reaped(c, pid, status))
				break;
	remove_gone(m);
}

/* --- signals */

/* For systemctl status; in a buffer that the next call uses again. */
static const char *
master_status(const struct master *m)
{
	static char text[STATUS_MAX];
	size_t len = (size_t)snprintf(text, sizeof(text), "Listening on");

	for (size_t i = 0; i < m->listeners.n && len < sizeof(text); i++) {
		struct listener_name peer, at;

		listener_ends(m->listeners.v[i].fd, &peer, &at);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s %s port %u", i > 0 ? "," : "", at.addr, at.port);
	}
	return text;
}

/*
 * A new configuration counts for new connections, as soon as all of it is
 * good; else the old one goes on. Live connections have theirs.
 */
static void
reload(struct master *m)
{
	struct server_config config;
	struct listeners listeners = { .n = 0 };

	if (server_config_load(m->args, &config) != 0) {
		log_error("the old configuration stays in force");
		return;
	}
	if (m->listeners.given) {
		systemd_warn(&m->listeners, &config.options);
	} else if (listeners_open(&listeners, &config.options, &m->listeners) !=
		   0) {
		log_error("no address to listen on; "
			  "the old configuration stays in force");
		server_config_done(&config);
		return;
	} else {
		listeners_close(&m->listeners);
		m->listeners = listeners;
	}
	confcheck(config.conf, &config.options);
	server_config_done(&m->config);
	m->config = config;
	startups_configure(&m->startups, &m->config.options);
	server_log_open(m->args, &m->config);
}

/* The first SIGINT of omniedge-ssh-server is polite, all else is at once. */
static void
terminate(struct master *m)
{
	int sig = got_term;

	got_term = 0;
	log_info("Received signal %d; terminating.", sig);
	if (m->door != NULL && sig == SIGINT && !m->ending)
		master_lab_end(m);
	else
		m->stopping = true;
}

static void
hang_up(struct master *m)
{
	got_hup = 0;
	log_info("Received SIGHUP; restarting.");
	systemd_reloading();
	reload(m);
	systemd_ready(master_status(m));
}

/* With -i whoever ends us means the one connection that we are for. */
static void
end_adopted(struct master *m)
{
	got_term = got_hup = 0;
	for (struct child *c = m->children; c != NULL; c = c->next)
		child_terminate(c);
}

static void
handle_signals(struct master *m)
{
	if (m->args->inetd && (got_term || got_hup))
		end_adopted(m);
	else if (got_term)
		terminate(m);
	if (got_hup && m->door != NULL) {
		got_hup = 0;
		master_lab_hangup(m);
	} else if (got_hup) {
		hang_up(m);
	}
	if (got_chld)
		reap(m);
}

/* --- the loop */

/*
 * Everything that is waited for: listeners first, then sshdctl's sockets, then
 * children's channels.
 */
static size_t
make_pollfds(const struct master *m, struct pollfd **fds, bool paused)
{
	size_t n = paused ? 0 : m->listeners.n;
	struct pollfd *grown;

	for (const struct child *c = m->children; c != NULL; c = c->next)
		n++;
	grown = reallocarray(*fds, n + CONTROL_CLIENTS + 1, sizeof(**fds));
	if (grown == NULL)
		fatal("out of memory");
	*fds = grown;
	n = 0;
	for (size_t i = 0; !paused && i < m->listeners.n; i++)
		grown[n++] = (struct pollfd){ m->listeners.v[i].fd, POLLIN, 0 };
	n += control_pollfds(&m->control, grown + n);
	for (const struct child *c = m->children; c != NULL; c = c->next)
		grown[n++] = (struct pollfd){ c->chan.fd, POLLIN, 0 };
	return n;
}

static void
handle_children(struct master *m, const struct pollfd *fds)
{
	for (struct child *c = m->children; c != NULL; c = c->next, fds++) {
		unsigned failures;

		if (fds->revents == 0 || c->chan.fd < 0)
			continue;
		failures = c->failures;
		(void)child_message(c, &m->seen);
		if (c->logged_in)
			leave(m, c);
		if (m->door != NULL)
			master_lab_heard(m, c, failures);
	}
}

/* New connections last: they change the list that fds was made from. */
static bool
handle_listeners(struct master *m, const struct pollfd *fds, size_t n)
{
	bool pause = false;

	/* They may have been closed since: by the one login that --once is. */
	for (size_t i = 0; i < n && i < m->listeners.n && !pause; i++)
		if (fds[i].revents != 0)
			pause = accept_one(m, fds[i].fd);
	return pause;
}

static int
wait_ms(const struct master *m, bool paused)
{
	int64_t now = clock_ms();
	int64_t ms = next_deadline(m, now);
	int64_t lab = master_lab_wait(m, now);

	if (lab >= 0 && (ms < 0 || lab < ms))
		ms = lab;
	if (ms > INT_MAX)
		ms = INT_MAX;
	return paused && (ms < 0 || ms > ACCEPT_PAUSE_MS) ? ACCEPT_PAUSE_MS
							  : (int)ms;
}

/*
 * sshd's connections go on: a restart does not end live sessions. Those of
 * omniedge-ssh-server are in nobody's care once it is gone.
 */
static void
leave_children(struct master *m)
{
	while (m->children != NULL) {
		struct child *c = m->children;

		m->children = c->next;
		if (m->door != NULL)
			child_cut(c);
		leave(m, c);
		child_free(c);
	}
	(void)penalty_lift_all(&m->startups.book);
}

/* The client of -i: who may start is inetd's to say, and it has said so. */
static void
adopt(struct master *m)
{
	AUTOCLOSE int fd = take_fd(&m->client_fd);

	tune_socket(m, fd);
	start_child(m, fd, NULL);
	if (m->children == NULL)
		m->stopping = true;
	else
		m->children->starting = false;
}

int
master_serve(struct master *m)
{
	sigset_t open_mask = take_signals();
	struct pollfd *fds = NULL;
	bool paused = false;

	startups_init(&m->startups);
	startups_configure(&m->startups, &m->config.options);
	m->control.fd = -1;
	if (m->args->inetd)
		adopt(m);
	/* sshdctl(8) is for the system's server, with its files in /run. */
	else if (m->door == NULL)
		control_open(&m->control);
	systemd_ready(master_status(m));
	while (!m->stopping) {
		size_t nlisteners = paused ? 0 : m->listeners.n;
		size_t ncontrol = m->control.n + 1;
		size_t n = make_pollfds(m, &fds, paused);
		int ms = wait_ms(m, paused);
		struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

		if (ppoll(fds, n, ms < 0 ? NULL : &ts, &open_mask) < 0) {
			if (errno != EINTR)
				fatal("ppoll: %s", err_str(-errno));
			handle_signals(m);
			continue;
		}
		handle_children(m, fds + nlisteners + ncontrol);
		control_handle(&m->control, fds + nlisteners, m);
		paused = handle_listeners(m, fds, nlisteners);
		expire(m, clock_ms());
		master_lab_tick(m);
		handle_signals(m);
	}
	systemd_stopping();
	free(fds);
	control_close(&m->control);
	seen_done(&m->seen);
	leave_children(m);
	return 0;
}

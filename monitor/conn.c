/*
 * The life of a connection in its sshd-monitor: one blocking loop over the
 * network process's messages, the deaths of children, and sshd.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/answer.h"
#include "monitor/audit.h"
#include "monitor/authinfo.h"
#include "monitor/event.h"
#include "monitor/forward.h"
#include "monitor/pam.h"
#include "monitor/record.h"
#include "monitor/usession.h"

#define LAST_WORDS_MS 1000 /* for the network process, when told to end */

/* Set by the handler, which does nothing else (CVE-2024-6387 and its kind). */
static volatile sig_atomic_t got_term, got_chld;

enum log_level
conn_log_level(const struct conn *c)
{
	return c->log_level != CONN_LEVEL_NONE
		   ? (enum log_level)c->log_level
		   : (enum log_level)c->options.log_level;
}

const char *
conn_host(const struct conn *c)
{
	return c->host != NULL ? c->host : c->addr;
}

void
conn_fault(struct conn *c, int rc)
{
	c->ended = true;
	if (rc == -EPIPE && (c->said_bye || got_term))
		return;
	if (rc == -EPIPE) {
		log_error("network process of %s port %u ended unexpectedly",
		    c->addr, c->port);
		return;
	}
	if (rc == -ETIMEDOUT) {
		log_error("network process of %s port %u does not read what "
			  "it is told; connection ended",
		    c->addr, c->port);
		return;
	}
	c->broke_rule = rc == -EPROTO || rc == -EBADMSG || rc == -EDQUOT;
	log_error("network process of %s port %u broke the rules "
		  "(%s); connection ended",
	    c->addr, c->port, err_str(rc));
}

void
conn_tell(struct conn *c, const struct msg *m, const int *fds, unsigned nfds)
{
	int rc;

	if (c->ended)
		return;
	rc = chan_send(&c->net, m, fds, nfds);
	if (rc != 0 && rc != -EPIPE)
		conn_fault(c, rc);
}

/* Whether the client has tried to prove who it is, in whatever way. */
static bool
has_attempted(const struct conn *c)
{
	for (size_t i = 0; i < MSG_COUNT; i++) {
		const struct msg_rule *rule = msg_rule((enum msg_id)i);

		if (rule != NULL && rule->phases == PH_AUTH &&
		    i != MSG_AUTH_USER && i != MSG_AUTH_NONE &&
		    i != MSG_PROVE && c->net.counts[i] != 0)
			return true;
	}
	return false;
}

/*
 * What sshd is to punish the client for. An attempt as an invalid user is an
 * attempt as well: the longer penalty of the two counts.
 */
static int
exit_status(const struct conn *c)
{
	const int64_t *ms = c->options.per_source_penalties.ms;
	enum penalty_time why = PENALTY_NOAUTH;
	bool invalid = c->user != NULL && !c->valid;

	if (c->probe)
		return 0;
	if (c->broke_rule)
		return CONN_EXIT_OFFENCE + PENALTY_CRASH;
	if (c->granted)
		return 0;
	if (c->refused)
		why = PENALTY_REFUSECONNECTION;
	else if (has_attempted(c) &&
		 !(invalid && ms[PENALTY_INVALIDUSER] > ms[PENALTY_AUTHFAIL]))
		why = PENALTY_AUTHFAIL;
	else if (invalid)
		why = PENALTY_INVALIDUSER;
	return CONN_EXIT_OFFENCE + (int)why;
}

/* For sshdctl(8). A login goes on without: it is not what it depends on. */
static void
record_login(struct conn *c)
{
	struct record r = {
		.since = time(NULL),
		.sshd = getppid(),
		.port = c->port,
		.lport = c->lport,
	};
	int rc;

	strlcpy(r.user, c->user, sizeof(r.user));
	strlcpy(r.addr, c->addr, sizeof(r.addr));
	strlcpy(r.laddr, c->laddr, sizeof(r.laddr));
	if (c->options.pid_file != NULL)
		strlcpy(r.pid_file, c->options.pid_file, sizeof(r.pid_file));
	rc = record_write(&r);
	if (rc != 0)
		log_error("sshdctl will not list this session: " CONTROL_PATH
			  ": %s",
		    err_str(rc));
	c->recorded = true;
	audit_login(c, true);
}

static void
serve_net(struct conn *c)
{
	struct msg m;
	int rc = chan_recv(&c->net, &m);

	if (rc == -EINTR)
		return;
	if (rc == 0)
		rc = answer(c, &m);
	chan_wipe(&c->net);
	if (c->granted && !c->recorded && c->lab == NULL)
		record_login(c);
	if (rc != 0)
		conn_fault(c, rc);
}

/*
 * Unasked, sshd never sends more than the first message. When it goes away, as
 * in a restart, live sessions stay.
 */
static void
serve_sshd(struct conn *c)
{
	struct msg m;

	if (chan_recv(&c->sshd, &m) == -EINTR)
		return;
	chan_done(&c->sshd);
	if (!c->granted)
		c->ended = true;
}

static void
note_signal(int sig)
{
	if (sig == SIGTERM)
		got_term = 1;
	else
		got_chld = 1;
}

static const int noted[] = { SIGCHLD, SIGTERM };

/*
 * Note the signals from here on. *out_noted is what has to be blocked between
 * looking at a note and ppoll(), and at no other time: PAM's modules start
 * programs, which would inherit the block.
 */
static void
take_signals(sigset_t *out_noted)
{
	struct sigaction act = { .sa_handler = note_signal,
		.sa_flags = SA_RESTART };

	sigemptyset(out_noted);
	for (size_t i = 0; i < nitems_of(noted); i++) {
		sigaddset(out_noted, noted[i]);
		sigaction(noted[i], &act, NULL);
	}
}

/*
 * What the network process may still say when its end of the connection is to
 * go: what its sessions have moved. Nothing is done for it any more.
 */
static void
hear_last_words(struct conn *c)
{
	int64_t until = clock_ms() + LAST_WORDS_MS;
	struct msg m;

	for (;;) {
		struct pollfd pfd = { c->net.fd, POLLIN, 0 };
		int64_t left = until - clock_ms();
		int rc;

		if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
			return;
		/* A signal ends poll() early, with nothing to be read. */
		rc = chan_try_recv(&c->net, &m);
		if (rc == -EAGAIN || rc == -EINTR)
			continue;
		if (rc != 0)
			return;
		if (m.id == MSG_SESSION_BYTES)
			(void)answer(c, &m);
	}
}

/* SIGTERM: the administrator ends this connection. */
static void
terminate(struct conn *c)
{
	log_info("Exiting on signal %d", SIGTERM);
	c->ended = true;
	for (struct usession *s = c->sessions; s != NULL; s = s->next)
		usession_hangup(c, s);
	/* The client shall not wait for PAM's modules to be told. */
	(void)shutdown(c->net.fd, SHUT_WR);
	hear_last_words(c);
	chan_done(&c->net);
}

/* An end that time brings: a key exchange that does not come to its own. */
static void
expire(struct conn *c)
{
	if (c->handshake_due == 0 || c->signs != 0 ||
	    clock_ms() < c->handshake_due)
		return;
	log_info(
	    "Timeout in the key exchange with %s port %u", c->addr, c->port);
	event_rejected(c, "SSH handshake timeout");
	c->ended = true;
}

/* How long to wait for messages; NULL: as long as it takes. */
static const struct timespec *
wait_time(const struct conn *c, struct timespec *ts)
{
	int64_t left;

	if (c->handshake_due == 0 || c->signs != 0)
		return NULL;
	left = c->handshake_due - clock_ms();
	left = left > 0 ? left : 0;
	*ts = (struct timespec){ left / 1000, left % 1000 * 1000000L };
	return ts;
}

bool
conn_wait(struct pollfd *fds, size_t n)
{
	sigset_t term, open_mask;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &open_mask);
	if (!got_term)
		(void)ppoll(fds, n, NULL, &open_mask);
	sigprocmask(SIG_SETMASK, &open_mask, NULL);
	return !got_term;
}

/* Wait for something to do. */
static void
wait_events(struct conn *c, const sigset_t *signals, struct pollfd fds[3])
{
	struct timespec ts;
	sigset_t open_mask;
	int rc = 0;

	fds[0] = (struct pollfd){ c->net.fd, POLLIN, 0 };
	fds[1] = (struct pollfd){ c->sshd.fd, POLLIN, 0 };
	fds[2] = forward_poll(c);
	sigprocmask(SIG_BLOCK, signals, &open_mask);
	if (!got_term && !got_chld)
		rc = ppoll(fds, 3, wait_time(c, &ts), &open_mask);
	if (rc < 0 && errno != EINTR)
		fatal("ppoll: %s", err_str(-errno));
	sigprocmask(SIG_SETMASK, &open_mask, NULL);
}

static void
tell_proven(struct conn *c)
{
	struct msg m = { .id = MSG_PROVEN };

	m.u.proven.signs = c->signs;
	m.u.proven.verifies = c->verifies;
	m.u.proven.jail = c->proven;
	m.u.proven.no_match = c->no_match;
	(void)chan_send(&c->sshd, &m, NULL, 0);
}

static void
end(struct conn *c)
{
	for (struct usession *s = c->sessions; s != NULL; s = s->next)
		usession_hangup(c, s);
	usession_reap(c);
	usession_end_all(c);
	if (c->granted)
		event_closed(c);
	forward_done(c);
	pam_done(c);
	if (c->recorded)
		record_remove(getpid());
	else if (!c->probe && c->user != NULL && has_attempted(c))
		audit_login(c, false);
	authinfo_remove(c);
	if (c->probe)
		tell_proven(c);
}

int
conn_serve(struct conn *c)
{
	struct pollfd fds[3];
	sigset_t signals;

	take_signals(&signals);
	if (c->lab != NULL && c->lab->handshake_seconds != 0)
		c->handshake_due =
		    clock_ms() + (int64_t)c->lab->handshake_seconds * 1000;
	while (!c->ended) {
		wait_events(c, &signals, fds);
		if (got_term)
			terminate(c);
		got_chld = 0;
		usession_reap(c);
		expire(c);
		forward_reap(c);
		if (!c->ended && fds[0].revents != 0)
			serve_net(c);
		if (!c->ended && fds[1].revents != 0)
			serve_sshd(c);
		/* Serving the others may have ended it meanwhile. */
		if (!c->ended && fds[2].revents != 0 &&
		    fds[2].fd == forward_poll(c).fd)
			forward_serve(c);
	}
	end(c);
	return exit_status(c);
}

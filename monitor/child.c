/*
 * The processes of one connection as sshd sees them. Runs as root; messages of
 * a monitor are checked like any other, and never end sshd.
 */
#include "config.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/child.h"
#include "monitor/conn.h"
#include "monitor/record.h"

/* Socket pairs: between the two, and from sshd to the monitor. */
struct pairs {
	int net[2];
	int sshd[2];
};

static int
make_pairs(struct pairs *p)
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC;

	if (socketpair(AF_UNIX, type, 0, p->net) != 0)
		return -errno;
	if (socketpair(AF_UNIX, type, 0, p->sshd) != 0) {
		int rc = -errno;

		close(p->net[0]);
		close(p->net[1]);
		return rc;
	}
	return 0;
}

static int
start_monitor(const struct child_terms *t, const struct pairs *p)
{
	const int fds[] = { p->net[0], p->sshd[0] };

	return spawn_run(t->spawn, SPAWN_MONITOR, fds, nitems_of(fds));
}

static int
start_net(const struct child_terms *t, const struct pairs *p, int client_fd)
{
	/* The third is NET_ROOT_FD, if there is one. */
	const int fds[] = { p->net[1], client_fd, t->spawn->root_fd };

	return spawn_run(t->spawn, SPAWN_NET, fds,
	    nitems_of(fds) - (t->spawn->root_fd < 0 ? 1 : 0));
}

static int
send_conn(struct child *c, const struct child_terms *t)
{
	const int fds[] = { t->config->config_fd, t->config->hostkeys_fd,
		t->spawn->program_fd[SPAWN_FORWARD], t->config->lab_fd,
		t->config->once_fd };
	struct msg m = { .id = MSG_CONN };
	unsigned nfds = 3;

	while (nfds < nitems_of(fds) && fds[nfds] >= 0)
		nfds++;

	m.u.conn = (struct msg_conn){
		.addr = span_text(c->peer.addr),
		.port = c->peer.port,
		.laddr = span_text(c->local.addr),
		.lport = c->local.port,
		.rdomain = span_text(c->local.domain),
		.probe = t->probe,
		.log_level = t->log_level,
		.stderr_log = t->stderr_log,
	};
	return chan_send(&c->chan, &m, fds, nfds);
}

static int
start_both(struct child *c, const struct child_terms *t, struct pairs *p,
    int client_fd)
{
	int rc;

	rc = chan_init(&c->chan, take_fd(&p->sshd[1]), SSHD, MONITOR);
	if (rc != 0)
		return rc;
	rc = start_monitor(t, p);
	if (rc < 0)
		return rc;
	c->monitor = rc;
	rc = start_net(t, p, client_fd);
	if (rc < 0)
		return rc;
	c->net = rc;
	return send_conn(c, t);
}

int
child_start(
    const struct child_terms *terms, int client_fd, struct child **out_child)
{
	struct child *c = calloc(1, sizeof(*c));
	struct pairs p;
	int rc;

	if (c == NULL)
		return -ENOMEM;
	c->chan.fd = -1;
	c->probe = terms->probe;
	rc = make_pairs(&p);
	if (rc != 0) {
		free(c);
		return rc;
	}
	listener_ends(client_fd, &c->peer, &c->local);
	rc = start_both(c, terms, &p, client_fd);
	close(p.net[0]);
	close(p.net[1]);
	close(p.sshd[0]);
	own_close(&p.sshd[1]);
	if (rc != 0) {
		/* Whichever runs sees its peer gone, and ends; reaped later. */
		child_kill(c);
		child_free(c);
		return rc;
	}
	*out_child = c;
	return 0;
}

static int
answer_claim(struct child *c, const struct msg *m, struct seen *seen)
{
	struct msg reply = { .id = MSG_CLAIMED };

	reply.u.claimed.fresh = seen_claim(seen, m->u.claim.session_id);
	/* It asks once and waits: there is room for one answer. */
	return chan_send(&c->chan, &reply, NULL, 0);
}

int
child_message(struct child *c, struct seen *seen)
{
	struct msg m;
	int rc = chan_recv(&c->chan, &m);

	if (rc == -EINTR)
		return 0;
	if (rc == 0 && m.id == MSG_CLAIM)
		rc = answer_claim(c, &m, seen);
	else if (rc == 0 && m.id == MSG_LOGIN) {
		c->logged_in = true;
		c->deadline = 0;
		/* It has no more to say: logins must not use up descriptors. */
		chan_done(&c->chan);
	} else if (rc == 0 && m.id == MSG_PROVEN) {
		c->proven = m.u.proven;
	} else if (rc == 0 && m.id == MSG_AUTH_FAILED) {
		c->failures++;
	} else if (rc == 0) {
		rc = -EPROTO;
	}
	if (rc != 0) {
		if (rc != -EPIPE)
			log_error("monitor of %s port %u broke the rules (%s)",
			    c->peer.addr, c->peer.port, err_str(rc));
		chan_done(&c->chan);
		return -EPIPE;
	}
	return 0;
}

static void
signal_both(const struct child *c, int sig)
{
	if (c->net > 0)
		kill(c->net, sig);
	if (c->monitor > 0)
		kill(c->monitor, sig);
}

void
child_kill(struct child *c)
{
	signal_both(c, SIGKILL);
}

void
child_terminate(struct child *c)
{
	signal_both(c, SIGTERM);
}

void
child_end(struct child *c)
{
	if (c->monitor > 0)
		kill(c->monitor, SIGTERM);
}

void
child_cut(struct child *c)
{
	child_end(c);
	if (c->net > 0)
		kill(c->net, SIGKILL);
}

static const struct {
	int status;
	const char *text;
} exits[] = {
	{ NET_EXIT_JAIL,
	    "cannot enter its jail: " PRIVSEP_PATH
	    " must be empty, owned by root and closed to others, and the "
	    "kernel must have seccomp filters; see sshd(8), JAIL" },
	{ SPAWN_EXIT_FDS,
	    "could not be started: too many files are open; raise "
	    "LimitNOFILE= of the unit, or fs.file-max" },
	{ SPAWN_EXIT_IDS,
	    "could not become user " PRIVSEP_USER
	    ": sshd needs CAP_SETUID, CAP_SETGID and CAP_SYS_CHROOT, and no "
	    "limit on that user's processes" },
	{ SPAWN_EXIT_EXEC,
	    "could not be executed: is its file system mounted noexec, or is "
	    "the program not of this suite? Install it again" },
};

const char *
child_exit_text(int status)
{
	for (size_t i = 0; i < nitems_of(exits) && WIFEXITED(status); i++)
		if (WEXITSTATUS(status) == exits[i].status)
			return exits[i].text;
	return NULL;
}

/* It will be so for every connection: one line of each kind is enough. */
static void
log_exit(const char *name, int status)
{
	static const char *told[nitems_of(exits)];
	const char *text = child_exit_text(status);
	size_t i = 0;

	if (text == NULL)
		return;
	while (i < nitems_of(told) && told[i] != NULL && told[i] != text)
		i++;
	if (i < nitems_of(told) && told[i] == NULL)
		log_error("%s %s", name, told[i] = text);
}

/* A death that nobody asked for is worth a line. */
static void
log_death(const struct child *c, const char *name, pid_t pid, int status)
{
	if (WIFEXITED(status) && !c->probe)
		log_exit(name, status);
	if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGTERM ||
	    WTERMSIG(status) == SIGKILL || c->probe)
		return;
	log_error("%s (pid %ld) of %s port %u was ended by signal %d (%s)%s",
	    name, (long)pid, c->peer.addr, c->peer.port, WTERMSIG(status),
	    sigabbrev_np(WTERMSIG(status)),
	    WTERMSIG(status) == SIGSYS
		? ": it made a system call that its filter forbids"
		: "");
}

bool
child_reaped(struct child *c, pid_t pid, int status)
{
	if (pid == c->net) {
		log_death(c, "sshd-net", pid, status);
		c->net = 0;
		c->net_status = status;
		return true;
	}
	if (pid == c->monitor) {
		log_death(c, "sshd-monitor", pid, status);
		c->monitor = 0;
		c->monitor_status = status;
		/* One that was killed had no time to. */
		if (WIFSIGNALED(status) && c->logged_in)
			record_remove(pid);
		/* An honest one has nothing left to do; no other may stay. */
		if (c->net > 0)
			kill(c->net, SIGKILL);
		return true;
	}
	return false;
}

static bool
crashed(int status)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGTRAP, SIGSYS, SIGFPE,
		SIGILL, SIGABRT };

	for (size_t i = 0; i < nitems_of(signals) && WIFSIGNALED(status); i++)
		if (WTERMSIG(status) == signals[i])
			return true;
	return false;
}

enum penalty_time
child_offence(const struct child *c)
{
	int s = c->monitor_status;

	enum penalty_time told = PENALTY_OFFENCES;

	if (WIFEXITED(s) && WEXITSTATUS(s) >= CONN_EXIT_OFFENCE &&
	    WEXITSTATUS(s) < CONN_EXIT_OFFENCE + PENALTY_OFFENCES)
		told = (enum penalty_time)(WEXITSTATUS(s) - CONN_EXIT_OFFENCE);
	if (crashed(c->net_status) || crashed(s) || told == PENALTY_CRASH)
		return PENALTY_CRASH;
	if (c->logged_in)
		return PENALTY_OFFENCES;
	return c->overdue ? PENALTY_GRACE_EXCEEDED : told;
}

bool
child_gone(const struct child *c)
{
	return c->monitor == 0 && c->net == 0;
}

void
child_free(struct child *c)
{
	chan_done(&c->chan);
	free(c);
}

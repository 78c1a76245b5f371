/*
 * Sessions' processes: started, signalled, reaped. Runs in sshd-monitor.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/authinfo.h"
#include "monitor/environ.h"
#include "monitor/event.h"
#include "monitor/loginrec.h"
#include "monitor/pam.h"
#include "monitor/rootdir.h"
#include "monitor/userid.h"
#include "monitor/userproc.h"
#include "monitor/usession.h"
#include "monitor/xauth.h"

/* Room in each pipe: what fits is moved with one read. Bytes. */
#define PIPE_SIZE 262144
/* Ended sessions of which the network process has yet to say what they moved.
 * More than a few are a network process that does not say it. */
#define UNTOLD_MAX 64

struct usession *
usession_find(struct conn *c, unsigned id)
{
	for (struct usession *s = c->sessions; s != NULL; s = s->next)
		if (s->id == id && !s->hung_up)
			return s;
	return NULL;
}

struct usession *
usession_get(struct conn *c, unsigned id)
{
	struct usession *s = usession_find(c, id);

	if (s != NULL)
		return s;
	if (c->nsessions >= (unsigned)c->options.max_sessions)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->id = id;
	s->slave_fd = -1;
	s->next = c->sessions;
	c->sessions = s;
	c->nsessions++;
	return s;
}

/*
 * What was only for its start. A client may hang sessions up whose processes
 * stay, and have ever more of them.
 */
static void
forget_wishes(struct usession *s)
{
	for (size_t i = 0; i < s->nenv; i++)
		free(s->env[i]);
	free(take_ptr(&s->env));
	s->nenv = 0;
	writer_done(&s->parts);
	free(take_ptr(&s->command));
	free(take_ptr(&s->original));
}

void
usession_free(struct conn *c, struct usession *s)
{
	struct usession **at = &c->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	c->nsessions -= !s->hung_up;
	if (s->slave_fd >= 0)
		close(s->slave_fd);
	forget_wishes(s);
	xauth_free(s->x11);
	free(s);
}

/* --- pipes */

static void
close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/*
 * A pipe whose far end does not block, for the network process. The user's end
 * becomes the user's, so that /dev/stdout can be opened in the session.
 */
static int
make_pipe(const struct account *a, bool to_user, int *near_fd, int *far_fd)
{
	int fds[2];
	int user, ours;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	user = to_user ? fds[0] : fds[1];
	ours = to_user ? fds[1] : fds[0];
	/* More than the usual 64 kB where the kernel gives it, else not. */
	(void)fcntl(ours, F_SETPIPE_SZ, PIPE_SIZE);
	if (fcntl(ours, F_SETFL, O_NONBLOCK) != 0 ||
	    (geteuid() == 0 && fchown(user, a->uid, a->gid) != 0)) {
		int rc = -errno;

		close_all(fds, 2);
		return rc;
	}
	*near_fd = user;
	*far_fd = ours;
	return 0;
}

static int
make_pipes(const struct account *a, int user_fds[3], int far_fds[3])
{
	int rc = 0;

	for (int i = 0; i < 3; i++)
		user_fds[i] = far_fds[i] = -1;
	for (int i = 0; i < 3 && rc == 0; i++)
		rc = make_pipe(a, i == 0, &user_fds[i], &far_fds[i]);
	if (rc != 0) {
		close_all(user_fds, 3);
		close_all(far_fds, 3);
	}
	return rc;
}

static int
make_fds(struct conn *c, struct usession *s, int user_fds[3], int far_fds[3])
{
	if (!s->has_pty)
		return make_pipes(&c->account, user_fds, far_fds);
	for (int i = 0; i < 3; i++) {
		user_fds[i] = s->slave_fd;
		far_fds[i] = -1;
	}
	return 0;
}

static void
close_user_fds(struct usession *s, int user_fds[3])
{
	if (!s->has_pty) {
		close_all(user_fds, 3);
		return;
	}
	close(s->slave_fd);
	s->slave_fd = -1;
}

/* --- start */

static void
log_start(const struct conn *c, const struct usession *s)
{
	static const char *const kinds[] = {
		[SESSION_SHELL] = "shell",
		[SESSION_EXEC] = "command",
		[SESSION_SUBSYSTEM] = "subsystem",
	};

	log_verbose("Starting session: %s%s%s%s for %s from %s port %u id %u",
	    s->forced ? "forced-command " : "", kinds[s->kind],
	    s->has_pty ? " on " : "", s->has_pty ? s->tty : "", c->user,
	    c->addr, c->port, s->id);
}

/* ChrootDirectory; a session that it cannot have does not start. */
static int
find_root(const struct conn *c, char **out_root)
{
	char why[OPTION_WHY_MAX] = "";
	int rc = rootdir_find(&c->options, &c->account, why, out_root);

	if (rc != 0 && *why != '\0')
		log_bounded(LEVEL_ERROR, "%s", why);
	return rc;
}

static void
userproc_done(struct userproc *p)
{
	environ_done(&p->env);
	free(p->root);
}

int
usession_start(struct conn *c, struct usession *s, int out_fds[3])
{
	struct loginrec_last last;
	AUTO(userproc_done) struct userproc p = { .conn = c, .session = s };
	int far_fds[3];
	int rc;

	rc = find_root(c, &p.root);
	if (rc == 0 && c->options.use_pam)
		rc = pam_session(c, s->has_pty ? s->tty : NULL);
	if (rc != 0)
		return rc;
	if (s->has_pty && loginrec_last(&c->account, &last))
		p.last = &last;
	authinfo_write(c);
	rc = environ_make(c, s, &p.env);
	if (rc == 0)
		rc = make_fds(c, s, p.fds, far_fds);
	if (rc != 0)
		return rc;
	log_start(c, s);
	s->pid = fork();
	if (s->pid == 0)
		userproc_run(&p);
	rc = s->pid < 0 ? -errno : 0;
	close_user_fds(s, p.fds);
	xauth_wipe(s->x11);
	if (rc != 0) {
		s->pid = 0;
		close_all(far_fds, 3);
		return rc;
	}
	if (s->has_pty) {
		loginrec_login(c, s->tty + strlen("/dev/"), s->pid);
		s->recorded = true;
	}
	event_session_started(c, s);
	forget_wishes(s);
	memcpy(out_fds, far_fds, sizeof(far_fds));
	return 0;
}

/* --- end */

static void
log_out(struct usession *s)
{
	if (s->recorded)
		loginrec_logout(s->tty + strlen("/dev/"), s->pid);
	s->recorded = false;
}

void
usession_hangup(struct conn *c, struct usession *s)
{
	if (s->hung_up)
		return;
	s->hung_up = true;
	c->nsessions--;
	if (s->pid > 0)
		(void)userid_kill(&c->account, s->pid, SIGHUP);
	/* Whatever becomes of its process, nobody is on the terminal now. */
	log_out(s);
	if (s->slave_fd >= 0)
		close(take_fd(&s->slave_fd));
}

/* Both ends of it are known, or never will be. */
static void
settle(struct conn *c, struct usession *s)
{
	event_session_ended(c, s);
	usession_free(c, s);
}

void
usession_moved(struct conn *c, unsigned id, uint64_t in, uint64_t out)
{
	struct usession *s = c->sessions;

	while (s != NULL &&
	       (s->id != id || s->told || (s->pid == 0 && !s->reaped)))
		s = s->next;
	if (s == NULL)
		return;
	s->told = true;
	s->bytes_in = in;
	s->bytes_out = out;
	if (s->reaped)
		settle(c, s);
}

void
usession_end_all(struct conn *c)
{
	for (struct usession *s = c->sessions; s != NULL; s = s->next)
		if (s->reaped || s->pid != 0)
			event_session_ended(c, s);
}

/* The oldest is the last of the list. */
static void
bound_untold(struct conn *c)
{
	struct usession *oldest = NULL;
	unsigned n = 0;

	for (struct usession *s = c->sessions; s != NULL; s = s->next) {
		n += s->reaped;
		if (s->reaped)
			oldest = s;
	}
	if (n > UNTOLD_MAX)
		settle(c, oldest);
}

/* Its process has ended; the client has it no more. */
static void
note_reaped(struct conn *c, struct usession *s, int status)
{
	s->pid = 0;
	s->reaped = true;
	s->status = status;
	c->nsessions -= !s->hung_up;
	s->hung_up = true;
	if (s->told)
		settle(c, s);
}

static void
tell_exit(struct conn *c, const struct usession *s, int status)
{
	struct msg m = { .id = MSG_SESSION_EXIT };
	const char *name = "";

	m.u.session_exit.session = s->id;
	if (WIFEXITED(status)) {
		m.u.session_exit.status = (uint64_t)WEXITSTATUS(status);
	} else {
		name = sigabbrev_np(WTERMSIG(status));
		m.u.session_exit.core = WCOREDUMP(status) != 0;
	}
	if (name == NULL)
		name = "SIG@openssh.com"; /* what OpenSSH calls those */
	m.u.session_exit.signal = span_of(name, strlen(name));
	conn_tell(c, &m, NULL, 0);
}

void
usession_reap(struct conn *c)
{
	struct usession *next;

	for (struct usession *s = c->sessions; s != NULL; s = next) {
		int status;

		next = s->next;
		/* By pid: PAM modules have children of their own. */
		if (s->pid == 0 || waitpid(s->pid, &status, WNOHANG) <= 0)
			continue;
		log_out(s);
		if (!s->hung_up)
			tell_exit(c, s, status);
		note_reaped(c, s, status);
	}
	bound_untold(c);
}

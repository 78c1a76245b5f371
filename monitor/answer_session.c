/*
 * Sessions (RFC 4254 section 6), after the login. Runs in sshd-monitor as
 * root; every message is hostile.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/answer.h"
#include "monitor/environ.h"
#include "monitor/event.h"
#include "monitor/pty.h"
#include "monitor/userid.h"
#include "monitor/userproc.h"
#include "monitor/usession.h"

/* RFC 4254 section 6.10; what else a client may want, it may not have. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "ABRT", SIGABRT },
	{ "ALRM", SIGALRM },
	{ "FPE", SIGFPE },
	{ "HUP", SIGHUP },
	{ "ILL", SIGILL },
	{ "INT", SIGINT },
	{ "KILL", SIGKILL },
	{ "PIPE", SIGPIPE },
	{ "QUIT", SIGQUIT },
	{ "SEGV", SIGSEGV },
	{ "TERM", SIGTERM },
	{ "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 },
};

int
answer_terms(struct conn *c, const struct msg *m)
{
	const struct options *o = &c->options;
	struct msg reply = { .id = MSG_TERMS_REPLY };
	struct msg_terms_reply *r = &reply.u.terms_reply;
	AUTOFREE char *timeouts = NULL;
	int rc = option_timeouts_text(&o->channel_timeout, &timeouts);

	(void)m;
	if (rc != 0)
		return rc;
	*r = (struct msg_terms_reply){
		.max_sessions = (uint64_t)o->max_sessions,
		.alive_interval = (uint64_t)o->client_alive_interval,
		.alive_count = (uint64_t)o->client_alive_count_max,
		.rekey_kib = o->rekey_limit.bytes / 1024,
		.rekey_seconds = (uint64_t)o->rekey_limit.seconds,
		.channel_timeouts = span_of(timeouts, strlen(timeouts)),
		.unused_timeout = (uint64_t)o->unused_connection_timeout,
		.qos_interactive = (uint64_t)o->ip_qos.interactive,
		.qos_bulk = (uint64_t)o->ip_qos.bulk,
	};
	return chan_send(&c->net, &reply, NULL, 0);
}

static bool
may_pty(const struct conn *c)
{
	return (c->grants & GRANT_PTY) != 0;
}

static int
open_pty(struct conn *c, const struct msg_pty_open *q, struct pty *out_pty)
{
	struct usession *s;
	struct winsize size = {
		.ws_col = (unsigned short)q->cols,
		.ws_row = (unsigned short)q->rows,
		.ws_xpixel = (unsigned short)q->xpixels,
		.ws_ypixel = (unsigned short)q->ypixels,
	};
	int rc;

	if (!may_pty(c))
		return -EACCES;
	s = usession_get(c, (unsigned)q->session);
	if (s == NULL || s->has_pty || s->pid != 0)
		return -EBUSY;
	rc = pty_make(&c->account, &size, out_pty);
	if (rc != 0) {
		log_bounded(LEVEL_ERROR, "no terminal for %s: %s", c->user,
		    err_str(rc));
		return rc;
	}
	s->has_pty = true;
	s->slave_fd = out_pty->slave_fd;
	strlcpy(s->tty, out_pty->name, sizeof(s->tty));
	memcpy(s->term, q->term.p, q->term.len);
	s->term[q->term.len] = '\0';
	setproctitle("%s@%s", c->user, s->tty + strlen("/dev/"));
	return 0;
}

int
answer_pty_open(struct conn *c, const struct msg *m)
{
	struct msg reply = { .id = MSG_PTY_REPLY };
	struct pty pty;
	int fds[2];
	int rc;

	if (open_pty(c, &m->u.pty_open, &pty) != 0)
		return chan_send(&c->net, &reply, NULL, 0);
	reply.u.pty_reply.ok = 1;
	fds[0] = fds[1] = pty.master_fd;
	rc = chan_send(&c->net, &reply, fds, 2);
	/* The only master is then the network process's: when that goes, the
	 * terminal hangs up. */
	close(pty.master_fd);
	return rc;
}

static int
add_env(struct conn *c, const struct msg_env *q)
{
	AUTOFREE char *name = strndup((const char *)q->name.p, q->name.len);
	struct usession *s;
	char **grown;
	char *text;

	if (name == NULL || !may_env(&c->options, name))
		return -EACCES;
	s = usession_get(c, (unsigned)q->session);
	if (s == NULL || s->pid != 0 || s->nenv >= ENVIRON_CLIENT_MAX)
		return -EACCES;
	grown = reallocarray(s->env, s->nenv + 1, sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	s->env = grown;
	if (asprintf(&text, "%s=%.*s", name, (int)q->value.len,
		(const char *)q->value.p) < 0)
		return -ENOMEM;
	s->env[s->nenv++] = text;
	return 0;
}

int
answer_env(struct conn *c, const struct msg *m)
{
	struct msg reply = { .id = MSG_ENV_REPLY };

	reply.u.env_reply.ok = add_env(c, &m->u.env) == 0;
	return chan_send(&c->net, &reply, NULL, 0);
}

/* --- what will run */

/* Without a session of that number, SESSION_START will be refused. */
int
answer_command_part(struct conn *c, const struct msg *m)
{
	const struct msg_command_part *q = &m->u.command_part;
	struct usession *s = usession_get(c, (unsigned)q->session);

	if (s == NULL)
		return 0;
	if (s->pid != 0 || s->parts.len + q->text.len > MSG_COMMAND_MAX)
		return -EPROTO;
	writer_bytes(&s->parts, q->text.p, q->text.len);
	return writer_end(&s->parts);
}

/* All that the client wants to run, as text; owned, or NULL. */
static char *
asked_for(struct usession *s, const struct msg_session_start *q)
{
	AUTO(writer_done) struct writer all = s->parts;

	s->parts = (struct writer)WRITER_INIT;
	writer_bytes(&all, q->command.p, q->command.len);
	writer_u8(&all, '\0');
	return writer_end(&all) == 0 ? strdup((const char *)all.p) : NULL;
}

/* The command of a subsystem; NULL if there is none of that name. */
static const char *
subsystem_command(const struct options *o, const char *name)
{
	for (size_t i = 0; i < o->subsystem.n; i++)
		if (strcmp(o->subsystem.v[i].name, name) == 0)
			return o->subsystem.v[i].command;
	return NULL;
}

/* ForceCommand comes before the key's command=, and both before the client. */
static const char *
forced_command(const struct conn *c)
{
	if (c->options.force_command != NULL)
		return c->options.force_command;
	return c->key_opts.command;
}

/* Not the client's wish but what is forced runs; SFTP for SFTP is no loss. */
static void
note_blocked(const struct conn *c, const struct msg_session_start *q,
    const char *forced, const char *asked)
{
	if (q->kind == SESSION_SUBSYSTEM && userproc_is_sftp(forced) &&
	    strcmp(asked, "sftp") == 0)
		return;
	event_command_blocked(c, q->kind == SESSION_SHELL ? "shell" : asked,
	    userproc_is_sftp(forced) ? "only SFTP is allowed"
				     : "a command is forced");
}

/*
 * Decide what the session runs: fills in command (NULL: the login shell) and
 * original.
 */
static int
choose_command(
    struct conn *c, struct usession *s, const struct msg_session_start *q)
{
	AUTOFREE char *asked = asked_for(s, q);
	const char *run = q->kind == SESSION_SHELL ? NULL : asked;
	const char *forced = forced_command(c);

	if (asked == NULL)
		return -ENOMEM;
	if (q->kind == SESSION_SUBSYSTEM) {
		run = subsystem_command(&c->options, asked);
		if (run == NULL) {
			log_bounded(LEVEL_INFO,
			    "subsystem request for %s by user %s failed, "
			    "subsystem not found",
			    asked, c->user);
			event_command_blocked(c, asked, "no such subsystem");
			return -ENOENT;
		}
	}
	s->kind = (enum session_kind)q->kind;
	if (forced != NULL) {
		note_blocked(c, q, forced, asked);
		s->original = run != NULL ? strdup(run) : NULL;
		s->forced = true;
		run = forced;
	}
	s->command = run != NULL ? strdup(run) : NULL;
	return run != NULL && s->command == NULL ? -ENOMEM : 0;
}

static int
start(struct conn *c, const struct msg_session_start *q, int out_fds[3])
{
	struct usession *s = usession_get(c, (unsigned)q->session);
	int rc;

	if (s == NULL || s->pid != 0 || s->command != NULL)
		return -EBUSY;
	rc = choose_command(c, s, q);
	if (rc == 0)
		rc = usession_start(c, s, out_fds);
	if (rc != 0)
		usession_free(c, s);
	return rc;
}

int
answer_session_start(struct conn *c, const struct msg *m)
{
	struct msg reply = { .id = MSG_SESSION_STARTED };
	int fds[3] = { -1, -1, -1 };
	unsigned nfds = 0;
	int rc;

	rc = start(c, &m->u.session_start, fds);
	reply.u.session_started.ok = rc == 0;
	if (rc != 0 && rc != -ENOENT)
		log_bounded(LEVEL_ERROR,
		    "no session for %s from %s port %u: %s", c->user, c->addr,
		    c->port, err_str(rc));
	while (nfds < 3 && fds[nfds] >= 0)
		nfds++;
	rc = chan_send(&c->net, &reply, fds, nfds);
	for (unsigned i = 0; i < nfds; i++)
		close(fds[i]);
	return rc;
}

/* --- while it runs */

int
answer_signal(struct conn *c, const struct msg *m)
{
	const struct msg_signal *q = &m->u.signal;
	struct usession *s = usession_find(c, (unsigned)q->session);

	/* It may have ended meanwhile, which is nobody's fault. */
	if (s == NULL || s->pid == 0)
		return 0;
	if (s->forced || s->kind == SESSION_SUBSYSTEM) {
		log_bounded(LEVEL_INFO,
		    "refusing to send signal %.*s to %s session of %s",
		    (int)q->name.len, (const char *)q->name.p,
		    s->forced ? "forced-command" : "subsystem", c->user);
		return 0;
	}
	for (size_t i = 0; i < nitems_of(signals); i++)
		if (span_is(q->name, signals[i].name))
			(void)userid_kill(
			    &c->account, s->pid, signals[i].number);
	return 0;
}

int
answer_hangup(struct conn *c, const struct msg *m)
{
	struct usession *s = usession_find(c, (unsigned)m->u.hangup.session);

	if (s == NULL)
		return 0;
	usession_hangup(c, s);
	if (s->pid == 0)
		usession_free(c, s);
	return 0;
}

/* The network process's word, and good for the log only. */
int
answer_session_bytes(struct conn *c, const struct msg *m)
{
	const struct msg_session_bytes *q = &m->u.session_bytes;

	usession_moved(c, (unsigned)q->session, q->in, q->out);
	return 0;
}

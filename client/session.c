/*
 * Opening sessions. Runs as the user.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/session.h"
#include "client/x11.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define BREAK_MS 1000 /* RFC 4335 */

void
session_spec_done(struct session_spec *spec)
{
	free(spec->term);
	free(spec->command);
	words_done(&spec->env);
	*spec = (struct session_spec){ .term = NULL };
}

static int
step_open(struct session *s)
{
	return ssh_channel_open_session(s->flow->channel);
}

/* A server may have no terminals: the session goes on without, as OpenSSH's. */
static int
step_tty(struct session *s)
{
	int rc;

	if (!s->spec.tty)
		return SSH_OK;
	rc = ssh_channel_request_pty_size(
	    s->flow->channel, s->spec.term, s->spec.cols, s->spec.rows);
	if (rc != SSH_ERROR || ssh_is_connected(s->flow->trunk->ssh) == 0)
		return rc;
	s->tty_refused = true;
	log_info("PTY allocation request failed");
	return SSH_OK;
}

/* A server that says no has programs without a display, as OpenSSH's. */
static int
step_x11(struct session *s)
{
	struct x11 *x = s->spec.x11;
	int rc;

	if (x == NULL)
		return SSH_OK;
	x->asked = true;
	rc = ssh_channel_request_x11(
	    s->flow->channel, 0, X11_PROTOCOL, x->fake_text, x->display.screen);
	if (rc != SSH_ERROR || ssh_is_connected(s->flow->trunk->ssh) == 0)
		return rc;
	log_info("X11 forwarding request failed on channel 0");
	return SSH_OK;
}

/* Asked without an answer: the server forwards it, or there is none there. */
static int
step_agent(struct session *s)
{
	if (!s->spec.agent)
		return SSH_OK;
	return ssh_channel_request_auth_agent(s->flow->channel);
}

/* Servers take few variables, and say no to the others: no matter. */
static int
step_env(struct session *s)
{
	while (s->env_at < s->spec.env.n) {
		AUTOFREE char *name = strdup(s->spec.env.v[s->env_at]);
		char *value = name != NULL ? strchr(name, '=') : NULL;
		int rc = SSH_OK;

		if (value != NULL) {
			*value++ = '\0';
			rc = ssh_channel_request_env(
			    s->flow->channel, name, value);
		}
		if (rc == SSH_AGAIN)
			return rc;
		if (rc == SSH_ERROR)
			log_debug("The server does not take variable %s", name);
		s->env_at++;
	}
	return SSH_OK;
}

static int
step_start(struct session *s)
{
	if (s->spec.subsystem)
		return ssh_channel_request_subsystem(
		    s->flow->channel, s->spec.command);
	if (s->spec.command != NULL)
		return ssh_channel_request_exec(
		    s->flow->channel, s->spec.command);
	return ssh_channel_request_shell(s->flow->channel);
}

static int (*const steps[])(struct session *s) = {
	step_open,
	step_x11,
	step_agent,
	step_tty,
	step_env,
	step_start,
};

int
session_setup(struct flow *f)
{
	struct session *s = f->arg;

	while (s->step < nitems_of(steps)) {
		int rc = steps[s->step](s);

		if (rc != SSH_OK)
			return rc;
		s->step++;
	}
	return SSH_OK;
}

struct session *
session_new(struct trunk *l, const struct flow_ops *ops,
    struct session_spec *spec, void *arg)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->arg = arg;
	s->flow = flow_new(l, ops, "session", s);
	if (s->flow == NULL) {
		free(s);
		return NULL;
	}
	s->spec = *spec;
	*spec = (struct session_spec){ .term = NULL };
	strlcpy(s->flow->name,
	    s->spec.command != NULL ? s->spec.command : "shell",
	    sizeof(s->flow->name));
	return s;
}

void
session_free(struct session *s)
{
	session_spec_done(&s->spec);
	free(s);
}

void
session_resize(struct session *s, int cols, int rows)
{
	s->spec.cols = cols;
	s->spec.rows = rows;
	if (s->flow->open && s->spec.tty && !s->tty_refused)
		(void)ssh_channel_change_pty_size(s->flow->channel, cols, rows);
}

void
session_break(struct session *s)
{
	if (s->flow->open)
		(void)ssh_channel_request_send_break(
		    s->flow->channel, BREAK_MS);
}

/*
 * Environments. Runs in sshd-monitor, and environ_user_file() in the child
 * that already is the user. Values come from the client, the key's line, PAM.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/environ.h"
#include "monitor/forward.h"
#include "monitor/pam.h"
#include "monitor/xauth.h"

#define PATH_USER "/usr/local/bin:/usr/bin:/bin:/usr/games"
#define PATH_ROOT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PAM_INFO "SSH_AUTH_INFO" /* what monitor/pam.c tells modules */
#define USER_FILE_MAX 65536      /* bytes of ~/.ssh/environment that are read */

static int
put_owned(struct environ_list *e, char *assignment)
{
	size_t name_len = strcspn(assignment, "=");
	char **grown;

	for (size_t i = 0; i < e->n; i++)
		if (strncmp(e->v[i], assignment, name_len + 1) == 0) {
			free(e->v[i]);
			e->v[i] = assignment;
			return 0;
		}
	grown = reallocarray(e->v, e->n + 2, sizeof(*grown));
	if (grown == NULL) {
		free(assignment);
		return -ENOMEM;
	}
	e->v = grown;
	e->v[e->n++] = assignment;
	e->v[e->n] = NULL;
	return 0;
}

int
environ_put(struct environ_list *e, const char *assignment)
{
	char *copy;

	if (strchr(assignment, '=') == NULL || *assignment == '=')
		return 0;
	copy = strdup(assignment);
	return copy != NULL ? put_owned(e, copy) : -ENOMEM;
}

int
environ_set(struct environ_list *e, const char *name, const char *value)
{
	char *text;

	if (asprintf(&text, "%s=%s", name, value) < 0)
		return -ENOMEM;
	return put_owned(e, text);
}

void
environ_done(struct environ_list *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i]);
	free(e->v);
	*e = (struct environ_list){ NULL, 0 };
}

bool
may_env(const struct options *o, const char *name)
{
	if (strchr(name, '=') != NULL)
		return false;
	for (size_t i = 0; i < o->accept_env.n; i++)
		if (pattern_match(name, o->accept_env.v[i], PATTERN_CASE))
			return true;
	return false;
}

/* PermitUserEnvironment: yes, no, or patterns of names. */
static bool
may_user_env(const struct options *o, const char *assignment)
{
	const struct user_environment *ue = &o->permit_user_environment;
	AUTOFREE char *name = NULL;

	if (!ue->on)
		return false;
	if (ue->names == NULL)
		return true;
	name = strndup(assignment, strcspn(assignment, "="));
	return name != NULL &&
	       pattern_list_match(name, ue->names, PATTERN_CASE) == 1;
}

static int
put_all(struct environ_list *e, char *const *v, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = environ_put(e, v[i]);
	return rc;
}

static int
put_pam(const struct conn *c, struct environ_list *e)
{
	char **v = pam_environment(c);
	int rc = 0;

	for (size_t i = 0; v != NULL && v[i] != NULL; i++) {
		/* For modules alone; ExposeAuthInfo decides what users see. */
		if (rc == 0 && strncmp(v[i], PAM_INFO, strlen(PAM_INFO)) != 0)
			rc = environ_put(e, v[i]);
		free(v[i]);
	}
	free(v);
	return rc;
}

struct variable {
	const char *name;
	const char *value; /* NULL: not set */
};

static int
put_variables(struct environ_list *e, const struct variable *v, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		if (v[i].value != NULL)
			rc = environ_set(e, v[i].name, v[i].value);
	return rc;
}

static int
put_user(const struct conn *c, struct environ_list *e)
{
	const struct account *a = &c->account;
	char mail[PATH_MAX];
	const struct variable v[] = {
		{ "USER", a->name },
		{ "LOGNAME", a->name },
		{ "HOME", a->home },
		{ "PATH", a->uid == 0 ? PATH_ROOT : PATH_USER },
		/* With PAM it is pam_mail(8) who sets it, or does not. */
		{ "MAIL", c->options.use_pam ? NULL : mail },
		{ "SHELL", a->shell },
		{ "TZ", getenv("TZ") },
	};

	snprintf(mail, sizeof(mail), "%s/%s", _PATH_MAILDIR, a->name);
	return put_variables(e, v, nitems_of(v));
}

static int
put_ssh(const struct conn *c, const struct usession *s, struct environ_list *e)
{
	char client[160], connection[CONN_ENDS_MAX];
	const struct variable v[] = {
		{ "SSH_CLIENT", client },
		{ "SSH_CONNECTION", connection },
		{ "SSH_TTY", s->has_pty ? s->tty : NULL },
		{ "TERM", s->has_pty ? s->term : NULL },
		{ "SSH_ORIGINAL_COMMAND", s->original },
		{ "SSH_AUTH_SOCK", forward_agent_path(c) },
		{ "DISPLAY", s->x11 != NULL ? s->x11->display : NULL },
		{ "SSH_USER_AUTH", c->auth_info_path },
	};

	snprintf(
	    client, sizeof(client), "%s %u %u", c->addr, c->port, c->lport);
	snprintf(connection, sizeof(connection), "%s %u %s %u", c->addr,
	    c->port, c->laddr, c->lport);
	return put_variables(e, v, nitems_of(v));
}

static int
put_key(const struct conn *c, struct environ_list *e)
{
	const struct authkeys_opts *k = &c->key_opts;
	int rc = 0;

	for (size_t i = 0; i < k->nenvironment && rc == 0; i++)
		if (may_user_env(&c->options, k->environment[i]))
			rc = environ_put(e, k->environment[i]);
	return rc;
}

int
environ_make(
    const struct conn *c, const struct usession *s, struct environ_list *out)
{
	struct environ_list e = { NULL, 0 };
	int rc;

	rc = put_all(&e, s->env, s->nenv);
	if (rc == 0)
		rc = put_user(c, &e);
	if (rc == 0)
		rc = put_pam(c, &e);
	if (rc == 0)
		rc = put_key(c, &e);
	if (rc != 0) {
		environ_done(&e);
		return rc;
	}
	*out = e;
	return 0;
}

int
environ_bare(
    const struct conn *c, const struct usession *s, struct environ_list *out)
{
	struct environ_list e = { NULL, 0 };
	int rc = put_user(c, &e);

	if (rc == 0)
		rc = put_ssh(c, s, &e);
	if (rc != 0) {
		environ_done(&e);
		return rc;
	}
	*out = e;
	return 0;
}

static int
put_user_file(const struct conn *c, struct environ_list *e)
{
	AUTOFREE char *text = NULL;
	AUTOCLOSE int fd = -1;
	char *save = NULL;
	int rc = 0;

	if (!c->options.permit_user_environment.on)
		return 0;
	fd = open(".ssh/environment", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	text = calloc(1, USER_FILE_MAX + 1);
	if (text == NULL)
		return -ENOMEM;
	if (fd < 0 || read(fd, text, USER_FILE_MAX) <= 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &save); line != NULL && rc == 0;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line != '#' && may_user_env(&c->options, line))
			rc = environ_put(e, line);
	}
	return rc;
}

int
environ_finish(
    const struct conn *c, const struct usession *s, struct environ_list *e)
{
	const struct words *set_env = &c->options.set_env;
	int rc = put_user_file(c, e);

	if (rc == 0)
		rc = put_all(e, set_env->v, set_env->n);
	if (rc == 0)
		rc = put_ssh(c, s, e);
	return rc;
}

/*
 * PAM. Runs in sshd-monitor as root, under the connection's login deadline.
 * The user's name, password and answers come from the network; the modules are
 * the administrator's.
 */
#include "config.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/kbdint.h"
#include "monitor/pam.h"
#include "monitor/password.h"

#define PAM_TEXT_MAX 8192    /* bytes of modules' messages that are kept */
#define PAM_TTY_BEFORE "ssh" /* modules want some terminal's name */

struct pam {
	struct conn *conn;
	pam_handle_t *handle;
	const char *password; /* only while pam_password() runs */
	bool asks;            /* only while pam_interactive() runs */
	unsigned rounds;      /* of its questions so far */
	bool account_asked;
	int account; /* 0 or -EACCES, once asked */
	bool credentials;
	bool session_asked;
	int verdict; /* of opening the session: 0 or -EACCES, once asked */
	bool session;
	char text[PAM_TEXT_MAX];
};

static void
keep_text(struct pam *p, const char *text)
{
	strlcat(p->text, text, sizeof(p->text));
	strlcat(p->text, "\n", sizeof(p->text));
}

static void
free_replies(struct pam_response *replies, int n)
{
	for (int i = 0; i < n; i++) {
		char *text = replies[i].resp;

		if (text != NULL)
			explicit_bzero(text, strlen(text));
		free(text);
	}
	free(replies);
}

static bool
is_text(const struct pam_message *m)
{
	return m->msg_style == PAM_TEXT_INFO || m->msg_style == PAM_ERROR_MSG;
}

/* The one thing that a module may ask for is the password. */
static int
give_password(struct pam *p, int n, const struct pam_message **questions,
    struct pam_response *replies)
{
	for (int i = 0; i < n; i++) {
		if (is_text(questions[i])) {
			keep_text(p, questions[i]->msg);
			continue;
		}
		if (questions[i]->msg_style == PAM_PROMPT_ECHO_OFF &&
		    p->password != NULL)
			replies[i].resp = strdup(p->password);
		if (replies[i].resp == NULL)
			return PAM_CONV_ERR;
	}
	return PAM_SUCCESS;
}

/*
 * An answer that can open nothing, of the same length: for users who do not
 * exist or may not log in this way, who shall cost what others cost.
 */
static void
spoil(char *answer)
{
	static const char junk[] = "\b\n\r\177INCORRECT";

	for (size_t i = 0; answer[i] != '\0'; i++)
		answer[i] = junk[i % (sizeof(junk) - 1)];
}

/* What modules said and asked in one call is one round for the client. */
static int
ask_client(struct pam *p, int n, const struct pam_message **questions,
    struct pam_response *replies)
{
	struct kbdint_prompt prompts[KBDINT_PROMPTS_MAX];
	char *answers[KBDINT_PROMPTS_MAX];
	struct kbdint_round round = { p->text, prompts, 0 };
	size_t next = 0;

	if (p->rounds++ >= KBDINT_ROUNDS_MAX)
		return PAM_CONV_ERR;
	for (int i = 0; i < n; i++) {
		int style = questions[i]->msg_style;

		if (is_text(questions[i]))
			keep_text(p, questions[i]->msg);
		else if (style == PAM_PROMPT_ECHO_ON ||
			 style == PAM_PROMPT_ECHO_OFF)
			prompts[round.n++] =
			    (struct kbdint_prompt){ questions[i]->msg,
				    style == PAM_PROMPT_ECHO_ON };
		else
			return PAM_CONV_ERR;
	}
	if (kbdint_ask(p->conn, &round, answers) != 0)
		return PAM_CONV_ERR;
	p->text[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (is_text(questions[i]))
			continue;
		replies[i].resp = answers[next++];
		if (!may_type(p->conn))
			spoil(replies[i].resp);
	}
	return PAM_SUCCESS;
}

_Static_assert(KBDINT_PROMPTS_MAX >= PAM_MAX_NUM_MSG, "a call is one round");

static int
converse(int n, const struct pam_message **questions,
    struct pam_response **out_replies, void *arg)
{
	struct pam *p = arg;
	struct pam_response *replies;
	int rc;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	replies = calloc((size_t)n, sizeof(*replies));
	if (replies == NULL)
		return PAM_BUF_ERR;
	rc = p->asks ? ask_client(p, n, questions, replies)
		     : give_password(p, n, questions, replies);
	if (rc != PAM_SUCCESS) {
		free_replies(replies, n);
		return rc;
	}
	*out_replies = replies;
	return PAM_SUCCESS;
}

/* Modules ask for delays after failures; the answer's own pad covers that. */
static void
no_delay(int status, unsigned usec, void *arg)
{
	(void)status;
	(void)usec;
	(void)arg;
}

static bool
set_items(const struct conn *c, pam_handle_t *handle)
{
	void (*delay)(int, unsigned, void *) = no_delay;
	const void *delay_item;
	char connection[CONN_ENDS_MAX];

	memcpy(&delay_item, &delay, sizeof(delay_item));
	/* As OpenSSH: modules may look at it. */
	snprintf(connection, sizeof(connection), "SSH_CONNECTION=%s %u %s %u",
	    c->addr, c->port, c->laddr, c->lport);
	return pam_set_item(handle, PAM_RHOST, conn_host(c)) == PAM_SUCCESS &&
	       pam_set_item(handle, PAM_TTY, PAM_TTY_BEFORE) == PAM_SUCCESS &&
	       pam_set_item(handle, PAM_FAIL_DELAY, delay_item) ==
		   PAM_SUCCESS &&
	       pam_putenv(handle, connection) == PAM_SUCCESS;
}

int
pam_begin(struct conn *c)
{
	const char *service = c->options.pam_service_name;
	struct pam_conv conv = { converse, NULL };
	struct pam *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return -ENOMEM;
	conv.appdata_ptr = p;
	rc = pam_start(service, c->user, &conv, &p->handle);
	if (rc != PAM_SUCCESS) {
		log_error("PAM: service %s cannot be used: %s", service,
		    pam_strerror(NULL, rc));
		free(p);
		return -EIO;
	}
	c->pam = p;
	p->conn = c;
	if (set_items(c, p->handle))
		return 0;
	pam_done(c);
	return -EIO;
}

/*
 * After every step: the user that PAM now means must be the one who asked. A
 * module that maps names would let one user's password open another's account.
 */
static int
same_user(const struct conn *c)
{
	const void *user = NULL;

	if (pam_get_item(c->pam->handle, PAM_USER, &user) != PAM_SUCCESS ||
	    user == NULL || strcmp(user, c->user) != 0) {
		log_error("PAM: a module changed the user of this login from "
			  "%s; refused",
		    c->user);
		return -EACCES;
	}
	return 0;
}

static int
empty_flag(const struct conn *c)
{
	return c->options.permit_empty_passwords ? 0
						 : PAM_DISALLOW_NULL_AUTHTOK;
}

/* What has succeeded so far, for modules to look at: as OpenSSH names it. */
static void
show_info(const struct conn *c)
{
	AUTOFREE char *text = NULL;

	if (asprintf(&text, "SSH_AUTH_INFO_0=%s",
		c->auth_info != NULL ? c->auth_info : "") < 0)
		text = NULL;
	else
		(void)pam_putenv(c->pam->handle, text);
}

int
pam_password(struct conn *c, const char *password)
{
	struct pam *p = c->pam;
	int flags = PAM_SILENT | empty_flag(c);
	int rc;

	show_info(c);
	p->password = password;
	rc = pam_authenticate(p->handle, flags);
	p->password = NULL;
	if (rc != PAM_SUCCESS) {
		log_debug("PAM: password authentication: %s",
		    pam_strerror(p->handle, rc));
		return -EACCES;
	}
	return same_user(c);
}

static int
ask_account(struct conn *c)
{
	int rc;

	show_info(c);
	rc = pam_acct_mgmt(c->pam->handle, 0);
	if (rc == PAM_NEW_AUTHTOK_REQD) {
		c->must_change = true;
		rc = PAM_SUCCESS;
	}
	if (rc != PAM_SUCCESS) {
		log_info("PAM: account %s may not be used: %s", c->user,
		    pam_strerror(c->pam->handle, rc));
		log_error("Access denied for user %s by PAM account "
			  "configuration [preauth]",
		    c->user);
		return -EACCES;
	}
	return same_user(c);
}

int
pam_account(struct conn *c)
{
	if (!c->pam->account_asked)
		c->pam->account = ask_account(c);
	c->pam->account_asked = true;
	return c->pam->account;
}

/* Who they are, whether they may, and a new password if that is due. */
static int
authenticate(struct conn *c)
{
	pam_handle_t *handle = c->pam->handle;
	int rc;

	show_info(c);
	rc = pam_authenticate(handle, empty_flag(c));
	if (rc == PAM_SUCCESS && same_user(c) != 0)
		return PAM_USER_UNKNOWN;
	if (rc == PAM_SUCCESS && pam_account(c) != 0)
		return PAM_ACCT_EXPIRED;
	if (rc == PAM_SUCCESS && c->must_change) {
		rc = pam_chauthtok(handle, PAM_CHANGE_EXPIRED_AUTHTOK);
		c->must_change = rc != PAM_SUCCESS;
	}
	if (rc == PAM_SUCCESS && same_user(c) != 0)
		return PAM_USER_UNKNOWN;
	return rc;
}

int
pam_interactive(struct conn *c)
{
	struct pam *p = c->pam;
	int rc;

	p->asks = true;
	p->rounds = 0;
	rc = authenticate(c);
	p->asks = false;
	if (rc == PAM_SUCCESS)
		return may_type(c) ? 0 : -EACCES;
	if (p->rounds != 0 && c->waiting.id == MSG_NONE && !c->ended)
		password_make_up(c);
	/* Tools that ban addresses look for this line. */
	if (c->waiting.id == MSG_NONE && !c->ended)
		log_error("PAM: %s for %s%s from %s",
		    pam_strerror(p->handle, rc),
		    c->valid ? "" : "illegal user ", c->user, c->addr);
	return -EACCES;
}

static int
open_session(struct conn *c, const char *tty)
{
	struct pam *p = c->pam;
	int rc;

	show_info(c);
	if (tty != NULL)
		pam_set_item(p->handle, PAM_TTY, tty);
	rc = pam_setcred(p->handle, PAM_ESTABLISH_CRED);
	p->credentials = rc == PAM_SUCCESS;
	if (rc == PAM_SUCCESS)
		rc = pam_open_session(p->handle, 0);
	if (rc != PAM_SUCCESS) {
		log_error("PAM: no session for %s: %s", c->user,
		    pam_strerror(p->handle, rc));
		return -EACCES;
	}
	p->session = true;
	return same_user(c);
}

int
pam_session(struct conn *c, const char *tty)
{
	if (!c->pam->session_asked)
		c->pam->verdict = open_session(c, tty);
	c->pam->session_asked = true;
	return c->pam->verdict;
}

int
pam_child_credentials(struct conn *c)
{
	return pam_setcred(c->pam->handle, PAM_REINITIALIZE_CRED) == PAM_SUCCESS
		   ? 0
		   : -EACCES;
}

char **
pam_environment(const struct conn *c)
{
	return c->pam != NULL ? pam_getenvlist(c->pam->handle) : NULL;
}

const char *
pam_messages(const struct conn *c)
{
	return c->pam != NULL ? c->pam->text : "";
}

void
pam_messages_done(struct conn *c)
{
	if (c->pam != NULL)
		c->pam->text[0] = '\0';
}

void
pam_done(struct conn *c)
{
	struct pam *p = c->pam;

	if (p == NULL)
		return;
	if (p->session)
		pam_close_session(p->handle, PAM_SILENT);
	if (p->credentials)
		pam_setcred(p->handle, PAM_DELETE_CRED | PAM_SILENT);
	pam_end(p->handle, PAM_SUCCESS);
	free(p);
	c->pam = NULL;
}

/*
 * PAM. Runs in sshd-monitor as root, under the connection's login deadline.
 * The user's name and password come from the network; the modules are the
 * administrator's.
 */
#include "config.h"

#include <security/pam_appl.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/pam.h"

#define PAM_TEXT_MAX 8192    /* bytes of modules' messages that are kept */
#define PAM_TTY_BEFORE "ssh" /* modules want some terminal's name */

struct pam {
	pam_handle_t *handle;
	const char *password; /* only while pam_password() runs */
	bool account_asked;
	int account; /* 0 or -EACCES, once asked */
	bool credentials;
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
	for (int i = 0; i < n; i++)
		free(replies[i].resp);
	free(replies);
}

/*
 * The conversation: the one thing a module may ask for is the password. A
 * question with echo has no answer here, and fails.
 */
static int
converse(int n, const struct pam_message **questions,
    struct pam_response **out_replies, void *arg)
{
	struct pam *p = arg;
	struct pam_response *replies;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	replies = calloc((size_t)n, sizeof(*replies));
	if (replies == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		int style = questions[i]->msg_style;
		bool text = style == PAM_TEXT_INFO || style == PAM_ERROR_MSG;

		if (text) {
			keep_text(p, questions[i]->msg);
			continue;
		}
		if (style == PAM_PROMPT_ECHO_OFF && p->password != NULL)
			replies[i].resp = strdup(p->password);
		if (replies[i].resp == NULL) {
			free_replies(replies, n);
			return PAM_CONV_ERR;
		}
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

static int
set_items(const struct conn *c, pam_handle_t *handle)
{
	void (*delay)(int, unsigned, void *) = no_delay;
	const void *delay_item;

	memcpy(&delay_item, &delay, sizeof(delay_item));
	return pam_set_item(handle, PAM_RHOST, c->addr) == PAM_SUCCESS &&
		       pam_set_item(handle, PAM_TTY, PAM_TTY_BEFORE) ==
			   PAM_SUCCESS &&
		       pam_set_item(handle, PAM_FAIL_DELAY, delay_item) ==
			   PAM_SUCCESS
		   ? 0
		   : -EIO;
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
	if (set_items(c, p->handle) == 0)
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

int
pam_password(struct conn *c, const char *password)
{
	struct pam *p = c->pam;
	int flags = PAM_SILENT;
	int rc;

	if (!c->options.permit_empty_passwords)
		flags |= PAM_DISALLOW_NULL_AUTHTOK;
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
	int rc = pam_acct_mgmt(c->pam->handle, 0);

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

int
pam_session(struct conn *c, const char *tty)
{
	struct pam *p = c->pam;
	int rc;

	if (p->session)
		return 0;
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

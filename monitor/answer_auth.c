/*
 * Authentication (RFC 4252): the monitor decides, and keeps the record. Runs
 * in sshd-monitor as root; every message is hostile.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/answer.h"
#include "monitor/authlog.h"
#include "monitor/chain.h"
#include "monitor/event.h"
#include "monitor/claim.h"
#include "monitor/keyauth.h"
#include "monitor/loginrec.h"
#include "monitor/pad.h"
#include "monitor/pam.h"
#include "monitor/password.h"

#define RESULT_TEXT_MAX 8192 /* of AUTH_RESULT's text */

/* One attempt: what it was, what came of it, what its key permits. */
struct attempt {
	unsigned
	    method; /* its bit, of enum auth_method; 0: none that we have */
	int rc;     /* 0: proved */
	struct keyauth_say say;
	const char *text; /* for the user, or NULL */
	bool proof;       /* a password or a signature, no mere question */
	struct authkeys_opts opts;
	struct timespec began;
};

/* --- the verdict */

/* PermitRootLogin. */
static int
may_root(const struct conn *c, const struct attempt *a)
{
	bool ok = false;

	if (c->account.uid != 0)
		return 0;
	switch ((enum permit_root)c->options.permit_root_login) {
	case ROOT_YES:
		ok = true;
		break;
	case ROOT_NO_PASSWORD:
		ok = a->method == METHOD_PUBLICKEY;
		break;
	case ROOT_FORCED_COMMANDS:
		ok = a->method == METHOD_PUBLICKEY &&
		     c->key_opts.command != NULL;
		if (ok)
			log_info("Root login accepted for forced command.");
		break;
	case ROOT_NO:
		break;
	}
	if (ok)
		return 0;
	log_info("ROOT LOGIN REFUSED FROM %s port %u", c->addr, c->port);
	return -EACCES;
}

/* What must hold besides what was proved, at each step. */
static int
may_step(struct conn *c, struct attempt *a)
{
	if (!c->valid || c->probe)
		return -EACCES;
	if (a->method == METHOD_PUBLICKEY &&
	    authkeys_merge(&c->key_opts, &a->opts) != 0) {
		log_error("Inconsistent options: forced command options do "
			  "not match");
		return -EACCES;
	}
	return may_root(c, a);
}

/* And at the last one. */
static int
may_login(struct conn *c, struct attempt *a)
{
	int rc = 0;

	if (c->options.use_pam) {
		rc = pam_account(c);
		/* pam_nologin, say, or what pam_unix has to say of an old
		 * password: the user shall know. */
		a->text = pam_messages(c);
	}
	return rc;
}

/* What the login may do: the keys' grants, less what the server withholds. */
static uint32_t
grants_of(const struct conn *c)
{
	uint32_t grants = c->key_opts.grants;

	if (!c->options.permit_tty)
		grants &= ~(uint32_t)GRANT_PTY;
	if (!c->options.permit_user_rc)
		grants &= ~(uint32_t)GRANT_USER_RC;
	/* A password that has expired is good for changing it. */
	if (c->must_change)
		grants &= GRANT_PTY;
	return grants;
}

/* The one place where a login is granted. */
static int
auth_grant(struct conn *c, struct attempt *a)
{
	struct msg login = { .id = MSG_LOGIN };

	c->granted = true;
	c->grants = grants_of(c);
	c->net.phase = PH_SESSION;
	authlog_result(c, VERDICT_GRANTED, chain_name(a->method), a->say.info);
	event_authenticated(c, chain_name(a->method));
	login.u.login.user = span_of(c->user, strlen(c->user));
	return chan_send(&c->sshd, &login, NULL, 0);
}

/* MaxAuthTries; sshd's own proof has to come to its end whatever that is. */
static bool
may_try_again(const struct conn *c)
{
	return c->probe || c->failures < (unsigned)c->options.max_auth_tries;
}

/* To be called when a failure has been counted. */
static void
tell_too_many(const struct conn *c)
{
	if (may_try_again(c))
		return;
	authlog_max_tries(c);
	event_rejected(c, "too many authentication failures");
}

static void
auth_refuse(struct conn *c, const struct attempt *a)
{
	struct msg failed = { .id = MSG_AUTH_FAILED };

	c->failures++;
	authlog_result(c, VERDICT_DENIED, chain_name(a->method), a->say.info);
	if (a->proof && c->lab != NULL)
		(void)chan_send(&c->sshd, &failed, NULL, 0);
	if (a->method == METHOD_PASSWORD || a->method == METHOD_KBDINT)
		loginrec_failed(c);
	tell_too_many(c);
}

static int
reply_result(struct conn *c, enum auth_verdict verdict, const char *text)
{
	struct msg reply = { .id = MSG_AUTH_RESULT };

	reply.u.auth_result.verdict = verdict;
	reply.u.auth_result.methods = chain_told(c);
	/* That a key would be good is no attempt yet. */
	reply.u.auth_result.last =
	    verdict != VERDICT_GRANTED && !may_try_again(c);
	if (text != NULL)
		reply.u.auth_result.text =
		    span_of(text, strnlen(text, RESULT_TEXT_MAX));
	return chan_send(&c->net, &reply, NULL, 0);
}

static void
attempt_begin(struct attempt *a, unsigned method)
{
	*a = (struct attempt){ .method = method, .rc = -EACCES };
	clock_gettime(CLOCK_MONOTONIC, &a->began);
}

static void
attempt_done(struct attempt *a)
{
	free(a->say.info);
	free(a->say.line);
	authkeys_opts_done(&a->opts);
}

/* Note what has succeeded: "publickey TYPE BASE64", "password". */
static int
add_info(struct conn *c, const struct attempt *a)
{
	const char *line =
	    a->say.line != NULL ? a->say.line : chain_name(a->method);
	char *longer;

	if (asprintf(&longer, "%s%s\n",
		c->auth_info != NULL ? c->auth_info : "", line) < 0)
		return -ENOMEM;
	free(c->auth_info);
	c->auth_info = longer;
	return 0;
}

/* A method has succeeded; is it the last that is wanted, and may they in? */
static int
succeed(struct conn *c, struct attempt *a, enum auth_verdict *out_verdict)
{
	bool last = chain_completes(c, a->method);
	int rc = may_step(c, a);

	if (rc == 0)
		rc = add_info(c, a);
	if (rc == 0 && last)
		rc = may_login(c, a);
	if (rc != 0)
		return rc;
	chain_advance(c, a->method);
	*out_verdict = last ? VERDICT_GRANTED : VERDICT_PARTIAL;
	if (last)
		return 0;
	authlog_result(c, VERDICT_PARTIAL, chain_name(a->method), a->say.info);
	return 0;
}

/* Grant or refuse, say so, and let go of the attempt. */
static int
attempt_end(struct conn *c, struct attempt *a)
{
	enum auth_verdict verdict = VERDICT_DENIED;
	int rc = 0;

	if (a->rc == 0)
		a->rc = succeed(c, a, &verdict);
	if (a->rc != 0) {
		auth_refuse(c, a);
		pad_answer(c, &a->began);
	} else if (verdict == VERDICT_GRANTED) {
		rc = auth_grant(c, a);
	}
	if (rc == 0)
		rc = reply_result(c, verdict, a->text);
	if (a->text != NULL)
		pam_messages_done(c);
	attempt_done(a);
	return rc;
}

/*
 * The user must be known first, and no attempt follows the last one.
 * MaxAuthTries 0 leaves the first, which then must not fail.
 */
static int
may_attempt(const struct conn *c)
{
	return c->user != NULL && (c->failures == 0 || may_try_again(c))
		   ? 0
		   : -EPROTO;
}

/* Whether the method is one of those that come next. */
static bool
may_try(const struct conn *c, const struct attempt *a)
{
	return (chain_methods(c) & a->method) != 0;
}

/* --- the methods */

int
answer_auth_none(struct conn *c, const struct msg *m)
{
	struct attempt a;
	int rc = may_attempt(c);

	(void)m;
	if (rc != 0)
		return rc;
	attempt_begin(&a, CHAIN_NONE);
	if (may_try(c, &a))
		a.rc = password_check(c, "");
	if (c->lab != NULL && c->lab->auth_none && c->valid)
		a.rc = 0;
	if (a.rc == 0)
		return attempt_end(c, &a);
	/* The first is how clients ask what there is, and costs no attempt. */
	if (c->net.counts[MSG_AUTH_NONE] > 1)
		c->failures++;
	tell_too_many(c);
	/* An empty password may have been looked for, of real users only. */
	pad_answer(c, &a.began);
	return reply_result(c, VERDICT_DENIED, NULL);
}

int
answer_auth_password(struct conn *c, const struct msg *m)
{
	struct span secret = m->u.auth_password.password;
	struct attempt a;
	char password[MSG_PASSWORD_MAX + 1];
	int rc = may_attempt(c);

	if (rc != 0)
		return rc;
	attempt_begin(&a, METHOD_PASSWORD);
	a.proof = true;
	memcpy(password, secret.p, secret.len);
	password[secret.len] = '\0';
	chan_wipe(&c->net);
	/* A NUL inside would check less than what was typed. */
	if (may_try(c, &a) && strlen(password) == secret.len)
		a.rc = password_check(c, password);
	explicit_bzero(password, sizeof(password));
	return attempt_end(c, &a);
}

int
answer_auth_key(struct conn *c, const struct msg *m)
{
	struct attempt a;
	int rc = may_attempt(c);

	if (rc != 0)
		return rc;
	attempt_begin(&a, METHOD_PUBLICKEY);
	if (may_try(c, &a))
		a.rc = keyauth_query(c, m->u.auth_key.key, &a.say.info);
	if (a.rc != 0)
		return attempt_end(c, &a);
	log_verbose("Accepted key %s for %s from %s port %u", a.say.info,
	    c->user, c->addr, c->port);
	attempt_done(&a);
	return reply_result(c, VERDICT_GRANTED, NULL);
}

int
answer_auth_signature(struct conn *c, const struct msg *m)
{
	struct attempt a;
	int rc = may_attempt(c);

	if (rc != 0)
		return rc;
	attempt_begin(&a, METHOD_PUBLICKEY);
	a.proof = true;
	c->verifies++;
	if (may_try(c, &a))
		a.rc = keyauth_verify(c, &m->u.auth_signature, &a.opts, &a.say);
	if (a.rc == 0)
		a.rc = may_claim(c);
	return attempt_end(c, &a);
}

/*
 * The client began something else while PAM asked. The attempt is over and
 * counts, or modules that do something before they ask could be made to do it
 * without end; what came is answered in its place.
 */
static int
answer_waiting(struct conn *c, struct attempt *a)
{
	struct msg m = c->waiting;

	c->waiting.id = MSG_NONE;
	auth_refuse(c, a);
	attempt_done(a);
	if (may_attempt(c) != 0)
		return reply_result(c, VERDICT_DENIED, NULL);
	return answer(c, &m);
}

int
answer_auth_kbdint(struct conn *c, const struct msg *m)
{
	struct attempt a;
	int rc = may_attempt(c);

	(void)m;
	if (rc != 0)
		return rc;
	attempt_begin(&a, METHOD_KBDINT);
	c->answered = a.began;
	if (may_try(c, &a) && c->pam != NULL)
		a.rc = pam_interactive(c);
	if (c->ended)
		return 0;
	if (c->waiting.id != MSG_NONE)
		return answer_waiting(c, &a);
	/* The time that the user took to answer is no work of ours. */
	a.began = c->answered;
	return attempt_end(c, &a);
}

/* Nothing was asked: kbdint_ask() takes the answers to what was. */
int
answer_auth_answers(struct conn *c, const struct msg *m)
{
	(void)c;
	(void)m;
	return -EPROTO;
}

int
answer_auth_dropped(struct conn *c, const struct msg *m)
{
	struct attempt a;
	int rc = may_attempt(c);

	(void)m;
	if (rc != 0)
		return rc;
	attempt_begin(&a, 0);
	return attempt_end(c, &a);
}

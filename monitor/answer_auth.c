/*
 * Authentication (RFC 4252): the monitor decides, and keeps the record. Runs
 * in sshd-monitor as root; every message is hostile.
 */
#include "config.h"

#include <fcntl.h>
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
#include "monitor/dns.h"
#include "monitor/keyauth.h"
#include "monitor/loginrec.h"
#include "monitor/pad.h"
#include "monitor/pam.h"
#include "monitor/password.h"

#define BANNER_MAX 16384     /* bytes of AUTH_METHODS' banner */
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

/* --- who */

static int
read_text(const char *path, struct writer *out)
{
	AUTOCLOSE int fd = -1;
	uint8_t buf[BANNER_MAX / 2];
	ssize_t n;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	if (n < 0) {
		log_error("%s: %s", path, err_str(-errno));
		return 0;
	}
	/* RFC 4252 section 5.4 has text, which a NUL would cut. */
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] == '\0')
			buf[i] = ' ';
	writer_bytes(out, buf, (size_t)n);
	return writer_end(out);
}

/* Banner; and where PAM does not do it, why nobody may log in just now. */
static int
read_banner(const struct conn *c, struct writer *out)
{
	const char *path = c->options.banner;
	int rc = 0;

	if (path != NULL && strcasecmp(path, "none") != 0)
		rc = read_text(path, out);
	if (rc == 0 && !c->options.use_pam && c->account.uid != 0 &&
	    access(ACCOUNT_NOLOGIN, F_OK) == 0)
		rc = read_text(ACCOUNT_NOLOGIN, out);
	return rc;
}

/* What the client may be told of. */
static unsigned
methods_of(const struct conn *c)
{
	/* The proof is refused by one, also where only Match offers any. */
	if (c->probe)
		return METHOD_PUBLICKEY;
	return chain_methods(c) & ~(unsigned)CHAIN_NONE;
}

/* The options that Match blocks give this user. */
static int
resolve_options(struct conn *c)
{
	struct match_ctx ctx = {
		/* Where the name service knows several spellings, all get
		 * what was written for the account. */
		.user = c->account.exists ? c->account.name : c->user,
		.invalid_user = !c->account.exists,
		.host = c->host,
		.addr = c->addr,
		.laddr = c->laddr,
		.lport = c->lport,
	};
	struct options o;
	int rc;

	if (conf_uses(c->conf, MATCH_GROUP)) {
		rc = account_groups(&c->account);
		if (rc != 0 && rc != -EMSGSIZE)
			return rc;
		ctx.groups = (const char *const *)c->account.groups;
		ctx.ngroups = c->account.ngroups;
	}
	rc = conf_resolve(c->conf, &ctx, &o);
	if (rc != 0)
		return rc;
	options_free(&c->options);
	c->options = o;
	return 0;
}

/* Whom omniedge-ssh-server serves. */
static void
judge_lab(struct conn *c)
{
	const char *why;

	if (c->lab == NULL || !c->valid ||
	    may_use_lab(c->lab, c->user, &c->account, &why) == 0)
		return;
	c->valid = false;
	log_info(
	    "User %s from %s not allowed because %s", c->user, c->addr, why);
}

static void
judge_account(struct conn *c)
{
	struct account_peer peer = { c->addr, c->host, c->options.use_pam,
		c->lab != NULL };
	char why[OPTION_WHY_MAX] = "";
	int rc;

	rc = may_use_account(&c->account, &c->options, &peer, why);
	c->valid = rc == 0;
	if (c->valid || c->probe)
		return;
	if (c->account.exists && rc == -EPERM)
		log_info("User %s not allowed because %s", c->user, why);
	else if (c->account.exists)
		log_info("User %s from %s not allowed because %s", c->user,
		    conn_host(c), why);
	else
		authlog_invalid_user(c);
}

/* RefuseConnection, which Match may set for some. */
static bool
is_refused(struct conn *c)
{
	if (!c->options.refuse_connection || c->probe)
		return false;
	log_info("administratively prohibited connection for %s%s from %s "
		 "port %u",
	    c->valid ? "" : "invalid user ", c->user, c->addr, c->port);
	c->refused = c->ended = true;
	return true;
}

/* Who it is, what holds for them, and whether PAM is there for it. */
static int
begin_user(struct conn *c, struct span name)
{
	int rc;

	c->user = strndup((const char *)name.p, name.len);
	if (c->user == NULL)
		return -ENOMEM;
	if (c->options.use_dns && !c->probe)
		c->host = dns_name(c->addr);
	rc = account_find(
	    c->lab != NULL ? lab_local_name(c->lab, c->user) : c->user,
	    &c->account);
	if (rc == 0)
		rc = resolve_options(c);
	if (rc != 0)
		return rc;
	log_open(
	    "sshd", c->sink, c->options.syslog_facility, conn_log_level(c));
	judge_account(c);
	judge_lab(c);
	/* A login whose PAM cannot start is refused, as an unknown user is. */
	if (c->options.use_pam && !c->probe && pam_begin(c) != 0)
		c->valid = false;
	rc = chain_begin(c);
	return rc == -EACCES ? 0 : rc;
}

int
answer_auth_user(struct conn *c, const struct msg *m)
{
	struct msg reply = { .id = MSG_AUTH_METHODS };
	AUTO(writer_done) struct writer banner = WRITER_INIT;
	struct timespec began;
	int rc;

	clock_gettime(CLOCK_MONOTONIC, &began);
	rc = begin_user(c, m->u.auth_user.user);
	if (rc != 0)
		return rc;
	if (is_refused(c))
		return 0;
	rc = read_banner(c, &banner);
	if (rc != 0)
		return rc;
	setproctitle("%s [monitor]", c->valid ? c->user : "unknown");
	reply.u.auth_methods.methods = methods_of(c);
	reply.u.auth_methods.banner = span_of(banner.p, banner.len);
	/* What the look-up took would tell who exists. */
	pad_answer(c, &began);
	return chan_send(&c->net, &reply, NULL, 0);
}

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
	if (may_try_again(c))
		return;
	authlog_max_tries(c);
	event_rejected(c, "too many authentication failures");
}

static int
reply_result(struct conn *c, enum auth_verdict verdict, const char *text)
{
	struct msg reply = { .id = MSG_AUTH_RESULT };

	reply.u.auth_result.verdict = verdict;
	reply.u.auth_result.methods = methods_of(c);
	reply.u.auth_result.last = !c->granted && !may_try_again(c);
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

/* The user must be known first, and no attempt follows the last one. */
static int
may_attempt(const struct conn *c)
{
	return c->user != NULL && may_try_again(c) ? 0 : -EPROTO;
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
	/* An empty password may have been looked for, of real users only. */
	pad_answer(c, &a.began);
	return reply_result(c, VERDICT_DENIED, NULL);
}

int
answer_auth_password(struct conn *c, const struct msg *m)
{
	struct span secret = m->u.auth_password.password;
	struct attempt a;
	char password[1025];
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

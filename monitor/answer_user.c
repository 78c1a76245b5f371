/*
 * Who wants to log in (RFC 4252 section 5): the account, what Match says of it,
 * and what the client is told first. Runs in sshd-monitor as root; the name is
 * hostile.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/answer.h"
#include "monitor/authlog.h"
#include "monitor/chain.h"
#include "monitor/dns.h"
#include "monitor/pad.h"
#include "monitor/pam.h"

static int
read_text(const char *path, struct writer *out)
{
	AUTOCLOSE int fd = -1;
	uint8_t buf[BANNER_FILE_MAX];
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
		.rdomain = c->rdomain,
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
	reply.u.auth_methods.methods = chain_told(c);
	reply.u.auth_methods.banner = span_of(banner.p, banner.len);
	/* What the look-up took would tell who exists. */
	pad_answer(c, &began);
	return chan_send(&c->net, &reply, NULL, 0);
}

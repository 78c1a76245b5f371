/*
 * Passwords. Runs in sshd-monitor as root; user and password come from the
 * network.
 */
#include "config.h"

#include <crypt.h>
#include <shadow.h>
#include <string.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/pam.h"
#include "monitor/password.h"

/* What is checked in place of a password that must not open anything. */
#define IMPOSSIBLE_PASSWORD "\b\n\r\177INCORRECT"
#define SECONDS_A_DAY 86400
/* Of an account that has no hash: any method of the cost that is usual. */
#define USUAL_HASH "$6$aaaaaaaaaaaaaaaa$"

static bool
shadow_match(const char *password, const char *hash)
{
	struct crypt_data data = { .initialized = 0 };
	const char *made = crypt_r(password, hash, &data);
	bool same = made != NULL && made[0] != '*' && strcmp(made, hash) == 0;

	explicit_bzero(&data, sizeof(data));
	return same;
}

/* Whether the password must be changed before it is good for anything else. */
static bool
shadow_expired(const struct spwd *sp)
{
	long today = (long)(time(NULL) / SECONDS_A_DAY);

	return sp->sp_lstchg == 0 || (sp->sp_lstchg > 0 && sp->sp_max >= 0 &&
					 today > sp->sp_lstchg + sp->sp_max);
}

/* shadow(5) alone. Unknown users take this path too, with a hash of no one. */
static int
shadow_check(struct conn *c, const char *password)
{
	const struct spwd *sp = getspnam(c->account.name);
	const char *hash = sp != NULL ? sp->sp_pwdp : NULL;
	bool expired = sp != NULL && shadow_expired(sp);
	bool usable = c->valid && hash != NULL && *hash != '\0' &&
		      *hash != '!' && *hash != '*';
	bool same = shadow_match(password, usable ? hash : USUAL_HASH);

	if (c->valid && hash != NULL && *hash == '\0')
		same = usable =
		    c->options.permit_empty_passwords && *password == '\0';
	if (!usable || !same)
		return -EACCES;
	c->must_change |= expired;
	return 0;
}

bool
may_type(const struct conn *c)
{
	return c->valid && (c->account.uid != 0 ||
			       c->options.permit_root_login == ROOT_YES);
}

/* The password of omniedge-ssh-server, which opens every account it serves. */
static int
lab_check(struct conn *c, const char *password)
{
	uint64_t count;

	if (!shadow_match(password, c->lab->hash) || !c->valid)
		return -EACCES;
	/* Of all who know it, the kernel gives the count to one. */
	if (c->lab->one_time &&
	    read(c->once_fd, &count, sizeof(count)) != sizeof(count)) {
		log_info("the one-time password has been used already; refused "
			 "for %s from %s port %u",
		    c->user, c->addr, c->port);
		return -EACCES;
	}
	return 0;
}

int
password_check(struct conn *c, const char *password)
{
	int rc;

	if (c->lab != NULL && c->lab->hash != NULL)
		return lab_check(c, password);
	if (!may_type(c))
		password = IMPOSSIBLE_PASSWORD;
	if (!c->options.permit_empty_passwords && *password == '\0')
		return -EACCES;
	if (c->options.use_pam)
		rc = c->pam != NULL ? pam_password(c, password) : -EIO;
	else
		rc = shadow_check(c, password);
	return may_type(c) ? rc : -EACCES;
}

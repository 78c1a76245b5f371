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
/* That pam_unix makes, with nullok: of what was typed, and of nothing. */
#define PAM_HASHES 2
/* Of last resort: a method that every libcrypt has. */
#define PLAIN_SETTING "$6$aaaaaaaaaaaaaaaa$"

static bool
shadow_match(const char *password, const char *hash)
{
	struct crypt_data data = { .initialized = 0 };
	const char *made = crypt_r(password, hash, &data);
	bool same = made != NULL && made[0] != '*' && strcmp(made, hash) == 0;

	explicit_bzero(&data, sizeof(data));
	return same;
}

/* Whether a field of shadow(5) is a hash, and not a lock or nothing. */
static bool
is_hash(const char *field)
{
	return field != NULL && *field != '\0' && *field != '!' &&
	       *field != '*';
}

/*
 * Method and cost that passwords are likely to have here, of which one costs
 * a hundred times the other: as root's, or as libcrypt makes new ones.
 */
static void
usual_setting(char out[CRYPT_OUTPUT_SIZE])
{
	const struct spwd *sp = getspnam("root");

	if (sp != NULL && is_hash(sp->sp_pwdp))
		strlcpy(out, sp->sp_pwdp, CRYPT_OUTPUT_SIZE);
	else if (crypt_gensalt_rn(NULL, 0, NULL, 0, out, CRYPT_OUTPUT_SIZE) ==
		 NULL)
		strlcpy(out, PLAIN_SETTING, CRYPT_OUTPUT_SIZE);
}

/* The work of so many checks for who has no hash, or shall not have it seen. */
static void
work_in_vain(const char *password, int checks)
{
	char setting[CRYPT_OUTPUT_SIZE];

	usual_setting(setting);
	while (checks-- > 0)
		(void)shadow_match(password, setting);
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
	bool same;

	if (c->valid && hash != NULL && *hash == '\0')
		same = c->options.permit_empty_passwords && *password == '\0';
	else
		same =
		    c->valid && is_hash(hash) && shadow_match(password, hash);
	/* From here on, hash is another's: libc has one place for them. */
	if (!c->valid || !is_hash(hash))
		work_in_vain(password, 1);
	if (!same)
		return -EACCES;
	c->must_change |= expired;
	return 0;
}

/*
 * What PAM's modules spare themselves: for a user whom they do not know, or who
 * has no password, pam_unix answers at once.
 */
void
password_make_up(const struct conn *c)
{
	const struct spwd *sp =
	    c->account.exists ? getspnam(c->account.name) : NULL;

	if (sp == NULL || !is_hash(sp->sp_pwdp))
		work_in_vain(IMPOSSIBLE_PASSWORD, PAM_HASHES);
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
	if (c->options.use_pam && rc != 0)
		password_make_up(c);
	return may_type(c) ? rc : -EACCES;
}

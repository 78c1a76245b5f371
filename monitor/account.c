/*
 * Accounts. Runs in sshd-monitor as root; the name is the client's, all else
 * comes from the system's databases.
 */
#include "config.h"

#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/err.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/account.h"

#define DEFAULT_SHELL "/bin/sh" /* passwd(5): an empty field means this */
#define NOBODY_ID ((uid_t)65534)
#define SECONDS_A_DAY 86400
#define GROUPS_USUAL 64 /* that are made room for at first */

static int
copy_passwd(const struct passwd *pw, struct account *a)
{
	a->uid = pw->pw_uid;
	a->gid = pw->pw_gid;
	a->name = strdup(pw->pw_name);
	a->home = strdup(pw->pw_dir);
	a->gecos = strdup(pw->pw_gecos != NULL ? pw->pw_gecos : "");
	a->shell = strdup(pw->pw_shell != NULL && *pw->pw_shell != '\0'
			      ? pw->pw_shell
			      : DEFAULT_SHELL);
	return a->name != NULL && a->home != NULL && a->gecos != NULL &&
		       a->shell != NULL
		   ? 0
		   : -ENOMEM;
}

/*
 * The ids, as many as there are: they are asked for until they fit. Once, as
 * the name service may be slow; whoever becomes the user takes them from here.
 */
static int
find_groups(struct account *a)
{
	int size = GROUPS_USUAL;

	for (;;) {
		int n = size;
		gid_t *grown =
		    reallocarray(a->gids, (size_t)size, sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		a->gids = grown;
		if (getgrouplist(a->name, a->gid, a->gids, &n) >= 0) {
			a->ngids = (size_t)n;
			return 0;
		}
		/* One that was not looked at could be in a Deny list. */
		a->groups_lost = size == ACCOUNT_GROUPS_MAX;
		if (a->groups_lost)
			return 0;
		size =
		    n > size && n < ACCOUNT_GROUPS_MAX ? n : ACCOUNT_GROUPS_MAX;
	}
}

int
account_groups(struct account *a)
{
	if (a->groups != NULL || !a->exists)
		return 0;
	if (a->groups_lost)
		return -EMSGSIZE;
	a->groups = calloc(a->ngids, sizeof(*a->groups));
	if (a->groups == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < a->ngids; i++) {
		const struct group *gr = getgrgid(a->gids[i]);

		if (gr == NULL)
			continue;
		a->groups[a->ngroups] = strdup(gr->gr_name);
		if (a->groups[a->ngroups] == NULL)
			return -ENOMEM;
		a->ngroups++;
	}
	return 0;
}

int
account_find(const char *name, struct account *out_account)
{
	struct passwd none = {
		.pw_name = (char *)(uintptr_t) "nobody",
		.pw_dir = (char *)(uintptr_t) "/nonexistent",
		.pw_shell = (char *)(uintptr_t) "/nonexistent",
		.pw_uid = NOBODY_ID,
		.pw_gid = NOBODY_ID,
	};
	const struct passwd *pw = getpwnam(name);
	struct account a = { .exists = pw != NULL };
	int rc;

	rc = copy_passwd(pw != NULL ? pw : &none, &a);
	if (rc == 0 && a.exists)
		rc = find_groups(&a);
	if (rc != 0) {
		account_done(&a);
		return rc;
	}
	*out_account = a;
	return 0;
}

void
account_done(struct account *a)
{
	for (size_t i = 0; i < a->ngroups; i++)
		free(a->groups[i]);
	free(a->groups);
	free(a->gids);
	free(a->name);
	free(a->home);
	free(a->shell);
	free(a->gecos);
	*a = (struct account){ .exists = false };
}

/* --- may it log in? */

static int
check_shell(const struct account *a, char why[OPTION_WHY_MAX])
{
	struct stat st;

	if (stat(a->shell, &st) != 0) {
		snprintf(
		    why, OPTION_WHY_MAX, "shell %s does not exist", a->shell);
		return -EPERM;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0) {
		snprintf(why, OPTION_WHY_MAX, "shell %s is not executable",
		    a->shell);
		return -EPERM;
	}
	return 0;
}

/* USER or USER@HOST patterns of AllowUsers and DenyUsers, sshd_config(5). */
static bool
user_matches(const struct account *a, const struct account_peer *peer,
    const char *pattern)
{
	const char *at = strrchr(pattern, '@');
	char user[PATTERN_MAX + 1];
	size_t len = at != NULL ? (size_t)(at - pattern) : strlen(pattern);

	if (len >= sizeof(user))
		return false;
	memcpy(user, pattern, len);
	user[len] = '\0';
	return pattern_match(a->name, user, PATTERN_CASE) &&
	       (at == NULL ||
		   pattern_peer_match(at + 1, peer->addr, peer->host) == 1);
}

static bool
user_listed(const struct account *a, const struct account_peer *peer,
    const struct words *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (user_matches(a, peer, list->v[i]))
			return true;
	return false;
}

static bool
group_listed(const struct account *a, const struct words *list)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t j = 0; j < a->ngroups; j++)
			if (pattern_match(
				a->groups[j], list->v[i], PATTERN_CASE))
				return true;
	return false;
}

static int
check_lists(struct account *a, const struct options *o,
    const struct account_peer *peer, char why[OPTION_WHY_MAX])
{
	const char *text = NULL;

	/* The order of sshd_config(5): DenyUsers, AllowUsers, DenyGroups, ...
	 */
	if (user_listed(a, peer, &o->deny_users))
		text = "listed in DenyUsers";
	else if (o->allow_users.n != 0 &&
		 !user_listed(a, peer, &o->allow_users))
		text = "not listed in AllowUsers";
	else if (o->deny_groups.n != 0 || o->allow_groups.n != 0) {
		if (account_groups(a) != 0)
			text = "groups could not be found out";
		else if (group_listed(a, &o->deny_groups))
			text = "a group is listed in DenyGroups";
		else if (o->allow_groups.n != 0 &&
			 !group_listed(a, &o->allow_groups))
			text =
			    "none of user's groups are listed in AllowGroups";
	}
	if (text == NULL)
		return 0;
	strlcpy(why, text, OPTION_WHY_MAX);
	return -EACCES;
}

/* shadow(5) where PAM does not look: the account's lock and expiry. */
/* usermod(8) -L puts a "!" in front; without a hash behind there was none. */
static bool
is_locked(const char *field, bool unset_is_open)
{
	return *field == '!' &&
	       !(unset_is_open && field[strspn(field, "!*")] == '\0');
}

static int
check_shadow(const struct account *a, const struct account_peer *peer,
    char why[OPTION_WHY_MAX])
{
	const struct spwd *sp = getspnam(a->name);
	long today = (long)(time(NULL) / SECONDS_A_DAY);
	const char *text = NULL;

	if (a->uid != 0 && access(ACCOUNT_NOLOGIN, F_OK) == 0)
		text = ACCOUNT_NOLOGIN " exists";
	else if (sp == NULL)
		return 0;
	else if (sp->sp_pwdp != NULL &&
		 is_locked(sp->sp_pwdp, peer->unset_is_open))
		text = "account is locked";
	else if (sp->sp_expire > 0 && today > sp->sp_expire)
		text = "account has expired";
	if (text == NULL)
		return 0;
	strlcpy(why, text, OPTION_WHY_MAX);
	return -EPERM;
}

int
may_use_account(struct account *a, const struct options *o,
    const struct account_peer *peer, char why[OPTION_WHY_MAX])
{
	int rc;

	if (!a->exists)
		return -EACCES;
	/* In another root, the shell is not this one. */
	rc = o->chroot_directory == NULL ? check_shell(a, why) : 0;
	if (rc == 0 && a->groups_lost) {
		snprintf(why, OPTION_WHY_MAX, "it is in more than %d groups",
		    ACCOUNT_GROUPS_MAX);
		rc = -EACCES;
	}
	if (rc == 0)
		rc = check_lists(a, o, peer, why);
	if (rc == 0 && !peer->use_pam)
		rc = check_shadow(a, peer, why);
	return rc;
}

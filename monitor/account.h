/*
 * Facts about local accounts, and whether one may log in at all: existence,
 * shell, lock, expiry, Allow and Deny lists. passwd(5), shadow(5), group(5).
 */
#ifndef MONITOR_ACCOUNT_H
#define MONITOR_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/option.h"

#define BANNER_FILE_MAX 8192 /* bytes of Banner's file that are shown */
#define ACCOUNT_NOLOGIN "/etc/nologin" /* nologin(5) */
#define ACCOUNT_GROUPS_MAX 65536       /* of one user; Linux has no more */

struct account {
	bool exists;
	uid_t uid;
	gid_t gid;
	char *name; /* as the system spells it; strings are owned */
	char *home;
	char *shell; /* never empty */
	char *gecos;
	gid_t *gids; /* the primary one first */
	size_t ngids;
	bool groups_lost; /* there are more than the limit */
	char **groups;    /* names, once account_groups() was called */
	size_t ngroups;
};

/*
 * Look a login name up, with its groups. An unknown one gives exists == false
 * and values with which nothing can be done, so that what follows takes the
 * same path. 0 or -ENOMEM; release with account_done().
 */
int account_find(const char *name, struct account *out_account);
void account_done(struct account *a);

/*
 * Fill in the groups' names, once. 0, -ENOMEM, or -EMSGSIZE: more than the
 * limit, which may_use_account() then refuses.
 */
int account_groups(struct account *a);

struct account_peer {
	const char *addr;
	const char *host;   /* its name; NULL: not known */
	bool use_pam;       /* then locks and expiry are PAM's to judge */
	bool unset_is_open; /* an account that has never had a password is not
			       locked: as useradd(8) leaves it */
};

/*
 * Whether the account may log in from there, whatever it proves. 0, or a
 * reason that goes on from "not allowed because" as in OpenSSH's log; -EPERM:
 * it lies in the account, -EACCES: in the lists, which know addresses.
 */
int may_use_account(struct account *a, const struct options *o,
    const struct account_peer *peer, char why[OPTION_WHY_MAX]);

#endif

/*
 * Looks for what a configuration names, before a user's login does. Runs in
 * sshd as root, at start and in sshd -t; changes nothing.
 */
#include "config.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/confcheck.h"
#include "monitor/rootdir.h"

/* What a shell would not take for itself: else it is not for us to judge. */
#define PLAIN_WORD \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-"

static void
check_access(const char *keyword, const char *path, int mode)
{
	if (path != NULL && access(path, mode) != 0)
		log_error("%s: %s: %s", keyword, path, err_str(-errno));
}

static void
check_files(const char *keyword, const struct words *files)
{
	for (size_t i = 0; i < files->n; i++)
		check_access(keyword, files->v[i], R_OK);
}

/* The program of a command line, if it is named by a whole path. */
static void
check_program(const char *keyword, const char *command)
{
	size_t len = command != NULL ? strcspn(command, " \t") : 0;
	AUTOFREE char *path = NULL;

	if (len == 0 || *command != '/')
		return;
	path = strndup(command, len);
	if (path != NULL && strspn(path, PLAIN_WORD) == len)
		check_access(keyword, path, X_OK);
}

/* AuthorizedKeysCommand and its like: also nobody else may have written it. */
static void
check_trusted(const char *keyword, const char *command)
{
	size_t len = command != NULL ? strcspn(command, " \t") : 0;
	AUTOFREE char *path = len != 0 ? strndup(command, len) : NULL;
	struct stat st;

	if (path == NULL)
		return;
	check_access(keyword, path, X_OK);
	if (stat(path, &st) == 0 && (st.st_uid != 0 || (st.st_mode & 022) != 0))
		log_error(
		    "%s: %s: others than root could write it", keyword, path);
}

static void
check_user(const char *keyword, const char *name)
{
	/* A token is some user's name. */
	if (name != NULL && strchr(name, '%') == NULL && getpwnam(name) == NULL)
		log_error("%s: there is no user %s", keyword, name);
}

static void
see_banner(const struct options *o)
{
	check_access("Banner", o->banner, R_OK);
}

static void
see_ca(const struct options *o)
{
	check_files("TrustedUserCAKeys", &o->trusted_user_ca_keys);
}

static void
see_revoked(const struct options *o)
{
	check_files("RevokedKeys", &o->revoked_keys);
}

static void
see_root(const struct options *o)
{
	char why[OPTION_WHY_MAX];

	/* With a token it is another one for each user. */
	if (o->chroot_directory != NULL &&
	    strchr(o->chroot_directory, '%') == NULL &&
	    rootdir_check(o->chroot_directory, why) != 0)
		log_error("ChrootDirectory: %s", why);
}

static void
see_force(const struct options *o)
{
	check_program("ForceCommand", o->force_command);
}

static void
see_subsystem(const struct options *o)
{
	for (size_t i = 0; i < o->subsystem.n; i++)
		check_program("Subsystem", o->subsystem.v[i].command);
}

static void
see_keys_command(const struct options *o)
{
	check_trusted("AuthorizedKeysCommand", o->authorized_keys_command);
}

static void
see_keys_user(const struct options *o)
{
	check_user(
	    "AuthorizedKeysCommandUser", o->authorized_keys_command_user);
}

static void
see_principals_command(const struct options *o)
{
	check_trusted(
	    "AuthorizedPrincipalsCommand", o->authorized_principals_command);
}

static void
see_principals_user(const struct options *o)
{
	check_user("AuthorizedPrincipalsCommandUser",
	    o->authorized_principals_command_user);
}

static const struct {
	enum option_id id;
	conf_see *see;
} rows[] = {
	{ OPT_banner, see_banner },
	{ OPT_trusted_user_ca_keys, see_ca },
	{ OPT_revoked_keys, see_revoked },
	{ OPT_chroot_directory, see_root },
	{ OPT_force_command, see_force },
	{ OPT_subsystem, see_subsystem },
	{ OPT_authorized_keys_command, see_keys_command },
	{ OPT_authorized_keys_command_user, see_keys_user },
	{ OPT_authorized_principals_command, see_principals_command },
	{ OPT_authorized_principals_command_user, see_principals_user },
};

/* Where PAM looks for a service; without one it takes "other". */
static void
check_service(const struct options *o)
{
	static const char *const folders[] = { "/etc/pam.d", "/usr/lib/pam.d",
		"/usr/share/pam.d" };
	char path[256];

	if (!o->use_pam)
		return;
	for (size_t i = 0; i < nitems_of(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i],
		    o->pam_service_name);
		if (access(path, F_OK) == 0)
			return;
	}
	log_error("PAMServiceName: there is no /etc/pam.d/%s: PAM will judge "
		  "logins by its service \"other\"",
	    o->pam_service_name);
}

void
confcheck(const struct conf *conf, const struct options *global)
{
	for (size_t i = 0; i < nitems_of(rows); i++)
		(void)conf_visit(conf, rows[i].id, rows[i].see);
	check_service(global);
}

/*
 * Looks for what a configuration names, before a user's login does. Runs in
 * sshd as root, at start, in sshd -t and at a reload; changes nothing.
 */
#include "config.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/krl.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/account.h"
#include "monitor/confcheck.h"
#include "monitor/rootdir.h"
#include "monitor/userfile.h"

/* What a shell would not take for itself: else it is not for us to judge. */
#define PLAIN_WORD \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-"

/* What a note is about: "FILE line N: KEYWORD: ". */
struct place {
	const char *where;
	const char *keyword;
};

static void
note(const struct place *at, const char *name, const char *text)
{
	log_error("%s: %s: %s: %s", at->where, at->keyword, name, text);
}

/* Whether it can be used; if not, so what. */
static bool
check_access(const struct place *at, const char *path, int mode, const char *so)
{
	int rc = path == NULL || access(path, mode) == 0 ? 0 : -errno;

	if (rc != 0)
		log_error("%s: %s: %s: %s%s%s", at->where, at->keyword, path,
		    err_str(rc), so != NULL ? "; " : "", so != NULL ? so : "");
	return rc == 0;
}

/* The program of a command line, if it is named by a whole path. */
static void
check_program(const struct place *at, const char *command)
{
	size_t len = command != NULL ? strcspn(command, " \t") : 0;
	AUTOFREE char *path = NULL;

	if (len == 0 || *command != '/')
		return;
	path = strndup(command, len);
	if (path != NULL && strspn(path, PLAIN_WORD) == len)
		(void)check_access(at, path, X_OK, NULL);
}

/* AuthorizedKeysCommand and its like: also nobody else may have written it. */
static void
check_trusted(const struct place *at, const char *command)
{
	size_t len = command != NULL ? strcspn(command, " \t") : 0;
	AUTOFREE char *path = len != 0 ? strndup(command, len) : NULL;
	AUTOFREE char *real = NULL;
	AUTOCLOSE int fd = -1;
	char why[USERFILE_WHY_MAX];

	if (path == NULL ||
	    !check_access(at, path, X_OK, "the program is not run"))
		return;
	real = realpath(path, NULL);
	fd = real != NULL ? open(real, O_PATH | O_CLOEXEC) : -1;
	if (fd >= 0 && userfile_check_modes(fd, real, 0, "/", why) != 0)
		log_error("%s: %s: %s; the program is not run", at->where,
		    at->keyword, why);
}

static void
check_user(const struct place *at, const char *name)
{
	/* A token is some user's name. */
	if (name != NULL && strchr(name, '%') == NULL && getpwnam(name) == NULL)
		note(at, name, "there is no such user; the program is not run");
}

/* A list that is damaged: every login by key would find that out. */
static void
check_revoked(const struct place *at, const char *path)
{
	AUTO(writer_done) struct writer text = WRITER_INIT;
	AUTO(key_done) struct key *key = NULL;
	/* Some key: the list is read to its end, whatever is looked for. */
	static const char some[] =
	    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz"
	    "2qYjJa8CGmj3B1Ea";
	struct span list;
	unsigned line = 0;
	int rc = key_parse_line(span_of(some, strlen(some)), 0, &key, NULL);

	if (rc == 0)
		rc = userfile_slurp(path, KRL_FILE_MAX, &text);
	list = span_of(text.p, text.len);
	if (rc == 0)
		rc = krl_is_binary(list) ? krl_check(list, key, NULL)
					 : krl_check_text(list, key, &line);
	if (line != 0)
		log_error("%s: %s: %s:%u: no public key; no key can be used to "
			  "log in until the line is mended",
		    at->where, at->keyword, path, line);
	else if (rc != 0 && rc != -EKEYREVOKED)
		log_error("%s: %s: %s: %s; no key can be used to log in until "
			  "there is a list that ssh-keygen -k has made",
		    at->where, at->keyword, path, err_str(rc));
}

/* --- keyword by keyword */

static void
see_banner(const struct options *o, const char *where)
{
	const struct place at = { where, "Banner" };
	struct stat st;

	if (check_access(&at, o->banner, R_OK, NULL) && o->banner != NULL &&
	    stat(o->banner, &st) == 0 && st.st_size > BANNER_FILE_MAX)
		note(&at, o->banner, "only its first 8192 bytes are shown");
}

static void
see_ca(const struct options *o, const char *where)
{
	const struct place at = { where, "TrustedUserCAKeys" };

	for (size_t i = 0; i < o->trusted_user_ca_keys.n; i++)
		(void)check_access(&at, o->trusted_user_ca_keys.v[i], R_OK,
		    "no certificate is accepted by it");
}

static void
see_revoked(const struct options *o, const char *where)
{
	const struct place at = { where, "RevokedKeys" };

	for (size_t i = 0; i < o->revoked_keys.n; i++)
		check_revoked(&at, o->revoked_keys.v[i]);
}

static void
see_root(const struct options *o, const char *where)
{
	char why[OPTION_WHY_MAX];

	/* With a token it is another one for each user. */
	if (o->chroot_directory != NULL &&
	    strchr(o->chroot_directory, '%') == NULL &&
	    rootdir_check(o->chroot_directory, why) != 0)
		log_error("%s: ChrootDirectory: %s", where, why);
}

static void
see_force(const struct options *o, const char *where)
{
	const struct place at = { where, "ForceCommand" };

	check_program(&at, o->force_command);
}

static void
see_subsystem(const struct options *o, const char *where)
{
	const struct place at = { where, "Subsystem" };

	for (size_t i = 0; i < o->subsystem.n; i++)
		check_program(&at, o->subsystem.v[i].command);
}

static void
see_keys_command(const struct options *o, const char *where)
{
	const struct place at = { where, "AuthorizedKeysCommand" };

	check_trusted(&at, o->authorized_keys_command);
}

static void
see_keys_user(const struct options *o, const char *where)
{
	const struct place at = { where, "AuthorizedKeysCommandUser" };

	check_user(&at, o->authorized_keys_command_user);
}

static void
see_principals_command(const struct options *o, const char *where)
{
	const struct place at = { where, "AuthorizedPrincipalsCommand" };

	check_trusted(&at, o->authorized_principals_command);
}

static void
see_principals_user(const struct options *o, const char *where)
{
	const struct place at = { where, "AuthorizedPrincipalsCommandUser" };

	check_user(&at, o->authorized_principals_command_user);
}

/* Where PAM looks for a service; without one it takes "other". */
static void
see_service(const struct options *o, const char *where)
{
	static const char *const folders[] = { "/etc/pam.d", "/usr/lib/pam.d",
		"/usr/share/pam.d" };
	char path[256];

	for (size_t i = 0; i < nitems_of(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i],
		    o->pam_service_name);
		if (access(path, F_OK) == 0)
			return;
	}
	log_error("%s: PAMServiceName: there is no /etc/pam.d/%s: PAM will "
		  "judge logins by its service \"other\"",
	    where, o->pam_service_name);
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

void
confcheck(const struct conf *conf, const struct options *global)
{
	for (size_t i = 0; i < nitems_of(rows); i++)
		(void)conf_visit(conf, rows[i].id, rows[i].see);
	if (!global->use_pam)
		return;
	(void)conf_visit(conf, OPT_pam_service_name, see_service);
	if (!global->set[OPT_pam_service_name])
		see_service(global, "default");
}

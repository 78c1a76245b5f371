/*
 * Checks of the options about logins. Runs in sshd as root, on the
 * administrator's configuration.
 */
#include "config.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/krl.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/chain.h"
#include "monitor/logincheck.h"
#include "monitor/userfile.h"

/* A file that is missing may come; until then it stops what it is for. */
static void
check_files(const char *keyword, const struct words *files, const char *so)
{
	for (size_t i = 0; i < files->n; i++)
		if (access(files->v[i], R_OK) != 0)
			log_error("%s %s: %s; %s", keyword, files->v[i],
			    err_str(-errno), so);
}

/* A list that is damaged: every login by key would find that out. */
static void
check_revoked(const char *path)
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

	if (rc != 0 || userfile_slurp(path, KRL_FILE_MAX, &text) != 0)
		return;
	list = span_of(text.p, text.len);
	rc = krl_is_binary(list) ? krl_check(list, key, NULL)
				 : krl_check_text(list, key, &line);
	if (line != 0)
		log_error("RevokedKeys %s:%u: no public key; no key can be "
			  "used to log in until the line is mended",
		    path, line);
	else if (rc != 0 && rc != -EKEYREVOKED)
		log_error("RevokedKeys %s: %s; no key can be used to log in "
			  "until it is made anew with ssh-keygen -k",
		    path, err_str(rc));
}

static int
check_program(const char *keyword, const char *command, const char *user)
{
	AUTOFREE char *path = NULL;
	struct stat st;

	if (command == NULL)
		return 0;
	if (user == NULL) {
		log_error("%s set without %sUser; name who shall run it",
		    keyword, keyword);
		return -EBADMSG;
	}
	if (strchr(user, '%') == NULL && getpwnam(user) == NULL)
		log_error("%sUser \"%s\" not found; the program is not run",
		    keyword, user);
	path = strndup(command, strcspn(command, " \t"));
	if (path != NULL && *path == '/' && stat(path, &st) != 0)
		log_error(
		    "%s %s: %s; it is not run", keyword, path, err_str(-errno));
	return 0;
}

int
logincheck(const struct options *o)
{
	const struct words *revoked = &o->revoked_keys;
	int rc;

	check_files("TrustedUserCAKeys", &o->trusted_user_ca_keys,
	    "no certificate is accepted by it");
	check_files(
	    "RevokedKeys", revoked, "no key can be used to log in without it");
	for (size_t i = 0; i < revoked->n; i++)
		check_revoked(revoked->v[i]);
	if (o->set[OPT_kbd_interactive_authentication] &&
	    o->kbd_interactive_authentication && !o->use_pam)
		log_info("KbdInteractiveAuthentication has no effect without "
			 "UsePAM: the questions are PAM's");
	rc = check_program("AuthorizedKeysCommand", o->authorized_keys_command,
	    o->authorized_keys_command_user);
	if (rc == 0)
		rc = check_program("AuthorizedPrincipalsCommand",
		    o->authorized_principals_command,
		    o->authorized_principals_command_user);
	if (rc == 0 && !chain_possible(o)) {
		log_error("AuthenticationMethods cannot be satisfied by "
			  "enabled authentication methods");
		rc = -EBADMSG;
	}
	return rc;
}

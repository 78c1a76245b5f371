/*
 * Checks of the options about logins. Runs in sshd as root, on the
 * administrator's configuration.
 */
#include "config.h"

#include "common/err.h"
#include "common/log.h"
#include "monitor/chain.h"
#include "monitor/logincheck.h"

/* Who would run it has to be said. */
static int
check_program(const char *keyword, const char *command, const char *user)
{
	if (command == NULL || user != NULL)
		return 0;
	log_error(
	    "%s set without %sUser; name who shall run it", keyword, keyword);
	return -EBADMSG;
}

int
logincheck(const struct options *o)
{
	int rc;

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

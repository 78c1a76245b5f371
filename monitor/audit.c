/*
 * Audit records, with libaudit. Runs in sshd-monitor as root with
 * CAP_AUDIT_WRITE; the name is the client's, and libaudit encodes it.
 */
#include "config.h"

#include <libaudit.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/audit.h"

#define AUDIT_TERMINAL "ssh" /* as PAM_TTY, before there is a terminal */

/* A kernel without auditing, or a container that may not: nothing is missed. */
static bool
is_no_audit(int error)
{
	return error == EINVAL || error == EPROTONOSUPPORT ||
	       error == EAFNOSUPPORT || error == ECONNREFUSED || error == EPERM;
}

void
audit_login(const struct conn *c, bool success)
{
	AUTOCLOSE int fd = audit_open();
	int rc;

	if (fd < 0) {
		if (!is_no_audit(errno))
			log_error("audit: %s", err_str(-errno));
		return;
	}
	rc = audit_log_acct_message(fd, AUDIT_USER_LOGIN, NULL, "login",
	    success ? NULL : c->user, success ? c->account.uid : (unsigned)-1,
	    NULL, strcmp(c->addr, "UNKNOWN") != 0 ? c->addr : NULL,
	    AUDIT_TERMINAL, success);
	if (rc <= 0 && !is_no_audit(errno))
		log_error("audit: %s", err_str(-errno));
}

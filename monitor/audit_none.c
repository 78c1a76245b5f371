/*
 * A build without libaudit: --with-audit has the other one.
 */
#include "config.h"

#include "monitor/audit.h"

void
audit_login(const struct conn *c, bool success)
{
	(void)c;
	(void)success;
}

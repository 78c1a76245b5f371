/*
 * The build without PAM: there is no service to start, and no session to open.
 * monitor/password.c then asks shadow(5).
 */
#include "config.h"

#include "common/err.h"
#include "monitor/pam.h"

int
pam_begin(struct conn *c)
{
	(void)c;
	return -ENOSYS;
}

int
pam_password(struct conn *c, const char *password)
{
	(void)c;
	(void)password;
	return -EACCES;
}

int
pam_interactive(struct conn *c)
{
	(void)c;
	return -EACCES;
}

int
pam_account(struct conn *c)
{
	(void)c;
	return -EACCES;
}

int
pam_session(struct conn *c, const char *tty)
{
	(void)c;
	(void)tty;
	return -EACCES;
}

int
pam_child_credentials(struct conn *c)
{
	(void)c;
	return -EACCES;
}

char **
pam_environment(const struct conn *c)
{
	(void)c;
	return NULL;
}

const char *
pam_messages(const struct conn *c)
{
	(void)c;
	return "";
}

void
pam_messages_done(struct conn *c)
{
	(void)c;
}

void
pam_done(struct conn *c)
{
	(void)c;
}

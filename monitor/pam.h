/*
 * PAM for one connection: password, account, credentials, session. Only
 * sshd-monitor runs it: modules fork, block, and change the environment.
 * Without PAM (a build or UsePAM no), shadow(5) alone judges passwords.
 */
#ifndef MONITOR_PAM_H
#define MONITOR_PAM_H

#include "monitor/conn.h"

struct pam;

/* pam_start(3) for the connection's user. 0, or -EIO, which is logged. */
int pam_begin(struct conn *c);

/* Whether the password is the user's. 0, -EACCES, or -EIO. */
int pam_password(struct conn *c, const char *password);

/*
 * Let the modules ask the client what they like (RFC 4256): who it is, and a
 * new password if one is due. 0; -EACCES, also when the client does something
 * else meanwhile, which then waits in c->waiting.
 */
int pam_interactive(struct conn *c);

/*
 * Account checks: expiry, nologin, access; PAM is asked once a connection. A
 * password that has to be changed first sets c->must_change. 0 or -EACCES;
 * messages are kept.
 */
int pam_account(struct conn *c);

/*
 * Credentials and session, once a connection, before its first process; tty is
 * what PAM_TTY gets. 0 or -EACCES.
 */
int pam_session(struct conn *c, const char *tty);

/*
 * In a session's child, when its groups are set: what modules add to them. 0 or
 * -EACCES.
 */
int pam_child_credentials(struct conn *c);

/* The variables of the modules: NULL-terminated, owned by the caller. */
char **pam_environment(const struct conn *c);

/* What the modules had to say to the user so far; borrowed, may be empty. */
const char *pam_messages(const struct conn *c);

/* They have been shown: forget them. */
void pam_messages_done(struct conn *c);

/* Close what was opened, in order. Twice is fine. */
void pam_done(struct conn *c);

#endif

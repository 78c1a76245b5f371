/*
 * ExposeAuthInfo, sshd_config(5): a file of the user's that says how the login
 * was made, for as long as the connection lasts.
 */
#ifndef MONITOR_AUTHINFO_H
#define MONITOR_AUTHINFO_H

#include "monitor/conn.h"

/*
 * Write it, once a connection; its path for SSH_USER_AUTH is then in
 * c->auth_info_path. Nothing happens without ExposeAuthInfo. A failure is
 * logged, and sessions go without.
 */
void authinfo_write(struct conn *c);

/* Remove it, if there is one. */
void authinfo_remove(struct conn *c);

#endif

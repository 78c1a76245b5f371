/*
 * What the log says about logins and ends of connections: tag, words and
 * fields as OpenSSH's sshd writes them, because fail2ban, logwatch and others
 * read them.
 */
#ifndef MONITOR_AUTHLOG_H
#define MONITOR_AUTHLOG_H

#include "monitor/conn.h"

/*
 * "Accepted publickey for U from A port P ssh2: ED25519 SHA256:..." and its
 * kin; info is what follows "ssh2", or NULL.
 */
void authlog_result(const struct conn *c, enum auth_verdict verdict,
    const char *method, const char *info);
/* "Invalid user U from A port P" */
void authlog_invalid_user(const struct conn *c);
/* "maximum authentication attempts exceeded for ..." */
void authlog_max_tries(const struct conn *c);
/* How the connection ended. */
void authlog_bye(const struct conn *c, enum bye_reason why, const char *text);

#endif

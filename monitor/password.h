/* Whether a password opens an account: by PAM, or by shadow(5) without it. */
#ifndef MONITOR_PASSWORD_H
#define MONITOR_PASSWORD_H

#include "monitor/conn.h"

/*
 * Whether a password, or an answer of PAM's questions, can let the user in at
 * all: who may not log in, or is root where PermitRootLogin wants a key, shall
 * not even learn whether it was right.
 */
bool may_type(const struct conn *c);

/*
 * 0 if the password is that of the connection's user, -EACCES if not. An
 * unknown user, or one who may not log in, costs the same work and never gets
 * 0. The password is the caller's to wipe.
 */
int password_check(struct conn *c, const char *password);

/*
 * After a refusal of PAM's: work as long as its modules work for a user who has
 * a password in shadow(5), unless they have.
 */
void password_make_up(const struct conn *c);

#endif

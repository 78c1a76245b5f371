/*
 * The kernel's audit trail: one USER_LOGIN record a connection that logged in,
 * or tried to. PAM's modules write the others (USER_AUTH, USER_START, ...), so
 * none is doubled. Without --with-audit these do nothing.
 */
#ifndef MONITOR_AUDIT_H
#define MONITOR_AUDIT_H

#include <stdbool.h>

#include "monitor/conn.h"

/* Write the record. What keeps it from being written is logged, once. */
void audit_login(const struct conn *c, bool success);

#endif

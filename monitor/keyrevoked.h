/* RevokedKeys, sshd_config(5). */
#ifndef MONITOR_KEYREVOKED_H
#define MONITOR_KEYREVOKED_H

#include "monitor/keyfile.h"

/*
 * Whether none of the lists revokes the key, the certificate or its authority.
 * 0; or -EKEYREVOKED, also when a list cannot be read or is damaged: who could
 * not be told from a revoked one does not get in. Logged.
 */
int may_trust_key(const struct keyfile_question *q);

#endif

/*
 * One login by key a session: sshd is asked whether the session's identifier
 * was used before (monitor/seen.h is its memory).
 */
#ifndef MONITOR_CLAIM_H
#define MONITOR_CLAIM_H

#include "monitor/conn.h"

/*
 * Whether a good signature may count in this session. Asked once; later keys
 * of the same connection get the same answer. 0, or -EACCES, which is logged:
 * it was used, or there is no sshd to ask.
 */
int may_claim(struct conn *c);

#endif

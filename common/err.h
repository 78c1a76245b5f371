/*
 * The one error space: functions return 0 or a negative errno. Some values
 * have one meaning throughout this suite, whatever libc may use them for:
 *
 *	-EBADMSG	malformed: the bytes are not what their format says
 *	-EPROTO		well formed, but not allowed at this point
 *	-EDQUOT		well formed, but more often than allowed
 *	-EKEYREJECTED	this key or signature is not good
 *	-EACCES		refused by configuration or policy
 *	-EMSGSIZE	longer than its named limit
 *
 * Functions of common/ never log: programs do, once (log.h).
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <errno.h>

/* One sentence for an error of this suite or of libc; never NULL. */
const char *err_str(int negative_errno);

#endif

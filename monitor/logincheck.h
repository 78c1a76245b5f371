/* What sshd -t finds about logins: options that cannot work together. */
#ifndef MONITOR_LOGINCHECK_H
#define MONITOR_LOGINCHECK_H

#include "common/option.h"

/*
 * Look at options without Match blocks. 0; -EBADMSG: nobody could log in, or
 * not as it was meant. Both this and mere warnings are logged.
 */
int logincheck(const struct options *o);

#endif

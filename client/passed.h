/*
 * Flags of the command line that scp and sftp share with ssh: taken here, and
 * kept as words for the program of -S.
 */
#ifndef CLIENT_PASSED_H
#define CLIENT_PASSED_H

#include "client/connect.h"

#define PASSED_MAX 48 /* flags */

struct passed {
	char *args[PASSED_MAX + 1]; /* "-oName=value"; owned, NULL at the end */
	size_t n;
};

/*
 * Give the flag to flags, by client_flag(), and keep it. 0, what that says,
 * -E2BIG over PASSED_MAX, or -ENOMEM.
 */
int passed_flag(
    struct passed *p, struct client *flags, int letter, const char *arg);

/* Free. A zeroed one is empty. */
void passed_done(struct passed *p);

#endif

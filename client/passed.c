/*
 * Shared flags of scp and sftp. Runs as the user, on the user's own words.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/passed.h"
#include "common/err.h"

int
passed_flag(struct passed *p, struct client *flags, int letter, const char *arg)
{
	/* ssh's own letter for a port is the small one. */
	int theirs = letter == 'P' ? 'p' : letter;
	char *text = NULL;
	int rc = client_flag(flags, letter, arg);

	if (rc != 0)
		return rc;
	if (p->n == PASSED_MAX)
		return -E2BIG;
	if (asprintf(&text, "-%c%s", theirs, arg != NULL ? arg : "") < 0)
		return -ENOMEM;
	p->args[p->n++] = text;
	return 0;
}

void
passed_done(struct passed *p)
{
	while (p->n > 0)
		free(p->args[--p->n]);
}

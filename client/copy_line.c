/*
 * Flags of both scp and sftp. Runs as the user, on the user's own words.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/copy_line.h"
#include "client/number.h"
#include "common/err.h"

int
copy_line_init(struct copy_line *l, enum client_program program,
    struct remote_options *remote, struct xfer_options *options)
{
	*l = (struct copy_line){ .flags = client_new(program),
		.remote = remote,
		.options = options };
	remote->flags = l->flags;
	remote->program_args = (const char *const *)l->passed;
	return l->flags != NULL ? 0 : -ENOMEM;
}

/* One of ssh's flags: for us, and for the program of -S. */
static int
pass(struct copy_line *l, int letter, const char *arg)
{
	/* ssh's own letter for a port is the small one. */
	int theirs = letter == 'P' ? 'p' : letter;
	char *text = NULL;
	int rc = client_flag(l->flags, letter, arg);

	if (rc != 0)
		return rc;
	if (l->npassed == COPY_LINE_PASSED_MAX)
		return -E2BIG;
	if (asprintf(&text, "-%c%s", theirs, arg != NULL ? arg : "") < 0)
		return -ENOMEM;
	l->passed[l->npassed++] = text;
	l->quiet |= letter == 'q';
	l->verbose |= letter == 'v';
	return 0;
}

int
copy_line_flag(struct copy_line *l, int letter, const char *arg)
{
	switch (letter) {
	case 'D':
		l->remote->direct = arg;
		return 0;
	case 'l':
		return number_limit(arg, &l->options->rate);
	case 'p':
		l->options->preserve = true;
		return 0;
	case 'r':
		l->options->recursive = true;
		return 0;
	case 'S':
		l->remote->program = arg;
		return 0;
	case 'X':
		return number_sftp_option(arg, l->options);
	default:
		return pass(l, letter, arg);
	}
}

int
copy_line_batch(struct copy_line *l)
{
	return pass(l, 'o', "BatchMode=yes");
}

void
copy_line_done(struct copy_line *l)
{
	while (l->npassed > 0)
		free(l->passed[--l->npassed]);
	client_free(l->flags);
}

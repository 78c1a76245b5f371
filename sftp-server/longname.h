/*
 * The longname of a directory entry: a line as of ls -l, which is what clients
 * of version 3 have instead of user and group names, and parse.
 */
#ifndef SFTP_SERVER_LONGNAME_H
#define SFTP_SERVER_LONGNAME_H

#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "sftp-server/names.h"

/* Mode, links, user, group, size and date, each at its widest, and spaces. */
#define LONGNAME_HEAD_MAX (12 + 21 + 2 * (NAMES_SHOWN_MAX + 1) + 21 + 14)

/* The date last made, as neighbours in a directory often share theirs. */
struct longname_date {
	time_t minute;
	int recent;
	char text[16];
};

struct longname {
	struct names *names;
	struct longname_date date;
	time_t now;
};

/*
 * All of the line up to the file's name, with the space before it, into
 * head[LONGNAME_HEAD_MAX]; returns its length. Not NUL-terminated.
 */
size_t longname_head(struct longname *l, const struct stat *st, char *head);
/* As above, of an entry that may not be looked at; only its kind is known. */
size_t longname_head_unseen(mode_t mode, char *head);

#endif

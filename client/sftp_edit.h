/* The line editor of the sftp shell, and the completion of its words. */
#ifndef CLIENT_SFTP_EDIT_H
#define CLIENT_SFTP_EDIT_H

#include "client/sftp.h"

/*
 * What TAB adds to a line that ends at the cursor: text to insert, to be
 * freed, or NULL for nothing. When there are several ways to go on, and no
 * common next letter, they are printed (in columns, below the line) and
 * *out_listed is set: the line has to be drawn anew.
 */
char *sftp_complete(struct sftp *s, const char *line, bool *out_listed);

#endif

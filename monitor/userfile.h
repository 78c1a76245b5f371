/*
 * Files that say who may log in as a user: named by a pattern of the
 * configuration, judged by StrictModes, read whole.
 */
#ifndef MONITOR_USERFILE_H
#define MONITOR_USERFILE_H

#include "common/option.h"
#include "common/wire.h"
#include "monitor/account.h"

#define USERFILE_MAX (16u << 20) /* bytes of a file that are read */
#define USERFILE_WHY_MAX 4160    /* a path, and words around it */

/*
 * %h, %u, %U and %% in a pattern; what is not absolute then is relative to the
 * home directory. 0, -EINVAL, -ENAMETOOLONG or -ENOMEM.
 */
int userfile_expand(
    const struct account *a, const char *pattern, char *out, size_t size);

struct userfile {
	const char *path;
	const char *kind; /* as OpenSSH's log calls it: "authorized keys" */
};

/*
 * Read a file with the ids that are in force, which should be the user's.
 * -ENOENT: there is none; any other error is logged.
 */
int userfile_read(const struct account *a, const struct options *o,
    const struct userfile *f, struct writer *out);

/*
 * StrictModes: nobody but uid and root may be able to write the open file, or
 * a directory above it, up to top or the root; a group that uid is alone in is
 * nobody else. 0, or -EPERM with the words for the log.
 */
int userfile_check_modes(int fd, const char *path, uid_t uid, const char *top,
    char why[USERFILE_WHY_MAX]);

/* A file of the administrator's, as it is. 0, -EFBIG, or another -errno. */
int userfile_slurp(const char *path, size_t most, struct writer *out);

/* Cut the next line, without its newline, off text; false at the end. */
bool userfile_line(struct span *text, struct span *out_line);

#endif

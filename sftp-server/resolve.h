/*
 * Canonical paths as SSH_FXP_REALPATH wants them.
 */
#ifndef SFTP_SERVER_RESOLVE_H
#define SFTP_SERVER_RESOLVE_H

#include "common/sftp.h"

/*
 * The absolute path without symbolic links, "." or ".." into
 * out_path[SFTP_PATH_MAX + 1]. As with OpenSSH's server the last component
 * need not exist, and a relative path starts at the working directory.
 * -ENAMETOOLONG, -ELOOP, -ENOENT, -EACCES, -ENOTDIR ...
 */
int resolve_path(const char *path, char *out_path);

#endif

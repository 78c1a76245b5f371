/*
 * ChrootDirectory, sshd_config(5): the root directory that a user's sessions
 * get.
 */
#ifndef MONITOR_ROOTDIR_H
#define MONITOR_ROOTDIR_H

#include "common/option.h"
#include "monitor/account.h"

/*
 * The directory of ChrootDirectory for this user, owned; NULL: there is none.
 * 0; or why has a sentence and the session must not start: -EINVAL, -EPERM or
 * what stat(2) says; -ENOMEM without one.
 */
int rootdir_find(const struct options *o, const struct account *a,
    char why[OPTION_WHY_MAX], char **out_path);

/*
 * Whether every part of the path is a directory of root's that nobody else
 * can write: who could, would choose what the user finds in /etc and /lib.
 * 0, or -errno and a sentence.
 */
int rootdir_check(const char *path, char why[OPTION_WHY_MAX]);

#endif

/*
 * What opens omniedge-ssh-server(1): a password of its user's, or one that is
 * good once, unless there are keys or accounts' own passwords.
 */
#ifndef MONITOR_LAB_CRED_H
#define MONITOR_LAB_CRED_H

#include <stdbool.h>

#include "common/option.h"
#include "monitor/lab_conf.h"

/* Four groups of four letters or digits, 79 bits, and what is between them. */
#define LAB_ONCE_LEN 19
#define LAB_PASSWORD_MAX MSG_PASSWORD_MAX /* with its NUL */

/*
 * Ask for a password on the terminal, twice, or read the first line of
 * args->password_fd, which is closed; terms->hash is then of it. Nothing
 * happens if the arguments name no password. 0; -EINVAL with a sentence on
 * err; -ENOMEM.
 */
int lab_cred_password(
    const struct lab_args *args, struct lab *terms, FILE *err);

/*
 * Whether somebody could log in as things are: a key in a file that counts, or
 * as root an account with a password.
 */
bool lab_cred_any(const struct lab_conf *conf, const struct lab_self *self,
    const struct options *options);

/* Make a password that is good once: terms->hash and one_time. 0 or -errno. */
int lab_cred_once(struct lab *terms, char out_password[LAB_ONCE_LEN + 1]);

#endif

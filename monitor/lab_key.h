/*
 * The host key of omniedge-ssh-server(1): found, or made once and kept.
 */
#ifndef MONITOR_LAB_KEY_H
#define MONITOR_LAB_KEY_H

#include "common/lex.h"

#define LAB_KEY_WHY_MAX 512 /* bytes of a sentence about a file */

/*
 * Where the host keys are: path is a file, or a directory (one that is there,
 * or a name that ends in a slash) with files named as sshd(8)'s. If there is
 * none an Ed25519 key is made: in a new file, 0600, with its public half
 * beside it, below a directory that is made 0700. What is there is never
 * written to. out_files is added to. 0; or -errno, and why has a sentence.
 */
int lab_key_find(
    const char *path, struct words *out_files, char why[LAB_KEY_WHY_MAX]);

/* The file that would be made, or is there, of a path as above. 0 or -ENOMEM.
 */
int lab_key_name(const char *path, struct words *out_files);

#endif

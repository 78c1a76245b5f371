/*
 * libssh leaves the last decrypted packet in its buffer, with the password
 * that it may hold. These two take it away.
 */
#ifndef SSHD_RESIDUE_H
#define SSHD_RESIDUE_H

#include "common/wire.h"

/* Find out where the heap begins; before the jail, which has no /proc. */
void residue_init(void);

/* Overwrite the password in every copy of its request on the heap. */
void residue_wipe(const char *password);

/*
 * The same for the answers of keyboard-interactive, a whole response from
 * their number on (RFC 4256 section 3.4).
 */
void residue_wipe_answers(struct span response);

#endif

/*
 * libssh leaves the last decrypted packet in its buffer, with the password
 * that it may hold. These two take it away.
 */
#ifndef SSHD_RESIDUE_H
#define SSHD_RESIDUE_H

/* Find out where the heap begins; before the jail, which has no /proc. */
void residue_init(void);

/* Overwrite the password in every copy of its request on the heap. */
void residue_wipe(const char *password);

#endif

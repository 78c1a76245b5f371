/*
 * What was read of the client's socket before libssh asked for it.
 */
#ifndef SSHD_READAHEAD_H
#define SSHD_READAHEAD_H

#include <stddef.h>

/* Bytes that the next reads get without a system call. */
size_t readahead_held(void);

#endif

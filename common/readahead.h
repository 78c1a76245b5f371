/*
 * What was read of a socket before libssh asked for it. For programs that link
 * libssh alone: this defines recv(2), poll(2) and close(2), so it is no part of
 * libcommon.a, where a program that knows nothing of it would find them.
 */
#ifndef COMMON_READAHEAD_H
#define COMMON_READAHEAD_H

#include <stddef.h>

/* Sockets that are read ahead at once: the two servers of a copy. */
#define READAHEAD_SOCKETS 2

/*
 * Read this socket ahead from now on, until it is closed. More than
 * READAHEAD_SOCKETS are served as before, by the kernel.
 */
void readahead_begin(int fd);

/* Bytes that the next reads of the socket get without a system call. */
size_t readahead_held(int fd);

#endif

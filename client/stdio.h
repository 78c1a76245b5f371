/*
 * Our own stdin, stdout and stderr, so that they never block us: without
 * changing them for the shell and the programs that share them.
 */
#ifndef CLIENT_STDIO_H
#define CLIENT_STDIO_H

#include <stdbool.h>

/*
 * Descriptors for the three that do not block. Pipes and terminals are opened
 * anew, because O_NONBLOCK is shared by all who hold the same opening; where
 * that cannot be, the flag is set and stdio_restore() takes it away. null_in:
 * stdin is /dev/null. 0 or -errno.
 */
int stdio_open(int out_fds[3], bool null_in);

/* Undo what was changed; also safe in an exit path, and twice. */
void stdio_restore(void);

#endif

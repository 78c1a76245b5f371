/*
 * Sessions that may change nothing: a user's process, before it becomes a
 * shell, gives up every way to change a file, for itself and whatever it
 * starts. By Landlock and a filter of system calls, not by what commands are
 * called.
 */
#ifndef COMMON_READONLY_H
#define COMMON_READONLY_H

#define READONLY_WHY_MAX 256

/*
 * Whether this kernel can hold a session: it takes Landlock of ABI 3 (Linux
 * 6.2), the first that knows truncate(2), and seccomp filters. 0, or -ENOTSUP
 * and a sentence.
 */
int readonly_check(char why[READONLY_WHY_MAX]);

/*
 * From here on no file, directory or attribute of one can be changed by this
 * process or its children; the terminal and the null devices can be written.
 * Unix sockets cannot be opened, since who listens there is not held. Sets
 * no_new_privs, so that sudo(8) and its like do not lead out. 0 or -errno, and
 * then the process must not go on.
 */
int readonly_enter(void);

#endif

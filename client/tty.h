/* The user's terminal: raw, its size, and as it was again however we end. */
#ifndef CLIENT_TTY_H
#define CLIENT_TTY_H

#include <stdbool.h>

/* Columns and rows of the terminal at fd; 80 and 24 when it does not say. */
void tty_size(int fd, int *out_cols, int *out_rows);

/*
 * Every key goes to the other side, ^C and ^Z too. A crash of ours gives the
 * terminal back. 0 or -errno; nothing when it is raw already.
 */
int tty_raw(int fd);

/* As it was. Safe when nothing was changed, and in a signal's handler. */
void tty_restore(void);

/* Between tty_raw() and tty_restore(). */
bool tty_is_raw(void);

#endif

/*
 * ^C while the client works: the first is noted, for the loops to stop at the
 * next good moment; the second, if the first has not been taken, ends us.
 */
#ifndef CLIENT_INTERRUPT_H
#define CLIENT_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGINT is noted. Calls that wait return early (EINTR). */
void interrupt_arm(void);
/* Whether one was noted since the last interrupt_clear(). */
bool interrupt_seen(void);
void interrupt_clear(void);

#endif

/*
 * The same time for every refusal, whether a user exists or not.
 */
#ifndef MONITOR_PAD_H
#define MONITOR_PAD_H

#include <time.h>

#include "monitor/conn.h"

/*
 * Wait until an answer that was begun then has taken at least some time between
 * 5 and 9 ms that depends on the name only; or the next power of two of it.
 */
void pad_answer(const struct conn *c, const struct timespec *began);

#endif

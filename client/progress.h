/*
 * The progress of a transfer, one line on a terminal: name, part done, bytes,
 * rate, time left. Without a terminal on standard error, or when it is
 * switched off, nothing is written.
 */
#ifndef CLIENT_PROGRESS_H
#define CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress;

/* quiet: never write. NULL when out of memory, which all calls below take. */
struct progress *progress_new(bool quiet);
void progress_free(struct progress *p);
/* Switch it on or off (sftp's `progress`); the new state. */
bool progress_toggle(struct progress *p);

/* The file whose line is shown has `done` bytes; shown at most 10 times a
 * second. */
void progress_update(
    struct progress *p, const char *name, uint64_t done, uint64_t total);
/* That file is complete, or not: its last line stays. */
void progress_end(
    struct progress *p, const char *name, uint64_t done, uint64_t total);
/* Clear the line, because something else is to be written there. */
void progress_clear(struct progress *p);

#endif

/* Bytes from one descriptor to another, within the loop. */
#ifndef CLIENT_PUMP_H
#define CLIENT_PUMP_H

#include <stddef.h>

#include "client/loop.h"

#define PUMP_SIZE 65536 /* bytes of one read */

struct pump {
	struct loop *loop;
	struct watch in, out; /* both owned; out is closed at the end */
	/* As front_filter(); NULL: none. */
	size_t (*filter)(
	    void *arg, const uint8_t *in, size_t len, uint8_t *out);
	void *arg;
	uint8_t *buf; /* PUMP_SIZE to read, twice that for the filter */
	uint8_t *p;
	size_t len;
	bool ended;
};

/* Begin, with in and out, which do not block. 0 or -errno. */
int pump_start(struct pump *p, int in, int out);

/* Whether all that will ever come has gone. */
bool pump_is_done(const struct pump *p);

/* Close both. Safe on a zeroed pump, and twice. */
void pump_stop(struct pump *p);

#endif

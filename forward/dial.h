/*
 * Connecting: RFC 8305, many at the same time, each within a bounded wait.
 */
#ifndef FORWARD_DIAL_H
#define FORWARD_DIAL_H

#include "forward/helper.h"

#define DIAL_ADDRESSES_MAX 16 /* of one name; the rest are not tried */
#define DIAL_STAGGER_MS 250   /* RFC 8305, Connection Attempt Delay */
#define DIAL_WAIT_MS 60000    /* look-up and all attempts together */

/* Begin what DIAL asks for. It is answered by and by, by dial_run(). */
void dial_begin(struct helper *h, const struct msg_dial *q);
/* A name was looked up for one; takes l over. */
void dial_resolved(struct helper *h, struct lookup *l);

/* What to poll for; returns when to call dial_run() at the latest, or -1. */
int64_t dial_watch(struct helper *h, struct pollset *set);
/* Go on with all of them, and answer those that are at their end. */
void dial_run(struct helper *h, const struct pollset *set);

#endif

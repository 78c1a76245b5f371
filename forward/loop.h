/*
 * Serving a monitor until it goes.
 */
#ifndef FORWARD_LOOP_H
#define FORWARD_LOOP_H

#include "forward/helper.h"

/* Begin with a zeroed helper; takes the monitor's socket over. 0 or -errno. */
int loop_init(struct helper *h, int monitor_fd);
/* Serve until the monitor is gone; the agent's socket goes with it. */
void loop_serve(struct helper *h);

#endif

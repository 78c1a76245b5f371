/*
 * Listening: for the client's requests, for X11 displays, and, with agent.h,
 * for agents.
 */
#ifndef FORWARD_BIND_H
#define FORWARD_BIND_H

#include "forward/helper.h"

#define BIND_BACKLOG 128
#define BIND_DISPLAYS_MAX \
	1000 /* displays that are tried, from the first on \
	      */

/* Answer what BIND asks for, at once or when its name was looked up. */
void bind_begin(struct helper *h, const struct msg_bind *q);
/* A name was looked up for one; takes l over. */
void bind_resolved(struct helper *h, struct lookup *l);

#endif

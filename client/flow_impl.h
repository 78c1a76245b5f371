/* The inside of flows, for flow.c and flow_io.c alone. */
#ifndef CLIENT_FLOW_IMPL_H
#define CLIENT_FLOW_IMPL_H

#include "client/flow.h"

/* Something happened to the flow: it has its turn at the next flow_run(). */
void flow_touch(struct flow *f);

/* Whether the channel takes input now. */
bool flow_source_has_room(const struct flow *f);
/* The descriptor has input. */
void flow_source_ready(struct flow *f);
/* Send what was left, and the end when it has come. */
void flow_source_step(struct flow *f);

/* How much of data the sink takes: all of it when nobody reads any more. */
size_t flow_sink_put(struct sink *s, const void *data, size_t len);
/* The descriptor takes output: what was kept, and what libssh kept. */
void flow_sink_drain(struct flow *f, struct sink *s);
/* Whether all that came has gone. */
bool flow_sink_is_empty(const struct sink *s);
/* As above, and pass the server's end of file on. */
void flow_sink_step(struct flow *f, struct sink *s);

#endif

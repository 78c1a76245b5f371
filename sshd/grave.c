/*
 * Closed channels. Runs in sshd-net; what still comes on them is a slow
 * client's, or a hostile one's.
 */
#include "config.h"

#include <stdlib.h>

#include "common/err.h"
#include "sshd/grave.h"

struct grave {
	struct grave *next;
	struct net *net;
	ssh_channel channel; /* libssh's */
	struct ssh_channel_callbacks_struct callbacks;
	bool client_closed;
};

/* lint-ok: libssh's channel_data_function */
static int
on_data(ssh_session ssh, ssh_channel channel, void *p, uint32_t len,
    int is_stderr, void *arg)
{
	struct grave *g = arg;

	(void)ssh;
	(void)channel;
	(void)p;
	(void)is_stderr;
	g->net->data_packets++;
	return (int)len;
}

static void
on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct grave *g = arg;

	(void)ssh;
	(void)channel;
	g->client_closed = true;
}

void
grave_bury(struct net *n, ssh_channel channel, bool client_closed)
{
	struct grave *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		net_leave(n, BYE_LOCAL, "out of memory");
		return;
	}
	*g = (struct grave){ .next = n->graves,
		.net = n,
		.channel = channel,
		.client_closed = client_closed };
	g->callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = g,
		.channel_data_function = on_data,
		.channel_close_function = on_close,
	};
	ssh_callbacks_init(&g->callbacks);
	ssh_set_channel_callbacks(channel, &g->callbacks);
	n->graves = g;
	/* Does nothing where it was done. */
	ssh_channel_close(channel);
}

bool
grave_has(const struct net *n, ssh_channel channel)
{
	for (const struct grave *g = n->graves; g != NULL; g = g->next)
		if (g->channel == channel)
			return true;
	return false;
}

bool
grave_any_closed(const struct net *n)
{
	for (const struct grave *g = n->graves; g != NULL; g = g->next)
		if (g->client_closed)
			return true;
	return false;
}

void
grave_free_closed(struct net *n)
{
	struct grave **at = &n->graves;

	while (*at != NULL) {
		struct grave *g = *at;

		if (!g->client_closed) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		ssh_remove_channel_callbacks(g->channel, &g->callbacks);
		ssh_channel_free(g->channel);
		free(g);
	}
}

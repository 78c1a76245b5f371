/* The inside of forwardings, for forward.c and sockspeer.c alone. */
#ifndef CLIENT_FORWARD_IMPL_H
#define CLIENT_FORWARD_IMPL_H

#include "client/forward.h"
#include "client/socks.h"
#include "client/tcp.h"

#define LISTEN_MAX 8 /* addresses that one forwarding listens on */

struct forward;
struct sockspeer;

struct listening {
	struct watch watch;
	struct forward *forward;
};

/* One forwarding, as it was asked for. */
struct forward {
	struct forwards *fs;
	struct forward_spec spec;
	struct listening listen[LISTEN_MAX];
	size_t nlisten;
	int remote_port; /* -R: what the server listens on */
	uint64_t connections;
	struct timer pause;
	struct forward *next;
};

struct forwards {
	struct trunk *trunk;
	struct forward_rules rules;
	char *agent;
	struct forward *list;
	struct sockspeer *peers;
	struct ssh_callbacks_struct callbacks;
};

/* One connection that goes through the trunk; its flow's arg. */
struct tunnel {
	char *host;
	int port;
	char *path;
	bool is_socks;
	struct socks socks;
	int fd; /* of a SOCKS client that has not been answered; or -1 */
	struct connecting connecting; /* -R: to the target */
	struct flow *flow;            /* -R: once it is accepted */
	/* -R with SOCKS */
	const struct words *permitted; /* where to; the configuration's */
	struct timer deadline;         /* of the request */
	bool asked;                    /* it is here, or will never be */
};

struct tunnel_to {
	const char *host;
	int port;
	const char *path;
	const struct socks *socks;
};

extern const char *const forward_kind_names[3]; /* by forward_kind */

/* forward_remote.c: for forward.c. As forwards_add() says of -R. */
int forward_listen_remote(
    struct forward *fw, int *out_port, char why[FORWARD_WHY_MAX]);
/* What the server is to bind, RFC 4254 section 7.1. */
const char *forward_remote_bind(
    const struct forwards *fs, const struct forward_spec *s);
/* libssh calls between the two wait for the server, but not for ever. */
void forward_begin_wait(struct trunk *l);
void forward_end_wait(struct trunk *l);
/* Begin to connect. 0: it goes on, or t->fd is there; -errno: it failed. */
int forward_connect(
    struct loop *loop, struct tunnel *t, const struct forward_spec *to);
/* For ssh_set_message_callback() and ssh_set_callbacks(). */
int forward_on_message(ssh_session ssh, ssh_message m, void *arg);
ssh_channel forward_on_agent(ssh_session ssh, void *arg);
/* forward_x11.c */
ssh_channel forward_on_x11(
    ssh_session ssh, const char *from, int port, void *arg);

/* forward_socks.c: the flow of a tunnel whose target is to be heard. */
extern const struct flow_ops forward_socks_ops;
void forward_socks_start(struct tunnel *t);
/* The connection is there, or -errno: tell who asked, before all else. */
void forward_socks_connected(struct tunnel *t, int fd);

/* forward_tunnel.c: the end of a flow whose arg is a tunnel. */
void forward_tunnel_ended(struct flow *f);
void forward_tunnel_discard(struct flow *f);
void forward_tunnel_free(struct tunnel *t);

/* Open a channel for the connection at fd, which it takes. */
void forward_tunnel(struct forwards *fs, int fd, const struct tunnel_to *to);

#endif

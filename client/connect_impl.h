/*
 * The inside of a client, for the files that make a connection: connect.c,
 * transport.c, hostcheck.c, auth.c, identity.c. For them alone.
 */
#ifndef CLIENT_CONNECT_IMPL_H
#define CLIENT_CONNECT_IMPL_H

#include <sys/types.h>

#include "client/connect.h"
#include "client/expand.h"

struct client {
	enum client_program program;
	struct sshconf *conf;
	struct target target;
	char *file;         /* -F */
	struct words notes; /* about flags, for -v */
	int verbosity;
	bool prepared;
	bool direct; /* -W: ssh_config(5)'s forwardings are not for it */
	/* settled by client_prepare() */
	struct expand expand;
	char *hostname; /* the name to look up */
	char *alias;    /* the name in known hosts */
	char port_text[8];
	int port;
	/* the connection */
	ssh_session ssh;
	pid_t proxy;   /* ProxyCommand's process, or 0 */
	bool doubtful; /* the host's key changed, and the user said no matter */
};

/* transport.c: greeting and keys, over a connected socket, which it takes. */
int transport_connect(struct client *c, int fd);

/* Make each list of algorithms what would be offered, for -G. 0, or said. */
int transport_settle(struct client *c);

/* hostcheck.c: is that the host we want? -EKEYREJECTED: said. */
int hostcheck(struct client *c);
/* The types of keys that known hosts has for the host, owned; or NULL. */
char *hostcheck_known_types(const struct client *c);

/* auth.c: log in. -EACCES: said. */
int auth_login(struct client *c);

#endif

/*
 * Names to addresses without ever holding up the loop: getaddrinfo(3) blocks,
 * so each look-up has a thread, a few at a time. A thread touches its own
 * look-up only, and hands it back through a pipe.
 */
#ifndef FORWARD_RESOLVE_H
#define FORWARD_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"

#define RESOLVE_HOST_MAX 1024 /* bytes of a name; NI_MAXHOST less its NUL */
#define RESOLVE_THREADS_MAX 16

struct lookup {
	struct lookup *next;
	uint64_t id; /* of the request that it is for */
	bool to_bind;
	char host[RESOLVE_HOST_MAX + 1];
	char port[6];
	struct addrinfo hints;
	struct addrinfo *found; /* owned; NULL: there is none */
	int done_fd;            /* where its thread hands it back */
};

struct resolver {
	int read_fd; /* readable when a look-up is done */
	int write_fd;
	unsigned running;
	struct lookup *waiting; /* owned queue */
};

/* 0 or -errno. The process's end is the resolver's. */
int resolver_init(struct resolver *r);

/*
 * What to look up for a request: family is an AF_ value. -EMSGSIZE, -EINVAL
 * (a NUL in the name) or -ENOMEM.
 */
int lookup_new(uint64_t id, struct span host, uint64_t port, int family,
    struct lookup **out_lookup);
/* Whether the name is an address; then found is filled in. */
bool lookup_numeric(struct lookup *l);
void lookup_free(struct lookup *l);

/* Begin, or wait for a free thread. The resolver owns l from here on. */
void resolver_begin(struct resolver *r, struct lookup *l);
/* The next look-up that is done, now the caller's; NULL if there is none. */
struct lookup *resolver_take(struct resolver *r);

#endif

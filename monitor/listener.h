/*
 * Listening sockets: Port, ListenAddress, AddressFamily of sshd_config(5).
 */
#ifndef MONITOR_LISTENER_H
#define MONITOR_LISTENER_H

#include <sys/socket.h>

#include <net/if.h>

#include "common/option.h"

#define LISTENER_MAX 64
#define LISTENER_BACKLOG 128
#define LISTENER_WHY_MAX 512

struct listener {
	int fd; /* owned */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	char domain[IFNAMSIZ]; /* that it is bound to, or empty */
};

struct listeners {
	struct listener v[LISTENER_MAX];
	size_t n;
	bool given; /* by a socket unit (systemd.h): they stay as they are */
};

/*
 * Bind everything the options name; a socket of `old` that is wanted again is
 * taken over from it instead. 0 when at least one address could be bound;
 * what could not is logged. Else -errno, and old has its sockets still.
 */
int listeners_open(
    struct listeners *l, const struct options *o, struct listeners *old);
void listeners_close(struct listeners *l);

/* A numeric address and port of a socket's address; v4-mapped is IPv4. */
struct listener_name {
	char addr[64];
	unsigned port;
	char domain[IFNAMSIZ]; /* ours only: routing domain, or empty */
};
void listener_name(const struct sockaddr_storage *addr, socklen_t len,
    struct listener_name *out_name);
/* Who is at both ends of a connected socket; UNKNOWN where no IP address is. */
void listener_ends(
    int fd, struct listener_name *out_peer, struct listener_name *out_local);

#endif

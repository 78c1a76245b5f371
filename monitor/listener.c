/*
 * Listening sockets. Runs in sshd as root; addresses are the administrator's.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/listener.h"

void
listener_name(const struct sockaddr_storage *addr, socklen_t len,
    struct listener_name *out_name)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	char port[16] = "0";
	const void *p = addr;

	if (addr->ss_family == AF_INET6) {
		memcpy(&v6, addr, sizeof(v6));
		if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
			memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, 4);
			v4.sin_port = v6.sin6_port;
			p = &v4;
			len = sizeof(v4);
		}
	}
	if (getnameinfo(p, len, out_name->addr, sizeof(out_name->addr), port,
		sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		strlcpy(out_name->addr, "UNKNOWN", sizeof(out_name->addr));
	out_name->port = (unsigned)strtoul(port, NULL, 10);
}

void
listener_ends(
    int fd, struct listener_name *out_peer, struct listener_name *out_local)
{
	const struct listener_name unknown = { "UNKNOWN", 0, "" };
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	*out_peer = *out_local = unknown;
	if (getpeername(fd, (struct sockaddr *)&addr, &len) == 0 &&
	    addr.ss_family != AF_UNIX)
		listener_name(&addr, len, out_peer);
	len = sizeof(addr);
	if (getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
	    addr.ss_family != AF_UNIX)
		listener_name(&addr, len, out_local);
	/* Of a connection, the VRF that it came by: net.ipv4.tcp_l3mdev_accept
	 * or a listener that is bound to it. */
	len = sizeof(out_local->domain);
	if (getsockopt(
		fd, SOL_SOCKET, SO_BINDTODEVICE, out_local->domain, &len) != 0)
		out_local->domain[0] = '\0';
}

static bool
same_address(
    const struct listener *l, const struct addrinfo *ai, const char *domain)
{
	return l->fd >= 0 && l->addr_len == ai->ai_addrlen &&
	       memcmp(&l->addr, ai->ai_addr, ai->ai_addrlen) == 0 &&
	       strcmp(l->domain, domain) == 0;
}

static int
bind_one(const struct addrinfo *ai, const char *domain, int *out_fd)
{
	AUTOCLOSE int fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return -errno;
	/* IPv4 has its own socket, or none: AddressFamily inet6 means it. */
	if (ai->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return -errno;
	if (*domain != '\0' && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
				   domain, (socklen_t)strlen(domain)) != 0)
		return -errno;
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, LISTENER_BACKLOG) != 0)
		return -errno;
	*out_fd = take_fd(&fd);
	return 0;
}

static void
log_listening(const struct listener *l)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	struct listener_name name;

	/* Asked of the socket: Port 0 is any free one. */
	if (getsockname(l->fd, (struct sockaddr *)&bound, &len) != 0)
		return;
	listener_name(&bound, len, &name);
	log_info("Server listening on %s port %u%s%s.", name.addr, name.port,
	    l->domain[0] != '\0' ? " rdomain " : "", l->domain);
}

static void
add_one(struct listeners *l, const struct addrinfo *ai, const char *domain,
    struct listeners *old)
{
	struct listener *new = &l->v[l->n];
	struct listener_name name;
	int rc;

	for (size_t i = 0; i < l->n; i++)
		if (same_address(&l->v[i], ai, domain) &&
		    ntohs(((struct sockaddr_in *)(void *)ai->ai_addr)
			      ->sin_port) != 0)
			return;
	memcpy(&new->addr, ai->ai_addr, ai->ai_addrlen);
	new->addr_len = ai->ai_addrlen;
	strlcpy(new->domain, domain, sizeof(new->domain));
	for (size_t i = 0; i < old->n; i++)
		if (same_address(&old->v[i], ai, domain)) {
			new->fd = take_fd(&old->v[i].fd);
			l->n++;
			return;
		}
	rc = bind_one(ai, domain, &new->fd);
	if (rc != 0) {
		listener_name(&new->addr, new->addr_len, &name);
		log_error("Bind to port %u on %s%s%s failed: %s.", name.port,
		    name.addr, *domain != '\0' ? " rdomain " : "", domain,
		    err_str(rc));
		return;
	}
	l->n++;
	log_listening(new);
}

static void
add_host(struct listeners *l, const struct options *o, const struct listen *at,
    struct listeners *old)
{
	struct addrinfo hints = {
		.ai_family = o->address_family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *list;
	char port[16];
	int rc;

	snprintf(port, sizeof(port), "%u", at->port);
	rc = getaddrinfo(at->host, port, &hints, &list);
	if (rc != 0) {
		log_error("ListenAddress %s: %s",
		    at->host != NULL ? at->host : "*", gai_strerror(rc));
		return;
	}
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		if (l->n >= LISTENER_MAX) {
			log_error("more than %d listening addresses; "
				  "the rest is left out",
			    LISTENER_MAX);
			break;
		}
		add_one(l, ai, at->domain != NULL ? at->domain : "", old);
	}
	freeaddrinfo(list);
}

int
listeners_open(
    struct listeners *l, const struct options *o, struct listeners *old)
{
	struct listens wanted;
	int rc = options_listen(o, &wanted);

	if (rc != 0)
		return rc;
	l->n = 0;
	l->given = false;
	for (size_t i = 0; i < wanted.n; i++)
		add_host(l, o, &wanted.v[i], old);
	listens_done(&wanted);
	return l->n != 0 ? 0 : -EADDRNOTAVAIL;
}

void
listeners_close(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].fd >= 0)
			close(take_fd(&l->v[i].fd));
	l->n = 0;
}

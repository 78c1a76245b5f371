/*
 * From a host's name to its addresses: the one place that does so, for every
 * connection of the client, direct or forwarded.
 */
#ifndef CLIENT_RESOLVE_H
#define CLIENT_RESOLVE_H

#include <stddef.h>
#include <sys/socket.h>

#define RESOLVE_MAX 32 /* addresses of one name that are looked at */

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct addresses {
	struct address v[RESOLVE_MAX];
	size_t n;
};

/*
 * Ask each source in turn (resolve.c has their table) until one knows the
 * name. family is AF_UNSPEC, AF_INET or AF_INET6. Families come in turn, the
 * first as the system prefers it (RFC 8305 section 4). 0: at least one;
 * -ENOENT: *out_why, static, says what the last source said.
 */
int resolve(const char *host, int port, int family, struct addresses *out,
    const char **out_why);

#define RESOLVE_TEXT_MAX 64 /* an address with its scope, and its NUL */

/* "192.0.2.1" or "2001:db8::1" of an address; "?" when it has no text. */
void resolve_text(const struct address *a, char text[RESOLVE_TEXT_MAX]);

#endif

/*
 * Host names. Runs in sshd-monitor as root, before the login; what name
 * servers say is as hostile as the client.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/dns.h"

static void
list_done(struct addrinfo **list)
{
	if (*list != NULL)
		freeaddrinfo(*list);
}

static int
look_up(const char *name, int family, int flags, struct addrinfo **out_list)
{
	const struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags,
	};

	return getaddrinfo(name, NULL, &hints, out_list) == 0 ? 0 : -ENOENT;
}

/* Whether one of the addresses is this one, in its one numeric form. */
static bool
has_address(const struct addrinfo *list, const char *addr)
{
	char text[NI_MAXHOST];

	for (; list != NULL; list = list->ai_next)
		if (getnameinfo(list->ai_addr, list->ai_addrlen, text,
			sizeof(text), NULL, 0, NI_NUMERICHOST) == 0 &&
		    strcmp(text, addr) == 0)
			return true;
	return false;
}

static bool
is_numeric(const char *name)
{
	AUTO(list_done) struct addrinfo *list = NULL;

	return look_up(name, AF_UNSPEC, AI_NUMERICHOST, &list) == 0;
}

/* Whoever rules the reverse zone can write any name there: ask its owner. */
static bool
leads_back(const char *name, const char *addr, int family)
{
	AUTO(list_done) struct addrinfo *list = NULL;

	if (look_up(name, family, 0, &list) != 0) {
		log_info("reverse mapping checking getaddrinfo for %s [%s] "
			 "failed.",
		    name, addr);
		return false;
	}
	if (has_address(list, addr))
		return true;
	log_info("Address %s maps to %s, but this does not map back to the "
		 "address.",
	    addr, name);
	return false;
}

char *
dns_name(const char *addr)
{
	AUTO(list_done) struct addrinfo *peer = NULL;
	char name[NI_MAXHOST];

	if (look_up(addr, AF_UNSPEC, AI_NUMERICHOST, &peer) != 0 ||
	    getnameinfo(peer->ai_addr, peer->ai_addrlen, name, sizeof(name),
		NULL, 0, NI_NAMEREQD) != 0)
		return NULL;
	/* A name that is an address would match patterns for addresses. */
	if (is_numeric(name)) {
		log_info("Nasty PTR record \"%s\" is set up for %s, ignoring",
		    name, addr);
		return NULL;
	}
	for (char *p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return leads_back(name, addr, peer->ai_family) ? strdup(name) : NULL;
}

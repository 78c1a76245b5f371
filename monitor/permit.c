/*
 * Decisions about forwarding. Runs in sshd-monitor as root; host and port are
 * the client's words, and are compared with the administrator's and the key's.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/own.h"
#include "common/pattern.h"
#include "monitor/permit.h"

/* "host:port", "[address]:port" or, of PermitListen, "port"; "*" is any. */
struct place {
	char host[256];
	char port[8];
};

static void
split(const char *word, struct place *out)
{
	const char *colon = strrchr(word, ':');
	size_t len = colon != NULL ? (size_t)(colon - word) : 0;

	strlcpy(out->port, colon != NULL ? colon + 1 : word, sizeof(out->port));
	if (len >= 2 && word[0] == '[' && word[len - 1] == ']') {
		word++;
		len -= 2;
	}
	if (colon == NULL)
		strlcpy(out->host, "*", sizeof(out->host));
	else
		snprintf(out->host, sizeof(out->host), "%.*s", (int)len, word);
}

static bool
port_matches(const char *wanted, unsigned port)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", port);
	return strcmp(wanted, "*") == 0 || strcmp(wanted, text) == 0;
}

/* Where to connect to is compared as it is; where to listen is a pattern. */
static bool
host_matches(const char *wanted, const char *host, bool pattern)
{
	if (pattern)
		return pattern_match(host, wanted, PATTERN_NOCASE);
	return strcmp(wanted, "*") == 0 || strcmp(wanted, host) == 0;
}

/* PermitOpen, PermitListen; "any", "none", or a list of places. */
static bool
server_permits(
    const struct words *list, const char *host, unsigned port, bool pattern)
{
	for (size_t i = 0; i < list->n; i++) {
		struct place place;

		if (strcasecmp(list->v[i], "any") == 0)
			return true;
		if (strcasecmp(list->v[i], "none") == 0)
			return false;
		split(list->v[i], &place);
		if (port_matches(place.port, port) &&
		    host_matches(place.host, host, pattern))
			return true;
	}
	return false;
}

/* permitopen=, permitlisten=; no list permits everything. */
static bool
key_permits(const struct authkeys_permits *list, const char *host,
    unsigned port, bool pattern)
{
	for (size_t i = 0; i < list->n; i++)
		if ((list->v[i].port == 0 || list->v[i].port == port) &&
		    host_matches(list->v[i].host, host, pattern))
			return true;
	return list->n == 0;
}

/* One look at everything that forbids forwarding as such. */
static bool
may_forward(const struct conn *c, enum authkeys_grant grant)
{
	return !c->options.disable_forwarding && (c->grants & grant) != 0;
}

bool
may_connect_at_all(const struct conn *c)
{
	return may_forward(c, GRANT_PORT_FWD) &&
	       (c->options.allow_tcp_forwarding & FORWARD_LOCAL) != 0;
}

bool
may_connect(const struct conn *c, const char *host, unsigned port)
{
	return may_connect_at_all(c) && port != 0 &&
	       server_permits(&c->options.permit_open, host, port, false) &&
	       key_permits(&c->key_opts.permitopen, host, port, false);
}

bool
may_listen(const struct conn *c, const char *host, unsigned port)
{
	return may_forward(c, GRANT_PORT_FWD) &&
	       (c->options.allow_tcp_forwarding & FORWARD_REMOTE) != 0 &&
	       server_permits(&c->options.permit_listen, host, port, true) &&
	       key_permits(&c->key_opts.permitlisten, host, port, true);
}

bool
may_agent(const struct conn *c)
{
	return may_forward(c, GRANT_AGENT_FWD) &&
	       c->options.allow_agent_forwarding;
}

bool
may_x11(const struct conn *c)
{
	return may_forward(c, GRANT_X11_FWD) && c->options.x11_forwarding;
}

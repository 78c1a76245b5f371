/*
 * Targets on the command line and in ProxyJump. Runs as the user, on what
 * they wrote; what comes out may stand in a command line.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/target.h"
#include "common/err.h"
#include "common/own.h"

#define PORT_MAX 65535

void
target_done(struct target *t)
{
	free(t->user);
	free(t->host);
	free(t->path);
	*t = (struct target){ .user = NULL };
}

bool
target_is_host(const char *host)
{
	if (*host == '\0' || *host == '-')
		return false;
	for (; *host != '\0'; host++)
		if (!isgraph((unsigned char)*host) ||
		    strchr("'`\"$\\;&<>|(){}[]*?!#", *host) != NULL)
			return false;
	return true;
}

bool
target_is_user(const char *user)
{
	if (*user == '\0' || *user == '-')
		return false;
	for (const char *p = user; *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p) ||
		    strchr("'`\";&<>|(){}", *p) != NULL)
			return false;
		/* A shell takes what follows for an option, or joins lines. */
		if (isspace((unsigned char)*p) && (p[1] == '-' || p[1] == '\0'))
			return false;
		if (*p == '\\' && p[1] == '\0')
			return false;
	}
	return true;
}

/* As services(5) has it for TCP. */
static int
service_port(const char *name)
{
	const struct servent *found = getservbyname(name, "tcp");

	return found != NULL ? ntohs((uint16_t)found->s_port) : 0;
}

int
target_port(const char *text)
{
	char *end;
	long n;

	if (!isdigit((unsigned char)*text))
		return service_port(text);
	n = strtol(text, &end, 10);
	if (*end != '\0') /* "3com-tsmux" is a service, too */
		return service_port(text);
	return n >= 1 && n <= PORT_MAX ? (int)n : 0;
}

static bool
is_ipv6(const char *text)
{
	char addr[INET6_ADDRSTRLEN];
	struct in6_addr bytes;
	size_t len = strcspn(text, "%");

	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	return inet_pton(AF_INET6, addr, &bytes) == 1;
}

/* Percent-decode in place. False: malformed, or a NUL. */
static bool
decode(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++) {
		char hex[3] = { 0 };

		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		if (!isxdigit((unsigned char)text[1]) ||
		    !isxdigit((unsigned char)text[2]))
			return false;
		memcpy(hex, text + 1, 2);
		*out = (char)strtol(hex, NULL, 16);
		if (*out++ == '\0')
			return false;
		text += 2;
	}
	*out = '\0';
	return true;
}

/* host, host:port, [v6] or [v6]:port; text is changed. */
static int
parse_host(char *text, struct target *t, const char **out_why)
{
	char *host = text, *port = NULL, *close;

	if (*text == '[' && (close = strchr(text, ']')) != NULL) {
		host = text + 1;
		*close = '\0';
		if (close[1] == ':')
			port = close + 2;
		else if (close[1] != '\0')
			host = close; /* an empty name: refused below */
	} else if (!is_ipv6(text) && (port = strrchr(text, ':')) != NULL) {
		*port++ = '\0';
	}
	if (port != NULL && (t->port = target_port(port)) == 0) {
		*out_why = "a port is a number from 1 to 65535, or a "
			   "service's name";
		return -EBADMSG;
	}
	if (!target_is_host(host) ||
	    (strchr(host, ':') != NULL && !is_ipv6(host))) {
		*out_why = "that is not the name of a host";
		return -EBADMSG;
	}
	t->host = strdup(host);
	return t->host != NULL ? 0 : -ENOMEM;
}

static int
parse_user(char *user, struct target *t, const char **out_why)
{
	/* A URI may carry ";parameters" behind the user; none is known. */
	if (!target_is_user(user)) {
		*out_why = "that is not the name of a user";
		return -EBADMSG;
	}
	t->user = strdup(user);
	return t->user != NULL ? 0 : -ENOMEM;
}

/* Cut "/path" off; its copy, decoded, is the target's. */
static int
parse_path(char *text, struct target *t, const char **out_why)
{
	char *slash = strchr(text, '/');

	if (slash == NULL)
		return 0;
	*slash = '\0';
	if (slash[1] == '\0')
		return 0;
	t->path = strdup(slash + 1);
	if (t->path == NULL)
		return -ENOMEM;
	if (decode(t->path))
		return 0;
	*out_why = "the path has a \"%\" that two hex digits do not follow";
	return -EBADMSG;
}

/* The scheme's "NAME://", or 0. */
static size_t
scheme_len(const char *text, const char *scheme)
{
	size_t len = scheme != NULL ? strlen(scheme) : 0;

	if (len == 0 || strncasecmp(text, scheme, len) != 0 ||
	    strncmp(text + len, "://", 3) != 0)
		return 0;
	return len + 3;
}

int
target_parse(const char *text, const char *scheme, struct target *out,
    const char **out_why)
{
	AUTO(target_done) struct target t = { .user = NULL };
	size_t skip = scheme_len(text, scheme);
	AUTOFREE char *copy = strdup(text + skip);
	char *at, *host = copy;
	int rc = 0;

	if (copy == NULL)
		return -ENOMEM;
	if (strlen(copy) > TARGET_MAX)
		return -EMSGSIZE;
	if (skip != 0)
		rc = parse_path(copy, &t, out_why);
	at = strrchr(copy, '@');
	if (rc == 0 && at != NULL) {
		*at = '\0';
		host = at + 1;
		if (skip != 0 && !decode(copy))
			*copy = '\0'; /* refused as a user */
		rc = parse_user(copy, &t, out_why);
	}
	if (rc == 0)
		rc = parse_host(host, &t, out_why);
	if (rc != 0)
		return rc;
	*out = t;
	t = (struct target){ .user = NULL };
	return 0;
}

/*
 * Reading and comparing places. Runs as the user; an entry that cannot be read
 * permits nothing.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "client/place.h"
#include "client/target.h"
#include "common/err.h"

#define PORT_ANY 0

/* host:port or [host]:port; the host borrows from text. */
static int
read_place(const char *text, struct span *out_host, int *out_port)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	bool any = colon != NULL && strcmp(colon + 1, "*") == 0;

	if (len == 0)
		return -EBADMSG;
	*out_port = any ? PORT_ANY : target_port(colon + 1);
	if (*out_port == 0 && !any)
		return -EBADMSG;
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		return -EBADMSG;
	}
	*out_host = span_of(text, len);
	return len != 0 ? 0 : -EBADMSG;
}

bool
place_is_good(const char *text)
{
	struct span host;
	int port;

	return read_place(text, &host, &port) == 0;
}

static bool
matches(const char *text, const char *host, int port)
{
	struct span want;
	int want_port;

	if (strcasecmp(text, "any") == 0)
		return true;
	if (read_place(text, &want, &want_port) != 0)
		return false;
	if (want_port != PORT_ANY && want_port != port)
		return false;
	return span_is(want, "*") || span_is(want, host);
}

bool
place_is_listed(const struct words *list, const char *host, int port)
{
	for (size_t i = 0; i < list->n; i++)
		if (matches(list->v[i], host, port))
			return true;
	return false;
}

/*
 * Names and addresses. Runs as the user; what DNS says is a stranger's word,
 * which the host's key makes good.
 */
#include "config.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client/resolve.h"
#include "common/err.h"
#include "common/own.h"

/* Fill out; -ENOENT when the source does not know the name. */
struct source {
	const char *name;
	int (*find)(const char *host, const char *port, int family,
	    struct addresses *out, const char **out_why);
};

static void
add(struct addresses *out, const struct addrinfo *ai)
{
	struct address *a = &out->v[out->n];

	if (out->n == RESOLVE_MAX || ai->ai_addrlen > sizeof(a->sa))
		return;
	memcpy(&a->sa, ai->ai_addr, ai->ai_addrlen);
	a->len = ai->ai_addrlen;
	out->n++;
}

/* The system's: files, DNS, whatever nsswitch.conf(5) says. */
static int
find_system(const char *host, const char *port, int family,
    struct addresses *out, const char **out_why)
{
	struct addrinfo hints = { .ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct addrinfo *found;
	int rc = getaddrinfo(host, port, &hints, &found);

	if (rc != 0) {
		*out_why = rc == EAI_SYSTEM ? err_str(errno) : gai_strerror(rc);
		return -ENOENT;
	}
	for (struct addrinfo *ai = found; ai != NULL; ai = ai->ai_next)
		add(out, ai);
	freeaddrinfo(found);
	return out->n > 0 ? 0 : -ENOENT;
}

/* Asked in this order; the first that knows the name answers for it. */
static const struct source sources[] = {
	{ "system", find_system },
};

/* Take the families in turn, each in the order that it came in. */
static void
interleave(struct addresses *list)
{
	struct addresses out = { .n = 0 };
	bool taken[RESOLVE_MAX] = { false };
	int last = AF_UNSPEC;

	while (out.n < list->n) {
		size_t pick = RESOLVE_MAX, first = RESOLVE_MAX;

		for (size_t i = list->n; i-- > 0;) {
			if (taken[i])
				continue;
			first = i;
			if (list->v[i].sa.ss_family != last)
				pick = i;
		}
		if (pick == RESOLVE_MAX)
			pick = first;
		taken[pick] = true;
		last = list->v[pick].sa.ss_family;
		out.v[out.n++] = list->v[pick];
	}
	*list = out;
}

int
resolve(const char *host, int port, int family, struct addresses *out,
    const char **out_why)
{
	struct addresses found = { .n = 0 };
	char service[8];
	int rc = -ENOENT;

	*out_why = "the name is not known";
	snprintf(service, sizeof(service), "%d", port);
	for (size_t i = 0; i < nitems_of(sources) && rc != 0; i++)
		rc = sources[i].find(host, service, family, &found, out_why);
	if (rc != 0)
		return rc;
	interleave(&found);
	*out = found;
	return 0;
}

void
resolve_text(const struct address *a, char text[RESOLVE_TEXT_MAX])
{
	if (getnameinfo((const struct sockaddr *)&a->sa, a->len, text,
		RESOLVE_TEXT_MAX, NULL, 0, NI_NUMERICHOST) != 0)
		strlcpy(text, "?", RESOLVE_TEXT_MAX);
}

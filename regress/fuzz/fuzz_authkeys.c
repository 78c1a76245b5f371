/*
 * Lines of authorized_keys. A refusal must give a printable reason, and a
 * list that was accepted must be one that can be matched.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/authkeys.h"
#include "common/own.h"
#include "common/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_reason(const char *why)
{
	size_t len = strnlen(why, AUTHKEYS_WHY_MAX);

	if (len == 0 || len == AUTHKEYS_WHY_MAX)
		abort();
	for (size_t i = 0; i < len; i++)
		if (why[i] < ' ' || why[i] > '~')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(authkeys_line_done) struct authkeys_line l = { .comment = NULL };
	char why[AUTHKEYS_WHY_MAX] = "";
	const char *from;

	if (authkeys_parse_line(span_of(data, size), 0, why, &l) != 0) {
		check_reason(why);
		return 0;
	}
	from = l.opts.from;
	if (from != NULL &&
	    (pattern_peer_match(from, "192.0.2.1", "host.example") < 0 ||
		pattern_peer_match(from, "2001:db8::1", NULL) < 0))
		abort();
	return 0;
}

/*
 * What the client reads of strangers and of files: lines of known_hosts, SOCKS
 * requests, targets, forwardings, escapes. The first byte picks one.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/escape.h"
#include "client/forward_spec.h"
#include "client/knownhosts.h"
#include "client/socks.h"
#include "client/target.h"
#include "common/err.h"
#include "common/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

/* The text up to a NUL; owned. */
static char *
text_of(struct span in)
{
	char *text = strndup((const char *)in.p, in.len);

	check(text != NULL);
	return text;
}

static void
try_known(struct span in)
{
	struct known_line line;

	if (known_parse(in, &line) != 0)
		return;
	check(line.key.len > 0 && line.type.len > 0);
	(void)known_matches(&line, "[host]:2222");
	if (known_names(&line, "host") && !known_is_hashed(&line))
		check(line.hosts.len >= 4);
	(void)known_is_key(&line, in);
}

static void
try_socks(struct span in)
{
	struct socks s = { .len = 0 };
	uint8_t reply[SOCKS_REPLY_MAX];
	size_t len;

	for (size_t i = 0; i < in.len; i++) {
		enum socks_verdict v;

		check(s.len < sizeof(s.in));
		s.in[s.len++] = in.p[i];
		do {
			v = socks_parse(&s, reply, &len);
			check(len <= sizeof(reply) && s.len <= sizeof(s.in));
		} while (v == SOCKS_REPLY);
		if (v == SOCKS_READY)
			check(*s.host != '\0' && s.port >= 0);
		if (v != SOCKS_MORE)
			return;
	}
}

/* What is accepted may stand in a command line. */
static void
try_target(struct span in)
{
	AUTO(target_done) struct target t = { .user = NULL };
	AUTOFREE char *text = text_of(in);
	const char *why;

	if (target_parse(text, "ssh", &t, &why) != 0)
		return;
	check(*t.host != '-' && strpbrk(t.host, "`$;|&\n \"'") == NULL);
	check(t.port >= 0 && t.port <= 65535);
	if (t.user != NULL)
		check(*t.user != '-' && strpbrk(t.user, "`;|&\n\"'") == NULL);
}

static void
try_forward(struct span in)
{
	AUTO(forward_spec_done) struct forward_spec s = { .bind = NULL };
	AUTOFREE char *text = text_of(in);
	char shown[FORWARD_TEXT_MAX];
	const char *why;

	for (int kind = FORWARD_LOCAL; kind <= FORWARD_DYNAMIC; kind++) {
		if (forward_parse((enum forward_kind)kind, text, &s, &why) != 0)
			continue;
		check(s.port >= 0 && s.port <= 65535);
		forward_text(&s, shown);
		forward_spec_done(&s);
	}
}

static void
try_escape(struct span in)
{
	AUTOFREE uint8_t *out = malloc(in.len + 1);
	enum escape_action action;
	struct escape e;
	size_t n;

	check(out != NULL && escape_init(&e, "~") == 0);
	while (in.len > 0) {
		size_t took = escape_take(&e, in, out, &n, &action);

		check(took > 0 && took <= in.len && n <= took + 1);
		in.p += took;
		in.len -= took;
	}
}

static void (*const tries[])(struct span in) = {
	try_known,
	try_socks,
	try_target,
	try_forward,
	try_escape,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		tries[data[0] % nitems_of(tries)](span_of(data + 1, size - 1));
	return 0;
}

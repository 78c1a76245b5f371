/*
 * May this login forward that? Each keyword and each list of a key's line
 * alone and together, as rows. The monitor's decision is all that is asked;
 * nothing is connected.
 */
#include "config.h"

#include <string.h>

#include "common/own.h"
#include "monitor/permit.h"
#include "regress/unit/tap.h"

#define WORDS_MAX 4

struct row {
	const char *server[WORDS_MAX]; /* PermitOpen or PermitListen */
	struct authkeys_permit key[WORDS_MAX];
	size_t nkey;
	const char *host;
	unsigned port;
	bool open;   /* what may_connect() says */
	bool listen; /* what may_listen() says of the same lists */
};

#define ANY \
	{ \
		"any" \
	}
#define KEY(...) \
	{ __VA_ARGS__ }, nitems_of(((struct authkeys_permit[]){ __VA_ARGS__ }))
#define NO_KEY { { NULL, 0 } }, 0
#define HOST(name, port) \
	{ \
		(char *)(uintptr_t)(name), port \
	}

/* clang-format off */
static const struct row rows[] = {
	{ ANY, NO_KEY, "a", 22, true, true },
	{ { "ANY" }, NO_KEY, "", 1, true, true },
	{ { "none" }, NO_KEY, "a", 22, false, false },
	{ { "a:22" }, NO_KEY, "a", 22, true, true },
	{ { "a:22" }, NO_KEY, "a", 23, false, false },
	{ { "a:22" }, NO_KEY, "b", 22, false, false },
	{ { "a:22" }, NO_KEY, "A", 22, false, true },
	{ { "a:22" }, NO_KEY, "a.", 22, false, false },
	{ { "a:*" }, NO_KEY, "a", 65535, true, true },
	{ { "*:80" }, NO_KEY, "anything", 80, true, true },
	{ { "*:80" }, NO_KEY, "anything", 81, false, false },
	{ { "b:1", "a:22" }, NO_KEY, "a", 22, true, true },
	{ { "[::1]:22" }, NO_KEY, "::1", 22, true, true },
	{ { "[::1]:22" }, NO_KEY, "[::1]", 22, false, false },
	{ { "[::1]:*" }, NO_KEY, "::1", 7, true, true },
	/* Where to listen is a pattern, where to go is not. */
	{ { "*.example:22" }, NO_KEY, "x.example", 22, false, true },
	{ { "loc?lhost:22" }, NO_KEY, "localhost", 22, false, true },
	/* A port alone is PermitListen's. */
	{ { "8080" }, NO_KEY, "a", 8080, true, true },
	{ { "8080" }, NO_KEY, "a", 8081, false, false },
	/* The key's list can only take away. */
	{ ANY, KEY(HOST("a", 22)), "a", 22, true, true },
	{ ANY, KEY(HOST("a", 22)), "a", 23, false, false },
	{ ANY, KEY(HOST("a", 0)), "a", 23, true, true },
	{ ANY, KEY(HOST("*", 22)), "b", 22, true, true },
	{ ANY, KEY(HOST("b", 1), HOST("a", 22)), "a", 22, true, true },
	{ { "a:22" }, KEY(HOST("a", 23)), "a", 22, false, false },
	{ { "a:22" }, KEY(HOST("a", 23)), "a", 23, false, false },
	{ { "none" }, KEY(HOST("a", 22)), "a", 22, false, false },
};
/* clang-format on */

static void
make_conn(struct conn *c, const struct row *r, char *words[WORDS_MAX])
{
	struct words list = { words, 0 };
	struct authkeys_permits permits = { NULL, r->nkey };

	for (size_t i = 0; i < WORDS_MAX && r->server[i] != NULL; i++)
		words[list.n++] = (char *)(uintptr_t)r->server[i];
	permits.v = (struct authkeys_permit *)(uintptr_t)r->key;
	*c = (struct conn){ .granted = true, .grants = GRANT_DEFAULT };
	c->options.allow_tcp_forwarding = FORWARD_YES;
	c->options.allow_agent_forwarding = true;
	c->options.x11_forwarding = true;
	c->options.permit_open = c->options.permit_listen = list;
	c->key_opts.permitopen = c->key_opts.permitlisten = permits;
}

START_TEST(lists)
{
	const struct row *r = &rows[_i];
	char *words[WORDS_MAX];
	struct conn c;

	make_conn(&c, r, words);
	ck_assert_int_eq(may_connect(&c, r->host, r->port), r->open);
	ck_assert_int_eq(may_listen(&c, r->host, r->port), r->listen);
	/* Nobody listens on port 0, and to listen there is any port. */
	ck_assert(!may_connect(&c, r->host, 0));
}
END_TEST

START_TEST(each_switch_alone)
{
	char *words[WORDS_MAX];
	struct conn c;

	make_conn(&c, &rows[0], words);
	ck_assert(may_connect_at_all(&c) && may_connect(&c, "a", 1) &&
		  may_listen(&c, "a", 0) && may_agent(&c) && may_x11(&c));
	c.options.disable_forwarding = true;
	ck_assert(!may_connect_at_all(&c) && !may_connect(&c, "a", 1) &&
		  !may_listen(&c, "a", 0) && !may_agent(&c) && !may_x11(&c));
	c.options.disable_forwarding = false;
	c.options.allow_tcp_forwarding = FORWARD_LOCAL;
	ck_assert(may_connect(&c, "a", 1) && !may_listen(&c, "a", 0));
	c.options.allow_tcp_forwarding = FORWARD_REMOTE;
	ck_assert(!may_connect(&c, "a", 1) && may_listen(&c, "a", 0));
	c.options.allow_tcp_forwarding = FORWARD_NO;
	ck_assert(!may_connect(&c, "a", 1) && !may_listen(&c, "a", 0));
	ck_assert(may_agent(&c) && may_x11(&c));
	c.options.allow_agent_forwarding = false;
	ck_assert(!may_agent(&c) && may_x11(&c));
	c.options.x11_forwarding = false;
	ck_assert(!may_x11(&c));
}
END_TEST

START_TEST(each_grant_alone)
{
	static const uint32_t grants[] = { 0, GRANT_PORT_FWD, GRANT_AGENT_FWD,
		GRANT_X11_FWD, GRANT_PTY | GRANT_USER_RC };
	uint32_t g = grants[_i];
	char *words[WORDS_MAX];
	struct conn c;

	make_conn(&c, &rows[0], words);
	c.grants = g;
	ck_assert_int_eq(may_connect(&c, "a", 1), g == GRANT_PORT_FWD);
	ck_assert_int_eq(may_listen(&c, "a", 1), g == GRANT_PORT_FWD);
	ck_assert_int_eq(may_agent(&c), g == GRANT_AGENT_FWD);
	ck_assert_int_eq(may_x11(&c), g == GRANT_X11_FWD);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("permit");
	TCase *t = tcase_create("permit");

	tcase_add_loop_test(t, lists, 0, nitems_of(rows));
	tcase_add_test(t, each_switch_alone);
	tcase_add_loop_test(t, each_grant_alone, 0, 5);
	suite_add_tcase(s, t);
	return tap_run(s);
}

/*
 * Sources and penalties: how addresses are cut, what is held how long, when
 * time is added, enforced, lifted, and what the log has of it.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/penalty.h"
#include "regress/unit/tap.h"

#define LOG_MAX 8192

static struct sources sources;
static struct penalty_book book;
static struct options options;
static int log_fd; /* a pipe's end: what was logged */

static void
set(const char *keyword, const char *value)
{
	AUTOFREE char *line = NULL;
	struct lex_line split;
	struct option_in in = { .row = option_find(keyword), .dir = "/" };
	const char *why;

	ck_assert_int_gt(asprintf(&line, "%s %s", keyword, value), 0);
	ck_assert_int_eq(
	    lex_split(span_of(line, strlen(line)), &split, &why), 0);
	in.words = &split.words;
	ck_assert_int_eq(options_set(&options, &in), 0);
	lex_line_done(&split);
}

static void
begin(const char *terms)
{
	int pair[2];

	ck_assert_int_eq(pipe2(pair, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
	log_fd = pair[0];
	log_open("test", SINK_STDERR, 0, LEVEL_VERBOSE);
	options_init(&options);
	set("PerSourcePenalties", terms);
	set("PerSourceNetBlockSize", "24:64");
	set("PerSourcePenaltyExemptList", "192.0.2.7,2001:db8:9::/48");
	ck_assert_int_eq(options_fill(&options), 0);
	sources_init(&sources);
	penalty_init(&book, &sources);
	penalty_configure(&book, &options);
}

static void
end(void)
{
	penalty_lift_all(&book);
	ck_assert_uint_eq(sources.n, 0);
	ck_assert_uint_eq(book.n[0] + book.n[1], 0);
	options_free(&options);
}

/* What was logged since the last call. */
static const char *
logged(void)
{
	static char text[LOG_MAX];
	ssize_t n = read(log_fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static const char *
reason(const char *addr, int64_t now)
{
	bool first;

	return penalty_reason(&book, addr, now, &first);
}

/* --- sources */

START_TEST(keys)
{
	static const struct {
		const char *addr;
		int bits4, bits6;
		const char *text;
	} cases[] = {
		{ "192.0.2.77", 32, 128, "192.0.2.77/32" },
		{ "192.0.2.77", 24, 128, "192.0.2.0/24" },
		{ "192.0.2.77", 27, 128, "192.0.2.64/27" },
		{ "255.255.255.255", 1, 128, "128.0.0.0/1" },
		{ "192.0.2.77", 0, 128, "0.0.0.0/0" },
		{ "2001:db8:1:2:3:4:5:6", 32, 128, "2001:db8:1:2:3:4:5:6/128" },
		{ "2001:db8:1:2:3:4:5:6", 32, 64, "2001:db8:1:2::/64" },
		{ "2001:db8:1:ff::", 32, 57, "2001:db8:1:80::/57" },
		{ "::1", 32, 0, "::/0" },
		{ "fe80::1%eth0", 32, 128, "fe80::1/128" },
		{ "::ffff:192.0.2.77", 24, 64, "192.0.2.0/24" },
	};
	const struct netblock block = { cases[_i].bits4, cases[_i].bits6 };
	struct source_key key;
	char text[SOURCE_TEXT_MAX];

	ck_assert_int_eq(source_key_text(cases[_i].addr, &block, &key), 0);
	source_text(&key, text);
	ck_assert_str_eq(text, cases[_i].text);
}
END_TEST

/* What was written is read, and a listing goes on from what is gone. */
START_TEST(in_order)
{
	static const char *const texts[] = { "10.0.0.0/8", "10.1.0.0/16",
		"192.0.2.1/32", "::/0", "2001:db8::/64", "2001:db8::/128" };
	static const char *const bad[] = { "", "/", "10.0.0.0", "10.0.0.0/33",
		"10.0.0.0/", "10.0.0.0/x", "::/129", "/8", "x/8" };
	struct source_key key;
	struct source *s = NULL;
	char text[SOURCE_TEXT_MAX];
	size_t n = 0;

	sources_init(&sources);
	for (size_t i = 0; i < nitems_of(bad); i++)
		ck_assert_int_eq(source_key_parse(bad[i], &key), -EBADMSG);
	for (size_t i = 0; i < nitems_of(texts); i++) {
		ck_assert_int_eq(source_key_parse(texts[i], &key), 0);
		source_text(&key, text);
		ck_assert_str_eq(text, texts[i]);
		ck_assert_ptr_nonnull(sources_hold(&sources, &key));
	}
	while ((s = sources_next(&sources, s != NULL ? &key : NULL)) != NULL) {
		key = s->key;
		sources_release(&sources, s);
		n++;
	}
	ck_assert_uint_eq(n, nitems_of(texts));
	ck_assert_uint_eq(sources.n, 0);
}
END_TEST

START_TEST(no_keys)
{
	static const char *const bad[] = { "", "UNKNOWN", "192.0.2", "host",
		"192.0.2.1.", ":::", "%eth0", "192.0.2.1/24",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb" };
	const struct netblock block = { 32, 128 };
	struct source_key key;

	for (size_t i = 0; i < nitems_of(bad); i++)
		ck_assert_int_eq(
		    source_key_text(bad[i], &block, &key), -EBADMSG);
}
END_TEST

START_TEST(holds)
{
	const struct netblock block = { 32, 128 };
	struct source_key a, b;
	struct source *s;

	sources_init(&sources);
	ck_assert_int_eq(source_key_text("192.0.2.1", &block, &a), 0);
	ck_assert_int_eq(source_key_text("192.0.2.2", &block, &b), 0);
	ck_assert_ptr_null(sources_find(&sources, &a));
	s = sources_hold(&sources, &a);
	ck_assert_ptr_nonnull(s);
	ck_assert_ptr_eq(sources_hold(&sources, &a), s);
	ck_assert_ptr_eq(sources_find(&sources, &a), s);
	ck_assert_ptr_null(sources_find(&sources, &b));
	sources_release(&sources, s);
	ck_assert_uint_eq(sources.n, 1);
	sources_release(&sources, s);
	ck_assert_uint_eq(sources.n, 0);
	ck_assert_ptr_null(sources_find(&sources, &a));
}
END_TEST

/* --- penalties */

START_TEST(accrues)
{
	begin("min:10 authfail:6 max:20");
	penalty_add(&book, "198.51.100.1", PENALTY_AUTHFAIL, 1000);
	ck_assert_ptr_null(reason("198.51.100.1", 1000));
	ck_assert_str_eq(logged(),
	    "srclimit_penalise: ipv4: new 198.51.100.0/24 deferred penalty of "
	    "6.000 seconds for penalty: failed authentication\n");
	/* Another address of the source; 2 of the 6 seconds are over. */
	penalty_add(&book, "198.51.100.9", PENALTY_AUTHFAIL, 3000);
	ck_assert_ptr_null(reason("198.51.100.1", 3000));
	ck_assert_str_eq(logged(), "");
	penalty_add(&book, "198.51.100.9", PENALTY_AUTHFAIL, 3000);
	ck_assert_str_eq(logged(),
	    "srclimit_penalise: 198.51.100.0/24: activating ipv4 penalty of "
	    "16.000 seconds for penalty: failed authentication\n");
	ck_assert_str_eq(
	    reason("198.51.100.200", 3000), "penalty: failed authentication");
	ck_assert_ptr_null(reason("198.51.101.1", 3000));
	/* No further than max, and no further line. */
	penalty_add(&book, "198.51.100.9", PENALTY_AUTHFAIL, 3000);
	penalty_add(&book, "198.51.100.9", PENALTY_AUTHFAIL, 3000);
	ck_assert_str_eq(logged(), "");
	ck_assert_ptr_nonnull(reason("198.51.100.1", 22999));
	ck_assert_ptr_null(reason("198.51.100.1", 23000));
	ck_assert_uint_eq(sources.n, 0);
	end();
}
END_TEST

START_TEST(at_once)
{
	bool first;

	begin("min:10 crash:1m");
	penalty_add(&book, "2001:db8:1:2::5", PENALTY_CRASH, 0);
	ck_assert_str_eq(logged(),
	    "srclimit_penalise: ipv6: new 2001:db8:1:2::/64 active penalty of "
	    "60.000 seconds for penalty: caused crash\n");
	ck_assert_ptr_nonnull(
	    penalty_reason(&book, "2001:db8:1:2::6", 1, &first));
	ck_assert(first);
	ck_assert_ptr_nonnull(
	    penalty_reason(&book, "2001:db8:1:2::7", 2, &first));
	ck_assert(!first);
	end();
}
END_TEST

START_TEST(nobody_else)
{
	begin("min:0 authfail:5 noauth:0");
	penalty_add(&book, "192.0.2.7", PENALTY_AUTHFAIL, 0);
	penalty_add(&book, "2001:db8:9:8::1", PENALTY_AUTHFAIL, 0);
	penalty_add(&book, "UNKNOWN", PENALTY_AUTHFAIL, 0);
	penalty_add(&book, "198.51.100.1", PENALTY_NOAUTH, 0);
	ck_assert_uint_eq(sources.n, 0);
	ck_assert_ptr_null(reason("UNKNOWN", 0));
	/* Exempt is the address, also in a source that is kept out. */
	penalty_add(&book, "192.0.2.8", PENALTY_AUTHFAIL, 0);
	ck_assert_ptr_nonnull(reason("192.0.2.8", 0));
	ck_assert_ptr_null(reason("192.0.2.7", 0));
	end();
}
END_TEST

START_TEST(switched_off)
{
	begin("no");
	penalty_add(&book, "198.51.100.1", PENALTY_CRASH, 0);
	ck_assert_uint_eq(sources.n, 0);
	ck_assert_ptr_null(reason("198.51.100.1", 0));
	end();
}
END_TEST

START_TEST(overflow)
{
	char addr[32];

	begin(_i == 0 ? "min:0 max-sources4:3 overflow:permissive"
		      : "min:0 max-sources4:3 overflow:deny-all");
	for (int i = 0; i < 5; i++) {
		snprintf(addr, sizeof(addr), "198.51.%d.1", i);
		penalty_add(&book, addr, PENALTY_AUTHFAIL, i);
	}
	ck_assert_uint_eq(book.n[0], 3);
	ck_assert_uint_eq(sources.n, 3);
	/* The oldest two made room, or the newest two found none. */
	ck_assert((reason("198.51.0.1", 5) != NULL) == (_i == 1));
	ck_assert((reason("198.51.4.1", 5) != NULL));
	ck_assert((reason("203.0.113.1", 5) != NULL) == (_i == 1));
	if (_i == 1)
		ck_assert_str_eq(
		    reason("203.0.113.1", 5), "too many penalised addresses");
	ck_assert_ptr_null(reason("192.0.2.7", 5));
	/* IPv6 is another matter. */
	ck_assert_ptr_null(reason("2001:db8::1", 5));
	penalty_add(&book, "2001:db8::1", PENALTY_AUTHFAIL, 5);
	ck_assert_ptr_nonnull(reason("2001:db8::1", 5));
	/* In time there is room again. */
	ck_assert_ptr_null(reason("203.0.113.1", 5003));
	end();
}
END_TEST

START_TEST(lifted)
{
	const struct source *s = NULL;
	struct source_key held;
	int n = 0;

	begin("min:0");
	penalty_add(&book, "198.51.100.1", PENALTY_AUTHFAIL, 0);
	penalty_add(&book, "203.0.113.1", PENALTY_CRASH, 0);
	penalty_add(&book, "2001:db8::1", PENALTY_CRASH, 0);
	/* A source without a penalty is none, wherever it stands. */
	ck_assert_int_eq(source_key_text("198.51.100.99",
			     &options.per_source_net_block_size, &held),
	    0);
	held.bits = 25;
	ck_assert_ptr_nonnull(sources_hold(&sources, &held));
	while ((s = penalty_next(&book, s != NULL ? &s->key : NULL, 1)) != NULL)
		n++;
	ck_assert_int_eq(n, 3);
	sources_release(&sources, sources_find(&sources, &held));
	ck_assert_uint_eq(penalty_lift(&book, "198.51.100.77"), 1);
	ck_assert_uint_eq(penalty_lift(&book, "198.51.100.77"), 0);
	ck_assert_uint_eq(penalty_lift(&book, "nonsense"), 0);
	ck_assert_ptr_null(reason("198.51.100.1", 1));
	ck_assert_ptr_nonnull(reason("203.0.113.1", 1));
	ck_assert_uint_eq(penalty_lift_all(&book), 2);
	ck_assert_ptr_null(reason("203.0.113.1", 1));
	end();
}
END_TEST

/* A reload keeps them, unless they are cut anew or switched off. */
START_TEST(configured_anew)
{
	static const char *const blocks[] = { "24:64", "16:64", "24:64" };
	static const char *const terms[] = { "min:0", "min:0", "no" };

	begin("min:0");
	penalty_add(&book, "198.51.100.1", PENALTY_CRASH, 0);
	options_free(&options);
	set("PerSourcePenalties", terms[_i]);
	set("PerSourceNetBlockSize", blocks[_i]);
	ck_assert_int_eq(options_fill(&options), 0);
	penalty_configure(&book, &options);
	ck_assert((reason("198.51.100.1", 0) != NULL) == (_i == 0));
	ck_assert_uint_eq(sources.n, _i == 0);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("penalty");
	TCase *t = tcase_create("penalty");

	tcase_add_loop_test(t, keys, 0, 11);
	tcase_add_test(t, in_order);
	tcase_add_test(t, no_keys);
	tcase_add_test(t, holds);
	tcase_add_test(t, accrues);
	tcase_add_test(t, at_once);
	tcase_add_test(t, nobody_else);
	tcase_add_test(t, switched_off);
	tcase_add_loop_test(t, overflow, 0, 2);
	tcase_add_test(t, lifted);
	tcase_add_loop_test(t, configured_anew, 0, 3);
	suite_add_tcase(s, t);
	return tap_run(s);
}

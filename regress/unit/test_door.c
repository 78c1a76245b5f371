/*
 * The door of omniedge-ssh-server: networks, rate, bans and their ends, on a
 * clock of the test's; and that the refused are told in SSH's form.
 */
#include "config.h"

#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/door.h"
#include "regress/unit/tap.h"

static char *private_list[] = { (char *)(uintptr_t) "10.0.0.0/8",
	(char *)(uintptr_t) "fd00::/8" };
static const struct words private_nets = { private_list, 2 };
static const struct words everybody = { NULL, 0 };
static struct door door;
static char told[512];

static void
begin(const struct words *networks, unsigned rate, unsigned failures)
{
	struct door_terms terms = { networks, 3, rate, failures, 5000 };

	log_open("test", SINK_STDERR, 0, LEVEL_QUIET);
	door_init(&door, &terms);
}

/* Whether an address is let in while n others are; else told has why. */
static bool
comes(const char *addr, unsigned n, int64_t now)
{
	struct startup at = { .peer = { .port = 1 }, .local = { .port = 2 } };
	int pair[2];
	bool in;
	ssize_t len;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	at.fd = pair[0];
	strlcpy(at.peer.addr, addr, sizeof(at.peer.addr));
	in = door_admit(&door, &at, n, now);
	ck_assert(in == (at.fd >= 0));
	startup_done(&at);
	memset(told, 0, sizeof(told));
	len = in ? 0 : recv(pair[1], told, sizeof(told) - 1, MSG_DONTWAIT);
	close(pair[1]);
	ck_assert(in || len > 0);
	return in;
}

static bool
says(const char *text)
{
	return memmem(told, sizeof(told), text, strlen(text)) != NULL;
}

START_TEST(networks)
{
	begin(&private_nets, 0, 0);
	ck_assert(comes("10.1.2.3", 0, 0));
	ck_assert(comes("fd12::1", 0, 0));
	ck_assert(!comes("192.0.2.1", 0, 0));
	ck_assert(says("Not accepted from 192.0.2.1: connection not from"));
	ck_assert_int_eq(strncmp(told, "SSH-2.0-", 8), 0);
	ck_assert(!comes("2001:db8::1", 0, 0));
	ck_assert(!comes("UNKNOWN", 0, 0));
	door_done(&door);
	begin(&everybody, 0, 0);
	ck_assert(comes("192.0.2.1", 0, 0));
	ck_assert(!comes("192.0.2.1", 3, 0));
	ck_assert(says("too many concurrent connections"));
	door_done(&door);
}

START_TEST(rate)
{
	begin(&everybody, 2, 0);
	ck_assert(comes("192.0.2.1", 0, 1000));
	ck_assert(comes("192.0.2.1", 0, 2000));
	ck_assert(!comes("192.0.2.1", 0, 3000));
	ck_assert(says("rate limited, retry after 58 seconds"));
	ck_assert(!comes("192.0.2.1", 0, 60999));
	ck_assert(comes("192.0.2.2", 0, 3000));
	ck_assert(comes("2001:db8::1", 0, 3000));
	ck_assert(comes("2001:db8::2", 0, 3000));
	ck_assert(!comes("2001:db8::3", 0, 3000));
	ck_assert(comes("192.0.2.1", 0, 61000));
	door_done(&door);
}

START_TEST(bans)
{
	begin(&everybody, 0, 2);
	ck_assert(!door_failed(&door, "192.0.2.1", 1000));
	door_passed(&door, "192.0.2.1");
	ck_assert(!door_failed(&door, "192.0.2.1", 2000));
	ck_assert(door_failed(&door, "192.0.2.1", 3000));
	ck_assert(!comes("192.0.2.1", 0, 4000));
	ck_assert(says("banned for failed logins, 4 seconds remaining"));
	ck_assert(comes("192.0.2.2", 0, 4000));
	ck_assert(!comes("192.0.2.1", 0, 7999));
	ck_assert(comes("192.0.2.1", 0, 8000));
	/* Failures of an hour ago do not count. */
	ck_assert(!door_failed(&door, "192.0.2.3", 1000));
	ck_assert(!door_failed(&door, "192.0.2.3", 3601001));
	ck_assert(door_failed(&door, "192.0.2.3", 3601002));
	door_done(&door);
}

START_TEST(forgets)
{
	begin(&everybody, 5, 2);
	for (unsigned i = 0; i < 200; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "192.0.2.%u", i);
		ck_assert(comes(addr, 0, 1000));
	}
	(void)door_failed(&door, "198.51.100.1", 1000);
	ck_assert_uint_eq(door.sources.n, 201);
	door_tick(&door, 62000);
	ck_assert_uint_eq(door.sources.n, 1);
	ck_assert_int_ge((int)door_wait(&door, 62000), 1);
	door_tick(&door, 3700000);
	ck_assert_uint_eq(door.sources.n, 0);
	ck_assert_int_eq((int)door_wait(&door, 3700000), -1);
	door_done(&door);
}

START_TEST(farewells_end)
{
	begin(&private_nets, 0, 0);
	for (unsigned i = 0; i < DOOR_FAREWELLS + 5; i++)
		ck_assert(!comes("192.0.2.1", 0, 1000));
	ck_assert_uint_eq(door.nfarewells, DOOR_FAREWELLS);
	door_tick(&door, 2000);
	ck_assert_uint_eq(door.nfarewells, DOOR_FAREWELLS);
	door_tick(&door, 4000);
	ck_assert_uint_eq(door.nfarewells, 0);
	door_done(&door);
}

int
main(void)
{
	Suite *s = suite_create("door");
	TCase *t = tcase_create("door");

	tcase_add_test(t, networks);
	tcase_add_test(t, rate);
	tcase_add_test(t, bans);
	tcase_add_test(t, forgets);
	tcase_add_test(t, farewells_end);
	suite_add_tcase(s, t);
	return tap_run(s);
}

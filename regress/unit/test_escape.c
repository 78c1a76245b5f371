/* Escape characters: where they count, and what is sent of them. */
#include "config.h"

#include <string.h>

#include "client/escape.h"
#include "common/err.h"
#include "common/own.h"
#include "regress/unit/tap.h"

/* All that is typed in one go; actions by their letters into said. */
static void
type(struct escape *e, const char *in, char *sent, char *said)
{
	struct span left = span_of(in, strlen(in));

	while (left.len > 0) {
		enum escape_action action;
		size_t n,
		    took = escape_take(e, left, (uint8_t *)sent, &n, &action);

		ck_assert_uint_gt(took, 0);
		ck_assert_uint_le(n, took + 1);
		sent += n;
		left.p += took;
		left.len -= took;
		if (action != ESCAPE_NONE)
			*said++ = (char)('a' + action);
	}
	*sent = '\0';
	*said = '\0';
}

static const struct {
	const char *in, *sent, *said;
} typed[] = {
	{ "ls\r", "ls\r", "" },
	{ "~.", "", "b" },
	{ "a~.", "a~.", "" },
	{ "a\r~.", "a\r", "b" },
	{ "a\n~.b", "a\nb", "b" },
	{ "~~x", "~x", "" },
	{ "~~~.", "~~.", "" },
	{ "~x", "~x", "" },
	{ "~?~#~C", "", "kef" },
	{ "~\032", "", "c" },
	{ "~&", "", "d" },
	{ "~", "", "" },
	{ "~\r~.", "~\r", "b" },
};

START_TEST(sequences)
{
	struct escape e;
	char sent[64], said[64];

	ck_assert_int_eq(escape_init(&e, "~"), 0);
	type(&e, typed[_i].in, sent, said);
	ck_assert_str_eq(sent, typed[_i].sent);
	ck_assert_str_eq(said, typed[_i].said);
}
END_TEST

/* However the bytes arrive, the result is the same. */
START_TEST(split)
{
	struct escape e;
	char sent[64] = "", said[64] = "", part[2] = { 0 }, out[64], acts[64];

	ck_assert_int_eq(escape_init(&e, "~"), 0);
	for (const char *p = "a\r~~b\r~xc\r~."; *p != '\0'; p++) {
		part[0] = *p;
		type(&e, part, out, acts);
		strlcat(sent, out, sizeof(sent));
		strlcat(said, acts, sizeof(said));
	}
	ck_assert_str_eq(sent, "a\r~b\r~xc\r");
	ck_assert_str_eq(said, "b");
}
END_TEST

START_TEST(characters)
{
	struct escape e;
	char sent[64], said[64];

	ck_assert_int_eq(escape_init(&e, "none"), 0);
	type(&e, "~.", sent, said);
	ck_assert_str_eq(sent, "~.");
	ck_assert_int_eq(escape_init(&e, "^a"), 0);
	type(&e, "\001.", sent, said);
	ck_assert_str_eq(said, "b");
	ck_assert_int_eq(escape_init(&e, "%"), 0);
	type(&e, "%.", sent, said);
	ck_assert_str_eq(said, "b");
	ck_assert_int_eq(escape_init(&e, "ab"), -EBADMSG);
	ck_assert_int_eq(escape_init(&e, ""), -EBADMSG);
}
END_TEST

START_TEST(help)
{
	struct escape e;
	AUTOFREE char *text = NULL;

	ck_assert_int_eq(escape_init(&e, "^a"), 0);
	text = escape_help(&e);
	ck_assert_ptr_nonnull(strstr(text, "^A."));
	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		ck_assert_int_eq(p[-1], '\r');
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("escape");
	TCase *tc = tcase_create("escape");

	tcase_add_loop_test(tc, sequences, 0, nitems_of(typed));
	tcase_add_test(tc, split);
	tcase_add_test(tc, characters);
	tcase_add_test(tc, help);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

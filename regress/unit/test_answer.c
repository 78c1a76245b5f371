/*
 * The monitor's table of answers and the network process's questions against
 * msg.def: no row without both, and each answer behind its own row. The
 * answers themselves are stood in for, so that calling one only shows which
 * it is.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/answer.h"
#include "regress/unit/tap.h"

#define SOURCE_MAX 65536

static enum msg_id answered;

/* One stand-in a row, also for rows that have no answer: none calls those. */
/* clang-format off */
#define INT(...)
#define STR(...)
#define BYTES(...)
#define SECRET(...)
#define END
#define MSG(NAME, type, ...) \
	int answer_##type(struct conn *c, const struct msg *m); \
	int answer_##type(struct conn *c, const struct msg *m) \
	{ \
		(void)c; \
		ck_assert_int_eq(m->id, MSG_##NAME); \
		answered = MSG_##NAME; \
		return 0; \
	}
#include "common/msg.def"
#undef MSG
/* clang-format on */

static const char *const types[MSG_COUNT] = {
#define MSG(NAME, type, ...) [MSG_##NAME] = #type,
#include "common/msg.def"
};

static bool
is_for_monitor(const struct msg_rule *r)
{
	return r->sender == NET && r->receiver == MONITOR;
}

START_TEST(each_row_has_its_answer)
{
	struct msg m = { .id = (enum msg_id)_i };
	struct conn c = { .granted = false };
	int rc;

	answered = MSG_NONE;
	rc = answer(&c, &m);
	if (is_for_monitor(msg_rule(m.id))) {
		ck_assert_int_eq(rc, 0);
		ck_assert_int_eq(answered, m.id);
	} else {
		ck_assert_int_eq(rc, -EPROTO);
		ck_assert_int_eq(answered, MSG_NONE);
	}
}
END_TEST

/* --- sshd/ask.c, which wants libssh: its text is looked at */

static void
read_source(const char *name, char *out)
{
	const char *dir = getenv("SRCDIR");
	char path[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : ".", name);
	f = fopen(path, "re");
	ck_assert_msg(f != NULL, "%s: set SRCDIR", path);
	n = fread(out, 1, SOURCE_MAX - 1, f);
	out[n] = '\0';
	fclose(f);
}

/* Where the function that begins at a line's start with this name is. */
static const char *
function(const char *source, const char *prefix, const char *name)
{
	char begin[128];

	snprintf(begin, sizeof(begin), "\n%s%s(", prefix, name);
	return strstr(source, begin);
}

START_TEST(each_question_is_asked)
{
	static char source[SOURCE_MAX];
	const struct msg_rule *r = msg_rule((enum msg_id)_i);
	const char *at, *end, *use;
	char constant[64];

	if (!is_for_monitor(r))
		return;
	read_source("sshd/ask.c", source);
	snprintf(constant, sizeof(constant), "MSG_%s }", r->name);
	use = strstr(source, constant);
	ck_assert_msg(use != NULL, "nobody sends %s", r->name);
	if (r->reply == MSG_NONE)
		return;
	at = function(source, "ask_", types[_i]);
	ck_assert_msg(at != NULL, "no ask_%s()", types[_i]);
	end = strstr(at, "\n}\n");
	ck_assert_msg(
	    use > at && use < end, "ask_%s() sends something else", types[_i]);
	/* What it hands back is out of the reply that its row names. */
	snprintf(constant, sizeof(constant), "u.%s", types[r->reply]);
	use = strstr(at, constant);
	ck_assert_msg(use != NULL && use < end, "ask_%s() does not look at %s",
	    types[_i], types[r->reply]);
}
END_TEST

/* Every message of the monitor's own is an answer, or sent unasked on purpose
 */
START_TEST(monitor_speaks_when_asked)
{
	static const enum msg_id unasked[] = { MSG_SESSION_EXIT, MSG_CONNECTED,
		MSG_LISTENING };
	const struct msg_rule *r = msg_rule((enum msg_id)_i);
	bool asked = false;

	if (r->sender != MONITOR || r->receiver != NET)
		return;
	for (enum msg_id id = MSG_NONE + 1; id < MSG_COUNT; id++)
		asked |= msg_rule(id)->reply == (enum msg_id)_i;
	for (size_t i = 0; i < nitems_of(unasked); i++)
		asked |= unasked[i] == (enum msg_id)_i;
	ck_assert_msg(asked, "nobody asks for %s", r->name);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("answer");
	TCase *t = tcase_create("answer");

	tcase_add_loop_test(t, each_row_has_its_answer, 1, MSG_COUNT);
	tcase_add_loop_test(t, each_question_is_asked, 1, MSG_COUNT);
	tcase_add_loop_test(t, monitor_speaks_when_asked, 1, MSG_COUNT);
	suite_add_tcase(s, t);
	return tap_run(s);
}

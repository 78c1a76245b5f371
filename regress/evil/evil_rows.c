/*
 * A hostile network process against the real sshd-monitor, out of msg.def:
 * every row where it must not come, from whom it must not come, too often, cut,
 * too long, with descriptors. The connection ends, is logged once, and nothing
 * else happens. What the rows alone do not say is in evil_rules.c.
 */
#include "config.h"

#include "common/err.h"
#include "common/own.h"
#include "regress/evil/rig.h"
#include "regress/unit/msgfill.h"
#include "regress/unit/tap.h"

#define OFTEN 200     /* rows that may come more often than this, must */
#define FEW_TIMES 128 /* rows with at most so many are counted to the end */
#define FDS_MANY 253

static const unsigned phases[] = { PH_START, PH_KEX, PH_AUTH, PH_SESSION };

static bool
is_ours(const struct msg_rule *rule)
{
	return rule->sender == NET && rule->receiver == MONITOR;
}

/* A phase in which the monitor would take it. */
static unsigned
good_phase(const struct msg_rule *rule)
{
	return rule->phases == PH_ANY ? PH_KEX
				      : rule->phases & ~(rule->phases - 1);
}

/* --- where and from whom */

START_TEST(wrong_place)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_rule *rule = msg_rule(id);

	for (size_t p = 0; p < nitems_of(phases); p++) {
		struct msg m;
		struct rig r;

		if (is_ours(rule) && (rule->phases & phases[p]) != 0)
			continue;
		rig_bring(&r, phases[p]);
		m = rig_msg(id);
		ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
		rig_ends_well(&r, RIG_BROKE);
	}
}
END_TEST

/* The same from sshd's side, which has nothing more to say. */
START_TEST(wrong_channel)
{
	struct msg m;
	struct rig r;

	rig_bring(&r, PH_AUTH);
	m = rig_msg((enum msg_id)_i);
	ck_assert_int_eq(rig_push_msg(r.sshd.fd, &m), 0);
	rig_ends_well(&r, RIG_SILENT);
}
END_TEST

/* What comes after the evil one is not looked at any more. */
START_TEST(nothing_after_a_fault)
{
	struct msg bad = rig_msg(MSG_CONN);
	struct msg user = rig_msg(MSG_AUTH_USER);
	struct msg signature, start;
	struct rig r;

	rig_bring(&r, PH_AUTH);
	rig_user(&r);
	signature = rig_signature(&r);
	start = rig_msg(MSG_SESSION_START);
	ck_assert_int_eq(rig_push_msg(r.net.fd, &bad), 0);
	(void)rig_push_msg(r.net.fd, &signature);
	(void)rig_push_msg(r.net.fd, &start);
	(void)rig_push_msg(r.net.fd, &user);
	rig_ends_well(&r, RIG_BROKE);
}
END_TEST

/* --- how often */

/* As often as it may come; the monitor must not mind. */
static void
send_times(struct rig *r, struct msg *m, uint32_t times)
{
	for (uint32_t i = 0; i < times; i++) {
		if (msg_rule(m->id)->reply != MSG_NONE)
			(void)rig_ask(r, m);
		else
			ck_assert_int_eq(rig_push_msg(r->net.fd, m), 0);
	}
}

/* Rows that end or forbid the connection by themselves the first time. */
static bool
is_last(enum msg_id id)
{
	return id == MSG_BYE || id == MSG_PROVE || id == MSG_AUTH_ANSWERS;
}

START_TEST(once_too_often)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_rule *rule = msg_rule(id);
	struct msg m, bye = rig_msg(MSG_BYE);
	struct rig r;

	if (!is_ours(rule) || is_last(id))
		return;
	rig_bring(&r, good_phase(rule));
	if (rule->phases == PH_AUTH && id != MSG_AUTH_USER)
		rig_user(&r);
	m = rig_msg(id);
	if (id == MSG_SIGN)
		m.u.sign.hash.len = RIG_HASH_LEN;
	if (rule->times > FEW_TIMES) {
		r.logged_in |= rule->phases == PH_SESSION;
		send_times(&r, &m, OFTEN);
		ck_assert_int_eq(rig_push_msg(r.net.fd, &bye), 0);
		rig_ends_well(&r, RIG_SILENT);
		return;
	}
	send_times(&r, &m, rule->times);
	ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
	rig_ends_well(&r, RIG_BROKE);
	if (rule->phases != PH_START) /* of SETUP the phase is what refuses */
		ck_assert_msg(
		    strstr(r.log, err_str(-EDQUOT)) != NULL, "%.2000s", r.log);
}
END_TEST

START_TEST(bye_twice)
{
	struct msg m = rig_msg(MSG_BYE);

	for (size_t p = 0; p < nitems_of(phases); p++) {
		struct rig r;

		rig_bring(&r, phases[p]);
		ck_assert_int_eq(rig_push_msg(r.net.fd, &m), 0);
		(void)rig_push_msg(r.net.fd, &m);
		rig_ends_well(&r, RIG_SILENT);
	}
}
END_TEST

/* --- what bytes */

static void
push_bytes(enum msg_id id, const void *p, size_t len, unsigned nfds)
{
	struct rig r;

	rig_bring(&r, good_phase(msg_rule(id)));
	ck_assert_int_eq(rig_push(r.net.fd, p, len, nfds), 0);
	/* Of nothing, the monitor cannot tell that it is not the end. */
	rig_ends_well(&r, len == 0 ? RIG_GONE : RIG_BROKE);
}

START_TEST(truncated)
{
	enum msg_id id = (enum msg_id)_i;
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m;

	if (!is_ours(msg_rule(id)))
		return;
	m = msgfill(id, MSGFILL_MIN);
	msgfill_put_raw(&m, &w);
	for (size_t len = 0; len < w.len; len++)
		push_bytes(id, w.p, len, 0);
	writer_u8(&w, 0);
	push_bytes(id, w.p, w.len, 0);
}
END_TEST

static void
push_fields(struct msg *m)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	msgfill_put_raw(m, &w);
	push_bytes(m->id, w.p, w.len, 0);
}

START_TEST(past_bounds)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_field *f = msg_rule(id)->fields;

	if (!is_ours(msg_rule(id)))
		return;
	for (unsigned i = 0; i < msgfill_count(id); i++) {
		struct msg m = msgfill(id, MSGFILL_MIN);

		msgfill_set(&m, i, f[i].max + 1);
		push_fields(&m);
		if (f[i].min != 0) {
			msgfill_set(&m, i, f[i].min - 1);
			push_fields(&m);
		}
		if (f[i].kind == FIELD_STR) {
			*(struct span *)msgfill_at(&m, i) = span_of("a\0b", 3);
			push_fields(&m);
		}
	}
}
END_TEST

START_TEST(with_descriptors)
{
	static const unsigned counts[] = { 1, 2, 3, 4, FDS_MANY };
	enum msg_id id = (enum msg_id)_i;
	struct msg m;
	AUTO(writer_done) struct writer w = WRITER_INIT;

	if (!is_ours(msg_rule(id)))
		return;
	m = rig_msg(id);
	msgfill_put_raw(&m, &w);
	for (size_t i = 0; i < nitems_of(counts); i++)
		if (counts[i] > msg_rule(id)->fds)
			push_bytes(id, w.p, w.len, counts[i]);
}
END_TEST

START_TEST(unknown_ids_and_versions)
{
	static const uint8_t heads[][2] = {
		{ MSG_VERSION, MSG_NONE },
		{ MSG_VERSION, MSG_COUNT },
		{ MSG_VERSION, MSG_COUNT + 1 },
		{ MSG_VERSION, 127 },
		{ MSG_VERSION, 128 },
		{ MSG_VERSION, 255 },
		{ 0, MSG_LOG },
		{ MSG_VERSION + 1, MSG_BYE },
		{ 255, MSG_BYE },
	};

	for (size_t i = 0; i < nitems_of(heads); i++) {
		struct rig r;

		rig_bring(&r, phases[_i]);
		ck_assert_int_eq(rig_push(r.net.fd, heads[i], 2, 0), 0);
		rig_ends_well(&r, RIG_BROKE);
	}
}
END_TEST

START_TEST(too_long)
{
	static const size_t sizes[] = { MSG_MAX_LEN, MSG_MAX_LEN + 1,
		2 * MSG_MAX_LEN };

	for (size_t i = 0; i < nitems_of(sizes); i++) {
		AUTOFREE uint8_t *p = calloc(1, sizes[i]);
		struct rig r;

		ck_assert_ptr_nonnull(p);
		p[0] = MSG_VERSION;
		p[1] = MSG_LOG;
		rig_bring(&r, phases[_i]);
		ck_assert_int_eq(rig_push(r.net.fd, p, sizes[i], 0), 0);
		rig_ends_well(&r, RIG_BROKE);
	}
}
END_TEST

/* --- the end of a peer */

START_TEST(net_goes)
{
	struct rig r;

	rig_bring(&r, phases[_i]);
	rig_hang_up(&r);
	rig_ends_well(&r, RIG_GONE);
}
END_TEST

START_TEST(sshd_goes)
{
	struct msg m = { .id = MSG_SIGN };
	struct rig r;

	rig_bring(&r, phases[_i]);
	chan_done(&r.sshd);
	if (phases[_i] != PH_SESSION) {
		rig_ends_well(&r, RIG_SILENT);
		return;
	}
	/* Live logins stay when sshd is restarted. */
	m.u.sign.hash = span_of(msgfill_text(), RIG_HASH_LEN);
	m = rig_ask(&r, &m);
	ck_assert_uint_eq(m.u.signature.raw.len, 64);
	rig_hang_up(&r);
	rig_ends_well(&r, RIG_GONE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("evil rows");
	TCase *t = tcase_create("each row");
	TCase *u = tcase_create("each phase");

	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, rig_setup, rig_teardown);
	tcase_add_loop_test(t, wrong_place, 1, MSG_COUNT);
	tcase_add_loop_test(t, wrong_channel, 1, MSG_COUNT);
	tcase_add_loop_test(t, once_too_often, 1, MSG_COUNT);
	tcase_add_loop_test(t, truncated, 1, MSG_COUNT);
	tcase_add_loop_test(t, past_bounds, 1, MSG_COUNT);
	tcase_add_loop_test(t, with_descriptors, 1, MSG_COUNT);
	suite_add_tcase(s, t);
	tcase_set_timeout(u, 60);
	tcase_add_unchecked_fixture(u, rig_setup, rig_teardown);
	tcase_add_loop_test(u, unknown_ids_and_versions, 0, 4);
	tcase_add_loop_test(u, too_long, 0, 4);
	tcase_add_loop_test(u, net_goes, 0, 4);
	tcase_add_loop_test(u, sshd_goes, 0, 4);
	tcase_add_test(u, bye_twice);
	tcase_add_test(u, nothing_after_a_fault);
	suite_add_tcase(s, u);
	return tap_run(s);
}

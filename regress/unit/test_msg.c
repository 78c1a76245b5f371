/*
 * The message codec and the permission check, over every row of msg.def: each
 * bound of each field, each wrong byte count, sender, receiver, phase, number.
 */
#include "config.h"

#include <stdio.h>

#include "common/err.h"
#include "common/own.h"
#include "regress/unit/msgfill.h"
#include "regress/unit/tap.h"

#define SECRET_TEXT "open-sesame"
#define TRACE_MAX 4096
#define LENGTHS_EACH 400

static const unsigned phases[] = { PH_START, PH_KEX, PH_AUTH, PH_SESSION };

/* Both ways of writing must give the same bytes. */
static void
encode(struct msg *m, struct writer *out)
{
	AUTO(writer_done) struct writer raw = WRITER_INIT;

	msgfill_put_raw(m, &raw);
	ck_assert_int_eq(msg_encode(m, out), 0);
	ck_assert(span_eq(span_of(raw.p, raw.len), span_of(out->p, out->len)));
}

static void
check_same(struct msg *a, struct msg *b)
{
	ck_assert_int_eq(a->id, b->id);
	for (unsigned i = 0; i < msgfill_count(a->id); i++) {
		if (msg_rule(a->id)->fields[i].kind == FIELD_INT)
			ck_assert_uint_eq(*(uint64_t *)msgfill_at(a, i),
			    *(uint64_t *)msgfill_at(b, i));
		else
			ck_assert(span_eq(*(struct span *)msgfill_at(a, i),
			    *(struct span *)msgfill_at(b, i)));
	}
}

/* What the encoder refuses, the decoder must refuse as well. */
static void
check_refused(struct msg *m)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	AUTO(writer_done) struct writer raw = WRITER_INIT;
	struct msg got = { .id = MSG_NONE };

	ck_assert_int_eq(msg_encode(m, &w), -EBADMSG);
	msgfill_put_raw(m, &raw);
	ck_assert_int_eq(writer_end(&raw), 0);
	ck_assert_int_eq(msg_decode(raw.p, raw.len, &got), -EBADMSG);
	ck_assert_int_eq(got.id, MSG_NONE);
}

/* --- the table */

START_TEST(row_is_sound)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_rule *r = msg_rule(id);
	const struct msg_rule *reply;

	ck_assert_ptr_nonnull(r);
	ck_assert_uint_gt(strlen(r->name), 0);
	ck_assert_uint_gt(strlen(r->help), 2);
	ck_assert_uint_lt(r->sender, PEER_COUNT);
	ck_assert_uint_lt(r->receiver, PEER_COUNT);
	ck_assert(r->sender != r->receiver);
	ck_assert_uint_ne(r->phases, 0);
	ck_assert_uint_eq(r->phases & ~(unsigned)PH_ANY, 0);
	ck_assert_uint_gt(r->times, 0);
	ck_assert_uint_le(r->fds, MSG_MAX_FDS);
	for (unsigned i = 0; i < msgfill_count(id); i++) {
		ck_assert_uint_le(r->fields[i].min, r->fields[i].max);
		ck_assert_uint_gt(strlen(r->fields[i].name), 0);
		ck_assert_uint_gt(strlen(r->fields[i].help), 2);
	}
	if (r->reply == MSG_NONE)
		return;
	reply = msg_rule(r->reply);
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_eq(reply->sender, r->receiver);
	ck_assert_uint_eq(reply->receiver, r->sender);
	ck_assert_uint_eq(reply->phases, PH_ANY);
	ck_assert_uint_ge(reply->times, r->times);
	ck_assert_uint_eq(reply->reply, MSG_NONE);
}
END_TEST

START_TEST(no_other_rows)
{
	ck_assert_int_lt(MSG_COUNT, 256);
	ck_assert_ptr_null(msg_rule(MSG_NONE));
	ck_assert_ptr_null(msg_rule(MSG_COUNT));
	ck_assert_ptr_null(msg_rule((enum msg_id)255));
	ck_assert_ptr_null(msg_rule((enum msg_id) - 1));
	ck_assert_str_eq(msg_peer_name(PEER_COUNT), "?");
	for (unsigned p = 0; p < PEER_COUNT; p++)
		ck_assert_int_eq(
		    strncmp(msg_peer_name((enum peer)p), "sshd", 4), 0);
}
END_TEST

/* --- the codec */

static void
round_trip(enum msg_id id, enum msgfill bound)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = msgfill(id, bound);
	struct msg got;

	encode(&m, &w);
	ck_assert_uint_le(w.len, MSG_MAX_LEN);
	ck_assert_int_eq(msg_decode(w.p, w.len, &got), 0);
	check_same(&m, &got);
}

START_TEST(bounds_pass)
{
	round_trip((enum msg_id)_i, MSGFILL_MIN);
	round_trip((enum msg_id)_i, MSGFILL_MAX);
}
END_TEST

START_TEST(past_bounds_fails)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_field *f = msg_rule(id)->fields;

	for (unsigned i = 0; i < msgfill_count(id); i++) {
		struct msg m = msgfill(id, MSGFILL_MIN);

		msgfill_set(&m, i, f[i].max + 1);
		check_refused(&m);
		if (f[i].kind == FIELD_INT) {
			msgfill_set(&m, i, UINT64_MAX);
			check_refused(&m);
		}
		if (f[i].min == 0)
			continue;
		msgfill_set(&m, i, f[i].min - 1);
		check_refused(&m);
	}
}
END_TEST

static void
truncations_fail(enum msg_id id, enum msgfill bound)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = msgfill(id, bound);
	struct msg got = { .id = MSG_NONE };

	encode(&m, &w);
	/* Each length near the fields' beginnings and the end, some between. */
	for (size_t len = 0; len < w.len;
	     len += len < LENGTHS_EACH || len + LENGTHS_EACH > w.len ? 1 : 97) {
		/* Its own allocation, so that a sanitizer sees each overrun. */
		AUTOFREE uint8_t *cut = malloc(len + (len == 0));

		ck_assert_ptr_nonnull(cut);
		memcpy(cut, w.p, len);
		ck_assert_int_eq(msg_decode(cut, len, &got), -EBADMSG);
	}
	writer_u8(&w, 0);
	ck_assert_int_eq(msg_decode(w.p, w.len, &got), -EBADMSG);
	ck_assert_int_eq(got.id, MSG_NONE);
}

START_TEST(wrong_length_fails)
{
	truncations_fail((enum msg_id)_i, MSGFILL_MIN);
	truncations_fail((enum msg_id)_i, MSGFILL_MAX);
}
END_TEST

/* A length that promises more than there is, up to what 32 bits can say. */
START_TEST(false_length_fails)
{
	static const uint32_t lies[] = { 1, 0x7fffffff, 0x80000000,
		UINT32_MAX - 3, UINT32_MAX };
	enum msg_id id = (enum msg_id)_i;
	const struct msg_field *f = msg_rule(id)->fields;
	struct msg m = msgfill(id, MSGFILL_MIN);
	AUTO(writer_done) struct writer w = WRITER_INIT;
	size_t at = 2;
	struct msg got;

	encode(&m, &w);
	for (unsigned i = 0; i < msgfill_count(id); i++) {
		if (f[i].kind == FIELD_INT) {
			at += 8;
			continue;
		}
		for (size_t k = 0; k < nitems_of(lies); k++) {
			uint32_t n = (uint32_t)f[i].min + lies[k];

			for (unsigned b = 0; b < 4; b++)
				w.p[at + b] = (uint8_t)(n >> (24 - 8 * b));
			if (n == f[i].min)
				continue;
			ck_assert_int_eq(
			    msg_decode(w.p, w.len, &got), -EBADMSG);
		}
		for (unsigned b = 0; b < 4; b++)
			w.p[at + b] = (uint8_t)(f[i].min >> (24 - 8 * b));
		at += 4 + f[i].min;
	}
}
END_TEST

START_TEST(nul_only_in_bytes)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_field *f = msg_rule(id)->fields;
	uint8_t text[3];

	for (unsigned i = 0; i < msgfill_count(id); i++) {
		struct msg m = msgfill(id, MSGFILL_MAX);
		size_t len = f[i].max < 3 ? (size_t)f[i].max : 3;

		if (f[i].kind == FIELD_INT || f[i].min > 3)
			continue;
		for (size_t k = 0; k < len; k++) {
			AUTO(writer_done) struct writer w = WRITER_INIT;

			memset(text, 'x', sizeof(text));
			text[k] = '\0';
			*(struct span *)msgfill_at(&m, i) = span_of(text, len);
			if (f[i].kind == FIELD_STR)
				check_refused(&m);
			else
				encode(&m, &w);
		}
	}
}
END_TEST

START_TEST(version_and_id_count)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = msgfill((enum msg_id)_i, MSGFILL_MIN);
	struct msg got;

	encode(&m, &w);
	for (unsigned v = 0; v < 256; v++) {
		w.p[0] = (uint8_t)v;
		ck_assert_int_eq(msg_decode(w.p, w.len, &got),
		    v == MSG_VERSION ? 0 : -EBADMSG);
	}
	w.p[0] = MSG_VERSION;
	w.p[1] = MSG_NONE;
	ck_assert_int_eq(msg_decode(w.p, w.len, &got), -EBADMSG);
	for (unsigned id = MSG_COUNT; id < 256; id++) {
		w.p[1] = (uint8_t)id;
		ck_assert_int_eq(msg_decode(w.p, w.len, &got), -EBADMSG);
	}
}
END_TEST

START_TEST(encode_appends)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = msgfill(MSG_HANGUP, MSGFILL_MIN);
	struct msg none = { .id = MSG_NONE };
	struct msg got;

	writer_cstring(&w, "before");
	ck_assert_int_eq(msg_encode(&m, &w), 0);
	ck_assert_int_eq(msg_decode(w.p + 10, w.len - 10, &got), 0);
	ck_assert_int_eq(msg_encode(&none, &w), -EBADMSG);
	none.id = MSG_COUNT;
	ck_assert_int_eq(msg_encode(&none, &w), -EBADMSG);
	ck_assert_int_eq(msg_decode(NULL, 0, &got), -EBADMSG);
}
END_TEST

/* --- permission */

START_TEST(only_from_and_to_in_phase)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_rule *r = msg_rule(id);

	for (unsigned from = 0; from < PEER_COUNT; from++)
		for (unsigned to = 0; to < PEER_COUNT; to++)
			for (size_t p = 0; p < nitems_of(phases); p++) {
				struct msg_arrival how = { (enum peer)from,
					(enum peer)to, phases[p], 0, 0 };
				bool good = from == r->sender &&
					    to == r->receiver &&
					    (phases[p] & r->phases) != 0;

				ck_assert_int_eq(msg_permitted(id, &how),
				    good ? 0 : -EPROTO);
			}
}
END_TEST

START_TEST(only_so_often_with_so_many)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_rule *r = msg_rule(id);
	struct msg_arrival how = { r->sender, r->receiver, 0, 0, 0 };

	how.phase = r->phases & ~(r->phases - 1); /* the first of them */
	how.count = r->times - 1;
	ck_assert_int_eq(msg_permitted(id, &how), 0);
	how.count = r->times;
	ck_assert_int_eq(msg_permitted(id, &how), -EDQUOT);
	how.count = UINT32_MAX;
	ck_assert_int_eq(msg_permitted(id, &how), -EDQUOT);
	how.count = 0;
	for (unsigned n = 0; n <= MSG_MAX_FDS + 1; n++) {
		how.nfds = n;
		ck_assert_int_eq(
		    msg_permitted(id, &how), n <= r->fds ? 0 : -EPROTO);
	}
	how.nfds = UINT32_MAX;
	ck_assert_int_eq(msg_permitted(id, &how), -EPROTO);
}
END_TEST

START_TEST(unknown_is_forbidden)
{
	static const struct msg_arrival how = { NET, MONITOR, PH_AUTH, 0, 0 };
	static const struct msg_arrival never = { NET, MONITOR, 0, 0, 0 };

	ck_assert_int_eq(msg_permitted(MSG_NONE, &how), -EPROTO);
	ck_assert_int_eq(msg_permitted(MSG_COUNT, &how), -EPROTO);
	ck_assert_int_eq(msg_permitted(MSG_LOG, &how), 0);
	ck_assert_int_eq(msg_permitted(MSG_LOG, &never), -EPROTO);
}
END_TEST

/* --- the trace */

START_TEST(trace_hides_secrets)
{
	enum msg_id id = (enum msg_id)_i;
	const struct msg_field *f = msg_rule(id)->fields;
	struct msg m = msgfill(id, MSGFILL_MIN);
	char line[TRACE_MAX];

	for (unsigned i = 0; i < msgfill_count(id); i++)
		if (f[i].kind != FIELD_INT)
			*(struct span *)msgfill_at(&m, i) =
			    span_of(SECRET_TEXT, strlen(SECRET_TEXT));
	for (unsigned i = 0; i < msgfill_count(id); i++)
		if (f[i].kind == FIELD_STR)
			*(struct span *)msgfill_at(&m, i) = span_of("text", 4);
	msg_trace(&m, line, sizeof(line));
	ck_assert_int_eq(
	    strncmp(line, msg_rule(id)->name, strlen(msg_rule(id)->name)), 0);
	ck_assert_ptr_null(strstr(line, SECRET_TEXT));
	for (unsigned i = 0; i < msgfill_count(id); i++)
		ck_assert_ptr_nonnull(strstr(line, f[i].name));
	/* The first bytes are enough to give a secret away. */
	ck_assert_ptr_null(strstr(line, "open"));
}
END_TEST

START_TEST(trace_of_a_password)
{
	struct msg m = { .id = MSG_AUTH_PASSWORD };
	char line[TRACE_MAX];

	m.u.auth_password.password = span_of("123456789", 9);
	msg_trace(&m, line, sizeof(line));
	ck_assert_str_eq(line, "AUTH_PASSWORD password=<9 bytes hidden>");
}
END_TEST

START_TEST(trace_encodes_and_cuts)
{
	struct msg m = { .id = MSG_LOG };
	const char *rude = "a\nb\033[31m\tc\177";
	char line[TRACE_MAX];

	m.u.log.text = span_of(rude, strlen(rude));
	msg_trace(&m, line, sizeof(line));
	for (const char *p = line; *p != '\0'; p++)
		ck_assert(*p >= ' ' && *p < 0x7f);
	ck_assert_ptr_nonnull(strstr(line, "a\\n"));
	m.u.log.text = span_of(msgfill_text(), 500);
	msg_trace(&m, line, sizeof(line));
	ck_assert_uint_lt(strlen(line), 120);
	ck_assert_str_eq(line + strlen(line) - 4, "x...");
	m.id = MSG_COUNT;
	msg_trace(&m, line, sizeof(line));
	ck_assert_str_eq(line, "?");
}
END_TEST

START_TEST(trace_stays_in_its_buffer)
{
	struct msg m = msgfill((enum msg_id)_i, MSGFILL_MAX);
	char whole[TRACE_MAX];
	size_t len;

	msg_trace(&m, whole, sizeof(whole));
	len = strlen(whole);
	ck_assert_uint_lt(len, sizeof(whole) - 1);
	for (size_t size = 1; size <= len + 1; size++) {
		AUTOFREE char *line = malloc(size + 1);

		ck_assert_ptr_nonnull(line);
		line[size] = '!';
		msg_trace(&m, line, size);
		ck_assert_int_eq(line[size], '!');
		ck_assert_uint_eq(strlen(line), size - 1);
		ck_assert_int_eq(strncmp(line, whole, size - 1), 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("msg");
	TCase *t = tcase_create("each row");
	TCase *u = tcase_create("any");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, row_is_sound, 1, MSG_COUNT);
	tcase_add_loop_test(t, bounds_pass, 1, MSG_COUNT);
	tcase_add_loop_test(t, past_bounds_fails, 1, MSG_COUNT);
	tcase_add_loop_test(t, wrong_length_fails, 1, MSG_COUNT);
	tcase_add_loop_test(t, false_length_fails, 1, MSG_COUNT);
	tcase_add_loop_test(t, nul_only_in_bytes, 1, MSG_COUNT);
	tcase_add_loop_test(t, version_and_id_count, 1, MSG_COUNT);
	tcase_add_loop_test(t, only_from_and_to_in_phase, 1, MSG_COUNT);
	tcase_add_loop_test(t, only_so_often_with_so_many, 1, MSG_COUNT);
	tcase_add_loop_test(t, trace_hides_secrets, 1, MSG_COUNT);
	tcase_add_loop_test(t, trace_stays_in_its_buffer, 1, MSG_COUNT);
	suite_add_tcase(s, t);
	tcase_add_test(u, no_other_rows);
	tcase_add_test(u, encode_appends);
	tcase_add_test(u, unknown_is_forbidden);
	tcase_add_test(u, trace_of_a_password);
	tcase_add_test(u, trace_encodes_and_cuts);
	suite_add_tcase(s, u);
	return tap_run(s);
}

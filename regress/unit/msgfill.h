/*
 * Messages made from the table of msg.def alone: each field at a bound of its
 * row. put_raw() writes any values at all, as msg_encode() would not.
 */
#ifndef REGRESS_UNIT_MSGFILL_H
#define REGRESS_UNIT_MSGFILL_H

#include <string.h>

#include "common/msg.h"

#define MSGFILL_ROOM (MSG_MAX_LEN + 2)

enum msgfill {
	MSGFILL_MIN,
	MSGFILL_MAX,
};

/* As many bytes of printable text as any field can hold, and one more. */
static inline const uint8_t *
msgfill_text(void)
{
	static uint8_t text[MSGFILL_ROOM];

	if (text[0] == '\0')
		memset(text, 'x', sizeof(text));
	return text;
}

static inline size_t
msgfill_size(const struct msg_field *f)
{
	return f->kind == FIELD_INT ? sizeof(uint64_t) : sizeof(struct span);
}

/* Where field i of the message's body is. */
static inline void *
msgfill_at(struct msg *m, unsigned i)
{
	const struct msg_field *f = msg_rule(m->id)->fields;
	uint8_t *at = (uint8_t *)&m->u;

	for (unsigned j = 0; j < i; j++)
		at += msgfill_size(&f[j]);
	return at;
}

/* Set field i to this value, or to a text of this length. */
static inline void
msgfill_set(struct msg *m, unsigned i, uint64_t v)
{
	void *at = msgfill_at(m, i);

	if (msg_rule(m->id)->fields[i].kind == FIELD_INT)
		*(uint64_t *)at = v;
	else
		*(struct span *)at = span_of(msgfill_text(), (size_t)v);
}

static inline unsigned
msgfill_count(enum msg_id id)
{
	unsigned n = 0;

	while (msg_rule(id)->fields[n].kind != FIELD_END)
		n++;
	return n;
}

static inline struct msg
msgfill(enum msg_id id, enum msgfill bound)
{
	const struct msg_field *f = msg_rule(id)->fields;
	struct msg m = { .id = id };

	for (unsigned i = 0; i < msgfill_count(id); i++)
		msgfill_set(&m, i, bound == MSGFILL_MIN ? f[i].min : f[i].max);
	return m;
}

/* The wire form, whatever the values are. */
static inline void
msgfill_put_raw(struct msg *m, struct writer *w)
{
	const struct msg_field *f = msg_rule(m->id)->fields;

	writer_u8(w, MSG_VERSION);
	writer_u8(w, (uint8_t)m->id);
	for (unsigned i = 0; i < msgfill_count(m->id); i++) {
		const struct span *s = msgfill_at(m, i);

		if (f[i].kind == FIELD_INT)
			writer_u64(w, *(uint64_t *)msgfill_at(m, i));
		else
			writer_string(w, s->p, s->len);
	}
}

#endif

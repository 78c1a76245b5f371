/*
 * Messages between processes: what is decoded must be within its row, come out
 * of the encoder byte for byte, and leave a printable line in the trace.
 */
#include "config.h"

#include <stdlib.h>

#include "common/err.h"
#include "common/msg.h"
#include "common/own.h"

#define LINE_MAX_BYTES 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_fields(const struct msg *m)
{
	const uint8_t *at = (const uint8_t *)&m->u;

	for (const struct msg_field *f = msg_rule(m->id)->fields; f->kind;
	     f++) {
		const struct span *s = (const void *)at;
		uint64_t v = f->kind == FIELD_INT
				 ? *(const uint64_t *)(const void *)at
				 : s->len;

		if (v < f->min || v > f->max)
			abort();
		at += f->kind == FIELD_INT ? sizeof(uint64_t)
					   : sizeof(struct span);
	}
}

static void
check_trace(const struct msg *m)
{
	char line[LINE_MAX_BYTES];
	size_t i = 0;

	msg_trace(m, line, sizeof(line));
	while (line[i] >= ' ' && line[i] <= '~')
		i++;
	if (line[i] != '\0')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct msg m = { .id = MSG_NONE };

	if (msg_decode(data, size, &m) != 0) {
		if (m.id != MSG_NONE)
			abort();
		return 0;
	}
	check_fields(&m);
	check_trace(&m);
	if (msg_encode(&m, &w) != 0 ||
	    !span_eq(span_of(data, size), span_of(w.p, w.len)))
		abort();
	return 0;
}

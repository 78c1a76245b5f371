/*
 * The one codec and the one permission check for messages between processes.
 * The decoder's input is hostile in every process that calls it.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <vis.h>

#include "common/err.h"
#include "common/msg.h"
#include "common/own.h"

/* What the loops below rely on: a body is a sequence of these two types. */
_Static_assert(sizeof(struct span) % sizeof(uint64_t) == 0 &&
		   _Alignof(struct span) <= sizeof(uint64_t),
    "fields of a message have no padding between them");

#define TRACE_TEXT_MAX 80 /* bytes of a field's text in a trace line */

static const struct msg_rule rules[MSG_COUNT] = {
/* clang-format off */
#define MSG(NAME, type, sender, receiver, phases, times, reply, fds, help) \
	[MSG_##NAME] = { #NAME, sender, receiver, phases, times, MSG_##reply, \
		fds, help, (const struct msg_field[]) {
#define INT(name, min, max, help) { FIELD_INT, #name, min, max, help },
#define STR(name, min, max, help) { FIELD_STR, #name, min, max, help },
#define BYTES(name, min, max, help) { FIELD_BYTES, #name, min, max, help },
#define SECRET(name, min, max, help) { FIELD_SECRET, #name, min, max, help },
#define END { FIELD_END, NULL, 0, 0, NULL } } },
#include "common/msg.def"
	/* clang-format on */
};

const struct msg_rule *
msg_rule(enum msg_id id)
{
	if (id <= MSG_NONE || id >= MSG_COUNT)
		return NULL;
	return &rules[id];
}

const char *
msg_peer_name(enum peer peer)
{
	static const char *const names[PEER_COUNT] = {
		[SSHD] = "sshd",
		[MONITOR] = "sshd-monitor",
		[NET] = "sshd-net",
		[CTL] = "sshdctl",
		[FORWARD] = "sshd-forward",
	};

	return peer < PEER_COUNT ? names[peer] : "?";
}

const char *
forward_str(uint64_t outcome)
{
	static const char *const words[FORWARD_OUTCOME_COUNT] = {
		[FORWARD_DONE] = "done",
		[FORWARD_DENIED] = "not permitted",
		[FORWARD_FORBIDDEN] = "the user has no right to it",
		[FORWARD_UNKNOWN] = "unknown host",
		[FORWARD_REFUSED] = "connection refused",
		[FORWARD_UNREACHABLE] = "unreachable",
		[FORWARD_TIMEOUT] = "timed out",
		[FORWARD_IN_USE] = "address in use",
		[FORWARD_LIMIT] = "too many at the same time",
		[FORWARD_FAILED] = "no socket",
	};

	return outcome < FORWARD_OUTCOME_COUNT ? words[outcome] : "?";
}

/* FNV-1a, 32 bits: nobody has to fear a collision that he makes himself. */
static uint32_t
hash_bytes(uint32_t h, const void *p, size_t len)
{
	for (const uint8_t *b = p; len > 0; b++, len--)
		h = (h ^ *b) * 16777619u;
	return h;
}

static uint32_t
hash_text(uint32_t h, const char *text)
{
	return hash_bytes(h, text, strlen(text) + 1);
}

uint32_t
msg_schema(void)
{
	uint32_t h = 2166136261u ^ MSG_VERSION;

	for (size_t i = MSG_NONE + 1; i < MSG_COUNT; i++) {
		h = hash_text(h, rules[i].name);
		for (const struct msg_field *f = rules[i].fields; f->kind;
		     f++) {
			h = hash_text(h, f->name);
			h = hash_bytes(h, &f->kind, sizeof(f->kind));
			h = hash_bytes(h, &f->min, sizeof(f->min));
			h = hash_bytes(h, &f->max, sizeof(f->max));
		}
	}
	return h;
}

static size_t
field_size(const struct msg_field *f)
{
	return f->kind == FIELD_INT ? sizeof(uint64_t) : sizeof(struct span);
}

/* Whether a field's value is inside the bounds of its row. */
static bool
field_good(const struct msg_field *f, const void *value)
{
	const struct span *s = value;

	if (f->kind == FIELD_INT) {
		uint64_t v = *(const uint64_t *)value;

		return v >= f->min && v <= f->max;
	}
	if (s->len < f->min || s->len > f->max)
		return false;
	return f->kind != FIELD_STR || s->len == 0 ||
	       memchr(s->p, '\0', s->len) == NULL;
}

int
msg_encode(const struct msg *m, struct writer *w)
{
	const struct msg_rule *rule = msg_rule(m->id);
	const uint8_t *value = (const uint8_t *)&m->u;
	size_t start = w->len;

	if (rule == NULL)
		return -EBADMSG;
	writer_u8(w, MSG_VERSION);
	writer_u8(w, (uint8_t)m->id);
	for (const struct msg_field *f = rule->fields; f->kind; f++) {
		const struct span *s = (const void *)value;

		if (!field_good(f, value))
			return -EBADMSG;
		if (f->kind == FIELD_INT)
			writer_u64(w, *(const uint64_t *)(const void *)value);
		else
			writer_string(w, s->p, s->len);
		value += field_size(f);
	}
	if (w->len - start > MSG_MAX_LEN)
		return -EMSGSIZE;
	return writer_end(w);
}

int
msg_decode(const void *buf, size_t len, struct msg *out_m)
{
	const struct msg_rule *rule;
	struct msg m = { .id = MSG_NONE };
	uint8_t *value = (uint8_t *)&m.u;
	struct reader r;

	reader_init(&r, buf, len);
	if (reader_u8(&r) != MSG_VERSION)
		return -EBADMSG;
	m.id = reader_u8(&r);
	rule = msg_rule(m.id);
	if (rule == NULL)
		return -EBADMSG;
	for (const struct msg_field *f = rule->fields; f->kind; f++) {
		if (f->kind == FIELD_INT)
			*(uint64_t *)(void *)value = reader_u64(&r);
		else
			*(struct span *)(void *)value =
			    reader_string(&r, f->max);
		if (r.failed || !field_good(f, value))
			return -EBADMSG;
		value += field_size(f);
	}
	if (reader_end(&r) != 0)
		return -EBADMSG;
	*out_m = m;
	return 0;
}

int
msg_permitted(enum msg_id id, const struct msg_arrival *how)
{
	const struct msg_rule *rule = msg_rule(id);

	if (rule == NULL || rule->sender != how->sender ||
	    rule->receiver != how->receiver ||
	    (rule->phases & how->phase) == 0 || how->nfds > rule->fds)
		return -EPROTO;
	return how->count < rule->times ? 0 : -EDQUOT;
}

static int
trace_field(
    const struct msg_field *f, const void *value, char *out, size_t size)
{
	const struct span *s = value;
	char text[TRACE_TEXT_MAX * 4 + 1];
	size_t len;

	if (f->kind == FIELD_INT)
		return snprintf(out, size, " %s=%llu", f->name,
		    *(const unsigned long long *)value);
	if (f->kind == FIELD_SECRET)
		return snprintf(
		    out, size, " %s=<%zu bytes hidden>", f->name, s->len);
	if (f->kind == FIELD_BYTES)
		return snprintf(out, size, " %s=<%zu bytes>", f->name, s->len);
	len = s->len < TRACE_TEXT_MAX ? s->len : TRACE_TEXT_MAX;
	strvisx(text, (const char *)s->p, len, VIS_CSTYLE | VIS_NL | VIS_TAB);
	return snprintf(
	    out, size, " %s=%s%s", f->name, text, len < s->len ? "..." : "");
}

void
msg_trace(const struct msg *m, char *out, size_t size)
{
	const struct msg_rule *rule = msg_rule(m->id);
	const uint8_t *value = (const uint8_t *)&m->u;
	size_t used;
	int n;

	n = snprintf(out, size, "%s", rule != NULL ? rule->name : "?");
	used = n < 0 ? 0 : (size_t)n;
	for (const struct msg_field *f = rule != NULL ? rule->fields : NULL;
	     f != NULL && f->kind && used < size; f++) {
		n = trace_field(f, value, out + used, size - used);
		used += n < 0 ? 0 : (size_t)n;
		value += field_size(f);
	}
}

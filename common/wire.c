/*
 * Reading and writing the data types of RFC 4251 section 5. Runs in every
 * program; the reader's input is hostile everywhere.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/wire.h"
#include "common/own.h"

struct span
span_text(const char *text)
{
	return span_of(
	    text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

bool
span_is(struct span s, const char *text)
{
	size_t len = strlen(text);

	return s.len == len && (len == 0 || memcmp(s.p, text, len) == 0);
}

bool
span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

void
reader_init(struct reader *r, const void *p, size_t len)
{
	r->p = p;
	r->left = len;
	r->failed = false;
}

struct span
reader_bytes(struct reader *r, size_t n)
{
	struct span out = { r->p, n };

	if (r->failed || n > r->left) {
		r->failed = true;
		return (struct span){ (const uint8_t *)"", 0 };
	}
	r->p += n;
	r->left -= n;
	return out;
}

static uint64_t
reader_be(struct reader *r, size_t n)
{
	struct span s = reader_bytes(r, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.len; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t
reader_u8(struct reader *r)
{
	return (uint8_t)reader_be(r, 1);
}

uint32_t
reader_u32(struct reader *r)
{
	return (uint32_t)reader_be(r, 4);
}

uint64_t
reader_u64(struct reader *r)
{
	return reader_be(r, 8);
}

struct span
reader_string(struct reader *r, size_t max)
{
	uint32_t len = reader_u32(r);

	if (len > max)
		r->failed = true;
	return reader_bytes(r, len);
}

int
reader_end(const struct reader *r)
{
	return r->failed || r->left != 0 ? -EBADMSG : 0;
}

/* Room for n more bytes; NULL (and failed) when there is none. */
static uint8_t *
writer_room(struct writer *w, size_t n)
{
	size_t size = w->size != 0 ? w->size : 256;
	uint8_t *grown;

	if (w->failed || n > WRITER_MAX - w->len) {
		w->failed = true;
		return NULL;
	}
	while (size < w->len + n)
		size *= 2;
	if (size != w->size) {
		/* Not realloc: what it leaves behind could be a secret. */
		grown = malloc(size);
		if (grown == NULL) {
			w->failed = true;
			return NULL;
		}
		if (w->len != 0)
			memcpy(grown, w->p, w->len);
		if (w->p != NULL)
			explicit_bzero(w->p, w->size);
		free(w->p);
		w->p = grown;
		w->size = size;
	}
	w->len += n;
	return w->p + w->len - n;
}

void
writer_bytes(struct writer *w, const void *p, size_t len)
{
	uint8_t *to = writer_room(w, len);

	if (to != NULL && len != 0)
		memcpy(to, p, len);
}

static void
writer_be(struct writer *w, uint64_t v, size_t n)
{
	uint8_t *to = writer_room(w, n);

	for (size_t i = 0; to != NULL && i < n; i++)
		to[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void
writer_u8(struct writer *w, uint8_t v)
{
	writer_be(w, v, 1);
}

void
writer_u32(struct writer *w, uint32_t v)
{
	writer_be(w, v, 4);
}

void
writer_u64(struct writer *w, uint64_t v)
{
	writer_be(w, v, 8);
}

void
writer_string(struct writer *w, const void *p, size_t len)
{
	if (len > UINT32_MAX) {
		w->failed = true;
		return;
	}
	writer_u32(w, (uint32_t)len);
	writer_bytes(w, p, len);
}

void
writer_cstring(struct writer *w, const char *text)
{
	writer_string(w, text, strlen(text));
}

int
writer_end(const struct writer *w)
{
	return w->failed ? -ENOMEM : 0;
}

void
writer_done(struct writer *w)
{
	if (w->p != NULL)
		explicit_bzero(w->p, w->size);
	free(w->p);
	*w = (struct writer)WRITER_INIT;
}

/*
 * Bounded reading and writing of the data types of RFC 4251 section 5: bytes,
 * big-endian integers, length-prefixed strings. Untrusted input: a reader that
 * runs short stays failed, so a parser may check once, at its end.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Borrowed bytes: valid as long as what they were read from. */
struct span {
	const uint8_t *p;
	size_t len;
};

struct reader {
	const uint8_t *p;
	size_t left;
	bool failed;
};

/* A growing buffer: owns p; release with writer_done(). */
struct writer {
	uint8_t *p;
	size_t len;
	size_t size;
	bool failed; /* out of memory, or over WRITER_MAX */
};

#define WRITER_MAX (64u << 20)
#define WRITER_INIT \
	{ \
		NULL, 0, 0, false \
	}

static inline struct span
span_of(const void *p, size_t len)
{
	return (struct span){ p, len };
}

/* The text without its NUL; NULL gives an empty span. */
struct span span_text(const char *text);

/* Whether s holds exactly the bytes of the NUL-terminated text. */
bool span_is(struct span s, const char *text);
bool span_eq(struct span a, struct span b);

/* Begin at p, which must outlive the reader. */
void reader_init(struct reader *r, const void *p, size_t len);
/* RFC 4251 byte, uint32, uint64; 0 when short. */
uint8_t reader_u8(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* n bytes as they are; an empty span when short. */
struct span reader_bytes(struct reader *r, size_t n);
/* RFC 4251 string of at most max bytes. */
struct span reader_string(struct reader *r, size_t max);
/* 0 when everything was read and nothing failed, else -EBADMSG. */
int reader_end(const struct reader *r);

/* Append; what does not fit is noted, for writer_end() to tell. */
void writer_u8(struct writer *w, uint8_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *p, size_t len);
void writer_string(struct writer *w, const void *p, size_t len);
void writer_cstring(struct writer *w, const char *text);
/* 0 or -ENOMEM, once for all writes before. */
int writer_end(const struct writer *w);
/* Wipe and free. Safe on a zeroed writer and twice. */
void writer_done(struct writer *w);

#endif

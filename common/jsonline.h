/*
 * One JSON object (RFC 8259) into a buffer of the caller's, on one line and in
 * ASCII: no byte of a stranger's is ever syntax. What does not fit is left out
 * member by member, so that the line is JSON whatever it was given.
 */
#ifndef COMMON_JSONLINE_H
#define COMMON_JSONLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonline {
	char *text; /* the caller's */
	size_t size;
	size_t len;
	bool full; /* the member that is being written does not fit */
};

/* Begin an object; size is at least 4 bytes. */
void jsonline_begin(struct jsonline *j, char *text, size_t size);

/*
 * A member with at most `most` bytes of a text; bytes outside of ASCII become
 * the code points of their value. No member if text is NULL. Names are ours.
 */
void jsonline_text(
    struct jsonline *j, const char *name, const char *text, size_t most);
void jsonline_number(struct jsonline *j, const char *name, uint64_t number);

/* Close the object and end it with a NUL; the length without that. */
size_t jsonline_end(struct jsonline *j);

#endif

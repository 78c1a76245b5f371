/*
 * JSON, written. Runs in every program that logs; texts are anybody's.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/jsonline.h"

#define END_ROOM 2 /* the brace and the NUL of jsonline_end() */

static void
put(struct jsonline *j, const char *text)
{
	size_t n = strlen(text);

	if (j->full || j->len + n + END_ROOM > j->size) {
		j->full = true;
		return;
	}
	memcpy(j->text + j->len, text, n);
	j->len += n;
}

static void
put_name(struct jsonline *j, const char *name)
{
	put(j, j->len > 1 ? ",\"" : "\"");
	put(j, name);
	put(j, "\":");
}

static void
put_string(struct jsonline *j, const char *text, size_t most)
{
	put(j, "\"");
	for (size_t i = 0; i < most && text[i] != '\0'; i++) {
		unsigned char c = (unsigned char)text[i];
		char piece[8];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			snprintf(piece, sizeof(piece), "\\u%04x", c);
		else
			snprintf(piece, sizeof(piece), "%c", c);
		put(j, piece);
	}
	put(j, "\"");
}

/* Take the member back if not all of it found room. */
static void
settle(struct jsonline *j, size_t before)
{
	if (j->full)
		j->len = before;
	j->full = false;
}

void
jsonline_begin(struct jsonline *j, char *text, size_t size)
{
	*j = (struct jsonline){ .text = text, .size = size };
	put(j, "{");
}

void
jsonline_text(
    struct jsonline *j, const char *name, const char *text, size_t most)
{
	size_t before = j->len;

	if (text == NULL)
		return;
	put_name(j, name);
	put_string(j, text, most);
	settle(j, before);
}

void
jsonline_number(struct jsonline *j, const char *name, uint64_t number)
{
	size_t before = j->len;
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	put_name(j, name);
	put(j, text);
	settle(j, before);
}

size_t
jsonline_end(struct jsonline *j)
{
	j->text[j->len++] = '}';
	j->text[j->len] = '\0';
	return j->len;
}

/*
 * Writes JSON (RFC 8259) for the audit record of sftp-server. Names are the
 * client's bytes, and need not be text.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/own.h"
#include "sftp-server/json.h"

/* Of "}" and a NUL. */
#define END_SIZE 2
#define REPLACEMENT 0xfffd
#define BEYOND_BMP 0x10000
/* \ud83d\ude00 */
#define ESCAPED_MAX 12

static void
put(struct json *j, const char *text, size_t len)
{
	if (len > sizeof(j->text) - END_SIZE - j->len) {
		j->is_full = true;
		return;
	}
	memcpy(j->text + j->len, text, len);
	j->len += len;
}

void
json_begin(struct json *j)
{
	j->len = 0;
	j->is_full = false;
	put(j, "{", 1);
}

const char *
json_end(struct json *j)
{
	memcpy(j->text + j->len, "}", END_SIZE);
	return j->text;
}

/* Begin a member; its place, for member_end(). */
static size_t
member_begin(struct json *j, const char *key, const char *suffix)
{
	size_t mark = j->len;

	if (mark > sizeof("{") - 1)
		put(j, ",", 1);
	put(j, "\"", 1);
	put(j, key, strlen(key));
	put(j, suffix, strlen(suffix));
	put(j, "\":", 2);
	return mark;
}

/* All of a member, or nothing of it. */
static void
member_end(struct json *j, size_t mark)
{
	if (j->is_full)
		j->len = mark;
	j->is_full = false;
}

/* Lead bytes of UTF-8 (RFC 3629): how many follow, and the least code that
 * may be written so. */
static const struct {
	uint8_t mask, value;
	unsigned more;
	uint32_t least;
} leads[] = {
	{ 0x80, 0x00, 0, 0 },
	{ 0xe0, 0xc0, 1, 0x80 },
	{ 0xf0, 0xe0, 2, 0x800 },
	{ 0xf8, 0xf0, 3, 0x10000 },
};

/* Take one character; its bytes, or 0 when the first one begins none. */
static size_t
utf8_take(const char *from, uint32_t *out_code)
{
	const unsigned char *p = (const unsigned char *)from;
	uint32_t code;
	size_t i = 0;

	while (i < nitems_of(leads) && (p[0] & leads[i].mask) != leads[i].value)
		i++;
	if (i == nitems_of(leads))
		return 0;
	code = p[0] & ~(uint32_t)leads[i].mask;
	/* A NUL is no continuation, so this ends with the string. */
	for (unsigned n = 1; n <= leads[i].more; n++) {
		if ((p[n] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[n] & 0x3f);
	}
	if (code < leads[i].least || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*out_code = code;
	return leads[i].more + 1;
}

/* A character as it stands between quotes: printable ASCII, or escaped. */
static size_t
escape(uint32_t code, char *to)
{
	if (code == '"' || code == '\\')
		return (size_t)snprintf(
		    to, ESCAPED_MAX + 1, "\\%c", (char)code);
	if (code >= ' ' && code < 0x7f) {
		to[0] = (char)code;
		return 1;
	}
	if (code < BEYOND_BMP)
		return (size_t)snprintf(to, ESCAPED_MAX + 1, "\\u%04x", code);
	code -= BEYOND_BMP;
	return (size_t)snprintf(to, ESCAPED_MAX + 1, "\\u%04x\\u%04x",
	    0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
}

static bool
is_text(const char *name)
{
	uint32_t code;
	size_t n;

	for (; *name != '\0'; name += n) {
		n = utf8_take(name, &code);
		if (n == 0)
			return false;
	}
	return true;
}

/* The quoted name; how many of its bytes are in it. Each also costs extra
 * elsewhere, within the same limit. */
static size_t
put_quoted(struct json *j, const char *name, size_t extra)
{
	char text[ESCAPED_MAX + 1];
	size_t used = 0, at = 0;
	uint32_t code;

	put(j, "\"", 1);
	while (name[at] != '\0') {
		size_t n = utf8_take(name + at, &code);
		size_t len = escape(n != 0 ? code : REPLACEMENT, text);

		if (n == 0)
			n = 1;
		used += len + n * extra;
		if (used > JSON_NAME_MAX)
			break;
		put(j, text, len);
		at += n;
	}
	put(j, "\"", 1);
	return at;
}

static void
put_hex(struct json *j, const char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	put(j, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];

		put(j, &digits[c >> 4], 1);
		put(j, &digits[c & 0xf], 1);
	}
	put(j, "\"", 1);
}

static void
put_number(struct json *j, uint64_t value)
{
	char text[sizeof("18446744073709551615")];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);

	put(j, text, (size_t)n);
}

void
json_name(struct json *j, const char *key, const char *name)
{
	bool text = is_text(name);
	size_t mark = member_begin(j, key, "");
	size_t n = put_quoted(j, name, text ? 0 : 2);

	member_end(j, mark);
	if (!text) {
		mark = member_begin(j, key, "_hex");
		put_hex(j, name, n);
		member_end(j, mark);
	}
	if (name[n] == '\0')
		return;
	mark = member_begin(j, key, "_cut");
	put_number(j, n + strlen(name + n));
	member_end(j, mark);
}

void
json_string(struct json *j, const char *key, const char *value)
{
	size_t mark = member_begin(j, key, "");

	(void)put_quoted(j, value, 0);
	member_end(j, mark);
}

void
json_number(struct json *j, const char *key, uint64_t value)
{
	size_t mark = member_begin(j, key, "");

	put_number(j, value);
	member_end(j, mark);
}

void
json_bool(struct json *j, const char *key)
{
	size_t mark = member_begin(j, key, "");

	put(j, "true", 4);
	member_end(j, mark);
}

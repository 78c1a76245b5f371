/*
 * JSON for scripts. Runs in sshdctl, as root.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "monitor/json.h"

static void
comma(struct json *j)
{
	if (j->comma)
		fputs(", ", j->out);
	j->comma = true;
}

void
json_open(struct json *j, char bracket)
{
	comma(j);
	fputc(bracket, j->out);
	j->comma = false;
}

void
json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->comma = true;
}

/* How many bytes of UTF-8 (RFC 3629) begin here; 0: it is none. */
static size_t
utf8_len(const unsigned char *s)
{
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Too long a form, a surrogate, or beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void
put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *s = (const unsigned char *)text; *s != 0;) {
		size_t n = utf8_len(s);

		if (n == 0)
			fputs("\\ufffd", out);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else
			fwrite(s, 1, n, out);
		s += n != 0 ? n : 1;
	}
	fputc('"', out);
}

static void
put_name(struct json *j, const char *name)
{
	comma(j);
	put_string(j->out, name);
	fputs(": ", j->out);
}

void
json_text(struct json *j, const char *name, const char *value)
{
	put_name(j, name);
	put_string(j->out, value);
}

void
json_number(struct json *j, const char *name, int64_t value)
{
	put_name(j, name);
	fprintf(j->out, "%" PRId64, value);
}

void
json_flag(struct json *j, const char *name, bool value)
{
	put_name(j, name);
	fputs(value ? "true" : "false", j->out);
}

void
json_time(struct json *j, const char *name, int64_t value)
{
	char text[32] = "";
	time_t t = (time_t)value;
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_text(j, name, text);
}

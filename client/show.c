/* Text of others, made harmless. Runs in the client. */
#include "config.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "client/show.h"
#include "common/own.h"

/* "\377" for each byte, at worst. */
#define SHOWN_BYTE 4

/* Set once, at the start of the program. */
static const char *program_name;

void
show_name(const char *program)
{
	program_name = program;
}

/* Bytes of the printable character at p, or 0: it is to be written in octal. */
static size_t
printable(const char *p, size_t left)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, p, left, &state);

	if (n == 0 || n == (size_t)-1 || n == (size_t)-2)
		return 0;
	return iswprint((wint_t)c) ? n : 0;
}

static char *
escape(const char *text, bool lines)
{
	size_t left = strlen(text);
	char *out = malloc(left * SHOWN_BYTE + 1), *at = out;

	if (out == NULL)
		return NULL;
	while (left > 0) {
		size_t n = printable(text, left);

		if (n != 0 || (lines && *text == '\n')) {
			n = n != 0 ? n : 1;
			memcpy(at, text, n);
			at += n;
		} else {
			unsigned byte = (unsigned char)*text;

			n = 1;
			*at++ = '\\';
			*at++ = (char)('0' + (byte >> 6));
			*at++ = (char)('0' + (byte >> 3 & 7));
			*at++ = (char)('0' + (byte & 7));
		}
		text += n;
		left -= n;
	}
	*at = '\0';
	return out;
}

char *
show_text(const char *text)
{
	return escape(text, false);
}

void
show_lines(FILE *to, const char *text)
{
	AUTOFREE char *shown = escape(text, true);

	if (shown != NULL)
		fputs(shown, to);
}

size_t
show_width(const char *shown)
{
	mbstate_t state = { 0 };
	size_t width = 0;
	wchar_t c;
	size_t n;

	while ((n = mbrtowc(&c, shown, strlen(shown), &state)) != 0 &&
	       n != (size_t)-1 && n != (size_t)-2) {
		int w = wcwidth(c);

		width += w > 0 ? (size_t)w : 0;
		shown += n;
	}
	return width;
}

static void __attribute__((format(printf, 2, 0)))
print(FILE *to, const char *format, va_list ap)
{
	AUTOFREE char *raw = NULL;
	AUTOFREE char *shown = NULL;
	size_t end = strlen(format);
	bool line = end > 0 && format[end - 1] == '\n';

	if (vasprintf(&raw, format, ap) < 0) {
		raw = NULL;
		return;
	}
	if (line) /* this newline is ours, no other is */
		raw[strlen(raw) - 1] = '\0';
	shown = show_text(raw);
	if (shown != NULL)
		fprintf(to, "%s%s", shown, line ? "\n" : "");
}

void
show_print(FILE *to, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print(to, format, ap);
	va_end(ap);
}

void
show_error(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	if (program_name != NULL)
		fprintf(stderr, "%s: ", program_name);
	va_start(ap, format);
	print(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

#define THREE_DIGITS 99.95 /* what "%.1f" makes 100.0 of */

void
show_usage(const char *usage, const char *command)
{
	fprintf(stderr, "%sSee omniedge %s --help.\n", usage, command);
}

const char *
show_size(uint64_t bytes, const char *suffix, char out[SHOW_SIZE_MAX])
{
	static const char units[] = "BKMGTPE";
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && units[unit + 1] != '\0') {
		value /= 1024;
		unit++;
	}
	if (unit == 0)
		snprintf(out, SHOW_SIZE_MAX, "%uB", (unsigned)bytes);
	else
		snprintf(out, SHOW_SIZE_MAX, "%.*f%c%s",
		    value < THREE_DIGITS ? 1 : 0, value, units[unit], suffix);
	return out;
}

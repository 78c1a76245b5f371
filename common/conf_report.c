/*
 * What was found wrong in a configuration, as a list for whoever loaded it.
 * Texts may hold words of the files: they are made printable here.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/conf_impl.h"
#include "common/own.h"

#define TEXT_MAX 1024

/* A copy in which each byte that does not print is written in octal. */
static char *
printable(const char *text)
{
	char *out = malloc(4 * strlen(text) + 1);
	char *p = out;

	if (out == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c < 0x7f) {
			*p++ = (char)c;
			continue;
		}
		*p++ = '\\';
		*p++ = (char)('0' + (c >> 6));
		*p++ = (char)('0' + ((c >> 3) & 7));
		*p++ = (char)('0' + (c & 7));
	}
	*p = '\0';
	return out;
}

static size_t
kept(const struct conf_report *report, enum conf_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n; i++)
		n += report->v[i].severity == severity;
	return n;
}

/* A note that there is no memory for is at least counted. */
void
conf_report_add(struct conf_report *report, enum conf_severity severity,
    const struct conf_place *place, const char *fmt, ...)
{
	AUTOFREE char *file = printable(place->file);
	AUTOFREE char *text = NULL;
	char raw[TEXT_MAX];
	struct conf_note *v;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	text = printable(raw);
	if (severity == CONF_ERROR)
		report->nerrors++;
	else
		report->nwarnings++;
	if (kept(report, severity) >= CONF_REPORT_MAX)
		return;
	v = reallocarray(report->v, report->n + 1, sizeof(*v));
	if (v == NULL)
		return;
	report->v = v;
	if (file == NULL || text == NULL)
		return;
	v[report->n++] = (struct conf_note){ severity, take_ptr(&file),
		place->line, take_ptr(&text), place->colon };
}

char *
conf_report_format(const struct conf_note *note, char *buf, size_t len)
{
	if (note->line == 0)
		snprintf(buf, len, "%s: %s", note->file, note->text);
	else
		snprintf(buf, len, "%s%s line %u: %s", note->file,
		    note->colon ? ":" : "", note->line, note->text);
	return buf;
}

void
conf_report_done(struct conf_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		free(report->v[i].file);
		free(report->v[i].text);
	}
	free(report->v);
	*report = (struct conf_report)CONF_REPORT_INIT;
}

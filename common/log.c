/*
 * The log sink. Runs in the programs that may log: sshd, sshd-monitor and the
 * session's child before it becomes the user; omniedge-ssh-server. Libraries
 * never call it.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <vis.h>

#include "common/clock.h"
#include "common/journal.h"
#include "common/jsonline.h"
#include "common/log.h"
#include "common/own.h"

#define FATAL_STATUS 255 /* as OpenSSH's sshd exits */
/* JSON: each byte is at most six, and the names of the members stand around. */
#define JSON_LINE_MAX (LOG_LINE_MAX * 6 + 512)
#define EVENT_LEVEL "notice"

static struct {
	enum log_sink sink;
	enum log_level level;
	const char *ident;
	int facility;
	bool journal; /* journald gets lines directly */
	struct log_about about;
	bool has_about;
	struct log_style style;
	const char *line_end; /* on stderr */
	int64_t credit;       /* of bounded lines, each of which costs 1000 */
	int64_t credit_at;    /* when it was counted; 0: never */
	unsigned nleft_out;
} the_log = { .sink = SINK_STDERR, .level = LEVEL_INFO, .line_end = "\n" };

static const int priorities[] = {
	[LEVEL_QUIET] = LOG_CRIT,
	[LEVEL_FATAL] = LOG_CRIT,
	[LEVEL_ERROR] = LOG_ERR,
	[LEVEL_INFO] = LOG_INFO,
	[LEVEL_VERBOSE] = LOG_INFO,
	[LEVEL_DEBUG] = LOG_DEBUG,
	[LEVEL_DEBUG2] = LOG_DEBUG,
	[LEVEL_DEBUG3] = LOG_DEBUG,
};

/* What stands before a line, where a reader cannot tell its level otherwise. */
static const char *const marks[] = {
	[LEVEL_QUIET] = "",
	[LEVEL_FATAL] = "fatal: ",
	[LEVEL_ERROR] = "error: ",
	[LEVEL_INFO] = "",
	[LEVEL_VERBOSE] = "",
	[LEVEL_DEBUG] = "debug1: ",
	[LEVEL_DEBUG2] = "debug2: ",
	[LEVEL_DEBUG3] = "debug3: ",
};

void
log_open(
    const char *ident, enum log_sink sink, int facility, enum log_level level)
{
	the_log.sink = sink;
	the_log.level = level;
	the_log.ident = ident;
	the_log.facility = facility;
	the_log.journal = sink == SINK_SYSLOG && journal_is_syslog();
	if (sink == SINK_SYSLOG)
		openlog(ident, LOG_PID | LOG_NDELAY, facility);
}

void
log_crlf(bool on)
{
	the_log.line_end = on ? "\r\n" : "\n";
}

enum log_level
log_level(void)
{
	return the_log.level;
}

void
log_about(const struct log_about *about)
{
	the_log.about = *about;
	the_log.has_about = true;
}

/* What JSON calls a level: syslog's words, for tools that know those. */
static const char *const level_names[] = {
	[LEVEL_QUIET] = "crit",
	[LEVEL_FATAL] = "crit",
	[LEVEL_ERROR] = "err",
	[LEVEL_INFO] = "info",
	[LEVEL_VERBOSE] = "info",
	[LEVEL_DEBUG] = "debug",
	[LEVEL_DEBUG2] = "debug",
	[LEVEL_DEBUG3] = "debug",
};

void
log_style(const struct log_style *style)
{
	the_log.style = *style;
}

/* To journald with its fields, or as any daemon does. */
static void
write_syslog(int priority, const char *text)
{
	const struct journal_line line = {
		.ident = the_log.ident,
		.facility = the_log.facility,
		.priority = priority,
		.text = text,
		.about = the_log.has_about ? &the_log.about : NULL,
	};

	if (!the_log.journal || journal_send(&line) != 0)
		syslog(priority, "%s", text);
}

#define END_ROOM 2 /* behind a line, for its end on stderr */

/* There are END_ROOM bytes behind the line. */
static void
put_line(int priority, char *line, size_t len)
{
	if (the_log.sink == SINK_SYSLOG) {
		write_syslog(priority, line);
		return;
	}
	/* One write, so that lines of several processes do not mix. */
	memcpy(line + len, the_log.line_end, strlen(the_log.line_end));
	(void)!write(STDERR_FILENO, line, len + strlen(the_log.line_end));
}

static void
put_text(enum log_level level, const char *text)
{
	const char *mark = the_log.style.mark;
	char safe[LOG_LINE_MAX * 4 + 1];
	char whole[sizeof(safe) + LOG_MARK_MAX + 16];
	int n;

	strvis(safe, text, VIS_OCTAL | VIS_NL | VIS_TAB | VIS_NOSLASH);
	n = snprintf(whole, sizeof(whole) - END_ROOM, "%s%.*s%s%s",
	    marks[level], LOG_MARK_MAX, mark != NULL ? mark : "",
	    mark != NULL ? " " : "", safe);
	if (n > 0)
		put_line(priorities[level], whole, strlen(whole));
}

/* --- JSON lines */

struct json_line {
	char text[JSON_LINE_MAX + END_ROOM];
	struct jsonline j;
};

static void
line_begin(struct json_line *line, const char *level, const char *event)
{
	char when[64] = "";
	size_t n = 0;
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) != NULL)
		n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when + n, sizeof(when) - n, ".%03ldZ", now.tv_nsec / 1000000);
	jsonline_begin(&line->j, line->text, JSON_LINE_MAX);
	jsonline_text(&line->j, "time", when, sizeof(when));
	jsonline_text(&line->j, "level", level, LOG_LINE_MAX);
	jsonline_text(&line->j, "event", event, LOG_LINE_MAX);
	jsonline_text(&line->j, "device", the_log.style.device, LOG_FIELD_MAX);
	jsonline_text(&line->j, "mark", the_log.style.mark, LOG_MARK_MAX);
}

static void
line_end(struct json_line *line, int priority)
{
	put_line(priority, line->text, jsonline_end(&line->j));
}

static void
put_json(enum log_level level, const char *text)
{
	struct json_line line;

	line_begin(&line, level_names[level], "Log");
	jsonline_text(&line.j, "message", text, LOG_LINE_MAX);
	line_end(&line, priorities[level]);
}

static void __attribute__((format(printf, 2, 0)))
log_write(enum log_level level, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	int saved_errno = errno;

	vsnprintf(line, sizeof(line), fmt, ap);
	if (the_log.style.json)
		put_json(level, line);
	else
		put_text(level, line);
	errno = saved_errno;
}

/* --- events */

static void
event_json(const char *name, const struct log_field *fields, size_t n)
{
	struct json_line line;

	line_begin(&line, EVENT_LEVEL, name);
	for (size_t i = 0; i < n; i++) {
		const struct log_field *f = &fields[i];

		if (f->text != NULL)
			jsonline_text(&line.j, f->name, f->text, LOG_FIELD_MAX);
		else
			jsonline_number(&line.j, f->name, f->number);
	}
	line_end(&line, LOG_NOTICE);
}

/* A word that stands for itself; all else is quoted, and quotes in it too. */
static bool
is_plain(const char *text)
{
	return *text != '\0' && strpbrk(text, " \"=\\") == NULL &&
	       strlen(text) <= LOG_FIELD_MAX;
}

/* put_text() encodes what is not printable. */
static void
put_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (size_t i = 0; i < LOG_FIELD_MAX && text[i] != '\0'; i++) {
		if (text[i] == '"' || text[i] == '\\')
			fputc('\\', out);
		fputc(text[i], out);
	}
	fputc('"', out);
}

static void
put_field(FILE *out, const struct log_field *f)
{
	fprintf(out, " %s=", f->name);
	if (f->text == NULL)
		fprintf(out, "%llu", (unsigned long long)f->number);
	else if (is_plain(f->text))
		fputs(f->text, out);
	else
		put_quoted(out, f->text);
}

static void
event_text(const char *name, const struct log_field *fields, size_t n)
{
	char line[LOG_LINE_MAX];
	FILE *out = fmemopen(line, sizeof(line), "w");

	if (out == NULL)
		return;
	fputs(name, out);
	for (size_t i = 0; i < n; i++)
		put_field(out, &fields[i]);
	fclose(out);
	line[sizeof(line) - 1] = '\0';
	put_text(LEVEL_INFO, line);
}

void
log_event(const char *name, const struct log_field *fields, size_t n)
{
	int saved_errno = errno;

	if (the_log.style.device == NULL)
		return;
	if (the_log.style.json)
		event_json(name, fields, n);
	else
		event_text(name, fields, n);
	errno = saved_errno;
}

void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level <= the_log.level && level != LEVEL_QUIET) {
		va_start(ap, fmt);
		log_write(level, fmt, ap);
		va_end(ap);
	}
	the_log.has_about = false;
}

#define BOUNDED_COST 1000 /* a line, as credit grows by the millisecond */
#define BOUNDED_CREDIT_MAX ((int64_t)LOG_BOUNDED_BURST * BOUNDED_COST)

static void
count_credit(void)
{
	int64_t now = clock_ms();

	if (the_log.credit_at == 0)
		the_log.credit = BOUNDED_CREDIT_MAX;
	else
		the_log.credit += (now - the_log.credit_at) * LOG_BOUNDED_RATE;
	if (the_log.credit > BOUNDED_CREDIT_MAX)
		the_log.credit = BOUNDED_CREDIT_MAX;
	the_log.credit_at = now;
}

/* Whether one more bounded line may be written. */
static bool
may_write(void)
{
	unsigned n = the_log.nleft_out;

	count_credit();
	if (the_log.credit < BOUNDED_COST) {
		if (the_log.nleft_out++ == 0)
			log_info("too many lines at once: some are left out");
		return false;
	}
	the_log.credit -= BOUNDED_COST;
	the_log.nleft_out = 0;
	if (n != 0)
		log_info("%u lines were left out", n);
	return true;
}

void
log_bounded(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level <= the_log.level && level != LEVEL_QUIET && may_write()) {
		va_start(ap, fmt);
		log_write(level, fmt, ap);
		va_end(ap);
	}
	the_log.has_about = false;
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (the_log.level >= LEVEL_FATAL)
		log_write(LEVEL_FATAL, fmt, ap);
	va_end(ap);
	_exit(FATAL_STATUS);
}

/*
 * The log sink. Runs in the programs that may log: sshd, sshd-monitor and the
 * session's child before it becomes the user. Libraries never call it.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <vis.h>

#include "common/journal.h"
#include "common/log.h"
#include "common/own.h"

#define FATAL_STATUS 255 /* as OpenSSH's sshd exits */

static struct {
	enum log_sink sink;
	enum log_level level;
	const char *ident;
	int facility;
	bool journal; /* journald gets lines directly */
	struct log_about about;
	bool has_about;
	const char *line_end; /* on stderr */
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

/* To journald with its fields, or as any daemon does. */
static void
write_syslog(enum log_level level, const char *safe)
{
	char text[LOG_LINE_MAX * 4 + 16];
	const struct journal_line line = {
		.ident = the_log.ident,
		.facility = the_log.facility,
		.priority = priorities[level],
		.text = text,
		.about = the_log.has_about ? &the_log.about : NULL,
	};

	snprintf(text, sizeof(text), "%s%s", marks[level], safe);
	if (!the_log.journal || journal_send(&line) != 0)
		syslog(priorities[level], "%s", text);
}

static void __attribute__((format(printf, 2, 0)))
log_write(enum log_level level, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	char safe[LOG_LINE_MAX * 4 + 1];
	int saved_errno = errno;

	vsnprintf(line, sizeof(line), fmt, ap);
	strvis(safe, line, VIS_OCTAL | VIS_NL | VIS_TAB | VIS_NOSLASH);
	if (the_log.sink == SINK_SYSLOG) {
		write_syslog(level, safe);
	} else {
		/* One write, so that lines of several processes do not mix. */
		char whole[sizeof(safe) + 16];
		int n = snprintf(whole, sizeof(whole), "%s%s%s", marks[level],
		    safe, the_log.line_end);

		if (n > 0)
			(void)!write(STDERR_FILENO, whole, (size_t)n);
	}
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

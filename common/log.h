/*
 * The log of a program: one sink a process, levels and facilities as in
 * sshd_config(5). Text from strangers may be passed with %s: every control and
 * non-ASCII byte is encoded, newlines too, so that no line can be forged.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 2048 /* bytes of a line before it is cut */
#define LOG_MARK_MAX 64   /* bytes of a style's mark that are written */
#define LOG_FIELD_MAX 512 /* bytes of a text of an event, likewise */

enum log_level { /* LogLevel, sshd_config(5) */
	LEVEL_QUIET,
	LEVEL_FATAL,
	LEVEL_ERROR,
	LEVEL_INFO,
	LEVEL_VERBOSE,
	LEVEL_DEBUG,
	LEVEL_DEBUG2,
	LEVEL_DEBUG3,
};

enum log_sink {
	SINK_SYSLOG,
	SINK_STDERR, /* also a file that stands at descriptor 2 */
};

/*
 * Open the process's log. ident must outlive it; facility is one of syslog(3).
 * May be called again to change any of them.
 */
void log_open(
    const char *ident, enum log_sink sink, int facility, enum log_level level);
enum log_level log_level(void);

/*
 * What the next line is about, for journald to have as fields; texts are
 * borrowed until then, and NULL if there is none. The line itself is the same
 * with and without.
 */
struct log_about {
	const char *event; /* OMNIEDGE_EVENT: a word of sshd(8), JOURNAL */
	const char *user;
	const char *method;
	const char *addr;
	unsigned port; /* 0: none */
};
void log_about(const struct log_about *about);

/* On stderr, end lines in CR LF from now on, or not: the terminal is raw. */
void log_crlf(bool on);

/* How lines look. Texts must outlive the log; each may be NULL. */
struct log_style {
	bool json;          /* one JSON object a line */
	const char *mark;   /* stands in every line */
	const char *device; /* who reports events; NULL: none are written */
};
/* Plain, without a mark and without events until this is called. */
void log_style(const struct log_style *style);

/* A member of an event: text, or a number where text is NULL. */
struct log_field {
	const char *name;
	const char *text;
	uint64_t number;
};

/*
 * Report an event: "Name a=1 b=\"some text\"", or a JSON object with the same
 * members. Not held to a level: a style without a device is what turns events
 * off. Texts may be strangers', as everywhere in the log.
 */
void log_event(const char *name, const struct log_field *fields, size_t n);

/* Write one line if level is at or below the log's. */
void log_at(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The same for a line of which somebody else decides how often it is written:
 * a client with its requests, a user with the lines of a file. So many at once
 * and so many a second go through, of all such lines of the process together;
 * that others are left out is told, and then how many they were.
 */
#define LOG_BOUNDED_BURST 100 /* lines */
#define LOG_BOUNDED_RATE 5    /* lines a second */
void log_bounded(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LEVEL_ERROR, __VA_ARGS__)
#define log_info(...) log_at(LEVEL_INFO, __VA_ARGS__)
#define log_verbose(...) log_at(LEVEL_VERBOSE, __VA_ARGS__)
#define log_debug(...) log_at(LEVEL_DEBUG, __VA_ARGS__)

/* This process cannot go on: log and exit with status 255. */
void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif

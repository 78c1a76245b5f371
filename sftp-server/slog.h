/*
 * The session's log: syslog(3)'s socket or stderr, in the words of OpenSSH's
 * sftp-server so that what reads its log reads ours. Opened before the jail is
 * entered; the one thing of this program that is not passed around. Not
 * common/log.h, as syslog(3) would open a socket from inside.
 */
#ifndef SFTP_SERVER_SLOG_H
#define SFTP_SERVER_SLOG_H

#include <stdbool.h>

/* The one descriptor that the jail lets be connected, and only that. */
#define SLOG_FD 3

enum slog_level {
	SLOG_QUIET,
	SLOG_FATAL,
	SLOG_ERROR,
	SLOG_INFO,
	SLOG_VERBOSE,
	SLOG_DEBUG1,
	SLOG_DEBUG2,
	SLOG_DEBUG3,
};

/* LogLevel and SyslogFacility of sshd_config(5), any case; -EINVAL. */
int slog_level_parse(const char *text, enum slog_level *out_level);
int slog_facility_parse(const char *text, int *out_facility);

/*
 * Start to log as tag. To syslog, whose socket becomes descriptor SLOG_FD, or
 * with to_stderr to descriptor 2. A missing syslog is no error: lines are lost
 * until there is one, as with syslog(3).
 */
void slog_open(
    const char *tag, enum slog_level level, int facility, bool to_stderr);

/* Whether a line of this level goes anywhere. */
bool slog_enabled(enum slog_level level);

/* One line; control characters in it arrive escaped, whatever they are. */
void slog_line(enum slog_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A line as it is, printable ASCII, at any level; to syslog with the facility
 * of slog_record_to(). Whether it was taken.
 */
bool slog_record(const char *line);
void slog_record_to(int facility);

/* As slog_line(), but arguments are not evaluated for a line not wanted. */
#define slog(level, ...) \
	do { \
		if (slog_enabled(level)) \
			slog_line(level, __VA_ARGS__); \
	} while (0)

/*
 * A name that a client chose, for between the quotes of a log line: printable
 * ASCII as it is, the rest and quotes and backslashes as in vis(3)'s octal
 * form, cut after SLOG_NAME_MAX bytes. Valid until the second call after it.
 */
#define SLOG_NAME_MAX 1024
const char *slog_name(const char *name);

#endif

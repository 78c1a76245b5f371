/*
 * The log of sftp-server: one process, one sink. Lines hold names that the
 * client chose; nothing that it can choose ends a line or closes a quote.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/slog.h"

#define SYSLOG_PATH "/dev/log"
/* Two encoded names and the words around them. */
#define LINE_MAX_BYTES (2 * 4 * SLOG_NAME_MAX + 1024)

static struct {
	enum slog_level level;
	int facility, record_facility;
	bool to_stderr;
	bool ready;
	char tag[64];
} sink = { .level = SLOG_ERROR, .facility = LOG_AUTH };

static const struct {
	const char *name;
	enum slog_level level;
} levels[] = {
	{ "QUIET", SLOG_QUIET },
	{ "FATAL", SLOG_FATAL },
	{ "ERROR", SLOG_ERROR },
	{ "INFO", SLOG_INFO },
	{ "VERBOSE", SLOG_VERBOSE },
	{ "DEBUG", SLOG_DEBUG1 },
	{ "DEBUG1", SLOG_DEBUG1 },
	{ "DEBUG2", SLOG_DEBUG2 },
	{ "DEBUG3", SLOG_DEBUG3 },
};

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{ "DAEMON", LOG_DAEMON },
	{ "USER", LOG_USER },
	{ "AUTH", LOG_AUTH },
	{ "AUTHPRIV", LOG_AUTHPRIV },
	{ "LOCAL0", LOG_LOCAL0 },
	{ "LOCAL1", LOG_LOCAL1 },
	{ "LOCAL2", LOG_LOCAL2 },
	{ "LOCAL3", LOG_LOCAL3 },
	{ "LOCAL4", LOG_LOCAL4 },
	{ "LOCAL5", LOG_LOCAL5 },
	{ "LOCAL6", LOG_LOCAL6 },
	{ "LOCAL7", LOG_LOCAL7 },
};

/* What syslog gets to see of each level, and the word in front. */
static const struct {
	int priority;
	const char *word;
	bool word_on_stderr;
} looks[] = {
	[SLOG_QUIET] = { LOG_CRIT, "", false },
	[SLOG_FATAL] = { LOG_CRIT, "fatal: ", false },
	[SLOG_ERROR] = { LOG_ERR, "error: ", false },
	[SLOG_INFO] = { LOG_INFO, "", false },
	[SLOG_VERBOSE] = { LOG_INFO, "", false },
	[SLOG_DEBUG1] = { LOG_DEBUG, "debug1: ", true },
	[SLOG_DEBUG2] = { LOG_DEBUG, "debug2: ", true },
	[SLOG_DEBUG3] = { LOG_DEBUG, "debug3: ", true },
};

int
slog_level_parse(const char *text, enum slog_level *out_level)
{
	for (size_t i = 0; i < nitems_of(levels); i++) {
		if (strcasecmp(text, levels[i].name) != 0)
			continue;
		*out_level = levels[i].level;
		return 0;
	}
	return -EINVAL;
}

int
slog_facility_parse(const char *text, int *out_facility)
{
	for (size_t i = 0; i < nitems_of(facilities); i++) {
		if (strcasecmp(text, facilities[i].name) != 0)
			continue;
		*out_facility = facilities[i].facility;
		return 0;
	}
	return -EINVAL;
}

static int
syslog_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strlcpy(addr.sun_path, SYSLOG_PATH, sizeof(addr.sun_path));
	return connect(SLOG_FD, (struct sockaddr *)&addr, sizeof(addr));
}

/* Put the socket at SLOG_FD even when nobody listens yet. */
static void
syslog_open(void)
{
	AUTOCLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (fd != SLOG_FD && dup3(fd, SLOG_FD, O_CLOEXEC) < 0)
		return;
	if (fd == SLOG_FD)
		take_fd(&fd);
	(void)syslog_connect();
}

void
slog_open(const char *tag, enum slog_level level, int facility, bool to_stderr)
{
	sink.level = level;
	sink.facility = facility;
	sink.to_stderr = to_stderr;
	strlcpy(sink.tag, tag, sizeof(sink.tag));
	if (!to_stderr && !sink.ready)
		syslog_open();
	sink.ready = true;
}

bool
slog_enabled(enum slog_level level)
{
	return sink.ready && level != SLOG_QUIET && level <= sink.level;
}

/* Encode up to max bytes; also quotes and backslashes when quoted. */
static size_t
encode(char *to, const char *from, size_t max, bool quoted)
{
	size_t n = 0;

	for (size_t i = 0; i < max && from[i] != '\0'; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c < ' ' || c >= 0x7f) {
			to[n++] = '\\';
			to[n++] = (char)('0' + (c >> 6));
			to[n++] = (char)('0' + (c >> 3 & 7));
			to[n++] = (char)('0' + (c & 7));
			continue;
		}
		if (quoted && (c == '"' || c == '\\'))
			to[n++] = '\\';
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return n;
}

const char *
slog_name(const char *name)
{
	static char texts[2][4 * SLOG_NAME_MAX + sizeof("...")];
	static unsigned turn;
	char *to = texts[turn++ % nitems_of(texts)];
	size_t n = encode(to, name, SLOG_NAME_MAX, true);

	if (strnlen(name, SLOG_NAME_MAX + 1) > SLOG_NAME_MAX)
		memcpy(to + n, "...", sizeof("..."));
	return to;
}

static bool
syslog_send(int priority, const char *line)
{
	static char text[LINE_MAX_BYTES + 128];
	char when[32];
	struct tm tm;
	time_t now = time(NULL);
	int len;

	if (localtime_r(&now, &tm) == NULL ||
	    strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm) == 0)
		return false;
	len = snprintf(text, sizeof(text), "<%d>%s %s[%ld]: %s", priority, when,
	    sink.tag, (long)getpid(), line);
	if (len < 0)
		return false;
	if ((size_t)len >= sizeof(text))
		len = sizeof(text) - 1;
	if (send(SLOG_FD, text, (size_t)len, MSG_NOSIGNAL) >= 0)
		return true;
	return syslog_connect() == 0 &&
	       send(SLOG_FD, text, (size_t)len, MSG_NOSIGNAL) >= 0;
}

/* Carriage returns: the client's terminal may be in raw mode. */
static bool
stderr_send(char *line, size_t len)
{
	ssize_t n;

	line[len++] = '\r';
	line[len++] = '\n';
	for (; len > 0; line += n, len -= (size_t)n) {
		n = write(STDERR_FILENO, line, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

void
slog_line(enum slog_level level, const char *format, ...)
{
	static char raw[LINE_MAX_BYTES];
	static char line[4 * LINE_MAX_BYTES + 32];
	const char *word = looks[level].word;
	va_list ap;
	size_t n = 0;

	if (!slog_enabled(level))
		return;
	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	if (!sink.to_stderr || looks[level].word_on_stderr)
		n = strlcpy(line, word, sizeof(line));
	n += encode(line + n, raw, sizeof(raw), false);
	if (sink.to_stderr)
		(void)stderr_send(line, n);
	else
		(void)syslog_send(looks[level].priority | sink.facility, line);
}

void
slog_record_to(int facility)
{
	sink.record_facility = facility;
}

bool
slog_record(const char *line)
{
	static char text[LINE_MAX_BYTES];

	if (!sink.to_stderr)
		return syslog_send(LOG_INFO | sink.record_facility, line);
	return stderr_send(text, strlcpy(text, line, sizeof(text) - 2));
}

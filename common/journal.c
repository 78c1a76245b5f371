/*
 * One datagram a line: NAME=value, each on a line of its own (systemd's
 * "Native Journal Protocol"). Runs where log.c does.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <vis.h>

#include "common/err.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/own.h"

#define DEV_LOG "/dev/log"
#define DEV_LOG_TARGET "/run/systemd/journal/dev-log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define DATAGRAM_MAX (LOG_LINE_MAX * 8)
#define FIELD_TEXT_MAX 512
#define FACILITY_SHIFT 3 /* syslog(3): the three bits below are a priority */

bool
journal_is_syslog(void)
{
	char target[sizeof(DEV_LOG_TARGET) + 1];
	ssize_t n = readlink(DEV_LOG, target, sizeof(target));

	return n == sizeof(DEV_LOG_TARGET) - 1 &&
	       memcmp(target, DEV_LOG_TARGET, (size_t)n) == 0;
}

/* A value is encoded as the line is: no newline can begin another field. */
static void
put(FILE *out, const char *name, const char *value)
{
	char safe[FIELD_TEXT_MAX * 4 + 1], cut[FIELD_TEXT_MAX + 1];

	if (value == NULL || *value == '\0')
		return;
	strlcpy(cut, value, sizeof(cut));
	strvis(safe, cut, VIS_OCTAL | VIS_NL | VIS_TAB | VIS_NOSLASH);
	fprintf(out, "%s=%s\n", name, safe);
}

static void
print(FILE *out, const struct journal_line *l)
{
	fprintf(out,
	    "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_FACILITY=%d\n"
	    "SYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%ld\n",
	    l->text, l->priority, l->facility >> FACILITY_SHIFT, l->ident,
	    (long)getpid());
	if (l->about == NULL)
		return;
	put(out, "OMNIEDGE_EVENT", l->about->event);
	put(out, "OMNIEDGE_USER", l->about->user);
	put(out, "OMNIEDGE_METHOD", l->about->method);
	put(out, "OMNIEDGE_ADDR", l->about->addr);
	if (l->about->port != 0)
		fprintf(out, "OMNIEDGE_PORT=%u\n", l->about->port);
}

int
journal_send(const struct journal_line *line)
{
	struct sockaddr_un addr = { AF_UNIX, JOURNAL_SOCKET };
	AUTOCLOSE int fd = -1;
	char bytes[DATAGRAM_MAX];
	FILE *out = fmemopen(bytes, sizeof(bytes), "w");
	long len;

	if (out == NULL)
		return -errno;
	print(out, line);
	len = ftell(out);
	if (fclose(out) != 0 || len <= 0)
		return -EMSGSIZE;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, bytes, (size_t)len, MSG_NOSIGNAL,
		(const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return 0;
}

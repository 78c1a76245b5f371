/*
 * The log: levels, marks, and that no text of a stranger's can forge a line.
 * syslog(3) is this program's own here, and keeps what it is given.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>

#include "common/log.h"
#include "common/own.h"
#include "regress/unit/tap.h"

#define TEXT_MAX 16384

static struct {
	char text[TEXT_MAX];
	const char *ident;
	int priority, facility, count;
} sent;

/* In place of libc's, plain and fortified. */
/* A macro of fortified builds would stand in the definition's way. */
#undef syslog
void __attribute__((format(printf, 3, 4)))
__syslog_chk(int priority, int flag, const char *fmt, ...);

void
openlog(const char *ident, int option, int facility)
{
	(void)option;
	sent.ident = ident;
	sent.facility = facility;
}

static void __attribute__((format(printf, 2, 0)))
keep(int priority, const char *fmt, va_list ap)
{
	sent.priority = priority;
	sent.count++;
	vsnprintf(sent.text, sizeof(sent.text), fmt, ap);
}

void
syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep(priority, fmt, ap);
	va_end(ap);
}

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	keep(priority, fmt, ap);
	va_end(ap);
}

/* What a function writes to descriptor 2; its exit status. */
static int
run_child(void (*what)(void), char *out)
{
	int fds[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[1]);
		what();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], out + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* --- levels */

static const struct {
	enum log_level level;
	const char *line;
	int priority;
} levels[] = {
	{ LEVEL_FATAL, "fatal: it\n", LOG_CRIT },
	{ LEVEL_ERROR, "error: it\n", LOG_ERR },
	{ LEVEL_INFO, "it\n", LOG_INFO },
	{ LEVEL_VERBOSE, "it\n", LOG_INFO },
	{ LEVEL_DEBUG, "debug1: it\n", LOG_DEBUG },
	{ LEVEL_DEBUG2, "debug2: it\n", LOG_DEBUG },
	{ LEVEL_DEBUG3, "debug3: it\n", LOG_DEBUG },
};

static enum log_level log_limit;

static void
log_each(void)
{
	log_open("test", SINK_STDERR, 0, log_limit);
	for (size_t i = 0; i < nitems_of(levels); i++)
		log_at(levels[i].level, "%s", "it");
	log_at(LEVEL_QUIET, "never");
}

START_TEST(only_up_to_the_level)
{
	char text[TEXT_MAX], wanted[TEXT_MAX] = "";

	log_limit = (enum log_level)_i;
	for (size_t i = 0; i < nitems_of(levels); i++)
		if (levels[i].level <= log_limit)
			strlcat(wanted, levels[i].line, sizeof(wanted));
	ck_assert_int_eq(run_child(log_each, text), 0);
	ck_assert_str_eq(text, wanted);
}
END_TEST

START_TEST(syslog_has_priorities)
{
	log_open("ident", SINK_SYSLOG, LOG_AUTHPRIV, LEVEL_DEBUG3);
	ck_assert_str_eq(sent.ident, "ident");
	ck_assert_int_eq(sent.facility, LOG_AUTHPRIV);
	ck_assert_int_eq(log_level(), LEVEL_DEBUG3);
	for (size_t i = 0; i < nitems_of(levels); i++) {
		char line[64];

		log_at(levels[i].level, "%s", "it");
		strlcpy(line, sent.text, sizeof(line));
		strlcat(line, "\n", sizeof(line));
		ck_assert_str_eq(line, levels[i].line);
		ck_assert_int_eq(sent.priority, levels[i].priority);
		ck_assert_int_eq(sent.count, (int)i + 1);
	}
}
END_TEST

/* --- text of strangers */

static void
check_printable(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		ck_assert_msg(
		    *p >= ' ' && *p <= '~', "byte %#x", (unsigned char)*p);
}

START_TEST(no_byte_passes_raw)
{
	char text[256];

	log_open("test", SINK_SYSLOG, LOG_AUTH, LEVEL_INFO);
	for (int c = 1; c < 256; c++) {
		snprintf(text, sizeof(text), "a%cb", c);
		log_info("%s", text);
		check_printable(sent.text);
		ck_assert_int_eq(sent.text[0], 'a');
		ck_assert_int_eq(sent.text[strlen(sent.text) - 1], 'b');
	}
	log_info("%s", "plain text, as it was: \"x\" 'y' %s \\");
	ck_assert_str_eq(sent.text, "plain text, as it was: \"x\" 'y' %s \\");
	log_info("%s", "tab\tnewline\nescape\033[0m\r");
	check_printable(sent.text);
	ck_assert_ptr_nonnull(strstr(sent.text, "newline\\012escape"));
}
END_TEST

static void
log_forged(void)
{
	log_open("test", SINK_STDERR, 0, LEVEL_INFO);
	log_info("user %s", "x\nAccepted password for root\n");
}

START_TEST(one_line_stays_one)
{
	char text[TEXT_MAX];

	ck_assert_int_eq(run_child(log_forged, text), 0);
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	ck_assert_int_eq(strncmp(text, "user x\\012Accepted", 17), 0);
}
END_TEST

START_TEST(long_lines_are_cut)
{
	static char text[3 * LOG_LINE_MAX];

	log_open("test", SINK_SYSLOG, LOG_AUTH, LEVEL_INFO);
	memset(text, 'x', sizeof(text) - 1);
	log_info("%s", text);
	ck_assert_uint_eq(strlen(sent.text), LOG_LINE_MAX - 1);
	/* Four characters for each byte, and still none is lost. */
	memset(text, '\n', sizeof(text) - 1);
	log_info("%s", text);
	ck_assert_uint_eq(strlen(sent.text), 4 * (LOG_LINE_MAX - 1));
	check_printable(sent.text);
}
END_TEST

static void
log_long(void)
{
	static char text[3 * LOG_LINE_MAX];

	memset(text, '\1', sizeof(text) - 1);
	log_open("test", SINK_STDERR, 0, LEVEL_DEBUG3);
	log_at(LEVEL_DEBUG3, "%s", text);
}

START_TEST(the_longest_line)
{
	char text[TEXT_MAX];

	ck_assert_int_eq(run_child(log_long, text), 0);
	ck_assert_uint_eq(
	    strlen(text), strlen("debug3: ") + 4 * (LOG_LINE_MAX - 1) + 1);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

/* --- ends */

static void
die(void)
{
	log_open("test", SINK_STDERR, 0, log_limit);
	fatal("no %s", "way");
}

START_TEST(fatal_ends)
{
	char text[TEXT_MAX];

	log_limit = LEVEL_FATAL;
	ck_assert_int_eq(run_child(die, text), 255);
	ck_assert_str_eq(text, "fatal: no way\n");
	log_limit = LEVEL_QUIET;
	ck_assert_int_eq(run_child(die, text), 255);
	ck_assert_str_eq(text, "");
}
END_TEST

/* However slow this is, that many lines earn no more than half of themselves.
 */
START_TEST(bounded_lines)
{
	const int many = 100 * LOG_BOUNDED_BURST;
	int n;

	log_open("test", SINK_SYSLOG, LOG_AUTH, LEVEL_INFO);
	sent.count = 0;
	log_bounded(LEVEL_DEBUG, "below the level");
	ck_assert_int_eq(sent.count, 0);
	for (int i = 0; i < LOG_BOUNDED_BURST; i++)
		log_bounded(LEVEL_ERROR, "line");
	ck_assert_int_eq(sent.count, LOG_BOUNDED_BURST);
	for (int i = 0; i < many; i++)
		log_bounded(LEVEL_ERROR, "line");
	n = sent.count;
	ck_assert_int_gt(n, LOG_BOUNDED_BURST);
	ck_assert_int_lt(n, many / 2);
	log_error("others come through");
	ck_assert_int_eq(sent.count, n + 1);
}
END_TEST

START_TEST(errno_is_kept)
{
	log_open("test", SINK_SYSLOG, LOG_AUTH, LEVEL_INFO);
	errno = ENOTTY;
	log_info("x");
	ck_assert_int_eq(errno, ENOTTY);
	/* Also when the line cannot be written. */
	close(STDERR_FILENO);
	log_open("test", SINK_STDERR, 0, LEVEL_INFO);
	log_info("x");
	ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");

	tcase_add_loop_test(
	    t, only_up_to_the_level, LEVEL_QUIET, LEVEL_DEBUG3 + 1);
	tcase_add_test(t, syslog_has_priorities);
	tcase_add_test(t, no_byte_passes_raw);
	tcase_add_test(t, one_line_stays_one);
	tcase_add_test(t, long_lines_are_cut);
	tcase_add_test(t, the_longest_line);
	tcase_add_test(t, fatal_ends);
	tcase_add_test(t, bounded_lines);
	tcase_add_test(t, errno_is_kept);
	suite_add_tcase(s, t);
	return tap_run(s);
}

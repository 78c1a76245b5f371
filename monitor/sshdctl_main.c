/*
 * sshdctl: the administrator's view of live sessions and penalties. Runs as
 * root, for root; takes nothing from any stranger but what records hold.
 */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/ctl.h"

static const char usage_text[] =
    "usage: sshdctl status    [--json]\n"
    "       sshdctl sessions  [--json]\n"
    "       sshdctl end       ID... | --user USER | --addr NETWORK | --all\n"
    "       sshdctl penalties [--json]\n"
    "       sshdctl lift      ADDRESS | all\n"
    "       each with [-p PORT] [-f PIDFILE] for one sshd of several\n";

static const struct command {
	const char *name;
	int (*run)(const struct ctl_args *a);
	size_t least, most; /* names behind it */
	bool selects;       /* --user, --addr and --all instead of names */
	bool prints;        /* --json */
} commands[] = {
	{ "end", ctl_end, 0, CTL_MANY, true, false },
	{ "lift", ctl_lift, 1, 1, false, false },
	{ "penalties", ctl_penalties, 0, 0, false, true },
	{ "sessions", ctl_sessions, 0, 0, false, true },
	{ "status", ctl_status, 0, 0, false, true },
};

static const struct option options[] = {
	{ "addr", required_argument, NULL, 'a' },
	{ "all", no_argument, NULL, 'A' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "pid-file", required_argument, NULL, 'f' },
	{ "port", required_argument, NULL, 'p' },
	{ "user", required_argument, NULL, 'u' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void __attribute__((format(printf, 1, 0)))
say(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("sshdctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void
ctl_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void
ctl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(CTL_EXIT_FAILED);
}

void
ctl_time(int64_t since, char out[CTL_TIME_MAX])
{
	time_t t = (time_t)since;
	struct tm tm;

	out[0] = '\0';
	if (localtime_r(&t, &tm) != NULL)
		strftime(out, CTL_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm);
}

static void __attribute__((noreturn)) usage(void)
{
	fputs(usage_text, stderr);
	exit(CTL_EXIT_USAGE);
}

static void
take_port(struct ctl_args *a, const char *text)
{
	const char *why;

	a->port = (unsigned)strtonum(text, 1, 65535, &why);
	if (why == NULL)
		return;
	ctl_say("\"%s\" is not a port from 1 to 65535", text);
	exit(CTL_EXIT_USAGE);
}

static void
take_addr(struct ctl_args *a, const char *text)
{
	struct cidr range;

	a->addr = text;
	if (cidr_parse(text, &range) == 0)
		return;
	ctl_say(
	    "\"%s\" is not an address or a network such as 192.0.2.0/24", text);
	exit(CTL_EXIT_USAGE);
}

static void
take_option(struct ctl_args *a, int opt)
{
	switch (opt) {
	case 'a':
		take_addr(a, optarg);
		return;
	case 'A':
		a->all = true;
		return;
	case 'f':
		a->pid_file = optarg;
		return;
	case 'j':
		a->json = true;
		return;
	case 'p':
		take_port(a, optarg);
		return;
	case 'u':
		a->user = optarg;
		return;
	case 'V':
		puts("sshdctl " PACKAGE_VERSION);
		exit(0);
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	default:
		usage();
	}
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < nitems_of(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	ctl_say("there is no command \"%s\"", name);
	usage();
}

/* Whether the arguments are those of the command. */
static bool
fits(const struct command *c, const struct ctl_args *a)
{
	bool selects = a->user != NULL || a->addr != NULL || a->all;

	return a->n >= c->least && a->n <= c->most && (c->prints || !a->json) &&
	       (c->selects ? selects != (a->n > 0) : !selects);
}

int
main(int argc, char **argv)
{
	struct ctl_args a = { .json = false };
	const struct command *c;
	int opt;

	log_open("sshdctl", SINK_SYSLOG, LOG_AUTH, LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	while (
	    (opt = getopt_long(argc, argv, "f:hjp:u:V", options, NULL)) != -1)
		take_option(&a, opt);
	if (optind == argc)
		usage();
	c = find_command(argv[optind++]);
	a.names = argv + optind;
	a.n = (size_t)(argc - optind);
	if (!fits(c, &a))
		usage();
	if (geteuid() != 0) {
		ctl_say("only root may look at and end sessions: use sudo");
		return CTL_EXIT_FAILED;
	}
	opt = c->run(&a);
	if (fflush(stdout) != 0 && opt == 0)
		opt = CTL_EXIT_FAILED;
	return opt;
}

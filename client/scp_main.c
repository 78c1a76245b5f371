/*
 * omniedge scp: copies files from, to and between other machines. Runs as the
 * user. The command line is OpenSSH's; see omniedge-scp(1).
 */
#include "config.h"

#include <getopt.h>
#include <locale.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "client/command.h"
#include "client/copy_line.h"
#include "client/interrupt.h"
#include "client/scp.h"
#include "client/show.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/own.h"

/* Flags of our own, ahead of the shared ones. */
#define OWN_LETTERS "+3BORsT" COPY_LINE_LETTERS
#define LETTERS_MAX 128
#define COPY_PROGRAM "cp"
#define EXIT_STOPPED 130 /* by ^C, as a shell has it */

enum {
	OPT_JSON = 256,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

struct line {
	struct scp scp;
	struct copy_line both; /* what sftp takes, too */
	bool old, json;
};

static const char usage[] =
    "usage: omniedge scp [-346BCOpqrsTv] [-c ciphers] [-D sftp_server]\n"
    "                    [-F file] [-i identity_file] [-J hosts] [-l limit]\n"
    "                    [-o option] [-P port] [-S program] [-X option]\n"
    "                    [--json] source ... target\n";

static void
print_help(void)
{
	printf(
	    "%s\n"
	    "  -r              directories, with all that is in them\n"
	    "  -p              keep times and modes\n"
	    "  -O              the old protocol, for servers without SFTP\n"
	    "  -3              between two hosts, through this one (always)\n"
	    "  -B              never ask for a password or a passphrase\n"
	    "  -l limit        Kbit/s\n"
	    "  -T              with -O: take names that were not asked for\n"
	    "  -X option       nrequests=N, buffer=BYTES\n"
	    "  -D program      an SFTP server of this machine, and no host\n"
	    "  -S program      an ssh(1) to connect with\n"
	    "  --json          a summary for scripts, on standard output\n",
	    usage);
	client_flags_help(CLIENT_SCP, stdout);
	puts("\nThe manual page is omniedge-scp(1).");
}

/* --- the command line ---------------------------------------------------- */

static int
take_flag(struct line *l, int letter)
{
	switch (letter) {
	case '3':
	case 's':
		return 0; /* what we do anyway */
	case 'B':
		return copy_line_batch(&l->both);
	case 'O':
		l->old = true;
		return 0;
	case 'R':
		show_error("-R is not offered: copies between two hosts go "
			   "through this one");
		return -EINVAL;
	case 'T':
		l->scp.loose = true;
		return 0;
	case OPT_JSON:
		l->json = true;
		return 0;
	default:
		return copy_line_flag(&l->both, letter, optarg);
	}
}

static int
parse_line(struct line *l, int argc, char **argv)
{
	char letters[LETTERS_MAX];
	int letter, rc = 0;

	snprintf(letters, sizeof(letters), OWN_LETTERS "%s",
	    client_letters(CLIENT_SCP));
	optind = 1;
	while (rc == 0 && (letter = getopt_long(argc, argv, letters,
			       long_options, NULL)) != -1) {
		if (letter == OPT_HELP) {
			print_help();
			exit(0);
		}
		rc = letter == '?' ? -EINVAL : take_flag(l, letter);
	}
	if (rc == 0 && argc - optind < 2)
		rc = -EINVAL;
	return rc;
}

/* --- copies -------------------------------------------------------------- */

/* From here to here is cp(1)'s work. */
static void
copy_local(struct scp *s, const char *from, const char *to)
{
	const char *argv[] = { COPY_PROGRAM, NULL, NULL, NULL, NULL, NULL,
		NULL };
	size_t n = 1;
	int status = 0;
	pid_t pid;

	if (s->options.recursive)
		argv[n++] = "-r";
	if (s->options.preserve)
		argv[n++] = "-p";
	argv[n++] = "--";
	argv[n++] = from;
	argv[n++] = to;
	if (posix_spawnp(&pid, COPY_PROGRAM, NULL, NULL,
		(char *const *)(uintptr_t)argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		s->failed++;
}

static void
copy_all(struct line *l, const struct scp_name *names, size_t n)
{
	const struct scp_name *target = &names[n - 1];
	size_t elsewhere = 0;
	struct scp_name *sources = calloc(n, sizeof(*sources));

	if (sources == NULL) {
		l->scp.failed++;
		return;
	}
	/* What is here on both sides is done at once, the rest together. */
	for (size_t i = 0; i + 1 < n; i++)
		if (names[i].host == NULL && target->host == NULL)
			copy_local(&l->scp, names[i].path, target->path);
		else
			sources[elsewhere++] = names[i];
	if (elsewhere > 0 && l->old)
		scp_old(&l->scp, sources, elsewhere, target);
	else if (elsewhere > 0)
		scp_sftp(&l->scp, sources, elsewhere, target);
	free(sources);
}

static void
print_json(const struct scp *s, double seconds)
{
	const struct xfer_result *r = &s->result;

	printf("{\"files\":%llu,\"directories\":%llu,\"bytes\":%llu,"
	       "\"failed\":%llu,\"stopped\":%s,\"seconds\":%.3f}\n",
	    (unsigned long long)r->files, (unsigned long long)r->directories,
	    (unsigned long long)r->bytes,
	    (unsigned long long)(r->failed + s->failed),
	    r->stopped ? "true" : "false", seconds);
}

static int
run(struct line *l, size_t n, char **words)
{
	struct scp_name *names = calloc(n, sizeof(*names));
	int rc = names != NULL ? 0 : -ENOMEM;
	int64_t began;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = scp_name_parse(words[i], "scp", &names[i]);
	l->scp.many = n > 2;
	began = clock_ms();
	if (rc == 0)
		copy_all(l, names, n);
	else
		l->scp.failed++;
	for (size_t i = 0; names != NULL && i < n; i++)
		scp_name_done(&names[i]);
	free(names);
	if (l->json)
		print_json(&l->scp, (double)(clock_ms() - began) / 1e3);
	if (l->scp.result.stopped)
		return EXIT_STOPPED;
	return l->scp.failed != 0 || l->scp.result.failed != 0;
}

int
scp_command(int argc, char **argv)
{
	struct line l = { .scp.options = { .follow = true, .stripe = true } };
	int status = 1;

	setlocale(LC_CTYPE, "");
	show_name("scp");
	l.scp.remote.scheme = "scp";
	if (copy_line_init(
		&l.both, CLIENT_SCP, &l.scp.remote, &l.scp.options) != 0)
		return EXIT_OURS;
	if (parse_line(&l, argc, argv) == 0) {
		l.scp.verbose = l.both.verbose;
		l.scp.progress = progress_new(l.both.quiet);
		interrupt_arm();
		status = run(&l, (size_t)(argc - optind), argv + optind);
	} else {
		show_usage(usage, "scp");
	}
	progress_free(l.scp.progress);
	copy_line_done(&l.both);
	return status;
}

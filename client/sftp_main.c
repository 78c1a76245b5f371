/*
 * omniedge sftp: a shell for the files of another machine. Runs as the user.
 * The command line is OpenSSH's; see omniedge-sftp(1).
 */
#include "config.h"

#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/copy_line.h"
#include "client/interrupt.h"
#include "client/number.h"
#include "client/scp_names.h"
#include "client/sftp.h"
#include "client/sftp_call.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

/* Flags of our own, ahead of the shared ones. */
#define OWN_LETTERS "+aB:b:fNR:s:" COPY_LINE_LETTERS
#define LETTERS_MAX 128
#define REQUESTS_MAX 1024
#define BUFFER_MAX (16u << 20)

enum {
	OPT_HELP = 256
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

struct line {
	struct sftp sftp;
	struct remote_options remote;
	struct copy_line both; /* what scp takes, too */
	const char *batch_file;
	FILE *commands; /* -b's, or standard input */
	bool noisy;
};

static const char usage[] =
    "usage: omniedge sftp [-46aCfNpqrv] [-B buffer_size] [-b batchfile]\n"
    "                     [-c ciphers] [-D sftp_server] [-F file]\n"
    "                     [-i identity_file] [-J hosts] [-l limit]\n"
    "                     [-o option] [-P port] [-R num_requests]\n"
    "                     [-S program] [-s subsystem] [-X option]\n"
    "                     destination [local_path]\n";

static void
print_help(void)
{
	printf(
	    "%s\n"
	    "  -a              go on with files that are there in part\n"
	    "  -B size         bytes of one request\n"
	    "  -b file         commands from a file, or - for standard input\n"
	    "  -D program      an SFTP server of this machine, and no host\n"
	    "  -f              flush files to the disk\n"
	    "  -l limit        Kbit/s\n"
	    "  -N              tell what is done, also with -b\n"
	    "  -p              keep times and modes\n"
	    "  -R number       requests at once\n"
	    "  -r              directories, with all that is in them\n"
	    "  -S program      an ssh(1) to connect with\n"
	    "  -s name         another subsystem, or the path of a server\n"
	    "  -X option       nrequests=N, buffer=BYTES\n",
	    usage);
	client_flags_help(CLIENT_SFTP, stdout);
	puts("\nThe manual page is omniedge-sftp(1).");
}

/* --- the command line ---------------------------------------------------- */

static int
batch_flag(struct line *l)
{
	l->batch_file = optarg;
	l->sftp.batch = true;
	return copy_line_batch(&l->both);
}

static int
number_flag(const char *what, uint64_t most, uint32_t *out_number)
{
	uint64_t n;

	if (number_parse(optarg, most, &n) != 0) {
		show_error("-%s %s: not a number from 1 to %llu", what, optarg,
		    (unsigned long long)most);
		return -EINVAL;
	}
	*out_number = (uint32_t)n;
	return 0;
}

static int
take_flag(struct line *l, int letter)
{
	struct xfer_options *o = &l->sftp.options;

	switch (letter) {
	case 'a':
		o->resume = true;
		return 0;
	case 'B':
		return number_flag("B", BUFFER_MAX, &o->buffer);
	case 'b':
		return batch_flag(l);
	case 'f':
		o->sync = true;
		return 0;
	case 'N':
		l->noisy = true;
		return 0;
	case 'R':
		return number_flag("R", REQUESTS_MAX, &o->requests);
	case 's':
		l->remote.subsystem = optarg;
		return 0;
	default:
		return copy_line_flag(&l->both, letter, optarg);
	}
}

static int
parse_line(struct line *l, int argc, char **argv)
{
	char letters[LETTERS_MAX];
	int letter, rc = 0, words;

	snprintf(letters, sizeof(letters), OWN_LETTERS "%s",
	    client_letters(CLIENT_SFTP));
	optind = 1;
	while (rc == 0 && (letter = getopt_long(argc, argv, letters,
			       long_options, NULL)) != -1) {
		if (letter == OPT_HELP) {
			print_help();
			exit(0);
		}
		rc = letter == '?' ? -EINVAL : take_flag(l, letter);
	}
	words = argc - optind;
	/* A server of this machine needs no name. */
	if (rc == 0 && (words > 2 || (words < 1 && l->remote.direct == NULL)))
		rc = -EINVAL;
	return rc;
}

/* --- a session ----------------------------------------------------------- */

static int
start(struct sftp *s)
{
	int rc = sftp_failed(
	    s, call_realpath(s->peer, ".", &s->start), "realpath", ".");

	if (rc == 0 && (s->cwd = strdup(s->start)) == NULL)
		rc = -ENOMEM;
	return rc;
}

static int
one_command(struct sftp *s, const char *name, const char *const words[2])
{
	const struct sftp_command *c = sftp_command_find(name);
	AUTOFREE char *first = words_quote(words[0], '\0');
	AUTOFREE char *second = NULL, *line = NULL;

	if (words[1] != NULL)
		second = words_quote(words[1], '\0');
	if (c == NULL || first == NULL ||
	    (words[1] != NULL && second == NULL) ||
	    asprintf(&line, "%s %s %s", name, first,
		second != NULL ? second : "") < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return sftp_line(s, line, false);
}

/* The path behind the host: a directory to be in, or a file to fetch. */
static int
go_to_path(struct sftp *s, const char *path, const char *local, bool *out_done)
{
	const char *const words[] = { path, local };
	AUTOFREE char *full = sftp_absolute(s, path);

	if (full == NULL)
		return -ENOMEM;
	if (call_is_dir(s->peer, full) && local == NULL)
		return one_command(s, "cd", words);
	*out_done = true;
	return one_command(s, "get", words);
}

/* Before the login, which is not to be made in vain. */
static int
open_commands(struct line *l)
{
	l->commands = stdin;
	if (l->batch_file != NULL && strcmp(l->batch_file, "-") != 0)
		l->commands = fopen(l->batch_file, "re");
	if (l->commands != NULL)
		return 0;
	show_error("%s (%s).", strerror(errno), l->batch_file);
	return -ENOENT;
}

static int
read_commands(struct line *l)
{
	if (l->batch_file == NULL && isatty(STDIN_FILENO))
		return sftp_interactive(&l->sftp);
	return sftp_batch(&l->sftp, l->commands);
}

static int
session(struct line *l, const char *path, const char *local)
{
	bool done = false;
	int rc = start(&l->sftp);

	if (rc != 0)
		return EXIT_OURS;
	if (!l->sftp.quiet)
		fprintf(stderr, "Connected to %s.\n", l->remote.label);
	if (path != NULL && *path != '\0')
		rc = go_to_path(&l->sftp, path, local, &done);
	if (rc != 0)
		return 1;
	return done ? 0 : read_commands(l);
}

static int
run(struct line *l, const char *target, const char *local)
{
	struct scp_name name = { 0 };
	struct remote r = { 0 };
	int status = EXIT_OURS, link;

	if (open_commands(l) != 0 || scp_name_parse(target, "sftp", &name) != 0)
		return EXIT_OURS;
	l->remote.label = name.host != NULL ? name.host : name.path;
	if (remote_sftp(&l->remote, l->remote.label, &r) == 0 &&
	    remote_greet(&l->remote, l->remote.label, &r) == 0) {
		const char *path = name.host == NULL ? NULL
				   : name.is_uri     ? r.path
						     : name.path;

		l->sftp.peer = r.peer;
		interrupt_arm();
		status = session(l, path, local);
	}
	link = remote_close(&r);
	if (status == 0 && link > 0)
		status = link;
	scp_name_done(&name);
	return status;
}

int
sftp_command(int argc, char **argv)
{
	struct line l = { .batch_file = NULL };
	int status = 1, words;

	setlocale(LC_CTYPE, "");
	l.remote.scheme = "sftp";
	if (copy_line_init(&l.both, CLIENT_SFTP, &l.remote, &l.sftp.options) !=
	    0)
		return EXIT_OURS;
	if (parse_line(&l, argc, argv) == 0) {
		words = argc - optind;
		l.sftp.quiet = l.both.quiet || (l.sftp.batch && !l.noisy);
		l.sftp.progress = progress_new(l.sftp.quiet);
		status = run(&l, words > 0 ? argv[optind] : "localhost",
		    words > 1 ? argv[optind + 1] : NULL);
	} else
		show_usage(usage, "sftp");
	if (l.commands != NULL && l.commands != stdin)
		fclose(l.commands);
	progress_free(l.sftp.progress);
	owners_done(&l.sftp.owners);
	free(l.sftp.cwd);
	free(l.sftp.start);
	copy_line_done(&l.both);
	return status;
}

/*
 * omniedge SUBCOMMAND: looks the subcommand up and runs it. Runs as whoever
 * called it, with their rights, and believes nothing but its own table.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "client/command.h"
#include "common/err.h"
#include "common/nearest.h"
#include "common/own.h"

#define EXIT_CANNOT_RUN 126 /* as a shell says it */

/* A function of this program, or a program beside it. */
struct subcommand {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv);
	const char *program;
};

static const struct subcommand subcommands[] = {
	{ "ssh", "log in to a host, or run a command there", ssh_command,
	    NULL },
	{ "known-hosts", "list, add and remove the keys of known hosts",
	    known_hosts_command, NULL },
	{ "scp", "copy files to, from and between hosts", scp_command, NULL },
	{ "sftp", "a shell for the files of a host", sftp_command, NULL },
	{ "ssh-server", "serve SSH from this command line", NULL,
	    "omniedge-ssh-server" },
};

static void
print_help(FILE *out)
{
	fputs("usage: omniedge SUBCOMMAND [ARGUMENT ...]\n"
	      "       omniedge --help | --version\n\n",
	    out);
	for (size_t i = 0; i < nitems_of(subcommands); i++)
		fprintf(out, "  %-12s  %s\n", subcommands[i].name,
		    subcommands[i].help);
	fputs("\nEach has --help of its own, and a page: man omniedge-ssh.\n",
	    out);
}

static int
unknown(const char *word)
{
	struct nearest near;

	nearest_init(&near, word);
	for (size_t i = 0; i < nitems_of(subcommands); i++)
		nearest_try(&near, subcommands[i].name);
	if (near.name != NULL)
		fprintf(stderr,
		    "omniedge: there is no such subcommand; did you mean "
		    "\"omniedge %s\"?\n",
		    near.name);
	else
		fputs("omniedge: there is no such subcommand; "
		      "\"omniedge --help\" lists them\n",
		    stderr);
	return EXIT_USAGE;
}

/* Beside this program, so that one build stays together; or installed. */
static int
run_program(const char *program, char **argv)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash != NULL) {
		size_t room = sizeof(path) - (size_t)(slash + 1 - path);

		if (strlcpy(slash + 1, program, room) < room)
			execv(path, argv);
	}
	snprintf(path, sizeof(path), "%s/%s", PKGLIBEXECDIR, program);
	execv(path, argv);
	fprintf(stderr, "omniedge: cannot run %s: %s\n", path, strerror(errno));
	return EXIT_CANNOT_RUN;
}

static int
run(const struct subcommand *sub, int argc, char **argv)
{
	return sub->run != NULL ? sub->run(argc, argv)
				: run_program(sub->program, argv);
}

int
main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
	    strcmp(word, "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		puts("omniedge " PACKAGE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < nitems_of(subcommands); i++)
		if (strcmp(word, subcommands[i].name) == 0)
			return run(&subcommands[i], argc - 1, argv + 1);
	return unknown(word);
}

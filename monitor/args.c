/*
 * Arguments of sshd. Runs as root; they are the administrator's.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/args.h"

#define EXIT_USAGE 1
#define DEFAULT_CONFIG SSHCONFDIR "/sshd_config"
#define DEBUG_MOST 3

static const char usage_text[] =
    "usage: sshd [-46DdeGiQqRrTtV] [-b bits] [-C connection_spec]\n"
    "            [-c host_cert_file] [-E log_file] [-f config_file]\n"
    "            [-g login_grace_time] [-h host_key_file] [-k key_time]\n"
    "            [-o option] [-p port] [-u length]\n";

/* Options that some script may still have. */
static const struct {
	int opt;
	const char *note;
} dead[] = {
	{ 'b', "-b has no effect: it was for SSH protocol 1" },
	{ 'k', "-k has no effect: it was for SSH protocol 1" },
	{ 'Q', "-Q has no effect: it was for SSH protocol 1" },
	{ 'r', "-r option is deprecated" },
};

static const char flags[] = "46b:C:c:DdE:ef:Gg:h:ik:o:p:QqRrTtu:V";

static void __attribute__((noreturn)) usage(void)
{
	fputs(usage_text, stderr);
	exit(EXIT_USAGE);
}

static void
add_override(struct server_args *args, const char *keyword, const char *value)
{
	const char **grown =
	    reallocarray(args->overrides, args->noverrides + 1, sizeof(*grown));
	char *text;

	if (grown == NULL || asprintf(&text, "%s%s%s", keyword,
				 *keyword != '\0' ? " " : "", value) < 0)
		fatal("out of memory");
	args->overrides = grown;
	args->overrides[args->noverrides++] = text;
}

static void
log_to_file(const char *path)
{
	int fd = open(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0) {
		fprintf(stderr, "Couldn't open logfile %s: %s\n", path,
		    strerror(errno));
		exit(EXIT_USAGE);
	}
	close(fd);
}

/* -C: user=U,host=H,addr=A,laddr=A,lport=P,invalid-user, any of them. */
static void
parse_spec(struct server_args *args, char *spec)
{
	struct match_ctx *m = &args->match;
	const struct {
		const char *name;
		const char **value;
	} table[] = {
		{ "user=", &m->user },
		{ "host=", &m->host },
		{ "addr=", &m->addr },
		{ "laddr=", &m->laddr },
		{ "rdomain=", &m->rdomain },
	};
	char *save = NULL;

	args->has_match = true;
	for (char *word = strtok_r(spec, ",", &save); word != NULL;
	     word = strtok_r(NULL, ",", &save)) {
		const char *why = NULL;
		size_t i = 0;

		while (i < nitems_of(table) &&
		       strncmp(word, table[i].name, strlen(table[i].name)) != 0)
			i++;
		if (i < nitems_of(table))
			*table[i].value = word + strlen(table[i].name);
		else if (strncmp(word, "lport=", 6) == 0)
			m->lport = (unsigned)strtonum(word + 6, 1, 65535, &why);
		else if (strcmp(word, "invalid-user") == 0)
			m->invalid_user = true;
		else
			why = "unknown";
		if (why != NULL) {
			fprintf(stderr, "Invalid test mode specification %s\n",
			    word);
			exit(EXIT_USAGE);
		}
	}
}

/* Options that only turn something on. */
static bool
set_flag(struct server_args *args, int opt)
{
	const struct {
		int opt;
		bool *flag;
	} table[] = {
		{ 'D', &args->foreground },
		{ 'e', &args->stderr_log },
		{ 'G', &args->dump },
		{ 'i', &args->inetd },
		{ 'q', &args->quiet },
		{ 'T', &args->dump },
		{ 't', &args->test },
		{ 'V', &args->version },
	};

	if (opt == 'd') {
		args->debug += args->debug < DEBUG_MOST;
		args->stderr_log = args->foreground = true;
		return true;
	}
	for (size_t i = 0; i < nitems_of(table); i++)
		if (table[i].opt == opt)
			return *table[i].flag = true;
	return false;
}

/* Options that stand for a line of configuration. */
static bool
set_override(struct server_args *args, int opt, const char *value)
{
	static const struct {
		int opt;
		const char *keyword;
		const char *value; /* NULL: the option's */
	} table[] = {
		{ '4', "AddressFamily", "inet" },
		{ '6', "AddressFamily", "inet6" },
		{ 'c', "HostCertificate", NULL },
		{ 'g', "LoginGraceTime", NULL },
		{ 'h', "HostKey", NULL },
		{ 'o', "", NULL },
		{ 'p', "Port", NULL },
	};

	for (size_t i = 0; i < nitems_of(table); i++)
		if (table[i].opt == opt) {
			add_override(args, table[i].keyword,
			    table[i].value != NULL ? table[i].value : value);
			return true;
		}
	return false;
}

/* It is noted, and told once it is known where the log goes. */
static bool
set_dead(struct server_args *args, int opt)
{
	for (size_t i = 0; i < nitems_of(dead); i++)
		if (dead[i].opt == opt) {
			args->dead |= 1u << i;
			return true;
		}
	return false;
}

/*
 * How long a host's name may be before its address is recorded instead. No
 * name is ever looked up here, so any length does what -u0 asks for.
 */
static void
check_length(const char *text)
{
	const char *why;

	(void)strtonum(text, 0, HOST_NAME_MAX + 1, &why);
	if (why == NULL)
		return;
	fputs("Invalid utmp length.\n", stderr);
	exit(EXIT_USAGE);
}

/* Whole, for a reload reads it again, and daemon(3) has gone to "/". */
static void
set_config_file(struct server_args *args, const char *path)
{
	AUTOFREE char *here = *path != '/' ? getcwd(NULL, 0) : NULL;
	char *whole = NULL;

	if (here == NULL)
		whole = strdup(path);
	else if (asprintf(&whole, "%s/%s", here, path) < 0)
		whole = NULL;
	if (whole == NULL)
		fatal("out of memory");
	free(args->config_file);
	args->config_file = whole;
}

static void
set_value(struct server_args *args, int opt, char *value)
{
	switch (opt) {
	case 'C':
		parse_spec(args, value);
		return;
	case 'E':
		log_to_file(value);
		args->stderr_log = true;
		return;
	case 'f':
		set_config_file(args, value);
		return;
	case 'R':
		fputs("-R not supported here\n", stderr);
		exit(EXIT_USAGE);
	case 'u':
		check_length(value);
		return;
	default:
		usage();
	}
}

void
server_args_parse(int argc, char **argv, struct server_args *out_args)
{
	int opt;

	set_config_file(out_args, DEFAULT_CONFIG);
	while ((opt = getopt(argc, argv, flags)) != -1)
		if (!set_flag(out_args, opt) && !set_dead(out_args, opt) &&
		    !set_override(out_args, opt, optarg))
			set_value(out_args, opt, optarg);
	if (optind != argc) {
		fprintf(stderr, "Extra argument %s.\n", argv[optind]);
		usage();
	}
	if (out_args->has_match && !out_args->dump) {
		fprintf(stderr, "-C is of use only with -T or -G\n");
		exit(EXIT_USAGE);
	}
}

void
server_args_log(const struct server_args *args)
{
	for (size_t i = 0; i < nitems_of(dead); i++)
		if ((args->dead & 1u << i) != 0)
			log_info("%s", dead[i].note);
}

void
server_args_done(struct server_args *args)
{
	for (size_t i = 0; i < args->noverrides; i++)
		free((char *)(uintptr_t)args->overrides[i]);
	free(args->overrides);
	free(args->config_file);
}

/*
 * omniedge ssh: the command line. Runs as the user.
 */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/connect_impl.h"
#include "client/forward.h"
#include "client/master.h"
#include "client/mux.h"
#include "client/run.h"
#include "client/sharer.h"
#include "client/shell.h"
#include "client/show.h"
#include "client/ssh_print.h"
#include "client/tty.h"
#include "client/x11.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"

/* One row a flag of ssh alone; client_letters() has the others. */
struct ssh_flag {
	char letter;
	enum keyword kw;
	const char *value; /* NULL: the flag's argument */
	const char *arg;
	const char *help;
};

static const struct ssh_flag flags[] = {
	{ 'D', KW_DYNAMIC_FORWARD, NULL, "[bind:]port",
	    "be a SOCKS proxy whose connections start over there" },
	{ 'e', KW_ESCAPE_CHAR, NULL, "char",
	    "begins an escape; none: nothing" },
	{ 'f', KW_FORK, "yes", NULL, "go to the background once logged in" },
	{ 'g', KW_GATEWAY_PORTS, "yes", NULL,
	    "forwarded ports are for other machines too" },
	{ 'L', KW_LOCAL_FORWARD, NULL, "[bind:]port:host:port",
	    "connections to this port here go there" },
	{ 'M', KW_CONTROL_MASTER, "yes", NULL,
	    "let later commands share this connection" },
	{ 'N', KW_SESSION_TYPE, "none", NULL, "no command: only forwarding" },
	{ 'n', KW_STDIN_NULL, "yes", NULL, "read nothing from stdin" },
	{ 'R', KW_REMOTE_FORWARD, NULL, "[bind:]port[:host:port]",
	    "connections to that port there come here; by SOCKS" },
	{ 'S', KW_CONTROL_PATH, NULL, "path",
	    "the shared connection's socket" },
	{ 's', KW_SESSION_TYPE, "subsystem", NULL,
	    "the command is a subsystem" },
	{ 'T', KW_REQUEST_TTY, "no", NULL, "no terminal" },
	{ 'X', KW_FORWARD_X11, "yes", NULL, "lend the display" },
	{ 'x', KW_FORWARD_X11, "no", NULL, "do not" },
	/* These have no keyword: take_flag() knows them. */
	{ 't', KW_COUNT, "", NULL, "a terminal; twice: even without one here" },
	{ 'E', KW_COUNT, NULL, "file", "messages go to the end of this file" },
	{ 'G', KW_COUNT, "", NULL, "print the configuration and exit" },
	{ 'O', KW_COUNT, NULL, "command",
	    "tell the process that shares its connection" },
	{ 'V', KW_COUNT, "", NULL, "print the version and exit" },
	{ 'W', KW_COUNT, NULL, "host:port",
	    "stdin and stdout are a connection from there" },
	{ 'Y', KW_COUNT, "", NULL, "lend the display, and trust who uses it" },
	{ 'y', KW_COUNT, "", NULL, "messages go to stderr all the same" },
};

/* What OpenSSH's ssh has and we do not: each says why. */
static const struct {
	char letter;
	bool argument;
	bool harmless; /* it only takes something away */
	const char *why;
} refused[] = {
	{ 'I', true, false,
	    "tokens are used through the agent: ssh-add -s LIBRARY" },
	{ 'K', false, false, "Kerberos is not offered" },
	{ 'k', false, true, "" },
	{ 'w', true, false, "tunnels are not offered" },
};

#define LETTERS_MAX 160

struct ssh {
	struct client *client;
	struct shell_job job;
	int tty; /* how often -t */
	bool print;
	const char *log;
	const char *control; /* -O */
	int failed;          /* exit status when a flag is wrong */
};

enum {
	OPT_HELP = 256
};

static const struct option long_options[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
    "usage: omniedge ssh [flags] [user@]host[:port] [command ...]\n"
    "       omniedge ssh [flags] ssh://[user@]host[:port] [command ...]\n";

static void
print_help(void)
{
	printf("%s\n", usage);
	client_flags_help(CLIENT_SSH, stdout);
	for (size_t i = 0; i < nitems_of(flags); i++)
		printf("  -%c %-12s %s\n", flags[i].letter,
		    flags[i].arg != NULL ? flags[i].arg : "", flags[i].help);
	printf("\nExit status: the remote command's; 255: we failed; 2: bad "
	       "usage.\nAn option of ssh_config(5) is -o Keyword=value. See "
	       "man omniedge-ssh.\n");
}

static void
add_letter(char *letters, char letter, bool argument)
{
	char text[3] = { letter, argument ? ':' : '\0', '\0' };

	strlcat(letters, text, LETTERS_MAX);
}

static void
all_letters(char letters[LETTERS_MAX])
{
	/* A "+" in front: the first word that is no flag ends them. */
	snprintf(letters, LETTERS_MAX, "+%s", client_letters(CLIENT_SSH));
	for (size_t i = 0; i < nitems_of(flags); i++)
		add_letter(letters, flags[i].letter, flags[i].value == NULL);
	for (size_t i = 0; i < nitems_of(refused); i++)
		add_letter(letters, refused[i].letter, refused[i].argument);
}

static int
take_refused(int letter)
{
	for (size_t i = 0; i < nitems_of(refused); i++) {
		if (refused[i].letter != letter)
			continue;
		if (refused[i].harmless)
			return 0;
		log_error("-%c: %s", letter, refused[i].why);
		return -EBADMSG;
	}
	return -ENOENT;
}

static int
take_own(struct ssh *s, int letter)
{
	switch (letter) {
	case 't':
		s->tty++;
		return 0;
	case 'E':
		s->log = optarg;
		return 0;
	case 'G':
		s->print = true;
		return 0;
	case 'O':
		if (!sharer_knows(optarg)) {
			log_error("-O: the commands are %s", sharer_commands);
			return -EBADMSG;
		}
		s->control = optarg;
		return 0;
	case 'W':
		s->job.to = optarg;
		s->client->direct = true;
		return 0;
	case 'Y':
		return client_flag(s->client, 'o', "ForwardX11=yes") == 0
			   ? client_flag(
				 s->client, 'o', "ForwardX11Trusted=yes")
			   : -EBADMSG;
	case 'y':
		return 0;
	default:
		return take_refused(letter);
	}
}

/*
 * -L, -R, -D, before there is a connection. What only we cannot do fails here;
 * in a file it is as a port that is taken: the rest goes on.
 */
static int
check_forward(int letter)
{
	static const struct {
		char letter;
		enum forward_kind kind;
		const char *name;
	} kinds[] = { { 'L', FORWARD_LOCAL, "local" },
		{ 'R', FORWARD_REMOTE, "remote" },
		{ 'D', FORWARD_DYNAMIC, "dynamic" } };
	int rc = 0;

	for (size_t i = 0; i < nitems_of(kinds) && rc == 0; i++) {
		AUTO(forward_spec_done)
		struct forward_spec spec = { .bind = NULL };
		const char *why = "";

		if (kinds[i].letter != letter)
			continue;
		rc = forward_parse(kinds[i].kind, optarg, &spec, &why);
		if (rc != 0)
			log_error("Bad %s forwarding specification '%s': %s",
			    kinds[i].name, optarg,
			    rc == -ENOMEM ? err_str(rc) : why);
	}
	return rc;
}

static int
take_keyword(struct ssh *s, const struct ssh_flag *f)
{
	AUTOFREE char *value = lex_quote(f->value != NULL ? f->value : optarg);
	AUTOFREE char *text = NULL;

	if (value == NULL ||
	    asprintf(&text, "%s=%s", sshconf_name(f->kw), value) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	if (check_forward(f->letter) != 0)
		return -EBADMSG;
	return client_flag(s->client, 'o', text);
}

/* A bad value is no bad usage: as OpenSSH, and as if a file had it. */
static int
fail_ours(struct ssh *s, int rc)
{
	if (rc != 0)
		s->failed = EXIT_OURS;
	return rc;
}

static int
take_flag(struct ssh *s, int letter)
{
	int rc = client_flag(s->client, letter, optarg);

	if (rc != -ENOENT)
		return fail_ours(s, rc);
	for (size_t i = 0; i < nitems_of(flags); i++)
		if (flags[i].letter == letter && flags[i].kw != KW_COUNT)
			return fail_ours(s, take_keyword(s, &flags[i]));
	return take_own(s, letter);
}

/* 0, 1: help or the version was printed; -EBADMSG. */
static int
take_flags(struct ssh *s, int argc, char **argv)
{
	char letters[LETTERS_MAX];
	int letter, rc;

	all_letters(letters);
	while ((letter = getopt_long(
		    argc, argv, letters, long_options, NULL)) != -1) {
		if (letter == OPT_HELP) {
			print_help();
			return 1;
		}
		if (letter == 'V') {
			fprintf(stderr,
			    "omniedge " PACKAGE_VERSION ", libssh %s\n",
			    ssh_version(0));
			return 1;
		}
		rc = letter == '?' ? -EBADMSG : take_flag(s, letter);
		if (rc != 0) {
			if (letter == '?')
				show_usage(usage, "ssh");
			return -EBADMSG;
		}
	}
	return 0;
}

/* Words of a command, with a blank between two, as the shell there gets it. */
static char *
join(char **words, int n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	for (int i = 0; i < n; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", words[i]);
	fclose(out);
	return text;
}

/* The target, and what is behind it: flags may follow it, too. */
static int
take_words(struct ssh *s, int argc, char **argv)
{
	AUTOFREE char *path = NULL;
	const char *target;
	int rc;

	if (optind >= argc)
		return -EINVAL;
	target = argv[optind++];
	rc = client_target(s->client, target, "ssh", &path);
	if (rc == 0 && path != NULL) {
		log_error("%s: a session has no path", target);
		return -EBADMSG;
	}
	if (rc == 0 && optind < argc && argv[optind][0] == '-' &&
	    strcmp(argv[optind - 2 >= 0 ? optind - 2 : 0], "--") != 0)
		rc = take_flags(s, argc, argv);
	if (rc != 0)
		return rc;
	if (optind >= argc)
		return 0;
	s->job.spec.command = join(argv + optind, argc - optind);
	return s->job.spec.command != NULL ? 0 : -ENOMEM;
}

/* --- settling */

static bool
wants_tty(const struct ssh *s)
{
	long request = sshconf_number(s->client->conf, KW_REQUEST_TTY);
	bool here = isatty(STDIN_FILENO) != 0;

	if (s->job.no_session || s->job.to != NULL)
		return false;
	if (request == TTY_FORCE)
		return true;
	if (request == TTY_NO)
		return false;
	if (request == TTY_YES && !here)
		log_info("Pseudo-terminal will not be allocated because stdin "
			 "is not a terminal.");
	if (request == TTY_YES)
		return here;
	return here && s->job.spec.command == NULL && !s->job.null_in;
}

/* SendEnv's patterns against our environment, then SetEnv's. */
static int
collect_env(struct ssh *s)
{
	extern char **environ;
	const struct words *send = sshconf_list(s->client->conf, KW_SEND_ENV);
	const struct words *set = sshconf_list(s->client->conf, KW_SET_ENV);
	int rc = 0;

	for (char **e = environ; *e != NULL && rc == 0; e++) {
		AUTOFREE char *name = strndup(*e, strcspn(*e, "="));
		bool wanted = false;

		for (size_t i = 0; i < send->n && name != NULL; i++) {
			bool minus = *send->v[i] == '-';

			if (pattern_match(
				name, send->v[i] + minus, PATTERN_CASE))
				wanted = !minus;
		}
		if (wanted)
			rc = words_add(&s->job.spec.env, *e);
	}
	for (size_t i = 0; i < set->n && rc == 0; i++)
		rc = words_add(&s->job.spec.env, set->v[i]);
	return rc;
}

static int
settle_command(struct ssh *s)
{
	struct sshconf *conf = s->client->conf;
	const char *remote = sshconf_text(conf, KW_REMOTE_COMMAND);
	char why[EXPAND_WHY_MAX];
	int rc = 0;

	if (remote != NULL && s->job.spec.command != NULL) {
		log_error("Cannot execute command-line and remote command.");
		return -EBADMSG;
	}
	if (remote != NULL) {
		rc = expand_tokens(
		    &s->client->expand, remote, why, &s->job.spec.command);
		if (rc == -EBADMSG)
			log_error("RemoteCommand: %s", why);
	}
	s->job.spec.subsystem =
	    sshconf_number(conf, KW_SESSION_TYPE) == SESSION_SUBSYSTEM;
	if (rc == 0 && s->job.spec.subsystem && s->job.spec.command == NULL) {
		log_error("-s: the subsystem's name is missing");
		return -EBADMSG;
	}
	return rc;
}

static int
settle(struct ssh *s)
{
	struct sshconf *conf = s->client->conf;
	const char *term = getenv("TERM");
	AUTOFREE char *agent = NULL;
	struct forward_rules rules;
	int rc = settle_command(s);

	if (rc == 0) /* what is wrong with them is said before we connect */
		rc = shell_rules(s->client, &rules, &agent);
	if (rc != 0)
		return rc;
	s->job.no_session =
	    sshconf_number(conf, KW_SESSION_TYPE) == SESSION_NONE;
	s->job.background = sshconf_flag(conf, KW_FORK);
	s->job.null_in = sshconf_flag(conf, KW_STDIN_NULL) || s->job.background;
	if (s->job.background && !s->job.no_session &&
	    s->job.spec.command == NULL && s->job.to == NULL) {
		log_error("-f: there is no command to run in the background; "
			  "-N forwards only");
		return -EBADMSG;
	}
	s->job.spec.tty = wants_tty(s);
	s->job.x11 =
	    !s->job.no_session && s->job.to == NULL && x11_wanted(conf);
	s->job.spec.agent = shell_wants_agent(conf);
	s->job.spec.term = strdup(term != NULL ? term : "dumb");
	tty_size(STDIN_FILENO, &s->job.spec.cols, &s->job.spec.rows);
	if (s->job.spec.term == NULL)
		return -ENOMEM;
	return collect_env(s);
}

static int
open_log(const char *path)
{
	AUTOCLOSE int fd = open(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0)
		return 0;
	log_error("Couldn't open logfile %s: %s", path, err_str(-errno));
	return -errno;
}

/* LocalCommand, where the user permits it. */
static void
run_local(const struct ssh *s)
{
	const char *text = sshconf_text(s->client->conf, KW_LOCAL_COMMAND);
	AUTOFREE char *command = NULL;
	char why[EXPAND_WHY_MAX];

	if (text == NULL ||
	    !sshconf_flag(s->client->conf, KW_PERMIT_LOCAL_COMMAND))
		return;
	if (expand_tokens(&s->client->expand, text, why, &command) == 0)
		(void)run_shell(command);
	else
		log_error("LocalCommand: %s", why);
}

/*
 * Over a connection that is shared already; -1: there is none, or this one is
 * to be the shared one.
 */
static int
run_shared(struct ssh *s, const char *path)
{
	int fd = sharer_reach(s->client, path);

	return fd >= 0 ? sharer_run(s->client, &s->job, fd) : -1;
}

/* Log in; then share the connection, or use it alone. */
static int
run_own(struct ssh *s, const char *path)
{
	uint32_t pid;
	int fd, rc;

	if (client_connect(s->client) != 0)
		return EXIT_OURS;
	run_local(s);
	if (path == NULL || !sharer_is_master(s->client))
		return shell_run(s->client, &s->job);
	rc = master_start(s->client, path);
	if (rc != 0) {
		log_error("ControlSocket %s: %s; the connection is not shared",
		    path,
		    rc == -EADDRINUSE ? "it exists already" : err_str(rc));
		return shell_run(s->client, &s->job);
	}
	fd = mux_connect(path, &pid);
	if (fd >= 0)
		return sharer_run(s->client, &s->job, fd);
	log_error("ControlPath %s: %s", path, err_str(fd));
	return EXIT_OURS;
}

static int
run(struct ssh *s)
{
	AUTOFREE char *path = NULL;
	int rc;

	if (s->log != NULL && open_log(s->log) != 0)
		return EXIT_OURS;
	/* -t counts: once is yes, twice is force. */
	if (s->tty > 0 &&
	    client_flag(s->client, 'o',
		s->tty > 1 ? "RequestTTY=force" : "RequestTTY=yes") != 0)
		return EXIT_OURS;
	if (client_prepare(s->client) != 0)
		return EXIT_OURS;
	if (s->print)
		return ssh_print(s->client) == 0 ? 0 : EXIT_OURS;
	path = sharer_path(s->client, &rc);
	if (rc != 0)
		return EXIT_OURS;
	if (s->control != NULL)
		return sharer_control(s->client, path, s->control);
	if (settle(s) != 0)
		return EXIT_OURS;
	/* The cookie is this process's: what others share has no display. */
	if (s->job.x11)
		free(take_ptr(&path));
	rc = run_shared(s, path);
	return rc >= 0 ? rc : run_own(s, path);
}

static void
ssh_done(struct ssh *s)
{
	session_spec_done(&s->job.spec);
	client_free(s->client);
}

int
ssh_command(int argc, char **argv)
{
	AUTO(ssh_done)
	struct ssh s = { .client = client_new(CLIENT_SSH),
		.failed = EXIT_USAGE };
	int rc;

	if (s.client == NULL)
		return EXIT_OURS;
	rc = take_flags(&s, argc, argv);
	if (rc != 0)
		return rc == 1 ? 0 : s.failed;
	rc = take_words(&s, argc, argv);
	if (rc == -EINVAL)
		show_usage(usage, "ssh");
	if (rc != 0)
		return rc == 1 ? 0 : s.failed;
	return run(&s);
}

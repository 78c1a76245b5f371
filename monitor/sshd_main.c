/*
 * sshd: what the administrator starts. Runs as root: reads the arguments and
 * the configuration, proves that this machine can serve, listens.
 */
#include "config.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <paths.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/master.h"
#include "monitor/preflight.h"

#define EXIT_USAGE 1
#define EXIT_CONFIG 255 /* as OpenSSH's sshd; systemd's unit relies on it */
#define DEFAULT_CONFIG SSHCONFDIR "/sshd_config"

static const char usage_text[] =
    "usage: sshd [-DdeqTtV] [-E log_file] [-f config_file]\n"
    "            [-g login_grace_time] [-h host_key_file] [-o option]\n"
    "            [-p port]\n";

static void __attribute__((noreturn)) usage(void)
{
	fputs(usage_text, stderr);
	exit(EXIT_USAGE);
}

/* --- arguments
 * ------------------------------------------------------------------------*/

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

/* Our libraries' versions; libssh's is the network process's to say. */
static int
print_version(const char *net)
{
	pid_t pid;
	int status = 0;

	fprintf(stderr, "OmniEdge_%s, %s\n", PACKAGE_VERSION,
	    OpenSSL_version(OPENSSL_VERSION));
	fflush(stderr);
	pid = fork();
	if (pid == 0) {
		execl(net, "sshd-net", "-V", (char *)NULL);
		_exit(EXIT_USAGE);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_USAGE;
}

/* Options that only turn something on. */
static bool
set_flag(struct server_args *args, int opt)
{
	switch (opt) {
	case 'D':
		args->foreground = true;
		return true;
	case 'd':
		args->debug += args->debug < 3;
		args->stderr_log = args->foreground = true;
		return true;
	case 'e':
		args->stderr_log = true;
		return true;
	case 'q':
		args->quiet = true;
		return true;
	case 'T':
		args->dump = true;
		return true;
	case 't':
		args->test = true;
		return true;
	default:
		return false;
	}
}

/* Options whose value is a line of configuration. */
static bool
set_override(struct server_args *args, int opt, const char *value)
{
	static const struct {
		int opt;
		const char *keyword;
	} table[] = {
		{ 'g', "LoginGraceTime" },
		{ 'h', "HostKey" },
		{ 'o', "" },
		{ 'p', "Port" },
	};

	for (size_t i = 0; i < nitems_of(table); i++)
		if (table[i].opt == opt) {
			add_override(args, table[i].keyword, value);
			return true;
		}
	return false;
}

static void
parse_args(int argc, char **argv, struct server_args *args)
{
	int opt;

	args->config_file = DEFAULT_CONFIG;
	while ((opt = getopt(argc, argv, "46DdeE:f:g:h:o:p:qTtV")) != -1) {
		if (set_flag(args, opt) || set_override(args, opt, optarg))
			continue;
		if (opt == 'f')
			args->config_file = optarg;
		else if (opt == '4' || opt == '6')
			add_override(args, "AddressFamily",
			    opt == '4' ? "inet" : "inet6");
		else if (opt == 'E') {
			log_to_file(optarg);
			args->stderr_log = true;
		} else if (opt == 'V')
			exit(print_version(PKGLIBEXECDIR "/sshd-net"));
		else
			usage();
	}
	if (optind != argc) {
		fprintf(stderr, "Extra argument %s.\n", argv[optind]);
		usage();
	}
}

/* --- start
 * -----------------------------------------------------------------------------*/

static void
write_pid_file(const struct options *o)
{
	FILE *f;

	if (o->pid_file == NULL)
		return;
	f = fopen(o->pid_file, "we");
	if (f == NULL) {
		log_error("Couldn't create pid file \"%s\": %s", o->pid_file,
		    strerror(errno));
		return;
	}
	fprintf(f, "%ld\n", (long)getpid());
	fclose(f);
}

static int
dump(const struct server_config *config)
{
	return options_dump(&config->options, stdout) == 0 ? 0 : EXIT_CONFIG;
}

/* What must hold before the first client: in -t the answer, else the way on. */
static int
prove(struct master *m)
{
	const struct options *o = &m->config.options;
	const struct spawn_paths paths = { o->sshd_session_path,
		o->sshd_auth_path };
	struct child_terms terms;
	char why[PREFLIGHT_WHY_MAX];

	if (geteuid() != 0) {
		if (m->args->test)
			return 0; /* the configuration is what we can judge */
		log_error("sshd must be started by root: it listens, and "
			  "becomes each user who logs in");
		return -EPERM;
	}
	m->spawn.stderr_log = m->args->stderr_log;
	if (spawn_init(&m->spawn, &paths, why) != 0) {
		log_error("%s", why);
		return -EPERM;
	}
	terms = master_terms(m);
	if (preflight(&terms, why) != 0) {
		log_error("this machine cannot serve: %s", why);
		return -EPERM;
	}
	return 0;
}

/* As root's daemons do; the parent waits for nothing more than the fork. */
static void
go_background(const struct server_args *args)
{
	int keep_fd = -1;

	if (args->foreground)
		return;
	/* -E and -e keep their log. */
	if (args->stderr_log)
		keep_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (daemon(0, 0) != 0)
		fatal("daemon: %s", strerror(errno));
	if (keep_fd >= 0) {
		dup2(keep_fd, STDERR_FILENO);
		close(keep_fd);
	}
}

static int
run(struct master *m)
{
	struct listeners none = { .n = 0 };
	int rc;

	if (listeners_open(&m->listeners, &m->config.options, &none) != 0) {
		log_error("Cannot bind any address.");
		return EXIT_CONFIG;
	}
	go_background(m->args);
	server_log_open(m->args, &m->config);
	write_pid_file(&m->config.options);
	setproctitle("[listener]");
	rc = master_serve(m);
	listeners_close(&m->listeners);
	if (m->config.options.pid_file != NULL)
		(void)unlink(m->config.options.pid_file);
	return rc;
}

/* Descriptors 0, 1 and 2 are open from here on, whoever started us. */
static void
hold_stdio(void)
{
	int fd;

	do
		fd = open(_PATH_DEVNULL, O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv, char **envp)
{
	struct server_args args = { .config_file = NULL };
	struct master m = { .args = &args };

	hold_stdio();
	setproctitle_init(argc, argv, envp);
	log_open("sshd", SINK_STDERR, 0, LEVEL_INFO);
	parse_args(argc, argv, &args);
	if (args.quiet)
		log_open("sshd", SINK_STDERR, 0, LEVEL_QUIET);
	umask(022);
	if (server_config_load(&args, &m.config) != 0)
		return EXIT_CONFIG;
	if (args.dump)
		return dump(&m.config);
	if (prove(&m) != 0)
		return EXIT_CONFIG;
	if (args.test)
		return 0;
	m.once = args.debug != 0;
	return run(&m);
}

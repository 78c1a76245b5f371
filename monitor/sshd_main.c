/*
 * sshd: what the administrator starts. Runs as root: reads the arguments and
 * the configuration, proves that this machine can serve, listens.
 */
#include "config.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <paths.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/account.h"
#include "monitor/caps.h"
#include "monitor/master.h"
#include "monitor/preflight.h"

#define EXIT_CONFIG 255 /* as OpenSSH's sshd; systemd's unit relies on it */

/* Our libraries' versions; libssh's is the network process's to say. */
static int
print_version(void)
{
	pid_t pid;

	fprintf(stderr, "OmniEdge_%s, %s\n", PACKAGE_VERSION,
	    OpenSSL_version(OPENSSL_VERSION));
	fflush(stderr);
	pid = fork();
	if (pid == 0) {
		execl(
		    PKGLIBEXECDIR "/sshd-net", "sshd-net", "-V", (char *)NULL);
		fprintf(stderr, "%s: %s\n", PKGLIBEXECDIR "/sshd-net",
		    strerror(errno));
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return 0;
}

/* --- start */

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

/* -T: what holds for everyone, or with -C for one connection. */
static int
dump(const struct server_args *args, const struct server_config *config)
{
	struct match_ctx ctx = args->match;
	struct account account = { .exists = false };
	struct options o;
	int rc;

	if (!args->has_match)
		return options_dump(&config->options, stdout) == 0
			   ? 0
			   : EXIT_CONFIG;
	if (ctx.user != NULL && account_find(ctx.user, &account) == 0 &&
	    account_groups(&account) == 0) {
		ctx.groups = (const char *const *)account.groups;
		ctx.ngroups = account.ngroups;
	}
	ctx.invalid_user = ctx.user != NULL && !account.exists;
	rc = conf_resolve(config->conf, &ctx, &o);
	if (rc == 0) {
		rc = options_dump(&o, stdout);
		options_free(&o);
	}
	account_done(&account);
	return rc == 0 ? 0 : EXIT_CONFIG;
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
	spawn_done(&m->spawn);
	listeners_close(&m->listeners);
	if (m->config.options.pid_file != NULL)
		(void)unlink(m->config.options.pid_file);
	return rc;
}

/*
 * Descriptors 0, 1 and 2 are open from here on, whoever started us, and no
 * other: what we are left by a shell is not for our children.
 */
static void
hold_stdio(void)
{
	int fd;

	do
		fd = open(_PATH_DEVNULL, O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	closefrom(STDERR_FILENO + 1);
}

/* What the arguments ask for, once the configuration is read. */
static int
serve_or_check(struct master *m)
{
	if (m->args->debug != 0)
		server_log_open(m->args, &m->config);
	if (m->args->dump)
		return dump(m->args, &m->config);
	if (prove(m) != 0)
		return EXIT_CONFIG;
	if (m->args->test)
		return 0;
	log_debug("sshd version OmniEdge_%s, %s", PACKAGE_VERSION,
	    OpenSSL_version(OPENSSL_VERSION));
	/* It holds host keys: no core, no ptrace by anyone but root. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (caps_trim(CAPS_SSHD) != 0)
		fatal("cannot drop capabilities");
	m->once = m->args->debug != 0;
	return run(m);
}

int
main(int argc, char **argv, char **envp)
{
	struct server_args args = { .config_file = NULL };
	struct master m = { .args = &args };
	int status;

	/* A log whose reader is gone must not end us. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	hold_stdio();
	setproctitle_init(argc, argv, envp);
	log_open("sshd", SINK_STDERR, 0, LEVEL_INFO);
	server_args_parse(argc, argv, &args);
	if (args.version)
		return print_version();
	if (args.quiet)
		log_open("sshd", SINK_STDERR, 0, LEVEL_QUIET);
	umask(022);
	status = EXIT_CONFIG;
	if (server_config_load(&args, &m.config) == 0) {
		status = serve_or_check(&m);
		server_config_done(&m.config);
	}
	server_args_done(&args);
	return status;
}

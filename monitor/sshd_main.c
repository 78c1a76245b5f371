/*
 * sshd: what the administrator starts. Runs as root: reads the arguments and
 * the configuration, proves that this machine can serve, listens.
 */
#include "config.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/account.h"
#include "monitor/caps.h"
#include "monitor/confcheck.h"
#include "monitor/inetd.h"
#include "monitor/master.h"
#include "monitor/preflight.h"
#include "monitor/systemd.h"

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
	if (f != NULL)
		fprintf(f, "%ld\n", (long)getpid());
	if (f == NULL || fclose(f) != 0)
		log_error("Couldn't create pid file \"%s\": %s", o->pid_file,
		    strerror(errno));
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
	if (ctx.user != NULL && !ctx.invalid_user &&
	    account_find(ctx.user, &account) == 0 &&
	    account_groups(&account) == 0) {
		ctx.groups = (const char *const *)account.groups;
		ctx.ngroups = account.ngroups;
	}
	ctx.invalid_user |= ctx.user != NULL && !account.exists;
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
	const struct spawn_paths paths = {
		.monitor = o->sshd_session_path,
		.net = o->sshd_auth_path,
	};
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
open_listeners(struct master *m)
{
	struct listeners none = { .n = 0 };
	char why[LISTENER_WHY_MAX];

	if (m->nsockets == 0) {
		if (listeners_open(&m->listeners, &m->config.options, &none) ==
		    0)
			return 0;
		log_error("Cannot bind any address.");
		return -EADDRNOTAVAIL;
	}
	if (systemd_listeners(&m->listeners, m->nsockets, why) != 0) {
		log_error("socket activation: %s", why);
		return -ENOTSOCK;
	}
	systemd_warn(&m->listeners, &m->config.options);
	return 0;
}

/* -i: one connection, no listener and no trace of one. */
static int
run_inetd(struct master *m)
{
	int rc;

	server_log_open(m->args, &m->config);
	setproctitle("[inetd]");
	rc = master_serve(m);
	spawn_done(&m->spawn);
	return rc;
}

static int
run(struct master *m)
{
	int rc;

	if (m->args->inetd)
		return run_inetd(m);
	if (open_listeners(m) != 0)
		return EXIT_CONFIG;
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
 * -i: take the client, before there is a secret in memory. From then on only
 * -e has the log at standard error, which may be the client.
 */
static void
take_client(struct master *m)
{
	const struct server_args *args = m->args;
	int rc;

	if (!args->inetd || args->test || args->dump)
		return;
	if (!args->stderr_log)
		log_open("sshd", SINK_SYSLOG, LOG_AUTH, LEVEL_INFO);
	rc = inetd_take(args->stderr_log, &m->client_fd);
	if (rc == -ENOENT)
		fatal("Privilege separation user " PRIVSEP_USER
		      " does not exist");
	if (rc != 0)
		fatal("-i: no client at standard input: %s", err_str(rc));
}

/* What the arguments ask for, once the configuration is read. */
static int
serve_or_check(struct master *m)
{
	if (m->args->debug != 0)
		server_log_open(m->args, &m->config);
	if (m->args->dump)
		return dump(m->args, &m->config);
	confcheck(m->config.conf, &m->config.options);
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
	m->once = m->args->debug != 0 || m->args->inetd;
	return run(m);
}

int
main(int argc, char **argv, char **envp)
{
	struct server_args args = { .config_file = NULL };
	struct master m = { .args = &args, .client_fd = -1 };
	int status;

	/* A log whose reader is gone must not end us. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	m.nsockets = systemd_fds();
	server_hold_stdio(m.nsockets);
	setproctitle_init(argc, argv, envp);
	log_open("sshd", SINK_STDERR, 0, LEVEL_INFO);
	server_args_parse(argc, argv, &args);
	if (args.version) {
		server_args_done(&args);
		return print_version();
	}
	take_client(&m);
	if (args.quiet)
		log_open("sshd", SINK_STDERR, 0, LEVEL_QUIET);
	server_args_log(&args);
	umask(022);
	status = EXIT_CONFIG;
	if (server_config_load(&args, &m.config) == 0) {
		status = serve_or_check(&m);
		server_config_done(&m.config);
	}
	server_args_done(&args);
	return status;
}

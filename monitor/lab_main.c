/*
 * omniedge-ssh-server: sshd's processes from a command line, with or without
 * root. It makes a configuration and terms of its arguments, proves that this
 * machine can serve, and runs sshd's loop.
 */
#include "config.h"

#include <fcntl.h>
#include <libutil.h>
#include <limits.h>
#include <netinet/in.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/readonly.h"
#include "monitor/caps.h"
#include "monitor/lab_cred.h"
#include "monitor/lab_greet.h"
#include "monitor/lab_key.h"
#include "monitor/master.h"
#include "monitor/preflight.h"

#define SYSTEM_DIR "/etc/omniedge"
#define USER_DIR ".omniedge"
#define SYSTEM_PID "/run/omniedge-ssh-server.pid"
#define USER_PID "ssh-server.pid" /* in USER_DIR */

struct program {
	struct lab_args args;
	struct lab_self self;
	struct words host_keys;
	struct lab_conf conf;
	struct server_args server;
	struct master master;
	struct door door;
	char once[LAB_ONCE_LEN + 1];
	bool has_login;
	struct pidfh *pid;
};

/* --- what the arguments come to */

/* Where host keys are, if the arguments do not say; the caller's. */
static char *
key_place(const struct program *p)
{
	const char *path = p->args.host_key_path;
	AUTOFREE char *cwd = NULL;
	char *place = NULL;

	if (path == NULL && p->self.is_root)
		return strdup(SYSTEM_DIR "/");
	if (path == NULL)
		return asprintf(&place, "%s/%s/", p->self.home, USER_DIR) < 0
			   ? NULL
			   : place;
	cwd = *path != '/' ? getcwd(NULL, 0) : NULL;
	if (cwd == NULL)
		return strdup(path);
	return asprintf(&place, "%s/%s", cwd, path) < 0 ? NULL : place;
}

static int
find_keys(struct program *p)
{
	AUTOFREE char *place = key_place(p);
	char why[LAB_KEY_WHY_MAX];

	if (place == NULL)
		return -ENOMEM;
	if (p->args.print_config)
		return lab_key_name(place, &p->host_keys);
	if (lab_key_find(place, &p->host_keys, why) == 0)
		return 0;
	log_error("%s", why);
	return -ENOKEY;
}

static int
add_override(struct program *p, const char *text)
{
	struct server_args *s = &p->server;
	const char **grown =
	    reallocarray(s->overrides, s->noverrides + 1, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	s->overrides = grown;
	grown[s->noverrides] = strdup(text);
	return grown[s->noverrides++] != NULL ? 0 : -ENOMEM;
}

/* The other programs stand beside this one. */
static int
add_programs(struct program *p)
{
	static const char *const programs[][2] = {
		{ "SshdSessionPath", "sshd-monitor" },
		{ "SshdAuthPath", "sshd-net" },
	};
	int rc = 0;

	for (size_t i = 0; i < nitems_of(programs) && rc == 0; i++) {
		AUTOFREE char *text = NULL;

		if (asprintf(&text, "%s \"%s/%s\"", programs[i][0], p->self.dir,
			programs[i][1]) < 0)
			return -ENOMEM;
		rc = add_override(p, text);
	}
	return rc;
}

/* As sshd would have it, from no file and these lines. */
static int
make_server_args(struct program *p)
{
	int rc = add_programs(p);

	for (size_t i = 0; i < p->conf.lines.n && rc == 0; i++)
		rc = add_override(p, p->conf.lines.v[i]);
	p->server.foreground = true;
	p->server.stderr_log = !p->args.daemon || p->args.log_file != NULL;
	return rc;
}

static void
open_log(struct program *p)
{
	const struct lab *terms = &p->conf.terms;

	log_style(
	    &(struct log_style){ terms->json, terms->mark, terms->device });
	log_open(
	    "sshd", SINK_STDERR, 0, p->args.quiet ? LEVEL_ERROR : LEVEL_INFO);
}

/* --- credentials */

/* If nothing opens this server, something has to that is used up at once. */
static int
make_once(struct program *p)
{
	const struct options *o = &p->master.config.options;
	int rc;

	p->has_login = lab_cred_any(&p->conf, &p->self, o);
	if (p->has_login || p->args.auth == LAB_AUTH_KEYS)
		return 0;
	rc = lab_cred_once(&p->conf.terms, p->once);
	if (rc != 0)
		return rc;
	p->master.config.once_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	return p->master.config.once_fd >= 0 ? 0 : -errno;
}

/* --- ready */

static int
listen_all(struct program *p)
{
	struct listeners none = { .n = 0 };

	if (listeners_open(
		&p->master.listeners, &p->master.config.options, &none) == 0)
		return 0;
	if (!p->self.is_root && p->args.port < IPPORT_RESERVED)
		log_error("Cannot listen: ports below %d are root's. Choose "
			  "another one with --port",
		    IPPORT_RESERVED);
	else
		log_error("Cannot listen; is another server on port %d? "
			  "Choose one with --port",
		    p->args.port);
	return -EADDRINUSE;
}

static int
prove(struct program *p)
{
	const struct options *o = &p->master.config.options;
	const struct spawn_paths paths = {
		.monitor = o->sshd_session_path,
		.net = o->sshd_auth_path,
		.alone = true,
	};
	struct child_terms terms;
	char why[PREFLIGHT_WHY_MAX];

	if (spawn_init(&p->master.spawn, &paths, why) != 0) {
		log_error("%s", why);
		return -EPERM;
	}
	p->master.spawn.stderr_log = p->server.stderr_log;
	terms = master_terms(&p->master);
	if (preflight(&terms, why) == 0)
		return 0;
	log_error("this machine cannot serve: %s", why);
	return -EPERM;
}

/* What cannot be held is not begun; sftp-server holds itself. */
static int
check_readonly(const struct program *p)
{
	char why[READONLY_WHY_MAX];

	if (!p->args.read_only || p->args.sftp_only || readonly_check(why) == 0)
		return 0;
	log_error("--read-only: %s", why);
	return -ENOTSUP;
}

/* pidfile(3) of libbsd: locked, so that a second server is told. */
static int
open_pid_file(struct program *p)
{
	char path[PATH_MAX];
	pid_t other = 0;

	if (!p->args.daemon)
		return 0;
	if (p->args.pid_file != NULL)
		strlcpy(path, p->args.pid_file, sizeof(path));
	else if (p->self.is_root)
		strlcpy(path, SYSTEM_PID, sizeof(path));
	else
		snprintf(path, sizeof(path), "%s/%s/%s", p->self.home, USER_DIR,
		    USER_PID);
	p->pid = pidfile_open(path, 0644, &other);
	if (p->pid != NULL) {
		(void)fcntl(pidfile_fileno(p->pid), F_SETFD, FD_CLOEXEC);
		return 0;
	}
	if (errno == EEXIST)
		log_error("%s: a server runs already, process %ld; end it, or "
			  "name another --pid-file",
		    path, (long)other);
	else
		log_error("%s: %s; name another place with --pid-file", path,
		    err_str(-errno));
	return -EEXIST;
}

static int
open_log_file(const struct program *p)
{
	const char *path = p->args.log_file;
	AUTOCLOSE int fd = -1;

	if (path == NULL)
		return 0;
	fd = open(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0)
		return 0;
	log_error("--log-file %s: %s", path, err_str(-errno));
	return -EIO;
}

static void
greet(const struct program *p)
{
	static char buf[BUFSIZ];
	const struct lab_greeting g = {
		.args = &p->args,
		.self = &p->self,
		.conf = &p->conf,
		.listeners = &p->master.listeners,
		.hostkeys = &p->master.config.hostkeys,
		.once = p->once[0] != '\0' ? p->once : NULL,
		.has_login = p->has_login,
		.no_namespace =
		    p->master.spawn.as_user && !p->master.spawn.namespaces,
	};

	/* The password passes through here too. */
	(void)setvbuf(stdout, buf, _IOFBF, sizeof(buf));
	lab_greet(&g, stdout);
	explicit_bzero(buf, sizeof(buf));
}

/* The child's part: a session of its own, and no terminal. */
static int
leave_terminal(struct program *p)
{
	int null_fd = open(_PATH_DEVNULL, O_RDWR | O_CLOEXEC);

	if (setsid() < 0 || chdir("/") != 0 || null_fd < 0)
		return -errno;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if ((fd != STDERR_FILENO || p->args.log_file == NULL) &&
		    dup2(null_fd, fd) < 0)
			return -errno;
	return pidfile_write(p->pid) == 0 ? 0 : -errno;
}

/* As daemon(3), but who started us goes on only when the pid file is there. */
static int
go_background(struct program *p)
{
	int ready[2];
	char byte = 0;
	pid_t pid;
	int rc;

	if (!p->args.daemon)
		return 0;
	if (pipe2(ready, O_CLOEXEC) != 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	close(ready[pid == 0 ? 0 : 1]);
	if (pid > 0)
		_exit(read(ready[0], &byte, 1) == 1 ? LAB_EXIT_END
						    : LAB_EXIT_FAIL);
	rc = leave_terminal(p);
	if (rc == 0)
		(void)!write(ready[1], &byte, 1);
	close(ready[1]);
	return rc;
}

/* --- serve */

static void
set_master(struct program *p)
{
	const struct door_terms terms = {
		.networks = &p->conf.networks,
		.most = (unsigned)p->args.max_connections,
		.per_minute = (unsigned)p->args.rate_limit,
		.failures = (unsigned)p->args.max_failures,
		.ban_ms = (int64_t)p->args.ban_time * 1000,
	};
	struct master *m = &p->master;

	door_init(&p->door, &terms);
	m->args = &p->server;
	m->door = &p->door;
	m->lab = &p->conf.terms;
	m->once_login = p->args.once;
	if (p->args.time_limit != 0)
		m->end_at = clock_ms() + (int64_t)p->args.time_limit * 1000;
}

/* Everything between the configuration and the loop. */
static int
get_ready(struct program *p)
{
	int rc = make_once(p);

	if (rc == 0)
		rc = server_seal_lab(&p->master.config, &p->conf.terms);
	if (rc != 0)
		log_error("cannot begin: %s", err_str(rc));
	if (rc == 0)
		rc = check_readonly(p);
	if (rc == 0)
		rc = open_pid_file(p);
	if (rc == 0)
		rc = listen_all(p);
	if (rc == 0)
		rc = prove(p);
	if (rc != 0)
		return rc;
	greet(p);
	explicit_bzero(p->once, sizeof(p->once));
	return go_background(p);
}

static enum lab_exit
serve(struct program *p)
{
	struct master *m = &p->master;
	enum lab_exit status = LAB_EXIT_FAIL;

	set_master(p);
	/* It holds host keys: no core, no ptrace by anyone but root. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (server_config_load(&p->server, &m->config) != 0)
		return LAB_EXIT_FAIL;
	if (get_ready(p) == 0) {
		if (caps_trim(CAPS_SSHD) != 0)
			fatal("cannot drop capabilities");
		server_log_open(&p->server, &m->config);
		setproctitle("-omniedge ssh-server [listener]");
		status = master_serve(m) == 0 ? LAB_EXIT_END : LAB_EXIT_FAIL;
	}
	spawn_done(&m->spawn);
	listeners_close(&m->listeners);
	server_config_done(&m->config);
	if (p->pid != NULL)
		(void)pidfile_remove(p->pid);
	return status;
}

static void
program_done(struct program *p)
{
	door_done(&p->door);
	lab_conf_done(&p->conf);
	words_done(&p->host_keys);
	lab_self_done(&p->self);
	server_args_done(&p->server);
	explicit_bzero(p->once, sizeof(p->once));
}

static enum lab_exit
run(struct program *p)
{
	int rc;

	if (lab_self_find(&p->self, stderr) != 0)
		return LAB_EXIT_FAIL;
	if (find_keys(p) != 0)
		return LAB_EXIT_FAIL;
	rc = lab_conf_make(&p->args, &p->self, &p->host_keys, &p->conf, stderr);
	if (rc == 0 && p->args.print_config) {
		lab_conf_print(&p->args, &p->conf, stdout);
		return LAB_EXIT_END;
	}
	if (rc == 0)
		rc = lab_cred_password(&p->args, &p->conf.terms, stderr);
	if (rc != 0)
		return rc == -EINVAL ? LAB_EXIT_USAGE : LAB_EXIT_FAIL;
	server_hold_stdio(0);
	open_log(p);
	if (open_log_file(p) != 0 || make_server_args(p) != 0)
		return LAB_EXIT_FAIL;
	return serve(p);
}

int
main(int argc, char **argv, char **envp)
{
	struct program p = {
		.server = { .config_file = NULL },
		.master = { .config = { .lab_fd = -1, .once_fd = -1 } },
	};
	enum lab_exit status;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	setproctitle_init(argc, argv, envp);
	log_open("omniedge-ssh-server", SINK_STDERR, 0, LEVEL_INFO);
	if (lab_args_parse(argc, argv, &p.args, stderr) != 0)
		return LAB_EXIT_USAGE;
	if (p.args.help) {
		lab_args_help(stdout);
		return LAB_EXIT_END;
	}
	if (p.args.version) {
		printf("OmniEdge_%s\n", PACKAGE_VERSION);
		return LAB_EXIT_END;
	}
	umask(022);
	status = run(&p);
	program_done(&p);
	return (int)status;
}

/*
 * Programs between us and the server. Runs as the user; what a proxy sends is
 * as hostile as the network.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "client/proxy.h"
#include "client/run.h"
#include "client/target.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define ARGS_MAX 24 /* words of a jump's command line */

/* In the child: becomes the program, or ends. */
static void __attribute__((noreturn))
become(int fd, const char *path, char *const argv[])
{
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(126);
	execv(path, argv);
	log_error("%s: %s", path, err_str(-errno));
	_exit(127);
}

static int
start(const char *path, char *const argv[], pid_t *out_pid)
{
	int pair[2];
	AUTOCLOSE int ours = -1, theirs = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(theirs, path, argv);
	*out_pid = pid;
	if (fcntl(ours, F_SETFL, O_NONBLOCK) != 0)
		return -errno;
	return take_fd(&ours);
}

int
proxy_command(const struct expand *e, const char *command, pid_t *out_pid)
{
	const char *shell = run_shell_path();
	AUTOFREE char *expanded = NULL;
	AUTOFREE char *line = NULL;
	char why[EXPAND_WHY_MAX];
	int rc = expand_tokens(e, command, why, &expanded);

	if (rc != 0) {
		log_error(
		    "ProxyCommand: %s", rc == -EBADMSG ? why : err_str(rc));
		return rc;
	}
	if (asprintf(&line, "exec %s", expanded) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	log_debug("Executing proxy command: %s", line);
	const char *const argv[] = { shell, "-c", line, NULL };

	rc = start(shell, (char *const *)(uintptr_t)argv, out_pid);
	if (rc < 0)
		log_error("ProxyCommand: %s", err_str(rc));
	return rc;
}

/* A command line as it grows; the words are borrowed. */
struct argv {
	const char *v[ARGS_MAX + 1];
	size_t n;
};

static void
add(struct argv *a, const char *word)
{
	if (a->n < ARGS_MAX)
		a->v[a->n++] = word;
}

static void
add_hop(
    struct argv *a, const struct target *hop, const char *before, char port[8])
{
	if (hop->user != NULL) {
		add(a, "-l");
		add(a, hop->user);
	}
	if (hop->port != 0) {
		snprintf(port, 8, "%d", hop->port);
		add(a, "-p");
		add(a, port);
	}
	if (*before != '\0') {
		add(a, "-J");
		add(a, before);
	}
}

static int
run_jump(const struct proxy_jump *j, const struct target *hop,
    const char *before, pid_t *out_pid)
{
	struct argv a = { .n = 0 };
	char self[PATH_MAX], port[8], to[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return -errno;
	self[n] = '\0';
	snprintf(to, sizeof(to), "[%s]:%d", j->host, j->port);
	add(&a, "omniedge");
	add(&a, "ssh");
	if (j->file != NULL) {
		add(&a, "-F");
		add(&a, j->file);
	}
	for (int i = 0; i < j->verbosity; i++)
		add(&a, "-v");
	add_hop(&a, hop, before, port);
	add(&a, "-W");
	add(&a, to);
	add(&a, "--");
	add(&a, hop->host);
	return start(self, (char *const *)(uintptr_t)a.v, out_pid);
}

int
proxy_jump(const struct proxy_jump *j, pid_t *out_pid)
{
	AUTO(target_done) struct target hop = { .user = NULL };
	AUTOFREE char *before = strdup(j->hosts);
	const char *why = "it is too long";
	char *comma, *last;
	int rc;

	if (before == NULL)
		return -ENOMEM;
	/* The last host of the list is reached through those before it. */
	comma = strrchr(before, ',');
	last = comma != NULL ? comma + 1 : before;
	rc = target_parse(last, "ssh", &hop, &why);
	if (rc != 0) {
		log_error("ProxyJump: %s: %s", last, why);
		return rc;
	}
	if (comma != NULL)
		*comma = '\0';
	else
		*before = '\0';
	rc = run_jump(j, &hop, before, out_pid);
	if (rc < 0)
		log_error("ProxyJump: %s", err_str(rc));
	return rc;
}

void
proxy_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGHUP);
	/* It may take its time: init will have it if we are gone by then. */
	(void)waitpid(pid, NULL, WNOHANG);
}

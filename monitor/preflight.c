/*
 * The proof. Runs in sshd as root, before it serves and in -t.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/own.h"
#include "monitor/preflight.h"
#include "monitor/proof_forward.h"

#define PREFLIGHT_MS 20000 /* a slow machine's handshake, many times over */

/* The root directory of the network process: empty, and nobody else's. */
static int
check_root_dir(char why[PREFLIGHT_WHY_MAX])
{
	struct stat st;

	if (lstat(PRIVSEP_PATH, &st) != 0) {
		if (errno == ENOENT && mkdir(PRIVSEP_PATH, 0755) == 0)
			return 0;
		snprintf(why, PREFLIGHT_WHY_MAX,
		    "Missing privilege separation directory: %s (%s); "
		    "run: mkdir -m 755 %s",
		    PRIVSEP_PATH, strerror(errno), PRIVSEP_PATH);
		return -ENOENT;
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		snprintf(why, PREFLIGHT_WHY_MAX,
		    "%s must be a directory owned by root and not group or "
		    "world-writable; run: chown root %s; chmod 755 %s",
		    PRIVSEP_PATH, PRIVSEP_PATH, PRIVSEP_PATH);
		return -EPERM;
	}
	return 0;
}

/* A server of its own has made a root directory, or has said that it cannot. */
static bool
has_root(const struct spawn *s)
{
	return s->root_fd >= 0 || s->as_user;
}

/* Wait until the monitor has reported, or everything is over. */
static void
watch(struct child *c)
{
	int64_t until = clock_ms() + PREFLIGHT_MS;
	struct seen seen = { .ready = false }; /* it earns no login */

	while (c->chan.fd >= 0) {
		struct pollfd pfd = { c->chan.fd, POLLIN, 0 };
		int64_t left = until - clock_ms();

		if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
			break;
		if (pfd.revents != 0)
			(void)child_message(c, &seen);
	}
	seen_done(&seen);
}

static int
reap(pid_t pid)
{
	int status = 0;

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static int __attribute__((format(printf, 2, 3)))
say(char why[PREFLIGHT_WHY_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, PREFLIGHT_WHY_MAX, fmt, ap);
	va_end(ap);
	return -EPERM;
}

static int
judge(const struct child *c, int probe_status, char why[PREFLIGHT_WHY_MAX])
{
	static const char no_kex[] =
	    "a client could not complete a key exchange with this "
	    "configuration; look at KexAlgorithms, Ciphers, MACs and "
	    "HostKeyAlgorithms";
	const char *text = NULL;
	int s = c->net_status;

	if (WIFSIGNALED(s) && WTERMSIG(s) == SIGSYS)
		text = "the system call filter of sshd-net stops a call that "
		       "this machine's libraries need; the kernel's log "
		       "(dmesg, audit) names its number: see sshd(8), JAIL";
	else if (child_exit_text(s) != NULL)
		return say(why, "sshd-net %s", child_exit_text(s));
	else if (child_exit_text(c->monitor_status) != NULL)
		return say(
		    why, "sshd-monitor %s", child_exit_text(c->monitor_status));
	else if (c->proven.no_match)
		text = no_kex;
	else if (c->proven.signs == 0)
		text = "the host key's signature was not asked of the monitor: "
		       "the seam between libssh and libcrypto is not in force";
	else if (!WIFEXITED(probe_status) || WEXITSTATUS(probe_status) != 0)
		text = no_kex;
	else if (c->proven.verifies == 0)
		text = "a user's signature did not reach the monitor: "
		       "the seam between libssh and libcrypto is not in force";
	else if (!c->proven.jail)
		text = "sshd-net did not come through the proof of its jail";
	return text != NULL ? say(why, "%s", text) : 0;
}

static int
prove_connection(const struct child_terms *terms, char why[PREFLIGHT_WHY_MAX])
{
	struct child_terms probe_terms = *terms;
	AUTOCLOSE int server_fd = -1;
	AUTOCLOSE int client_fd = -1;
	struct child *c;
	int pair[2];
	int rc, probe_pid, status;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	server_fd = pair[0];
	client_fd = pair[1];
	probe_terms.probe = true;
	rc = child_start(&probe_terms, server_fd, &c);
	close(take_fd(&server_fd));
	if (rc != 0) {
		snprintf(why, PREFLIGHT_WHY_MAX,
		    "cannot start a connection's processes: %s", err_str(rc));
		return rc;
	}
	probe_pid = spawn_run(terms->spawn, SPAWN_PROBE, &client_fd, 1);
	close(take_fd(&client_fd));
	watch(c);
	if (c->chan.fd >= 0) /* out of time */
		child_kill(c);
	status = reap(probe_pid);
	c->net_status = reap(c->net);
	c->monitor_status = reap(c->monitor);
	rc = judge(c, status, why);
	child_free(c);
	return rc;
}

int
preflight(const struct child_terms *terms, char why[PREFLIGHT_WHY_MAX])
{
	char forward_why[PREFLIGHT_WHY_MAX];
	struct proof_forward forward;
	int rc, forward_rc;

	rc = has_root(terms->spawn) ? 0 : check_root_dir(why);
	if (rc != 0)
		return rc;
	rc = proof_forward_begin(&forward, terms->spawn);
	if (rc == 0)
		rc = prove_connection(terms, why);
	else
		snprintf(why, PREFLIGHT_WHY_MAX,
		    "cannot start sshd-forward: %s", err_str(rc));
	forward_rc = proof_forward_end(
	    &forward, rc == 0 ? clock_ms() + PREFLIGHT_MS : 0, forward_why);
	if (rc != 0 || forward_rc == 0)
		return rc;
	strlcpy(why, forward_why, PREFLIGHT_WHY_MAX);
	return forward_rc;
}

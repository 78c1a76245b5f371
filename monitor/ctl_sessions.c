/*
 * sshdctl sessions, sshdctl end. Runs as root, for root: reads the records of
 * live sessions and signals their processes.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <vis.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"
#include "monitor/ctl.h"
#include "monitor/json.h"

#define END_MS 10000 /* for PAM's modules, say; then it is killed */

struct session {
	struct record r;
	int pidfd; /* owned */
};

/* A growing list. */
struct sessions {
	struct session *v;
	size_t n;
};

static void
sessions_done(struct sessions *list)
{
	for (size_t i = 0; i < list->n; i++)
		close(list->v[i].pidfd);
	free(list->v);
}

static void
add(struct sessions *list, const struct session *s)
{
	struct session *v = reallocarray(list->v, list->n + 1, sizeof(*v));

	if (v == NULL)
		ctl_fail("out of memory");
	list->v = v;
	v[list->n++] = *s;
}

static int
by_time(const void *a, const void *b)
{
	const struct record *x = &((const struct session *)a)->r;
	const struct record *y = &((const struct session *)b)->r;

	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Whether it is of the server that -p and -f choose. */
static bool
is_of_server(const struct record *r, const struct ctl_args *a)
{
	return (a->port == 0 || a->port == r->lport) &&
	       (a->pid_file == NULL || strcmp(a->pid_file, r->pid_file) == 0);
}

/* All that live. Records of processes that are gone are removed. */
static void
find(struct sessions *list, const struct ctl_args *a)
{
	int dir_fd = record_dir();
	DIR *dir = dir_fd < 0 ? NULL : fdopendir(dir_fd);
	const struct dirent *entry;

	if (dir == NULL)
		ctl_fail(
		    CONTROL_PATH ": %s", err_str(dir_fd < 0 ? dir_fd : -errno));
	while ((entry = readdir(dir)) != NULL) {
		struct session s = { .pidfd = -1 };
		int rc;

		if (strncmp(entry->d_name, RECORD_PREFIX,
			strlen(RECORD_PREFIX)) != 0)
			continue;
		rc = record_read(dir_fd, entry->d_name, &s.r);
		if (rc == 0)
			rc = s.pidfd = record_process(&s.r);
		if (rc == -ESRCH)
			(void)unlinkat(dir_fd, entry->d_name, 0);
		else if (rc < 0 && rc != -ENOENT)
			ctl_say(
			    CONTROL_PATH "/%s: %s", entry->d_name, err_str(rc));
		if (rc < 0)
			continue;
		if (is_of_server(&s.r, a))
			add(list, &s);
		else
			close(s.pidfd);
	}
	closedir(dir);
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(list->v[0]), by_time);
}

/* --- sessions */

static void
print_json(struct json *j, const struct record *r)
{
	json_open(j, '{');
	json_number(j, "id", r->pid);
	json_text(j, "user", r->user);
	json_text(j, "addr", r->addr);
	json_number(j, "port", r->port);
	json_text(j, "laddr", r->laddr);
	json_number(j, "lport", r->lport);
	json_time(j, "since", r->since);
	json_number(j, "since_unix", r->since);
	json_number(j, "sshd", r->sshd);
	json_flag(j, "sshd_running", kill(r->sshd, 0) == 0);
	json_text(j, "pid_file", r->pid_file);
	json_close(j, '}');
}

static void
print_text(const struct record *r)
{
	char user[sizeof(r->user) * 4], from[RECORD_TEXT_MAX + 16];
	char since[CTL_TIME_MAX];

	/* A terminal must not be told what to do by a user's name. */
	strvis(user, r->user, VIS_OCTAL | VIS_WHITE | VIS_NOSLASH);
	snprintf(from, sizeof(from), "%s:%u", r->addr, r->port);
	ctl_time(r->since, since);
	printf("%-8ld %-16s %-24s %-6u %s%s\n", (long)r->pid, user, from,
	    r->lport, since,
	    kill(r->sshd, 0) == 0 ? "" : "  (of an earlier sshd)");
}

int
ctl_sessions(const struct ctl_args *a)
{
	AUTO(sessions_done) struct sessions list = { NULL, 0 };
	struct json j = { .out = stdout };

	find(&list, a);
	if (!a->json && list.n > 0)
		printf("%-8s %-16s %-24s %-6s %s\n", "ID", "USER", "FROM",
		    "PORT", "SINCE");
	if (a->json)
		json_open(&j, '[');
	for (size_t i = 0; i < list.n; i++)
		if (a->json)
			print_json(&j, &list.v[i].r);
		else
			print_text(&list.v[i].r);
	if (a->json) {
		json_close(&j, ']');
		putchar('\n');
	}
	return 0;
}

/* --- end */

static bool
is_named(const struct record *r, const struct ctl_args *a)
{
	char id[32];

	snprintf(id, sizeof(id), "%ld", (long)r->pid);
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->names[i], id) == 0)
			return true;
	return false;
}

/* --user and --addr both have to hold, if both are given. */
static bool
is_meant(const struct record *r, const struct ctl_args *a)
{
	if (a->all || is_named(r, a))
		return true;
	if (a->user == NULL && a->addr == NULL)
		return false;
	return (a->user == NULL || strcmp(a->user, r->user) == 0) &&
	       (a->addr == NULL || cidr_match(r->addr, a->addr) == 1);
}

static int
send_signal(const struct session *s, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, s->pidfd, sig, NULL, 0);
}

static bool
is_gone(const struct session *s, int ms)
{
	struct pollfd pfd = { s->pidfd, POLLIN, 0 };

	return poll(&pfd, 1, ms) == 1;
}

static bool
end_one(const struct session *s)
{
	const struct record *r = &s->r;

	if (!is_gone(s, END_MS)) {
		ctl_say("session %ld of user %s does not end by itself: "
			"killed",
		    (long)r->pid, r->user);
		(void)send_signal(s, SIGKILL);
		if (!is_gone(s, END_MS)) {
			ctl_say("session %ld is still there: its process "
				"hangs in the kernel",
			    (long)r->pid);
			return false;
		}
		record_remove(r->pid);
	}
	printf("ended %ld %s %s:%u\n", (long)r->pid, r->user, r->addr, r->port);
	return true;
}

/* Who asked, for the log: sudo knows better than we. */
static const char *
asker(void)
{
	const char *sudo = getenv("SUDO_USER");

	return sudo != NULL && *sudo != '\0' ? sudo : "root";
}

int
ctl_end(const struct ctl_args *a)
{
	AUTO(sessions_done) struct sessions list = { NULL, 0 };
	size_t meant = 0, ended = 0;

	find(&list, a);
	/* All are asked before any is waited for. */
	for (size_t i = 0; i < list.n; i++) {
		const struct record *r = &list.v[i].r;

		if (!is_meant(r, a) || send_signal(&list.v[i], SIGTERM) != 0)
			continue;
		log_info("session %ld of user %s from %s port %u is ended by "
			 "%s",
		    (long)r->pid, r->user, r->addr, r->port, asker());
		meant++;
	}
	for (size_t i = 0; i < list.n; i++)
		if (is_meant(&list.v[i].r, a))
			ended += end_one(&list.v[i]);
	if (meant == 0)
		ctl_say("no such session; \"sshdctl sessions\" lists them");
	return meant > 0 && ended == meant ? 0 : CTL_EXIT_FAILED;
}

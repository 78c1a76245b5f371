/*
 * sshdctl status, penalties, lift. Runs as root: talks to each listening sshd
 * through its socket. They are root's, and may be of another version.
 */
#include "config.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/control.h"
#include "monitor/ctl.h"
#include "monitor/json.h"
#include "monitor/source.h"

#define ANSWER_SECONDS 5
#define VERSION_MAX 64

bool
ctl_ask(struct chan *sshd, const struct msg *q, struct msg *out_reply)
{
	int rc = chan_send(sshd, q, NULL, 0);

	if (rc == 0)
		rc = chan_recv(sshd, out_reply);
	if (rc == 0 && out_reply->id != msg_rule(q->id)->reply)
		rc = -EPROTO;
	if (rc == 0)
		return true;
	ctl_say("sshd does not answer: %s",
	    rc == -EAGAIN ? "it may be stopped, or very busy" : err_str(rc));
	return false;
}

static int
dial(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = ANSWER_SECONDS };
	AUTOCLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(
	    addr.sun_path, sizeof(addr.sun_path), "%s/%s", CONTROL_PATH, name);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return -errno;
	return take_fd(&fd);
}

/* Both have the same messages, or it is said what to do. */
static bool
may_talk(int fd, pid_t pid)
{
	uint8_t buf[CONTROL_GREETING_MAX];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	struct reader r;
	struct span magic, version;
	uint32_t schema;

	if (n <= 0) {
		ctl_say("sshd (process %ld) does not answer: %s", (long)pid,
		    n == 0 ? "it closed the connection"
			   : "it may be stopped, or very busy");
		return false;
	}
	reader_init(&r, buf, (size_t)n);
	magic = reader_bytes(&r, strlen(CONTROL_MAGIC));
	schema = reader_u32(&r);
	version = reader_string(&r, VERSION_MAX);
	if (span_is(magic, CONTROL_MAGIC) && schema == msg_schema() &&
	    reader_end(&r) == 0)
		return true;
	ctl_say("sshd (process %ld) is of another version (%.*s) than this "
		"sshdctl (" PACKAGE_VERSION "): restart it, as after an "
		"upgrade; its sessions stay",
	    (long)pid, (int)version.len, (const char *)version.p);
	return false;
}

static bool
is_meant(const struct msg_ctl_status_reply *s, const struct ctl_args *a)
{
	char port[16], list[8192 + 2];

	/* Each address ends with its port, and a blank. */
	snprintf(list, sizeof(list), "%.*s ", (int)s->listens.len,
	    (const char *)s->listens.p);
	snprintf(port, sizeof(port), ":%u ", a->port);
	return (a->port == 0 || strstr(list, port) != NULL) &&
	       (a->pid_file == NULL || span_is(s->pid_file, a->pid_file));
}

/* One server: whether it is there and meant. */
static bool
visit(const char *name, const struct ctl_args *a,
    void (*each)(struct chan *sshd, pid_t pid,
	const struct msg_ctl_status_reply *status, void *arg),
    void *arg)
{
	const struct msg q = { .id = MSG_CTL_STATUS };
	AUTO(chan_done) struct chan sshd = { .fd = -1 };
	AUTOFREE uint8_t *kept = NULL;
	struct msg reply;
	pid_t pid = (pid_t)strtol(name + strlen(CONTROL_PREFIX), NULL, 10);
	int fd = dial(name);

	if (fd == -ECONNREFUSED || fd == -ENOENT) {
		AUTOCLOSE int dir_fd = record_dir();

		/* It was killed; nobody will ever answer here. */
		if (dir_fd >= 0 && fd == -ECONNREFUSED)
			(void)unlinkat(dir_fd, name, 0);
		return false;
	}
	if (fd < 0) {
		ctl_say(CONTROL_PATH "/%s: %s", name, err_str(fd));
		return false;
	}
	if (!may_talk(fd, pid)) {
		close(fd);
		return false;
	}
	if (chan_init(&sshd, fd, CTL, SSHD) != 0)
		ctl_fail("out of memory");
	sshd.phase = PH_SESSION;
	if (!ctl_ask(&sshd, &q, &reply) ||
	    !is_meant(&reply.u.ctl_status_reply, a))
		return false;
	/* What the reply borrows from lasts until each() asks something. */
	each(&sshd, pid, &reply.u.ctl_status_reply, arg);
	return true;
}

size_t
ctl_servers(const struct ctl_args *a,
    void (*each)(struct chan *sshd, pid_t pid,
	const struct msg_ctl_status_reply *status, void *arg),
    void *arg)
{
	int dir_fd = record_dir();
	DIR *dir = dir_fd < 0 ? NULL : fdopendir(dir_fd);
	const struct dirent *entry;
	size_t n = 0;

	if (dir == NULL)
		ctl_fail(
		    CONTROL_PATH ": %s", err_str(dir_fd < 0 ? dir_fd : -errno));
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, CONTROL_PREFIX,
			strlen(CONTROL_PREFIX)) == 0)
			n += visit(entry->d_name, a, each, arg);
	closedir(dir);
	if (n == 0)
		ctl_say(a->port != 0 || a->pid_file != NULL
			    ? "no such sshd runs; \"sshdctl status\" lists them"
			    : "no sshd of this suite runs");
	return n;
}

static void
copy(char *out, size_t size, struct span text)
{
	snprintf(out, size, "%.*s", (int)text.len, (const char *)text.p);
}

/* --- status */

static void
print_status_json(
    struct json *j, pid_t pid, const struct msg_ctl_status_reply *s)
{
	char text[8192 + 1];

	json_open(j, '{');
	json_number(j, "pid", pid);
	copy(text, sizeof(text), s->listens);
	json_text(j, "listens", text);
	json_time(j, "since", (int64_t)s->since);
	json_number(j, "connections", (int64_t)s->connections);
	json_number(j, "starting", (int64_t)s->starting);
	json_flag(j, "throttling", s->throttling != 0);
	json_number(j, "penalties", (int64_t)s->penalties);
	copy(text, sizeof(text), s->pid_file);
	json_text(j, "pid_file", text);
	copy(text, sizeof(text), s->config);
	json_text(j, "config", text);
	json_text(j, "version", PACKAGE_VERSION);
	json_close(j, '}');
}

static void
print_status(struct chan *sshd, pid_t pid, const struct msg_ctl_status_reply *s,
    void *arg)
{
	struct json *j = arg;
	char since[CTL_TIME_MAX];

	(void)sshd;
	if (j != NULL) {
		print_status_json(j, pid, s);
		return;
	}
	ctl_time((int64_t)s->since, since);
	printf("sshd %ld, version %s, since %s\n", (long)pid, PACKAGE_VERSION,
	    since);
	printf("    listens      %.*s\n", (int)s->listens.len,
	    (const char *)s->listens.p);
	printf("    config       %.*s\n", (int)s->config.len,
	    (const char *)s->config.p);
	if (s->pid_file.len == 0)
		printf("    pid file     none\n");
	else
		printf("    pid file     %.*s\n", (int)s->pid_file.len,
		    (const char *)s->pid_file.p);
	printf("    connections  %" PRIu64 ", of these %" PRIu64
	       " not logged in%s\n",
	    s->connections, s->starting,
	    s->throttling != 0 ? "; MaxStartups refuses some" : "");
	printf("    penalties    %" PRIu64 "\n", s->penalties);
}

/* Call ctl_servers() with what prints JSON, or NULL. */
static int
list(const struct ctl_args *a,
    void (*each)(struct chan *sshd, pid_t pid,
	const struct msg_ctl_status_reply *status, void *arg))
{
	struct json j = { .out = stdout };
	size_t n;

	if (a->json)
		json_open(&j, '[');
	n = ctl_servers(a, each, a->json ? &j : NULL);
	if (a->json) {
		json_close(&j, ']');
		putchar('\n');
	}
	return n > 0 ? 0 : CTL_EXIT_FAILED;
}

int
ctl_status(const struct ctl_args *a)
{
	return list(a, print_status);
}

/* --- penalties */

static void
print_penalty(struct json *j, pid_t pid, const struct msg_ctl_penalty_reply *p)
{
	char source[SOURCE_TEXT_MAX + 1], reason[128 + 1];

	copy(source, sizeof(source), p->source);
	copy(reason, sizeof(reason), p->reason);
	if (j == NULL) {
		printf("%-24s %8.1f s  %-8s  %s\n", source,
		    (double)p->left / 1000, p->active ? "active" : "deferred",
		    reason);
		return;
	}
	json_open(j, '{');
	json_text(j, "source", source);
	json_number(j, "milliseconds", (int64_t)p->left);
	json_flag(j, "active", p->active != 0);
	json_text(j, "reason", reason);
	json_number(j, "sshd", pid);
	json_close(j, '}');
}

static void
print_penalties(struct chan *sshd, pid_t pid,
    const struct msg_ctl_status_reply *s, void *arg)
{
	char after[SOURCE_TEXT_MAX + 1] = "";

	(void)s;
	for (;;) {
		struct msg q = { .id = MSG_CTL_PENALTY };
		struct msg reply;

		q.u.ctl_penalty.after = span_of(after, strlen(after));
		if (!ctl_ask(sshd, &q, &reply) ||
		    reply.u.ctl_penalty_reply.source.len == 0)
			return;
		print_penalty(arg, pid, &reply.u.ctl_penalty_reply);
		copy(after, sizeof(after), reply.u.ctl_penalty_reply.source);
	}
}

int
ctl_penalties(const struct ctl_args *a)
{
	return list(a, print_penalties);
}

/* --- lift */

struct lifting {
	const char *addr; /* empty: all */
	size_t n;
};

static void
lift(struct chan *sshd, pid_t pid, const struct msg_ctl_status_reply *s,
    void *arg)
{
	struct lifting *l = arg;
	struct msg q = { .id = MSG_CTL_LIFT };
	struct msg reply;

	(void)pid;
	(void)s;
	q.u.ctl_lift.addr = span_of(l->addr, strlen(l->addr));
	if (ctl_ask(sshd, &q, &reply))
		l->n += reply.u.ctl_lift_reply.n;
}

int
ctl_lift(const struct ctl_args *a)
{
	const struct netblock whole = { 32, 128 };
	struct lifting l = { .addr = a->names[0] };
	struct source_key key;

	if (strcmp(l.addr, "all") == 0) {
		l.addr = "";
	} else if (strlen(l.addr) >= SOURCE_TEXT_MAX ||
		   source_key_text(l.addr, &whole, &key) != 0) {
		ctl_say("\"%s\" is no address; lift takes one, or all", l.addr);
		return CTL_EXIT_USAGE;
	}
	if (ctl_servers(a, lift, &l) == 0)
		return CTL_EXIT_FAILED;
	printf("lifted %zu\n", l.n);
	if (l.n == 0 && *l.addr != '\0')
		ctl_say("%s has no penalty; \"sshdctl penalties\" lists them",
		    l.addr);
	return l.n > 0 || *l.addr == '\0' ? 0 : CTL_EXIT_FAILED;
}

/*
 * Plays sshd and sshd-net to a real sshd-monitor. Part of the evil tests; runs
 * as root, and logs in as root.
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/own.h"
#include "common/userauth.h"
#include "monitor/conn.h"
#include "monitor/server.h"
#include "regress/evil/rig.h"
#include "regress/unit/keyfiles.h"
#include "regress/unit/msgfill.h"

#define PARK_FD 32
#define END_MS 20000 /* a slow machine's refusal, many times over */
#define POLL_MS 10
#define STATUS_FATAL 255
#define FDS_MAX 253 /* SCM_MAX_FD of the kernel */
#define NET_FD 3    /* as monitor/conn.h has them */
#define SSHD_FD 4

/* Once a program, and read by the tests' processes, which are forked later. */
static struct {
	struct server_config config;
	struct key *user_key;
	char user[64];
	char monitor[PATH_MAX];
	char forward[PATH_MAX];
	char marker[PATH_MAX];
	char command[PATH_MAX + 16];
	char log[PATH_MAX];
} the_rig;

void
rig_path(const char *name, char *out, size_t size)
{
	ck_assert_int_lt(
	    snprintf(out, size, "%s/%s", keyfiles_dir, name), (int)size);
}

/* --- once */

static void
write_file(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	rig_path(name, path, sizeof(path));
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* Everyone may use all that a test asks for: what is refused is refused by
 * the rules of messages, not by these options. There is no ECDSA key. */
static void
load_config(const char *lines)
{
	static const char *const format =
	    "%2$sHostKey %1$s/host_ed25519\nHostKey %1$s/host_rsa\n"
	    "AuthorizedKeysFile %1$s/user.pub\nUsePAM no\nStrictModes no\n"
	    "PermitRootLogin yes\nPasswordAuthentication yes\n"
	    "LogLevel VERBOSE\nMaxAuthTries 1000\nMaxSessions 3\n"
	    "AcceptEnv *\nPrintMotd no\nPermitOpen 127.0.0.1:*\n"
	    "PermitListen localhost:*\nAllowAgentForwarding no\n";
	struct server_args args = { .config_file = NULL };
	char path[PATH_MAX];
	char text[8 * PATH_MAX];

	snprintf(text, sizeof(text), format, keyfiles_dir, lines);
	write_file("sshd_config", text);
	rig_path("sshd_config", path, sizeof(path));
	args.config_file = path;
	ck_assert_int_eq(server_config_load(&args, &the_rig.config), 0);
}

static void
load_user_key(void)
{
	AUTO(writer_done) struct writer file = WRITER_INIT;

	keyfiles_read("user", &file);
	ck_assert_int_eq(
	    key_load_private(keyfiles_span(&file), 0, &the_rig.user_key), 0);
}

static void
find_monitor(void)
{
	const char *build = getenv("BUILDDIR");

	snprintf(the_rig.monitor, sizeof(the_rig.monitor),
	    "%s/bin/sshd-monitor", build != NULL ? build : ".");
	snprintf(the_rig.forward, sizeof(the_rig.forward),
	    "%s/bin/sshd-forward", build != NULL ? build : ".");
	if (access(the_rig.monitor, X_OK) == 0)
		return;
	printf("Bail out! no %s: build it, or set BUILDDIR\n", the_rig.monitor);
	exit(99);
}

void
rig_setup(void)
{
	const struct passwd *pw = getpwuid(getuid());

	find_monitor();
	if (pw == NULL || pw->pw_uid != 0) {
		printf("1..0 # SKIP needs root\n");
		exit(0);
	}
	strlcpy(the_rig.user, pw->pw_name, sizeof(the_rig.user));
	keyfiles_begin();
	keyfiles_make("host_ed25519", "ed25519", "256", "RFC4716", "");
	keyfiles_make("host_rsa", "rsa", "2048", "RFC4716", "");
	keyfiles_make("user", "ed25519", "256", "RFC4716", "");
	load_config("");
	load_user_key();
	rig_path(RIG_MARKER, the_rig.marker, sizeof(the_rig.marker));
	rig_path("log", the_rig.log, sizeof(the_rig.log));
	snprintf(the_rig.command, sizeof(the_rig.command), "touch '%s'",
	    the_rig.marker);
}

void
rig_configure(const char *lines)
{
	server_config_done(&the_rig.config);
	the_rig.config = (struct server_config){ 0 };
	load_config(lines);
}

void
rig_teardown(void)
{
	server_config_done(&the_rig.config);
	key_free(the_rig.user_key);
	keyfiles_end();
}

/* --- the monitor */

/* As monitor/spawn.c starts it. */
static void __attribute__((noreturn)) become_monitor(int net_fd, int sshd_fd)
{
	char *argv[] = { (char *)(uintptr_t) "sshd-monitor", NULL };
	/* It is not dumpable, which the leak checker cannot stand. */
	char *envp[] = { (char *)(uintptr_t) "ASAN_OPTIONS=detect_leaks=0",
		NULL };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log_fd =
	    open(the_rig.log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	int net = fcntl(net_fd, F_DUPFD_CLOEXEC, PARK_FD);
	int sshd = fcntl(sshd_fd, F_DUPFD_CLOEXEC, PARK_FD);

	if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 ||
	    dup2(log_fd, 2) < 0 || dup2(net, NET_FD) < 0 ||
	    dup2(sshd, SSHD_FD) < 0)
		_exit(1);
	closefrom(SSHD_FD + 1);
	execve(the_rig.monitor, argv, envp);
	_exit(1);
}

void
rig_start(struct rig *r)
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC;
	int net[2], sshd[2];

	*r = (struct rig){ .pid = -1 };
	(void)unlink(the_rig.marker);
	/* Whatever outlives the monitor becomes ours, and is found. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, net), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, sshd), 0);
	ck_assert_int_eq(chan_init(&r->net, net[0], NET, MONITOR), 0);
	ck_assert_int_eq(chan_init(&r->sshd, sshd[0], SSHD, MONITOR), 0);
	r->pid = fork();
	ck_assert_int_ge(r->pid, 0);
	if (r->pid == 0)
		become_monitor(net[1], sshd[1]);
	close(net[1]);
	close(sshd[1]);
}

void
rig_conn_fds(int out_fds[RIG_CONN_FDS])
{
	out_fds[0] = fcntl(the_rig.config.config_fd, F_DUPFD_CLOEXEC, 0);
	out_fds[1] = fcntl(the_rig.config.hostkeys_fd, F_DUPFD_CLOEXEC, 0);
	out_fds[2] = open(the_rig.forward, O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < RIG_CONN_FDS; i++)
		ck_assert_int_ge(out_fds[i], 0);
}

void
rig_send_conn(struct rig *r, const int *fds, unsigned nfds)
{
	struct msg m = { .id = MSG_CONN };

	m.u.conn = (struct msg_conn){
		.addr = span_of(RIG_CLIENT, strlen(RIG_CLIENT)),
		.port = RIG_PORT,
		.laddr = span_of(RIG_CLIENT, strlen(RIG_CLIENT)),
		.lport = 22,
		.log_level = 8,
		.stderr_log = 1,
	};
	ck_assert_int_eq(chan_send(&r->sshd, &m, fds, nfds), 0);
}

void
rig_serve(struct rig *r)
{
	int fds[RIG_CONN_FDS];

	rig_start(r);
	rig_conn_fds(fds);
	rig_send_conn(r, fds, RIG_CONN_FDS);
	for (int i = 0; i < RIG_CONN_FDS; i++)
		close(fds[i]);
}

void
rig_use_forward(const char *path)
{
	strlcpy(the_rig.forward, path, sizeof(the_rig.forward));
}

/* --- an honest client's way */

/* What sshd does meanwhile: each session is new to it. */
static void
play_sshd(struct rig *r)
{
	struct msg m;

	while (chan_try_recv(&r->sshd, &m) == 0) {
		if (m.id != MSG_CLAIM)
			continue;
		m = (struct msg){ .id = MSG_CLAIMED };
		m.u.claimed.fresh = 1;
		ck_assert_int_eq(chan_send(&r->sshd, &m, NULL, 0), 0);
	}
}

struct msg
rig_ask(struct rig *r, struct msg *m)
{
	enum msg_id reply = msg_rule(m->id)->reply;
	struct msg got = { .id = MSG_NONE };

	ck_assert_int_eq(chan_send(&r->net, m, NULL, 0), 0);
	while (got.id != reply) {
		struct pollfd fds[2] = {
			{ r->net.fd, POLLIN, 0 },
			{ r->sshd.fd, POLLIN, 0 },
		};

		ck_assert_int_ge(poll(fds, 2, END_MS), 1);
		if (r->sshd.fd >= 0 && fds[1].revents != 0)
			play_sshd(r);
		if (fds[0].revents != 0)
			ck_assert_int_eq(chan_recv(&r->net, &got), 0);
	}
	return got;
}

static struct span
the_hash(void)
{
	return span_of(msgfill_text(), RIG_HASH_LEN);
}

void
rig_sign(struct rig *r)
{
	struct msg m = { .id = MSG_SIGN };

	m.u.sign.hash = the_hash();
	m = rig_ask(r, &m);
	ck_assert_uint_eq(m.u.signature.raw.len, 64);
}

void
rig_user(struct rig *r)
{
	struct msg m = { .id = MSG_AUTH_USER };

	m.u.auth_user.user = span_of(the_rig.user, strlen(the_rig.user));
	(void)rig_ask(r, &m);
}

struct msg
rig_signature(struct rig *r)
{
	static struct writer data, signature;
	struct userauth_blob blob = {
		.session_id = the_hash(),
		.user = span_of(the_rig.user, strlen(the_rig.user)),
		.service = span_of("ssh-connection", 14),
		.alg_name = span_of("ssh-ed25519", 11),
		.key = key_blob(the_rig.user_key),
	};
	struct msg m = { .id = MSG_AUTH_SIGNATURE };

	(void)r;
	writer_done(&data);
	writer_done(&signature);
	ck_assert_int_eq(userauth_build(&blob, &data), 0);
	ck_assert_int_eq(key_sign_raw(the_rig.user_key, KEY_DIGEST_NONE,
			     span_of(data.p, data.len), &signature),
	    0);
	m.u.auth_signature = (struct msg_auth_signature){
		.key = blob.key,
		.data = span_of(data.p, data.len),
		.signature = span_of(signature.p, signature.len),
	};
	return m;
}

static void
log_in(struct rig *r)
{
	struct msg m;

	rig_user(r);
	m = rig_signature(r);
	m = rig_ask(r, &m);
	ck_assert_uint_eq(m.u.auth_result.verdict, VERDICT_GRANTED);
	r->logged_in = true;
}

void
rig_bring(struct rig *r, unsigned phase)
{
	struct msg m = { .id = MSG_SETUP };

	rig_serve(r);
	if (phase == PH_START)
		return;
	(void)rig_ask(r, &m);
	if (phase == PH_KEX)
		return;
	rig_sign(r);
	if (phase == PH_SESSION)
		log_in(r);
}

/* --- evil */

int
rig_push(int fd, const void *p, size_t len, unsigned nfds)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)(uintptr_t)p, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	AUTOCLOSE int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (nfds != 0) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
	}
	for (unsigned i = 0; i < nfds; i++)
		memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &null_fd,
		    sizeof(int));
	return sendmsg(fd, &hdr, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int
rig_push_msg(int fd, struct msg *m)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	msgfill_put_raw(m, &w);
	return rig_push(fd, w.p, w.len, 0);
}

struct msg
rig_msg(enum msg_id id)
{
	struct msg m = msgfill(id, MSGFILL_MIN);

	if (id == MSG_SESSION_START) {
		m.u.session_start.kind = SESSION_EXEC;
		m.u.session_start.command =
		    span_of(the_rig.command, strlen(the_rig.command));
	}
	return m;
}

/* --- the end */

static int
wait_for_end(pid_t pid)
{
	AUTOCLOSE int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfd = { fd, POLLIN, 0 };
	int status = -1;

	ck_assert_int_ge(fd, 0);
	if (poll(&pfd, 1, END_MS) != 1)
		(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void
read_log(struct rig *r)
{
	AUTOCLOSE int fd = open(the_rig.log, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, r->log, sizeof(r->log) - 1);

	ck_assert_int_ge(n, 0);
	r->log[n] = '\0';
}

static unsigned
count(const char *text, const char *word)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		n++;
	return n;
}

/* No answer carried a descriptor, and none said that there is a login. */
static void
check_answers(struct rig *r)
{
	struct msg m;

	while (!r->logged_in && chan_try_recv(&r->net, &m) == 0) {
		ck_assert_uint_eq(r->net.nfds, 0);
		ck_assert(m.id != MSG_SESSION_STARTED && m.id != MSG_PTY_REPLY);
		ck_assert(m.id != MSG_AUTH_RESULT ||
			  m.u.auth_result.verdict == VERDICT_DENIED);
	}
	while (r->sshd.fd >= 0 && chan_try_recv(&r->sshd, &m) == 0)
		ck_assert(m.id != MSG_LOGIN || r->logged_in);
}

static void
check_log(const struct rig *r, enum rig_end how)
{
	static const struct {
		enum rig_end how;
		const char *text;
	} lines[] = {
		{ RIG_BROKE, "broke the rules (" },
		{ RIG_GONE, "ended unexpectedly" },
	};

	for (size_t i = 0; i < nitems_of(lines); i++)
		ck_assert_msg(
		    count(r->log, lines[i].text) == (lines[i].how == how),
		    "log:\n%.2000s", r->log);
	ck_assert_msg(count(r->log, "Accepted ") == r->logged_in,
	    "log:\n%.2000s", r->log);
	ck_assert_msg(
	    r->logged_in || strstr(r->log, "Starting session") == NULL,
	    "log:\n%.2000s", r->log);
	/* No sanitizer's either. */
	ck_assert_msg(strstr(r->log, "ERROR: ") == NULL &&
			  strstr(r->log, "runtime error") == NULL,
	    "log:\n%.2000s", r->log);
}

/* What outlived the monitor is ours now; nothing of it may outlive the test. */
static void
kill_orphans(void)
{
	char list[1024] = "", path[64];
	char *p = list;
	FILE *f;

	snprintf(
	    path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	f = fopen(path, "re");
	if (f == NULL)
		return;
	(void)!fgets(list, sizeof(list), f);
	fclose(f);
	for (long pid = strtol(p, &p, 10); pid > 0; pid = strtol(p, &p, 10))
		(void)kill((pid_t)pid, SIGKILL);
}

/* Whether a descendant is left that does not end by itself. */
static bool
leaves_any(void)
{
	bool any = false;

	for (int ms = 0; waitpid(-1, NULL, WNOHANG) >= 0; ms += POLL_MS) {
		if (ms > END_MS) {
			any = true;
			kill_orphans();
		}
		(void)poll(NULL, 0, POLL_MS);
	}
	return any;
}

/*
 * What sshd learns of the end: who broke a rule is punished as for a crash,
 * who logged in for nothing, anybody else for what was not proved.
 */
static bool
is_due(const struct rig *r, enum rig_end how, int status)
{
	if (how == RIG_FATAL)
		return status == STATUS_FATAL;
	if (how == RIG_BROKE)
		return status == CONN_EXIT_OFFENCE + PENALTY_CRASH;
	if (r->logged_in)
		return status == 0;
	return status > CONN_EXIT_OFFENCE + PENALTY_CRASH &&
	       status < CONN_EXIT_OFFENCE + PENALTY_OFFENCES;
}

void
rig_ends_well(struct rig *r, enum rig_end how)
{
	int status = wait_for_end(r->pid);

	read_log(r);
	ck_assert_msg(WIFEXITED(status), "wait status %#x, log:\n%.2000s",
	    (unsigned)status, r->log);
	ck_assert_msg(is_due(r, how, WEXITSTATUS(status)),
	    "exit status %d, log:\n%.2000s", WEXITSTATUS(status), r->log);
	ck_assert_msg(
	    !leaves_any(), "a process outlives it, log:\n%.2000s", r->log);
	check_answers(r);
	check_log(r, how);
	ck_assert(r->logged_in || !rig_marked());
	chan_done(&r->net);
	chan_done(&r->sshd);
}

void
rig_hang_up(struct rig *r)
{
	chan_done(&r->net);
}

bool
rig_marked(void)
{
	return access(the_rig.marker, F_OK) == 0;
}

void
rig_wait_marked(void)
{
	for (int ms = 0; ms < END_MS && !rig_marked(); ms += POLL_MS)
		(void)poll(NULL, 0, POLL_MS);
	ck_assert(rig_marked());
}

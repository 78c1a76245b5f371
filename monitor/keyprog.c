/*
 * Programs that are asked about keys. Runs in sshd-monitor as root; the child
 * becomes another user before it runs a program that root alone could write.
 * Its arguments may hold what the client chose, so no shell sees them.
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base64.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/keyprog.h"
#include "monitor/token.h"
#include "monitor/userfile.h"
#include "monitor/userid.h"

#define PROGRAM_PATH "PATH=/usr/bin:/bin:/usr/sbin:/sbin"
#define EXIT_NOT_RUN 127
#define ENV_COUNT 4
#define ENV_LEN 512

/* --- what to run */

/* The texts behind the tokens; owned. */
struct facts {
	char uid[24];
	char serial[24];
	char connection[CONN_ENDS_MAX];
	char *key_text;
	char *key_id;
	char *ca_text;
	char *ca_print;
};

static void
facts_done(struct facts *f)
{
	free(f->key_text);
	free(f->key_id);
	free(f->ca_text);
	free(f->ca_print);
}

static int
facts_of_ca(const struct keyfile_question *q, struct facts *f)
{
	const struct cert *cert = q->key->cert;
	enum key_hash hash = (enum key_hash)q->conn->options.fingerprint_hash;
	int rc;

	snprintf(f->serial, sizeof(f->serial), "%llu",
	    (unsigned long long)cert->serial);
	f->key_id = strndup((const char *)cert->key_id.p, cert->key_id.len);
	rc = key_fingerprint(cert->ca, hash, &f->ca_print);
	if (rc == 0)
		rc = base64_encode(
		    key_blob(cert->ca), BASE64_PADDED, &f->ca_text);
	return f->key_id == NULL ? -ENOMEM : rc;
}

static int
facts_find(const struct keyfile_question *q, struct facts *f)
{
	const struct conn *c = q->conn;
	int rc;

	snprintf(f->uid, sizeof(f->uid), "%lu", (unsigned long)c->account.uid);
	snprintf(f->connection, sizeof(f->connection), "%s %u %s %u", c->laddr,
	    c->lport, c->addr, c->port);
	rc = base64_encode(userkey_blob(q->key), BASE64_PADDED, &f->key_text);
	return rc == 0 && q->key->cert != NULL ? facts_of_ca(q, f) : rc;
}

/* Each word of the command, with its tokens filled in. */
static int
fill_words(const struct keyfile_question *q, const struct words *words,
    struct words *out_argv)
{
	AUTO(facts_done) struct facts f = { .key_text = NULL };
	const struct conn *c = q->conn;
	const struct account *a = &c->account;
	const struct cert *cert = q->key->cert;
	int rc = facts_find(q, &f);
	const struct token tokens[] = {
		{ 'C', f.connection },
		{ 'D', c->rdomain },
		{ 'F', f.ca_print },
		{ 'K', f.ca_text },
		{ 'T', cert != NULL ? key_kind(cert->ca)->name : NULL },
		{ 'U', f.uid },
		{ 'f', q->key->print },
		{ 'h', a->home },
		{ 'i', f.key_id },
		{ 'k', f.key_text },
		{ 's', f.serial },
		{ 't', userkey_type(q->key) },
		{ 'u', a->name },
	};

	for (size_t i = 0; i < words->n && rc == 0; i++) {
		AUTOFREE char *word = NULL;

		rc =
		    token_expand(words->v[i], tokens, nitems_of(tokens), &word);
		if (rc == 0)
			rc = words_add(out_argv, word);
	}
	/* As OpenSSH: without arguments it gets the user's name. */
	if (rc == 0 && words->n == 1)
		rc = words_add(out_argv, a->name);
	return rc;
}

static int
make_argv(const struct keyfile_question *q, const struct keyprog *p,
    struct words *out_argv)
{
	AUTO(lex_line_done) struct lex_line line = { .keyword = NULL };
	AUTOFREE char *text = NULL;
	const char *why;
	int n = asprintf(&text, "%s %s", p->keyword, p->command);

	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	if (lex_split(span_of(text, (size_t)n), &line, &why) != 0 ||
	    line.words.n == 0)
		return -EINVAL;
	return fill_words(q, &line.words, out_argv);
}

/* Root's, in directories of root's: nobody else can have put it there. */
static int
check_program(const char *path)
{
	AUTOCLOSE int fd = open(path, O_PATH | O_CLOEXEC);
	char why[USERFILE_WHY_MAX];
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return -ENOEXEC;
	return userfile_check_modes(fd, path, 0, "/", why);
}

/*
 * Run what was looked at: by its own path, without a link that somebody could
 * turn elsewhere in the meantime.
 */
static int
resolve_program(struct words *argv)
{
	char *real = realpath(argv->v[0], NULL);

	if (real == NULL)
		return -errno;
	free(argv->v[0]);
	argv->v[0] = real;
	return check_program(real);
}

/* --- the child */

static void __attribute__((noreturn))
run_child(const struct account *a, const struct words *argv, int out_fd)
{
	char env[ENV_COUNT][ENV_LEN] = { PROGRAM_PATH };
	char *envp[ENV_COUNT + 1] = { env[0], env[1], env[2], env[3], NULL };
	AUTOFREE char **args = calloc(argv->n + 1, sizeof(*args));
	int null_fd = open("/dev/null", O_RDWR);
	sigset_t none;

	snprintf(env[1], ENV_LEN, "USER=%s", a->name);
	snprintf(env[2], ENV_LEN, "LOGNAME=%s", a->name);
	snprintf(env[3], ENV_LEN, "HOME=%s", a->home);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (args == NULL || null_fd < 0 || setsid() < 0 ||
	    dup2(null_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(null_fd, 2) < 0)
		_exit(EXIT_NOT_RUN);
	closefrom(3);
	if (userid_groups(a) != 0 || userid_become(a) != 0)
		_exit(EXIT_NOT_RUN);
	/* It has no use without us; the call before would have undone it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	memcpy(args, argv->v, argv->n * sizeof(*args));
	execve(args[0], args, envp);
	_exit(EXIT_NOT_RUN);
}

/* --- its output and its end */

/* Its own end is a signal, and no end of the wait: somebody else may hold its
 * output, and have more to say. */
static bool
wait_for(int fd, int64_t until)
{
	struct pollfd pfd = { fd, POLLIN, 0 };
	int64_t left;
	int n;

	do {
		left = until - clock_ms();
		n = left > 0 ? poll(&pfd, 1, (int)left) : 0;
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

static int
read_output(int fd, int64_t until, struct writer *out)
{
	uint8_t buf[8192];
	ssize_t n;

	for (;;) {
		if (!wait_for(fd, until))
			return -ETIMEDOUT;
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			return n < 0 ? -errno : writer_end(out);
		if (out->len + (size_t)n > KEYPROG_OUTPUT_MAX)
			return -EFBIG;
		writer_bytes(out, buf, (size_t)n);
	}
}

/* 0: it has printed all it had to say, and ended well, in time. */
static int
collect(pid_t pid, int fd, struct writer *out)
{
	int64_t until = clock_ms() + KEYPROG_SECONDS * 1000;
	AUTOCLOSE int pid_fd = pidfd_open(pid, 0);
	int rc = pid_fd < 0 ? -errno : read_output(fd, until, out);
	int status = -1;

	if (rc == 0 && !wait_for(pid_fd, until))
		rc = -ETIMEDOUT;
	if (rc != 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		rc = -ECHILD;
	return rc;
}

static int
start(const struct account *a, const struct words *argv, pid_t *out_pid)
{
	AUTOCLOSE int write_fd = -1;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	write_fd = fds[1];
	pid = fork();
	if (pid == 0)
		run_child(a, argv, write_fd);
	if (pid < 0) {
		int rc = -errno;

		close(fds[0]);
		return rc;
	}
	*out_pid = pid;
	return fds[0];
}

static int
run_as(const struct account *a, const struct words *argv, struct writer *out)
{
	AUTOCLOSE int fd = -1;
	pid_t pid;

	fd = start(a, argv, &pid);
	return fd < 0 ? fd : collect(pid, fd, out);
}

static const char *
why_not(int rc)
{
	switch (rc) {
	case -EPERM:
		return "it, or a directory above it, is not root's alone to "
		       "write";
	case -ETIMEDOUT:
		return "it took more than 30 seconds";
	case -EFBIG:
		return "it printed more than 1 MiB";
	case -ECHILD:
		return "it failed";
	default:
		return err_str(rc);
	}
}

int
keyprog_run(const struct keyfile_question *q, const struct keyprog *p,
    struct writer *out)
{
	AUTO(words_done) struct words argv = { NULL, 0 };
	AUTO(account_done) struct account a = { .exists = false };
	const struct token user = { 'u', q->conn->account.name };
	AUTOFREE char *name = NULL;
	int rc;

	rc = p->user != NULL ? token_expand(p->user, &user, 1, &name) : -EINVAL;
	if (rc == 0)
		rc = account_find(name, &a);
	if (rc != 0 || !a.exists) {
		log_error("%sUser \"%s\" not found", p->keyword,
		    p->user != NULL ? p->user : "");
		return -ENOENT;
	}
	rc = make_argv(q, p, &argv);
	if (rc == 0)
		rc = resolve_program(&argv);
	if (rc == 0)
		rc = run_as(&a, &argv, out);
	if (rc != 0)
		log_error("%s %s is not used: %s", p->keyword,
		    argv.n != 0 ? argv.v[0] : p->command, why_not(rc));
	return rc;
}

int
keyprog_may(const struct keyfile_question *q, struct authkeys_opts *out_opts)
{
	const struct options *o = &q->conn->options;
	const struct keyprog prog = { "AuthorizedKeysCommand",
		o->authorized_keys_command, o->authorized_keys_command_user };
	AUTO(writer_done) struct writer text = WRITER_INIT;

	if (prog.command == NULL || keyprog_run(q, &prog, &text) != 0)
		return -ENOKEY;
	return keyfile_may_text(
	    q, span_of(text.p, text.len), prog.keyword, out_opts);
}

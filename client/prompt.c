/*
 * Asking for secrets. Runs as the user; an answer lives as short as can be,
 * and is never in a command line, a variable or a log.
 */
#include "config.h"

#include <fcntl.h>
#include <readpassphrase.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <vis.h>

#include "client/prompt.h"
#include "common/err.h"
#include "common/own.h"

#define QUESTION_MAX 2048 /* bytes that are shown of a question */

void
prompt_done(char **answer)
{
	if (*answer == NULL)
		return;
	explicit_bzero(*answer, PROMPT_ANSWER_MAX);
	free(*answer);
	*answer = NULL;
}

/* SSH_ASKPASS's rules, ssh(1) ENVIRONMENT. */
enum askpass {
	ASKPASS_NEVER,
	ASKPASS_FALLBACK,
	ASKPASS_FIRST
};

static enum askpass
askpass_rule(void)
{
	const char *require = getenv("SSH_ASKPASS_REQUIRE");

	if (require != NULL && strcasecmp(require, "never") == 0)
		return ASKPASS_NEVER;
	if (require != NULL && (strcasecmp(require, "force") == 0 ||
				   strcasecmp(require, "prefer") == 0))
		return ASKPASS_FIRST;
	if (getenv("DISPLAY") == NULL && getenv("WAYLAND_DISPLAY") == NULL)
		return ASKPASS_NEVER;
	return ASKPASS_FALLBACK;
}

/* In the child. */
static void __attribute__((noreturn))
run_askpass(int out_fd, const char *program, const char *question)
{
	signal(SIGPIPE, SIG_DFL);
	if (dup2(out_fd, STDOUT_FILENO) < 0)
		_exit(126);
	execlp(program, program, question, (char *)NULL);
	_exit(127);
}

/* Read the answer's line into buf. */
static void
read_answer(int fd, char buf[PROMPT_ANSWER_MAX])
{
	size_t len = 0;

	while (len < PROMPT_ANSWER_MAX - 1) {
		ssize_t n = read(fd, buf + len, PROMPT_ANSWER_MAX - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	buf[strcspn(buf, "\r\n")] = '\0';
}

static int
by_askpass(const char *question, char buf[PROMPT_ANSWER_MAX])
{
	const char *program = getenv("SSH_ASKPASS");
	AUTOCLOSE int in = -1, out = -1;
	int pair[2], status = 0;
	pid_t pid;

	if (program == NULL || *program == '\0')
		return -ENOTTY;
	if (pipe2(pair, O_CLOEXEC) != 0)
		return -errno;
	in = pair[0];
	out = pair[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_askpass(out, program, question);
	own_close(&out);
	out = -1;
	read_answer(in, buf);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECANCELED;
}

static int
by_terminal(const char *question, bool echo, char buf[PROMPT_ANSWER_MAX])
{
	int flags = RPP_REQUIRE_TTY | (echo ? RPP_ECHO_ON : RPP_ECHO_OFF);

	if (readpassphrase(question, buf, PROMPT_ANSWER_MAX, flags) != NULL)
		return 0;
	return errno == ENOTTY || errno == ENXIO ? -ENOTTY : -ECANCELED;
}

int
prompt_ask(const char *question, bool echo, char **out_answer)
{
	char cut[QUESTION_MAX], safe[QUESTION_MAX * 4 + 1];
	AUTO(prompt_done) char *buf = calloc(1, PROMPT_ANSWER_MAX);
	enum askpass rule = askpass_rule();
	int rc = -ENOTTY;

	if (buf == NULL)
		return -ENOMEM;
	strlcpy(cut, question, sizeof(cut));
	strvis(safe, cut, VIS_OCTAL | VIS_NOSLASH);
	if (rule != ASKPASS_FIRST)
		rc = by_terminal(safe, echo, buf);
	if (rc == -ENOTTY && rule != ASKPASS_NEVER)
		rc = by_askpass(safe, buf);
	if (rc != 0)
		return rc;
	*out_answer = take_ptr(&buf);
	return 0;
}

bool
prompt_confirm(const char *question)
{
	AUTO(prompt_done) char *answer = NULL;

	return prompt_ask(question, true, &answer) == 0 &&
	       strcasecmp(answer, "yes") == 0;
}

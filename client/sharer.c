/*
 * A session over somebody else's connection: the terminal and the standard
 * descriptors stay with this process, pipes go to the master. Runs as the
 * user, as the master does.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/connect_impl.h"
#include "client/file.h"
#include "client/forward.h"
#include "client/front.h"
#include "client/mux.h"
#include "client/pump.h"
#include "client/sharer.h"
#include "client/stdio.h"
#include "client/tty.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define DEFAULT_PATH "~/.ssh/control/%C"

struct sharer {
	struct client *client;
	struct shell_job *job;
	int fd; /* of the master */
	struct loop *loop;
	struct watch watch;
	struct front front;
	struct pump pumps[MUX_FDS]; /* stdin, stdout, stderr */
	bool tty;
	bool opened;
	bool ended; /* the master has said how */
	bool over;
	int status;
};

char *
sharer_path(const struct client *c, int *out_rc)
{
	const char *said = sshconf_text(c->conf, KW_CONTROL_PATH);
	AUTOFREE char *path = NULL;
	char why[EXPAND_WHY_MAX], cwd[PATH_MAX], *whole = NULL;

	*out_rc = 0;
	if (said == NULL &&
	    (sshconf_is_set(c->conf, KW_CONTROL_PATH) ||
		sshconf_number(c->conf, KW_CONTROL_MASTER) == MASTER_NO))
		return NULL;
	*out_rc = expand_path(
	    &c->expand, said != NULL ? said : DEFAULT_PATH, why, &path);
	if (*out_rc != 0) {
		log_error("ControlPath: %s",
		    *out_rc == -EBADMSG ? why : err_str(*out_rc));
		return NULL;
	}
	if (said == NULL)
		(void)file_make_parent(path);
	if (*path == '/')
		return take_ptr(&path);
	if (getcwd(cwd, sizeof(cwd)) == NULL ||
	    asprintf(&whole, "%s/%s", cwd, path) < 0)
		return NULL;
	return whole;
}

bool
sharer_is_master(const struct client *c)
{
	return sshconf_number(c->conf, KW_CONTROL_MASTER) != MASTER_NO;
}

int
sharer_reach(const struct client *c, const char *path)
{
	long master = sshconf_number(c->conf, KW_CONTROL_MASTER);
	uint32_t pid;
	int fd;

	if (path == NULL || master == MASTER_YES || master == MASTER_ASK)
		return -1;
	fd = mux_connect(path, &pid);
	if (fd < 0 && fd != -ENOENT)
		log_debug("ControlPath %s: %s", path, err_str(fd));
	return fd < 0 ? -1 : fd;
}

/* --- what the master says */

static void
take_message(struct sharer *s, struct mux_msg *m)
{
	switch (m->type) {
	case MUX_OPENED:
		s->opened = true;
		if (s->tty && m->a == 0)
			front_start(&s->front);
		break;
	case MUX_EXIT:
		s->ended = true;
		s->status = (int)(m->a & 0xff);
		if (*m->text != '\0')
			log_info("The remote command was ended by signal "
				 "SIG%s",
			    m->text);
		break;
	case MUX_FAIL:
		s->ended = s->over = true;
		s->status = EXIT_OURS;
		log_error("%s", m->text);
		break;
	default:
		break;
	}
}

static void
on_master(void *arg, uint32_t events)
{
	AUTO(mux_msg_done) struct mux_msg m = { .nfds = 0 };
	struct sharer *s = arg;
	int rc = mux_recv(s->fd, &m);

	(void)events;
	if (rc == -EAGAIN)
		return;
	if (rc == 0) {
		take_message(s, &m);
		return;
	}
	/* After MUX_EXIT the master hangs up: what is in the pipes remains. */
	loop_unwatch(s->loop, &s->watch);
	if (s->ended)
		return;
	s->over = true;
	s->status = EXIT_OURS;
	log_error("Shared connection to %s lost.", client_host(s->client));
}

/* Ask, and wait for the answer; what comes in between is not lost. */
static int
ask(struct sharer *s, const struct mux_msg *m, struct mux_msg *out_answer)
{
	int flags = fcntl(s->fd, F_GETFL), rc;

	rc = mux_send(s->fd, m);
	(void)fcntl(s->fd, F_SETFL, flags & ~O_NONBLOCK);
	while (rc == 0) {
		struct mux_msg answer = { .nfds = 0 };

		rc = mux_recv(s->fd, &answer);
		if (rc == 0 && (answer.type == MUX_OK ||
				   (answer.type == MUX_FAIL && !s->over))) {
			*out_answer = answer;
			break;
		}
		if (rc == 0)
			take_message(s, &answer);
		mux_msg_done(&answer);
	}
	(void)fcntl(s->fd, F_SETFL, flags);
	return rc;
}

/* --- what the front asks for */

static void
on_disconnect(void *arg)
{
	struct sharer *s = arg;

	s->over = true;
	s->status = EXIT_OURS;
}

static void
on_resize(void *arg, int cols, int rows)
{
	struct sharer *s = arg;
	const struct mux_msg m = {
		.type = MUX_RESIZE, .b = (uint32_t)cols, .c = (uint32_t)rows
	};

	(void)mux_send(s->fd, &m);
}

static void
on_break(void *arg)
{
	struct sharer *s = arg;
	const struct mux_msg m = { .type = MUX_BREAK };

	(void)mux_send(s->fd, &m);
}

static void
on_list(void *arg, const char *line_end, FILE *out)
{
	AUTO(mux_msg_done) struct mux_msg answer = { .nfds = 0 };
	struct sharer *s = arg;
	const struct mux_msg m = { .type = MUX_STATS,
		.text = (char *)(uintptr_t)line_end };

	if (ask(s, &m, &answer) == 0)
		fputs(answer.text, out);
}

static char *
forward(struct sharer *s, enum mux_type type, enum forward_kind kind,
    const char *spec)
{
	AUTO(mux_msg_done) struct mux_msg answer = { .nfds = 0 };
	const struct mux_msg m = {
		.type = type, .a = kind, .text = (char *)(uintptr_t)spec
	};

	if (ask(s, &m, &answer) != 0)
		return strdup("the master does not answer");
	if (answer.type == MUX_FAIL)
		return take_ptr(&answer.text);
	if (answer.a == 0 || kind != FORWARD_REMOTE)
		return NULL;
	if (s->job == NULL) /* -O: scripts read it */
		printf("%u\n", answer.a);
	else
		log_info("Allocated port %u for remote forward", answer.a);
	return NULL;
}

static char *
on_forward(void *arg, const struct shell_change *change)
{
	return forward(arg, change->cancel ? MUX_CANCEL : MUX_FORWARD,
	    change->kind, change->spec);
}

static char *
on_command(void *arg, const char *line)
{
	return shell_command_line(line, on_forward, arg);
}

static const struct front_ops front_ops = {
	.disconnect = on_disconnect,
	.resize = on_resize,
	.send_break = on_break,
	.list = on_list,
	.command = on_command,
};

/* --- starting */

/* What the configuration wants forwarded, over the shared connection. */
static int
add_forwards(struct sharer *s)
{
	struct sshconf *conf = s->client->conf;
	bool failed = shell_each_forward(s->client, on_forward, s);

	if (!failed || !sshconf_flag(conf, KW_EXIT_ON_FORWARD_FAILURE))
		return 0;
	log_error("Could not request all forwardings.");
	return -EACCES;
}

/* Three pipes: ours do not block; the master's are in theirs. */
static int
make_pipes(int ours[MUX_FDS], int theirs[MUX_FDS])
{
	for (int i = 0; i < MUX_FDS; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) != 0)
			return -errno;
		/* stdin is written by us, the others are read */
		ours[i] = pair[i == 0 ? 1 : 0];
		theirs[i] = pair[i == 0 ? 0 : 1];
		(void)fcntl(ours[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

static int
request(struct sharer *s, const int fds[MUX_FDS])
{
	struct session_spec *spec = &s->job->spec;
	struct mux_msg m = {
		.type = MUX_SESSION,
		.a = (spec->tty ? MUX_TTY : 0) |
		     (spec->subsystem ? MUX_SUBSYSTEM : 0) |
		     (spec->agent ? MUX_AGENT : 0) |
		     (spec->command != NULL ? MUX_COMMAND : 0),
		.b = (uint32_t)spec->cols,
		.c = (uint32_t)spec->rows,
		.text = spec->term,
		.more = spec->command,
		.list = spec->env,
		.nfds = MUX_FDS,
	};
	AUTOFREE char *host = NULL;
	int port, rc = 0;

	memcpy(m.fds, fds, sizeof(m.fds));
	if (s->job->to != NULL) {
		rc = forward_parse_host(s->job->to, &host, &port);
		if (rc != 0)
			log_error("-W %s: it is host:port", s->job->to);
		m.type = MUX_DIRECT;
		m.text = host;
		m.a = (uint32_t)port;
	}
	return rc == 0 ? mux_send(s->fd, &m) : rc;
}

static size_t
on_input(void *arg, const uint8_t *in, size_t len, uint8_t *out)
{
	struct sharer *s = arg;

	return front_filter(&s->front, in, len, out);
}

static int
start(struct sharer *s)
{
	int std[MUX_FDS], ours[MUX_FDS], theirs[MUX_FDS];
	int rc = stdio_open(std, s->job->null_in);

	if (rc == 0)
		rc = make_pipes(ours, theirs);
	if (rc == 0)
		rc = request(s, theirs);
	if (rc != 0)
		return rc;
	for (int i = 0; i < MUX_FDS; i++) {
		s->pumps[i].loop = s->loop;
		close(theirs[i]);
	}
	if (s->tty && s->front.escape.character >= 0) {
		s->pumps[0].filter = on_input;
		s->pumps[0].arg = s;
	}
	rc = pump_start(&s->pumps[0], std[0], ours[0]);
	for (int i = 1; i < MUX_FDS && rc == 0; i++)
		rc = pump_start(&s->pumps[i], ours[i], std[i]);
	return rc;
}

static int
setup(struct sharer *s)
{
	struct sshconf *conf = s->client->conf;
	int rc;

	s->loop = loop_new();
	if (s->loop == NULL)
		return -ENOMEM;
	s->tty = s->job->spec.tty && isatty(STDIN_FILENO) != 0;
	s->front.tty = s->tty;
	s->front.command_line = sshconf_flag(conf, KW_ESCAPE_COMMANDLINE);
	if (escape_init(&s->front.escape, sshconf_text(conf, KW_ESCAPE_CHAR)) !=
	    0)
		return -EBADMSG;
	rc = add_forwards(s);
	if (rc == 0 && s->job->background)
		rc = shell_background();
	if (rc == 0)
		rc = front_init(&s->front, s->loop, &front_ops, s);
	if (rc == 0 && !(s->job->no_session && s->job->to == NULL))
		rc = start(s);
	s->watch = (struct watch){ .fd = s->fd, .fn = on_master, .arg = s };
	if (rc == 0 && fcntl(s->fd, F_SETFL, O_NONBLOCK) != 0)
		rc = -errno;
	return rc == 0 ? loop_watch(s->loop, &s->watch, EPOLLIN) : rc;
}

static bool
is_done(const struct sharer *s)
{
	return s->over || (s->ended && pump_is_done(&s->pumps[1]) &&
			      pump_is_done(&s->pumps[2]));
}

static void
sharer_done(struct sharer *s)
{
	front_stop(&s->front);
	for (int i = 0; i < MUX_FDS; i++)
		pump_stop(&s->pumps[i]);
	stdio_restore();
	own_close(&s->fd);
	loop_free(s->loop);
}

static int
run_whole(struct client *c, struct shell_job *job, int fd, int *out_signal)
{
	AUTO(sharer_done)
	struct sharer s = { .client = c, .job = job, .fd = fd };
	int rc;

	s.status = EXIT_OURS;
	rc = setup(&s);
	if (rc != 0) {
		log_error("the shared connection: %s", err_str(rc));
		return EXIT_OURS;
	}
	while (!is_done(&s))
		if (loop_run_once(s.loop, -1) != 0)
			break;
	front_stop(&s.front);
	if (s.tty)
		log_info("Shared connection to %s closed.", client_host(c));
	*out_signal = s.tty ? 0 : s.front.signal;
	return s.status;
}

int
sharer_run(struct client *c, struct shell_job *job, int fd)
{
	int number = 0;
	int status = run_whole(c, job, fd, &number);

	if (number != 0)
		shell_die(number);
	return status;
}

/* --- -O */

const char sharer_commands[] =
    "check, forward, cancel, stats, json, stop, exit";

static int
say_check(struct sharer *s)
{
	AUTO(mux_msg_done) struct mux_msg answer = { .nfds = 0 };
	const struct mux_msg m = { .type = MUX_CHECK };

	if (ask(s, &m, &answer) != 0)
		return EXIT_OURS;
	fprintf(stderr, "Master running (pid=%u)\n", answer.a);
	return 0;
}

static int
say_stats(struct sharer *s, bool json)
{
	AUTO(mux_msg_done) struct mux_msg answer = { .nfds = 0 };
	const struct mux_msg m = {
		.type = MUX_STATS, .a = json, .text = (char *)(uintptr_t) "\n"
	};

	if (ask(s, &m, &answer) != 0)
		return EXIT_OURS;
	fputs(answer.text, stdout);
	return 0;
}

static int
do_stats(struct sharer *s)
{
	return say_stats(s, false);
}

static int
do_json(struct sharer *s)
{
	return say_stats(s, true);
}

static int
do_forward(struct sharer *s)
{
	return shell_each_forward(s->client, on_forward, s) ? EXIT_OURS : 0;
}

static char *
on_cancel(void *arg, const struct shell_change *change)
{
	return forward(arg, MUX_CANCEL, change->kind, change->spec);
}

static int
do_cancel(struct sharer *s)
{
	return shell_each_forward(s->client, on_cancel, s) ? EXIT_OURS : 0;
}

static int
do_end(struct sharer *s, enum mux_type type, const char *said)
{
	AUTO(mux_msg_done) struct mux_msg answer = { .nfds = 0 };
	const struct mux_msg m = { .type = type };

	if (ask(s, &m, &answer) != 0)
		return EXIT_OURS;
	fprintf(stderr, "%s\n", said);
	return 0;
}

static int
do_stop(struct sharer *s)
{
	return do_end(s, MUX_STOP, "Stop listening request sent.");
}

static int
do_exit(struct sharer *s)
{
	return do_end(s, MUX_QUIT, "Exit request sent.");
}

static const struct {
	const char *name;
	int (*run)(struct sharer *s);
} controls[] = {
	{ "check", say_check },
	{ "forward", do_forward },
	{ "cancel", do_cancel },
	{ "stats", do_stats },
	{ "json", do_json },
	{ "stop", do_stop },
	{ "exit", do_exit },
};

bool
sharer_knows(const char *command)
{
	for (size_t i = 0; i < nitems_of(controls); i++)
		if (strcmp(command, controls[i].name) == 0)
			return true;
	return false;
}

int
sharer_control(struct client *c, const char *path, const char *command)
{
	struct sharer s = { .client = c };
	uint32_t pid;
	int status = EXIT_OURS;

	if (path == NULL) {
		log_error("No ControlPath specified for \"-O\" command");
		return EXIT_OURS;
	}
	s.fd = mux_connect(path, &pid);
	if (s.fd < 0) {
		log_error(
		    "Control socket connect(%s): %s", path, err_str(s.fd));
		return EXIT_OURS;
	}
	for (size_t i = 0; i < nitems_of(controls); i++)
		if (strcmp(command, controls[i].name) == 0)
			status = controls[i].run(&s);
	close(s.fd);
	return status;
}

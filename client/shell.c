/*
 * One session over one connection. Runs as the user.
 */
#include "config.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>

#include "client/command.h"
#include "client/connect_impl.h"
#include "client/forward.h"
#include "client/front.h"
#include "client/identity.h"
#include "client/shell.h"
#include "client/stdio.h"
#include "client/tty.h"
#include "client/x11.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

struct shell {
	struct client *client;
	struct shell_job *job;
	struct loop *loop;
	struct trunk trunk;
	struct forwards *forwards;
	struct front front;
	struct x11 *x11; /* the display that is lent, or NULL */
	struct session *session;
	struct flow *flow; /* of the session or of -W; NULL: it has ended */
	bool over;
	bool tty;
	int status;
	char *to_host; /* -W */
	int to_port;
};

/* --- forwardings */

bool
shell_wants_agent(const struct sshconf *conf)
{
	const char *said = sshconf_text(conf, KW_FORWARD_AGENT);

	return strcasecmp(said, "no") != 0 && strcasecmp(said, "false") != 0;
}

/* The agent's socket, owned; NULL: there is none to forward. */
static int
find_agent(const struct client *c, char **out_path)
{
	const char *said = sshconf_text(c->conf, KW_FORWARD_AGENT);
	AUTOFREE char *path = NULL;
	char why[EXPAND_WHY_MAX] = "it is yes, no, a path or $VARIABLE";
	int rc = 0;

	*out_path = NULL;
	/* A host whose key changed gets nothing of ours to use. */
	if (!shell_wants_agent(c->conf) || c->doubtful)
		return 0;
	if (strcasecmp(said, "yes") == 0 || strcasecmp(said, "true") == 0) {
		*out_path = identity_agent_path(c);
		return 0;
	}
	if (*said == '$' && said[1] != '{') {
		said = getenv(said + 1);
		if (said == NULL || *said == '\0')
			return 0;
		path = strdup(said);
		rc = path != NULL ? 0 : -ENOMEM;
	} else {
		rc = expand_path(&c->expand, said, why, &path);
	}
	if (rc == 0 && *path != '/')
		rc = -EBADMSG;
	if (rc == 0)
		*out_path = take_ptr(&path);
	else
		log_error(
		    "ForwardAgent: %s", rc == -ENOMEM ? err_str(rc) : why);
	return rc;
}

int
shell_rules(const struct client *c, struct forward_rules *out, char **out_agent)
{
	unsigned mask = 0;
	int rc = sshconf_mask(sshconf_text(c->conf, KW_STREAM_MASK), &mask);

	if (rc == 0)
		rc = find_agent(c, out_agent);
	if (rc != 0)
		return rc;
	*out = (struct forward_rules){
		.gateway = sshconf_flag(c->conf, KW_GATEWAY_PORTS),
		.unlink = sshconf_flag(c->conf, KW_STREAM_UNLINK),
		.mask = mask,
		.agent = *out_agent,
		.remote_open = sshconf_list(c->conf, KW_PERMIT_REMOTE_OPEN),
	};
	return 0;
}

bool
shell_each_forward(struct client *c, shell_change_fn *fn, void *arg)
{
	static const struct {
		enum keyword kw;
		enum forward_kind kind;
	} lists[] = {
		{ KW_LOCAL_FORWARD, FORWARD_LOCAL },
		{ KW_REMOTE_FORWARD, FORWARD_REMOTE },
		{ KW_DYNAMIC_FORWARD, FORWARD_DYNAMIC },
	};
	bool failed = false;

	if (c->doubtful || sshconf_flag(c->conf, KW_CLEAR_FORWARDINGS))
		return false;
	for (size_t l = 0; l < nitems_of(lists); l++) {
		const struct words *w = sshconf_list(c->conf, lists[l].kw);

		for (size_t i = 0; i < w->n; i++) {
			const struct shell_change change = {
				.kind = lists[l].kind, .spec = w->v[i]
			};
			AUTOFREE char *why = fn(arg, &change);

			if (why != NULL)
				log_error("%s", why);
			failed = failed || why != NULL;
		}
	}
	return failed;
}

/* -L, -R and -D, and with K in front what ends them. */
char *
shell_command_line(const char *line, shell_change_fn *fn, void *arg)
{
	static const struct {
		char letter;
		enum forward_kind kind;
	} kinds[] = { { 'L', FORWARD_LOCAL }, { 'R', FORWARD_REMOTE },
		{ 'D', FORWARD_DYNAMIC } };
	struct shell_change change = { .cancel = false };

	while (isspace((unsigned char)*line) || *line == '-')
		line++;
	change.cancel = *line == 'K' || *line == 'k';
	line += change.cancel;
	for (size_t i = 0; i < nitems_of(kinds); i++) {
		if (toupper((unsigned char)*line) != kinds[i].letter)
			continue;
		change.kind = kinds[i].kind;
		change.spec = line + 1;
		while (isspace((unsigned char)*change.spec))
			change.spec++;
		return fn(arg, &change);
	}
	return strdup("Commands: -L[bind:]port:host:port, "
		      "-R[bind:]port:host:port, -D[bind:]port, and -KL, -KR, "
		      "-KD with [bind:]port to end one");
}

static char *
on_change(void *arg, const struct shell_change *change)
{
	struct shell *s = arg;
	char why[FORWARD_WHY_MAX];
	int port, rc;

	rc = change->cancel
		 ? forwards_cancel(s->forwards, change->kind, change->spec, why)
		 : forwards_add(
		       s->forwards, change->kind, change->spec, &port, why);
	return rc == 0 ? NULL : strdup(why);
}

static int
add_forwards(struct shell *s)
{
	if (!shell_each_forward(s->client, on_change, s) ||
	    !sshconf_flag(s->client->conf, KW_EXIT_ON_FORWARD_FAILURE))
		return 0;
	log_error("Could not request all forwardings.");
	return -EACCES;
}

/* --- what the front asks for */

static void
on_disconnect(void *arg)
{
	struct shell *s = arg;

	s->over = true;
	s->status = EXIT_OURS;
}

static void
on_resize(void *arg, int cols, int rows)
{
	struct shell *s = arg;

	if (s->session != NULL)
		session_resize(s->session, cols, rows);
}

static void
on_break(void *arg)
{
	struct shell *s = arg;

	if (s->session != NULL)
		session_break(s->session);
}

static void
on_list(void *arg, const char *line_end, FILE *out)
{
	struct shell *s = arg;

	forwards_list(s->forwards, line_end, out);
}

static char *
on_command(void *arg, const char *line)
{
	struct shell *s = arg;

	return shell_command_line(line, on_change, s);
}

static void
on_background(void *arg)
{
	struct shell *s = arg;
	pid_t pid = fork();

	if (pid > 0)
		_exit(0);
	if (pid < 0) {
		log_error("fork: %s", err_str(-errno));
		return;
	}
	(void)setsid();
	/* The session's shell gets an end of file; connections go on. */
	if (s->flow != NULL)
		s->flow->source.ended = true;
}

static const struct front_ops front_ops = {
	.disconnect = on_disconnect,
	.resize = on_resize,
	.send_break = on_break,
	.list = on_list,
	.command = on_command,
	.background = on_background,
};

/* --- the session's flow */

static size_t
on_input(struct flow *f, const uint8_t *in, size_t len, uint8_t *out)
{
	struct shell *s = ((struct session *)f->arg)->arg;

	return front_filter(&s->front, in, len, out);
}

static void
on_opened(struct flow *f)
{
	struct session *session = f->arg;
	struct shell *s = session->arg;

	if (s->tty && !session->tty_refused)
		front_start(&s->front);
}

static void
end(struct shell *s, const struct flow *f)
{
	s->flow = NULL;
	s->over = true;
	if (!f->open) {
		log_error("%s", *f->why != '\0' ? f->why : "refused");
		s->status = EXIT_OURS;
	} else if (f->exit_signal[0] != '\0') {
		log_info("The remote command was ended by signal SIG%s",
		    f->exit_signal);
		s->status = EXIT_OURS;
	} else {
		s->status = f->exited ? f->exit_status : EXIT_OURS;
	}
}

static void
on_ended(struct flow *f)
{
	struct session *session = f->arg;
	struct shell *s = session->arg;

	end(s, f);
	s->session = NULL;
	session_free(session);
}

static const struct flow_ops terminal_ops = {
	.setup = session_setup,
	.opened = on_opened,
	.filter = on_input,
	.ended = on_ended,
};
static const struct flow_ops plain_ops = {
	.setup = session_setup,
	.opened = on_opened,
	.ended = on_ended,
};

static int
start_session(struct shell *s, const int fds[3])
{
	bool escapes = s->tty && s->front.escape.character >= 0;

	s->session = session_new(
	    &s->trunk, escapes ? &terminal_ops : &plain_ops, &s->job->spec, s);
	if (s->session == NULL)
		return -ENOMEM;
	s->flow = s->session->flow;
	flow_stdio(s->flow, fds, false);
	return 0;
}

/* --- -W */

static int
direct_setup(struct flow *f)
{
	struct shell *s = f->arg;

	return forward_open(f, s->to_host, s->to_port);
}

static void
direct_ended(struct flow *f)
{
	struct shell *s = f->arg;

	end(s, f);
	if (f->open)
		s->status = 0;
}

static const struct flow_ops direct_ops = {
	.setup = direct_setup,
	.ended = direct_ended,
};

static int
start_direct(struct shell *s, const int fds[3])
{
	int rc = forward_parse_host(s->job->to, &s->to_host, &s->to_port);

	if (rc != 0) {
		log_error("-W %s: it is host:port", s->job->to);
		return rc;
	}
	s->flow = flow_new(&s->trunk, &direct_ops, "direct-tcpip", s);
	if (s->flow == NULL)
		return -ENOMEM;
	strlcpy(s->flow->origin, "127.0.0.1", sizeof(s->flow->origin));
	strlcpy(s->flow->name, s->job->to, sizeof(s->flow->name));
	flow_stdio(s->flow, fds, false);
	return 0;
}

/* --- all of it */

static int
start(struct shell *s)
{
	int fds[3], rc;

	if (s->job->no_session && s->job->to == NULL)
		return 0;
	rc = stdio_open(fds, s->job->null_in);
	if (rc != 0)
		return rc;
	return s->job->to != NULL ? start_direct(s, fds)
				  : start_session(s, fds);
}

int
shell_background(void)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		return -errno;
	if (pid > 0)
		_exit(0);
	(void)setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	own_close(&null);
	return 0;
}

static int
setup(struct shell *s)
{
	AUTOFREE char *agent = NULL;
	struct sshconf *conf = s->client->conf;
	struct forward_rules rules;
	int rc = trunk_init(&s->trunk, s->loop, s->client->ssh);

	if (rc != 0)
		return rc;
	trunk_keepalive(&s->trunk, sshconf_number(conf, KW_ALIVE_INTERVAL),
	    sshconf_number(conf, KW_ALIVE_COUNT));
	rc = shell_rules(s->client, &rules, &agent);
	if (rc != 0)
		return rc;
	s->job->spec.agent = s->job->spec.agent && agent != NULL;
	/* A host whose key changed gets nothing of ours to use. */
	if (s->job->x11 && !s->client->doubtful)
		s->x11 = x11_new(conf);
	s->job->spec.x11 = s->x11;
	rules.x11 = s->x11;
	s->forwards = forwards_new(&s->trunk, &rules);
	if (s->forwards == NULL)
		return -ENOMEM;
	rc = add_forwards(s);
	if (rc == 0 && s->job->background)
		rc = shell_background();
	if (rc == 0)
		rc = front_init(&s->front, s->loop, &front_ops, s);
	s->tty = s->job->spec.tty && isatty(STDIN_FILENO) != 0;
	s->front.tty = s->tty;
	s->front.command_line = sshconf_flag(conf, KW_ESCAPE_COMMANDLINE);
	if (rc == 0 && escape_init(&s->front.escape,
			   sshconf_text(conf, KW_ESCAPE_CHAR)) != 0) {
		log_error("EscapeChar: a character, ^ and a letter, or none");
		rc = -EBADMSG;
	}
	return rc == 0 ? start(s) : rc;
}

/* Connections that are still open keep us here, as they keep OpenSSH's ssh. */
static bool
is_done(const struct shell *s)
{
	if (trunk_is_lost(&s->trunk))
		return true;
	return s->over && (s->front.signal != 0 || s->status == EXIT_OURS ||
			      s->trunk.nflows == 0);
}

static void
run(struct shell *s)
{
	bool said = false;

	while (!is_done(s)) {
		trunk_work(&s->trunk);
		if (s->over && !said) {
			front_stop(&s->front);
			said = true;
		}
		if (!is_done(s) && loop_run_once(s->loop, -1) != 0)
			return;
	}
}

static void
say_end(const struct shell *s)
{
	if (trunk_is_lost(&s->trunk) && !s->over) {
		log_error("Connection to %s lost: %s", client_host(s->client),
		    s->trunk.why);
		return;
	}
	if (s->tty)
		log_info("Connection to %s closed.", client_host(s->client));
}

static void
shell_done(struct shell *s)
{
	front_stop(&s->front);
	stdio_restore();
	if (s->session != NULL)
		session_free(s->session);
	if (s->forwards != NULL)
		forwards_free(s->forwards);
	trunk_done(&s->trunk);
	x11_free(s->x11);
	loop_free(s->loop);
	free(s->to_host);
}

/* The exit status; *out_signal is what ended us, or 0. */
static int
run_whole(struct client *c, struct shell_job *job, int *out_signal)
{
	AUTO(shell_done)
	struct shell s = { .client = c, .job = job, .status = EXIT_OURS };
	int rc;

	s.loop = loop_new();
	rc = s.loop != NULL ? setup(&s) : -ENOMEM;
	if (rc != 0) {
		if (rc == -ENOMEM)
			log_error("%s", err_str(rc));
		return EXIT_OURS;
	}
	run(&s);
	front_stop(&s.front);
	if (trunk_is_lost(&s.trunk) && s.flow != NULL)
		s.status = EXIT_OURS;
	say_end(&s);
	*out_signal = s.tty ? 0 : s.front.signal;
	return s.status;
}

void
shell_die(int number)
{
	/* So that a shell sees how we ended, and ends a script too. */
	(void)signal(number, SIG_DFL);
	(void)raise(number);
	loop_signals_end();
}

int
shell_run(struct client *c, struct shell_job *job)
{
	int number = 0;
	int status = run_whole(c, job, &number);

	if (number != 0)
		shell_die(number);
	return status;
}

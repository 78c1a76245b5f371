/*
 * The background process of a shared connection. Runs as the user. Only their
 * own processes are let in, and what they say is read by mux.c.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "client/connect_impl.h"
#include "client/forward.h"
#include "client/master.h"
#include "client/mux.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/shell.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define FIRST_MS 30000 /* for the process that started us to connect */
#define FOR_EVER (-1)

struct master {
	struct client *client;
	const char *path;
	struct loop *loop;
	struct trunk trunk;
	struct forwards *forwards;
	struct watch listen;
	struct peer *peers;
	struct timer idle;
	long persist; /* seconds without peers; FOR_EVER */
	bool ask;
	bool agent; /* -A is permitted */
	bool over;
};

/* One process that shares the connection. */
struct peer {
	struct master *master;
	struct watch watch;
	struct session *session;
	struct flow *flow;
	bool greeted;
	char *host; /* of MUX_DIRECT */
	int port;
	struct peer *prev, *next;
};

/* --- peers */

static void
set_idle(struct master *m)
{
	if (m->peers != NULL) {
		loop_timer_stop(m->loop, &m->idle);
		return;
	}
	if (m->listen.fd < 0) /* -O stop: nobody can come any more */
		m->over = true;
	else if (m->persist != FOR_EVER)
		loop_timer(m->loop, &m->idle, m->persist * 1000);
}

static void
on_idle(void *arg)
{
	struct master *m = arg;

	m->over = true;
}

static void
peer_free(struct peer *p)
{
	struct master *m = p->master;

	loop_unwatch(m->loop, &p->watch);
	close(p->watch.fd);
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		m->peers = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	free(p->host);
	free(p);
	set_idle(m);
}

/* The peer is gone: so is what runs for it. */
static void
drop(struct peer *p)
{
	if (p->flow != NULL)
		flow_end(p->flow, "");
	else
		peer_free(p);
}

static void
tell(struct peer *p, enum mux_type type, uint32_t a, const char *text)
{
	const struct mux_msg m = {
		.type = type, .a = a, .text = (char *)(uintptr_t)text
	};

	(void)mux_send(p->watch.fd, &m);
}

/* --- what runs for a peer */

static void
finish(struct peer *p, const struct flow *f)
{
	p->flow = NULL;
	p->session = NULL;
	if (!f->open)
		tell(p, MUX_FAIL, 0, *f->why != '\0' ? f->why : "refused");
	else
		tell(p, MUX_EXIT,
		    f->exited && f->exit_signal[0] == '\0'
			? (uint32_t)f->exit_status
			: 255,
		    f->exit_signal);
	peer_free(p);
}

static void
session_opened(struct flow *f)
{
	struct session *s = f->arg;

	tell(s->arg, MUX_OPENED, s->tty_refused, "");
}

static void
session_ended(struct flow *f)
{
	struct session *s = f->arg;

	finish(s->arg, f);
	session_free(s);
}

static const struct flow_ops session_ops = {
	.setup = session_setup,
	.opened = session_opened,
	.ended = session_ended,
};

static int
direct_setup(struct flow *f)
{
	struct peer *p = f->arg;

	return forward_open(f, p->host, p->port);
}

static void
direct_opened(struct flow *f)
{
	tell(f->arg, MUX_OPENED, 0, "");
}

static void
direct_ended(struct flow *f)
{
	f->exited = true; /* with 0 */
	finish(f->arg, f);
}

static const struct flow_ops direct_ops = {
	.setup = direct_setup,
	.opened = direct_opened,
	.ended = direct_ended,
};

/* The descriptors of the message become the flow's. */
static void
take_stdio(struct flow *f, struct mux_msg *msg)
{
	for (size_t i = 0; i < msg->nfds; i++)
		(void)fcntl(msg->fds[i], F_SETFL, O_NONBLOCK);
	flow_stdio(f, msg->fds, false);
	msg->nfds = 0;
}

static bool
may_share(const struct master *m)
{
	char question[256];

	if (!m->ask)
		return true;
	snprintf(question, sizeof(question),
	    "Allow shared connection to %.100s (yes/no)? ",
	    client_host(m->client));
	return prompt_confirm(question);
}

static void
answer_session(struct peer *p, struct mux_msg *msg)
{
	struct session_spec spec = {
		.tty = (msg->a & MUX_TTY) != 0,
		.subsystem = (msg->a & MUX_SUBSYSTEM) != 0,
		.agent = (msg->a & MUX_AGENT) != 0 && p->master->agent,
		.cols = (int)msg->b,
		.rows = (int)msg->c,
	};

	if (msg->nfds != MUX_FDS || p->flow != NULL || !may_share(p->master)) {
		tell(p, MUX_FAIL, 0, "the session was refused");
		return;
	}
	spec.term = take_ptr(&msg->text);
	spec.command =
	    (msg->a & MUX_COMMAND) != 0 ? take_ptr(&msg->more) : NULL;
	(void)words_append(&spec.env, &msg->list);
	p->session = session_new(&p->master->trunk, &session_ops, &spec, p);
	session_spec_done(&spec);
	if (p->session == NULL) {
		tell(p, MUX_FAIL, 0, err_str(-ENOMEM));
		return;
	}
	p->flow = p->session->flow;
	take_stdio(p->flow, msg);
}

static void
answer_direct(struct peer *p, struct mux_msg *msg)
{
	if (msg->nfds != MUX_FDS || p->flow != NULL || !may_share(p->master)) {
		tell(p, MUX_FAIL, 0, "the connection was refused");
		return;
	}
	p->host = take_ptr(&msg->text);
	p->port = (int)msg->a;
	p->flow = flow_new(&p->master->trunk, &direct_ops, "direct-tcpip", p);
	if (p->flow == NULL) {
		tell(p, MUX_FAIL, 0, err_str(-ENOMEM));
		return;
	}
	strlcpy(p->flow->origin, "127.0.0.1", sizeof(p->flow->origin));
	snprintf(p->flow->name, sizeof(p->flow->name), "%s port %d", p->host,
	    p->port);
	take_stdio(p->flow, msg);
}

/* --- the other requests */

static void
answer_hello(struct peer *p, struct mux_msg *msg)
{
	p->greeted = msg->a == MUX_VERSION;
	if (p->greeted)
		tell(p, MUX_OK, (uint32_t)getpid(), "");
	else
		tell(p, MUX_FAIL, 0, "the master is of another version");
}

static void
answer_resize(struct peer *p, struct mux_msg *msg)
{
	if (p->session != NULL)
		session_resize(p->session, (int)msg->b, (int)msg->c);
}

static void
answer_break(struct peer *p, struct mux_msg *msg)
{
	(void)msg;
	if (p->session != NULL)
		session_break(p->session);
}

static void
answer_forward(struct peer *p, struct mux_msg *msg)
{
	char why[FORWARD_WHY_MAX] = "";
	int port = 0, rc = -EBADMSG;

	if (msg->a <= FORWARD_DYNAMIC && p->master->client->doubtful)
		snprintf(why, sizeof(why), "the host's key is in doubt");
	else if (msg->a <= FORWARD_DYNAMIC)
		rc = forwards_add(p->master->forwards,
		    (enum forward_kind)msg->a, msg->text, &port, why);
	/* A configuration asks for the same with each command. */
	tell(p, rc == 0 || rc == -EEXIST ? MUX_OK : MUX_FAIL, (uint32_t)port,
	    why);
}

static void
answer_cancel(struct peer *p, struct mux_msg *msg)
{
	char why[FORWARD_WHY_MAX] = "";
	int rc = -EBADMSG;

	if (msg->a <= FORWARD_DYNAMIC)
		rc = forwards_cancel(p->master->forwards,
		    (enum forward_kind)msg->a, msg->text, why);
	tell(p, rc == 0 ? MUX_OK : MUX_FAIL, 0, why);
}

static void
answer_check(struct peer *p, struct mux_msg *msg)
{
	(void)msg;
	tell(p, MUX_OK, (uint32_t)getpid(), "");
}

static void
answer_stats(struct peer *p, struct mux_msg *msg)
{
	AUTOFREE char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return;
	if (msg->a != 0)
		forwards_json(p->master->forwards, out);
	else
		forwards_list(p->master->forwards, msg->text, out);
	fclose(out);
	if (size > MUX_MESSAGE_MAX / 2)
		text[MUX_MESSAGE_MAX / 2] = '\0';
	tell(p, MUX_OK, 0, text);
}

static void
stop_listening(struct master *m)
{
	if (m->listen.fd < 0)
		return;
	loop_unwatch(m->loop, &m->listen);
	close(m->listen.fd);
	m->listen.fd = -1;
	(void)unlink(m->path);
}

static void
answer_stop(struct peer *p, struct mux_msg *msg)
{
	(void)msg;
	stop_listening(p->master);
	tell(p, MUX_OK, 0, "");
}

static void
answer_quit(struct peer *p, struct mux_msg *msg)
{
	(void)msg;
	stop_listening(p->master);
	tell(p, MUX_OK, 0, "");
	p->master->over = true;
}

static const struct {
	enum mux_type type;
	void (*answer)(struct peer *p, struct mux_msg *msg);
} answers[] = {
	{ MUX_HELLO, answer_hello },
	{ MUX_SESSION, answer_session },
	{ MUX_DIRECT, answer_direct },
	{ MUX_RESIZE, answer_resize },
	{ MUX_BREAK, answer_break },
	{ MUX_FORWARD, answer_forward },
	{ MUX_CANCEL, answer_cancel },
	{ MUX_CHECK, answer_check },
	{ MUX_STATS, answer_stats },
	{ MUX_STOP, answer_stop },
	{ MUX_QUIT, answer_quit },
};

static void
on_peer(void *arg, uint32_t events)
{
	AUTO(mux_msg_done) struct mux_msg msg = { .nfds = 0 };
	struct peer *p = arg;
	int rc = mux_recv(p->watch.fd, &msg);

	(void)events;
	if (rc == -EAGAIN)
		return;
	if (rc != 0 || (!p->greeted && msg.type != MUX_HELLO)) {
		loop_unwatch(p->master->loop, &p->watch);
		drop(p);
		return;
	}
	for (size_t i = 0; i < nitems_of(answers); i++)
		if (answers[i].type == msg.type)
			answers[i].answer(p, &msg);
}

static void
on_listen(void *arg, uint32_t events)
{
	struct master *m = arg;
	int fd =
	    accept4(m->listen.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct peer *p;

	(void)events;
	if (fd < 0)
		return;
	p = mux_is_ours(fd) ? calloc(1, sizeof(*p)) : NULL;
	if (p == NULL) {
		close(fd);
		return;
	}
	p->master = m;
	p->watch = (struct watch){ .fd = fd, .fn = on_peer, .arg = p };
	p->next = m->peers;
	if (p->next != NULL)
		p->next->prev = p;
	m->peers = p;
	loop_timer_stop(m->loop, &m->idle);
	if (loop_watch(m->loop, &p->watch, EPOLLIN) != 0)
		peer_free(p);
}

/* --- the process */

static void
on_signal(void *arg, int number)
{
	struct master *m = arg;

	(void)number;
	m->over = true;
}

static long
persist_seconds(const struct sshconf *conf)
{
	const char *text = sshconf_text(conf, KW_CONTROL_PERSIST);
	long seconds = sshconf_seconds(text);

	if (strcasecmp(text, "yes") == 0 || seconds == 0)
		return FOR_EVER;
	return seconds > 0 ? seconds : 0; /* no: while somebody is there */
}

static int
setup(struct master *m, int listen_fd)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	AUTOFREE char *agent = NULL;
	struct sshconf *conf = m->client->conf;
	long master = sshconf_number(conf, KW_CONTROL_MASTER);
	struct forward_rules rules;
	int rc;

	m->listen =
	    (struct watch){ .fd = listen_fd, .fn = on_listen, .arg = m };
	m->idle = (struct timer){ .fn = on_idle, .arg = m };
	m->persist = persist_seconds(conf);
	m->ask = master == MASTER_ASK || master == MASTER_AUTOASK;
	m->loop = loop_new();
	if (m->loop == NULL)
		return -ENOMEM;
	rc = trunk_init(&m->trunk, m->loop, m->client->ssh);
	if (rc != 0)
		return rc;
	trunk_keepalive(&m->trunk, sshconf_number(conf, KW_ALIVE_INTERVAL),
	    sshconf_number(conf, KW_ALIVE_COUNT));
	rc = shell_rules(m->client, &rules, &agent);
	if (rc != 0)
		return rc;
	m->agent = agent != NULL;
	m->forwards = forwards_new(&m->trunk, &rules);
	if (m->forwards == NULL)
		return -ENOMEM;
	rc = loop_signals(m->loop, signals, nitems_of(signals), on_signal, m);
	loop_timer(m->loop, &m->idle, FIRST_MS);
	return rc == 0 ? loop_watch(m->loop, &m->listen, EPOLLIN) : rc;
}

static void __attribute__((noreturn))
serve(struct client *c, const char *path, int listen_fd)
{
	struct master m = { .client = c, .path = path };
	int rc = setup(&m, listen_fd);

	while (rc == 0 && !m.over && !trunk_is_lost(&m.trunk)) {
		trunk_work(&m.trunk);
		if (!m.over && !trunk_is_lost(&m.trunk))
			rc = loop_run_once(m.loop, -1);
	}
	stop_listening(&m);
	forwards_free(m.forwards);
	trunk_done(&m.trunk);
	client_free(c);
	_exit(0);
}

/* Nothing of the terminal's stays open: its window could not close. */
static void
detach(void)
{
	AUTOCLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		if (fd != STDERR_FILENO || isatty(fd) != 0 ||
		    log_level() < LEVEL_DEBUG)
			(void)dup2(null, fd);
	(void)!chdir("/");
}

/* What else the process had open, another host's connection, say, is not to
 * last as long as the master. */
static void
close_others(int a, int b)
{
	int high = a < b ? b : a;

	for (int fd = STDERR_FILENO + 1; fd < high; fd++)
		if (fd != a && fd != b)
			close(fd);
	closefrom(high + 1);
}

int
master_start(struct client *c, const char *path)
{
	AUTOCLOSE int fd = mux_listen(path);
	pid_t pid;

	if (fd < 0)
		return take_fd(&fd);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		detach();
		close_others(fd, ssh_get_fd(c->ssh));
		serve(c, path, take_fd(&fd));
	}
	/* The session is the child's: not a byte more from here. */
	ssh_silent_disconnect(c->ssh);
	ssh_free(c->ssh);
	c->ssh = NULL;
	c->proxy = 0;
	return 0;
}

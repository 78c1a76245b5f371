/*
 * Answers to sshdctl(8). Runs in sshd as root; who asks is root too, which the
 * kernel vouches for, and is still not waited for.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/control.h"
#include "monitor/master.h"
#include "monitor/record.h"

#define LISTENS_MAX 8192

static int
listen_at(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	AUTOCLOSE int dir_fd = record_dir();
	AUTOCLOSE int fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (dir_fd < 0)
		return dir_fd;
	if (fd < 0)
		return -errno;
	snprintf(
	    addr.sun_path, sizeof(addr.sun_path), "%s/%s", CONTROL_PATH, name);
	/* Of an earlier process of this number, should one be left. */
	(void)unlinkat(dir_fd, name, 0);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    fchmodat(dir_fd, name, 0600, 0) != 0 ||
	    listen(fd, CONTROL_CLIENTS) != 0)
		return -errno;
	return take_fd(&fd);
}

void
control_open(struct control *c)
{
	*c = (struct control){ .since = time(NULL) };
	snprintf(
	    c->name, sizeof(c->name), CONTROL_PREFIX "%ld", (long)getpid());
	c->fd = listen_at(c->name);
	if (c->fd < 0)
		log_error("sshdctl cannot ask this sshd: " CONTROL_PATH
			  ": %s%s",
		    err_str(c->fd),
		    c->fd == -EPERM ? "; it must be a directory of root's "
				      "with mode 700"
				    : "");
}

static void
drop(struct control *c, size_t i)
{
	chan_done(&c->clients[i]);
	c->n--;
	memmove(&c->clients[i], &c->clients[i + 1],
	    (c->n - i) * sizeof(c->clients[0]));
}

void
control_close(struct control *c)
{
	AUTOCLOSE int dir_fd = -1;

	while (c->n > 0)
		drop(c, c->n - 1);
	if (c->fd < 0)
		return;
	close(take_fd(&c->fd));
	dir_fd = record_dir();
	if (dir_fd >= 0)
		(void)unlinkat(dir_fd, c->name, 0);
}

size_t
control_pollfds(const struct control *c, struct pollfd *out)
{
	size_t n = 0;

	out[n++] = (struct pollfd){ c->fd, POLLIN, 0 };
	for (size_t i = 0; i < c->n; i++)
		out[n++] = (struct pollfd){ c->clients[i].fd, POLLIN, 0 };
	return n;
}

/* --- answers */

static void
print_listens(const struct listeners *l, char out[LISTENS_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < l->n; i++) {
		struct listener_name peer, at;

		listener_ends(l->v[i].fd, &peer, &at);
		len += (size_t)snprintf(out + len, LISTENS_MAX - len,
		    strchr(at.addr, ':') != NULL ? "%s[%s]:%u" : "%s%s:%u",
		    i > 0 ? " " : "", at.addr, at.port);
		if (len >= LISTENS_MAX)
			return;
	}
}

static int
answer_status(struct chan *client, const struct msg *q, struct master *m)
{
	struct msg reply = { .id = MSG_CTL_STATUS_REPLY };
	struct msg_ctl_status_reply *r = &reply.u.ctl_status_reply;
	char listens[LISTENS_MAX];

	(void)q;
	print_listens(&m->listeners, listens);
	r->since = (uint64_t)m->control.since;
	for (const struct child *c = m->children; c != NULL; c = c->next)
		r->connections++;
	r->starting = m->startups.n;
	r->throttling = m->startups.throttling;
	r->penalties = m->startups.book.n[0] + m->startups.book.n[1];
	r->listens = span_text(listens);
	r->pid_file = span_text(m->config.options.pid_file);
	r->config = span_text(m->args->config_file);
	return chan_send(client, &reply, NULL, 0);
}

static void
copy_text(char out[SOURCE_TEXT_MAX + 1], struct span text)
{
	snprintf(out, SOURCE_TEXT_MAX + 1, "%.*s", (int)text.len,
	    (const char *)text.p);
}

static int
answer_penalty(struct chan *client, const struct msg *q, struct master *m)
{
	struct msg reply = { .id = MSG_CTL_PENALTY_REPLY };
	struct msg_ctl_penalty_reply *r = &reply.u.ctl_penalty_reply;
	char text[SOURCE_TEXT_MAX + 1];
	struct source_key after;
	const struct source *s;
	int64_t now = clock_ms();

	copy_text(text, q->u.ctl_penalty.after);
	if (*text != '\0' && source_key_parse(text, &after) != 0)
		return -EBADMSG;
	s = penalty_next(&m->startups.book, *text != '\0' ? &after : NULL, now);
	if (s == NULL)
		return chan_send(client, &reply, NULL, 0);
	source_text(&s->key, text);
	r->source = span_text(text);
	r->left = (uint64_t)(s->until - now);
	r->active = s->active;
	r->reason = span_text(penalty_text(s->why));
	return chan_send(client, &reply, NULL, 0);
}

static int
answer_lift(struct chan *client, const struct msg *q, struct master *m)
{
	struct msg reply = { .id = MSG_CTL_LIFT_REPLY };
	char addr[SOURCE_TEXT_MAX + 1];
	size_t n;

	copy_text(addr, q->u.ctl_lift.addr);
	n = *addr != '\0' ? penalty_lift(&m->startups.book, addr)
			  : penalty_lift_all(&m->startups.book);
	log_info("sshdctl: lifted %zu penalties of %s", n,
	    *addr != '\0' ? addr : "all sources");
	reply.u.ctl_lift_reply.n = n;
	return chan_send(client, &reply, NULL, 0);
}

static int (*const answers[MSG_COUNT])(
    struct chan *client, const struct msg *q, struct master *m) = {
	[MSG_CTL_STATUS] = answer_status,
	[MSG_CTL_PENALTY] = answer_penalty,
	[MSG_CTL_LIFT] = answer_lift,
};

/* --- clients */

static int
greet(int fd)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	writer_bytes(&w, CONTROL_MAGIC, strlen(CONTROL_MAGIC));
	writer_u32(&w, msg_schema());
	writer_cstring(&w, PACKAGE_VERSION);
	if (writer_end(&w) != 0)
		return -ENOMEM;
	return send(fd, w.p, w.len, MSG_NOSIGNAL) == (ssize_t)w.len ? 0
								    : -errno;
}

/*
 * Whoever asks is root: the directory lets nobody else in, and the kernel says
 * so once more. Sockets do not block, so that a send fails where it would wait.
 */
static void
welcome(struct control *c)
{
	AUTOCLOSE int fd =
	    accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	if (fd < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 ||
	    who.uid != 0 || greet(fd) != 0)
		return;
	if (c->n == CONTROL_CLIENTS)
		drop(c, 0);
	if (chan_init(&c->clients[c->n], take_fd(&fd), SSHD, CTL) != 0)
		return;
	c->clients[c->n++].phase = PH_SESSION;
}

static int
serve(struct chan *client, struct master *m)
{
	struct msg q;
	int rc = chan_try_recv(client, &q);

	if (rc == -EAGAIN || rc == -EINTR)
		return 0;
	if (rc == 0)
		rc = answers[q.id] != NULL ? answers[q.id](client, &q, m)
					   : -EPROTO;
	return rc;
}

void
control_handle(struct control *c, const struct pollfd *fds, struct master *m)
{
	/* From behind: a drop moves only what has been served. */
	for (size_t i = c->n; i > 0; i--)
		if (fds[i].revents != 0 && serve(&c->clients[i - 1], m) != 0)
			drop(c, i - 1);
	if (fds[0].revents != 0)
		welcome(c);
}

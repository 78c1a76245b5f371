/*
 * Messages between a master and those who share its connection. Both run as
 * the same user, which both check; the bytes are read with care all the same.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "client/mux.h"
#include "common/err.h"
#include "common/own.h"
#include "common/wire.h"

#define BACKLOG 64
#define LIST_MAX 1024 /* variables of a session */

void
mux_msg_done(struct mux_msg *m)
{
	free(m->text);
	free(m->more);
	words_done(&m->list);
	for (size_t i = 0; i < m->nfds; i++)
		own_close(&m->fds[i]);
	*m = (struct mux_msg){ .nfds = 0 };
}

static int
encode(const struct mux_msg *m, struct writer *w)
{
	writer_u8(w, (uint8_t)m->type);
	writer_u32(w, m->a);
	writer_u32(w, m->b);
	writer_u32(w, m->c);
	writer_cstring(w, m->text != NULL ? m->text : "");
	writer_cstring(w, m->more != NULL ? m->more : "");
	writer_u32(w, (uint32_t)m->list.n);
	for (size_t i = 0; i < m->list.n; i++)
		writer_cstring(w, m->list.v[i]);
	if (writer_end(w) != 0)
		return -ENOMEM;
	return w->len <= MUX_MESSAGE_MAX ? 0 : -EMSGSIZE;
}

static char *
take_text(struct reader *r)
{
	struct span s = reader_string(r, MUX_MESSAGE_MAX);

	if (s.len > 0 && memchr(s.p, '\0', s.len) != NULL)
		r->failed = true;
	return strndup(s.len > 0 ? (const char *)s.p : "", s.len);
}

static int
decode(const uint8_t *p, size_t len, struct mux_msg *m)
{
	struct reader r;
	uint32_t n;

	reader_init(&r, p, len);
	m->type = (enum mux_type)reader_u8(&r);
	m->a = reader_u32(&r);
	m->b = reader_u32(&r);
	m->c = reader_u32(&r);
	m->text = take_text(&r);
	m->more = take_text(&r);
	n = reader_u32(&r);
	if (n > LIST_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < n && !r.failed; i++) {
		AUTOFREE char *word = take_text(&r);

		if (word == NULL || words_add(&m->list, word) != 0)
			return -ENOMEM;
	}
	if (m->text == NULL || m->more == NULL)
		return -ENOMEM;
	return reader_end(&r);
}

int
mux_send(int fd, const struct mux_msg *m)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * MUX_FDS)];
	} control = { .buf = { 0 } };
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int rc = encode(m, &w);

	if (rc != 0)
		return rc;
	iov = (struct iovec){ .iov_base = w.p, .iov_len = w.len };
	if (m->nfds > 0) {
		size_t size = sizeof(int) * m->nfds;
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(size);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(c), m->fds, size);
	}
	while (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int
take_fds(struct msghdr *msg, struct mux_msg *out)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t n;

	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	/* Padding makes room for one that nobody asked for. */
	for (size_t i = MUX_FDS; i < n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		own_close(&fd);
	}
	out->nfds = n < MUX_FDS ? n : MUX_FDS;
	memcpy(out->fds, CMSG_DATA(c), out->nfds * sizeof(int));
	return n <= MUX_FDS ? 0 : -EBADMSG;
}

int
mux_recv(int fd, struct mux_msg *out)
{
	AUTO(mux_msg_done) struct mux_msg m = { .nfds = 0 };
	AUTOFREE uint8_t *buf = malloc(MUX_MESSAGE_MAX);
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * MUX_FDS)];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = MUX_MESSAGE_MAX };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	ssize_t n;
	int rc;

	if (buf == NULL)
		return -ENOMEM;
	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -EPIPE;
	rc = take_fds(&msg, &m);
	if (rc != 0)
		return rc;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return -EBADMSG;
	rc = decode(buf, (size_t)n, &m);
	if (rc != 0)
		return rc;
	*out = m;
	m = (struct mux_msg){ .nfds = 0 };
	return 0;
}

/* --- sockets */

bool
mux_is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       peer.uid == geteuid();
}

static int
open_socket(const char *path, struct sockaddr_un *out)
{
	int fd;

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlcpy(out->sun_path, path, sizeof(out->sun_path)) >=
	    sizeof(out->sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return fd >= 0 ? fd : -errno;
}

/*
 * A name beside path that nobody will guess, no longer than one of a few
 * letters there would be.
 */
static int
temp_name(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int dir = slash != NULL ? (int)(slash - path) + 1 : 0;
	int n = snprintf(out, PATH_MAX, "%.*s.%08x", dir, path, arc4random());

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Put the socket where others look, unless something is there already. */
static int
put_in_place(const char *temp, const char *path)
{
	int rc = link(temp, path) == 0 ? 0 : -errno;

	if (rc == 0) {
		(void)unlink(temp);
		return 0;
	}
	/* Not each file system has links. */
	if (rc != -EEXIST &&
	    renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (rc != -EEXIST && errno == EEXIST)
		rc = -EEXIST;
	(void)unlink(temp);
	return rc == -EEXIST ? -EADDRINUSE : rc;
}

/*
 * Who connects between bind(2) and listen(2) is refused, and would take the
 * socket for that of a dead master: so it gets its name when it listens.
 */
int
mux_listen(const char *path)
{
	struct sockaddr_un sun;
	char temp[PATH_MAX];
	AUTOCLOSE int fd = -1;
	mode_t before;
	int rc;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG; /* nobody could connect */
	rc = temp_name(path, temp);
	if (rc != 0)
		return rc;
	fd = open_socket(temp, &sun);
	if (fd < 0)
		return take_fd(&fd);
	before = umask(0177);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 ? 0 : -errno;
	umask(before);
	if (rc != 0)
		return rc;
	if (listen(fd, BACKLOG) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		rc = -errno;
		(void)unlink(temp);
		return rc;
	}
	rc = put_in_place(temp, path);
	return rc == 0 ? take_fd(&fd) : rc;
}

/* Both sides say which protocol they speak. */
static int
greet(int fd, uint32_t *out_pid)
{
	AUTO(mux_msg_done) struct mux_msg answer = { .nfds = 0 };
	const struct mux_msg hello = { .type = MUX_HELLO, .a = MUX_VERSION };
	int rc = mux_send(fd, &hello);

	if (rc == 0)
		rc = mux_recv(fd, &answer);
	if (rc != 0)
		return rc;
	*out_pid = answer.a;
	return answer.type == MUX_OK ? 0 : -EPROTO;
}

/*
 * Its master was killed: nobody will ever answer there. What is no socket of
 * the user's is not ours to remove.
 */
static int
remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return -ECONNREFUSED;
	(void)unlink(path);
	return -ENOENT;
}

int
mux_connect(const char *path, uint32_t *out_pid)
{
	struct sockaddr_un sun;
	AUTOCLOSE int fd = open_socket(path, &sun);
	int rc;

	if (fd < 0)
		return take_fd(&fd);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		rc = -errno;
		return rc == -ECONNREFUSED ? remove_stale(path) : rc;
	}
	if (!mux_is_ours(fd))
		return -EACCES;
	rc = greet(fd, out_pid);
	return rc == 0 ? take_fd(&fd) : rc;
}

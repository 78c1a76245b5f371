/*
 * Messages of a shared connection. As the master reads them of those who ask:
 * what is taken is the same when it is sent again. And as one who asks reads
 * the master's: an answer of whatever bytes ends the request. The first byte
 * picks one; 0xff ends a message of the master's.
 */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "client/connect_impl.h"
#include "client/mux.h"
#include "client/sharer.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"

#define MESSAGE_END 0xff

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
try_master(struct span in)
{
	AUTO(mux_msg_done) struct mux_msg m = { .nfds = 0 };
	AUTOFREE uint8_t *again = malloc(in.len + 1);
	int ends[2];

	check(
	    again != NULL &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
	if (in.len > 0 && send(ends[0], in.p, in.len, 0) == (ssize_t)in.len &&
	    mux_recv(ends[1], &m) == 0) {
		check(m.text != NULL && m.more != NULL && m.nfds == 0);
		check(mux_send(ends[1], &m) == 0);
		check(recv(ends[0], again, in.len + 1, 0) == (ssize_t)in.len);
		check(memcmp(again, in.p, in.len) == 0);
	}
	close(ends[0]);
	close(ends[1]);
}

struct answers {
	int listener;
	struct span in;
};

/* A master that greets well, and then says what the input has. */
static void *
answer(void *arg)
{
	struct answers *a = arg;
	const struct mux_msg hello = { .type = MUX_OK, .a = 1 };
	int fd = accept(a->listener, NULL, NULL);

	if (fd < 0)
		return NULL;
	(void)mux_send(fd, &hello);
	while (a->in.len > 0) {
		const uint8_t *end = memchr(a->in.p, MESSAGE_END, a->in.len);
		size_t len = end != NULL ? (size_t)(end - a->in.p) : a->in.len;

		if (len > 0)
			(void)send(fd, a->in.p, len, MSG_NOSIGNAL);
		a->in.p += len + (end != NULL);
		a->in.len -= len + (end != NULL);
	}
	/* What they have sent must not be lost with a reset. */
	shutdown(fd, SHUT_WR);
	close(fd);
	return NULL;
}

/* A client that asks for a forwarding; nothing is printed. */
static struct client *
new_client(void)
{
	static char host[] = "host";
	struct client *c = calloc(1, sizeof(*c));
	char why[SSHCONF_WHY_MAX];

	check(c != NULL);
	c->conf = sshconf_new();
	c->target.host = host;
	check(c->conf != NULL &&
	      sshconf_take_text(c->conf, "LocalForward 1:h:1", why) == 0 &&
	      sshconf_take_text(c->conf, "RemoteForward 0:h:1", why) == 0);
	return c;
}

static void
try_sharer(struct span in)
{
	static struct client *c;
	static char path[] = "/tmp/fuzz-mux-XXXXXX";
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct answers a = { .in = in };
	pthread_t thread;

	if (c == NULL) {
		c = new_client();
		check(mkdtemp(path) != NULL);
	}
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", path);
	a.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	check(a.listener >= 0);
	check(bind(a.listener, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	check(listen(a.listener, 1) == 0);
	check(pthread_create(&thread, NULL, answer, &a) == 0);
	(void)sharer_control(c, sun.sun_path, "forward");
	pthread_join(thread, NULL);
	close(a.listener);
	unlink(sun.sun_path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	log_open("fuzz", SINK_STDERR, LOG_USER, LEVEL_QUIET);
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		try_master(span_of(data + 1, size - 1));
	else
		try_sharer(span_of(data + 1, size - 1));
	return 0;
}

/*
 * Talking to an agent. Runs as the user; the agent is theirs, but what it
 * answers is read with care.
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "client/agent.h"
#include "common/err.h"
#include "common/own.h"

/* draft-miller-ssh-agent section 5.1 */
#define AGENT_FAILURE 5
#define AGENTC_REQUEST_IDENTITIES 11
#define AGENT_IDENTITIES_ANSWER 12
#define AGENTC_SIGN_REQUEST 13

struct agent_filter {
	pthread_t thread;
	int agent_fd;
	int libssh_fd;
	pthread_mutex_t lock;
	struct writer offer, key;
};

int
agent_open(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	AUTOCLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0)
		return -errno;
	return take_fd(&fd);
}

static int
read_exactly(int fd, uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -EPIPE : -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* One message without its length; appended to out, which is empty. */
static int
read_message(int fd, struct writer *out)
{
	uint8_t head[4];
	AUTOFREE uint8_t *body = NULL;
	struct reader r;
	uint32_t len;
	int rc = read_exactly(fd, head, sizeof(head));

	if (rc != 0)
		return rc;
	reader_init(&r, head, sizeof(head));
	len = reader_u32(&r);
	if (len == 0 || len > AGENT_REPLY_MAX)
		return -EBADMSG;
	body = malloc(len);
	if (body == NULL)
		return -ENOMEM;
	rc = read_exactly(fd, body, len);
	if (rc != 0)
		return rc;
	writer_bytes(out, body, len);
	return writer_end(out);
}

static int
send_message(int fd, const struct writer *message)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	size_t at = 0;

	writer_string(&w, message->p, message->len);
	if (writer_end(&w) != 0)
		return -ENOMEM;
	while (at < w.len) {
		ssize_t n = send(fd, w.p + at, w.len - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return 0;
}

void
agent_keys_done(struct agent_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		writer_done(&keys->v[i].blob);
		free(keys->v[i].comment);
	}
	keys->n = 0;
}

static int
read_keys(const struct writer *reply, struct agent_keys *out)
{
	struct reader r;
	uint32_t n;

	reader_init(&r, reply->p, reply->len);
	if (reader_u8(&r) != AGENT_IDENTITIES_ANSWER)
		return -EBADMSG;
	n = reader_u32(&r);
	for (uint32_t i = 0; i < n && !r.failed && out->n < AGENT_KEYS_MAX;
	     i++) {
		struct agent_key *k = &out->v[out->n];
		struct span blob = reader_string(&r, AGENT_REPLY_MAX);
		struct span comment = reader_string(&r, AGENT_REPLY_MAX);

		if (r.failed)
			return -EBADMSG;
		*k = (struct agent_key){ .blob = WRITER_INIT };
		writer_bytes(&k->blob, blob.p, blob.len);
		k->comment = strndup((const char *)comment.p, comment.len);
		out->n++;
		if (writer_end(&k->blob) != 0 || k->comment == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
agent_list(int fd, struct agent_keys *out)
{
	AUTO(writer_done) struct writer ask = WRITER_INIT;
	AUTO(writer_done) struct writer reply = WRITER_INIT;
	int rc;

	out->n = 0;
	writer_u8(&ask, AGENTC_REQUEST_IDENTITIES);
	rc = send_message(fd, &ask);
	if (rc == 0)
		rc = read_message(fd, &reply);
	if (rc == 0)
		rc = read_keys(&reply, out);
	if (rc != 0)
		agent_keys_done(out);
	return rc;
}

/* --- the filter */

/* What libssh gets when it asks for the keys: the one on offer. */
static void
answer_identities(struct agent_filter *f, struct writer *reply)
{
	writer_u8(reply, AGENT_IDENTITIES_ANSWER);
	writer_u32(reply, 1);
	writer_string(reply, f->offer.p, f->offer.len);
	writer_string(reply, "", 0);
}

/* Sign only for what is on offer, with the key that stands behind it. */
static int
answer_sign(
    struct agent_filter *f, const struct writer *ask, struct writer *reply)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct span blob, data;
	struct reader r;
	uint32_t flags;
	int rc;

	reader_init(&r, ask->p, ask->len);
	(void)reader_u8(&r);
	blob = reader_string(&r, AGENT_REPLY_MAX);
	data = reader_string(&r, AGENT_REPLY_MAX);
	flags = reader_u32(&r);
	if (r.failed || !span_eq(blob, span_of(f->offer.p, f->offer.len)))
		return -EBADMSG;
	writer_u8(&w, AGENTC_SIGN_REQUEST);
	writer_string(&w, f->key.p, f->key.len);
	writer_string(&w, data.p, data.len);
	writer_u32(&w, flags);
	rc = send_message(f->agent_fd, &w);
	return rc == 0 ? read_message(f->agent_fd, reply) : rc;
}

static int
answer(struct agent_filter *f, const struct writer *ask)
{
	AUTO(writer_done) struct writer reply = WRITER_INIT;
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	if (ask->p[0] == AGENTC_REQUEST_IDENTITIES)
		answer_identities(f, &reply);
	else if (ask->p[0] != AGENTC_SIGN_REQUEST ||
		 answer_sign(f, ask, &reply) != 0)
		writer_u8(&reply, AGENT_FAILURE);
	pthread_mutex_unlock(&f->lock);
	rc = writer_end(&reply);
	return rc == 0 ? send_message(f->libssh_fd, &reply) : rc;
}

static void *
serve(void *arg)
{
	struct agent_filter *f = arg;

	for (;;) {
		AUTO(writer_done) struct writer ask = WRITER_INIT;

		if (read_message(f->libssh_fd, &ask) != 0 ||
		    answer(f, &ask) != 0)
			break;
	}
	/* Or libssh would wait for ever for an answer. */
	shutdown(f->libssh_fd, SHUT_RDWR);
	return NULL;
}

int
agent_filter_start(int agent_fd, struct agent_filter **out_filter, int *out_fd)
{
	AUTOFREE struct agent_filter *f = calloc(1, sizeof(*f));
	AUTOCLOSE int agent = agent_fd;
	int pair[2];

	if (f == NULL)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	f->libssh_fd = pair[0];
	f->agent_fd = agent;
	pthread_mutex_init(&f->lock, NULL);
	if (pthread_create(&f->thread, NULL, serve, f) != 0) {
		close(pair[0]);
		close(pair[1]);
		return -EAGAIN;
	}
	take_fd(&agent);
	*out_fd = pair[1];
	*out_filter = take_ptr(&f);
	return 0;
}

int
agent_filter_offer(struct agent_filter *f, struct span offer, struct span key)
{
	int rc;

	pthread_mutex_lock(&f->lock);
	writer_done(&f->offer);
	writer_done(&f->key);
	f->offer = (struct writer)WRITER_INIT;
	f->key = (struct writer)WRITER_INIT;
	writer_bytes(&f->offer, offer.p, offer.len);
	writer_bytes(&f->key, key.p, key.len);
	rc = writer_end(&f->offer) == 0 ? writer_end(&f->key) : -ENOMEM;
	pthread_mutex_unlock(&f->lock);
	return rc;
}

void
agent_filter_free(struct agent_filter *f)
{
	if (f == NULL)
		return;
	/* libssh may hold its end longer than we: ours ends the thread. */
	shutdown(f->libssh_fd, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	pthread_mutex_destroy(&f->lock);
	close(f->libssh_fd);
	close(f->agent_fd);
	writer_done(&f->offer);
	writer_done(&f->key);
	free(f);
}

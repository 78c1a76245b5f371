/*
 * An agent that answers whatever it likes: to the question for its keys, and,
 * behind the filter, to libssh's. The first byte is how much of the rest
 * libssh asks; what is left is the agent's.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/agent.h"
#include "common/err.h"
#include "common/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

/* A stream that has the bytes, then ends; what is written to it is lost. */
static int
stream_of(struct span in, int *out_other)
{
	int ends[2];
	ssize_t n;

	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	/* What does not fit is as if the agent had died there. */
	n = send(ends[0], in.p, in.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	check(n >= 0 || in.len == 0 || errno == EAGAIN);
	shutdown(ends[0], SHUT_WR);
	*out_other = ends[0];
	return ends[1];
}

static void
try_list(struct span in)
{
	AUTOFREE struct agent_keys *keys = calloc(1, sizeof(*keys));
	int other, fd = stream_of(in, &other);

	check(keys != NULL);
	if (agent_list(fd, keys) == 0) {
		check(keys->n <= AGENT_KEYS_MAX);
		for (size_t i = 0; i < keys->n; i++)
			check(keys->v[i].comment != NULL);
		agent_keys_done(keys);
	}
	check(keys->n == 0);
	close(fd);
	close(other);
}

static void
try_filter(struct span asked, struct span answers)
{
	static const char key[] = "key", offer[] = "offer";
	struct agent_filter *f;
	int other, libssh, agent = stream_of(answers, &other);
	uint8_t buf[4096];

	check(agent_filter_start(agent, &f, &libssh) == 0);
	check(agent_filter_offer(f, span_of(offer, sizeof(offer) - 1),
		  span_of(key, sizeof(key) - 1)) == 0);
	(void)!send(libssh, asked.p, asked.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(libssh, SHUT_WR);
	while (read(libssh, buf, sizeof(buf)) > 0)
		continue;
	agent_filter_free(f);
	close(libssh);
	close(other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t asked;

	if (size == 0)
		return 0;
	asked = (size - 1) * data[0] / 256;
	try_list(span_of(data + 1, size - 1));
	try_filter(span_of(data + 1, asked),
	    span_of(data + 1 + asked, size - 1 - asked));
	return 0;
}

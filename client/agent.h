/*
 * The user's ssh-agent (draft-miller-ssh-agent), and a filter between it and
 * libssh, which would offer every key it has: it shows the one key or
 * certificate that is to be tried, and has the agent sign for it.
 */
#ifndef CLIENT_AGENT_H
#define CLIENT_AGENT_H

#include "common/wire.h"

#define AGENT_KEYS_MAX 256
#define AGENT_REPLY_MAX (256u << 10) /* bytes; libssh takes no more */

struct agent_key {
	struct writer blob;
	char *comment;
};

struct agent_keys {
	struct agent_key v[AGENT_KEYS_MAX];
	size_t n;
};

/* Connect to the socket. A descriptor, or -errno. */
int agent_open(const char *path);

/* Its keys; release with agent_keys_done(). -EBADMSG: not an agent's answer. */
int agent_list(int fd, struct agent_keys *out);
void agent_keys_done(struct agent_keys *keys);

struct agent_filter;

/*
 * Start a filter, a thread, before the agent at agent_fd, which it takes.
 * *out_fd is for ssh_set_agent_socket(), which takes it; the filter ends when
 * that is closed. -errno.
 */
int agent_filter_start(
    int agent_fd, struct agent_filter **out_filter, int *out_fd);

/*
 * From now on show offer (a key or a certificate), and sign with key; both are
 * copied. 0; -ENOMEM: what it shows is not known, free it.
 */
int agent_filter_offer(
    struct agent_filter *f, struct span offer, struct span key);

/* Wait for the filter's end, once its socket is closed, and free it. */
void agent_filter_free(struct agent_filter *f);

#endif

/*
 * A channel and the descriptors it stands for: a session's stdin, stdout and
 * stderr, or a socket of a forwarding. Back-pressure both ways; a direction
 * can end while the other goes on.
 */
#ifndef CLIENT_FLOW_H
#define CLIENT_FLOW_H

#include "client/trunk.h"

#define FLOW_NAME_MAX 128
#define FLOW_WHY_MAX 256

enum {
	FLOW_OUT,
	FLOW_ERR,
	FLOW_SINKS
};

struct flow;

/* Descriptor and its watch; a socket is one port for both directions. */
struct port {
	struct watch watch;
	struct flow *flow;
	bool is_socket;
	bool keep; /* do not close the descriptor: it is the process's own */
};

struct source { /* from a descriptor to the channel */
	struct port *port;
	uint8_t *buf; /* what the channel did not take */
	size_t at, len;
	bool ended; /* nothing more comes */
	bool eof_sent;
};

struct sink { /* from the channel to a descriptor */
	struct port *port;
	uint8_t *buf; /* what the descriptor did not take */
	size_t at, len;
	size_t left; /* what libssh still holds */
	bool broken; /* nobody reads: swallow the rest */
	bool shut;
};

struct flow_ops {
	/*
	 * Open the channel and make its requests, as far as can be without
	 * waiting: SSH_OK, SSH_AGAIN or SSH_ERROR. Called again until then.
	 */
	int (*setup)(struct flow *f);
	/* It is open. May be NULL. */
	void (*opened)(struct flow *f);
	/*
	 * There is no descriptor, and something happened: bytes for
	 * flow_take(), or f->remote_eof. May be NULL.
	 */
	void (*arrived)(struct flow *f);
	/*
	 * Change input before it is sent: what to send instead, at out, which
	 * has room for twice len. May be NULL.
	 */
	size_t (*filter)(
	    struct flow *f, const uint8_t *in, size_t len, uint8_t *out);
	/* The last call; the flow is freed after it. f->why is why, or "". */
	void (*ended)(struct flow *f);
	/* In its place, when the trunk goes: only to free arg. May be NULL. */
	void (*discard)(struct flow *f);
};

struct flow {
	struct trunk *trunk;
	ssh_channel channel;
	const struct flow_ops *ops;
	void *arg;
	char name[FLOW_NAME_MAX]; /* for ~# */
	const char *kind;         /* static, for statistics */
	struct ssh_channel_callbacks_struct callbacks;
	struct port ports[3];
	struct source source;
	struct sink sinks[FLOW_SINKS];
	char origin[64]; /* who connected, RFC 4254 section 7.2 */
	int origin_port;
	bool asked; /* setup has asked for the channel */
	bool open;
	bool remote_eof;
	bool remote_closed;
	bool ending;         /* on the list of those that have ended */
	bool exited;         /* exit_status or exit_signal is known */
	bool dirty, waiting; /* on these lists of the trunk */
	int exit_status;
	char exit_signal[32];
	char why[FLOW_WHY_MAX];
	uint64_t bytes_in, bytes_out;
	struct flow *prev, *next;
	struct flow *next_dirty, *next_waiting, *next_ended;
};

/*
 * A flow without descriptors; its setup runs at the next trunk_work(). NULL
 * without memory.
 */
struct flow *flow_new(
    struct trunk *l, const struct flow_ops *ops, const char *kind, void *arg);

/* The same for a channel that the server opened. */
struct flow *flow_adopt(struct trunk *l, ssh_channel channel,
    const struct flow_ops *ops, const char *kind, void *arg);

/* A socket, not blocking, for both directions; the flow closes it. */
void flow_socket(struct flow *f, int fd);

/* Three descriptors, -1 for none. keep: they stay open at the end. */
void flow_stdio(struct flow *f, const int fds[3], bool keep);

/* End it now; ops->ended() is called from the next trunk_work(). */
void flow_end(struct flow *f, const char *why);

/*
 * The next byte that came, before there is a descriptor to write it to; -1:
 * there is none yet. What is not taken goes to the descriptor.
 */
int flow_take(struct flow *f);

/* Send these bytes as if they came from the descriptor. */
void flow_inject(struct flow *f, const void *p, size_t len);

/*
 * trunk.c's part. Look after those that wait: heard says whether packets came
 * in. Then do what is to be done for those that something happened to, and
 * report and free those that have ended.
 */
void flow_run(struct trunk *l, bool heard);
/* All of them, without a report but to ops->discard(). */
void flow_free_all(struct trunk *l);

#endif

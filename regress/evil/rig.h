/*
 * The real sshd-monitor between two peers that a test plays: the sshd that
 * started it, and a network process that does as it likes. rig_ends_well() is
 * what must hold at the end of each test, whatever was sent.
 */
#ifndef REGRESS_EVIL_RIG_H
#define REGRESS_EVIL_RIG_H

#include <sys/types.h>

#include "common/chan.h"

#define RIG_CLIENT "192.0.2.1"
#define RIG_PORT 4711
#define RIG_HASH_LEN 32
#define RIG_MARKER "marker" /* a file that only a session's process makes */

struct rig {
	pid_t pid;         /* the monitor's */
	struct chan net;   /* our end, as its sshd-net */
	struct chan sshd;  /* our end, as its sshd */
	bool logged_in;    /* a login was earned */
	char log[1 << 18]; /* what it logged, after rig_ends_well() */
};

/*
 * Keys, configuration and a directory for all of it: an unchecked fixture,
 * once for all tests of a TCase. May end the program with a TAP skip.
 */
void rig_setup(void);
void rig_teardown(void);

/* A monitor that has been started and told nothing yet. */
void rig_start(struct rig *r);
/* Started, and told of a connection, as sshd does. */
void rig_serve(struct rig *r);
/* The same, and brought to this phase by an honest client. */
void rig_bring(struct rig *r, unsigned phase);

/* CONN with these descriptors in place of configuration and host keys. */
void rig_send_conn(struct rig *r, const int *fds, unsigned nfds);
/* Duplicates of configuration, host keys and program; the caller's. */
#define RIG_CONN_FDS 3
void rig_conn_fds(int out_fds[RIG_CONN_FDS]);

/* Lines of sshd_config before, and so in place of, the rig's own. */
void rig_configure(const char *lines);

/* What monitors get as sshd-forward from now on. */
void rig_use_forward(const char *path);

/* Send bytes as one datagram with n descriptors of /dev/null; or -errno. */
int rig_push(int fd, const void *p, size_t len, unsigned nfds);
/* Send a message that nobody checks. */
int rig_push_msg(int fd, struct msg *m);
/* The message at its lower bounds; a command in it would make RIG_MARKER. */
struct msg rig_msg(enum msg_id id);

/* Send, and wait for the answer that must come. */
struct msg rig_ask(struct rig *r, struct msg *m);
/* Steps of an honest client. */
void rig_sign(struct rig *r);
void rig_user(struct rig *r);
/* Fill in AUTH_SIGNATURE with a good signature; buffers are the rig's. */
struct msg rig_signature(struct rig *r);

/* What the monitor must do in the end. */
enum rig_end {
	RIG_BROKE,  /* one line: who broke the rules */
	RIG_GONE,   /* one line: the network process is gone */
	RIG_SILENT, /* no line of either kind */
	RIG_FATAL,  /* status 255; it knows of no log but syslog yet */
};

/*
 * Wait for its end, with both channels open, and check: it exits as it should,
 * says so once, leaves no process behind, has started nothing and has given
 * nothing away. Then close.
 */
void rig_ends_well(struct rig *r, enum rig_end how);

/* Let go of the channel first, as a network process that ends. */
void rig_hang_up(struct rig *r);

/* Whether RIG_MARKER is there. */
bool rig_marked(void);
/* Wait for it, with a deadline. */
void rig_wait_marked(void);
/* A path below the test's directory. */
void rig_path(const char *name, char *out, size_t size);

#endif

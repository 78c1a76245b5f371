/*
 * Starting the programs of a connection: each with exactly its descriptors, an
 * empty environment, and the rights of its trust level. sshd holds the
 * programs open from its start, so that what it runs is always of its own
 * build, whatever an upgrade puts in their place.
 */
#ifndef MONITOR_SPAWN_H
#define MONITOR_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

enum spawn_role {
	SPAWN_MONITOR, /* root; descriptors 3 (net) and 4 (sshd) */
	SPAWN_NET,     /* PRIVSEP_USER with CAP_SYS_CHROOT; 3 (monitor), 4 */
	SPAWN_PROBE,   /* PRIVSEP_USER, no capability; 3 (net's client) */
	SPAWN_FORWARD, /* the user, started by its monitor: spawn_exec() */
	SPAWN_COUNT,
};

struct spawn {
	int program_fd[SPAWN_COUNT]; /* owned */
	uid_t uid;                   /* of PRIVSEP_USER */
	gid_t gid;
	bool stderr_log; /* programs keep descriptor 2 */
};

#define SPAWN_WHY_MAX 512

/* The exit status of a process that did not become its program. */
enum spawn_exit {
	SPAWN_EXIT_FDS = 250,
	SPAWN_EXIT_IDS,
	SPAWN_EXIT_EXEC,
};

/*
 * Open the programs; a path that is NULL is the installed one. 0, or -errno
 * and a sentence that says what to do.
 */
struct spawn_paths {
	const char *monitor;
	const char *net;
};
int spawn_init(
    struct spawn *s, const struct spawn_paths *paths, char why[SPAWN_WHY_MAX]);
void spawn_done(struct spawn *s);

/*
 * Start one. fds become its descriptors 3 and up; they stay the caller's. 0
 * and 1 are /dev/null, 2 too unless stderr_log. The pid, or -errno.
 */
pid_t spawn_run(
    const struct spawn *s, enum spawn_role role, const int *fds, size_t nfds);

/*
 * Become a program that is open: chan_fd is its descriptor 3, 0 to 2 are
 * /dev/null, and no other is open. For a child whose ids and signals are set
 * already; never returns.
 */
void spawn_exec(int program_fd, const char *name, int chan_fd)
    __attribute__((noreturn));

#endif

/*
 * Starting the programs of a connection: each with exactly its descriptors, an
 * empty environment, and the rights of its trust level. sshd holds the
 * programs open from its start, so that what it runs is always of its own
 * build, whatever an upgrade puts in their place. Where it is not root
 * (omniedge-ssh-server) the network process gets a user namespace of its own
 * in place of another user id, if the kernel gives it one.
 */
#ifndef MONITOR_SPAWN_H
#define MONITOR_SPAWN_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * What the network process of a server without root leaves behind: the ids, for
 * a capability that is good for its own root directory only; and the network,
 * but for the socket that it has.
 */
#define SPAWN_NAMESPACES (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC)

enum spawn_role {
	SPAWN_MONITOR, /* root; descriptors 3 (net) and 4 (sshd) */
	SPAWN_NET,     /* PRIVSEP_USER with CAP_SYS_CHROOT; 3 (monitor), 4
			  (client), and 5 (its root) if there is a root_fd */
	SPAWN_PROBE,   /* PRIVSEP_USER, no capability; 3 (net's client) */
	SPAWN_FORWARD, /* the user, started by its monitor: spawn_exec() */
	SPAWN_TRY, /* sshd-forward as PRIVSEP_USER, no capability; 3: a pipe */
	SPAWN_PROVE, /* the same, which then enters its jail */
	SPAWN_COUNT,
};

struct spawn {
	int program_fd[SPAWN_COUNT]; /* owned */
	uid_t uid; /* of the network process; ours if we are not root */
	gid_t gid;
	bool as_user;    /* we are not root */
	bool namespaces; /* as_user: the kernel gives user namespaces */
	int root_fd;     /* owned: the network process's root directory, its
			    descriptor 5; -1: that is PRIVSEP_PATH */
	bool stderr_log; /* programs keep descriptor 2 */
};

#define SPAWN_WHY_MAX 512

/* The exit status of a process that did not become its program. */
enum spawn_exit {
	SPAWN_EXIT_FDS = 250,
	SPAWN_EXIT_IDS,
	SPAWN_EXIT_EXEC,
};

struct spawn_paths {
	const char *monitor;
	const char *net;
	bool alone; /* see spawn_alone() */
};

/*
 * Open the programs; a path that is NULL is the installed one. 0, or -errno
 * and a sentence that says what to do.
 */
int spawn_init(
    struct spawn *s, const struct spawn_paths *paths, char why[SPAWN_WHY_MAX]);
void spawn_done(struct spawn *s);

/*
 * For a server that needs nothing of the system's: as root, the network
 * process has an id that is no account's; else ours, in a user namespace of
 * its own where there are any. Its root is a directory that is deleted
 * already, so that nobody can put anything there. Fills in uid to root_fd. 0,
 * or -errno and a sentence.
 */
int spawn_alone(struct spawn *s, char why[SPAWN_WHY_MAX]);

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

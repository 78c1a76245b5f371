/*
 * The jail of sftp-server: what the process gives up before it reads its first
 * byte from the client.
 */
#ifndef SFTP_SERVER_JAIL_H
#define SFTP_SERVER_JAIL_H

#include <stdbool.h>
#include <stdio.h>

enum jail_role {
	JAIL_READ = 1, /* -R: no system call that changes a file */
	JAIL_WRITE = 2,
};

/* What the kernel had to offer. */
struct jail_report {
	bool seccomp;
	int landlock; /* ABI version in force; 0: none */
};

/*
 * Make dir the root directory and go there; needs CAP_SYS_CHROOT, which
 * jail_enter() gives up. 0 or -errno.
 */
int jail_root(const char *dir);

/*
 * No more than the capabilities over files that the user has, no core dump, no
 * tracing, no new privileges, Landlock, seccomp. What the kernel does not have
 * is left out and told; any other failure is -errno.
 */
int jail_enter(enum jail_role role, struct jail_report *out_report);

/* The table of system calls, for -Q jail. */
void jail_print(FILE *out);

/* landlock.c: the ABI now in force, 0 if the kernel has none, -errno. */
int landlock_enter(enum jail_role role);

#endif

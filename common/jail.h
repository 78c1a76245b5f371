/*
 * Confinement as data: which system calls a role may make, with a reason each
 * (jail.def), and the steps that take everything else away.
 */
#ifndef COMMON_JAIL_H
#define COMMON_JAIL_H

#include <stddef.h>
#include <stdint.h>

enum jail_role {
	JAIL_NET, /* sshd-net, from before its first byte of input to exit */
	JAIL_ROLE_COUNT,
};

enum jail_verdict {
	JAIL_ALLOW,
	JAIL_ALLOW_EQ,   /* if (argument & mask) == value */
	JAIL_ALLOW_ZERO, /* if (argument & mask) == 0 */
	JAIL_ERRNO,      /* fails with value as errno, and the process lives */
};

struct jail_rule {
	enum jail_role role;
	int call;
	const char *name;
	enum jail_verdict verdict;
	unsigned arg;
	uint64_t mask;
	uint64_t value;
	const char *why;
};

extern const struct jail_rule jail_rules[];
extern const size_t jail_nrules;

/*
 * Enter an empty root directory. Needs CAP_SYS_CHROOT, which the caller drops
 * next. root must be a directory of root's that nobody else can write, and
 * empty: -ENOTDIR, -EPERM, -ENOTEMPTY, or what chroot(2) says.
 */
int jail_chroot(const char *root);
/* The same for a directory that is open, and is closed here; a deleted one,
 * in which nobody can make anything, may be anybody's. */
int jail_chroot_fd(int root_fd);

/* Give up every capability, ambient ones too. 0 or -errno; capabilities(7). */
int jail_drop_caps(void);

/*
 * No core, no files, no children, at most nofile descriptors, and 1 GiB
 * of addresses, which sanitizers would not do with. 0 or -errno of
 * setrlimit(2).
 */
int jail_limits(unsigned nofile);

/*
 * The role's seccomp filter, for good: a call that no row permits ends the
 * process. Sets no_new_privs and makes the process undumpable. -errno when
 * the kernel or libseccomp refuses; then the process must not go on.
 */
int jail_seccomp(enum jail_role role);

#endif

/*
 * Read-only for a whole session. Runs as the user, in the child of sshd-monitor
 * that is about to execute the user's shell.
 */
#include "config.h"

#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/landlock.h"
#include "common/own.h"
#include "common/readonly.h"

#define ABI_LEAST 3

/* What a shell needs to write, and what holds nothing of anybody's. */
static const struct landlock_path writable[] = {
	{ "/", LANDLOCK_EXECUTE | LANDLOCK_READ_FILE | LANDLOCK_READ_DIR },
	{ "/dev/null", LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE },
	{ "/dev/zero", LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE },
	{ "/dev/full", LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE },
	{ "/dev/tty", LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE },
	{ "/dev/pts", LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE },
	{ "/dev/ptmx", LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE },
};

/* Newer than the headers that we may be built with: the same on all. */
#define NR_FCHMODAT2 452
#define NR_SETXATTRAT 463
#define NR_REMOVEXATTRAT 466
#define NR_FILE_SETATTR 469

/* Changes that Landlock does not look at: attributes of files. */
static const struct {
	int call;
	const char *why;
} refused[] = {
	{ SCMP_SYS(chmod), "modes" },
	{ SCMP_SYS(fchmod), "modes" },
	{ SCMP_SYS(fchmodat), "modes" },
	{ NR_FCHMODAT2, "modes" },
	{ SCMP_SYS(chown), "owners" },
	{ SCMP_SYS(fchown), "owners" },
	{ SCMP_SYS(lchown), "owners" },
	{ SCMP_SYS(fchownat), "owners" },
	{ SCMP_SYS(utime), "times" },
	{ SCMP_SYS(utimes), "times" },
	{ SCMP_SYS(futimesat), "times" },
	{ SCMP_SYS(utimensat), "times" },
	{ SCMP_SYS(setxattr), "extended attributes, access lists" },
	{ SCMP_SYS(lsetxattr), "extended attributes, access lists" },
	{ SCMP_SYS(fsetxattr), "extended attributes, access lists" },
	{ NR_SETXATTRAT, "extended attributes, access lists" },
	{ SCMP_SYS(removexattr), "extended attributes, access lists" },
	{ SCMP_SYS(lremovexattr), "extended attributes, access lists" },
	{ SCMP_SYS(fremovexattr), "extended attributes, access lists" },
	{ NR_REMOVEXATTRAT, "extended attributes, access lists" },
	{ NR_FILE_SETATTR, "flags, as chattr(1) sets them" },
	{ SCMP_SYS(io_uring_setup), "its requests are no system calls" },
};

/* ioctl(2) that set what chattr(1) and its like set: FS_IOC_SETFLAGS,
 * FS_IOC_FSSETXATTR and FS_IOC_SETVERSION of linux/fs.h, in both widths. */
static const uint32_t ioctls[] = { 0x40086602, 0x40046602, 0x401c5820,
	0x40087602, 0x40047602 };

static int
add_rules(scmp_filter_ctx ctx)
{
	const uint32_t refuse = SCMP_ACT_ERRNO(EROFS);
	int rc = 0;

	for (size_t i = 0; i < nitems_of(refused) && rc == 0; i++)
		rc = seccomp_rule_add(ctx, refuse, refused[i].call, 0);
	for (size_t i = 0; i < nitems_of(ioctls) && rc == 0; i++)
		rc = seccomp_rule_add(ctx, refuse, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, ioctls[i]));
	if (rc != 0)
		return rc;
	/* Who listens may do what this process may not: the user's own tmux,
	 * systemd --user, docker. Pairs (socketpair(2)) lead to nobody. */
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket),
	    1, SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, AF_UNIX));
}

static int
enter_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (ctx == NULL)
		return -ENOMEM;
	/* Programs of another width have numbers of their own: they end. */
	rc = seccomp_attr_set(
	    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = add_rules(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

int
readonly_check(char why[READONLY_WHY_MAX])
{
	int abi = landlock_abi();

	if (abi < ABI_LEAST) {
		snprintf(why, READONLY_WHY_MAX,
		    "this kernel has %s, and it takes ABI %d (Linux 6.2) to "
		    "hold a shell; --sftp-only can be read-only without",
		    abi == 0 ? "no Landlock" : "an old Landlock", ABI_LEAST);
		return -ENOTSUP;
	}
	if (prctl(PR_SET_SECCOMP, 2, NULL, 0, 0) != 0 && errno == EINVAL) {
		snprintf(why, READONLY_WHY_MAX,
		    "this kernel has no seccomp filters");
		return -ENOTSUP;
	}
	return 0;
}

int
readonly_enter(void)
{
	struct landlock_rights take = landlock_all(landlock_abi());
	int rc;

	/* The network, devices and processes are not what this is about. */
	take.net = 0;
	take.fs &= ~LANDLOCK_IOCTL_DEV;
	if ((take.fs & LANDLOCK_TRUNCATE) == 0)
		return -ENOTSUP;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	rc = landlock_restrict(&take, writable, nitems_of(writable));
	return rc == 0 ? enter_filter() : rc;
}

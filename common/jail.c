/*
 * The steps of confinement. Runs in every sandboxed program, before its first
 * byte of input; whatever fails here must end the program.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/jail.h"
#include "common/own.h"

/* Bytes of address space: libssh 0.10 takes data past a channel's window. */
#ifdef WITH_SANITIZERS
#define JAIL_AS_MAX RLIM_INFINITY /* their shadow memory needs it all */
#else
#define JAIL_AS_MAX ((rlim_t)1 << 30)
#endif

/* clang-format off */
#define ALLOW(role, call, why) \
	{ JAIL_##role, SCMP_SYS(call), #call, JAIL_ALLOW, 0, 0, 0, why },
#define ALLOW_EQ(role, call, arg, mask, value, why) \
	{ JAIL_##role, SCMP_SYS(call), #call, JAIL_ALLOW_EQ, arg, mask, value, \
		why },
#define ALLOW_ZERO(role, call, arg, mask, why) \
	{ JAIL_##role, SCMP_SYS(call), #call, JAIL_ALLOW_ZERO, arg, mask, 0, \
		why },
#define REFUSE(role, call, code, why) \
	{ JAIL_##role, SCMP_SYS(call), #call, JAIL_ERRNO, 0, 0, code, why },
const struct jail_rule jail_rules[] = {
#include "common/jail.def"
#ifdef WITH_SANITIZERS
#include "common/jail_sanitizers.def"
#endif
};
/* clang-format on */
const size_t jail_nrules = nitems_of(jail_rules);

static void
dir_done(DIR **dir)
{
	if (*dir != NULL)
		closedir(*dir);
}

/* Nobody can put anything there: it is deleted, or root's and closed. */
static bool
is_closed(const struct stat *st)
{
	return st->st_nlink == 0 ||
	       (st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0);
}

static int
check_empty(int dir_fd)
{
	AUTO(dir_done) DIR *dir = NULL;
	struct stat st;
	struct dirent *entry;

	if (fstat(dir_fd, &st) != 0) {
		close(dir_fd);
		return -errno;
	}
	dir = fdopendir(dir_fd);
	if (dir == NULL) {
		close(dir_fd);
		return -ENOMEM;
	}
	if (!is_closed(&st))
		return -EPERM;
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return -ENOTEMPTY;
	return 0;
}

int
jail_chroot_fd(int root_fd)
{
	int rc;

	if (fchdir(root_fd) != 0) {
		rc = -errno;
		close(root_fd);
		return rc;
	}
	rc = check_empty(root_fd);
	if (rc != 0)
		return rc;
	return chroot(".") == 0 ? 0 : -errno;
}

int
jail_chroot(const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : jail_chroot_fd(fd);
}

int
jail_drop_caps(void)
{
	cap_t none = cap_init();
	int rc = 0;

	if (none == NULL)
		return -ENOMEM;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
	    cap_set_proc(none) != 0)
		rc = -errno;
	cap_free(none);
	return rc;
}

int
jail_limits(unsigned nofile)
{
	const struct {
		int what;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_NOFILE, nofile },
		{ RLIMIT_AS, JAIL_AS_MAX },
	};

	for (size_t i = 0; i < nitems_of(limits); i++) {
		struct rlimit rl = { limits[i].most, limits[i].most };
		struct rlimit now;

		if (getrlimit(limits[i].what, &now) != 0)
			return -errno;
		if (now.rlim_max < rl.rlim_max)
			rl.rlim_cur = rl.rlim_max = now.rlim_max;
		if (setrlimit(limits[i].what, &rl) != 0)
			return -errno;
	}
	return 0;
}

static int
add_rule(scmp_filter_ctx ctx, const struct jail_rule *rule)
{
	struct scmp_arg_cmp cmp =
	    SCMP_CMP64(rule->arg, SCMP_CMP_MASKED_EQ, rule->mask, rule->value);

	switch (rule->verdict) {
	case JAIL_ALLOW:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, rule->call, 0);
	case JAIL_ALLOW_EQ:
	case JAIL_ALLOW_ZERO:
		return seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, rule->call, 1, &cmp);
	case JAIL_ERRNO:
		return seccomp_rule_add(
		    ctx, SCMP_ACT_ERRNO(rule->value), rule->call, 0);
	}
	return -EINVAL;
}

int
jail_seccomp(enum jail_role role)
{
	scmp_filter_ctx ctx;
	int rc = 0;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -errno;
	ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < jail_nrules && rc == 0; i++) {
		/* A negative number is a call that this machine lacks. */
		if (jail_rules[i].role != role || jail_rules[i].call < 0)
			continue;
		rc = add_rule(ctx, &jail_rules[i]);
	}
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

/*
 * Enters the jail of sftp-server, as the user, before the client has said
 * anything. The system calls are rows of jail.def.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/jail.h"
#include "sftp-server/lend.h"
#include "sftp-server/slog.h"

/* Newer than the headers that we may be built with; the same number on all
 * that is not Alpha or MIPS. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __SNR_fchmodat2
#define __SNR_fchmodat2 __NR_fchmodat2
#endif

enum row_kind {
	ROW_ALLOW,
	ROW_BITS,
	ROW_UPTO,
	ROW_PAIR,
	ROW_REFUSE,
	ROW_REFUSE_BUT,
};

struct row {
	int call;
	enum row_kind kind;
	unsigned roles;
	const char *name;
	const char *reason;
	unsigned arg;
	uint64_t mask, value;
	unsigned other; /* argument, and its value */
	uint64_t other_value;
	uint32_t error;
};

#define ROW(nr, what, who, why) \
	.call = SCMP_SYS(nr), .kind = what, .roles = who, .name = #nr, \
	.reason = why
#define ALLOW(nr, who, why) { ROW(nr, ROW_ALLOW, who, why) },
#define ALLOW_BITS(nr, who, n, bits, v, why) \
	{ ROW(nr, ROW_BITS, who, why), .arg = n, .mask = bits, .value = v },
#define ALLOW_UPTO(nr, who, n, max, why) \
	{ ROW(nr, ROW_UPTO, who, why), .arg = n, .value = max },
#define ALLOW_PAIR(nr, who, n, v, m, w, why) \
	{ ROW(nr, ROW_PAIR, who, why), .arg = n, .value = v, .other = m, \
		.other_value = w },
#define REFUSE(nr, code, why) \
	{ ROW(nr, ROW_REFUSE, JAIL_READ | JAIL_WRITE, why), .error = code },
#define REFUSE_BUT(nr, code, n, v, why) \
	{ ROW(nr, ROW_REFUSE_BUT, JAIL_READ | JAIL_WRITE, why), .arg = n, \
		.value = v, .error = code },

static const struct row rows[] = {
#include "sftp-server/jail.def"
};

/* A sanitizer's run time has needs of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(WITH_SANITIZERS)
#define FILTER_WANTED false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FILTER_WANTED false
#endif
#endif
#ifndef FILTER_WANTED
#define FILTER_WANTED true
#endif

/* The capabilities that root's file transfers may need; others have none. */
#define CAP_BIT(cap) (1u << (cap))
#define FILE_CAPS \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | \
	    CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_FOWNER) | \
	    CAP_BIT(CAP_FSETID))

int
jail_root(const char *dir)
{
	return chroot(dir) == 0 && chdir("/") == 0 ? 0 : -errno;
}

/* By system call: there is no library for this in a small program. */
static int
caps_drop(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, caps) != 0)
		return -errno;
	for (size_t i = 0; i < nitems_of(caps); i++) {
		uint32_t keep = i == 0 ? FILE_CAPS : 0;

		caps[i].permitted &= keep;
		caps[i].effective &= keep;
		caps[i].inheritable = 0;
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 &&
	    errno != EINVAL)
		return -errno;
	return syscall(SYS_capset, &head, caps) == 0 ? 0 : -errno;
}

static int
row_add(scmp_filter_ctx filter, const struct row *row)
{
	const uint32_t allow = SCMP_ACT_ALLOW;

	switch (row->kind) {
	case ROW_ALLOW:
		return seccomp_rule_add(filter, allow, row->call, 0);
	case ROW_BITS:
		return seccomp_rule_add(filter, allow, row->call, 1,
		    SCMP_CMP(
			row->arg, SCMP_CMP_MASKED_EQ, row->mask, row->value));
	case ROW_UPTO:
		return seccomp_rule_add(filter, allow, row->call, 1,
		    SCMP_CMP(row->arg, SCMP_CMP_LE, row->value, 0));
	case ROW_PAIR:
		return seccomp_rule_add(filter, allow, row->call, 2,
		    SCMP_CMP(row->arg, SCMP_CMP_EQ, row->value, 0),
		    SCMP_CMP(row->other, SCMP_CMP_EQ, row->other_value, 0));
	case ROW_REFUSE:
		return seccomp_rule_add(
		    filter, SCMP_ACT_ERRNO(row->error), row->call, 0);
	case ROW_REFUSE_BUT:
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(row->error),
		    row->call, 1,
		    SCMP_CMP(row->arg, SCMP_CMP_NE, row->value, 0));
	}
	return -EINVAL;
}

static int
filter_build(scmp_filter_ctx filter, enum jail_role role)
{
	int error = seccomp_attr_set(
	    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	/* A binary tree: READ and WRITE do not walk the whole table. */
	if (error == 0)
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < nitems_of(rows) && error == 0; i++)
		if ((rows[i].roles & role) != 0)
			error = row_add(filter, &rows[i]);
	return error;
}

static int
filter_enter(enum jail_role role, bool *out_entered)
{
	scmp_filter_ctx filter;
	int error;

	*out_entered = false;
	if (!FILTER_WANTED)
		return 0;
	/* Does this kernel have filters? (seccomp(2)) */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) != 0 &&
	    errno == EINVAL)
		return 0;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return -ENOMEM;
	error = filter_build(filter, role);
	if (error == 0)
		error = seccomp_load(filter);
	/* Not released before: that would be in the jail already. */
	*out_entered = error == 0;
	seccomp_release(filter);
	return error;
}

int
jail_enter(enum jail_role role, struct jail_report *out_report)
{
	struct rlimit none = { 0, 0 };
	struct jail_report report;
	int error = caps_drop();

	if (error != 0)
		return error;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	report.landlock = landlock_enter(role);
	if (report.landlock < 0)
		return report.landlock;
	error = filter_enter(role, &report.seccomp);
	if (error == 0)
		*out_report = report;
	return error;
}

void
jail_print(FILE *out)
{
	for (size_t i = 0; i < nitems_of(rows); i++)
		fprintf(out, "%-18s %-10s %s\n", rows[i].name,
		    rows[i].error != 0            ? "refused"
		    : rows[i].roles == JAIL_READ  ? "read-only"
		    : rows[i].roles == JAIL_WRITE ? "read-write"
						  : "both",
		    rows[i].reason);
}

/*
 * Landlock for sftp-server: nothing is executed, no device is controlled, no
 * network is reached, and with -R nothing is changed. By system call, and
 * numbers of our own, as headers may be older than the kernel (landlock(7)).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/jail.h"

#define NR_CREATE_RULESET 444
#define NR_ADD_RULE 445
#define NR_RESTRICT_SELF 446

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE (1ULL << 0)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_ABI_1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)
#define FS_TRUNCATE (1ULL << 14)
#define FS_IOCTL_DEV (1ULL << 15)
#define NET_BIND_CONNECT 3ULL
#define SCOPE_UNIX_SIGNAL 3ULL

/* struct landlock_ruleset_attr as of ABI 6; older kernels want the rest 0. */
struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* What each ABI can take away, added to the ones before. */
static const struct {
	int abi;
	struct ruleset adds;
} steps[] = {
	{ 1, { .fs = FS_ABI_1 } },
	{ 2, { .fs = FS_REFER } },
	{ 3, { .fs = FS_TRUNCATE } },
	{ 4, { .net = NET_BIND_CONNECT } },
	{ 5, { .fs = FS_IOCTL_DEV } },
	{ 6, { .scoped = SCOPE_UNIX_SIGNAL } },
};

static struct ruleset
ruleset_of(int abi)
{
	struct ruleset r = { 0 };

	for (size_t i = 0; i < nitems_of(steps) && steps[i].abi <= abi; i++) {
		r.fs |= steps[i].adds.fs;
		r.net |= steps[i].adds.net;
		r.scoped |= steps[i].adds.scoped;
	}
	return r;
}

static int
root_allow(int ruleset_fd, uint64_t allowed)
{
	AUTOCLOSE int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct path_beneath rule = { .allowed = allowed };

	if (root_fd < 0)
		return -errno;
	rule.parent_fd = root_fd;
	if (syscall(NR_ADD_RULE, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) != 0)
		return -errno;
	return 0;
}

int
landlock_enter(enum jail_role role)
{
	long abi = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
	AUTOCLOSE int fd = -1;
	struct ruleset ruleset;
	uint64_t allowed;
	int error;

	if (abi < 1)
		return 0;
	/* ABI 1 cannot allow a rename from one directory to another. */
	if (abi == 1 && role == JAIL_WRITE)
		return 0;
	ruleset = ruleset_of((int)abi);
	allowed = ruleset.fs & ~(FS_EXECUTE | FS_IOCTL_DEV);
	if (role == JAIL_READ)
		allowed = FS_READ_FILE | FS_READ_DIR;
	fd = (int)syscall(NR_CREATE_RULESET, &ruleset, sizeof(ruleset), 0);
	if (fd < 0)
		return -errno;
	error = root_allow(fd, allowed);
	if (error != 0)
		return error;
	if (syscall(NR_RESTRICT_SELF, fd, 0) != 0)
		return -errno;
	return (int)abi;
}

/*
 * The three system calls of Landlock. Runs in the process that is confined.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/err.h"
#include "common/landlock.h"
#include "common/own.h"

#define NR_CREATE_RULESET 444
#define NR_ADD_RULE 445
#define NR_RESTRICT_SELF 446

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

/* What may be said of a file that is no directory. */
#define OF_FILES \
	(LANDLOCK_EXECUTE | LANDLOCK_WRITE_FILE | LANDLOCK_READ_FILE | \
	    LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV)

struct path_beneath {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* What each ABI can take away, added to the ones before. */
static const struct {
	int abi;
	struct landlock_rights adds;
} steps[] = {
	{ 1, { .fs = LANDLOCK_ABI_1 } },
	{ 2, { .fs = LANDLOCK_REFER } },
	{ 3, { .fs = LANDLOCK_TRUNCATE } },
	{ 4, { .net = LANDLOCK_TCP_BOTH } },
	{ 5, { .fs = LANDLOCK_IOCTL_DEV } },
	{ 6, { .scoped = LANDLOCK_SCOPE_BOTH } },
};

int
landlock_abi(void)
{
	long abi = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

	return abi < 1 ? 0 : (int)abi;
}

struct landlock_rights
landlock_all(int abi)
{
	struct landlock_rights r = { 0 };

	for (size_t i = 0; i < nitems_of(steps) && steps[i].abi <= abi; i++) {
		r.fs |= steps[i].adds.fs;
		r.net |= steps[i].adds.net;
		r.scoped |= steps[i].adds.scoped;
	}
	return r;
}

static int
give_path(int ruleset_fd, const struct landlock_path *give, uint64_t handled)
{
	AUTOCLOSE int fd = open(give->path, O_PATH | O_CLOEXEC);
	struct path_beneath rule = { .allowed = give->fs & handled };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= OF_FILES;
	rule.parent_fd = fd;
	if (rule.allowed != 0 &&
	    syscall(NR_ADD_RULE, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) != 0)
		return -errno;
	return 0;
}

int
landlock_restrict(const struct landlock_rights *take,
    const struct landlock_path *give, size_t n)
{
	AUTOCLOSE int fd =
	    (int)syscall(NR_CREATE_RULESET, take, sizeof(*take), 0);
	int rc = fd < 0 ? -errno : 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = give_path(fd, &give[i], take->fs);
	if (rc == 0 && syscall(NR_RESTRICT_SELF, fd, 0) != 0)
		rc = -errno;
	return rc;
}

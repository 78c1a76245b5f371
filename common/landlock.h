/*
 * Landlock (landlock(7)) by system call and with numbers of our own, as
 * headers may be older than the kernel. Used by programs that confine
 * themselves, or a user's process on its way to being one.
 */
#ifndef COMMON_LANDLOCK_H
#define COMMON_LANDLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Of the file system: a few that have names here, and all up to ABI 1. */
#define LANDLOCK_EXECUTE (1ULL << 0)
#define LANDLOCK_WRITE_FILE (1ULL << 1)
#define LANDLOCK_READ_FILE (1ULL << 2)
#define LANDLOCK_READ_DIR (1ULL << 3)
#define LANDLOCK_REMOVE_DIR (1ULL << 4)
#define LANDLOCK_REMOVE_FILE (1ULL << 5)
#define LANDLOCK_MAKE_DIR (1ULL << 7)
#define LANDLOCK_MAKE_SOCK (1ULL << 9)
#define LANDLOCK_ABI_1 ((1ULL << 13) - 1)
#define LANDLOCK_REFER (1ULL << 13)     /* ABI 2 */
#define LANDLOCK_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define LANDLOCK_IOCTL_DEV (1ULL << 15) /* ABI 5 */
/* Of TCP, ABI 4; and who is out of reach, ABI 6. */
#define LANDLOCK_TCP_BOTH 3ULL
#define LANDLOCK_SCOPE_BOTH 3ULL /* abstract sockets, signals */

/* What is taken away; the kernel's struct as of ABI 6. */
struct landlock_rights {
	uint64_t fs, net, scoped;
};

/* What is given back, below a path. */
struct landlock_path {
	const char *path;
	uint64_t fs;
};

/* The kernel's ABI, 0 if it has no Landlock. */
int landlock_abi(void);

/* Everything that an ABI can take away. */
struct landlock_rights landlock_all(int abi);

/*
 * Take rights away, for good; needs no_new_privs. Bits that the ABI lacks must
 * not be set. Paths that are not there are left out. 0 or -errno.
 */
int landlock_restrict(const struct landlock_rights *take,
    const struct landlock_path *give, size_t n);

#endif

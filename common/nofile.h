/* How many descriptors a process may have. */
#ifndef COMMON_NOFILE_H
#define COMMON_NOFILE_H

#include <sys/resource.h>

/*
 * Raise the soft limit to most, as far as the hard one lets, and never lower
 * it. What it is then, at most that; 0: it cannot be asked. setrlimit(2).
 */
static inline unsigned
nofile_raise(unsigned most)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		return 0;
	if (rl.rlim_cur < most) {
		rl.rlim_cur = rl.rlim_max < most ? rl.rlim_max : most;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	return rl.rlim_cur < most ? (unsigned)rl.rlim_cur : most;
}

#endif

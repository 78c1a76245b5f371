/*
 * Ownership, visible where a variable is born: AUTOFREE and AUTOCLOSE release
 * at the end of the scope, take_fd() and take_ptr() hand on what is to live.
 */
#ifndef COMMON_OWN_H
#define COMMON_OWN_H

#include <stdlib.h>
#include <unistd.h>

static inline void
own_free(void *pp)
{
	free(*(void **)pp);
}

static inline void
own_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* "unused": clang does not see that the cleanup alone may be the use. */
#define AUTOFREE __attribute__((cleanup(own_free), unused))
#define AUTOCLOSE __attribute__((cleanup(own_close), unused))
/* AUTO(foo_done): foo_done() gets a pointer to the variable. */
#define AUTO(fn) __attribute__((cleanup(fn), unused))

/* The caller owns the descriptor now; *fd is -1. */
static inline int
take_fd(int *fd)
{
	int out = *fd;

	*fd = -1;
	return out;
}

static inline void *
own_take(void *pp)
{
	void *out = *(void **)pp;

	*(void **)pp = NULL;
	return out;
}

/* The caller owns what *pp points to now; *pp is NULL. */
#define take_ptr(pp) ((__typeof__(*(pp)))own_take(pp))

#define nitems_of(a) (sizeof(a) / sizeof((a)[0]))

#endif

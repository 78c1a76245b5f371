/*
 * One loop for all descriptors of a process: epoll(7), so that a thousand idle
 * connections cost nothing, with timers and noted signals.
 */
#ifndef CLIENT_LOOP_H
#define CLIENT_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* A descriptor; lives in its owner, zeroed but for fn and arg before use. */
struct watch {
	int fd;
	uint32_t events; /* EPOLLIN, EPOLLOUT; what is waited for now */
	bool added;
	bool always; /* a regular file: always ready, epoll refuses it */
	void (*fn)(void *arg, uint32_t events);
	void *arg;
	struct watch *next; /* of those that are always ready */
};

/* A deadline; lives in its owner. */
struct timer {
	int64_t due; /* clock_ms(); 0: not set */
	void (*fn)(void *arg);
	void *arg;
	bool linked;
	struct timer *next;
};

/* NULL without memory or descriptors. */
struct loop *loop_new(void);
void loop_free(struct loop *l);

/*
 * Wait for these events from now on; 0: for none, but errors and hang-ups are
 * not reported either. 0 or -errno.
 */
int loop_watch(struct loop *l, struct watch *w, uint32_t events);
/* Forget it, before its descriptor is closed. Not reported again. */
void loop_unwatch(struct loop *l, struct watch *w);

/* Run fn once, ms from now; again: the later call counts. */
void loop_timer(struct loop *l, struct timer *t, int64_t ms);
void loop_timer_stop(struct loop *l, struct timer *t);

/*
 * Note these signals instead of their default, and report them in the loop;
 * fn gets the number. 0 or -errno. loop_signals_end() in a child process,
 * before it becomes another program.
 */
int loop_signals(struct loop *l, const int *numbers, size_t n,
    void (*fn)(void *arg, int number), void *arg);
void loop_signals_end(void);

/* Wait at most ms (-1: as long as it takes) and report once. 0 or -errno. */
int loop_run_once(struct loop *l, int ms);

#endif

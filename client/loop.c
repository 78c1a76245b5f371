/*
 * The event loop. Runs as the user; knows descriptors and times, no bytes.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "client/loop.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/own.h"

#define BATCH_MAX 256 /* events of one epoll_wait(2) */

struct loop {
	int epoll_fd;
	struct watch *always;
	struct timer *timers;
	struct epoll_event batch[BATCH_MAX];
	int nbatch;
	struct watch signal_watch;
	void (*signal_fn)(void *arg, int number);
	void *signal_arg;
};

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->signal_watch.fd = -1;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd >= 0)
		return l;
	free(l);
	return NULL;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->signal_watch.fd >= 0)
		close(l->signal_watch.fd);
	close(l->epoll_fd);
	free(l);
}

/* What was fetched for it and not reported yet is dropped. */
static void
forget_batch(struct loop *l, const struct watch *w)
{
	for (int i = 0; i < l->nbatch; i++)
		if (l->batch[i].data.ptr == w)
			l->batch[i].data.ptr = NULL;
}

static void
unlink_always(struct loop *l, const struct watch *w)
{
	for (struct watch **p = &l->always; *p != NULL; p = &(*p)->next) {
		if (*p == w) {
			*p = w->next;
			return;
		}
	}
}

int
loop_watch(struct loop *l, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (w->always || (w->added && w->events == events) ||
	    (!w->added && events == 0)) {
		w->events = events;
		return 0;
	}
	w->events = events;
	/* A hang-up that nobody wants to know of would wake us for ever. */
	if (events == 0) {
		w->added = false;
		forget_batch(l, w);
		(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
		return 0;
	}
	if (epoll_ctl(l->epoll_fd, w->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		w->fd, &ev) == 0) {
		w->added = true;
		return 0;
	}
	if (errno != EPERM)
		return -errno;
	w->always = true;
	w->next = l->always;
	l->always = w;
	return 0;
}

void
loop_unwatch(struct loop *l, struct watch *w)
{
	if (w->always)
		unlink_always(l, w);
	if (w->added)
		(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	forget_batch(l, w);
	w->added = w->always = false;
	w->events = 0;
}

void
loop_timer(struct loop *l, struct timer *t, int64_t ms)
{
	t->due = clock_ms() + ms;
	if (t->linked)
		return;
	t->linked = true;
	t->next = l->timers;
	l->timers = t;
}

void
loop_timer_stop(struct loop *l, struct timer *t)
{
	if (!t->linked)
		return;
	for (struct timer **p = &l->timers; *p != NULL; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
	t->linked = false;
	t->due = 0;
}

/* --- signals */

static void
on_signal(void *arg, uint32_t events)
{
	struct loop *l = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(l->signal_watch.fd, &info, sizeof(info)) ==
	       (ssize_t)sizeof(info))
		l->signal_fn(l->signal_arg, (int)info.ssi_signo);
}

int
loop_signals(struct loop *l, const int *numbers, size_t n,
    void (*fn)(void *arg, int number), void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		sigaddset(&set, numbers[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	l->signal_fn = fn;
	l->signal_arg = arg;
	l->signal_watch.fn = on_signal;
	l->signal_watch.arg = l;
	l->signal_watch.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l->signal_watch.fd < 0)
		return -errno;
	return loop_watch(l, &l->signal_watch, EPOLLIN);
}

void
loop_signals_end(void)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* --- running */

static int
wait_ms(const struct loop *l, int ms)
{
	int64_t now = clock_ms(), due = ms >= 0 ? now + ms : INT64_MAX;

	for (const struct watch *w = l->always; w != NULL; w = w->next)
		if (w->events != 0)
			return 0;
	for (const struct timer *t = l->timers; t != NULL; t = t->next)
		if (t->due < due)
			due = t->due;
	if (due == INT64_MAX)
		return -1;
	if (due <= now)
		return 0;
	return due - now < INT32_MAX ? (int)(due - now) : INT32_MAX;
}

static void
run_timers(struct loop *l)
{
	int64_t now = clock_ms();
	struct timer *t = l->timers;

	while (t != NULL) {
		if (t->due > now) {
			t = t->next;
			continue;
		}
		loop_timer_stop(l, t);
		t->fn(t->arg);
		t = l->timers; /* fn may have changed the list */
	}
}

static void
run_always(struct loop *l)
{
	for (struct watch *w = l->always, *next; w != NULL; w = next) {
		next = w->next;
		if (w->events != 0)
			w->fn(w->arg, w->events);
	}
}

int
loop_run_once(struct loop *l, int ms)
{
	int n = epoll_wait(l->epoll_fd, l->batch, BATCH_MAX, wait_ms(l, ms));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	l->nbatch = n;
	for (int i = 0; i < n; i++) {
		struct watch *w = l->batch[i].data.ptr;

		if (w != NULL)
			w->fn(w->arg, l->batch[i].events);
	}
	l->nbatch = 0;
	run_always(l);
	run_timers(l);
	return 0;
}

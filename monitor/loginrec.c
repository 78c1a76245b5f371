/*
 * Login records. Runs in sshd-monitor as root. A missing or full file never
 * stops a login.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <lastlog.h>
#include <paths.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <utmpx.h>

#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "monitor/loginrec.h"

#define LOCK_WAIT_NS 250000000

/* utmp's id has four bytes: the end of the terminal's name, as others do it. */
static void
set_id(struct utmpx *u, const char *tty)
{
	size_t len = strlen(tty);
	size_t n = sizeof(u->ut_id);

	strncpy(u->ut_id, len > n ? tty + len - n : tty, n);
}

static void
set_address(struct utmpx *u, const char *addr)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, addr, &v4) == 1)
		memcpy(u->ut_addr_v6, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, addr, &v6) == 1)
		memcpy(u->ut_addr_v6, &v6, sizeof(v6));
}

static void
set_time(struct utmpx *u)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	u->ut_tv.tv_sec = (int32_t)now.tv_sec;
	u->ut_tv.tv_usec = (int32_t)(now.tv_nsec / 1000);
}

/*
 * libc waits ten seconds for the lock of each file, and who may read one can
 * hold it for ever. A signal ends the wait, so there are some.
 */
struct hurry {
	timer_t timer;
	bool runs;
	struct sigaction before;
};

static void
note_nothing(int sig)
{
	(void)sig;
}

static void
hurry_begin(struct hurry *h)
{
	const struct timespec pause = { .tv_nsec = LOCK_WAIT_NS };
	const struct itimerspec often = { pause, pause };
	struct sigaction act = { .sa_handler = note_nothing };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGALRM };

	sigaction(SIGALRM, &act, &h->before);
	h->runs = timer_create(CLOCK_MONOTONIC, &ev, &h->timer) == 0;
	if (h->runs)
		(void)timer_settime(h->timer, 0, &often, NULL);
}

static void
hurry_end(struct hurry *h)
{
	if (h->runs)
		(void)timer_delete(h->timer);
	sigaction(SIGALRM, &h->before, NULL);
}

static void
append(const char *path, const struct utmpx *u)
{
	struct hurry h;

	hurry_begin(&h);
	updwtmpx(path, u);
	hurry_end(&h);
}

static void
record(const struct utmpx *u)
{
	struct hurry h;

	hurry_begin(&h);
	setutxent();
	if (pututxline(u) == NULL && errno == EINTR)
		log_bounded(LEVEL_ERROR,
		    "utmp: %.*s is not recorded: somebody holds a lock",
		    (int)sizeof(u->ut_line), u->ut_line);
	endutxent();
	hurry_end(&h);
	append(_PATH_WTMP, u);
}

static void
write_lastlog(const struct conn *c, const char *tty)
{
	AUTOCLOSE int fd = open(_PATH_LASTLOG, O_RDWR | O_CLOEXEC);
	struct lastlog ll = { .ll_time = (int32_t)time(NULL) };

	if (fd < 0)
		return;
	strncpy(ll.ll_line, tty, sizeof(ll.ll_line) - 1);
	strncpy(ll.ll_host, conn_host(c), sizeof(ll.ll_host) - 1);
	(void)!pwrite(
	    fd, &ll, sizeof(ll), (off_t)c->account.uid * (off_t)sizeof(ll));
}

void
loginrec_login(const struct conn *c, const char *tty, pid_t pid)
{
	struct utmpx u = { .ut_type = USER_PROCESS, .ut_pid = pid };

	set_id(&u, tty);
	strncpy(u.ut_line, tty, sizeof(u.ut_line) - 1);
	strncpy(u.ut_user, c->account.name, sizeof(u.ut_user));
	strncpy(u.ut_host, conn_host(c), sizeof(u.ut_host) - 1);
	set_address(&u, c->addr);
	set_time(&u);
	record(&u);
	write_lastlog(c, tty);
}

void
loginrec_logout(const char *tty, pid_t pid)
{
	struct utmpx u = { .ut_type = DEAD_PROCESS, .ut_pid = pid };

	set_id(&u, tty);
	strncpy(u.ut_line, tty, sizeof(u.ut_line) - 1);
	set_time(&u);
	record(&u);
}

void
loginrec_failed(const struct conn *c)
{
	struct utmpx u = { .ut_type = LOGIN_PROCESS, .ut_pid = getpid() };
	struct stat st;

	/* It holds what people type as names: never one that others can read */
	if (stat("/var/log/btmp", &st) != 0 || st.st_uid != 0 ||
	    (st.st_mode & (S_IRWXO | S_IXGRP)) != 0)
		return;
	strncpy(u.ut_line, "ssh:notty", sizeof(u.ut_line) - 1);
	strncpy(u.ut_user, c->user, sizeof(u.ut_user));
	strncpy(u.ut_host, conn_host(c), sizeof(u.ut_host) - 1);
	set_address(&u, c->addr);
	set_time(&u);
	append("/var/log/btmp", &u);
}

bool
loginrec_last(const struct account *a, struct loginrec_last *out_last)
{
	AUTOCLOSE int fd = open(_PATH_LASTLOG, O_RDONLY | O_CLOEXEC);
	struct lastlog ll;

	if (fd < 0 ||
	    pread(fd, &ll, sizeof(ll), (off_t)a->uid * (off_t)sizeof(ll)) !=
		(ssize_t)sizeof(ll) ||
	    ll.ll_time == 0)
		return false;
	out_last->when = (time_t)(uint32_t)ll.ll_time;
	snprintf(out_last->host, sizeof(out_last->host), "%.*s",
	    (int)sizeof(ll.ll_host), ll.ll_host);
	return true;
}

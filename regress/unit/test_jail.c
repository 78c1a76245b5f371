/*
 * The jail of sshd-net: each call that a row of jail.def permits works in it,
 * each that a row refuses fails and no more, and what an intruder would want
 * ends the process. Each try is made in a child of its own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "common/err.h"
#include "common/jail.h"
#include "common/own.h"
#include "regress/unit/tap.h"

#define NO_JAIL 77
#define SURVIVED 78
#define WORKS 79
#define PAGE 4096
#define X32_BIT 0x40000000L
#define URETPROBE 335
#define UPROBE 336
#ifdef __x86_64__
#define IS_X86_64 true
#else
#define IS_X86_64 false
#endif
/* Newer machines lack these; their rows are then left out as well. */
#ifdef SYS_open
#define CALL_OPEN SYS_open
#define CALL_TIME SYS_time
#define CALL_POLL SYS_poll
#else
#define CALL_OPEN (-1L)
#define CALL_TIME (-1L)
#define CALL_POLL (-1L)
#endif

#include "regress/unit/jail_calls.h"

/* --- the children */

static void
on_timer(int sig)
{
	(void)sig;
	timer_ran = 1;
}

/* What the tries use, and then the jail; the timer runs out inside. */
static void
enter(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 20000 } };

	signal(SIGALRM, on_timer);
	file_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	pages = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
	    write(pair[1], "abc", 3) != 3 || file_fd < 0 ||
	    pages == MAP_FAILED || setitimer(ITIMER_REAL, &soon, NULL) != 0 ||
	    jail_seccomp(JAIL_NET) != 0)
		_exit(NO_JAIL);
}

static int
wait_status(pid_t pid)
{
	int status;

	ck_assert_int_gt(pid, 0);
	while (waitpid(pid, &status, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	return status;
}

static bool (*try_of(const char *name))(void)
{
	for (size_t i = 0; i < nitems_of(tries); i++)
		if (strcmp(tries[i].name, name) == 0)
			return tries[i].try;
	return NULL;
}

static bool
has_row(long call)
{
	for (size_t i = 0; i < jail_nrules; i++)
		if (jail_rules[i].call == call)
			return true;
	return false;
}

/* Rows that are there for the sanitizers' own sake need no try. */
static bool
is_ours(const struct jail_rule *r)
{
	static const char *const theirs[] = {
#define ALLOW(role, call, why) #call,
#include "common/jail_sanitizers.def"
#undef ALLOW
	};

	for (size_t i = 0; i < nitems_of(theirs); i++)
		if (strcmp(theirs[i], r->name) == 0)
			return false;
	return true;
}

START_TEST(row_does_what_it_says)
{
	const struct jail_rule *r = &jail_rules[_i];
	bool (*try)(void) = try_of(r->name);
	int status;
	pid_t pid;

	ck_assert_uint_gt(strlen(r->why), 3);
	ck_assert_uint_lt(r->role, JAIL_ROLE_COUNT);
	if (!is_ours(r) || r->call < 0)
		return;
	ck_assert_msg(try != NULL, "no try of %s: add one", r->name);
	pid = fork();
	if (pid == 0) {
		enter();
		errno = 0;
		if (r->verdict == JAIL_ERRNO)
			_exit(!try() && errno == (int)r->value ? WORKS
							       : SURVIVED);
		_exit(try() ? WORKS : SURVIVED);
	}
	status = wait_status(pid);
	ck_assert_msg(
	    !WIFSIGNALED(status), "%s: signal %d", r->name, WTERMSIG(status));
	ck_assert_msg(WEXITSTATUS(status) == WORKS, "%s: status %d", r->name,
	    WEXITSTATUS(status));
}
END_TEST

START_TEST(call_is_fatal)
{
	const long *a = fatal_calls[_i].args;
	long call = fatal_calls[_i].call;
	int status;
	pid_t pid;

	/* A build with sanitizers has rows that others lack. */
	for (size_t i = 0; i < jail_nrules; i++)
		if (jail_rules[i].call == call && !is_ours(&jail_rules[i]))
			return;
	pid = fork();
	if (pid == 0) {
		enter();
		(void)syscall(call, a[0], a[1], a[2], a[3], a[4], a[5]);
		_exit(SURVIVED);
	}
	status = wait_status(pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	    "%s: wait status %#x", fatal_calls[_i].what, (unsigned)status);
}
END_TEST

/*
 * uretprobe and uprobe: the kernel asks no filter about them, and lets only
 * its own trampolines make them.
 */
static bool
is_unfiltered(long call)
{
	return IS_X86_64 && (call == URETPROBE || call == UPROBE);
}

/*
 * Of all calls that the kernel may have, those without a row. The arguments
 * are such that none does harm even where the filter lets it through.
 */
START_TEST(every_other_number_is_fatal)
{
	for (long call = 0; call < 512; call++) {
		int status;
		pid_t pid;

		if (has_row(call) || is_unfiltered(call))
			continue;
		pid = fork();
		if (pid == 0) {
			enter();
			(void)syscall(call, -1L, -1L, -1L, -1L, -1L, -1L);
			_exit(SURVIVED);
		}
		status = wait_status(pid);
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
		    "call %ld: wait status %#x", call, (unsigned)status);
	}
}
END_TEST

#ifdef __x86_64__
static long
call_i386(long number)
{
	long rc;

	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(number) : "memory");
	return rc;
}
#else
static long
call_i386(long number)
{
	(void)number;
	return kill(getpid(), SIGSYS);
}
#endif

START_TEST(other_abi_is_fatal)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		enter();
		(void)call_i386(20); /* getpid(2) there */
		_exit(SURVIVED);
	}
	status = wait_status(pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
END_TEST

static bool
status_has(pid_t pid, const char *wanted)
{
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		found |= strcmp(line, wanted) == 0;
	fclose(f);
	return found;
}

START_TEST(jailed_for_good)
{
	struct stat st;
	char path[64];
	int ready[2], wait[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(wait), 0);
	pid = fork();
	if (pid == 0) {
		if (jail_seccomp(JAIL_NET) != 0)
			_exit(NO_JAIL);
		(void)!write(ready[1], "r", 1);
		(void)!read(wait[0], &byte, 1);
		_exit(WORKS);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert(status_has(pid, "NoNewPrivs:\t1\n"));
	ck_assert(status_has(pid, "Seccomp:\t2\n"));
	/* What is not dumpable is root's in /proc, whoever runs it. */
	snprintf(path, sizeof(path), "/proc/%ld/mem", (long)pid);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_int_eq(write(wait[1], "g", 1), 1);
	ck_assert_int_eq(WEXITSTATUS(wait_status(pid)), WORKS);
}
END_TEST

/* --- the other steps */

START_TEST(limits_hold)
{
	const struct {
		int what;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_NOFILE, 99 },
	};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit rl;

		if (jail_limits(99) != 0)
			_exit(NO_JAIL);
		for (size_t i = 0; i < nitems_of(limits); i++)
			if (getrlimit(limits[i].what, &rl) != 0 ||
			    rl.rlim_cur != limits[i].most ||
			    rl.rlim_max != limits[i].most)
				_exit(SURVIVED);
		/* What is less already stays so. */
		if (jail_limits(100) != 0 ||
		    getrlimit(RLIMIT_NOFILE, &rl) != 0 || rl.rlim_max != 99)
			_exit(SURVIVED);
		_exit(WORKS);
	}
	status = wait_status(pid);
	ck_assert_int_eq(WEXITSTATUS(status), WORKS);
}
END_TEST

START_TEST(capabilities_go)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		cap_t caps, none = cap_init();

		if (jail_drop_caps() != 0)
			_exit(NO_JAIL);
		caps = cap_get_proc();
		if (caps == NULL || cap_compare(caps, none) != 0 ||
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SYS_CHROOT,
			0, 0) != 0)
			_exit(SURVIVED);
		_exit(WORKS);
	}
	status = wait_status(pid);
	ck_assert_int_eq(WEXITSTATUS(status), WORKS);
}
END_TEST

/* The result of jail_chroot() in a child, which alone would be in there. */
static int
chroot_result(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		int rc = jail_chroot(path);

		if (rc == 0 &&
		    (access("/", F_OK) != 0 || access("/proc", F_OK) == 0))
			rc = -ELOOP;
		_exit(-rc);
	}
	return -WEXITSTATUS(wait_status(pid));
}

START_TEST(root_must_be_empty_and_safe)
{
	char dir[] = "/tmp/test_jail.XXXXXX";
	char path[64], link_path[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/d", dir);
	snprintf(link_path, sizeof(link_path), "%s/l", dir);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_eq(symlink(path, link_path), 0);
	ck_assert_int_eq(chroot_result(path), geteuid() == 0 ? 0 : -EPERM);
	ck_assert_int_eq(chroot_result(link_path), -ENOTDIR);
	ck_assert_int_eq(chroot_result("/dev/null"), -ENOTDIR);
	ck_assert_int_eq(chroot_result("/nowhere/at/all"), -ENOENT);
	ck_assert_int_eq(
	    chroot_result(dir), geteuid() == 0 ? -ENOTEMPTY : -EPERM);
	ck_assert_int_eq(chmod(path, 0775), 0);
	ck_assert_int_eq(chroot_result(path), -EPERM);
	ck_assert_int_eq(chmod(path, 0757), 0);
	ck_assert_int_eq(chroot_result(path), -EPERM);
	ck_assert_int_eq(chmod(path, 0755), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 65534, 0), 0);
		ck_assert_int_eq(chroot_result(path), -EPERM);
	}
	ck_assert_int_eq(unlink(link_path), 0);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("jail");
	TCase *t = tcase_create("rows");
	TCase *u = tcase_create("others");
	TCase *v = tcase_create("steps");

	tcase_add_loop_test(t, row_does_what_it_says, 0, (int)jail_nrules);
	suite_add_tcase(s, t);
	tcase_set_timeout(u, 120);
	tcase_add_loop_test(u, call_is_fatal, 0, (int)nitems_of(fatal_calls));
	tcase_add_test(u, every_other_number_is_fatal);
	tcase_add_test(u, other_abi_is_fatal);
	suite_add_tcase(s, u);
	tcase_add_test(v, jailed_for_good);
	tcase_add_test(v, limits_hold);
	tcase_add_test(v, capabilities_go);
	tcase_add_test(v, root_must_be_empty_and_safe);
	suite_add_tcase(s, v);
	return tap_run(s);
}

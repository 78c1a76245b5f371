/*
 * The jail of sshd-forward: what connecting, binding and looking names up need
 * works in it, and what an intruder would want fails. Each try is made in a
 * child of its own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/landlock.h"
#include "common/own.h"
#include "forward/agent.h"
#include "forward/jail.h"
#include "regress/unit/tap.h"

#define NO_JAIL 77
#define YES 78
#define NO 79

/* The status of a child that has entered the jail and then tried. */
static int
try_inside(bool (*try)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (forward_jail() != 0)
			_exit(NO_JAIL);
		_exit(try() ? YES : NO);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "wait status %#x", (unsigned)status);
	return WEXITSTATUS(status);
}

/* --- what it needs */

static bool
reads_files(void)
{
	struct stat st;
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 1 && fstat(fd, &st) == 0;
}

static bool
makes_sockets(void)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX,
		AF_NETLINK };

	for (size_t i = 0; i < nitems_of(families); i++) {
		int fd = socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);

		/* A kernel without IPv6 says so, and not EPERM. */
		if (fd < 0 && errno == EPERM)
			return false;
	}
	return true;
}

static bool
looks_up(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;

	return getaddrinfo("localhost", "22", &hints, &found) == 0;
}

static void *
look_up(void *arg)
{
	*(bool *)arg = looks_up();
	return NULL;
}

static bool
looks_up_in_threads(void)
{
	pthread_t thread;
	bool good = false;

	return pthread_create(&thread, NULL, look_up, &good) == 0 &&
	       pthread_join(thread, NULL) == 0 && good;
}

static bool
makes_an_agent(void)
{
	struct agent a = { .dir = "" };
	struct stat st;
	bool good;
	int fd = -1;

	good = agent_listen(&a, &fd) == 0 && fd >= 0 &&
	       agent_listen(&a, &fd) == -EEXIST && stat(a.dir, &st) == 0 &&
	       (st.st_mode & 07777) == 0700 && stat(a.path, &st) == 0 &&
	       (st.st_mode & 07777) == 0600;
	agent_done(&a);
	return good && stat(a.path, &st) != 0 && errno == ENOENT;
}

static bool (*const needed[])(void) = { reads_files, makes_sockets, looks_up,
	looks_up_in_threads, makes_an_agent };

START_TEST(it_can)
{
	ck_assert_int_eq(try_inside(needed[_i]), YES);
}
END_TEST

/* --- of ours, where the agent's socket never is */

static char own_place[] = "/var/tmp/forward-jail-XXXXXX";
static char own_file[64], own_dir[64], own_new[64];

static int own_abi; /* asked before the jail: it cannot be in it */

static void
own_begin(void)
{
	int fd;

	own_abi = landlock_abi();
	if (mkdtemp(own_place) == NULL)
		exit(99);
	snprintf(own_file, sizeof(own_file), "%s/file", own_place);
	snprintf(own_dir, sizeof(own_dir), "%s/dir", own_place);
	snprintf(own_new, sizeof(own_new), "%s/new", own_place);
	fd = open(own_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) != 0 || mkdir(own_dir, 0700) != 0)
		exit(99);
}

static void
own_end(void)
{
	(void)unlink(own_file);
	(void)rmdir(own_dir);
	(void)rmdir(own_place);
}

/* --- what it must not; each returns whether it was refused with EPERM */

static bool
runs(void)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };

	return execve("/bin/true", argv, environ) < 0 && errno == EPERM;
}

static bool
forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(NO);
	return pid < 0 && errno == EPERM;
}

static bool
writes(void)
{
	static const int flags[] = { O_WRONLY, O_RDWR, O_RDONLY | O_CREAT,
		O_RDONLY | O_TRUNC };

	for (size_t i = 0; i < nitems_of(flags); i++)
		if (open("/dev/null", flags[i] | O_CLOEXEC, 0600) >= 0 ||
		    errno != EPERM)
			return false;
	return true;
}

static bool
traces(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 &&
	       errno == EPERM;
}

static bool
kills(void)
{
	return kill(getppid(), 0) < 0 && errno == EPERM;
}

static bool
makes_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED || errno != EPERM)
		return false;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED &&
	       mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EPERM;
}

static bool
opens_raw_sockets(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) < 0 &&
	       errno == EPERM;
}

static bool
changes_files(void)
{
	return chmod("/dev/null", 0666) < 0 && errno == EPERM &&
	       rename("/nonexistent", "/nowhere") < 0 && errno == EPERM &&
	       symlink("a", "/tmp/nowhere") < 0 && errno == EPERM;
}

/* The filter would let these calls pass; who owns the files, too. */
static bool
removes_files(void)
{
	if (own_abi == 0)
		return true;
	return unlink(own_file) < 0 && errno == EACCES && rmdir(own_dir) < 0 &&
	       errno == EACCES && mkdir(own_new, 0700) < 0 && errno == EACCES;
}

static bool
takes_ids(void)
{
	return setuid(0) < 0 && errno == EPERM && setgid(0) < 0 &&
	       errno == EPERM;
}

static bool (*const refused[])(void) = { runs, forks, writes, traces, kills,
	makes_code, opens_raw_sockets, changes_files, removes_files,
	takes_ids };

START_TEST(it_cannot)
{
	ck_assert_int_eq(try_inside(refused[_i]), YES);
}
END_TEST

/* --- and the rest of the jail */

/* The sanitizers' run time asks for limits, and their filter lets it. */
#ifdef WITH_SANITIZERS
#define MAY_ASK_LIMITS true
#else
#define MAY_ASK_LIMITS false
#endif

static bool
is_closed(void)
{
	struct rlimit core, size;

	/* Asked by prctl(2) it would fail: the kernel's own view is enough. */
	return getrlimit(RLIMIT_CORE, &core) < 0 &&
	       getrlimit(RLIMIT_FSIZE, &size) < 0 && errno == EPERM;
}

START_TEST(for_good)
{
	ck_assert_int_eq(try_inside(is_closed), YES);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("forward jail");
	TCase *t = tcase_create("jail");

	tcase_set_timeout(t, 60);
	tcase_add_unchecked_fixture(t, own_begin, own_end);
	tcase_add_loop_test(t, it_can, 0, nitems_of(needed));
	tcase_add_loop_test(t, it_cannot, 0, nitems_of(refused));
	if (!MAY_ASK_LIMITS)
		tcase_add_test(t, for_good);
	suite_add_tcase(s, t);
	return tap_run(s);
}

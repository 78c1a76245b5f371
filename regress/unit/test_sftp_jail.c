/* The jail of sftp-server: what each role is killed for, and what it is not. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/own.h"
#include "regress/unit/tap.h"
#include "sftp-server/jail.h"
#include "sftp-server/lend.h"
#include "sftp-server/slog.h"

#define NO_FILTER 77
#define NO_JAIL 78
#define BOTH (JAIL_READ | JAIL_WRITE)
#define NOWHERE "/nowhere/at/all"

static const struct {
	const char *what;
	unsigned roles; /* that are killed for it */
	long call;
	long args[6];
} denied[] = {
	{ "execve", BOTH, SYS_execve, { (long)"/bin/true" } },
	{ "fork", BOTH, SYS_clone, { SIGCHLD } },
	{ "ptrace", BOTH, SYS_ptrace, { PTRACE_TRACEME } },
	{ "kill", BOTH, SYS_kill, { 1, 0 } },
	{ "process_vm_readv", BOTH, SYS_process_vm_readv, { 1 } },
	{ "mount", BOTH, SYS_mount, { 0 } },
	{ "chroot", BOTH, SYS_chroot, { (long)"/" } },
	{ "setuid", BOTH, SYS_setuid, { 0 } },
	{ "dup", BOTH, SYS_dup, { 0 } },
	{ "memfd_create", BOTH, SYS_memfd_create, { (long)"x" } },
	{ "code", BOTH, SYS_mmap,
	    { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		-1 } },
	{ "code made", BOTH, SYS_mprotect, { 0, 4096, PROT_EXEC } },
	{ "mknod", BOTH, SYS_mknodat, { AT_FDCWD, (long)NOWHERE, S_IFIFO } },
	{ "setxattr", BOTH, SYS_setxattr, { (long)NOWHERE } },
	{ "a read elsewhere", BOTH, SYS_read, { 9 } },
	{ "a write elsewhere", BOTH, SYS_write, { 9 } },
	{ "splice elsewhere", BOTH, SYS_splice, { 9, 0, STDOUT_FILENO } },
	{ "splice to a file", BOTH, SYS_splice, { STAGE_OUT_FD, 0, 9 } },
	{ "splice of requests", BOTH, SYS_splice, { STDIN_FILENO, 0, 9 } },
	{ "tee", BOTH, SYS_tee, { STAGE_OUT_FD, STDOUT_FILENO } },
	{ "another connection", BOTH, SYS_connect, { SLOG_FD + 1 } },
	{ "open to write", JAIL_READ, SYS_openat,
	    { AT_FDCWD, (long)NOWHERE, O_WRONLY } },
	{ "open for both", JAIL_READ, SYS_openat,
	    { AT_FDCWD, (long)NOWHERE, O_RDWR } },
	{ "create", JAIL_READ, SYS_openat,
	    { AT_FDCWD, (long)NOWHERE, O_RDONLY | O_CREAT } },
	{ "truncate at open", JAIL_READ, SYS_openat,
	    { AT_FDCWD, (long)NOWHERE, O_RDONLY | O_TRUNC } },
	{ "nameless file", JAIL_READ, SYS_openat,
	    { AT_FDCWD, (long)NOWHERE, O_TMPFILE } },
	{ "pwrite", JAIL_READ, SYS_pwrite64, { -1 } },
	{ "truncate", JAIL_READ, SYS_ftruncate, { -1 } },
	{ "openat2", JAIL_READ, SYS_openat2, { AT_FDCWD, (long)NOWHERE } },
	{ "unlink", JAIL_READ, SYS_unlinkat, { AT_FDCWD, (long)NOWHERE } },
	{ "rename", JAIL_READ, SYS_renameat2,
	    { AT_FDCWD, (long)NOWHERE, AT_FDCWD, (long)NOWHERE } },
	{ "chmod", JAIL_READ, SYS_fchmodat, { AT_FDCWD, (long)NOWHERE } },
	{ "chown", JAIL_READ, SYS_fchownat, { AT_FDCWD, (long)NOWHERE } },
	{ "utimes", JAIL_READ, SYS_utimensat, { AT_FDCWD, (long)NOWHERE } },
	{ "mkdir", JAIL_READ, SYS_mkdirat, { AT_FDCWD, (long)NOWHERE } },
	{ "link", JAIL_READ, SYS_linkat, { AT_FDCWD, (long)NOWHERE } },
	{ "symlink", JAIL_READ, SYS_symlinkat, { (long)NOWHERE } },
	{ "lseek", JAIL_READ, SYS_lseek, { -1 } },
	{ "pwritev", JAIL_READ, SYS_pwritev, { -1 } },
	{ "copy_file_range", JAIL_READ, SYS_copy_file_range, { -1 } },
	{ "open to read", 0, SYS_openat, { AT_FDCWD, (long)NOWHERE } },
	{ "stat", 0, SYS_newfstatat, { AT_FDCWD, (long)NOWHERE } },
	{ "memory", 0, SYS_mmap,
	    { 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
	{ "socket", 0, SYS_socket, { AF_INET, SOCK_STREAM } },
	{ "ioctl", 0, SYS_ioctl, { 0 } },
	{ "bytes elsewhere", BOTH, SYS_ioctl, { 0, FIONREAD } },
	{ "bytes in stdout", JAIL_READ, SYS_ioctl,
	    { STDOUT_FILENO, FIONREAD } },
	{ "splice to the stage", 0, SYS_splice, { 9, 0, STAGE_IN_FD } },
	{ "splice from the stage", 0, SYS_splice,
	    { STAGE_OUT_FD, 0, STDOUT_FILENO } },
};

/* The wait status of a jailed child that makes one call. */
static int
try_call(enum jail_role role, int i)
{
	const long *a = denied[i].args;
	struct jail_report report;
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (jail_enter(role, &report) != 0)
			_exit(NO_JAIL);
		if (!report.seccomp)
			_exit(NO_FILTER);
		syscall(denied[i].call, a[0], a[1], a[2], a[3], a[4], a[5]);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(calls)
{
	static const enum jail_role roles[] = { JAIL_READ, JAIL_WRITE };

	for (size_t i = 0; i < nitems_of(roles); i++) {
		int status = try_call(roles[i], _i);

		if (WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTER)
			continue;
		if ((denied[_i].roles & roles[i]) != 0)
			ck_assert_msg(
			    WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
			    "%s in role %d: status %x", denied[_i].what,
			    roles[i], (unsigned)status);
		else
			ck_assert_msg(status == 0, "%s in role %d: status %x",
			    denied[_i].what, roles[i], (unsigned)status);
	}
}
END_TEST

/* In a child: this may be done by Landlock where there is no filter. */
static int
try_landlock(enum jail_role role, const char *path)
{
	int abi = landlock_enter(role), bad = 0;
	AUTOCLOSE int again = open(path, O_RDWR);
	char *none[] = { NULL };

	if (abi <= 0)
		return abi == 0 ? NO_FILTER : NO_JAIL;
	if ((again >= 0) != (role == JAIL_WRITE))
		bad |= 1;
	if ((unlink(path) == 0) != (role == JAIL_WRITE))
		bad |= 2;
	execve("/proc/self/exe", none, none);
	return errno == EACCES ? bad : bad | 4;
}

START_TEST(landlock)
{
	static const enum jail_role roles[] = { JAIL_READ, JAIL_WRITE };
	char path[] = "/tmp/test_sftp_jail.XXXXXX";
	AUTOCLOSE int fd = mkstemp(path);
	int status;
	pid_t pid;

	ck_assert_int_ge(fd, 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
			_exit(NO_JAIL);
		_exit(try_landlock(roles[_i], path));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	(void)unlink(path);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) != NO_FILTER)
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sftp_jail");
	TCase *tc = tcase_create("jail");

	tcase_add_loop_test(tc, calls, 0, nitems_of(denied));
	tcase_add_loop_test(tc, landlock, 0, 2);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}

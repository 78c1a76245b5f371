/*
 * For test_jail.c: one try for each system call that a row of jail.def names,
 * and the calls that an intruder would want.
 */
#ifndef REGRESS_UNIT_JAIL_CALLS_H
#define REGRESS_UNIT_JAIL_CALLS_H

/* --- what the rows permit: one try a call, true if it did what it should */

static int pair[2]; /* a socket pair that can be written and read */
static int file_fd; /* a file of our own */
static void *pages; /* of memory */
static volatile sig_atomic_t timer_ran;

static bool
fine(long rc)
{
	return rc >= 0;
}

static bool
try_poll(void)
{
	struct pollfd pfd = { pair[0], POLLOUT, 0 };

	return fine(syscall(CALL_POLL, &pfd, 1, 0));
}

static bool
try_ppoll(void)
{
	struct pollfd pfd = { pair[0], POLLOUT, 0 };

	return fine(syscall(SYS_ppoll, &pfd, 1, NULL, NULL, 0));
}

static bool
try_read(void)
{
	char byte;

	return syscall(SYS_read, pair[0], &byte, 1) == 1;
}

static bool
try_write(void)
{
	return syscall(SYS_write, pair[0], "a", 1) == 1;
}

static bool
try_writev(void)
{
	struct iovec iov = { (void *)(uintptr_t) "a", 1 };

	return syscall(SYS_writev, pair[0], &iov, 1) == 1;
}

static bool
try_recvfrom(void)
{
	char byte;

	return syscall(SYS_recvfrom, pair[0], &byte, 1, 0, NULL, NULL) == 1;
}

static bool
try_sendto(void)
{
	return syscall(SYS_sendto, pair[0], "a", 1, 0, NULL, 0) == 1;
}

static bool
try_recvmsg(void)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	return syscall(SYS_recvmsg, pair[0], &hdr, 0) == 1;
}

static bool
try_sendmsg(void)
{
	struct iovec iov = { (void *)(uintptr_t) "a", 1 };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	return syscall(SYS_sendmsg, pair[0], &hdr, 0) == 1;
}

static bool
try_close(void)
{
	return fine(syscall(SYS_close, pair[1]));
}

static bool
try_accept4(void)
{
	/* The call is made; that there is no listener is its own business. */
	return syscall(SYS_accept4, file_fd, NULL, NULL, SOCK_CLOEXEC) < 0 &&
	       errno == ENOTSOCK;
}

static bool
try_shutdown(void)
{
	return fine(syscall(SYS_shutdown, pair[0], SHUT_WR));
}

static bool
try_ioctl(void)
{
	struct winsize size = { 24, 80, 0, 0 };

	return syscall(SYS_ioctl, file_fd, TIOCSWINSZ, &size) == -1 &&
	       errno == ENOTTY;
}

/* A socket pair has no such option, and says so. */
static bool
try_setsockopt(void)
{
	int value = 0;

	return syscall(SYS_setsockopt, pair[0], IPPROTO_IP, IP_TOS, &value,
		   sizeof(value)) == -1 &&
	       syscall(SYS_setsockopt, pair[0], IPPROTO_IPV6, IPV6_TCLASS,
		   &value, sizeof(value)) == -1 &&
	       errno == EOPNOTSUPP;
}

static bool
try_fcntl(void)
{
	long flags = syscall(SYS_fcntl, pair[0], F_GETFL, 0);

	return fine(flags) &&
	       fine(syscall(SYS_fcntl, pair[0], F_SETFL, flags | O_NONBLOCK));
}

static bool
try_getpid(void)
{
	return syscall(SYS_getpid) > 0;
}

static bool
try_getrandom(void)
{
	char byte;

	return syscall(SYS_getrandom, &byte, 1, 0) == 1;
}

static bool
try_clock_gettime(void)
{
	struct timespec ts;

	return fine(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts));
}

static bool
try_gettimeofday(void)
{
	struct timeval tv;

	return fine(syscall(SYS_gettimeofday, &tv, NULL));
}

static bool
try_time(void)
{
	return syscall(CALL_TIME, NULL) > 0;
}

static bool
try_brk(void)
{
	return syscall(SYS_brk, 0) != 0;
}

static bool
try_mmap(void)
{
	return syscall(SYS_mmap, NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != -1;
}

static bool
try_mprotect(void)
{
	return fine(syscall(SYS_mprotect, pages, PAGE, PROT_READ));
}

static bool
try_munmap(void)
{
	return fine(syscall(SYS_munmap, pages, PAGE));
}

static bool
try_mremap(void)
{
	return syscall(SYS_mremap, pages, PAGE, 2 * PAGE, MREMAP_MAYMOVE) != -1;
}

static bool
try_madvise(void)
{
	return fine(syscall(SYS_madvise, pages, PAGE, MADV_DONTNEED));
}

static bool
try_futex(void)
{
	int word = 0;

	return fine(syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0));
}

/* The timer was set before the jail; its handler has to return in it. */
static bool
try_rt_sigreturn(void)
{
	struct timespec most = { 1, 0 };

	/* A poll that the signal does not end, as it came before, ends too. */
	while (timer_ran == 0)
		(void)syscall(SYS_ppoll, NULL, 0, &most, NULL, 0);
	return true;
}

static bool
try_rt_sigprocmask(void)
{
	return fine(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 8));
}

static bool
try_restart_syscall(void)
{
	return syscall(SYS_restart_syscall) == -1 && errno == EINTR;
}

static bool
try_exit(void)
{
	syscall(SYS_exit, WORKS);
	return false;
}

static bool
try_exit_group(void)
{
	syscall(SYS_exit_group, WORKS);
	return false;
}

/* The refused ones: the errno is compared with the row's. */

static bool
try_openat(void)
{
	return fine(syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0));
}

static bool
try_open(void)
{
	return fine(syscall(CALL_OPEN, "/", O_RDONLY, 0));
}

static bool
try_newfstatat(void)
{
	struct stat st;

	return fine(syscall(SYS_newfstatat, AT_FDCWD, "/", &st, 0));
}

static bool
try_getsockopt(void)
{
	int error;
	socklen_t len = sizeof(error);

	return fine(syscall(
	    SYS_getsockopt, pair[0], SOL_SOCKET, SO_ERROR, &error, &len));
}

static bool
try_tgkill(void)
{
	return fine(syscall(SYS_tgkill, getpid(), getpid(), 0));
}

/* clang-format off */
#define TRY(call) { #call, try_##call }
/* clang-format on */
static const struct {
	const char *name;
	bool (*try)(void);
} tries[] = {
	TRY(poll),
	TRY(ppoll),
	TRY(read),
	TRY(write),
	TRY(writev),
	TRY(recvfrom),
	TRY(sendto),
	TRY(recvmsg),
	TRY(sendmsg),
	TRY(close),
	TRY(accept4),
	TRY(shutdown),
	TRY(ioctl),
	TRY(setsockopt),
	TRY(fcntl),
	TRY(getpid),
	TRY(getrandom),
	TRY(clock_gettime),
	TRY(gettimeofday),
	TRY(time),
	TRY(brk),
	TRY(mmap),
	TRY(mprotect),
	TRY(munmap),
	TRY(mremap),
	TRY(madvise),
	TRY(futex),
	TRY(rt_sigreturn),
	TRY(rt_sigprocmask),
	TRY(restart_syscall),
	TRY(exit),
	TRY(exit_group),
	TRY(openat),
	TRY(open),
	TRY(newfstatat),
	TRY(getsockopt),
	TRY(tgkill),
};

/* --- what is killed */

static const struct {
	const char *what;
	long call;
	long args[6];
} fatal_calls[] = {
	{ "execve", SYS_execve, { (long)"/bin/true" } },
	{ "execveat", SYS_execveat, { AT_FDCWD, (long)"/bin/true" } },
	{ "clone: a process", SYS_clone, { SIGCHLD } },
	{ "clone: a thread", SYS_clone,
	    { CLONE_VM | CLONE_SIGHAND | CLONE_THREAD } },
	{ "clone3", SYS_clone3, { 0 } },
	{ "unshare", SYS_unshare, { CLONE_NEWUSER } },
	{ "setns", SYS_setns, { 0 } },
	{ "kill 0", SYS_kill, { 0, 0 } },
	{ "kill init", SYS_kill, { 1, 0 } },
	{ "tkill", SYS_tkill, { 1, 0 } },
	{ "rt_sigqueueinfo", SYS_rt_sigqueueinfo, { 1 } },
	{ "pidfd_open", SYS_pidfd_open, { 1 } },
	{ "pidfd_getfd", SYS_pidfd_getfd, { 3, 0 } },
	{ "pidfd_send_signal", SYS_pidfd_send_signal, { 3, SIGKILL } },
	{ "ptrace: attach", SYS_ptrace, { PTRACE_ATTACH, 1 } },
	{ "ptrace: traceme", SYS_ptrace, { PTRACE_TRACEME } },
	{ "process_vm_readv", SYS_process_vm_readv, { 1 } },
	{ "process_vm_writev", SYS_process_vm_writev, { 1 } },
	{ "process_madvise", SYS_process_madvise, { 3 } },
	{ "kcmp", SYS_kcmp, { 1, 1 } },
	{ "perf_event_open", SYS_perf_event_open, { 0 } },
	{ "bpf", SYS_bpf, { 0 } },
	{ "userfaultfd", SYS_userfaultfd, { 0 } },
	{ "io_uring_setup", SYS_io_uring_setup, { 1 } },
	{ "keyctl", SYS_keyctl, { 0 } },
	{ "add_key", SYS_add_key, { 0 } },
	{ "socket: inet", SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "socket: unix", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "socket: netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 } },
	{ "socketpair", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "connect", SYS_connect, { 4 } },
	{ "bind", SYS_bind, { 4 } },
	{ "listen", SYS_listen, { 4, 1 } },
	{ "setsockopt: SO_ATTACH_FILTER", SYS_setsockopt,
	    { 0, SOL_SOCKET, SO_ATTACH_FILTER } },
	{ "setsockopt: SO_MARK", SYS_setsockopt, { 0, SOL_SOCKET, SO_MARK } },
	{ "setuid", SYS_setuid, { 0 } },
	{ "setgid", SYS_setgid, { 0 } },
	{ "setresuid", SYS_setresuid, { 0, 0, 0 } },
	{ "setgroups", SYS_setgroups, { 0 } },
	{ "capset", SYS_capset, { 0 } },
	{ "chroot", SYS_chroot, { (long)"/" } },
	{ "chdir", SYS_chdir, { (long)"/" } },
	{ "fchdir", SYS_fchdir, { 0 } },
	{ "pivot_root", SYS_pivot_root, { 0 } },
	{ "mount", SYS_mount, { 0 } },
	{ "umount2", SYS_umount2, { (long)"/" } },
	{ "open_tree", SYS_open_tree, { AT_FDCWD, (long)"/" } },
	{ "openat2", SYS_openat2, { AT_FDCWD, (long)"/" } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { 0 } },
	{ "unlinkat", SYS_unlinkat, { AT_FDCWD, (long)"/x" } },
	{ "mkdirat", SYS_mkdirat, { AT_FDCWD, (long)"/x" } },
	{ "linkat", SYS_linkat, { AT_FDCWD, (long)"/x" } },
	{ "renameat2", SYS_renameat2, { AT_FDCWD, (long)"/x" } },
	{ "fchmod", SYS_fchmod, { 0, 0777 } },
	{ "fchown", SYS_fchown, { 0, 0, 0 } },
	{ "ftruncate", SYS_ftruncate, { 0, 0 } },
	{ "getdents64", SYS_getdents64, { 0 } },
	{ "memfd_create", SYS_memfd_create, { (long)"x" } },
	{ "dup", SYS_dup, { 0 } },
	{ "pipe2", SYS_pipe2, { 0 } },
	{ "splice", SYS_splice, { 0 } },
	{ "mmap: PROT_EXEC", SYS_mmap,
	    { 0, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		-1 } },
	{ "mprotect: PROT_EXEC", SYS_mprotect, { 0, 0, PROT_EXEC } },
	{ "pkey_mprotect", SYS_pkey_mprotect, { 0, 0, PROT_EXEC, -1 } },
	{ "shmget", SYS_shmget, { 0, PAGE, 0600 } },
	{ "personality", SYS_personality, { 0x0400000 } },
	{ "prctl: dumpable", SYS_prctl, { PR_SET_DUMPABLE, 1 } },
	{ "prctl: seccomp", SYS_prctl, { PR_GET_SECCOMP } },
	{ "seccomp", SYS_seccomp, { 0 } },
	{ "prlimit64", SYS_prlimit64, { 0, RLIMIT_CORE } },
	{ "setpriority", SYS_setpriority, { 0 } },
	{ "sched_setscheduler", SYS_sched_setscheduler, { 0 } },
	{ "reboot", SYS_reboot, { 0 } },
	{ "init_module", SYS_init_module, { 0 } },
	{ "settimeofday", SYS_settimeofday, { 0 } },
	{ "rt_sigaction", SYS_rt_sigaction, { SIGSYS, 0, 0, 8 } },
	{ "ioctl: TIOCSTI", SYS_ioctl, { 0, TIOCSTI, (long)"x" } },
	{ "ioctl: TIOCSTI, high bits", SYS_ioctl,
	    { 0, TIOCSTI | 1L << 32, (long)"x" } },
	{ "ioctl: TIOCSCTTY", SYS_ioctl, { 0, TIOCSCTTY, 0 } },
	{ "ioctl: TIOCLINUX", SYS_ioctl, { 0, TIOCLINUX, (long)"\3" } },
	{ "fcntl: F_DUPFD", SYS_fcntl, { 0, F_DUPFD, 9 } },
	{ "fcntl: F_SETOWN", SYS_fcntl, { 0, F_SETOWN, 1 } },
	{ "fcntl: F_SETLK", SYS_fcntl, { 0, F_SETLK, 0 } },
	{ "a call that does not exist", 100000, { 0 } },
#ifdef __x86_64__
	{ "fork", SYS_fork, { 0 } },
	{ "vfork", SYS_vfork, { 0 } },
	{ "arch_prctl", SYS_arch_prctl, { 0 } },
	{ "getpid by the x32 table", X32_BIT | SYS_getpid, { 0 } },
	{ "execve by the x32 table", X32_BIT | 520, { 0 } },
#endif
};

#endif

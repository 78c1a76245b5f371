/*
 * Records of live sessions. Written by sshd-monitor, read by sshdctl, both as
 * root; users get nowhere near them.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <vis.h>

#include "common/err.h"
#include "common/own.h"
#include "monitor/record.h"

#define FILE_TEXT_MAX 8192 /* bytes of a record */
#define STAT_TEXT_MAX 1024 /* of /proc/PID/stat */
#define STAT_START 20      /* starttime, counted from the end of comm */

int
record_dir(void)
{
	AUTOCLOSE int fd = -1;
	struct stat st;

	if (mkdir(CONTROL_PATH, 0700) != 0 && errno != EEXIST)
		return -errno;
	fd =
	    open(CONTROL_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (st.st_uid != 0 || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return -EPERM;
	return take_fd(&fd);
}

static void
file_name(pid_t pid, char out[RECORD_NAME_MAX])
{
	snprintf(out, RECORD_NAME_MAX, RECORD_PREFIX "%ld", (long)pid);
}

/* A small file, whole. The number of bytes, or -errno. */
static ssize_t
read_text(int dir_fd, const char *path, char *out, size_t size)
{
	AUTOCLOSE int fd =
	    openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (n < 0)
		return -errno;
	out[n] = '\0';
	return n;
}

/* When a process started, in clock ticks since the machine did. */
static int
start_of(pid_t pid, uint64_t *out_start)
{
	char path[64], text[STAT_TEXT_MAX];
	char *rest = text, *word = NULL;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	n = read_text(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	/* The second field is a name that may hold anything. */
	rest = strrchr(text, ')');
	for (int i = 0; i <= STAT_START && rest != NULL; i++)
		word = strsep(&rest, " ");
	if (rest == NULL)
		return -EBADMSG;
	*out_start = strtoull(word, NULL, 10);
	return 0;
}

/* --- writing */

static int
print(FILE *f, const struct record *r)
{
	char user[sizeof(r->user) * 4], file[sizeof(r->pid_file) * 4];

	strvis(user, r->user, VIS_OCTAL | VIS_WHITE);
	strvis(file, r->pid_file, VIS_OCTAL | VIS_WHITE);
	fprintf(f,
	    "pid %ld\nstart %" PRIu64 "\nsince %" PRId64 "\nsshd %ld\n"
	    "user %s\naddr %s\nport %u\nladdr %s\nlport %u\npidfile %s\n",
	    (long)r->pid, r->start, r->since, (long)r->sshd, user, r->addr,
	    r->port, r->laddr, r->lport, file);
	return ferror(f) ? -EIO : 0;
}

int
record_write(struct record *r)
{
	AUTOCLOSE int dir_fd = record_dir();
	char name[RECORD_NAME_MAX], part[RECORD_NAME_MAX + 1];
	FILE *f;
	int fd, rc;

	if (dir_fd < 0)
		return dir_fd;
	r->pid = getpid();
	rc = start_of(r->pid, &r->start);
	if (rc != 0)
		return rc;
	file_name(r->pid, name);
	snprintf(part, sizeof(part), ".%s", name);
	/* Of an earlier process of this number, should one be left. */
	(void)unlinkat(dir_fd, part, 0);
	fd =
	    openat(dir_fd, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL)
		return -errno;
	rc = print(f, r);
	if (fclose(f) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && renameat(dir_fd, part, dir_fd, name) != 0)
		rc = -errno;
	if (rc != 0)
		(void)unlinkat(dir_fd, part, 0);
	return rc;
}

void
record_remove(pid_t pid)
{
	AUTOCLOSE int dir_fd = record_dir();
	char name[RECORD_NAME_MAX];

	file_name(pid, name);
	if (dir_fd >= 0)
		(void)unlinkat(dir_fd, name, 0);
}

/* --- reading */

/* One line's value into its field. */
static int
take(struct record *r, const char *key, const char *value)
{
	const struct {
		const char *key;
		char *text;
		size_t size;
	} texts[] = {
		{ "user", r->user, sizeof(r->user) },
		{ "addr", r->addr, sizeof(r->addr) },
		{ "laddr", r->laddr, sizeof(r->laddr) },
		{ "pidfile", r->pid_file, sizeof(r->pid_file) },
	};
	uint64_t n = strtoull(value, NULL, 10);

	for (size_t i = 0; i < nitems_of(texts); i++)
		if (strcmp(key, texts[i].key) == 0)
			return strnunvis(texts[i].text, value, texts[i].size) <
				       0
				   ? -EBADMSG
				   : 0;
	if (strcmp(key, "pid") == 0)
		r->pid = (pid_t)n;
	else if (strcmp(key, "start") == 0)
		r->start = n;
	else if (strcmp(key, "since") == 0)
		r->since = (int64_t)n;
	else if (strcmp(key, "sshd") == 0)
		r->sshd = (pid_t)n;
	else if (strcmp(key, "port") == 0)
		r->port = (unsigned)n;
	else if (strcmp(key, "lport") == 0)
		r->lport = (unsigned)n;
	/* What another version has more is its own. */
	return 0;
}

int
record_read(int dir_fd, const char *name, struct record *out_r)
{
	struct record r = { .pid = 0 };
	char text[FILE_TEXT_MAX], *rest = text, *line;
	ssize_t n = read_text(dir_fd, name, text, sizeof(text));
	int rc = n < 0 ? (int)n : 0;

	while (rc == 0 && (line = strsep(&rest, "\n")) != NULL) {
		char *key = strsep(&line, " ");

		if (line != NULL)
			rc = take(&r, key, line);
	}
	if (rc == 0 && (r.pid <= 0 || r.start == 0 || r.addr[0] == '\0'))
		rc = -EBADMSG;
	if (rc == 0)
		*out_r = r;
	return rc;
}

int
record_process(const struct record *r)
{
	AUTOCLOSE int fd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	struct pollfd pfd = { .events = POLLIN };
	uint64_t start;
	int rc;

	if (fd < 0)
		return -errno;
	/* The descriptor holds the number: what is asked now is that process.
	 */
	rc = start_of(r->pid, &start);
	if (rc != 0)
		return rc;
	/* Readable: it has ended, and is only not reaped yet. */
	pfd.fd = fd;
	if (start != r->start || poll(&pfd, 1, 0) != 0)
		return -ESRCH;
	return take_fd(&fd);
}

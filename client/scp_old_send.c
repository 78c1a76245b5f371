/*
 * The old protocol's source: this machine's files to the other side. Runs in
 * the client, with the user's rights.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/scp_old.h"
#include "client/sftp_list.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

#define MODE_SENT 07777

/* Where something lies, and what the other side will call it. */
struct place {
	int dir_fd;
	const char *path; /* from dir_fd */
	const char *name;
	unsigned depth;
};

static int send_place(struct old *o, const struct place *p);

static int
say_times(struct old *o, const struct stat *st)
{
	int rc;

	if (!o->s->options.preserve)
		return 0;
	rc = old_say(o, "T%llu 0 %llu 0\n",
	    (unsigned long long)(st->st_mtime > 0 ? st->st_mtime : 0),
	    (unsigned long long)(st->st_atime > 0 ? st->st_atime : 0));
	return rc == 0 ? old_response(o) : rc;
}

/* Exactly as many bytes as were announced: zeroes, if the file shrinks. */
static int
send_data(struct old *o, int fd, const char *name, uint64_t size)
{
	AUTOFREE uint8_t *buf = malloc(OLD_BUFFER);
	uint64_t done = 0;
	int error = 0, rc = 0;

	if (buf == NULL)
		return -ENOMEM;
	while (rc == 0 && done < size) {
		size_t want = size - done < OLD_BUFFER ? (size_t)(size - done)
						       : OLD_BUFFER;
		ssize_t n = error == 0 ? pread(fd, buf, want, (off_t)done) : 0;

		if (n <= 0) {
			error = n < 0 ? -errno : -EIO;
			memset(buf, 0, want);
			n = (ssize_t)want;
		}
		rc = old_write(o, buf, (size_t)n);
		done += (uint64_t)n;
		progress_update(o->s->progress, name, done, size);
	}
	if (rc != 0)
		return rc;
	if (error != 0)
		return old_complain(o, name, error);
	o->s->result.bytes += size;
	return old_write(o, "", 1);
}

static int
send_file(struct old *o, const struct place *p, int fd, const struct stat *st)
{
	int rc = old_say(o, "C%04o %llu %s\n", st->st_mode & MODE_SENT,
	    (unsigned long long)st->st_size, p->name);

	if (rc == 0)
		rc = old_response(o);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = send_data(o, fd, p->name, (uint64_t)st->st_size);
	if (rc == 0)
		rc = old_response(o);
	if (rc == 0) {
		o->s->result.files++;
		progress_end(o->s->progress, p->name, (uint64_t)st->st_size,
		    (uint64_t)st->st_size);
	}
	return rc < 0 ? rc : 0;
}

static int
send_entries(struct old *o, const struct place *p, DIR *dir)
{
	struct dirent *entry;
	int rc = 0;

	while (rc >= 0 && (entry = readdir(dir)) != NULL) {
		struct place below = { .dir_fd = dirfd(dir),
			.path = entry->d_name,
			.name = entry->d_name,
			.depth = p->depth + 1 };

		if (list_name_ok(entry->d_name))
			rc = send_place(o, &below);
	}
	return rc;
}

static int
send_dir(struct old *o, const struct place *p, int fd, const struct stat *st)
{
	DIR *dir = fdopendir(fd);
	int rc;

	if (dir == NULL) {
		close(fd);
		return old_complain(o, p->name, -errno);
	}
	rc = old_say(o, "D%04o 0 %s\n", st->st_mode & MODE_SENT, p->name);
	if (rc == 0)
		rc = old_response(o);
	if (rc == 0) {
		rc = send_entries(o, p, dir);
		if (rc >= 0)
			rc = old_say(o, "E\n");
		if (rc == 0)
			rc = old_response(o);
		o->s->result.directories++;
	}
	closedir(dir);
	return rc < 0 ? rc : 0;
}

/* What the protocol cannot say, or may not be sent. */
static int
refuse(struct old *o, const struct place *p, const char *why)
{
	o->s->failed++;
	progress_clear(o->s->progress);
	show_error("%s: %s", p->path, why);
	return 0;
}

static int
send_place(struct old *o, const struct place *p)
{
	AUTOCLOSE int fd =
	    openat(p->dir_fd, p->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st) != 0)
		return refuse(o, p, strerror(errno));
	if (strchr(p->name, '\n') != NULL)
		return refuse(
		    o, p, "the old protocol has no newlines in names");
	if (S_ISDIR(st.st_mode) && p->depth > OLD_DEPTH_MAX)
		return refuse(o, p, "too many directories in each other");
	if (!S_ISREG(st.st_mode) &&
	    !(S_ISDIR(st.st_mode) && o->s->options.recursive))
		return refuse(o, p, "not a regular file");
	rc = say_times(o, &st);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return S_ISDIR(st.st_mode) ? send_dir(o, p, take_fd(&fd), &st)
				   : send_file(o, p, fd, &st);
}

int
old_send(struct old *o, const char *path)
{
	AUTOFREE char *name = scp_last_name(path);
	struct place p = { .dir_fd = AT_FDCWD, .path = path, .name = name };

	return name != NULL ? send_place(o, &p) : -ENOMEM;
}

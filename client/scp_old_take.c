/*
 * The old protocol's sink: the other side's files to this machine. Runs in the
 * client. The other side names the files, and is not believed: a name is one
 * component, is what was asked for, and is opened below its directory without
 * following a link.
 */
#include "config.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/file.h"
#include "client/scp_old.h"
#include "client/sftp_list.h"
#include "client/show.h"
#include "common/err.h"
#include "common/own.h"

/* With -p the bits are taken as they are; else those of every user's file. */
#define MODE_PLAIN 0777
#define MODE_ALL 07777
#define MODE_DIGITS 4
#define BRACES_MAX 64

/* What a C or D line says. */
struct entry {
	mode_t mode;
	uint64_t size;
	const char *name;
};

/* Where it goes: into a directory, or to the name that the user gave. */
struct sink {
	int dir_fd;
	const char *path; /* NULL: the name that comes */
	const char *shown;
	unsigned depth;
	bool has_times;
	struct timespec times[2];
};

static int take_level(struct old *o, struct sink *k, const char *pattern);

/* --- names --------------------------------------------------------------- */

/* The comma or brace that ends an alternative; NULL: there is none. */
static const char *
alternative_end(const char *p)
{
	unsigned depth = 0;

	for (; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '{')
			depth++;
		else if (*p == '}' && depth == 0)
			return p;
		else if (*p == '}')
			depth--;
		else if (*p == ',' && depth == 0)
			return p;
	}
	return NULL;
}

/* fnmatch(3), with the braces of shells: the first group is written out. */
static bool
matches(const char *pattern, const char *name, unsigned budget)
{
	const char *open = strchr(pattern, '{');
	const char *close = open, *at;

	while (
	    open != NULL && close != NULL && (close == open || *close == ','))
		close = alternative_end(close + 1);
	if (open == NULL || close == NULL || budget == 0)
		return fnmatch(pattern, name, 0) == 0;
	for (at = open; *at != '}';) {
		const char *stop = alternative_end(at + 1);
		AUTOFREE char *one = NULL;

		if (asprintf(&one, "%.*s%.*s%s", (int)(open - pattern), pattern,
			(int)(stop - at - 1), at + 1, close + 1) < 0) {
			one = NULL;
			return false;
		}
		if (matches(one, name, budget - 1))
			return true;
		at = stop;
	}
	return false;
}

static bool
was_asked_for(const char *pattern, const char *name)
{
	AUTOFREE char *last = scp_last_name(pattern);

	return last != NULL &&
	       (strcmp(last, ".") == 0 || matches(last, name, BRACES_MAX));
}

/* --- lines --------------------------------------------------------------- */

static int
parse_entry(const char *line, struct entry *out)
{
	struct entry e = { 0 };
	const char *p = line;

	for (int i = 0; i < MODE_DIGITS; i++, p++) {
		if (*p < '0' || *p > '7')
			return -EBADMSG;
		e.mode = e.mode << 3 | (mode_t)(*p - '0');
	}
	if (*p++ != ' ' || *p < '0' || *p > '9')
		return -EBADMSG;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (e.size > (uint64_t)INT64_MAX / 10 - 1)
			return -EBADMSG;
		e.size = 10 * e.size + (uint64_t)(*p - '0');
	}
	if (*p++ != ' ' || !list_name_ok(p))
		return -EBADMSG;
	e.name = p;
	*out = e;
	return 0;
}

static int
parse_times(const char *line, struct sink *k)
{
	unsigned long long m, a;
	unsigned long mu, au;
	char extra;

	if (sscanf(line, "%llu %lu %llu %lu%c", &m, &mu, &a, &au, &extra) != 4)
		return -EBADMSG;
	k->times[0] = (struct timespec){ .tv_sec = (time_t)a };
	k->times[1] = (struct timespec){ .tv_sec = (time_t)m };
	k->has_times = true;
	return 0;
}

/* --- files --------------------------------------------------------------- */

static void
finish(struct old *o, const struct sink *k, int fd, mode_t mode)
{
	if (!o->s->options.preserve)
		return;
	if (fchmod(fd, mode & MODE_ALL) != 0 ||
	    (k->has_times && futimens(fd, k->times) != 0)) {
		o->s->failed++;
		show_error("%s: %s", k->shown, strerror(errno));
	}
}

/* All of the data is read, also when it can no longer be written. */
static int
take_data(struct old *o, int fd, const struct entry *e, int *out_error)
{
	AUTOFREE uint8_t *buf = malloc(OLD_BUFFER);
	uint64_t left = e->size;

	if (buf == NULL)
		return -ENOMEM;
	while (left > 0) {
		size_t n;
		int rc = old_read_some(
		    o, buf, left < OLD_BUFFER ? (size_t)left : OLD_BUFFER, &n);

		if (rc != 0)
			return rc;
		if (*out_error == 0)
			*out_error = file_write(fd, span_of(buf, n));
		left -= n;
		progress_update(
		    o->s->progress, e->name, e->size - left, e->size);
	}
	return 0;
}

static int
take_file(struct old *o, const struct sink *k, const struct entry *e)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC;
	mode_t mode = (e->mode & MODE_PLAIN) | S_IWUSR;
	AUTOCLOSE int fd =
	    k->path != NULL ? openat(k->dir_fd, k->path, flags, mode)
			    : file_open_chosen(k->dir_fd, e->name, flags, mode);
	int error = 0, rc;

	if (fd < 0)
		return old_complain(o, k->path != NULL ? k->path : e->name,
		    k->path != NULL ? -errno : fd);
	rc = old_write(o, "", 1);
	if (rc == 0)
		rc = take_data(o, fd, e, &error);
	if (rc == 0)
		rc = old_response(o);
	if (rc < 0)
		return rc;
	if (error != 0)
		return old_complain(o, e->name, error);
	finish(o, k, fd, e->mode);
	if (rc == 0) {
		o->s->result.files++;
		o->s->result.bytes += e->size;
		progress_end(o->s->progress, e->name, e->size, e->size);
	}
	return old_write(o, "", 1);
}

static int
take_dir(struct old *o, const struct sink *k, const struct entry *e)
{
	const char *path = k->path != NULL ? k->path : e->name;
	struct sink below = { .shown = path, .depth = k->depth + 1 };
	AUTOCLOSE int fd = -1;
	int rc;

	/* It may have been there: what counts is that it can be opened. */
	(void)mkdirat(k->dir_fd, path, (e->mode & MODE_PLAIN) | S_IRWXU);
	fd = openat(k->dir_fd, path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		(k->path != NULL ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return old_complain(o, path, -errno);
	below.dir_fd = fd;
	rc = old_write(o, "", 1);
	if (rc == 0)
		rc = take_level(o, &below, NULL);
	if (rc >= 0) {
		o->s->result.directories++;
		finish(o, k, fd, e->mode);
	}
	return rc;
}

static int
take_entry(struct old *o, struct sink *k, const char *pattern, const char *line)
{
	struct entry e;
	int rc = parse_entry(line + 1, &e);

	if (rc == 0 && pattern != NULL && !o->s->loose &&
	    !was_asked_for(pattern, e.name)) {
		show_error("filename does not match request: \"%s\"", e.name);
		return -EPROTO;
	}
	if (rc != 0)
		return rc;
	if (*line == 'C')
		rc = take_file(o, k, &e);
	else if (!o->s->options.recursive) {
		show_error("received directory without -r");
		return -EPROTO;
	} else if (k->depth >= OLD_DEPTH_MAX) {
		show_error(
		    "Maximum directory depth exceeded: %u levels", k->depth);
		return -EPROTO;
	} else
		rc = take_dir(o, k, &e);
	k->has_times = false;
	return rc;
}

/* Of one directory, down to its E line; at the top, down to the end. */
static int
take_level(struct old *o, struct sink *k, const char *pattern)
{
	char line[OLD_LINE_MAX];
	int rc = 0;

	while (rc >= 0) {
		rc = old_line(o, line);
		if (rc == -EPIPE && k->depth == 0 && o->at == o->len)
			return 0;
		if (rc != 0)
			return rc;
		switch (line[0]) {
		case '\001':
		case '\002':
			o->s->failed++;
			show_print(stderr, "%s\n", line + 1);
			rc = line[0] == '\001' ? 0 : -EPROTO;
			break;
		case 'E':
			return k->depth > 0 ? old_write(o, "", 1) : -EBADMSG;
		case 'T':
			rc = parse_times(line + 1, k);
			if (rc == 0)
				rc = old_write(o, "", 1);
			break;
		case 'C':
		case 'D':
			rc = take_entry(o, k, pattern, line);
			break;
		default:
			return -EBADMSG;
		}
	}
	return rc;
}

int
old_take(struct old *o, const char *pattern, const char *target)
{
	struct stat st;
	bool is_dir = stat(target, &st) == 0 && S_ISDIR(st.st_mode);
	AUTOCLOSE int fd =
	    is_dir ? open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct sink k = { .dir_fd = is_dir ? fd : AT_FDCWD,
		.path = is_dir ? NULL : target,
		.shown = target };
	int rc;

	if ((o->s->many && !is_dir) || (is_dir && fd < 0)) {
		show_error(
		    "%s: %s", target, strerror(is_dir ? errno : ENOTDIR));
		return -EPROTO;
	}
	rc = old_write(o, "", 1);
	return rc == 0 ? take_level(o, &k, pattern) : rc;
}

/*
 * Makes the audit record of sftp-server(8). Runs jailed, as the user, whose
 * client chose the names in it: see json.h for why none can forge a record.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/own.h"
#include "sftp-server/audit.h"
#include "sftp-server/digest.h"
#include "sftp-server/handle.h"
#include "sftp-server/op.h"
#include "sftp-server/server.h"
#include "sftp-server/slog.h"

#define PATH (1u << 0)   /* the first path */
#define TO (1u << 1)     /* the second */
#define LINK (1u << 2)   /* what a link says, and then the path */
#define FILE_1 (1u << 3) /* the first handle's path and number */
#define FILE_2 (1u << 4)
#define FLAGS (1u << 5) /* of OPEN */
#define ATTRS (1u << 6)
#define BYTES (1u << 7)

static const struct {
	const char *op;
	unsigned members;
} audited[] = {
	{ "open", PATH | FLAGS | ATTRS },
	{ "opendir", PATH },
	{ "setstat", PATH | ATTRS },
	{ "lsetstat", PATH | ATTRS },
	{ "fsetstat", FILE_1 | ATTRS },
	{ "remove", PATH },
	{ "mkdir", PATH | ATTRS },
	{ "rmdir", PATH },
	{ "rename", PATH | TO },
	{ "posix-rename", PATH | TO },
	{ "hardlink", PATH | TO },
	{ "symlink", LINK },
	{ "copy-data", FILE_1 | FILE_2 | BYTES },
};

/* Microseconds since t. */
static uint64_t
since(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - t->tv_sec) * 1000000 +
	       (uint64_t)((now.tv_nsec - t->tv_nsec) / 1000);
}

static void
put_time(struct json *j)
{
	char text[48], micros[16];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	snprintf(
	    micros, sizeof(micros), ".%06uZ", (unsigned)(now.tv_nsec / 1000));
	strlcat(text, micros, sizeof(text));
	json_string(j, "time", text);
}

/* Who and what: every record begins so. */
static struct json *
record_begin(struct server *s, const char *op)
{
	struct json *j = &s->audit.record;

	json_begin(j);
	put_time(j);
	json_number(j, "pid", (uint64_t)getpid());
	json_number(j, "seq", s->audit.nrecords++);
	json_string(j, "user", s->names.user);
	json_number(j, "uid", s->uid);
	json_string(j, "from", s->peer);
	json_string(j, "op", op);
	return j;
}

/* How it went: every record ends so. */
static void
record_end(struct server *s, const char *result, int error, uint64_t micros)
{
	struct json *j = &s->audit.record;

	json_string(j, "result", result);
	if (error != 0)
		json_string(j, "error", strerror(-error));
	json_number(j, "usec", micros);
	if (s->audit.nlost != 0)
		json_number(j, "lost", s->audit.nlost);
	if (!slog_record(json_end(j)))
		s->audit.nlost++;
}

/* A path as the session sees it, from its root on. */
static void
put_path(struct server *s, const char *key, const char *path)
{
	char whole[2 * (SFTP_PATH_MAX + 1)];

	if (path[0] == '/') {
		json_name(&s->audit.record, key, path);
		return;
	}
	snprintf(whole, sizeof(whole), "%s/%s",
	    strcmp(s->audit.cwd, "/") == 0 ? "" : s->audit.cwd, path);
	json_name(&s->audit.record, key, whole);
}

static void
put_handle(struct server *s, const struct handle *h, const char *key,
    const char *number_key)
{
	put_path(s, key, h->name);
	json_number(&s->audit.record, number_key, h->number);
}

static void
put_attrs(struct json *j, const struct sftp_attrs *a)
{
	char mode[16];

	if (a->flags & SSH_FILEXFER_ATTR_SIZE)
		json_number(j, "size", a->size);
	if (a->flags & SSH_FILEXFER_ATTR_PERMISSIONS) {
		snprintf(mode, sizeof(mode), "%04o", a->perm);
		json_string(j, "mode", mode);
	}
	if (a->flags & SSH_FILEXFER_ATTR_UIDGID) {
		json_number(j, "owner", a->uid);
		json_number(j, "group", a->gid);
	}
	if (a->flags & SSH_FILEXFER_ATTR_ACMODTIME) {
		json_number(j, "atime", a->atime);
		json_number(j, "mtime", a->mtime);
	}
}

void
audit_begin(struct server *s)
{
	struct audit *a = &s->audit;
	struct json *j;

	if (s->opt->audit_facility < 0)
		return;
	a->is_on = true;
	a->with_digest = s->opt->audit_digest;
	if (getcwd(a->cwd, sizeof(a->cwd)) == NULL)
		strlcpy(a->cwd, "?", sizeof(a->cwd));
	for (size_t i = 0; op_at(i) != NULL; i++)
		for (size_t k = 0; k < nitems_of(audited); k++)
			if (strcmp(op_at(i)->name, audited[k].op) == 0)
				a->members[i] = audited[k].members;
	clock_gettime(CLOCK_MONOTONIC, &a->began);
	j = record_begin(s, "session-open");
	json_name(j, "path", a->cwd);
	if (s->opt->root_dir != NULL)
		json_name(j, "root", s->opt->root_dir);
	if (s->opt->readonly)
		json_bool(j, "readonly");
	record_end(s, "Success", 0, 0);
}

void
audit_end(struct server *s, int result)
{
	struct json *j;

	if (!s->audit.is_on)
		return;
	j = record_begin(s, "session-close");
	json_number(j, "read", s->audit.nread);
	json_number(j, "written", s->audit.nwritten);
	record_end(s, result == 0 ? "Success" : err_str(result), 0,
	    since(&s->audit.began));
}

void
audit_request_begin(struct server *s)
{
	clock_gettime(CLOCK_MONOTONIC, &s->audit.request_began);
}

static void
put_members(struct server *s, unsigned members)
{
	const struct request *q = &s->request;
	const struct handle *h = handles_get(&s->handles, q->handle[0]);
	const struct handle *to = handles_get(&s->handles, q->handle[1]);
	struct json *j = &s->audit.record;
	char words[OP_FLAGS_SIZE];

	if (members & PATH)
		put_path(s, "path", q->path[0]);
	if (members & TO)
		put_path(s, "to", q->path[1]);
	if (members & LINK) {
		put_path(s, "path", q->path[1]);
		json_name(j, "target", q->path[0]);
	}
	if ((members & FILE_1) && h != NULL)
		put_handle(s, h, "path", "file");
	if ((members & FILE_2) && to != NULL)
		put_handle(s, to, "to", "to_file");
	if (members & FLAGS) {
		op_flags_text((uint32_t)q->number[0], words);
		json_string(j, "flags", words);
	}
	if (members & ATTRS)
		put_attrs(j, &q->attrs);
	if (members & BYTES)
		json_number(j, "bytes", s->moved);
}

void
audit_request(struct server *s, const struct op *op, int error)
{
	unsigned members = s->audit.members[op - op_at(0)];
	bool is_opening = (members & FLAGS) != 0;

	if (members == 0)
		return;
	(void)record_begin(s, op->name);
	if (s->request.is_decoded)
		put_members(s, members);
	if (is_opening && s->status == SSH_FX_OK)
		json_number(&s->audit.record, "file", s->audit.nfiles);
	record_end(s, sftp_status_text(s->status), error,
	    since(&s->audit.request_began));
}

void
audit_opened(struct server *s, struct handle *h)
{
	if (!s->audit.is_on)
		return;
	h->number = ++s->audit.nfiles;
	clock_gettime(CLOCK_MONOTONIC, &h->opened);
	/* Without memory there is no digest, and the record says so. */
	if (s->audit.with_digest && h->kind == HANDLE_FILE)
		h->digest = digest_new();
}

static void
put_digest(struct server *s, struct handle *h)
{
	struct json *j = &s->audit.record;
	char text[DIGEST_TEXT_SIZE];
	bool again = false;
	int error = -ENOMEM;

	if (h->digest != NULL)
		error = digest_file(h->digest, h->fd, s, text, &again);
	if (error != 0) {
		json_string(j, "sha256_error", strerror(-error));
		return;
	}
	json_string(j, "sha256", text);
	json_string(j, "sha256_of", again ? "file" : "stream");
}

void
audit_closing(struct server *s, struct handle *h, bool is_forced)
{
	struct json *j;

	if (!s->audit.is_on)
		return;
	j = record_begin(s, h->kind == HANDLE_FILE ? "close" : "closedir");
	put_handle(s, h, "path", "file");
	if (h->kind == HANDLE_FILE) {
		json_number(j, "read", h->nread);
		json_number(j, "written", h->nwritten);
		s->audit.nread += h->nread;
		s->audit.nwritten += h->nwritten;
		if (h->is_failed)
			json_bool(j, "failed");
		if (s->audit.with_digest && (h->nread | h->nwritten) != 0)
			put_digest(s, h);
	}
	if (is_forced)
		json_bool(j, "forced");
	s->audit.request_began = h->opened;
}

void
audit_closed(struct server *s, int error)
{
	if (s->audit.is_on)
		record_end(s, error == 0 ? "Success" : "Failure", error,
		    since(&s->audit.request_began));
}

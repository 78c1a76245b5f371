/*
 * A server as a source. Runs in the client; sizes, names and data are hostile:
 * names are one component each, data is no longer than what was asked for, and
 * where data goes is decided by what we asked, never by what is said.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/xfer_impl.h"
#include "common/err.h"
#include "common/own.h"

/* A server that gives a byte at a time is not asked for single bytes. */
#define CHUNK_LEAST 4096

/* --- opening ------------------------------------------------------------- */

static void
take_handle(struct job *j, const struct answer *a)
{
	int rc = answer_handle(a, &j->from_handle);

	if (rc != 0)
		job_fail(j, j->x->from_peer, rc, "remote open \"%s\"", j->from);
}

static void
opened(void *arg, const struct answer *a)
{
	struct job *j = arg;

	take_handle(j, a);
	job_opened(j);
}

static void
send_open(struct job *j, peer_fn *fn)
{
	struct sftp_attrs none = { 0 };
	struct writer *w = peer_begin(j->x->from_peer, SSH_FXP_OPEN, fn, j);

	writer_cstring(w, j->from);
	writer_u32(w, SSH_FXF_READ);
	sftp_attrs_write(w, &none);
	peer_end(j->x->from_peer);
}

static void close_source(struct job *j);

/* All that was asked is answered. */
static void
settle_kind(struct job *j)
{
	bool typed = (j->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS) != 0;

	j->is_dir = typed && S_ISDIR(j->attrs.perm);
	if (!j->failed && typed && !j->is_dir && !S_ISREG(j->attrs.perm))
		job_fail(
		    j, NULL, 0, "download \"%s\": not a regular file", j->from);
	/* A link to a directory, in a tree: it may lead anywhere, and round in
	 * circles. OpenSSH does not follow those either. */
	if (!j->failed && j->is_dir && j->up != NULL)
		job_fail(
		    j, NULL, 0, "download \"%s\": not a regular file", j->from);
	if (!j->is_dir)
		close_source(j);
	if (j->failed || j->is_dir)
		job_opened(j);
	else
		send_open(j, opened);
}

static void
stat_here(void *arg, const struct answer *a)
{
	struct job *j = arg;
	struct reader r = a->body;
	int rc = a->rc;

	if (rc == 0 && a->type == SSH_FXP_ATTRS)
		sftp_attrs_read(&r, &j->attrs);
	if (rc == 0 && (a->type != SSH_FXP_ATTRS || r.failed))
		rc = -EBADMSG;
	if (rc != 0)
		job_fail(j, j->x->from_peer, rc, "stat remote \"%s\"", j->from);
	if (--j->asking == 0)
		settle_kind(j);
}

/* It is no directory, or list() finds out what is wrong with it. */
static void
opened_early(void *arg, const struct answer *a)
{
	struct job *j = arg;

	if (answer_handle(a, &j->from_handle) != 0)
		j->from_handle.len = 0;
	if (--j->asking == 0)
		settle_kind(j);
}

static void
ask(struct job *j, uint8_t type, peer_fn *fn)
{
	writer_cstring(peer_begin(j->x->from_peer, type, fn, j), j->from);
	peer_end(j->x->from_peer);
}

/*
 * What a user names with -r is a directory, most times: it is opened as one
 * while we ask. No server waits for anything there, as for a FIFO's writer.
 */
static void
open_source(struct job *j)
{
	if (j->is_dir)
		job_opened(j);
	else if (j->attrs.flags & SSH_FILEXFER_ATTR_PERMISSIONS)
		send_open(j, opened);
	else {
		bool early = j->up == NULL && j->x->options.recursive;

		j->asking = early ? 2 : 1;
		ask(j, SSH_FXP_STAT, stat_here);
		if (early)
			ask(j, SSH_FXP_OPENDIR, opened_early);
	}
}

/* --- listing ------------------------------------------------------------- */

static void
maybe_listed(struct job *dir)
{
	if (dir->reading == 0 && (dir->source_end || dir->failed))
		job_listed(dir);
}

static int
take_names(struct job *dir, struct reader r)
{
	char name[LIST_NAME_MAX + 1];
	uint32_t n = reader_u32(&r);

	if (r.failed || n == 0)
		return -EBADMSG;
	for (; n > 0; n--) {
		struct sftp_attrs a = { 0 };
		struct span longname;
		int rc = list_name_read(&r, name, &longname, &a);

		if (rc == -EAGAIN)
			continue;
		if (rc != 0)
			return rc;
		job_entry(dir, name, &a);
	}
	return 0;
}

static void
names_here(void *arg, const struct answer *a)
{
	struct job *dir = arg;
	int rc = a->rc;

	dir->reading--;
	if (rc == 0 && a->type != SSH_FXP_NAME)
		rc = -EBADMSG;
	if (rc == 0 && !dir->failed && !dir->source_end)
		rc = take_names(dir, a->body);
	if (rc == SSH_FX_EOF)
		dir->source_end = true;
	else if (rc == -EBADMSG && peer_dead(dir->x->from_peer) == 0)
		job_fail(dir, NULL, 0,
		    "\"%s\": the server lists a name that no file can have; "
		    "the rest of the directory is left out",
		    dir->from);
	else if (rc != 0)
		job_fail(dir, dir->x->from_peer, rc, "reading directory \"%s\"",
		    dir->from);
	if (dir->failed)
		dir->source_end = true;
	maybe_listed(dir);
}

static void
list_more(struct job *dir)
{
	struct peer *p = dir->x->from_peer;

	if (dir->x->stopping && !dir->source_end) {
		dir->source_end = dir->failed = true;
		if (dir->reading == 0 && dir->from_handle.len > 0)
			job_listed(dir);
		return;
	}
	while (dir->from_handle.len > 0 && !dir->source_end &&
	       dir->reading < LIST_AHEAD) {
		dir->reading++;
		writer_string(peer_begin(p, SSH_FXP_READDIR, names_here, dir),
		    dir->from_handle.p, dir->from_handle.len);
		peer_end(p);
	}
}

static void
dir_opened(void *arg, const struct answer *a)
{
	struct job *dir = arg;
	int rc = answer_handle(a, &dir->from_handle);

	if (rc != 0) {
		job_fail(dir, dir->x->from_peer, rc, "remote readdir(\"%s\")",
		    dir->from);
		dir->source_end = true;
	}
	if (dir->source_end)
		job_listed(dir);
	else
		list_more(dir);
}

static void
list(struct job *dir)
{
	if (dir->from_handle.len > 0) {
		list_more(dir);
		return;
	}
	writer_cstring(
	    peer_begin(dir->x->from_peer, SSH_FXP_OPENDIR, dir_opened, dir),
	    dir->from);
	peer_end(dir->x->from_peer);
}

/* --- data ---------------------------------------------------------------- */

static void read_here(void *arg, const struct answer *a);

static void
send_read(struct chunk *c)
{
	struct job *j = c->job;
	struct peer *p = j->x->from_peer;
	struct writer *w = peer_begin(p, SSH_FXP_READ, read_here, c);

	c->asked_us = window_now();
	j->reading++;
	writer_string(w, j->from_handle.p, j->from_handle.len);
	writer_u64(w, c->at);
	writer_u32(w, c->len);
	peer_end(p);
}

static void
end_at(struct job *j, uint64_t at)
{
	j->source_end = true;
	if (at < j->end_at)
		j->end_at = at;
}

/*
 * Fewer bytes than asked for. At the length that the file had it is the end,
 * and no further question needed; before it, the rest is asked for again. If
 * there is more, the server gives no more at once: so be it, from now on.
 */
static void
after_short(struct chunk *c, size_t n)
{
	struct job *j = c->job;
	bool known =
	    (j->attrs.flags & SSH_FILEXFER_ATTR_SIZE) != 0 && j->attrs.size > 0;

	if (c->got != 0)
		j->x->chunk_cap = c->got > CHUNK_LEAST ? c->got : CHUNK_LEAST;
	c->at += n;
	c->len -= (uint32_t)n;
	c->got = (uint32_t)n;
	if (c->len > 0 && known && c->at >= j->attrs.size)
		end_at(j, c->at);
	if (c->len > 0 && !j->failed && c->at < j->end_at) {
		send_read(c);
		return;
	}
	window_done(j->x, c->len);
	free(c);
}

static void
opened_again(void *arg, const struct answer *a)
{
	struct job *j = arg;

	take_handle(j, a);
	job_ready(j);
}

static void
open_again(struct job *j)
{
	send_open(j, opened_again);
}

/*
 * A file that was closed behind its only READ, and is not what its directory
 * said; or a server that closes first and reads then. Nothing has been written
 * yet: begin anew, and never again so.
 */
static void
read_again(struct chunk *c)
{
	struct job *j = c->job;

	j->x->wary = true;
	window_done(j->x, c->len);
	free(c);
	j->reading--;
	job_again(j);
}

/* Malformed data is for take_data() to judge. */
static bool
is_whole(const struct chunk *c, const struct answer *a)
{
	struct reader r = a->body;

	return a->rc == 0 &&
	       (reader_string(&r, c->len).len == c->job->attrs.size ||
		   r.failed);
}

static void
take_data(struct chunk *c, const struct answer *a)
{
	struct job *j = c->job;
	struct reader r = a->body;
	struct span data = reader_string(&r, c->len);

	if (r.failed || data.len == 0) {
		window_done(j->x, c->len);
		free(c);
		peer_fault(j->x->from_peer, "sent data that was not asked for");
		job_fail(j, j->x->from_peer, -EBADMSG, "read remote \"%s\"",
		    j->from);
		return;
	}
	job_data(j, c->at, data);
	after_short(c, data.len);
}

static void
read_here(void *arg, const struct answer *a)
{
	struct chunk *c = arg;
	struct job *j = c->job;
	uint64_t at = c->at;
	int rc = a->rc;

	window_rtt(j->x, c->asked_us);
	if (rc == 0 && a->type != SSH_FXP_DATA)
		rc = -EBADMSG;
	if (rc >= 0 && c->whole && !j->failed && !is_whole(c, a)) {
		read_again(c);
		return;
	}
	if (rc == 0 && !j->failed) {
		/* Still counted in reading, so the job stays. */
		take_data(c, a);
	} else {
		window_done(j->x, c->len);
		free(c);
		if (rc == SSH_FX_EOF)
			end_at(j, at);
		else if (rc != 0)
			job_fail(j, j->x->from_peer, rc, "read remote \"%s\"",
			    j->from);
	}
	j->reading--;
	job_settle(j);
}

/*
 * A small file's handle need not wait for the data: servers do what concerns
 * one file in the order of the requests (draft-ietf-secsh-filexfer-02, 3.1). So
 * twice as many files go through as many handles. In a copy the other server's
 * is still open.
 */
static bool
may_close_behind(const struct job *j, uint32_t len)
{
	return !j->x->wary && j->x->to_peer == NULL && j->next_at == 0 &&
	       j->attrs.size > 0 && j->attrs.size < len;
}

/*
 * One byte more than the file had: a short answer then tells its end. Beyond
 * that, one request at a time feels for the end of a file that grows, or whose
 * length is not known.
 */
static bool
pull(struct job *j, uint32_t len)
{
	uint64_t size = j->attrs.size;
	struct chunk *c;

	if (j->from_handle.len == 0 || (j->next_at > size && j->reading > 0))
		return false;
	if (j->next_at > (uint64_t)INT64_MAX - len) {
		job_fail(
		    j, NULL, 0, "\"%s\" is longer than a file can be", j->from);
		return false;
	}
	if (j->next_at <= size && size > 0 && size - j->next_at < len)
		len = (uint32_t)(size - j->next_at) + 1;
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		job_fail(j, NULL, -ENOMEM, "read remote \"%s\"", j->from);
		return false;
	}
	*c = (struct chunk){ .job = j,
		.at = j->next_at,
		.len = len,
		.whole = may_close_behind(j, len) };
	j->next_at += len;
	window_asked(j->x, len);
	send_read(c);
	if (c->whole) {
		close_source(j);
		job_let_go(j);
	}
	return true;
}

static void
close_source(struct job *j)
{
	struct peer *p = j->x->from_peer;

	if (j->from_handle.len == 0)
		return;
	/* Nothing depends on the answer: the file was only read. */
	writer_string(peer_begin(p, SSH_FXP_CLOSE, NULL, NULL),
	    j->from_handle.p, j->from_handle.len);
	peer_end(p);
	writer_done(&j->from_handle);
	j->from_handle = (struct writer)WRITER_INIT;
}

const struct from_ops from_server = { open_source, list, list_more, pull,
	close_source, open_again };

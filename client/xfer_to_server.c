/*
 * A server as a sink. Runs in the client. What follows the data, down to the
 * closing of the handle, is sent right behind it: servers do what concerns one
 * handle in the order of the requests, and whoever does not reports the
 * write's failure.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/xfer_stripe.h"
#include "common/err.h"
#include "common/own.h"

#define MODE_FILE 0777
#define MODE_DIR 01777

/* What the sink may know of the source. */
static struct sftp_attrs
attrs_of(const struct job *j)
{
	struct sftp_attrs a = j->attrs;

	a.flags &= SSH_FILEXFER_ATTR_PERMISSIONS |
		   (j->x->options.preserve ? SSH_FILEXFER_ATTR_ACMODTIME : 0);
	a.perm &= j->is_dir ? MODE_DIR : MODE_FILE;
	return a;
}

/* --- opening ------------------------------------------------------------- */

static void
opened(void *arg, const struct answer *a)
{
	struct job *j = arg;
	int rc = answer_handle(a, &j->to_handle);

	window_rtt(j->x, j->opened_us);
	if (rc != 0)
		job_fail(j, j->x->to_peer, rc, "dest open \"%s\"", j->to);
	job_ready(j);
}

static void
send_open(struct job *j)
{
	struct sftp_attrs a = attrs_of(j);
	struct writer *w = peer_begin(j->x->to_peer, SSH_FXP_OPEN, opened, j);
	uint32_t pflags = SSH_FXF_WRITE | SSH_FXF_CREAT;

	j->opened_us = window_now();
	writer_cstring(w, j->to);
	writer_u32(w, j->x->options.resume ? pflags : pflags | SSH_FXF_TRUNC);
	sftp_attrs_write(w, &a);
	peer_end(j->x->to_peer);
}

/* Where a transfer that was cut off is to go on. */
static void
start_here(void *arg, const struct answer *a)
{
	struct job *j = arg;
	struct reader r = a->body;
	struct sftp_attrs there = { 0 };

	if (a->rc == 0 && a->type == SSH_FXP_ATTRS)
		sftp_attrs_read(&r, &there);
	if (a->rc < 0 || r.failed)
		job_fail(j, j->x->to_peer, a->rc < 0 ? a->rc : -EBADMSG,
		    "stat remote \"%s\"", j->to);
	else if (a->rc == 0 && there.size >= j->attrs.size)
		job_fail(j, NULL, 0,
		    "resume \"%s\": destination file same size or larger",
		    j->to);
	else
		j->start = there.size;
	if (j->failed)
		job_ready(j);
	else
		send_open(j);
}

static void
open_sink(struct job *j)
{
	if (!j->x->options.resume) {
		send_open(j);
		return;
	}
	writer_cstring(
	    peer_begin(j->x->to_peer, SSH_FXP_STAT, start_here, j), j->to);
	peer_end(j->x->to_peer);
}

/* It could not be made: because it is there? */
static void
dir_there(void *arg, const struct answer *a)
{
	struct job *j = arg;
	struct reader r = a->body;
	struct sftp_attrs there = { 0 };

	if (a->rc == 0 && a->type == SSH_FXP_ATTRS)
		sftp_attrs_read(&r, &there);
	if (a->rc != 0)
		job_fail(j, j->x->to_peer, a->rc, "remote mkdir \"%s\"", j->to);
	else if ((there.flags & SSH_FILEXFER_ATTR_PERMISSIONS) == 0 ||
		 !S_ISDIR(there.perm))
		job_fail(j, NULL, 0,
		    "destination \"%s\" exists but is not a directory", j->to);
	job_ready(j);
}

static void
dir_made(void *arg, const struct answer *a)
{
	struct job *j = arg;

	if (a->rc < 0)
		job_fail(j, j->x->to_peer, a->rc, "remote mkdir \"%s\"", j->to);
	j->created = a->rc == 0;
	if (a->rc <= 0) {
		job_ready(j);
		return;
	}
	writer_cstring(
	    peer_begin(j->x->to_peer, SSH_FXP_STAT, dir_there, j), j->to);
	peer_end(j->x->to_peer);
}

static void
make_dir(struct job *j)
{
	struct sftp_attrs a = attrs_of(j);
	struct writer *w =
	    peer_begin(j->x->to_peer, SSH_FXP_MKDIR, dir_made, j);

	/* We have files to create in it; finish() sets what is wanted. */
	a.flags &= SSH_FILEXFER_ATTR_PERMISSIONS;
	a.perm |= S_IWUSR | S_IXUSR;
	writer_cstring(w, j->to);
	sftp_attrs_write(w, &a);
	peer_end(j->x->to_peer);
}

/* --- data and the end ---------------------------------------------------- */

static void
say_write_failed(struct job *j, int rc)
{
	struct peer *p = j->x->to_peer;

	if (rc < 0 && peer_dead(p) == 0)
		stripe_lost(j);
	else
		job_fail(j, p, rc, "write remote \"%s\"", j->to);
}

static void
written(void *arg, const struct answer *a)
{
	struct chunk *c = arg;
	struct job *j = c->job;
	int rc = a->rc;

	window_rtt(j->x, c->asked_us);
	if (rc == 0 && extent_note(j, c->at, c->at + c->len) != 0)
		rc = -ENOMEM;
	if (rc != 0)
		say_write_failed(j, rc);
	job_written(j, c->len);
	free(c);
	sink_answered(j);
}

static void
write_data(struct job *j, uint64_t at, struct span data)
{
	struct chunk *c = calloc(1, sizeof(*c));
	struct outlet to = stripe_pick(j, at + data.len >= j->attrs.size);
	struct writer *w;

	if (c == NULL) {
		job_fail(j, NULL, -ENOMEM, "write remote \"%s\"", j->to);
		window_done(j->x, (uint32_t)data.len);
		return;
	}
	*c = (struct chunk){ .job = j,
		.at = at,
		.len = (uint32_t)data.len,
		.asked_us = window_now() };
	w = peer_begin(to.peer, SSH_FXP_WRITE, written, c);
	writer_string(w, to.handle->p, to.handle->len);
	writer_u64(w, at);
	writer_string(w, data.p, data.len);
	peer_end(to.peer);
	j->writing++;
}

static void
ended(void *arg, const struct answer *a)
{
	struct job *j = arg;

	if (a->rc != 0)
		job_fail(j, j->x->to_peer, a->rc, "close remote \"%s\"", j->to);
	sink_answered(j);
}

static void
attrs_set(void *arg, const struct answer *a)
{
	struct job *j = arg;

	if (a->rc != 0)
		job_fail(
		    j, j->x->to_peer, a->rc, "remote setstat \"%s\"", j->to);
	sink_answered(j);
}

static void
send_attrs(struct job *j, const struct sftp_attrs *a)
{
	struct writer *w = peer_begin(j->x->to_peer,
	    j->is_dir ? SSH_FXP_SETSTAT : SSH_FXP_FSETSTAT, attrs_set, j);

	if (j->is_dir)
		writer_cstring(w, j->to);
	else
		writer_string(w, j->to_handle.p, j->to_handle.len);
	sftp_attrs_write(w, a);
	peer_end(j->x->to_peer);
	j->writing++;
}

static void
finish_dir(struct job *j)
{
	struct sftp_attrs a = attrs_of(j);
	mode_t needed = S_IWUSR | S_IXUSR;

	if (!j->failed && (j->x->options.preserve ||
			      (j->created && (a.perm & needed) != needed)))
		send_attrs(j, &a);
}

/* A gap would be taken for data when the transfer is resumed. */
static void
cut(struct job *j)
{
	const struct sftp_attrs a = { .flags = SSH_FILEXFER_ATTR_SIZE,
		.size = j->contiguous };

	if (j->stripes != NULL && j->failed)
		send_attrs(j, &a);
}

static void
finish_file(struct job *j)
{
	struct sftp_attrs a = attrs_of(j);
	struct peer *p = j->x->to_peer;

	stripe_close(j, ended);
	cut(j);
	if (!j->failed && j->x->options.preserve)
		send_attrs(j, &a);
	if (!j->failed && j->x->options.sync && peer_has(p, PEER_FSYNC)) {
		writer_string(peer_extended(p, "fsync@openssh.com", ended, j),
		    j->to_handle.p, j->to_handle.len);
		peer_end(p);
		j->writing++;
	}
	writer_string(peer_begin(p, SSH_FXP_CLOSE, ended, j), j->to_handle.p,
	    j->to_handle.len);
	peer_end(p);
	j->writing++;
	j->to_handle.len = 0;
	/* Whoever tells its limits does one thing after the other. */
	if (peer_has(p, PEER_LIMITS))
		job_let_go(j);
}

static void
finish(struct job *j)
{
	if (stripe_must_drain(j))
		return;
	if (j->is_dir)
		finish_dir(j);
	else if (j->to_handle.len > 0)
		finish_file(j);
	if (j->writing == 0)
		job_over(j);
}

/* What was drained is finished now; what was finished is over. */
void
sink_answered(struct job *j)
{
	j->writing--;
	if (j->writing > 0 || j->state != JOB_FINISHING)
		return;
	if (!j->is_dir && j->to_handle.len > 0)
		finish(j);
	else
		job_over(j);
}

const struct to_ops to_server = { open_sink, make_dir, write_data, finish };

/*
 * The transfer engine: queues of jobs, and their way from source to sink. Runs
 * in the client, as the user. Names in jobs may be a server's: the listings
 * let no name through that is more than one component.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/file.h"
#include "client/interrupt.h"
#include "client/show.h"
#include "client/xfer_stripe.h"
#include "common/err.h"
#include "common/own.h"

/* Entries of listings that wait for their turn. */
#define WAITING_MAX 2048
/* Directories whose listing is under way at once. */
#define LISTINGS_MAX 8
/* Directories that are open at this machine, while other work is there. */
#define DIRS_OPEN_MAX 256
/* Descriptors: all of them, and those that are no file's. */
#define DESCRIPTORS_MAX 4096u
#define DESCRIPTORS_OTHERS (DIRS_OPEN_MAX + 64u)
/*
 * Files that begin in one round trip where they are written. OpenSSH's server
 * reads all that comes before it does the next request, and moves it about: of
 * more data than these have, that costs it more than the round trips do.
 */
#define SINK_FILES_MAX 384
/* How often ^C and the progress line are looked after while nothing comes. */
#define TICK_MS 250

/* --- jobs ---------------------------------------------------------------- */

static struct job *
job_new(struct xfer *x)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->x = x;
	j->from_fd = j->to_fd = -1;
	j->end_at = UINT64_MAX;
	x->alive++;
	return j;
}

static void
job_free(struct job *j)
{
	j->x->alive--;
	stripe_release(j);
	extent_drop(j);
	writer_done(&j->from_handle);
	writer_done(&j->to_handle);
	free(j->name);
	free(j->from);
	free(j->to);
	free(j);
}

void
job_fail(struct job *j, struct peer *p, int rc, const char *format, ...)
{
	AUTOFREE char *text = NULL;
	va_list ap;
	int n;

	if (j->failed)
		return;
	j->failed = true;
	j->x->result.failed++;
	/* One message says that a session is gone, not one for each job. */
	if (j->x->stopping || (p != NULL && rc < 0 && peer_dead(p) != 0))
		return;
	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	progress_clear(j->x->progress);
	if (rc != 0)
		show_error("%s: %s", text, peer_text(p, rc));
	else
		show_error("%s", text);
}

static int
make_paths(struct job *j)
{
	if (j->up == NULL)
		return 0;
	j->from = list_join(j->up->from, j->name);
	j->to = list_join(j->up->to, j->name);
	return j->from != NULL && j->to != NULL ? 0 : -ENOMEM;
}

/* Directories are counted apart: waiting for their files, they must not keep
 * those from being opened. */
static void
count(struct job *j)
{
	j->counted = j->holds = !j->is_dir;
	if (j->counted) {
		j->x->files++;
		j->x->opened++;
	} else {
		j->x->dirs_open++;
		j->x->dirs_begun++;
	}
}

void
job_let_go(struct job *j)
{
	if (j->holds)
		j->x->opened--;
	j->holds = false;
}

static void
uncount(struct job *j)
{
	job_let_go(j);
	if (j->counted)
		j->x->files--;
	j->counted = false;
}

static void
begin(struct job *j)
{
	j->state = JOB_OPENING;
	count(j);
	if (make_paths(j) != 0) {
		job_fail(j, NULL, -ENOMEM, "%s", j->name);
		job_opened(j);
		return;
	}
	j->x->from->open(j);
}

/* Give up what was opened; the sink's end reports job_over(). */
static void
abandon(struct job *j)
{
	if (j->is_dir)
		j->x->dirs_begun--;
	j->state = JOB_FINISHING;
	j->x->from->close(j);
	j->x->to->finish(j);
}

static void
list_dir(struct job *j)
{
	j->x->dirs_begun--;
	queue_push(&j->x->listing, j);
	j->x->from->list(j);
}

void
job_opened(struct job *j)
{
	struct xfer *x = j->x;

	if (x->stopping)
		j->failed = true;
	if (j->is_dir && j->counted) {
		uncount(j);
		count(j);
	}
	if (!j->failed && j->is_dir && !x->options.recursive)
		job_fail(j, NULL, 0, "\"%s\" is a directory; -r copies those",
		    j->from);
	if (!j->failed && j->is_dir && j->depth > XFER_DEPTH_MAX)
		job_fail(j, NULL, 0,
		    "Maximum directory depth exceeded: %u levels", j->depth);
	if (j->failed)
		abandon(j);
	else if (j->is_dir)
		x->to->mkdir(j);
	else
		x->to->open(j);
}

void
job_ready(struct job *j)
{
	struct xfer *x = j->x;

	if (x->stopping)
		j->failed = true;
	if (j->failed) {
		abandon(j);
		return;
	}
	j->state = JOB_MOVING;
	j->next_at = j->contiguous = j->moved = j->start;
	if (j->is_dir && x->options.list)
		show_print(stdout, "%s %s\n",
		    x->from_peer != NULL ? "Retrieving" : "Entering", j->from);
	if (j->is_dir)
		list_dir(j);
	else
		queue_push(&x->moving, j);
}

void
job_again(struct job *j)
{
	queue_remove(&j->x->moving, j);
	j->state = JOB_OPENING;
	if (j->x->stopping)
		job_ready(j);
	else
		queue_push(&j->x->again, j);
}

/* --- listings ------------------------------------------------------------ */

bool
xfer_wants_entries(const struct xfer *x)
{
	return x->waiting.n < WAITING_MAX;
}

static void
not_a_file(const struct job *dir, const char *name)
{
	progress_clear(dir->x->progress);
	show_error("%s \"%s/%s\": not a regular file",
	    dir->x->from_peer != NULL ? "download" : "upload", dir->from, name);
}

/* Files wait in the listing's order; directories come before older ones, so
 * that few are open at once. */
static void
sort_in(struct job *j)
{
	if (j->is_dir)
		queue_push_front(&j->x->dirs, j);
	else
		queue_push(&j->x->waiting, j);
}

void
job_entry(struct job *dir, const char *name, const struct sftp_attrs *attrs)
{
	bool typed = (attrs->flags & SSH_FILEXFER_ATTR_PERMISSIONS) != 0;
	struct job *j;

	if (dir->x->stopping)
		return;
	if (typed && !S_ISDIR(attrs->perm) && !S_ISREG(attrs->perm) &&
	    !(S_ISLNK(attrs->perm) && dir->x->options.follow)) {
		not_a_file(dir, name);
		return;
	}
	j = job_new(dir->x);
	if (j == NULL || (j->name = strdup(name)) == NULL) {
		job_fail(dir, NULL, -ENOMEM, "%s", dir->from);
		if (j != NULL)
			job_free(j);
		return;
	}
	j->up = dir;
	dir->children++;
	j->depth = dir->depth + 1;
	j->chosen = dir->x->from_peer != NULL;
	/* Of a link, or of who knows what, more has to be asked. */
	if (typed && !S_ISLNK(attrs->perm))
		j->attrs = *attrs;
	j->is_dir = typed && S_ISDIR(attrs->perm);
	sort_in(j);
}

static void
maybe_dir_done(struct job *dir)
{
	if (!dir->listed || dir->children > 0 || dir->state == JOB_FINISHING)
		return;
	dir->state = JOB_FINISHING;
	dir->x->from->close(dir);
	dir->x->to->finish(dir);
}

void
job_listed(struct job *dir)
{
	dir->listed = true;
	queue_remove(&dir->x->listing, dir);
	maybe_dir_done(dir);
}

/* --- data ---------------------------------------------------------------- */

void
job_settle(struct job *j)
{
	if (j->state != JOB_MOVING || j->is_dir || j->held || j->reading > 0 ||
	    !(j->source_end || j->failed || j->x->stopping))
		return;
	if (!j->source_end)
		j->failed = true;
	j->state = JOB_FINISHING;
	queue_remove(&j->x->moving, j);
	j->x->from->close(j);
	j->x->to->finish(j);
}

void
job_data(struct job *j, uint64_t at, struct span data)
{
	j->x->to->write(j, at, data);
}

void
job_written(struct job *j, uint32_t len)
{
	window_done(j->x, len);
	if (j->failed)
		return;
	j->moved += len;
	j->x->result.bytes += len;
}

/* The end of the path says more on one line than its beginning. */
static const char *
title(const struct job *j)
{
	const char *slash = strrchr(j->from, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : j->from;
}

static void
show(struct job *j)
{
	progress_update(j->x->progress, title(j), j->moved, j->attrs.size);
}

void
job_over(struct job *j)
{
	struct xfer *x = j->x;
	struct job *up = j->up;

	uncount(j);
	if (j->is_dir && j->state != JOB_WAITING)
		x->dirs_open--;
	if (!j->failed && j->is_dir)
		x->result.directories++;
	else if (!j->failed) {
		x->result.files++;
		progress_end(x->progress, title(j), j->moved, j->attrs.size);
	}
	job_free(j);
	if (up != NULL) {
		up->children--;
		maybe_dir_done(up);
	}
}

/* --- the loop ------------------------------------------------------------ */

static bool
has_handle(const struct xfer *x, const struct peer *p)
{
	if (p != NULL && p == x->to_peer && x->opened >= SINK_FILES_MAX)
		return false;
	return p == NULL || x->opened < peer_handles_max(p);
}

static bool
may_open(const struct xfer *x)
{
	return x->files < x->files_max && has_handle(x, x->from_peer) &&
	       has_handle(x, x->to_peer);
}

static bool
has_room(const struct xfer *x)
{
	return (x->from_peer == NULL || peer_has_room(x->from_peer)) &&
	       (x->to_peer == NULL || peer_has_room(x->to_peer));
}

/* Each open directory holds descriptors; one more is always allowed when
 * nothing else goes on, or a deep tree would never end. */
static bool
may_list(const struct xfer *x)
{
	if (x->listing.n == 0 && x->waiting.n == 0 && x->files == 0)
		return x->dirs_begun == 0;
	return x->listing.n + x->dirs_begun < LISTINGS_MAX &&
	       x->dirs_open < DIRS_OPEN_MAX && xfer_wants_entries(x);
}

static void
open_again(struct job *j)
{
	j->holds = true;
	j->x->opened++;
	j->x->from->open_again(j);
}

static void
begin_some(struct xfer *x)
{
	while (x->dirs.n > 0 && may_list(x) && has_room(x))
		begin(queue_pop(&x->dirs));
	for (struct job *j = x->listing.first, *next; j != NULL; j = next) {
		next = j->next;
		if (xfer_wants_entries(x) && has_room(x))
			x->from->list_more(j);
	}
	while (x->again.n > 0 && has_handle(x, x->from_peer) && has_room(x))
		open_again(queue_pop(&x->again));
	while (x->waiting.n > 0 && may_open(x) && has_room(x))
		begin(queue_pop(&x->waiting));
}

/* The oldest file first: disks and people like files one after the other. */
static void
pull_some(struct xfer *x)
{
	for (struct job *j = x->moving.first, *next; j != NULL; j = next) {
		uint32_t room = 1;
		bool asked = true;

		next = j->next;
		while (asked && j->state == JOB_MOVING && !j->failed &&
		       !j->source_end && (room = window_room(j)) > 0) {
			j->held = true;
			asked = x->from->pull(j, room);
			j->held = false;
		}
		job_settle(j);
		if (room == 0)
			break;
	}
}

static void
drop_waiting(struct queue *q)
{
	while (q->n > 0) {
		struct job *j = queue_pop(q);

		j->failed = true;
		job_over(j);
	}
}

/* What waits is dropped; what moves ends when its answers are here. */
static void
stop(struct xfer *x)
{
	x->stopping = true;
	x->result.stopped = interrupt_seen();
	drop_waiting(&x->waiting);
	drop_waiting(&x->dirs);
	while (x->again.n > 0)
		job_ready(queue_pop(&x->again));
	for (struct job *j = x->listing.first, *next; j != NULL; j = next) {
		next = j->next;
		x->from->list_more(j);
	}
	for (struct job *j = x->moving.first, *next; j != NULL; j = next) {
		next = j->next;
		job_settle(j);
	}
}

static int
pump(struct xfer *x)
{
	struct peer *peers[PEERS_AT_ONCE];
	size_t n = 0;
	int pause = window_pause(x);

	if (x->from_peer != NULL)
		peers[n++] = x->from_peer;
	if (x->to_peer != NULL)
		peers[n++] = x->to_peer;
	for (unsigned i = 0; i < x->ntwins; i++)
		peers[n++] = x->twins[i];
	return peer_pump(
	    peers, n, pause >= 0 && pause < TICK_MS ? pause : TICK_MS);
}

int
xfer_run(struct xfer *x)
{
	uint64_t began = window_now();
	int rc = 0, error;

	x->stopping = false;
	window_init(x);
	while (x->alive > 0) {
		if (!x->stopping && (interrupt_seen() || rc != 0))
			stop(x);
		if (!x->stopping) {
			begin_some(x);
			stripe_tend(x);
			pull_some(x);
		}
		if (x->moving.first != NULL)
			show(x->moving.first);
		error = x->alive > 0 ? pump(x) : 0;
		rc = rc != 0 ? rc : error;
	}
	progress_clear(x->progress);
	x->result.seconds += (double)(window_now() - began) / 1e6;
	return rc;
}

/* --- begin and end ------------------------------------------------------- */

struct xfer *
xfer_new(struct peer *from, struct peer *to, const struct xfer_options *options,
    struct progress *progress)
{
	struct xfer *x = calloc(1, sizeof(*x));

	if (x == NULL || (x->buffer = malloc(SFTP_DATA_MAX)) == NULL) {
		free(x);
		return NULL;
	}
	x->from_peer = from;
	x->to_peer = to;
	x->from = from != NULL ? &from_server : &from_local;
	x->to = to != NULL ? &to_server : &to_local;
	x->options = *options;
	x->umask = umask(0);
	umask(x->umask);
	x->files_max = file_limit(DESCRIPTORS_MAX, DESCRIPTORS_OTHERS);
	x->progress = progress;
	queue_init(&x->waiting);
	queue_init(&x->dirs);
	queue_init(&x->moving);
	queue_init(&x->listing);
	queue_init(&x->again);
	return x;
}

void
xfer_free(struct xfer *x)
{
	if (x == NULL)
		return;
	stop(x);
	stripe_end(x);
	free(x->buffer);
	free(x);
}

int
xfer_add(struct xfer *x, const char *from, const char *to, bool chosen)
{
	struct job *j = job_new(x);

	if (j == NULL)
		return -ENOMEM;
	j->from = strdup(from);
	j->to = strdup(to);
	if (j->from == NULL || j->to == NULL) {
		job_free(j);
		return -ENOMEM;
	}
	j->chosen = chosen;
	queue_push(&x->waiting, j);
	return 0;
}

const struct xfer_result *
xfer_result(const struct xfer *x)
{
	return &x->result;
}

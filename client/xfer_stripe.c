/*
 * Files over several sessions. Runs in the client; the server is hostile: it
 * may refuse any of the sessions, at any time, and answer in any order.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "client/xfer_stripe.h"
#include "common/err.h"
#include "common/own.h"

/* Bytes that are still to be sent: below it, the sessions cost more. */
#define STRIPE_LEAST (16u << 20)
/* What a path can be expected to carry, in bytes a microsecond. */
#define STRIPE_RATE 400u

/* A session's part in one file; it outlives the job while it is being opened.*/
struct stripe {
	struct job *job;
	struct peer *peer;
	struct writer handle;
	bool opening;
	bool used; /* data was sent by it */
};

struct stripes {
	struct stripe *of[TWINS_MAX]; /* NULL: not asked for */
	bool is_file;
	bool last_sent;
};

/* --- whether ------------------------------------------------------------- */

/* How many channels it takes to keep the path busy. */
static unsigned
sessions_wanted(const struct xfer *x)
{
	size_t window = peer_window(x->to_peer);
	uint64_t wanted =
	    x->rtt_us * STRIPE_RATE / (window > 0 ? window : 1) + 1;

	return wanted > TWINS_MAX + 1 ? TWINS_MAX + 1 : (unsigned)wanted;
}

static bool
is_worth_it(const struct job *j)
{
	const struct xfer *x = j->x;

	return x->options.stripe && x->from_peer == NULL &&
	       x->to_peer != NULL && !x->options.resume &&
	       x->options.rate == 0 && x->options.requests == 0 && !j->failed &&
	       !j->source_end && j->attrs.size > j->next_at &&
	       j->attrs.size - j->next_at >= STRIPE_LEAST &&
	       (j->stripes != NULL || sessions_wanted(x) > 1);
}

static void
begin_twins(struct xfer *x)
{
	unsigned wanted = sessions_wanted(x) - 1;

	while (x->ntwins < wanted &&
	       peer_twin(x->to_peer, &x->twins[x->ntwins]) == 0)
		x->ntwins++;
}

/* --- opening ------------------------------------------------------------- */

static void
close_handle(struct stripe *s, peer_fn *closed, void *arg)
{
	writer_string(peer_begin(s->peer, SSH_FXP_CLOSE, closed, arg),
	    s->handle.p, s->handle.len);
	peer_end(s->peer);
}

static void
stripe_free(struct stripe *s)
{
	writer_done(&s->handle);
	free(s);
}

static void
opened(void *arg, const struct answer *a)
{
	struct stripe *s = arg;
	int rc = answer_handle(a, &s->handle);

	s->opening = false;
	/* A session without a handle is not used. */
	if (rc != 0)
		s->handle.len = 0;
	if (s->job != NULL)
		return;
	if (rc == 0 && peer_dead(s->peer) == 0)
		close_handle(s, NULL, NULL);
	stripe_free(s);
}

/* Neither made nor emptied: it is there, and the first session's. */
static void
open_in(struct job *j, unsigned i)
{
	const struct sftp_attrs none = { 0 };
	struct stripe *s = calloc(1, sizeof(*s));
	struct writer *w;

	if (s == NULL)
		return;
	*s = (struct stripe){ .job = j,
		.peer = j->x->twins[i],
		.handle = WRITER_INIT,
		.opening = true };
	j->stripes->of[i] = s;
	w = peer_begin(s->peer, SSH_FXP_OPEN, opened, s);
	writer_cstring(w, j->to);
	writer_u32(w, SSH_FXF_WRITE);
	sftp_attrs_write(w, &none);
	peer_end(s->peer);
}

static void
file_known(void *arg, const struct answer *a)
{
	struct job *j = arg;
	struct reader r = a->body;
	struct sftp_attrs there = { 0 };

	if (a->rc == 0 && a->type == SSH_FXP_ATTRS)
		sftp_attrs_read(&r, &there);
	j->stripes->is_file =
	    !r.failed && (there.flags & SSH_FILEXFER_ATTR_PERMISSIONS) != 0 &&
	    S_ISREG(there.perm);
	sink_answered(j);
}

/* Devices and pipes want what comes in its order. */
static void
ask_whether_file(struct job *j)
{
	struct peer *p = j->x->to_peer;

	j->stripes = calloc(1, sizeof(*j->stripes));
	if (j->stripes == NULL)
		return;
	writer_string(peer_begin(p, SSH_FXP_FSTAT, file_known, j),
	    j->to_handle.p, j->to_handle.len);
	peer_end(p);
	j->writing++;
}

/* A session that answers no more, while the first has nothing to answer. */
static void
watch(struct xfer *x)
{
	for (unsigned i = 0; i < x->ntwins; i++)
		if (peer_is_ready(x->twins[i]) &&
		    peer_silence_ms(x->to_peer) < 0 &&
		    peer_silence_ms(x->twins[i]) > peer_patience_ms(x->to_peer))
			peer_fault(x->twins[i], "answers no more");
}

void
stripe_tend(struct xfer *x)
{
	struct job *j = x->moving.first;

	watch(x);
	if (j == NULL || !is_worth_it(j))
		return;
	if (j->stripes == NULL) {
		begin_twins(x);
		ask_whether_file(j);
		return;
	}
	for (unsigned i = 0; j->stripes->is_file && i < x->ntwins; i++)
		if (j->stripes->of[i] == NULL && peer_is_ready(x->twins[i]))
			open_in(j, i);
}

/* --- data ---------------------------------------------------------------- */

static bool
is_usable(const struct stripe *s)
{
	return s != NULL && s->handle.len > 0 && peer_dead(s->peer) == 0;
}

static bool
was_used(const struct job *j)
{
	for (unsigned i = 0; j->stripes != NULL && i < TWINS_MAX; i++)
		if (j->stripes->of[i] != NULL && j->stripes->of[i]->used)
			return true;
	return false;
}

struct outlet
stripe_pick(struct job *j, bool last)
{
	struct outlet best = { j->x->to_peer, &j->to_handle };
	struct stripe *chosen = NULL;

	if (j->stripes != NULL)
		j->stripes->last_sent |= last;
	for (unsigned i = 0; j->stripes != NULL && !last && i < TWINS_MAX;
	     i++) {
		struct stripe *s = j->stripes->of[i];

		if (!is_usable(s) ||
		    peer_queued(s->peer) >= peer_queued(best.peer))
			continue;
		chosen = s;
		best = (struct outlet){ s->peer, &s->handle };
	}
	if (chosen != NULL)
		chosen->used = true;
	return best;
}

bool
stripe_has_room(const struct job *j)
{
	if (peer_has_room(j->x->to_peer))
		return true;
	for (unsigned i = 0; j->stripes != NULL && i < TWINS_MAX; i++)
		if (is_usable(j->stripes->of[i]) &&
		    peer_has_room(j->stripes->of[i]->peer))
			return true;
	return false;
}

bool
stripe_holds(const struct job *j, uint32_t len)
{
	return j->next_at + len >= j->attrs.size &&
	       j->contiguous < j->next_at && was_used(j);
}

/* --- the end ------------------------------------------------------------- */

void
stripe_lost(struct job *j)
{
	job_fail(j, NULL, 0,
	    "write remote \"%s\": the server ended one of several channels",
	    j->to);
}

bool
stripe_must_drain(const struct job *j)
{
	return j->writing > 0 && was_used(j) &&
	       (j->failed || !j->stripes->last_sent);
}

void
stripe_close(struct job *j, peer_fn *closed)
{
	for (unsigned i = 0; j->stripes != NULL && i < TWINS_MAX; i++) {
		struct stripe *s = j->stripes->of[i];

		if (s == NULL || s->handle.len == 0)
			continue;
		/* Nobody will say any more whether all is on the disk. */
		if (peer_dead(s->peer) != 0 && s->used)
			stripe_lost(j);
		if (peer_dead(s->peer) == 0) {
			j->writing++;
			close_handle(s, closed, j);
		}
		s->handle.len = 0;
	}
}

void
stripe_release(struct job *j)
{
	for (unsigned i = 0; j->stripes != NULL && i < TWINS_MAX; i++) {
		struct stripe *s = j->stripes->of[i];

		if (s != NULL && s->opening)
			s->job = NULL;
		else if (s != NULL)
			stripe_free(s);
	}
	free(j->stripes);
	j->stripes = NULL;
}

void
stripe_end(struct xfer *x)
{
	while (x->ntwins > 0)
		peer_free(x->twins[--x->ntwins]);
}

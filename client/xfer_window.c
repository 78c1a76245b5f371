/*
 * How many bytes may be in flight: twice what the path carried in its shortest
 * round trip, so that the window follows the path up and a slow path is not
 * flooded; and the limit of -l. Runs in the client.
 */
#include "config.h"

#include <time.h>

#include "client/xfer_stripe.h"

#define WINDOW_FIRST (2u << 20)
#define WINDOW_MAX (64u << 20)
/* A server's answers to a copy's READs wait in our memory for the other. */
#define WINDOW_COPY_MAX (16u << 20)
/* Data of one request on links whose server likes any size: what a pipe holds,
 * so that sftp-server reads on while its sshd encrypts. */
#define CHUNK_MOST (64u << 10)
/* The rate is measured over this many round trips, and at least this long. */
#define EPOCH_RTTS 2
#define EPOCH_LEAST_US 20000
#define US 1000000u
#define MS_US 1000u
/* -l: what may pass at once after a pause, in seconds' worth. */
#define BURST_SECONDS 0.05

uint64_t
window_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * US + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t
chunk_size(const struct xfer *x)
{
	uint32_t most = CHUNK_MOST;

	if (x->from_peer != NULL && peer_read_max(x->from_peer) < most)
		most = peer_read_max(x->from_peer);
	if (x->to_peer != NULL && peer_write_max(x->to_peer) < most)
		most = peer_write_max(x->to_peer);
	if (x->options.buffer != 0 && x->options.buffer < most)
		most = x->options.buffer;
	if (x->chunk_cap != 0 && x->chunk_cap < most)
		most = x->chunk_cap;
	/* A slow path is not taken by one request for seconds. */
	if (x->options.rate != 0 &&
	    (double)x->options.rate * BURST_SECONDS < most)
		most = (uint32_t)((double)x->options.rate * BURST_SECONDS) + 1;
	return most;
}

static uint64_t
window_most(const struct xfer *x)
{
	return x->from_peer != NULL && x->to_peer != NULL ? WINDOW_COPY_MAX
							  : WINDOW_MAX;
}

void
window_init(struct xfer *x)
{
	x->window = x->options.requests != 0
			? (uint64_t)x->options.requests * chunk_size(x)
			: WINDOW_FIRST;
	x->epoch_us = x->last_us = window_now();
}

static double
burst(const struct xfer *x)
{
	double most = (double)x->options.rate * BURST_SECONDS;

	return most > chunk_size(x) ? most : chunk_size(x);
}

static void
refill(struct xfer *x)
{
	uint64_t now = window_now();

	x->tokens += (double)x->options.rate * (double)(now - x->last_us) / US;
	if (x->tokens > burst(x))
		x->tokens = burst(x);
	x->last_us = now;
}

uint32_t
window_room(struct job *j)
{
	struct xfer *x = j->x;
	uint32_t chunk = chunk_size(x);

	if (x->in_flight >= x->window)
		return 0;
	if (x->from_peer != NULL && !peer_has_room(x->from_peer))
		return 0;
	if (x->to_peer != NULL && !stripe_has_room(j))
		return 0;
	if (x->options.rate != 0) {
		refill(x);
		if (x->tokens <= 0)
			return 0;
	}
	return chunk;
}

void
window_asked(struct xfer *x, uint32_t len)
{
	x->in_flight += len;
	x->tokens -= len;
}

/* The window never shrinks: what the path carried once, it may again. */
static void
adapt(struct xfer *x, uint64_t now)
{
	uint64_t took = now - x->epoch_us;
	uint64_t wanted;

	if (x->options.requests != 0 || took < EPOCH_LEAST_US ||
	    took < EPOCH_RTTS * x->rtt_us)
		return;
	wanted = 2 * x->epoch_bytes * x->rtt_us / took + WINDOW_FIRST;
	if (wanted > window_most(x))
		wanted = window_most(x);
	if (wanted > x->window)
		x->window = wanted;
	x->epoch_us = now;
	x->epoch_bytes = 0;
}

void
window_rtt(struct xfer *x, uint64_t asked_us)
{
	uint64_t now = window_now();
	uint64_t rtt = now - asked_us;

	if (x->rtt_us == 0 || rtt < x->rtt_us)
		x->rtt_us = rtt;
	adapt(x, now);
}

void
window_done(struct xfer *x, uint32_t len)
{
	x->in_flight -= len < x->in_flight ? len : x->in_flight;
	x->epoch_bytes += len;
}

int
window_pause(const struct xfer *x)
{
	double lack = -x->tokens;

	if (x->options.rate == 0 || lack < 0)
		return -1;
	return (int)(lack / (double)x->options.rate * MS_US) + 1;
}

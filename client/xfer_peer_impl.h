/*
 * The inside of a session, for xfer_peer.c and xfer_peer_open.c alone.
 */
#ifndef CLIENT_XFER_PEER_IMPL_H
#define CLIENT_XFER_PEER_IMPL_H

#include "client/xfer_peer.h"

/* One read from the link: an SSH channel makes it the window that the server
 * may fill, 16 MiB being 800 MB/s at 20 ms. Only what arrives is touched. */
#define PEER_RECEIVE_SIZE (16u << 20)
#define PEER_WHY_MAX 160

struct request {
	uint32_t id;
	peer_fn *fn;
	void *arg;
	uint16_t next_free;
	bool used;
};

struct peer {
	struct link *link;
	struct writer out;
	size_t out_at;
	size_t mark;
	uint8_t *in;
	size_t in_len;
	struct request table[PEER_REQUESTS];
	uint16_t free_head;
	unsigned in_flight;
	int64_t heard_ms; /* clock_ms() of the last bytes */
	uint32_t generation;
	unsigned exts;
	unsigned version;
	bool greeted;
	bool is_twin; /* its end is not that of the session */
	struct sftp_limits limits;
	int dead;
	char why[PEER_WHY_MAX];
};

/* The server has told its extensions: ask for the limits. */
void peer_ask_limits(struct peer *p);

/* It is over; the first error counts. Requests are told in the next turn,
 * where nobody is in their middle. */
void peer_bury(struct peer *p, int error);
/* Tell all requests that no answer will come, of a peer that is buried. */
void peer_reject(struct peer *p);

#endif

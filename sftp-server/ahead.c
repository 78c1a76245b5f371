/*
 * Writes for several WRITE requests at once. Runs in sftp-server, jailed, as
 * the user; the requests are the client's. Each is still run in its turn, with
 * its record and its reply: only its bytes are in the file already.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/uio.h>

#include "sftp-server/ahead.h"
#include "sftp-server/handle.h"
#include "sftp-server/server.h"

/* Requests at a time, and bytes from which on more of them gain nothing. */
#define TOGETHER_MAX 16
#define TOGETHER_BYTES (128u * 1024)

/* The packet at *at in s->in, if it is there whole; *at is behind it then. */
static bool
packet_next(const struct server *s, size_t *at, struct span *out_packet)
{
	size_t size;

	if (sftp_frame(s->in + *at, s->in_tail - *at, &size) != 0)
		return false;
	*out_packet =
	    span_of(s->in + *at + SFTP_LEN_SIZE, size - SFTP_LEN_SIZE);
	*at += size;
	return true;
}

/* Whether the packet is a WRITE that goes on where another ended. */
static bool
continues(struct span packet, uint64_t handle, uint64_t end, struct span *out)
{
	struct request q;
	struct reader r;
	bool is_write;

	reader_init(&r, packet.p, packet.len);
	is_write = reader_u8(&r) == SSH_FXP_WRITE;
	(void)reader_u32(&r);
	if (!is_write || request_decode(&r, "hod", &q) != 0 ||
	    q.handle[0] != handle || q.number[0] != end || q.data[0].len == 0 ||
	    q.data[0].len > INT64_MAX - end)
		return false;
	*out = q.data[0];
	return true;
}

/* What the request and those behind it write: how many there are. */
static int
gather(const struct server *s, const struct request *q, struct iovec *to)
{
	const uint64_t begin = q->number[0];
	struct span packet, data = q->data[0];
	uint64_t end = begin;
	size_t at = s->in_head;
	int n = 0;

	if (data.len == 0 || end > INT64_MAX || data.len > INT64_MAX - end ||
	    !packet_next(s, &at, &packet))
		return 0;
	do {
		to[n].iov_base = (void *)(uintptr_t)data.p;
		to[n].iov_len = data.len;
		end += data.len;
		n++;
	} while (n < TOGETHER_MAX && end - begin < TOGETHER_BYTES &&
		 packet_next(s, &at, &packet) &&
		 continues(packet, q->handle[0], end, &data));
	return n;
}

/* Write; only what was done whole counts. */
static void
write_together(struct server *s, const struct request *q, int fd)
{
	struct ahead *ahead = &s->ahead;
	struct iovec parts[TOGETHER_MAX];
	int n = gather(s, q, parts);
	ssize_t done;

	if (n < 2)
		return;
	done = pwritev(fd, parts, n, (off_t)q->number[0]);
	ahead->handle = q->handle[0];
	ahead->from = ahead->until = q->number[0];
	for (int i = 0; i < n && done >= (ssize_t)parts[i].iov_len; i++) {
		done -= (ssize_t)parts[i].iov_len;
		ahead->until += parts[i].iov_len;
	}
}

/* One request's share of what was written, taken once. */
static bool
take_share(struct ahead *ahead, const struct request *q)
{
	if (ahead->from == ahead->until)
		return false;
	if (q->handle[0] == ahead->handle && q->number[0] == ahead->from &&
	    q->data[0].len <= ahead->until - ahead->from) {
		ahead->from += q->data[0].len;
		return true;
	}
	/* Never of another request, whatever comes. */
	ahead->from = ahead->until;
	return false;
}

bool
ahead_did(struct server *s, const struct request *q, struct handle *h)
{
	/* Where an append goes is told when it is done, and only then. */
	if ((h->flags & O_APPEND) != 0)
		return false;
	if (take_share(&s->ahead, q))
		return true;
	write_together(s, q, h->fd);
	return take_share(&s->ahead, q);
}

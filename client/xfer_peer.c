/*
 * One SFTP session: request table, queue, framing. Runs in the client, as the
 * user; all that is received is hostile.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/alive.h"
#include "client/xfer_peer_impl.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/own.h"

/* Handles that any server can be expected to give us. */
#define HANDLES_DEFAULT 64
/* Over 20 ms, three round trips a file, some 15,000 small files a second. */
#define HANDLES_MAX 1000
/* A server needs some for its own: the listing, the log. */
#define HANDLES_SPARE 8
/* Link reads in one turn, so that the queue is served in between. */
#define READS_PER_TURN 16

static const struct {
	const char *name, *version;
	enum peer_ext bit;
} extensions[] = {
	{ "posix-rename@openssh.com", "1", PEER_POSIX_RENAME },
	{ "hardlink@openssh.com", "1", PEER_HARDLINK },
	{ "statvfs@openssh.com", "2", PEER_STATVFS },
	{ "fsync@openssh.com", "1", PEER_FSYNC },
	{ "lsetstat@openssh.com", "1", PEER_LSETSTAT },
	{ "limits@openssh.com", "1", PEER_LIMITS },
	{ "expand-path@openssh.com", "1", PEER_EXPAND_PATH },
	{ "copy-data", "1", PEER_COPY_DATA },
	{ "users-groups-by-id@openssh.com", "1", PEER_OWNERS },
};

bool
peer_has(const struct peer *p, enum peer_ext ext)
{
	return (p->exts & ext) != 0;
}

unsigned
peer_version(const struct peer *p)
{
	return p->version;
}

static uint32_t
data_max(uint64_t told)
{
	if (told == 0)
		return PEER_DATA_DEFAULT;
	return told > SFTP_DATA_MAX ? SFTP_DATA_MAX : (uint32_t)told;
}

uint32_t
peer_read_max(const struct peer *p)
{
	return data_max(p->limits.read_max);
}

uint32_t
peer_write_max(const struct peer *p)
{
	return data_max(p->limits.write_max);
}

unsigned
peer_handles_max(const struct peer *p)
{
	uint64_t told = p->limits.handles_max;

	if (told == 0)
		return HANDLES_DEFAULT;
	if (told <= 2 * HANDLES_SPARE)
		return 1;
	told -= HANDLES_SPARE;
	return told > HANDLES_MAX ? HANDLES_MAX : (unsigned)told;
}

int
peer_dead(const struct peer *p)
{
	return p->dead;
}

static void
give_back(struct peer *p, struct request *q)
{
	q->used = false;
	q->next_free = p->free_head;
	p->free_head = (uint16_t)(q - p->table);
	p->in_flight--;
}

void
peer_bury(struct peer *p, int error)
{
	if (p->dead == 0)
		p->dead = error;
}

void
peer_fault(struct peer *p, const char *why)
{
	if (p->dead == 0)
		snprintf(p->why, sizeof(p->why), "the server %s", why);
	peer_bury(p, -EBADMSG);
}

int
answer_handle(const struct answer *a, struct writer *out)
{
	struct reader r = a->body;
	struct span handle;

	if (a->rc != 0)
		return a->rc;
	handle = reader_string(&r, SFTP_HANDLE_MAX);
	if (a->type != SSH_FXP_HANDLE || r.failed)
		return -EBADMSG;
	writer_bytes(out, handle.p, handle.len);
	return writer_end(out);
}

static const char *
status_text(int rc)
{
	static const char *const texts[] = {
		[SSH_FX_OK] = "No error",
		[SSH_FX_EOF] = "End of file",
		[SSH_FX_NO_SUCH_FILE] = "No such file or directory",
		[SSH_FX_PERMISSION_DENIED] = "Permission denied",
		[SSH_FX_FAILURE] = "Failure",
		[SSH_FX_BAD_MESSAGE] = "Bad message",
		[SSH_FX_NO_CONNECTION] = "No connection",
		[SSH_FX_CONNECTION_LOST] = "Connection lost",
		[SSH_FX_OP_UNSUPPORTED] = "Operation unsupported",
	};

	return (size_t)rc < nitems_of(texts) ? texts[rc] : "Unknown status";
}

const char *
peer_text(const struct peer *p, int rc)
{
	if (rc >= 0)
		return status_text(rc);
	if (p != NULL && p->dead != 0 && rc == p->dead && p->why[0] != '\0')
		return p->why;
	if (rc == -E2BIG)
		return "too many names";
	/* Not err_str(): here these are what libc means by them. */
	return strerror(-rc);
}

/* --- requests ------------------------------------------------------------ */

static void
sink_answer(void *arg, const struct answer *a)
{
	(void)arg;
	(void)a;
}

void
peer_reject(struct peer *p)
{
	const struct answer none = { .rc = p->dead };

	for (size_t i = 0; p->in_flight > 0 && i < PEER_REQUESTS; i++) {
		struct request *q = &p->table[i];

		if (!q->used)
			continue;
		give_back(p, q);
		q->fn(q->arg, &none);
	}
}

struct writer *
peer_begin(struct peer *p, uint8_t type, peer_fn *fn, void *arg)
{
	struct request *q;

	/*
	 * Callers ask peer_has_room() before they send data; what comes on top
	 * of that is a few requests for each open handle, for which there is
	 * room by PEER_REQUESTS. If not, the session ends, and nothing more is
	 * sent: the slot is only there to give the caller its answer.
	 */
	if (p->in_flight == PEER_REQUESTS - 1)
		peer_fault(p, "leaves too many requests unanswered");
	if (p->in_flight == PEER_REQUESTS - 1)
		peer_reject(p);
	q = &p->table[p->free_head];
	p->free_head = q->next_free;
	if (p->in_flight++ == 0)
		p->heard_ms = clock_ms();
	p->generation += PEER_REQUESTS;
	*q = (struct request){
		.id = p->generation + (uint32_t)(q - p->table),
		.fn = fn != NULL ? fn : sink_answer,
		.arg = arg,
		.used = true,
	};
	p->mark = sftp_start(&p->out, type, q->id);
	return &p->out;
}

struct writer *
peer_extended(struct peer *p, const char *name, peer_fn *fn, void *arg)
{
	struct writer *w = peer_begin(p, SSH_FXP_EXTENDED, fn, arg);

	writer_cstring(w, name);
	return w;
}

void
peer_end(struct peer *p)
{
	sftp_finish(&p->out, p->mark);
	if (p->out.failed)
		peer_bury(p, -ENOMEM);
}

size_t
peer_queued(const struct peer *p)
{
	return p->out.len - p->out_at;
}

bool
peer_has_room(const struct peer *p)
{
	return peer_queued(p) < PEER_QUEUE_MAX &&
	       p->in_flight < PEER_REQUESTS / 4;
}

/* --- answers ------------------------------------------------------------- */

static void
read_version(struct peer *p, struct reader *r)
{
	p->version = reader_u32(r);
	while (r->left > 0 && !r->failed) {
		struct span name = reader_string(r, SIZE_MAX);
		struct span version = reader_string(r, SIZE_MAX);

		for (size_t i = 0; i < nitems_of(extensions); i++)
			if (span_is(name, extensions[i].name) &&
			    span_is(version, extensions[i].version))
				p->exts |= extensions[i].bit;
	}
	if (r->failed)
		peer_fault(p, "sent a malformed greeting");
	else if (p->version < 1)
		peer_fault(p, "speaks no version of SFTP that we know");
	p->greeted = true;
	if (p->dead == 0)
		peer_ask_limits(p);
}

static void
dispatch(struct peer *p, uint8_t type, struct reader *r)
{
	uint32_t id = reader_u32(r);
	struct request *q = &p->table[id % PEER_REQUESTS];
	struct answer a = { .type = type };
	struct request done;

	if (r->failed || !q->used || q->id != id) {
		peer_fault(p, "answered a request that was never made");
		return;
	}
	if (type == SSH_FXP_STATUS) {
		uint32_t status = reader_u32(r);

		if (r->failed) {
			peer_fault(p, "sent a malformed status");
			return;
		}
		a.rc = status > INT32_MAX ? SSH_FX_FAILURE : (int)status;
	}
	a.body = *r;
	done = *q;
	give_back(p, q);
	done.fn(done.arg, &a);
}

static void
take_packet(struct peer *p, const uint8_t *bytes, size_t len)
{
	struct reader r;
	uint8_t type;

	reader_init(&r, bytes, len);
	type = reader_u8(&r);
	if (!p->greeted && type == SSH_FXP_VERSION)
		read_version(p, &r);
	else if (!p->greeted)
		peer_fault(p, "did not greet as an SFTP server does");
	else
		dispatch(p, type, &r);
}

/*
 * A shell start-up file that prints is the usual reason why the first bytes
 * are no packet: say what they look like, printable characters only.
 */
static void
blame_greeting(struct peer *p, int error)
{
	char text[48];
	size_t n = 0;

	while (n < p->in_len && n < sizeof(text) - 1 && p->in[n] >= ' ' &&
	       p->in[n] <= '~') {
		text[n] = (char)p->in[n];
		n++;
	}
	text[n] = '\0';
	if (!p->greeted && n >= SFTP_LEN_SIZE)
		snprintf(p->why, sizeof(p->why),
		    "what came is no SFTP but \"%s\": does a start-up file of "
		    "the remote shell print something?",
		    text);
	else
		snprintf(p->why, sizeof(p->why), "the server sent a packet %s",
		    error == -EMSGSIZE ? "longer than SFTP allows"
				       : "without a type");
	peer_bury(p, error);
}

static void
take_packets(struct peer *p)
{
	size_t at = 0, size;
	int rc = 0;

	while (p->dead == 0 &&
	       (rc = sftp_frame(p->in + at, p->in_len - at, &size)) == 0) {
		take_packet(
		    p, p->in + at + SFTP_LEN_SIZE, size - SFTP_LEN_SIZE);
		at += size;
	}
	p->in_len -= at;
	if (at > 0)
		memmove(p->in, p->in + at, p->in_len);
	if (p->dead == 0 && rc != -EAGAIN)
		blame_greeting(p, rc);
}

/* --- the loop ------------------------------------------------------------ */

static void
link_ended(struct peer *p)
{
	if (p->dead == 0)
		snprintf(p->why, sizeof(p->why), "%s",
		    p->greeted ? "Connection closed"
			       : "Connection closed before SFTP began: does "
				 "the server offer it?");
	peer_bury(p, -EPIPE);
}

static bool
send_some(struct peer *p)
{
	bool moved = false;

	while (p->dead == 0 && p->out_at < p->out.len) {
		ssize_t n = p->link->ops->write(
		    p->link, p->out.p + p->out_at, p->out.len - p->out_at);

		if (n == -EAGAIN || n == 0)
			break;
		if (n < 0) {
			if (n == -EPIPE || n == -ECONNRESET)
				link_ended(p);
			else
				peer_bury(p, (int)n);
			break;
		}
		moved = true;
		p->out_at += (size_t)n;
	}
	if (p->out_at == p->out.len)
		p->out_at = p->out.len = 0;
	return moved;
}

/* The queue's front is given back when it is the larger part. */
static void
trim_queue(struct peer *p)
{
	if (p->out_at < PEER_QUEUE_MAX || p->out_at < p->out.len / 2)
		return;
	memmove(p->out.p, p->out.p + p->out_at, p->out.len - p->out_at);
	p->out.len -= p->out_at;
	p->out_at = 0;
}

static bool
receive_some(struct peer *p)
{
	ssize_t n;

	if (p->dead != 0)
		return false;
	n = p->link->ops->read(
	    p->link, p->in + p->in_len, PEER_RECEIVE_SIZE - p->in_len);
	if (n == -EAGAIN)
		return false;
	if (n == 0)
		link_ended(p);
	else if (n < 0)
		peer_bury(p, (int)n);
	else {
		p->in_len += (size_t)n;
		p->heard_ms = clock_ms();
		take_packets(p);
	}
	return n > 0;
}

/* Whether anything was moved. */
static bool
turn(struct peer *p)
{
	bool moved = send_some(p);

	trim_queue(p);
	for (int i = 0; i < READS_PER_TURN && receive_some(p); i++)
		moved = true;
	while (p->dead != 0 && p->in_flight > 0)
		peer_reject(p);
	return moved;
}

/* What to wait for, how long at most, or that there is no need to wait. */
static bool
want(struct peer *p, int *timeout_ms, struct pollfd *out)
{
	int due;

	out->fd = -1;
	if (p->dead != 0)
		return false;
	due = link_tend(p->link);
	if (due == -ETIMEDOUT) {
		snprintf(p->why, sizeof(p->why), "%s", ALIVE_LOST);
		peer_bury(p, due);
		while (p->in_flight > 0)
			peer_reject(p);
		return true;
	}
	if (due >= 0 && (*timeout_ms < 0 || due < *timeout_ms))
		*timeout_ms = due;
	return p->link->ops->want(p->link, p->out_at < p->out.len, out);
}

int
peer_pump(struct peer *const peers[], size_t n, int timeout_ms)
{
	struct pollfd fds[PEERS_AT_ONCE];
	bool moved = false;

	for (size_t i = 0; i < n; i++)
		moved |= turn(peers[i]);
	for (size_t i = 0; i < n; i++) {
		moved |= want(peers[i], &timeout_ms, &fds[i]);
		if (peers[i]->dead != 0 && !peers[i]->is_twin)
			return peers[i]->dead;
	}
	/* A signal ends the wait; whose it was is for the caller to know. */
	if (!moved)
		(void)poll(fds, n, timeout_ms);
	return 0;
}

int
peer_await(struct peer *p, int fd, const sigset_t *mask)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = -1 } };
	int ms = -1;
	struct timespec ts;

	do
		while (turn(p))
			continue;
	while (want(p, &ms, &fds[1]));
	if (p->dead != 0)
		return p->dead;
	ts = (struct timespec){ ms / 1000, ms % 1000 * 1000000L };
	if (ppoll(fds, nitems_of(fds), ms < 0 ? NULL : &ts, mask) < 0)
		return -errno;
	return fds[0].revents != 0;
}

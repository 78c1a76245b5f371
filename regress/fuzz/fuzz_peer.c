/*
 * A server's answers to the client of SFTP: greeting, listings, patterns, and
 * copies of trees from one such server to another, which exercises the whole
 * engine but the local files. The input is packets; those that answer get the
 * identifiers of requests that were made, or hardly any would be looked at.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/sftp_call.h"
#include "client/sftp_list.h"
#include "client/xfer.h"
#include "common/err.h"
#include "common/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IDS_MAX 4096
#define TYPE_AT SFTP_LEN_SIZE
#define ID_AT (SFTP_LEN_SIZE + 1)
#define ID_END (ID_AT + 4)
/* An identifier from here on is left as it is: a lie. */
#define ID_LIE 0xf0000000u

struct fake {
	struct link link;
	struct reader left;
	uint32_t ids[IDS_MAX];
	size_t n;
	size_t waiting; /* requests without an answer */
	uint8_t packet[SFTP_LEN_SIZE + SFTP_PACKET_MAX];
	size_t at, len;
};

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
patch(struct fake *f)
{
	uint32_t id = f->len >= ID_END ? be32(f->packet + ID_AT) : ID_LIE;

	if (f->packet[TYPE_AT] < SSH_FXP_STATUS || id >= ID_LIE || f->n == 0)
		return;
	id = id % f->n;
	for (int i = 0; i < 4; i++)
		f->packet[ID_AT + i] = (uint8_t)(f->ids[id] >> (24 - 8 * i));
	memmove(
	    &f->ids[id], &f->ids[id + 1], (--f->n - id) * sizeof(f->ids[0]));
}

/* The next packet of the input; what is no packet, as it is. */
static void
fill(struct fake *f)
{
	size_t size = f->left.left;

	if (sftp_frame(f->left.p, f->left.left, &size) != 0)
		size = f->left.left;
	if (size > sizeof(f->packet))
		size = sizeof(f->packet);
	memcpy(f->packet, reader_bytes(&f->left, size).p, size);
	f->at = 0;
	f->len = size;
	if (size > TYPE_AT)
		patch(f);
}

static ssize_t
fake_read(struct link *l, void *p, size_t len)
{
	struct fake *f = (struct fake *)l;

	/* It answers what was asked, and no sooner; then it is gone. */
	if (f->at == f->len && f->left.left > 0) {
		if (f->waiting == 0)
			return -EAGAIN;
		f->waiting--;
		fill(f);
	}
	len = len < f->len - f->at ? len : f->len - f->at;
	memcpy(p, f->packet + f->at, len);
	f->at += len;
	return (ssize_t)len;
}

/* Packets are written whole, because this takes all of them at once. */
static ssize_t
fake_write(struct link *l, const void *p, size_t len)
{
	struct fake *f = (struct fake *)l;
	const uint8_t *bytes = p;

	for (size_t at = 0, size; at < len; at += size) {
		if (sftp_frame(bytes + at, len - at, &size) != 0 ||
		    size < ID_END)
			abort();
		f->waiting++;
		if (bytes[at + TYPE_AT] != SSH_FXP_INIT && f->n < IDS_MAX)
			f->ids[f->n++] = be32(bytes + at + ID_AT);
	}
	return (ssize_t)len;
}

static bool
fake_want(struct link *l, bool want_write, struct pollfd *out)
{
	(void)l;
	(void)want_write;
	*out = (struct pollfd){ .fd = -1 };
	return false;
}

static int
fake_close(struct link *l)
{
	free(l);
	return 0;
}

static const struct link_ops fake_ops = { .read = fake_read,
	.write = fake_write,
	.want = fake_want,
	.close = fake_close };

static struct peer *
fake_peer(const uint8_t *data, size_t size)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct peer *p = NULL;

	if (f == NULL)
		abort();
	f->link.ops = &fake_ops;
	reader_init(&f->left, data, size);
	if (peer_new(&f->link, &p) == 0)
		return p;
	peer_free(p);
	return NULL;
}

static void
try_calls(const uint8_t *data, size_t size)
{
	AUTO(list_done) struct list names = LIST_INIT;
	struct peer *p = fake_peer(data, size);
	AUTOFREE char *path = NULL;
	struct sftp_attrs a;
	struct statvfs v;

	if (p == NULL)
		return;
	(void)list_glob(p, "/d*/[a-z]?/*", &names);
	(void)call_realpath(p, ".", &path);
	(void)call_stat(p, "/f", CALL_FOLLOW, &a);
	(void)call_statvfs(p, "/", &v);
	(void)call_copy(p, "/a", "/b");
	for (size_t i = 0; i < names.n; i++)
		if (strstr(names.entries[i].name, "/../") != NULL)
			abort();
	peer_free(p);
}

/* Two servers: the first has as many bytes of the input as its head says. */
static void
try_copy(const uint8_t *data, size_t size, size_t first)
{
	const struct xfer_options options = {
		.recursive = true, .preserve = true, .follow = true
	};
	struct peer *from = fake_peer(data, first);
	struct peer *to = fake_peer(data + first, size - first);
	struct xfer *x = NULL;

	if (from != NULL && to != NULL)
		x = xfer_new(from, to, &options, NULL);
	if (x != NULL && xfer_add(x, "/d", "/t", false) == 0 &&
	    xfer_add(x, "/f", "/g", true) == 0)
		(void)xfer_run(x);
	xfer_free(x);
	peer_free(from);
	peer_free(to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r;
	size_t first;

	reader_init(&r, data, size);
	first = (size_t)reader_u8(&r) << 8;
	first |= reader_u8(&r);
	if (r.failed)
		return 0;
	try_calls(r.p, r.left);
	try_copy(r.p, r.left, first < r.left ? first : r.left);
	return 0;
}

/*
 * Reads requests by their shape, for sftp-server and its fuzzer: bytes of the
 * client in, a struct out, and nothing done yet.
 */
#include "config.h"

#include <stdlib.h>

#include "common/err.h"
#include "sftp-server/request.h"

/* A handle of ours is two numbers; any other bytes are none of ours. */
static uint64_t
handle_read(struct reader *r)
{
	struct span s = reader_string(r, SIZE_MAX);
	struct reader inner;
	uint64_t id;

	reader_init(&inner, s.p, s.len);
	id = reader_u64(&inner);
	return reader_end(&inner) == 0 ? id : 0;
}

/* How many fields of each kind have been read. */
struct counts {
	unsigned paths, handles, numbers, data;
};

static int
field_read(struct reader *r, char kind, struct counts *n, struct request *q)
{
	switch (kind) {
	case 'p':
		return sftp_path_read(r, q->path[n->paths++]);
	case 'h':
		q->handle[n->handles++] = handle_read(r);
		return 0;
	case 'n':
		q->number[n->numbers++] = reader_u32(r);
		return 0;
	case 'o':
		q->number[n->numbers++] = reader_u64(r);
		return 0;
	case 'd':
		q->data[n->data++] = reader_string(r, SIZE_MAX);
		return 0;
	case 'a':
		sftp_attrs_read(r, &q->attrs);
		return 0;
	default:
		abort();
	}
}

int
request_decode(struct reader *r, const char *shape, struct request *q)
{
	struct counts n = { 0 };
	int error;

	for (; *shape != '\0'; shape++) {
		error = field_read(r, *shape, &n, q);
		if (error != 0)
			return error;
		if (r->failed)
			return -EBADMSG;
	}
	return 0;
}

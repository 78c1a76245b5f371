/*
 * SFTP packets as sftp-server gets them: framing, each request's fields by its
 * shape, attributes. Nothing is done with what is read, but what was read must
 * be within bounds, and attributes must come out as they went in.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/sftp.h"
#include "sftp-server/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const shapes[] = { "", "p", "h", "pp", "pa", "ha", "pna",
	"hon", "hod", "hooho", "dd", "pphhnoodda" };

static struct request q;

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
try_attrs(struct span body)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;
	struct sftp_attrs a = { 0 }, again = { 0 };
	struct reader r;

	reader_init(&r, body.p, body.len);
	sftp_attrs_read(&r, &a);
	if (r.failed)
		return;
	sftp_attrs_write(&w, &a);
	check(writer_end(&w) == 0);
	reader_init(&r, w.p, w.len);
	sftp_attrs_read(&r, &again);
	check(reader_end(&r) == 0);
	a.flags &= ~SSH_FILEXFER_ATTR_EXTENDED;
	check(memcmp(&a, &again, sizeof(a)) == 0);
}

static void
try_shape(struct span body, const char *shape)
{
	struct reader r;

	memset(q.data, 0, sizeof(q.data));
	reader_init(&r, body.p, body.len);
	if (request_decode(&r, shape, &q) != 0)
		return;
	check(!r.failed && r.left <= body.len);
	for (size_t i = 0; i < REQUEST_PATHS; i++)
		check(strnlen(q.path[i], sizeof(q.path[i])) <= SFTP_PATH_MAX);
	for (size_t i = 0; i < REQUEST_DATA; i++)
		check(q.data[i].len == 0 ||
		      (q.data[i].p >= body.p &&
			  q.data[i].p + q.data[i].len <= body.p + body.len));
}

static void
try_replies(struct span body)
{
	struct sftp_limits limits;
	struct statvfs vfs;
	struct reader r;

	reader_init(&r, body.p, body.len);
	sftp_limits_read(&r, &limits);
	reader_init(&r, body.p, body.len);
	sftp_statvfs_read(&r, &vfs);
}

static void
try_packet(struct span packet)
{
	struct reader r;
	struct span body;

	reader_init(&r, packet.p, packet.len);
	if (reader_u8(&r) == SSH_FXP_EXTENDED) {
		(void)reader_u32(&r);
		(void)reader_string(&r, SIZE_MAX);
	} else
		(void)reader_u32(&r);
	body = reader_bytes(&r, r.left);
	for (size_t i = 0; i < nitems_of(shapes); i++)
		try_shape(body, shapes[i]);
	try_attrs(body);
	try_replies(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t need;
	int error;

	/* As in the server's loop: packet after packet. */
	while ((error = sftp_frame(data, size, &need)) == 0) {
		check(need > SFTP_LEN_SIZE && need <= size);
		try_packet(span_of(data + SFTP_LEN_SIZE, need - SFTP_LEN_SIZE));
		data += need;
		size -= need;
	}
	check(error != -EAGAIN || need > size);
	return 0;
}

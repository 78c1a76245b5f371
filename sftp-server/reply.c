/*
 * Replies of sftp-server. There is always room: no request is begun without
 * REPLY_MAX bytes to spare.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "common/own.h"
#include "sftp-server/reply.h"

/* As OpenSSH's server maps them; what is not here is a FAILURE. */
static const struct {
	int code;
	enum sftp_status status;
} statuses[] = {
	{ 0, SSH_FX_OK },
	{ -REQUEST_EOF, SSH_FX_EOF },
	{ ENOENT, SSH_FX_NO_SUCH_FILE },
	{ ENOTDIR, SSH_FX_NO_SUCH_FILE },
	{ EBADF, SSH_FX_NO_SUCH_FILE },
	{ ELOOP, SSH_FX_NO_SUCH_FILE },
	{ EPERM, SSH_FX_PERMISSION_DENIED },
	{ EACCES, SSH_FX_PERMISSION_DENIED },
	{ EFAULT, SSH_FX_PERMISSION_DENIED },
	{ ENAMETOOLONG, SSH_FX_BAD_MESSAGE },
	{ EINVAL, SSH_FX_BAD_MESSAGE },
	{ EBADMSG, SSH_FX_BAD_MESSAGE },
	{ ENOSYS, SSH_FX_OP_UNSUPPORTED },
};

size_t
reply_start(struct server *s, uint8_t type, uint32_t id)
{
	return sftp_start(&s->out, type, id);
}

uint8_t *
reply_space(struct server *s, size_t n)
{
	return s->out.size - s->out.len >= n ? s->out.p + s->out.len : NULL;
}

void
reply_advance(struct server *s, size_t n)
{
	s->out.len += n;
}

void
reply_poke(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static enum sftp_status
status_of(int result)
{
	for (size_t i = 0; i < nitems_of(statuses); i++)
		if (statuses[i].code == -result)
			return statuses[i].status;
	return SSH_FX_FAILURE;
}

int
reply_error(
    struct server *s, uint32_t id, enum sftp_status status, const char *text)
{
	size_t mark;

	s->status = status;
	slog(SLOG_DEBUG3, "request %u: sent status %u", id, status);
	/* Success is told from DEBUG on, as with OpenSSH's. */
	if ((status != SSH_FX_OK && status != SSH_FX_EOF) ||
	    slog_enabled(SLOG_DEBUG1))
		slog(SLOG_INFO, "sent status %s", sftp_status_text(status));
	if (s->version >= 3) {
		sftp_status_write(&s->out, id, status, text);
		return REQUEST_REPLIED;
	}
	/* Before version 3 there were no words. */
	mark = reply_start(s, SSH_FXP_STATUS, id);
	writer_u32(&s->out, status);
	sftp_finish(&s->out, mark);
	return REQUEST_REPLIED;
}

void
reply_status(struct server *s, uint32_t id, int result)
{
	enum sftp_status status = status_of(result);
	const char *text = NULL;

	if (result == REQUEST_NO_HANDLE)
		text = "Invalid handle";
	else if (status == SSH_FX_FAILURE)
		/* "Failure" tells a user nothing; "File exists" does. */
		text = strerrordesc_np(-result);
	reply_error(s, id, status, text);
}

int
reply_handle(struct server *s, uint32_t id, uint64_t handle)
{
	size_t mark = reply_start(s, SSH_FXP_HANDLE, id);

	writer_u32(&s->out, sizeof(handle));
	writer_u64(&s->out, handle);
	sftp_finish(&s->out, mark);
	return REQUEST_REPLIED;
}

int
reply_path(struct server *s, uint32_t id, const char *path)
{
	struct sftp_attrs none = { 0 };
	size_t mark = reply_start(s, SSH_FXP_NAME, id);

	writer_u32(&s->out, 1);
	writer_cstring(&s->out, path);
	writer_cstring(&s->out, path);
	sftp_attrs_write(&s->out, &none);
	sftp_finish(&s->out, mark);
	return REQUEST_REPLIED;
}

int
reply_attrs(struct server *s, uint32_t id, const struct stat *st)
{
	struct sftp_attrs attrs = sftp_attrs_of(st);
	size_t mark = reply_start(s, SSH_FXP_ATTRS, id);

	sftp_attrs_write(&s->out, &attrs);
	sftp_finish(&s->out, mark);
	return REQUEST_REPLIED;
}

/*
 * The SFTP version 3 codec. Runs in sftp-server on bytes of a client, and in
 * the client on bytes of a server: neither is trusted.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/sftp.h"

/* Bits of f_flag on the wire (OpenSSH's PROTOCOL, 4.4). */
#define STATVFS_RDONLY 0x1u
#define STATVFS_NOSUID 0x2u

int
sftp_frame(const void *p, size_t len, size_t *out_size)
{
	struct reader r;
	uint32_t body;

	reader_init(&r, p, len);
	body = reader_u32(&r);
	if (r.failed) {
		*out_size = SFTP_LEN_SIZE;
		return -EAGAIN;
	}
	if (body == 0)
		return -EBADMSG;
	if (body > SFTP_PACKET_MAX)
		return -EMSGSIZE;
	*out_size = SFTP_LEN_SIZE + (size_t)body;
	return body <= r.left ? 0 : -EAGAIN;
}

size_t
sftp_start(struct writer *w, uint8_t type, uint32_t id)
{
	size_t mark = w->len;

	writer_u32(w, 0);
	writer_u8(w, type);
	writer_u32(w, id);
	return mark;
}

void
sftp_finish(struct writer *w, size_t mark)
{
	uint32_t body;

	if (w->failed)
		return;
	body = (uint32_t)(w->len - mark - SFTP_LEN_SIZE);
	for (size_t i = 0; i < SFTP_LEN_SIZE; i++)
		w->p[mark + i] = (uint8_t)(body >> (24 - 8 * i));
}

int
sftp_path_read(struct reader *r, char *out_path)
{
	struct span s = reader_string(r, SIZE_MAX);

	if (r->failed || memchr(s.p, '\0', s.len) != NULL)
		return -EBADMSG;
	if (s.len > SFTP_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(out_path, s.p, s.len);
	out_path[s.len] = '\0';
	return 0;
}

void
sftp_attrs_read(struct reader *r, struct sftp_attrs *out_attrs)
{
	struct sftp_attrs a = { .flags = reader_u32(r) };
	uint32_t pairs = 0;

	if (a.flags & SSH_FILEXFER_ATTR_SIZE)
		a.size = reader_u64(r);
	if (a.flags & SSH_FILEXFER_ATTR_UIDGID) {
		a.uid = reader_u32(r);
		a.gid = reader_u32(r);
	}
	if (a.flags & SSH_FILEXFER_ATTR_PERMISSIONS)
		a.perm = reader_u32(r);
	if (a.flags & SSH_FILEXFER_ATTR_ACMODTIME) {
		a.atime = reader_u32(r);
		a.mtime = reader_u32(r);
	}
	if (a.flags & SSH_FILEXFER_ATTR_EXTENDED)
		pairs = reader_u32(r);
	/* Each pair takes bytes, so a forged count ends with the packet. */
	for (; pairs > 0 && !r->failed; pairs--) {
		reader_string(r, SIZE_MAX);
		reader_string(r, SIZE_MAX);
	}
	if (!r->failed)
		*out_attrs = a;
}

void
sftp_attrs_write(struct writer *w, const struct sftp_attrs *attrs)
{
	uint32_t flags = attrs->flags & ~SSH_FILEXFER_ATTR_EXTENDED;

	writer_u32(w, flags);
	if (flags & SSH_FILEXFER_ATTR_SIZE)
		writer_u64(w, attrs->size);
	if (flags & SSH_FILEXFER_ATTR_UIDGID) {
		writer_u32(w, attrs->uid);
		writer_u32(w, attrs->gid);
	}
	if (flags & SSH_FILEXFER_ATTR_PERMISSIONS)
		writer_u32(w, attrs->perm);
	if (flags & SSH_FILEXFER_ATTR_ACMODTIME) {
		writer_u32(w, attrs->atime);
		writer_u32(w, attrs->mtime);
	}
}

/* Version 3 has 32 bits for a time: what lies outside is shown at the edge. */
static uint32_t
seconds_of(time_t t)
{
	if (t < 0)
		return 0;
	return t > (time_t)UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

struct sftp_attrs
sftp_attrs_of(const struct stat *st)
{
	return (struct sftp_attrs){
		.flags = SSH_FILEXFER_ATTR_SIZE | SSH_FILEXFER_ATTR_UIDGID |
			 SSH_FILEXFER_ATTR_PERMISSIONS |
			 SSH_FILEXFER_ATTR_ACMODTIME,
		.size = (uint64_t)st->st_size,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.perm = st->st_mode,
		.atime = seconds_of(st->st_atime),
		.mtime = seconds_of(st->st_mtime),
	};
}

const char *
sftp_status_text(uint32_t status)
{
	static const char *const texts[] = {
		[SSH_FX_OK] = "Success",
		[SSH_FX_EOF] = "End of file",
		[SSH_FX_NO_SUCH_FILE] = "No such file",
		[SSH_FX_PERMISSION_DENIED] = "Permission denied",
		[SSH_FX_FAILURE] = "Failure",
		[SSH_FX_BAD_MESSAGE] = "Bad message",
		[SSH_FX_NO_CONNECTION] = "No connection",
		[SSH_FX_CONNECTION_LOST] = "Connection lost",
		[SSH_FX_OP_UNSUPPORTED] = "Operation unsupported",
	};

	return status < nitems_of(texts) ? texts[status] : "Unknown error";
}

void
sftp_status_write(
    struct writer *w, uint32_t id, uint32_t status, const char *text)
{
	size_t mark = sftp_start(w, SSH_FXP_STATUS, id);

	writer_u32(w, status);
	writer_cstring(w, text != NULL ? text : sftp_status_text(status));
	writer_cstring(w, ""); /* language tag */
	sftp_finish(w, mark);
}

void
sftp_statvfs_write(struct writer *w, const struct statvfs *vfs)
{
	uint64_t flag = 0;

	if (vfs->f_flag & ST_RDONLY)
		flag |= STATVFS_RDONLY;
	if (vfs->f_flag & ST_NOSUID)
		flag |= STATVFS_NOSUID;
	writer_u64(w, vfs->f_bsize);
	writer_u64(w, vfs->f_frsize);
	writer_u64(w, vfs->f_blocks);
	writer_u64(w, vfs->f_bfree);
	writer_u64(w, vfs->f_bavail);
	writer_u64(w, vfs->f_files);
	writer_u64(w, vfs->f_ffree);
	writer_u64(w, vfs->f_favail);
	writer_u64(w, vfs->f_fsid);
	writer_u64(w, flag);
	writer_u64(w, vfs->f_namemax);
}

void
sftp_statvfs_read(struct reader *r, struct statvfs *out_vfs)
{
	struct statvfs vfs = { 0 };
	uint64_t flag;

	vfs.f_bsize = reader_u64(r);
	vfs.f_frsize = reader_u64(r);
	vfs.f_blocks = reader_u64(r);
	vfs.f_bfree = reader_u64(r);
	vfs.f_bavail = reader_u64(r);
	vfs.f_files = reader_u64(r);
	vfs.f_ffree = reader_u64(r);
	vfs.f_favail = reader_u64(r);
	vfs.f_fsid = reader_u64(r);
	flag = reader_u64(r);
	vfs.f_namemax = reader_u64(r);
	if (flag & STATVFS_RDONLY)
		vfs.f_flag |= ST_RDONLY;
	if (flag & STATVFS_NOSUID)
		vfs.f_flag |= ST_NOSUID;
	if (!r->failed)
		*out_vfs = vfs;
}

void
sftp_limits_write(struct writer *w, const struct sftp_limits *limits)
{
	writer_u64(w, limits->packet_max);
	writer_u64(w, limits->read_max);
	writer_u64(w, limits->write_max);
	writer_u64(w, limits->handles_max);
}

void
sftp_limits_read(struct reader *r, struct sftp_limits *out_limits)
{
	struct sftp_limits limits;

	limits.packet_max = reader_u64(r);
	limits.read_max = reader_u64(r);
	limits.write_max = reader_u64(r);
	limits.handles_max = reader_u64(r);
	if (!r->failed)
		*out_limits = limits;
}

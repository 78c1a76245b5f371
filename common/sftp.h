/*
 * The SFTP version 3 codec, shared by sftp-server and the client
 * (draft-ietf-secsh-filexfer-02, and OpenSSH's PROTOCOL section 4 for the
 * extensions). Bytes in and out of buffers only: no file is touched here.
 */
#ifndef COMMON_SFTP_H
#define COMMON_SFTP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/wire.h"

#define SFTP_VERSION 3
/* Largest value of a packet's length field, as OpenSSH's. */
#define SFTP_PACKET_MAX (256u * 1024)
/* Most bytes of file data in one READ or WRITE. */
#define SFTP_DATA_MAX (SFTP_PACKET_MAX - 1024)
/* Longest path, without a NUL, and longest handle (draft section 6.2). */
#define SFTP_PATH_MAX 4095
#define SFTP_HANDLE_MAX 256
/* The length field in front of every packet. */
#define SFTP_LEN_SIZE 4

enum sftp_type {
	SSH_FXP_INIT = 1,
	SSH_FXP_VERSION = 2,
	SSH_FXP_OPEN = 3,
	SSH_FXP_CLOSE = 4,
	SSH_FXP_READ = 5,
	SSH_FXP_WRITE = 6,
	SSH_FXP_LSTAT = 7,
	SSH_FXP_FSTAT = 8,
	SSH_FXP_SETSTAT = 9,
	SSH_FXP_FSETSTAT = 10,
	SSH_FXP_OPENDIR = 11,
	SSH_FXP_READDIR = 12,
	SSH_FXP_REMOVE = 13,
	SSH_FXP_MKDIR = 14,
	SSH_FXP_RMDIR = 15,
	SSH_FXP_REALPATH = 16,
	SSH_FXP_STAT = 17,
	SSH_FXP_RENAME = 18,
	SSH_FXP_READLINK = 19,
	SSH_FXP_SYMLINK = 20,
	SSH_FXP_STATUS = 101,
	SSH_FXP_HANDLE = 102,
	SSH_FXP_DATA = 103,
	SSH_FXP_NAME = 104,
	SSH_FXP_ATTRS = 105,
	SSH_FXP_EXTENDED = 200,
	SSH_FXP_EXTENDED_REPLY = 201,
};

enum sftp_status {
	SSH_FX_OK = 0,
	SSH_FX_EOF = 1,
	SSH_FX_NO_SUCH_FILE = 2,
	SSH_FX_PERMISSION_DENIED = 3,
	SSH_FX_FAILURE = 4,
	SSH_FX_BAD_MESSAGE = 5,
	SSH_FX_NO_CONNECTION = 6,
	SSH_FX_CONNECTION_LOST = 7,
	SSH_FX_OP_UNSUPPORTED = 8,
};

/* The pflags of SSH_FXP_OPEN. */
#define SSH_FXF_READ 0x01u
#define SSH_FXF_WRITE 0x02u
#define SSH_FXF_APPEND 0x04u
#define SSH_FXF_CREAT 0x08u
#define SSH_FXF_TRUNC 0x10u
#define SSH_FXF_EXCL 0x20u

/* Which fields of struct sftp_attrs are there. */
#define SSH_FILEXFER_ATTR_SIZE 0x01u
#define SSH_FILEXFER_ATTR_UIDGID 0x02u
#define SSH_FILEXFER_ATTR_PERMISSIONS 0x04u
#define SSH_FILEXFER_ATTR_ACMODTIME 0x08u
#define SSH_FILEXFER_ATTR_EXTENDED 0x80000000u

struct sftp_attrs {
	uint32_t flags;
	uint32_t uid, gid;
	uint32_t perm; /* st_mode, file type included */
	uint64_t size;
	uint32_t atime, mtime; /* seconds since 1970 */
};

/* limits@openssh.com; 0 means that the server does not say. */
struct sftp_limits {
	uint64_t packet_max;
	uint64_t read_max;
	uint64_t write_max;
	uint64_t handles_max;
};

/*
 * Whether the bytes begin with a whole packet. 0: yes, of *out_size bytes with
 * its length field. -EAGAIN: not yet, *out_size bytes are needed to go on.
 * -EMSGSIZE: longer than SFTP_PACKET_MAX; -EBADMSG: has no type.
 */
int sftp_frame(const void *p, size_t len, size_t *out_size);

/*
 * Begin a packet in w and return its mark for sftp_finish(), which fills in
 * the length. For INIT and VERSION the id is the version.
 */
size_t sftp_start(struct writer *w, uint8_t type, uint32_t id);
void sftp_finish(struct writer *w, size_t mark);

/*
 * A path as a C string into path[SFTP_PATH_MAX + 1]. 0, -EBADMSG (runs short
 * or holds a NUL) or -ENAMETOOLONG; the reader is behind it in the last case.
 */
int sftp_path_read(struct reader *r, char *out_path);

/*
 * Draft section 5. Extended pairs are skipped; fields that flags does not name
 * are 0. A short or overlong set fails the reader.
 */
void sftp_attrs_read(struct reader *r, struct sftp_attrs *out_attrs);
/* Fields that flags names, EXTENDED excepted: it is never sent. */
void sftp_attrs_write(struct writer *w, const struct sftp_attrs *attrs);
/* All of a file's attributes that version 3 knows. */
struct sftp_attrs sftp_attrs_of(const struct stat *st);

/* A whole STATUS packet; text may be NULL for the status's own words. */
void sftp_status_write(
    struct writer *w, uint32_t id, uint32_t status, const char *text);
/* "Success", "End of file", ...; never NULL. */
const char *sftp_status_text(uint32_t status);

/* Body of the reply to statvfs@openssh.com and fstatvfs@openssh.com. */
void sftp_statvfs_write(struct writer *w, const struct statvfs *vfs);
void sftp_statvfs_read(struct reader *r, struct statvfs *out_vfs);

/* Body of the reply to limits@openssh.com. */
void sftp_limits_write(struct writer *w, const struct sftp_limits *limits);
void sftp_limits_read(struct reader *r, struct sftp_limits *out_limits);

#endif

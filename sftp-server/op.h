/*
 * What the rows of the request table run. All have the contract of struct op's
 * run() and act with the user's own rights on the session's own handles.
 */
#ifndef SFTP_SERVER_OP_H
#define SFTP_SERVER_OP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server;
struct request;

/* op_file.c: through file handles */
int op_open(struct server *s, const struct request *q);
int op_close(struct server *s, const struct request *q);
int op_read(struct server *s, const struct request *q);
int op_write(struct server *s, const struct request *q);
int op_fsync(struct server *s, const struct request *q);
/* pread(2) until n bytes, the end, or an error that came first. */
ssize_t op_file_read(int fd, uint8_t *to, size_t n, off_t at);
/* pwrite(2) all n bytes: 0 or -errno; *out_done is how many were written. Of
 * none, too, the kernel says whether they may be. */
int op_file_write(
    int fd, const uint8_t *from, size_t n, off_t at, uint64_t *out_done);
/* Close what a client has left open, and tell so. */
struct handle;
void op_close_forced(struct server *s, struct handle *h);
/* The flags of OPEN in words, into words[OP_FLAGS_SIZE]. */
#define OP_FLAGS_SIZE 64
void op_flags_text(uint32_t pflags, char *words);

/* op_copy.c: from one file handle to another */
int op_copy_data(struct server *s, const struct request *q);

/* op_attr.c: attributes of files and file systems */
int op_stat(struct server *s, const struct request *q);
int op_lstat(struct server *s, const struct request *q);
int op_fstat(struct server *s, const struct request *q);
int op_setstat(struct server *s, const struct request *q);
int op_lsetstat(struct server *s, const struct request *q);
int op_fsetstat(struct server *s, const struct request *q);
int op_statvfs(struct server *s, const struct request *q);
int op_fstatvfs(struct server *s, const struct request *q);

/* op_dir.c: listings */
int op_opendir(struct server *s, const struct request *q);
int op_readdir(struct server *s, const struct request *q);

/* op_path.c: names of files */
int op_remove(struct server *s, const struct request *q);
int op_mkdir(struct server *s, const struct request *q);
int op_rmdir(struct server *s, const struct request *q);
int op_rename(struct server *s, const struct request *q);
int op_posix_rename(struct server *s, const struct request *q);
int op_hardlink(struct server *s, const struct request *q);
int op_symlink(struct server *s, const struct request *q);
int op_readlink(struct server *s, const struct request *q);
int op_realpath(struct server *s, const struct request *q);

/* op_info.c: about the server and its users */
int op_limits(struct server *s, const struct request *q);
int op_expand_path(struct server *s, const struct request *q);
int op_home_directory(struct server *s, const struct request *q);
int op_users_groups(struct server *s, const struct request *q);

#endif

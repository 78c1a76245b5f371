/*
 * SHA-256 of what goes through a file handle, for the audit record: of the
 * stream, if that was the whole file in order, or else of the file, read again.
 */
#ifndef SFTP_SERVER_DIGEST_H
#define SFTP_SERVER_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Largest file that is read again, in bytes: a second or so. */
#define DIGEST_AGAIN_MAX (256ull << 20)
/* In hexadecimal, with a NUL. */
#define DIGEST_TEXT_SIZE (2 * 32 + 1)

struct digest;
struct server;

/* NULL: no memory. Free with free(3). */
struct digest *digest_new(void);

/* Bytes that came or went at this offset of the file. */
void digest_add(struct digest *d, uint64_t at, const void *p, size_t len);
/* The stream is not the file's content, whatever is added. */
void digest_spoil(struct digest *d);

/*
 * The digest of the file behind fd, as text. *out_again: it was read again.
 * -EFBIG: over DIGEST_AGAIN_MAX; -EBADF: may not be read; -EINVAL: not a
 * regular file; and the errors of server_still_wanted().
 */
int digest_file(struct digest *d, int fd, struct server *s, char *out_text,
    bool *out_again);

#endif

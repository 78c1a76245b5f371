/*
 * SHA-256 for the audit record of sftp-server, by libmd, which libbsd brings
 * along: a cryptographic library would cost each session its start. Reads files
 * only through descriptors that the session has open.
 */
#include "config.h"

#include <errno.h>
#include <sha2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/own.h"
#include "sftp-server/digest.h"
#include "sftp-server/server.h"

#define AGAIN_STEP (128u * 1024)
/* Between two looks at whether the client is still there. */
#define ASK_STEPS 32

struct digest {
	SHA2_CTX ctx;
	uint64_t next; /* offset up to which the stream is the file */
	bool is_spoilt;
};

struct digest *
digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (d != NULL)
		SHA256Init(&d->ctx);
	return d;
}

void
digest_add(struct digest *d, uint64_t at, const void *p, size_t len)
{
	if (at != d->next)
		d->is_spoilt = true;
	if (d->is_spoilt)
		return;
	SHA256Update(&d->ctx, p, len);
	d->next += len;
}

void
digest_spoil(struct digest *d)
{
	d->is_spoilt = true;
}

static int
read_again(SHA2_CTX *ctx, int fd, struct server *s)
{
	AUTOFREE uint8_t *buffer = malloc(AGAIN_STEP);
	uint64_t at = 0;
	ssize_t n;
	int error;

	if (buffer == NULL)
		return -ENOMEM;
	for (unsigned step = 0;; step++) {
		error = step % ASK_STEPS == 0 ? server_still_wanted(s) : 0;
		if (error != 0)
			return error;
		/* It may grow under us. */
		if (at > DIGEST_AGAIN_MAX)
			return -EFBIG;
		n = pread(fd, buffer, AGAIN_STEP, (off_t)at);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		SHA256Update(ctx, buffer, (size_t)n);
		at += (uint64_t)n;
	}
}

static void
digest_text(SHA2_CTX *ctx, char *out_text)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum[SHA256_DIGEST_LENGTH];

	_Static_assert(DIGEST_TEXT_SIZE == 2 * sizeof(sum) + 1, "fits");
	SHA256Final(sum, ctx);
	for (size_t i = 0; i < sizeof(sum); i++) {
		*out_text++ = digits[sum[i] >> 4];
		*out_text++ = digits[sum[i] & 0xf];
	}
	*out_text = '\0';
}

int
digest_file(
    struct digest *d, int fd, struct server *s, char *out_text, bool *out_again)
{
	struct stat st;
	int error;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*out_again = d->is_spoilt || d->next != (uint64_t)st.st_size;
	if (*out_again) {
		if ((uint64_t)st.st_size > DIGEST_AGAIN_MAX)
			return -EFBIG;
		SHA256Init(&d->ctx);
		error = read_again(&d->ctx, fd, s);
		if (error != 0)
			return error;
	}
	digest_text(&d->ctx, out_text);
	return 0;
}

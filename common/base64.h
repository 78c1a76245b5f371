/*
 * Base 64 (RFC 4648 section 4), both ways and strict: used for public keys,
 * fingerprints and private key files. The text to decode is hostile.
 */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stdbool.h>

#include "common/wire.h"

enum base64_pad {
	BASE64_PADDED, /* with = up to a multiple of four */
	BASE64_BARE,   /* without, as in key fingerprints */
};

/* Bytes of text for len bytes of data, padded, without the final NUL. */
#define BASE64_TEXT_LEN(len) (((len) + 2) / 3 * 4)

/* NUL-terminated text for the bytes; the caller frees it. 0 or -ENOMEM. */
int base64_encode(struct span data, enum base64_pad pad, char **out_text);

/*
 * Append the bytes of the text, which must be padded, hold no other character
 * (no white space either) and have zeroes for its unused bits, so that each
 * byte string has one text. -EBADMSG else, and nothing is appended; -ENOMEM.
 */
int base64_decode(struct span text, struct writer *out);

#endif

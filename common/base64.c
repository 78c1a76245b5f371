/*
 * Base 64 of RFC 4648 section 4. Runs in every program that reads keys; what
 * it decodes may be hostile and may be a private key, so nothing is copied
 * but into the caller's wiping buffer.
 */
#include "config.h"

#include <string.h>

#include "common/base64.h"
#include "common/err.h"
#include "common/own.h"

#define BASE64_BAD 0xff

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
base64_encode(struct span data, enum base64_pad pad, char **out_text)
{
	char *text = malloc(BASE64_TEXT_LEN(data.len) + 1);
	char *to = text;

	if (text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < data.len; i += 3) {
		size_t n = data.len - i < 3 ? data.len - i : 3;
		uint32_t v = 0;

		for (size_t j = 0; j < 3; j++)
			v = v << 8 | (j < n ? data.p[i + j] : 0u);
		for (size_t j = 0; j < 4; j++) {
			if (j <= n)
				*to++ = alphabet[v >> (18 - 6 * j) & 63];
			else if (pad == BASE64_PADDED)
				*to++ = '=';
		}
	}
	*to = '\0';
	*out_text = text;
	return 0;
}

static uint8_t
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0' + 52);
	if (c == '+')
		return 62;
	return c == '/' ? 63 : BASE64_BAD;
}

/* How many characters before the padding; 0 when there is none to decode. */
static int
base64_check(struct span text, size_t *out_len)
{
	size_t len = text.len;
	size_t npad = 0;

	if (len % 4 != 0)
		return -EBADMSG;
	while (npad < 2 && len > 0 && text.p[len - 1] == '=') {
		len--;
		npad++;
	}
	for (size_t i = 0; i < len; i++)
		if (base64_value(text.p[i]) == BASE64_BAD)
			return -EBADMSG;
	/* Bits that no byte uses. */
	if (npad == 1 && (base64_value(text.p[len - 1]) & 3) != 0)
		return -EBADMSG;
	if (npad == 2 && (base64_value(text.p[len - 1]) & 15) != 0)
		return -EBADMSG;
	*out_len = len;
	return 0;
}

int
base64_decode(struct span text, struct writer *out)
{
	uint32_t v = 0;
	size_t len = 0;
	int r = base64_check(text, &len);

	if (r != 0)
		return r;
	for (size_t i = 0; i < len; i++) {
		v = v << 6 | base64_value(text.p[i]);
		if (i % 4 != 0)
			writer_u8(out, (uint8_t)(v >> (6 - 2 * (i % 4))));
	}
	return writer_end(out);
}

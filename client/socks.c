/*
 * Reading SOCKS requests, each from its first byte again until it is whole.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "client/socks.h"
#include "common/err.h"
#include "common/wire.h"

enum {
	SOCKS4 = 4,
	SOCKS5 = 5
};
enum {
	CONNECT = 1
};
enum {
	SOCKS4_GRANTED = 90,
	SOCKS4_REFUSED = 91
};
/* RFC 1928 */
enum {
	ADDRESS_V4 = 1,
	ADDRESS_NAME = 3,
	ADDRESS_V6 = 4
};
enum {
	METHOD_NONE = 0,
	METHOD_REFUSED = 0xff
};
enum {
	REPLY_GRANTED = 0,
	REPLY_FAILED = 1,
	REPLY_NO_COMMAND = 7,
	REPLY_NO_ADDRESS = 8,
};

/* Drop the first n bytes. */
static void
consume(struct socks *s, size_t n)
{
	memmove(s->in, s->in + n, s->len - n);
	s->len -= n;
}

/* A name without surprises for the log and for the other side. */
static int
set_host(struct socks *s, struct span name)
{
	if (name.len == 0 || name.len >= sizeof(s->host))
		return -EBADMSG;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return -EBADMSG;
	memcpy(s->host, name.p, name.len);
	s->host[name.len] = '\0';
	return 0;
}

/* A string up to its NUL; false: it is not all there. */
static bool
take_cstring(struct reader *r, struct span *out)
{
	const uint8_t *end = memchr(r->p, '\0', r->left);

	if (end == NULL)
		return false;
	*out = reader_bytes(r, (size_t)(end - r->p));
	(void)reader_u8(r);
	return true;
}

static uint16_t
take_port(struct reader *r)
{
	uint16_t high = reader_u8(r);

	return (uint16_t)(high << 8 | reader_u8(r));
}

static enum socks_verdict
more(const struct socks *s)
{
	return s->len < sizeof(s->in) ? SOCKS_MORE : SOCKS_BAD;
}

static enum socks_verdict
parse4(struct socks *s)
{
	struct reader r;
	struct span user, name, addr;
	uint8_t command;

	reader_init(&r, s->in, s->len);
	(void)reader_u8(&r);
	command = reader_u8(&r);
	s->port = take_port(&r);
	addr = reader_bytes(&r, 4);
	if (r.failed || !take_cstring(&r, &user))
		return more(s);
	if (command != CONNECT)
		return SOCKS_BAD;
	/* 0.0.0.x says that a name follows: version 4a. */
	if (addr.p[0] == 0 && addr.p[1] == 0 && addr.p[2] == 0 &&
	    addr.p[3] != 0) {
		if (!take_cstring(&r, &name))
			return more(s);
		if (set_host(s, name) != 0)
			return SOCKS_BAD;
	} else if (inet_ntop(AF_INET, addr.p, s->host, sizeof(s->host)) ==
		   NULL) {
		return SOCKS_BAD;
	}
	consume(s, s->len - r.left);
	return SOCKS_READY;
}

static enum socks_verdict
greet5(struct socks *s, uint8_t *out, size_t *out_len)
{
	struct reader r;
	struct span methods;
	bool good;

	reader_init(&r, s->in, s->len);
	(void)reader_u8(&r);
	methods = reader_bytes(&r, reader_u8(&r));
	if (r.failed)
		return more(s);
	good = memchr(methods.p, METHOD_NONE, methods.len) != NULL;
	out[0] = SOCKS5;
	out[1] = good ? METHOD_NONE : METHOD_REFUSED;
	*out_len = 2;
	consume(s, s->len - r.left);
	s->greeted = 1;
	return good ? SOCKS_REPLY : SOCKS_BAD;
}

static size_t
reply5(uint8_t code, uint8_t *out)
{
	memset(out, 0, 10);
	out[0] = SOCKS5;
	out[1] = code;
	out[3] = ADDRESS_V4;
	return 10;
}

/* The address of a request; -EBADMSG: of a kind that there is none of. */
static int
take_address(struct socks *s, struct reader *r, uint8_t kind)
{
	struct span bytes;
	int family = kind == ADDRESS_V6 ? AF_INET6 : AF_INET;

	if (kind == ADDRESS_NAME) {
		bytes = reader_bytes(r, reader_u8(r));
		return r->failed ? 0 : set_host(s, bytes);
	}
	if (kind != ADDRESS_V4 && kind != ADDRESS_V6)
		return -EBADMSG;
	bytes = reader_bytes(r, kind == ADDRESS_V6 ? 16 : 4);
	if (!r->failed &&
	    inet_ntop(family, bytes.p, s->host, sizeof(s->host)) == NULL)
		return -EBADMSG;
	return 0;
}

static enum socks_verdict
parse5(struct socks *s, uint8_t *out, size_t *out_len)
{
	struct reader r;
	uint8_t version, command, kind;
	int rc;

	reader_init(&r, s->in, s->len);
	version = reader_u8(&r);
	command = reader_u8(&r);
	(void)reader_u8(&r);
	kind = reader_u8(&r);
	if (r.failed)
		return more(s);
	rc = take_address(s, &r, kind);
	s->port = take_port(&r);
	if (rc == 0 && r.failed)
		return more(s);
	if (rc != 0 || version != SOCKS5 || command != CONNECT) {
		*out_len =
		    reply5(rc != 0 ? REPLY_NO_ADDRESS : REPLY_NO_COMMAND, out);
		return SOCKS_BAD;
	}
	consume(s, s->len - r.left);
	return SOCKS_READY;
}

enum socks_verdict
socks_parse(struct socks *s, uint8_t out[SOCKS_REPLY_MAX], size_t *out_len)
{
	*out_len = 0;
	if (s->len == 0)
		return SOCKS_MORE;
	if (s->version == 0)
		s->version = s->in[0];
	if (s->version == SOCKS4)
		return parse4(s);
	if (s->version != SOCKS5)
		return SOCKS_BAD;
	return s->greeted != 0 ? parse5(s, out, out_len)
			       : greet5(s, out, out_len);
}

size_t
socks_answer(const struct socks *s, int granted, uint8_t out[SOCKS_REPLY_MAX])
{
	if (s->version == SOCKS5)
		return reply5(
		    (uint8_t)(granted ? REPLY_GRANTED : REPLY_FAILED), out);
	memset(out, 0, 8);
	out[1] = (uint8_t)(granted ? SOCKS4_GRANTED : SOCKS4_REFUSED);
	return 8;
}

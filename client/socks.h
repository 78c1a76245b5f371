/*
 * The server's side of SOCKS 4, 4a and 5 (RFC 1928, without passwords), for
 * -D and -R. Programs on this machine, strangers with -g, or the server's side
 * talk to it: hostile.
 */
#ifndef CLIENT_SOCKS_H
#define CLIENT_SOCKS_H

#include <stddef.h>
#include <stdint.h>

#define SOCKS_REQUEST_MAX 1024 /* bytes of greeting and request together */
#define SOCKS_REQUEST_MS 30000 /* to say where to go */
#define SOCKS_REPLY_MAX 32
#define SOCKS_HOST_MAX 256

struct socks {
	uint8_t in[SOCKS_REQUEST_MAX];
	size_t len;
	int version; /* 0: not known yet; 4, 5 */
	int greeted; /* version 5: the method has been chosen */
	char host[SOCKS_HOST_MAX];
	int port;
};

enum socks_verdict {
	SOCKS_MORE,  /* read more into in, at len */
	SOCKS_REPLY, /* send the reply, then ask again */
	SOCKS_READY, /* host and port are there; in holds what came behind */
	SOCKS_BAD,   /* send the reply, if there is one, and hang up */
};

/* Look at what is in. A reply, if any, is *out_len bytes at out. */
enum socks_verdict socks_parse(
    struct socks *s, uint8_t out[SOCKS_REPLY_MAX], size_t *out_len);

/* The answer, once the connection is there (or is not). Its length. */
size_t socks_answer(
    const struct socks *s, int granted, uint8_t out[SOCKS_REPLY_MAX]);

#endif

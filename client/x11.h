/*
 * The display that a session over there may use (-X, -Y): where it is, its
 * cookie, and the one of our own that the server is told in its place. The
 * server's side is hostile; DISPLAY and what xauth(1) says are the user's.
 */
#ifndef CLIENT_X11_H
#define CLIENT_X11_H

#include "client/sshconf.h"

#define X11_PROTOCOL "MIT-MAGIC-COOKIE-1"
#define X11_COOKIE_SIZE 16 /* bytes; that protocol has no other */
/*
 * The first packet of a connection by that protocol: 12 bytes with the lengths
 * of the two others, the protocol's name, padded by 2, and the cookie.
 */
#define X11_HEAD_SIZE 12
#define X11_SETUP_SIZE 48
#define X11_HOST_MAX 256

struct x11_display {
	char host[X11_HOST_MAX]; /* "": a Unix socket of this machine */
	int number, screen;
};

struct x11 {
	struct x11_display display;
	uint8_t real[X11_COOKIE_SIZE], fake[X11_COOKIE_SIZE];
	char fake_text[2 * X11_COOKIE_SIZE + 1]; /* hex, for the request */
	int64_t refuse_at; /* clock_ms() from which nobody is let in; 0: none */
	bool asked;        /* a session has asked the server for it */
};

/* Whether ForwardX11 is on and DISPLAY is set. */
bool x11_wanted(const struct sshconf *conf);

/*
 * The display, with a cookie from xauth(1): DISPLAY's own for
 * ForwardX11Trusted, else a new one for untrusted clients. Owned; x11_free()
 * wipes it. NULL: it cannot be lent, which was said.
 */
struct x11 *x11_new(const struct sshconf *conf);
void x11_free(struct x11 *x);

/* Read DISPLAY: [host]:number[.screen]. 0 or -EBADMSG. */
int x11_parse(const char *text, struct x11_display *out);

/* Whether the packet's first X11_HEAD_SIZE bytes are such a packet's. */
bool x11_head_is_good(const uint8_t *setup);
/*
 * Whether the whole packet has the fake cookie; if so, the real one is in its
 * place afterwards.
 */
bool x11_admit(const struct x11 *x, uint8_t setup[X11_SETUP_SIZE]);

#endif

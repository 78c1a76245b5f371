/*
 * The display of a session that forwards X11: DISPLAY, and the cookie that
 * xauth(1) is told. sshd(8), SSHRC.
 */
#ifndef MONITOR_XAUTH_H
#define MONITOR_XAUTH_H

#include <stdio.h>

#include "monitor/conn.h"

struct xauth {
	char display[300];      /* DISPLAY */
	char auth_display[300]; /* what xauth(1) calls it */
	char protocol[257];
	char cookie[MSG_COOKIE_MAX + 1]; /* secret */
};

/*
 * Whether the request can be honoured: its words are harmless to a script of
 * xauth's, and XAuthLocation is there. 0, or -EINVAL, -ENOENT, which are
 * logged.
 */
int xauth_check(const struct conn *c, const struct msg_x11_open *q);

/* The display at that port. 0 or -ENOMEM; release with xauth_free(). */
int xauth_new(const struct conn *c, const struct msg_x11_open *q, unsigned port,
    struct xauth **out_x);
/* Forget the cookie, once the session's process has it; NULL is fine. */
void xauth_wipe(struct xauth *x);
/* Wipe and free; NULL is fine. */
void xauth_free(struct xauth *x);

/* What ~/.ssh/rc reads, and what "xauth -q -" reads; cut at size bytes. */
void xauth_rc_input(const struct xauth *x, char *out, size_t size);
void xauth_script(const struct xauth *x, char *out, size_t size);

#endif

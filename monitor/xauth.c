/*
 * X11 displays of sessions. Runs in sshd-monitor; protocol and cookie are the
 * client's words, which become lines of a script for xauth(1).
 */
#include "config.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "monitor/xauth.h"

#define X11_BASE_PORT 6000 /* of display 0 */

/* Nothing in it ends a word or a line of the script. */
static bool
is_harmless(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isalnum(text.p[i]) &&
		    (text.p[i] == '\0' || strchr(".:/-_", text.p[i]) == NULL))
			return false;
	return text.len != 0;
}

int
xauth_check(const struct conn *c, const struct msg_x11_open *q)
{
	const char *program = c->options.xauth_location;
	struct stat st;

	if (!is_harmless(q->protocol) || !is_harmless(q->cookie)) {
		log_bounded(LEVEL_ERROR, "Invalid X11 forwarding data");
		return -EINVAL;
	}
	if (program == NULL || stat(program, &st) != 0) {
		log_bounded(LEVEL_ERROR,
		    "No xauth program (%s); cannot forward X11: install "
		    "it, or set XAuthLocation",
		    program != NULL ? program : "none");
		return -ENOENT;
	}
	return 0;
}

static void
copy(struct span from, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)from.len, (const char *)from.p);
}

int
xauth_new(const struct conn *c, const struct msg_x11_open *q, unsigned port,
    struct xauth **out_x)
{
	struct xauth *x = calloc(1, sizeof(*x));
	unsigned number = port - X11_BASE_PORT;
	unsigned screen = (unsigned)q->screen;
	char host[HOST_NAME_MAX + 1] = "localhost";

	if (x == NULL)
		return -ENOMEM;
	copy(q->protocol, x->protocol, sizeof(x->protocol));
	copy(q->cookie, x->cookie, sizeof(x->cookie));
	if (!c->options.x11_use_localhost)
		(void)gethostname(host, sizeof(host) - 1);
	snprintf(
	    x->display, sizeof(x->display), "%s:%u.%u", host, number, screen);
	snprintf(x->auth_display, sizeof(x->auth_display), "%s:%u.%u",
	    c->options.x11_use_localhost ? "unix" : host, number, screen);
	*out_x = x;
	return 0;
}

void
xauth_wipe(struct xauth *x)
{
	if (x != NULL)
		explicit_bzero(x->cookie, sizeof(x->cookie));
}

void
xauth_free(struct xauth *x)
{
	if (x == NULL)
		return;
	xauth_wipe(x);
	free(x);
}

void
xauth_rc_input(const struct xauth *x, char *out, size_t size)
{
	snprintf(out, size, "%s %s\n", x->protocol, x->cookie);
}

void
xauth_script(const struct xauth *x, char *out, size_t size)
{
	snprintf(out, size, "remove %s\nadd %s %s %s\n", x->auth_display,
	    x->auth_display, x->protocol, x->cookie);
}

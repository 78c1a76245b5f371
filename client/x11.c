/*
 * Displays and cookies. Runs as the user. The server never learns the real
 * cookie: what it hears is a fake one that is good for one thing, to be let in
 * by us, while we are there and for as long as we say.
 */
#include "config.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/run.h"
#include "client/x11.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/own.h"
#include "common/pattern.h"

#define DISPLAY_MAX 59535 /* its port is 6000 and the number */
#define SCREEN_MAX 255
#define ANSWER_MAX 4096  /* bytes of xauth's that are looked at */
#define SLACK_SECONDS 60 /* the cookie lives longer than we let in */

bool
x11_wanted(const struct sshconf *conf)
{
	const char *display = getenv("DISPLAY");

	if (!sshconf_flag(conf, KW_FORWARD_X11))
		return false;
	if (display != NULL && *display != '\0')
		return true;
	log_debug("X11 forwarding requested but DISPLAY not set");
	return false;
}

/* --- DISPLAY */

/* A number up to most at *text, which is moved behind it; -1: none. */
static int
take_number(const char **text, int most)
{
	char *end;
	long n = strtol(*text, &end, 10);

	if (!isdigit((unsigned char)**text) || n > most)
		return -1;
	*text = end;
	return (int)n;
}

int
x11_parse(const char *text, struct x11_display *out)
{
	struct x11_display d = { .screen = 0 };
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;

	if (colon == NULL || len >= sizeof(d.host))
		return -EBADMSG;
	/* It becomes an argument of xauth's, and a name to look up. */
	for (const char *p = text; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr(":-_.", *p) == NULL)
			return -EBADMSG;
	if (*text == '-')
		return -EBADMSG;
	if (len != 0 && !(len == 4 && strncmp(text, "unix", len) == 0))
		memcpy(d.host, text, len);
	text = colon + 1;
	d.number = take_number(&text, DISPLAY_MAX);
	if (*text == '.') {
		text++;
		d.screen = take_number(&text, SCREEN_MAX);
	}
	if (d.number < 0 || d.screen < 0 || *text != '\0')
		return -EBADMSG;
	*out = d;
	return 0;
}

/* --- cookies */

static bool
read_cookie(const char *text, uint8_t out[X11_COOKIE_SIZE])
{
	char hex[2 * X11_COOKIE_SIZE + 1];
	size_t len, end = strlcpy(hex, text, sizeof(hex));
	bool good =
	    end >= sizeof(hex) - 1 &&
	    strchr(" \n", text[sizeof(hex) - 1]) != NULL &&
	    OPENSSL_hexstr2buf_ex(out, X11_COOKIE_SIZE, &len, hex, '\0') == 1;

	explicit_bzero(hex, sizeof(hex));
	return good;
}

/* Of xauth list: "display  protocol  cookie", the first of our protocol. */
static bool
find_cookie(const char *lines, uint8_t out[X11_COOKIE_SIZE])
{
	const char *at = strstr(lines, " " X11_PROTOCOL " ");

	if (at == NULL)
		return false;
	at += sizeof(" " X11_PROTOCOL " ") - 1;
	return read_cookie(at + strspn(at, " "), out);
}

/* Its own cookie, from file, or from where xauth looks. */
static bool
ask_cookie(const struct sshconf *conf, const char *file, const char *display,
    uint8_t out[X11_COOKIE_SIZE])
{
	const char *program = sshconf_text(conf, KW_XAUTH_LOCATION);
	const char *argv[] = { program, "list", display, NULL, NULL, NULL };
	char answer[ANSWER_MAX];
	bool found;

	if (file != NULL) {
		argv[1] = "-f";
		argv[2] = file;
		argv[3] = "list";
		argv[4] = display;
	}
	found = run_read(argv, answer, sizeof(answer)) == 0 &&
		find_cookie(answer, out);
	explicit_bzero(answer, sizeof(answer));
	return found;
}

static bool
generate(const struct sshconf *conf, const char *file, const char *display,
    uint8_t out[X11_COOKIE_SIZE])
{
	long seconds = sshconf_number(conf, KW_X11_TIMEOUT);
	char timeout[32], answer[ANSWER_MAX];
	const char *argv[] = { sshconf_text(conf, KW_XAUTH_LOCATION), "-f",
		file, "generate", display, X11_PROTOCOL, "untrusted", "timeout",
		timeout, NULL };

	/* 0: the display keeps the cookie for ever. */
	snprintf(timeout, sizeof(timeout), "%ld",
	    seconds != 0 ? seconds + SLACK_SECONDS : 0);
	return run_read(argv, answer, sizeof(answer)) == 0 &&
	       ask_cookie(conf, file, display, out);
}

/* The display is asked for a cookie whose clients it does not trust. */
static bool
new_cookie(const struct sshconf *conf, const char *display,
    uint8_t out[X11_COOKIE_SIZE])
{
	char dir[] = "/tmp/omniedge-xauth-XXXXXX", file[sizeof(dir) + 8];
	bool ok;

	if (mkdtemp(dir) == NULL)
		return false;
	snprintf(file, sizeof(file), "%s/xauth", dir);
	ok = generate(conf, file, display, out);
	(void)unlink(file);
	(void)rmdir(dir);
	return ok;
}

static void
make_fake(struct x11 *x)
{
	arc4random_buf(x->fake, sizeof(x->fake));
	for (size_t i = 0; i < sizeof(x->fake); i++)
		snprintf(x->fake_text + 2 * i, 3, "%02x", x->fake[i]);
}

/* 0, or -ENOENT, which was said. */
static int
fill(struct x11 *x, const struct sshconf *conf, const char *display)
{
	bool trusted = sshconf_flag(conf, KW_X11_TRUSTED);
	long seconds = sshconf_number(conf, KW_X11_TIMEOUT);
	char name[X11_HOST_MAX + 16];

	/* xauth knows this machine's displays by another name. */
	snprintf(name, sizeof(name), "%s:%d.%d",
	    strcmp(x->display.host, "localhost") == 0 ? "unix"
						      : x->display.host,
	    x->display.number, x->display.screen);
	if (trusted && !ask_cookie(conf, NULL, name, x->real)) {
		/* Where the display lets this machine in without one. */
		log_info("Warning: No xauth data; using fake authentication "
			 "data for X11 forwarding.");
		memcpy(x->real, x->fake, sizeof(x->real));
	}
	if (trusted)
		return 0;
	if (seconds != 0)
		x->refuse_at = clock_ms() + seconds * 1000;
	if (new_cookie(conf, display, x->real))
		return 0;
	log_info("Warning: untrusted X11 forwarding setup failed: xauth key "
		 "data not generated; -Y asks for none, and trusts the server");
	return -ENOENT;
}

struct x11 *
x11_new(const struct sshconf *conf)
{
	const char *display = getenv("DISPLAY");
	struct x11 *x = calloc(1, sizeof(*x));

	if (x == NULL || display == NULL ||
	    x11_parse(display, &x->display) != 0) {
		log_error("DISPLAY \"%s\" is none that can be forwarded",
		    display != NULL ? display : "");
		free(x);
		return NULL;
	}
	make_fake(x);
	if (fill(x, conf, display) == 0)
		return x;
	x11_free(x);
	return NULL;
}

void
x11_free(struct x11 *x)
{
	if (x == NULL)
		return;
	explicit_bzero(x, sizeof(*x));
	free(x);
}

/* --- the first packet */

static unsigned
length_at(const uint8_t *setup, size_t at)
{
	unsigned a = setup[at], b = setup[at + 1];

	return setup[0] == 'B' ? a << 8 | b : b << 8 | a;
}

bool
x11_head_is_good(const uint8_t *setup)
{
	return (setup[0] == 'B' || setup[0] == 'l') &&
	       length_at(setup, 6) == sizeof(X11_PROTOCOL) - 1 &&
	       length_at(setup, 8) == X11_COOKIE_SIZE;
}

bool
x11_admit(const struct x11 *x, uint8_t setup[X11_SETUP_SIZE])
{
	uint8_t *cookie = setup + X11_SETUP_SIZE - X11_COOKIE_SIZE;

	if (!x11_head_is_good(setup) ||
	    memcmp(setup + X11_HEAD_SIZE, X11_PROTOCOL,
		sizeof(X11_PROTOCOL) - 1) != 0 ||
	    CRYPTO_memcmp(cookie, x->fake, X11_COOKIE_SIZE) != 0)
		return false;
	memcpy(cookie, x->real, X11_COOKIE_SIZE);
	return true;
}

/*
 * What single keywords want of their values beyond the type: said with its
 * line when it is read, not when it is too late. Runs as the user.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/escape.h"
#include "client/forward_spec.h"
#include "client/place.h"
#include "client/sshconf_value.h"
#include "client/target.h"
#include "common/err.h"
#include "common/own.h"

#define MASK_MAX 0777
#define REKEY_MIN 16 /* bytes; OpenSSH's */

static int
bad(enum keyword kw, const char *word, const char *want, char *why)
{
	snprintf(why, SSHCONF_WHY_MAX, "%s: \"%.80s\" is not %s",
	    sshconf_name(kw), word, want);
	return -EBADMSG;
}

static int
check_set_env(enum keyword kw, const struct words *w, char *why)
{
	for (size_t i = 0; i < w->n; i++)
		if (*w->v[i] == '=' || strchr(w->v[i], '=') == NULL)
			return bad(kw, w->v[i], "NAME=VALUE", why);
	return 0;
}

static int
check_send_env(enum keyword kw, const struct words *w, char *why)
{
	for (size_t i = 0; i < w->n; i++)
		if (strchr(w->v[i], '=') != NULL)
			return bad(kw, w->v[i],
			    "the name of a variable (SetEnv gives a value)",
			    why);
	return 0;
}

static int
check_rekey(enum keyword kw, const struct words *w, char *why)
{
	uint64_t bytes = 0;

	if (strcasecmp(w->v[0], "default") != 0 &&
	    sshconf_bytes(w->v[0], &bytes) != 0)
		return bad(kw, w->v[0],
		    "a number of bytes, as 500M or 1G, or default", why);
	if (bytes != 0 && bytes < REKEY_MIN)
		return bad(kw, w->v[0], "16 bytes or more", why);
	if (w->n > 1 && strcasecmp(w->v[1], "none") != 0 &&
	    sshconf_seconds(w->v[1]) < 0)
		return bad(kw, w->v[1], "a time, as 1h, or none", why);
	if (w->n > 2)
		return bad(kw, w->v[2], "wanted: it takes two words", why);
	return 0;
}

static int
check_persist(enum keyword kw, const struct words *w, char *why)
{
	static const char *const words[] = { "yes", "no", "true", "false" };

	for (size_t i = 0; i < nitems_of(words); i++)
		if (strcasecmp(w->v[0], words[i]) == 0)
			return 0;
	return sshconf_seconds(w->v[0]) >= 0
		   ? 0
		   : bad(kw, w->v[0], "yes, no or a time, as 10m", why);
}

static int
check_escape(enum keyword kw, const struct words *w, char *why)
{
	struct escape e;

	return escape_init(&e, w->v[0]) == 0
		   ? 0
		   : bad(kw, w->v[0], "a character, ^ and a letter, or none",
			 why);
}

int
sshconf_mask(const char *text, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(text, &end, 8);

	if (!isdigit((unsigned char)*text) || *end != '\0' || n > MASK_MAX)
		return -EBADMSG;
	*out = (unsigned)n;
	return 0;
}

static int
check_mask(enum keyword kw, const struct words *w, char *why)
{
	unsigned mask;

	return sshconf_mask(w->v[0], &mask) == 0
		   ? 0
		   : bad(kw, w->v[0], "an octal number from 0 to 0777", why);
}

static const struct {
	enum keyword kw;
	enum forward_kind kind;
} forwards[] = {
	{ KW_LOCAL_FORWARD, FORWARD_LOCAL },
	{ KW_REMOTE_FORWARD, FORWARD_REMOTE },
	{ KW_DYNAMIC_FORWARD, FORWARD_DYNAMIC },
};

/* -ENOENT: the keyword is none of forwardings. */
static int
parse_forward(enum keyword kw, const char *text, struct forward_spec *out,
    const char **out_why)
{
	for (size_t i = 0; i < nitems_of(forwards); i++)
		if (forwards[i].kw == kw)
			return forward_parse(
			    forwards[i].kind, text, out, out_why);
	return -ENOENT;
}

static int
check_forward(enum keyword kw, const struct words *w, char *why)
{
	AUTO(forward_spec_done) struct forward_spec s = { .bind = NULL };
	AUTOFREE char *text = value_join(w);
	const char *reason = "";
	int rc = text != NULL ? parse_forward(kw, text, &s, &reason) : -ENOMEM;

	/* What only we cannot do fails when it is tried, as a port in use. */
	if (rc == -ENOTSUP)
		return 0;
	if (rc == -EBADMSG)
		snprintf(why, SSHCONF_WHY_MAX, "%s: \"%.80s\": %s",
		    sshconf_name(kw), text, reason);
	return rc;
}

char *
value_shown(enum keyword kw, const char *text)
{
	AUTO(forward_spec_done) struct forward_spec s = { .bind = NULL };
	const char *why;

	return parse_forward(kw, text, &s, &why) == 0 ? forward_setting(&s)
						      : strdup(text);
}

static int
check_jump(enum keyword kw, const struct words *w, char *why)
{
	AUTOFREE char *text = strdup(w->v[0]);
	char *hop, *rest = text;

	if (text == NULL)
		return -ENOMEM;
	if (strcasecmp(text, "none") == 0)
		return 0;
	while ((hop = strsep(&rest, ",")) != NULL) {
		AUTO(target_done) struct target t = { .user = NULL };
		const char *reason = "it is too long";
		int rc = target_parse(hop, "ssh", &t, &reason);

		if (rc == -ENOMEM)
			return rc;
		if (rc == 0 && t.path == NULL && strchr(t.host, '/') == NULL)
			continue;
		snprintf(why, SSHCONF_WHY_MAX, "%s: \"%.80s\": %s",
		    sshconf_name(kw), hop,
		    rc == 0 ? "a hop has no path" : reason);
		return -EBADMSG;
	}
	return 0;
}

static int
check_none_alone(enum keyword kw, const struct words *w, char *why)
{
	for (size_t i = 0; i < w->n && w->n > 1; i++)
		if (strcasecmp(w->v[i], "none") == 0)
			return bad(
			    kw, w->v[i], "a file: it must stand alone", why);
	return 0;
}

static int
check_places(enum keyword kw, const struct words *w, char *why)
{
	static const char *const alone[] = { "any", "none" };

	for (size_t i = 0; i < nitems_of(alone); i++)
		if (w->n == 1 && strcasecmp(w->v[0], alone[i]) == 0)
			return 0;
	for (size_t i = 0; i < w->n; i++)
		if (!place_is_good(w->v[i]))
			return bad(kw, w->v[i],
			    "host:port, nor any or none standing alone", why);
	return 0;
}

static int
check_bound(enum keyword kw, const struct words *w, char *why)
{
	if (strcasecmp(w->v[0], "host-bound") == 0)
		snprintf(why, SSHCONF_WHY_MAX,
		    "%s: the library cannot bind a signature to the host's "
		    "key: host-bound is as yes here",
		    sshconf_name(kw));
	return 0;
}

static const struct {
	enum keyword kw;
	int (*check)(enum keyword kw, const struct words *w, char *why);
} checks[] = {
	{ KW_SET_ENV, check_set_env },
	{ KW_SEND_ENV, check_send_env },
	{ KW_REKEY_LIMIT, check_rekey },
	{ KW_CONTROL_PERSIST, check_persist },
	{ KW_ESCAPE_CHAR, check_escape },
	{ KW_STREAM_MASK, check_mask },
	{ KW_LOCAL_FORWARD, check_forward },
	{ KW_REMOTE_FORWARD, check_forward },
	{ KW_DYNAMIC_FORWARD, check_forward },
	{ KW_PERMIT_REMOTE_OPEN, check_places },
	{ KW_PROXY_JUMP, check_jump },
	{ KW_USER_KNOWN_HOSTS, check_none_alone },
	{ KW_GLOBAL_KNOWN_HOSTS, check_none_alone },
	{ KW_PUBKEY_AUTH, check_bound },
};

int
value_check_more(
    enum keyword kw, const struct words *words, char why[SSHCONF_WHY_MAX])
{
	for (size_t i = 0; i < nitems_of(checks); i++)
		if (checks[i].kw == kw)
			return checks[i].check(kw, words, why);
	return 0;
}

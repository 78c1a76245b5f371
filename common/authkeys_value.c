/*
 * The options of authorized_keys, sshd(8) AUTHORIZED_KEYS FILE FORMAT: the
 * table, and for each the taking of its value. Runs in the monitor; a value is
 * the user's text, and one that is not clear refuses the key.
 */
#include "config.h"

#include <ctype.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>

#include "common/authkeys_impl.h"
#include "common/err.h"
#include "common/own.h"
#include "common/pattern.h"

#define PORT_MAX 65535
#define TUNNEL_MAX 0x7ffffffd /* OpenSSH's SSH_TUNID_MAX */
#define NUMBER_DIGITS 10

static int
take_grant(struct authkeys_opts *opts, const struct authkeys_option *option,
    bool on, struct span value)
{
	(void)value;
	if (on)
		opts->grants |= option->grant;
	else
		opts->grants &= ~option->grant;
	return 0;
}

/* restrict takes all away; what follows it in the line may give some back. */
static int
take_restrict(struct authkeys_opts *opts, const struct authkeys_option *option,
    bool on, struct span value)
{
	(void)option;
	(void)on;
	(void)value;
	opts->grants = 0;
	opts->restricted = true;
	return 0;
}

static int
take_flag(struct authkeys_opts *opts, const struct authkeys_option *option,
    bool on, struct span value)
{
	(void)value;
	*(bool *)((char *)opts + option->at) = on;
	return 0;
}

/* Its name says what is not required. */
static int
take_touch(struct authkeys_opts *opts, const struct authkeys_option *option,
    bool on, struct span value)
{
	(void)option;
	(void)value;
	opts->no_touch_required = !on;
	return 0;
}

static char *
span_dup(struct span s)
{
	return strndup((const char *)s.p, s.len);
}

static int
take_string(struct authkeys_opts *opts, const struct authkeys_option *option,
    bool on, struct span value)
{
	char **at = (char **)((char *)opts + option->at);
	AUTOFREE char *text = span_dup(value);
	int e;

	(void)on;
	if (*at != NULL)
		return -EDQUOT;
	if (text == NULL)
		return -ENOMEM;
	e = option->check != NULL ? option->check(text) : 0;
	if (e != 0)
		return e;
	*at = take_ptr(&text);
	return 0;
}

static int
check_from(const char *value)
{
	return pattern_peer_check(value) != 0 ? -EBADMSG : 0;
}

/* An empty name would match a certificate that has an empty principal. */
static int
check_principals(const char *value)
{
	bool empty = value[0] == '\0' || value[0] == ',' ||
		     value[strlen(value) - 1] == ',' ||
		     strstr(value, ",,") != NULL;

	return empty ? -EBADMSG : 0;
}

static int
parse_number(struct span text, unsigned long most, unsigned long *out_number)
{
	unsigned long n = 0;

	if (text.len == 0 || text.len > NUMBER_DIGITS)
		return -EBADMSG;
	for (size_t i = 0; i < text.len; i++) {
		if (!isdigit(text.p[i]))
			return -EBADMSG;
		n = n * 10 + (unsigned long)(text.p[i] - '0');
	}
	if (n > most)
		return -EBADMSG;
	*out_number = n;
	return 0;
}

/* Length of NAME in "NAME=value"; 0 when there is none. */
static size_t
env_name_len(struct span value)
{
	size_t n = 0;

	while (n < value.len && (isalnum(value.p[n]) || value.p[n] == '_'))
		n++;
	return n < value.len && value.p[n] == '=' ? n : 0;
}

/* The first of each name counts, as in OpenSSH. */
static int
take_environment(struct authkeys_opts *opts,
    const struct authkeys_option *option, bool on, struct span value)
{
	size_t len = env_name_len(value);
	AUTOFREE char *text = span_dup(value);
	char **grown;

	(void)option;
	(void)on;
	if (len == 0)
		return -EBADMSG;
	if (text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < opts->nenvironment; i++)
		if (strncmp(opts->environment[i], text, len + 1) == 0)
			return 0;
	if (opts->nenvironment == AUTHKEYS_LIST_MAX)
		return -EMSGSIZE;
	grown = reallocarray(opts->environment, opts->nenvironment + 1,
	    sizeof(*opts->environment));
	if (grown == NULL)
		return -ENOMEM;
	opts->environment = grown;
	opts->environment[opts->nenvironment++] = take_ptr(&text);
	return 0;
}

/* A host of "host:port" or "[host]:port": something, and all printable. */
static int
check_host(struct span host)
{
	if (host.len == 0 || host.len >= NI_MAXHOST)
		return -EBADMSG;
	for (size_t i = 0; i < host.len; i++)
		if (!isgraph(host.p[i]) || strchr("[],\"", host.p[i]) != NULL)
			return -EBADMSG;
	return 0;
}

static int
split_host_port(struct span value, struct span *out_host, struct span *out_port)
{
	const uint8_t *colon;
	struct span host;

	if (value.len > 0 && value.p[0] == '[') {
		const uint8_t *end = memchr(value.p, ']', value.len);

		if (end == NULL)
			return -EBADMSG;
		host = span_of(value.p + 1, (size_t)(end - value.p) - 1);
		colon = end + 1;
		if (colon == value.p + value.len || *colon != ':')
			return -EBADMSG;
	} else {
		colon = memchr(value.p, ':', value.len);
		if (colon == NULL)
			return -EBADMSG;
		host = span_of(value.p, (size_t)(colon - value.p));
	}
	*out_host = host;
	*out_port =
	    span_of(colon + 1, value.len - (size_t)(colon - value.p) - 1);
	return check_host(host);
}

static int
parse_port(struct span text, uint16_t *out_port)
{
	unsigned long n = 0;

	if (!span_is(text, "*")) {
		int e = parse_number(text, PORT_MAX, &n);

		if (e != 0)
			return e;
		if (n == 0)
			return -EBADMSG;
	}
	*out_port = (uint16_t)n;
	return 0;
}

static int
permits_add(struct authkeys_permits *permits, struct span host, uint16_t port)
{
	AUTOFREE char *copy = span_dup(host);
	struct authkeys_permit *grown;

	if (copy == NULL)
		return -ENOMEM;
	if (permits->n == AUTHKEYS_LIST_MAX)
		return -EMSGSIZE;
	grown = reallocarray(permits->v, permits->n + 1, sizeof(*permits->v));
	if (grown == NULL)
		return -ENOMEM;
	permits->v = grown;
	permits->v[permits->n++] =
	    (struct authkeys_permit){ take_ptr(&copy), port };
	return 0;
}

/* permitlisten= may leave the host out, permitopen= may not. */
static int
take_permit(struct authkeys_opts *opts, const struct authkeys_option *option,
    bool on, struct span value)
{
	struct authkeys_permits *permits =
	    (struct authkeys_permits *)((char *)opts + option->at);
	struct span host = span_of("*", 1);
	struct span port = value;
	uint16_t number = 0;
	int e = 0;

	(void)on;
	if (permits == &opts->permitopen ||
	    memchr(value.p, ':', value.len) != NULL)
		e = split_host_port(value, &host, &port);
	if (e == 0)
		e = parse_port(port, &number);
	return e != 0 ? e : permits_add(permits, host, number);
}

static int
take_tunnel(struct authkeys_opts *opts, const struct authkeys_option *option,
    bool on, struct span value)
{
	unsigned long n;
	int e;

	(void)option;
	(void)on;
	if (span_is(value, "any")) {
		opts->tunnel = AUTHKEYS_TUNNEL_ANY;
		return 0;
	}
	e = parse_number(value, TUNNEL_MAX, &n);
	if (e != 0)
		return e;
	opts->tunnel = (int)n;
	return 0;
}

/* Of several the earliest counts. */
static int
take_expiry(struct authkeys_opts *opts, const struct authkeys_option *option,
    bool on, struct span value)
{
	time_t when;
	int e = authkeys_parse_time(value, &when);

	(void)option;
	(void)on;
	if (e != 0)
		return e;
	if (!opts->has_expiry || when < opts->expiry)
		opts->expiry = when;
	opts->has_expiry = true;
	return 0;
}

/* Two digits, or four for the year. */
static int
time_field(struct span text, size_t at, size_t len)
{
	int n = 0;

	for (size_t i = at; i < at + len && i < text.len; i++)
		n = n * 10 + (text.p[i] - '0');
	return n;
}

static bool
has_suffix(struct span text, const char *suffix)
{
	size_t len = strlen(suffix);

	return text.len > len &&
	       strncasecmp(
		   (const char *)text.p + text.len - len, suffix, len) == 0;
}

int
authkeys_parse_time(struct span text, time_t *out_time)
{
	struct tm tm = { .tm_isdst = -1 };
	struct tm utc;
	time_t when;
	bool is_utc = true;

	if (has_suffix(text, "Z"))
		text.len -= 1;
	else if (has_suffix(text, "UTC"))
		text.len -= 3;
	else
		is_utc = false;
	if (text.len != 8 && text.len != 12 && text.len != 14)
		return -EBADMSG;
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit(text.p[i]))
			return -EBADMSG;
	tm.tm_year = time_field(text, 0, 4) - 1900;
	tm.tm_mon = time_field(text, 4, 2) - 1;
	tm.tm_mday = time_field(text, 6, 2);
	tm.tm_hour = time_field(text, 8, 2);
	tm.tm_min = time_field(text, 10, 2);
	tm.tm_sec = time_field(text, 12, 2);
	/*
	 * UTC has every time of every day once: what it changes is no date.
	 * Too many seconds change the minute, too many days the month.
	 */
	utc = tm;
	when = timegm(&utc);
	if (utc.tm_mon != tm.tm_mon || utc.tm_hour != tm.tm_hour ||
	    utc.tm_min != tm.tm_min)
		return -EBADMSG;
	*out_time = is_utc ? when : mktime(&tm);
	return 0;
}

#define AT(field) offsetof(struct authkeys_opts, field)
static const struct authkeys_option options[] = {
	{ "agent-forwarding", false, true, take_grant, GRANT_AGENT_FWD, 0,
	    NULL },
	{ "cert-authority", false, false, take_flag, 0, AT(cert_authority),
	    NULL },
	{ "command", true, false, take_string, 0, AT(command), NULL },
	{ "environment", true, false, take_environment, 0, 0, NULL },
	{ "expiry-time", true, false, take_expiry, 0, 0, NULL },
	{ "from", true, false, take_string, 0, AT(from), check_from },
	{ "permitlisten", true, false, take_permit, 0, AT(permitlisten), NULL },
	{ "permitopen", true, false, take_permit, 0, AT(permitopen), NULL },
	{ "port-forwarding", false, true, take_grant, GRANT_PORT_FWD, 0, NULL },
	{ "principals", true, false, take_string, 0, AT(principals),
	    check_principals },
	{ "pty", false, true, take_grant, GRANT_PTY, 0, NULL },
	{ "restrict", false, false, take_restrict, 0, 0, NULL },
	{ "touch-required", false, true, take_touch, 0, 0, NULL },
	{ "tunnel", true, false, take_tunnel, 0, 0, NULL },
	{ "user-rc", false, true, take_grant, GRANT_USER_RC, 0, NULL },
	{ "verify-required", false, true, take_flag, 0, AT(verify_required),
	    NULL },
	{ "X11-forwarding", false, true, take_grant, GRANT_X11_FWD, 0, NULL },
};

static bool
name_is(struct span name, const char *text)
{
	return name.len == strlen(text) &&
	       strncasecmp((const char *)name.p, text, name.len) == 0;
}

const struct authkeys_option *
authkeys_option_named(struct span name, bool *out_on)
{
	bool negated =
	    name.len > 3 && strncasecmp((const char *)name.p, "no-", 3) == 0;
	struct span plain = negated ? span_of(name.p + 3, name.len - 3) : name;

	for (size_t i = 0; i < nitems_of(options); i++) {
		if (!name_is(plain, options[i].name))
			continue;
		if (negated && !options[i].negatable)
			return NULL;
		*out_on = !negated;
		return &options[i];
	}
	return NULL;
}

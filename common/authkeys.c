/*
 * One line of authorized_keys: where its options end, what is quoted, and the
 * key behind them. Runs in the monitor on a file of the user's; the first
 * thing that is not understood refuses the whole line.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/authkeys_impl.h"
#include "common/err.h"
#include "common/own.h"

/* As much of a name as an error repeats. */
#define WHY_NAME_MAX 48

void
authkeys_opts_done(struct authkeys_opts *opts)
{
	for (size_t i = 0; i < opts->nenvironment; i++)
		free(opts->environment[i]);
	for (size_t i = 0; i < opts->permitopen.n; i++)
		free(opts->permitopen.v[i].host);
	for (size_t i = 0; i < opts->permitlisten.n; i++)
		free(opts->permitlisten.v[i].host);
	free(opts->environment);
	free(opts->permitopen.v);
	free(opts->permitlisten.v);
	free(opts->command);
	free(opts->from);
	free(opts->principals);
	*opts = (struct authkeys_opts){ .tunnel = AUTHKEYS_TUNNEL_ANY };
}

void
authkeys_line_done(struct authkeys_line *line)
{
	key_done(&line->key);
	authkeys_opts_done(&line->opts);
	free(line->comment);
	line->comment = NULL;
}

/* Returns e, having said why; name is the user's and is made printable. */
static int
why_name(char *why, int e, struct span name, const char *what)
{
	char clean[WHY_NAME_MAX + 1];
	size_t len = name.len < WHY_NAME_MAX ? name.len : WHY_NAME_MAX;

	for (size_t i = 0; i < len; i++)
		clean[i] = isgraph(name.p[i]) && name.p[i] < 0x7f
			       ? (char)name.p[i]
			       : '?';
	clean[len] = '\0';
	snprintf(why, AUTHKEYS_WHY_MAX, "option \"%s\"%s", clean, what);
	return e;
}

static int
why_text(char *why, int e, const char *text)
{
	snprintf(why, AUTHKEYS_WHY_MAX, "%s", text);
	return e;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span
span_from(struct span s, size_t n)
{
	return span_of(s.p + n, s.len - n);
}

static bool
has_nul(struct span s)
{
	return s.len != 0 && memchr(s.p, '\0', s.len) != NULL;
}

/*
 * Cut "…" off the front of *text and append what it means: \" is a quote,
 * any other backslash itself. -EBADMSG when either quote is missing.
 */
static int
take_quoted(struct span *text, struct writer *out)
{
	size_t i = 1;

	if (text->len == 0 || text->p[0] != '"')
		return -EBADMSG;
	while (i < text->len && text->p[i] != '"') {
		if (text->p[i] == '\\' && i + 1 < text->len &&
		    text->p[i + 1] == '"')
			i++;
		writer_u8(out, text->p[i++]);
	}
	if (i == text->len)
		return -EBADMSG;
	*text = span_from(*text, i + 1);
	return writer_end(out);
}

static size_t
name_len(struct span text)
{
	size_t n = 0;

	while (n < text.len && !is_blank(text.p[n]) && text.p[n] != ',' &&
	       text.p[n] != '=' && text.p[n] != '"')
		n++;
	return n;
}

/* What an option's error means to the person who wrote it. */
static int
why_option(char *why, int e, struct span name)
{
	static const struct {
		int code;
		const char *text;
	} words[] = {
		{ -EBADMSG, ": its value is not valid" },
		{ -EDQUOT, ": given twice" },
		{ -EMSGSIZE, ": given too often" },
	};

	for (size_t i = 0; i < nitems_of(words); i++)
		if (words[i].code == e)
			return why_name(why, e, name, words[i].text);
	return why_name(why, e, name, ": out of memory");
}

/* One option off the front of *text. */
static int
take_option(struct span *text, char *why, struct authkeys_opts *opts)
{
	AUTO(writer_done) struct writer value = WRITER_INIT;
	struct span name = span_of(text->p, name_len(*text));
	const struct authkeys_option *option;
	bool on = true;
	bool has_value;
	int e = 0;

	if (name.len == 0)
		return why_text(why, -EBADMSG, "an option is missing");
	option = authkeys_option_named(name, &on);
	if (option == NULL)
		return why_name(
		    why, -EACCES, name, ": no such option or key type");
	*text = span_from(*text, name.len);
	has_value = text->len > 0 && text->p[0] == '=';
	if (has_value != option->has_value)
		return why_name(why, -EBADMSG, name,
		    has_value ? " takes no value" : " needs a value");
	if (has_value) {
		*text = span_from(*text, 1);
		e = take_quoted(text, &value);
		if (e == -EBADMSG)
			return why_name(why, e, name, ": a quote is missing");
	}
	if (e == 0)
		e = option->take(opts, option, on,
		    span_of(value.len != 0 ? (void *)value.p : "", value.len));
	return e != 0 ? why_option(why, e, name) : 0;
}

int
authkeys_parse_opts(struct span text, char why[AUTHKEYS_WHY_MAX],
    struct authkeys_opts *out_opts, size_t *out_len)
{
	AUTO(authkeys_opts_done)
	struct authkeys_opts opts = {
		.grants = GRANT_DEFAULT,
		.tunnel = AUTHKEYS_TUNNEL_ANY,
	};
	struct span rest = text;
	bool more = text.len > 0 && !is_blank(text.p[0]);

	if (has_nul(text))
		return why_text(why, -EBADMSG, "a NUL byte in the line");
	while (more) {
		int e = take_option(&rest, why, &opts);

		if (e != 0)
			return e;
		more = rest.len > 0 && rest.p[0] == ',';
		if (more)
			rest = span_from(rest, 1);
		else if (rest.len > 0 && !is_blank(rest.p[0]))
			return why_text(why, -EBADMSG,
			    "no comma or space behind an option");
	}
	*out_len = text.len - rest.len;
	*out_opts = opts;
	opts = (struct authkeys_opts){ .grants = 0 };
	return 0;
}

/* What key_parse_line() said, in words. */
static int
why_key(char *why, int e)
{
	static const struct {
		int code;
		const char *text;
	} words[] = {
		{ -EBADMSG, "the key is malformed" },
		{ -EKEYREJECTED, "the key is too short, too long or unsafe" },
		{ -ENOTSUP, "no key of a type that is supported" },
		{ -EMSGSIZE, "the key is too long" },
	};

	for (size_t i = 0; i < nitems_of(words); i++)
		if (words[i].code == e)
			return why_text(why, e, words[i].text);
	return why_text(why, e, "out of memory");
}

static struct span
trim(struct span line)
{
	while (line.len > 0 && is_blank(line.p[0]))
		line = span_from(line, 1);
	while (line.len > 0 &&
	       (is_blank(line.p[line.len - 1]) || line.p[line.len - 1] == '\r'))
		line.len--;
	return line;
}

/* Whether the line begins with the type of a key, so has no options. */
static bool
begins_with_key(struct span line)
{
	bool cert = false;
	size_t n = 0;

	while (n < line.len && !is_blank(line.p[n]))
		n++;
	return key_kind_named(span_of(line.p, n), &cert) != NULL;
}

int
authkeys_parse_line(struct span line, unsigned rsa_bits_min,
    char why[AUTHKEYS_WHY_MAX], struct authkeys_line *out_line)
{
	AUTO(authkeys_line_done)
	struct authkeys_line l = {
		.opts = { .tunnel = AUTHKEYS_TUNNEL_ANY },
	};
	struct span comment = { NULL, 0 };
	struct span text = trim(line);
	struct span options;
	size_t len = 0;
	int e;

	if (line.len > AUTHKEYS_LINE_MAX)
		return why_text(why, -EMSGSIZE, "the line is too long");
	if (has_nul(line))
		return why_text(why, -EBADMSG, "a NUL byte in the line");
	if (text.len == 0 || text.p[0] == '#') {
		*out_line = l;
		return 0;
	}
	options = begins_with_key(text) ? span_of(text.p, 0) : text;
	e = authkeys_parse_opts(options, why, &l.opts, &len);
	if (e != 0)
		return e;
	e = key_parse_line(
	    span_from(text, len), rsa_bits_min, &l.key, &comment);
	if (e != 0)
		return why_key(why, e);
	l.comment = strndup((const char *)comment.p, comment.len);
	if (l.comment == NULL)
		return why_text(why, -ENOMEM, "out of memory");
	*out_line = l;
	l = (struct authkeys_line){ .key = NULL };
	return 0;
}

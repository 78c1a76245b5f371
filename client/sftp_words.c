/* Lines of the sftp shell. Runs in the client, on the user's own words. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/sftp_words.h"
#include "common/own.h"

/* One character of the line may become so many of a word. */
#define GROWTH 4

static const char wildcards[] = "*?[";

struct split {
	const char *at;
	char *to;
	char quote;  /* that we are in */
	bool inside; /* a word */
	struct sftp_words *words;
};

static bool
is_wildcard(char c)
{
	return c != '\0' && strchr(wildcards, c) != NULL;
}

static int
enter(struct split *s, char quote)
{
	if (s->inside)
		return 0;
	if (s->words->n == WORDS_MAX)
		return -E2BIG;
	s->inside = true;
	s->words->quote = quote;
	s->words->word[s->words->n++] = s->to;
	return 0;
}

static void
leave(struct split *s)
{
	if (s->inside)
		*s->to++ = '\0';
	s->inside = false;
}

/* A character that means itself, also if it looks like a wildcard. */
static void
put_literal(struct split *s, char c)
{
	if (is_wildcard(c))
		*s->to++ = '\\';
	*s->to++ = c;
}

/* Behind a backslash; at is on it. */
static int
take_escape(struct split *s)
{
	char next = s->at[1];
	int error = enter(s, '\0');

	if (error != 0)
		return error;
	if (s->quote == '\0') {
		if (next == '\0')
			return -EBADMSG;
		if (is_wildcard(next) || next == '\\')
			*s->to++ = '\\';
		*s->to++ = next;
		s->at += 2;
	} else if (next == s->quote) {
		*s->to++ = next;
		s->at += 2;
	} else {
		/* In quotes it is a backslash, which a pattern doubles. */
		*s->to++ = '\\';
		*s->to++ = '\\';
		s->at++;
	}
	return 0;
}

static int
take_quote(struct split *s)
{
	char c = *s->at++;
	int error = enter(s, c);

	if (s->quote == c)
		s->quote = '\0';
	else if (s->quote != '\0')
		*s->to++ = c;
	else
		s->quote = c;
	return error;
}

static int
take_char(struct split *s)
{
	char c = *s->at;
	int error = 0;

	if (c == '"' || c == '\'')
		return take_quote(s);
	if (c == '\\')
		return take_escape(s);
	s->at++;
	if (s->quote != '\0') {
		put_literal(s, c);
	} else if (isspace((unsigned char)c)) {
		leave(s);
	} else if (c == '#') {
		s->at += strlen(s->at);
	} else {
		error = enter(s, '\0');
		if (error == 0)
			*s->to++ = c;
	}
	return error;
}

int
words_split(const char *line, bool sloppy, struct sftp_words *out_words)
{
	struct split s = { .at = line, .words = out_words };
	int error = 0;

	*out_words =
	    (struct sftp_words){ .text = calloc(strlen(line) + 1, GROWTH) };
	s.to = out_words->text;
	if (s.to == NULL)
		return -ENOMEM;
	while (error == 0 && *s.at != '\0')
		error = take_char(&s);
	if (s.quote != '\0' || error == -EBADMSG)
		out_words->open = true;
	if (out_words->open)
		error = sloppy ? 0 : -EBADMSG;
	out_words->blank = !s.inside;
	leave(&s);
	if (error != 0)
		words_free(out_words);
	return error;
}

void
words_free(struct sftp_words *w)
{
	free(w->text);
	*w = (struct sftp_words){ 0 };
}

char *
words_quote(const char *name, char quote)
{
	char *out = malloc(2 * strlen(name) + 1), *to = out;

	if (out == NULL)
		return NULL;
	for (; *name != '\0'; name++) {
		bool special = quote != '\0'
				   ? *name == quote
				   : strchr(" \t\"'#\\*?[", *name) != NULL;

		if (special)
			*to++ = '\\';
		*to++ = *name;
	}
	*to = '\0';
	return out;
}

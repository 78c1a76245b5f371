/*
 * Lines and words of configuration. Used by the programs that read files of
 * sshd_config(5); trusts no byte of the text and knows no keyword.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/lex.h"
#include "common/own.h"

static const char blanks[] = " \t";
/* A file from elsewhere may end its lines with CR or a form feed. */
static const char line_ends[] = " \t\r\f";

void
lex_init(struct lex *lx, struct span text)
{
	lx->left = text;
	lx->line = 0;
}

bool
lex_next(struct lex *lx, struct span *out_line)
{
	const uint8_t *end;
	size_t len;

	if (lx->left.len == 0)
		return false;
	end = memchr(lx->left.p, '\n', lx->left.len);
	len = end != NULL ? (size_t)(end - lx->left.p) : lx->left.len;
	*out_line = span_of(lx->left.p, len);
	lx->left.p += len + (end != NULL);
	lx->left.len -= len + (end != NULL);
	lx->line++;
	return true;
}

int
words_add(struct words *w, const char *text)
{
	char **v = reallocarray(w->v, w->n + 1, sizeof(*v));

	if (v == NULL)
		return -ENOMEM;
	w->v = v;
	v[w->n] = strdup(text);
	if (v[w->n] == NULL)
		return -ENOMEM;
	w->n++;
	return 0;
}

int
words_append(struct words *w, struct words *from)
{
	char **v;

	if (from->n == 0)
		return 0;
	v = reallocarray(w->v, w->n + from->n, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	memcpy(v + w->n, from->v, from->n * sizeof(*v));
	w->v = v;
	w->n += from->n;
	from->n = 0;
	words_done(from);
	return 0;
}

void
words_done(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	w->v = NULL;
	w->n = 0;
}

void
lex_line_done(struct lex_line *line)
{
	free(line->keyword);
	free(line->rest);
	words_done(&line->words);
	line->keyword = NULL;
	line->rest = NULL;
}

/* Whether the backslash at p takes the byte behind it as it is. */
static bool
lex_escapes(const char *p, char quote)
{
	return p[0] == '\\' && (p[1] == '"' || p[1] == '\'' || p[1] == '\\' ||
				   (p[1] == ' ' && quote == '\0'));
}

/*
 * Take the word at *p, which is no blank, into buf, which has room for all
 * that is left. False when its quote never ends.
 */
static bool
lex_word(const char **p, char *buf)
{
	const char *s = *p;
	char quote = '\0';

	for (; *s != '\0'; s++) {
		if (lex_escapes(s, quote))
			*buf++ = *++s;
		else if (quote == '\0' && strchr(blanks, *s) != NULL)
			break;
		else if (quote == '\0' && (*s == '"' || *s == '\''))
			quote = *s;
		else if (quote != '\0' && *s == quote)
			quote = '\0';
		else
			*buf++ = *s;
	}
	*buf = '\0';
	*p = s;
	return quote == '\0';
}

static int
lex_words(const char *text, struct words *words, const char **out_why)
{
	AUTOFREE char *buf = malloc(strlen(text) + 1);
	int rc = buf != NULL ? 0 : -ENOMEM;

	text += strspn(text, blanks);
	while (rc == 0 && *text != '\0' && *text != '#') {
		if (!lex_word(&text, buf)) {
			*out_why = "a quote is opened and never closed";
			return -EBADMSG;
		}
		rc = words_add(words, buf);
		text += strspn(text, blanks);
	}
	return rc;
}

/* A copy of the line without what surrounds it. */
static int
lex_trim(struct span line, char **out_text, const char **out_why)
{
	while (line.len > 0 && line.p[line.len - 1] != '\0' &&
	       strchr(line_ends, line.p[line.len - 1]) != NULL)
		line.len--;
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = line.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f) {
			*out_why = "the line holds a control character";
			return -EBADMSG;
		}
	}
	while (line.len > 0 && strchr(blanks, *line.p) != NULL) {
		line.p++;
		line.len--;
	}
	*out_text = strndup((const char *)line.p, line.len);
	return *out_text != NULL ? 0 : -ENOMEM;
}

int
lex_split(struct span line, struct lex_line *out_line, const char **out_why)
{
	AUTO(lex_line_done) struct lex_line l = { 0 };
	AUTOFREE char *text = NULL;
	const char *p;
	int rc;

	if (line.len > LEX_LINE_MAX)
		return -EMSGSIZE;
	rc = lex_trim(line, &text, out_why);
	if (rc != 0)
		return rc;
	if (*text != '\0' && *text != '#') {
		size_t len = strcspn(text, " \t=");

		l.keyword = strndup(text, len);
		p = text + len + strspn(text + len, blanks);
		if (*p == '=')
			p++;
		l.rest = strdup(p + strspn(p, blanks));
		if (l.keyword == NULL || l.rest == NULL)
			return -ENOMEM;
		rc = lex_words(l.rest, &l.words, out_why);
		if (rc != 0)
			return rc;
	}
	*out_line = l;
	l = (struct lex_line){ 0 };
	return 0;
}

char *
lex_quote(const char *word)
{
	size_t len = strlen(word);
	char *out, *p;

	if (len > 0 && *word != '#' && *word != '=' &&
	    strpbrk(word, " \t\"'\\") == NULL)
		return strdup(word);
	out = malloc(2 * len + 3);
	if (out == NULL)
		return NULL;
	p = out;
	*p++ = '"';
	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			*p++ = '\\';
		*p++ = *word;
	}
	*p++ = '"';
	*p = '\0';
	return out;
}

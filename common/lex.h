/*
 * Lines, words, quoting and comments of sshd_config(5). Used by whoever reads
 * configuration; the text is the administrator's, but may be damaged. Knows
 * no keyword.
 */
#ifndef COMMON_LEX_H
#define COMMON_LEX_H

#include <stddef.h>

#include "common/wire.h"

#define LEX_LINE_MAX 262144 /* bytes of a line, without its newline */

/* A growing list of strings; owns them. */
struct words {
	char **v;
	size_t n;
};

/* One line: its keyword, the words behind it, and the same as written. */
struct lex_line {
	char *keyword; /* NULL: a blank line or only a comment */
	struct words words;
	char *rest; /* all behind the keyword, its comment too; trimmed */
};

/* A text that is taken line by line; borrows it. */
struct lex {
	struct span left;
	unsigned line; /* number of the line that was taken last */
};

/* Begin in front of the first line. */
void lex_init(struct lex *lx, struct span text);

/* The next line without its newline; false at the end. */
bool lex_next(struct lex *lx, struct span *out_line);

/*
 * Split a line: keyword, white space or one "=", words. Words are separated
 * by blanks, may be quoted with ' or ", and "\" before a quote, a "\" or
 * (unquoted) a blank takes that as it is; "#" at the start of a word begins a
 * comment. 0: release with lex_line_done(). -EMSGSIZE: over LEX_LINE_MAX.
 * -EBADMSG: *out_why, a static text, says why (a quote that never ends, a
 * control character). -ENOMEM.
 */
int lex_split(
    struct span line, struct lex_line *out_line, const char **out_why);
void lex_line_done(struct lex_line *line);

/* The word as lex_split() would read it back, quoted if need be. Owned. */
char *lex_quote(const char *word);

/* Append a copy of the text. 0 or -ENOMEM. */
int words_add(struct words *w, const char *text);
/* Move all of from behind into; from is empty then. 0 or -ENOMEM. */
int words_append(struct words *w, struct words *from);
void words_done(struct words *w);

#endif

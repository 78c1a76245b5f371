/*
 * A line of the sftp shell as words, by the quoting rules of OpenSSH's sftp.
 * A wildcard that was quoted has a backslash in front in the word, as glob(7)
 * has it; list_unescape() takes those away for paths that are no patterns.
 */
#ifndef CLIENT_SFTP_WORDS_H
#define CLIENT_SFTP_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX 128

/* Release with words_free(). */
struct sftp_words {
	char *word[WORDS_MAX + 1]; /* ends with NULL */
	size_t n;
	char *text; /* what the words lie in */
	char quote; /* that the last word began with, or 0 */
	bool open;  /* and that does not end in the line */
	bool blank; /* the line ends behind a word, and not in it */
};

/* 0; -EBADMSG: a quote that does not end; -E2BIG: too many words; -ENOMEM.
 * sloppy: an open quote is no error, for completion. */
int words_split(const char *line, bool sloppy, struct sftp_words *out_words);
void words_free(struct sftp_words *w);

/* A name written so that words_split() gives it back, inside of quote or, with
 * 0, outside of any; to be freed. */
char *words_quote(const char *name, char quote);

#endif

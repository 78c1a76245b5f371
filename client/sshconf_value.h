/*
 * What the value of a keyword may be: the types of keyword.def, and what some
 * keywords want besides. Text is the user's; nothing here trusts it to be
 * sane.
 */
#ifndef CLIENT_SSHCONF_VALUE_H
#define CLIENT_SSHCONF_VALUE_H

#include "client/sshconf.h"

enum value_type {
	TYPE_FLAG,
	TYPE_CHOICE,
	TYPE_INT,
	TYPE_PORT,
	TYPE_TIME,
	TYPE_WORD,
	TYPE_NWORD,
	TYPE_REST,
	TYPE_NREST,
	TYPE_LIST,
	TYPE_EACH,
	TYPE_MANY,
	TYPE_ALGS,
};

/* A keyword and what it takes, as its row in keyword.def says. */
struct value_row {
	const char *name;
	enum value_type type;
	const char *choices;
};

/* Whether all words count, or the line as it was written. */
bool value_is_list(const struct value_row *row);
bool value_is_rest(const struct value_row *row);

/*
 * Whether the line is a value of the row; *out_number is that of a FLAG, a
 * CHOICE (its place), an INT, a PORT, a TIME. 0; -EBADMSG: why names the
 * keyword.
 */
int value_check(const struct value_row *row, const struct lex_line *line,
    long *out_number, char why[SSHCONF_WHY_MAX]);

/*
 * What the type alone does not say of a keyword's words. 0, perhaps with a
 * note in why; -EBADMSG: why says what is wrong; -ENOMEM.
 */
int value_check_more(
    enum keyword kw, const struct words *words, char why[SSHCONF_WHY_MAX]);

/* One value of a list as ssh -G shows it; owned, NULL without memory. */
char *value_shown(enum keyword kw, const char *text);

/* The words with a blank between two of them; owned, NULL without memory. */
char *value_join(const struct words *w);

#endif

/*
 * Who we are, and the tokens of ssh_config(5): %h, %p, %r and the others,
 * ${VARIABLE}, ~ and ~user.
 */
#ifndef CLIENT_EXPAND_H
#define CLIENT_EXPAND_H

#include <stdbool.h>

/* What the tokens stand for; borrowed. NULL is not known yet. */
struct expand {
	const char *host;     /* %h */
	const char *original; /* %n, as it was typed */
	const char *port;     /* %p */
	const char *user;     /* %r */
	const char *jump;     /* %j */
	const char *alias;    /* %k */
};

#define EXPAND_WHY_MAX 80 /* a sentence on why not, with its NUL */

/*
 * Replace the tokens. 0: *out_text is owned. -EBADMSG: a token that there is
 * none of, and why says which. -ENOMEM.
 */
int expand_tokens(const struct expand *e, const char *text,
    char why[EXPAND_WHY_MAX], char **out_text);

/*
 * The same, then ~ and ${VARIABLE}: for names of files. -EBADMSG also for an
 * unset variable and a user there is none of.
 */
int expand_path(const struct expand *e, const char *text,
    char why[EXPAND_WHY_MAX], char **out_path);

/*
 * The home directory: $HOME if it is absolute and ours, else what passwd(5)
 * says, else "/". Never NULL; static.
 */
const char *expand_home(void);

/* The name of the user who runs this, or their number. Never NULL; static. */
const char *expand_user(void);

#endif

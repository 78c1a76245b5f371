/*
 * Escape sequences of a session with a terminal, ssh(1) ESCAPE CHARACTERS: at
 * the beginning of a line, the escape character and one more.
 */
#ifndef CLIENT_ESCAPE_H
#define CLIENT_ESCAPE_H

#include "common/wire.h"

enum escape_action {
	ESCAPE_NONE,
	ESCAPE_DISCONNECT, /* . */
	ESCAPE_SUSPEND,    /* ^Z */
	ESCAPE_BACKGROUND, /* & */
	ESCAPE_LIST,       /* # */
	ESCAPE_COMMAND,    /* C */
	ESCAPE_BREAK,      /* B */
	ESCAPE_REKEY,      /* R */
	ESCAPE_LOUDER,     /* v */
	ESCAPE_QUIETER,    /* V */
	ESCAPE_HELP,       /* ? */
};

struct escape {
	int character; /* -1: none */
	bool at_start; /* the next byte begins a line */
	bool pending;  /* the escape character was the last byte */
};

/*
 * text is EscapeChar's value: a character, ^ and a letter, or "none". 0, or
 * -EBADMSG for any other.
 */
int escape_init(struct escape *e, const char *text);

/*
 * Take bytes of in, up to an action or to the end; returns how many. What is
 * to be sent is written to out, at most one byte more than was taken.
 */
size_t escape_take(struct escape *e, struct span in, uint8_t *out,
    size_t *out_len, enum escape_action *out_action);

/* The list for ~?, lines ending in \r\n. Owned; NULL without memory. */
char *escape_help(const struct escape *e);

#endif

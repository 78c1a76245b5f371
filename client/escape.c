/*
 * The escape characters' state. Runs as the user, on what they type.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/escape.h"
#include "common/err.h"
#include "common/own.h"

#define CTRL(c) ((c)&0x1f)

static const struct {
	uint8_t byte;
	enum escape_action action;
	const char *name;
	const char *help;
} escapes[] = {
	{ '.', ESCAPE_DISCONNECT, ".", "end the connection" },
	{ CTRL('Z'), ESCAPE_SUSPEND, "^Z", "suspend this program" },
	{ '&', ESCAPE_BACKGROUND, "&",
	    "go to the background, as long as connections are open" },
	{ '#', ESCAPE_LIST, "#", "list forwarded connections" },
	{ 'C', ESCAPE_COMMAND, "C",
	    "a command line, to add or cancel forwardings" },
	{ 'B', ESCAPE_BREAK, "B", "send a BREAK" },
	{ 'R', ESCAPE_REKEY, "R", "new keys (not offered: see RekeyLimit)" },
	{ 'v', ESCAPE_LOUDER, "v", "say more" },
	{ 'V', ESCAPE_QUIETER, "V", "say less" },
	{ '?', ESCAPE_HELP, "?", "this list" },
};

int
escape_init(struct escape *e, const char *text)
{
	*e = (struct escape){ .character = -1, .at_start = true };
	if (strcasecmp(text, "none") == 0)
		return 0;
	if (text[0] == '^' && text[1] != '\0' && text[2] == '\0')
		e->character = CTRL((uint8_t)text[1]);
	else if (text[0] != '\0' && text[1] == '\0')
		e->character = (uint8_t)text[0];
	else
		return -EBADMSG;
	return 0;
}

static enum escape_action
action_of(uint8_t byte)
{
	for (size_t i = 0; i < nitems_of(escapes); i++)
		if (escapes[i].byte == byte)
			return escapes[i].action;
	return ESCAPE_NONE;
}

size_t
escape_take(struct escape *e, struct span in, uint8_t *out, size_t *out_len,
    enum escape_action *out_action)
{
	size_t n = 0;

	*out_action = ESCAPE_NONE;
	for (size_t i = 0; i < in.len; i++) {
		uint8_t byte = in.p[i];

		if (e->pending) {
			e->pending = false;
			*out_action = action_of(byte);
			if (*out_action != ESCAPE_NONE) {
				e->at_start = true;
				*out_len = n;
				return i + 1;
			}
			/* Twice the character sends it once. */
			if (byte != e->character)
				out[n++] = (uint8_t)e->character;
		} else if (e->at_start && byte == e->character) {
			e->pending = true;
			continue;
		}
		e->at_start = byte == '\r' || byte == '\n';
		out[n++] = byte;
	}
	*out_len = n;
	return in.len;
}

char *
escape_help(const struct escape *e)
{
	char mark[3] = { (char)e->character, '\0', '\0' };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	if (e->character < ' ') {
		mark[0] = '^';
		mark[1] = (char)(e->character + '@');
	}
	fputs("Supported escape sequences:\r\n", out);
	for (size_t i = 0; i < nitems_of(escapes); i++)
		fprintf(out, " %s%-3s - %s\r\n", mark, escapes[i].name,
		    escapes[i].help);
	fprintf(out,
	    " %s%-3s - send the escape character itself\r\n"
	    "(They are known only right after a new line.)\r\n",
	    mark, mark);
	fclose(out);
	return text;
}

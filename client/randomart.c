/*
 * The drunken bishop: a walk over a board, two bits of the hash a step; each
 * field shows how often he came by. Known answers are ssh-keygen -lv's.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/randomart.h"

#define BOARD_X 17
#define BOARD_Y 9
#define TITLE_MAX 16
#define LINE_LEN (BOARD_X + 3) /* frame and newline */

/* By visits; the last two are where he began and where he stopped. */
static const char marks[] = " .o+=*BOX@%&#/^SE";
#define MARK_START ((int)sizeof(marks) - 3)
#define MARK_END ((int)sizeof(marks) - 2)

static int
clamp(int n, int most)
{
	return n < 0 ? 0 : n > most ? most : n;
}

static void
walk(struct span hash, uint8_t board[BOARD_Y][BOARD_X])
{
	int x = BOARD_X / 2, y = BOARD_Y / 2;

	for (size_t i = 0; i < hash.len; i++) {
		for (int shift = 0; shift < 8; shift += 2) {
			int bits = hash.p[i] >> shift;

			x = clamp(x + ((bits & 1) != 0 ? 1 : -1), BOARD_X - 1);
			y = clamp(y + ((bits & 2) != 0 ? 1 : -1), BOARD_Y - 1);
			if (board[y][x] < MARK_START - 1)
				board[y][x]++;
		}
	}
	board[BOARD_Y / 2][BOARD_X / 2] = (uint8_t)MARK_START;
	board[y][x] = (uint8_t)MARK_END;
}

/* +---[text]---+ and its newline. */
static char *
put_frame(char *p, const char *text)
{
	char label[TITLE_MAX + 3];
	int len = snprintf(label, sizeof(label), "[%.*s]", TITLE_MAX - 1, text);
	int left = (BOARD_X - len) / 2;

	if (*text == '\0')
		len = left = 0;
	*p++ = '+';
	memset(p, '-', BOARD_X);
	memcpy(p + left, label, (size_t)len);
	p += BOARD_X;
	*p++ = '+';
	*p++ = '\n';
	return p;
}

char *
randomart(struct span hash, const char *title, const char *footer)
{
	uint8_t board[BOARD_Y][BOARD_X] = { { 0 } };
	char *out = malloc((size_t)(BOARD_Y + 2) * LINE_LEN + 1);
	char *p = out;

	if (out == NULL)
		return NULL;
	walk(hash, board);
	p = put_frame(p, title);
	for (int y = 0; y < BOARD_Y; y++) {
		*p++ = '|';
		for (int x = 0; x < BOARD_X; x++)
			*p++ = marks[board[y][x]];
		*p++ = '|';
		*p++ = '\n';
	}
	p = put_frame(p, footer);
	*p = '\0';
	return out;
}

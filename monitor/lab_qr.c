/*
 * QR codes, drawn with two modules a character. Runs in omniedge-ssh-server,
 * on a text of its own.
 */
#include "config.h"

#include "monitor/lab_greet.h"

#ifdef HAVE_QRENCODE
#include <langinfo.h>
#include <locale.h>
#include <qrencode.h>
#include <string.h>

#define QUIET 2 /* modules around the code; readers need some */

/* Dark on light, whatever the terminal's colours are. */
#define COLOURS "\033[30;47m"
#define PLAIN "\033[0m"

static bool
is_dark(const QRcode *qr, int x, int y)
{
	return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
	       (qr->data[y * qr->width + x] & 1) != 0;
}

/* Two rows of modules a line: the upper and the lower half of a character. */
static void
draw_halves(const QRcode *qr, FILE *out)
{
	static const char *const glyphs[2][2] = { { " ", "\u2584" },
		{ "\u2580", "\u2588" } };

	for (int y = -QUIET; y < qr->width + QUIET; y += 2) {
		fputs(COLOURS, out);
		for (int x = -QUIET; x < qr->width + QUIET; x++)
			fputs(glyphs[is_dark(qr, x, y)][is_dark(qr, x, y + 1)],
			    out);
		fputs(PLAIN "\n", out);
	}
}

/* Two blanks a module, for terminals without those characters. */
static void
draw_blanks(const QRcode *qr, FILE *out)
{
	for (int y = -QUIET; y < qr->width + QUIET; y++) {
		for (int x = -QUIET; x < qr->width + QUIET; x++)
			fputs(is_dark(qr, x, y) ? "\033[40m  " : "\033[47m  ",
			    out);
		fputs(PLAIN "\n", out);
	}
}

void
lab_qr_print(const char *text, FILE *out)
{
	QRcode *qr = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);

	if (qr == NULL)
		return;
	(void)setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		draw_halves(qr, out);
	else
		draw_blanks(qr, out);
	(void)setlocale(LC_CTYPE, "C");
	QRcode_free(qr);
}
#else
void
lab_qr_print(const char *text, FILE *out)
{
	(void)text;
	(void)out;
}
#endif

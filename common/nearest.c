/*
 * Levenshtein's distance, for words that a person has typed: keywords of a
 * configuration, subcommands.
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "common/nearest.h"

#define NEAREST_LEAST 3 /* shorter words are near to everything */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Without regard to case; a is at most NEAREST_MAX bytes. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NEAREST_MAX + 1];
	size_t n = strlen(a);

	for (size_t i = 0; i <= n; i++)
		row[i] = i;
	for (size_t j = 0; b[j] != '\0'; j++) {
		size_t diagonal = row[0];

		row[0] = j + 1;
		for (size_t i = 1; i <= n; i++) {
			size_t change = tolower((unsigned char)a[i - 1]) !=
					tolower((unsigned char)b[j]);
			size_t best = least(row[i], row[i - 1]) + 1;

			best = least(best, diagonal + change);
			diagonal = row[i];
			row[i] = best;
		}
	}
	return row[n];
}

void
nearest_init(struct nearest *near, const char *word)
{
	size_t len = strlen(word);

	near->word = len < NEAREST_LEAST || len > NEAREST_MAX ? NULL : word;
	near->name = NULL;
	/* Less than a third is changed, but two letters may always be. */
	near->best = len / 3 > 2 ? len / 3 : 2;
}

void
nearest_try(struct nearest *near, const char *name)
{
	size_t d;

	if (near->word == NULL)
		return;
	d = distance(near->word, name);
	if (d < near->best || (d == near->best && near->name == NULL)) {
		near->best = d;
		near->name = name;
	}
}

/*
 * The name that a mistyped word most likely meant. For messages alone: what
 * comes out is never acted on.
 */
#ifndef COMMON_NEAREST_H
#define COMMON_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX 63 /* bytes of a word that is tried */

/* A search; borrows the word and the names. */
struct nearest {
	const char *word;
	const char *name; /* the best so far, or NULL: none is near enough */
	size_t best;
};

/* Begin to look for what word may have meant. */
void nearest_init(struct nearest *near, const char *word);

/* Hold one more name against it; the first of two equals stays. */
void nearest_try(struct nearest *near, const char *name);

#endif

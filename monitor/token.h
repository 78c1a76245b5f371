/* What a % and a letter stand for in a text of the configuration. */
#ifndef MONITOR_TOKEN_H
#define MONITOR_TOKEN_H

#include <stddef.h>

struct token {
	char letter;
	const char *value;
};

/*
 * The text with each token replaced, %% by a %; owned. -EINVAL: a letter that
 * none of them has; -ENOMEM.
 */
int token_expand(
    const char *text, const struct token *tokens, size_t n, char **out_text);

#endif

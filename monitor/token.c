/*
 * Tokens. Runs in sshd-monitor; the text is the administrator's, values may
 * come from the client and are not looked at again.
 */
#include "config.h"

#include <string.h>

#include "common/err.h"
#include "common/own.h"
#include "common/wire.h"
#include "monitor/token.h"

static const char *
value_of(char letter, const struct token *tokens, size_t n)
{
	if (letter == '%')
		return "%";
	for (size_t i = 0; i < n; i++)
		if (tokens[i].letter == letter)
			return tokens[i].value;
	return NULL;
}

int
token_expand(
    const char *text, const struct token *tokens, size_t n, char **out_text)
{
	AUTO(writer_done) struct writer w = WRITER_INIT;

	for (const char *p = text; *p != '\0'; p++) {
		const char *value;

		if (*p != '%') {
			writer_bytes(&w, p, 1);
			continue;
		}
		value = value_of(*++p, tokens, n);
		if (value == NULL)
			return -EINVAL;
		writer_bytes(&w, value, strlen(value));
	}
	writer_u8(&w, '\0');
	if (writer_end(&w) != 0)
		return -ENOMEM;
	*out_text = strdup((const char *)w.p);
	return *out_text != NULL ? 0 : -ENOMEM;
}
